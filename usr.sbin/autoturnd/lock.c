/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The lock of a Maildir: its file seriallock, taken as setlock(1) takes it, so
 * that a maildirsmtp under setlock and we never send the same mail.  It is the
 * open descriptor's; nobody else gets that (close-on-exec), so it ends with
 * us at the latest.  The file is never removed.
 */
#include <sys/types.h>
#include <sys/file.h>
#include <sys/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue.h"

#define LOCK_NAME	"seriallock"
#define LOCK_MODE	0600

struct lock {
	RB_ENTRY(lock)	 entry;
	unsigned int	 users;
	int		 fd;
	char		 maildir[];
};

RB_HEAD(locks, lock);

static struct locks	locks = RB_INITIALIZER(&locks);

static int
lock_order(const struct lock *a, const struct lock *b)
{
	return (strcmp(a->maildir, b->maildir));
}

RB_PROTOTYPE(locks, lock, entry, lock_order);
RB_GENERATE(locks, lock, entry, lock_order);

static struct lock *
lock_find(const char *maildir)
{
	struct lock	*lock = RB_ROOT(&locks);
	int		 order;

	while (lock != NULL && (order = strcmp(maildir, lock->maildir)) != 0)
		lock = order < 0 ? RB_LEFT(lock, entry) :
		    RB_RIGHT(lock, entry);
	return (lock);
}

static int
lock_open(const char *maildir)
{
	char	path[MAILDIR_NAME_SIZE + sizeof(LOCK_NAME) + 1];

	(void)snprintf(path, sizeof(path), "%s/" LOCK_NAME, maildir);
	return (openat(queue.spool_fd, path, O_WRONLY | O_APPEND | O_CREAT |
	    O_NONBLOCK | O_CLOEXEC, LOCK_MODE));
}

static int
lock_try(int fd)
{
	int	error;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EINTR)
			continue;
		error = errno == EWOULDBLOCK ? EAGAIN : errno;
		close(fd);
		errno = error;
		return (-1);
	}
	return (0);
}

struct lock *
lock_take(const char *maildir)
{
	struct lock	*lock;
	size_t		 len = strlen(maildir) + 1;
	int		 fd;

	if ((lock = lock_find(maildir)) != NULL) {
		lock->users++;
		return (lock);
	}
	if ((fd = lock_open(maildir)) == -1 || lock_try(fd) == -1)
		return (NULL);
	if ((lock = malloc(sizeof(*lock) + len)) == NULL) {
		close(fd);
		return (NULL);
	}
	lock->users = 1;
	lock->fd = fd;
	memcpy(lock->maildir, maildir, len);
	RB_INSERT(locks, &locks, lock);
	return (lock);
}

void
lock_release(struct lock *lock)
{
	if (lock == NULL || --lock->users > 0)
		return;
	RB_REMOVE(locks, &locks, lock);
	close(lock->fd);
	free(lock);
}
