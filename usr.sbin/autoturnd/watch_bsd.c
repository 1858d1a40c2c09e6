/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Watching directories by kqueue(2), which FreeBSD, NetBSD and OpenBSD have
 * alike.  Each costs a descriptor: we leave three quarters of them to others.
 */
#include <sys/types.h>
#include <sys/event.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "queue.h"
#include "watch.h"

#define WATCH_CHANGES	(NOTE_WRITE | NOTE_EXTEND)
#define WATCH_ENDS	(NOTE_DELETE | NOTE_RENAME | NOTE_REVOKE)
#define BATCH_MAX	64

static int		watch_fd = -1;
static int		heard;		/* by the loop */
static struct event	readable;

static void
watch_event(const struct kevent *ev)
{
	int	number = (int)ev->ident;

	if (ev->fflags & WATCH_ENDS) {
		watch_ended(number);
		watch_system_remove(number);
	} else
		watch_changed(number);
}

static void
watch_readable(int fd, short event, void *arg)
{
	struct kevent	events[BATCH_MAX];
	struct timespec	now = { 0, 0 };
	int		i, n;

	n = kevent(watch_fd, NULL, 0, events, BATCH_MAX, &now);
	if (n == -1 && errno != EINTR) {
		log_warn("kevent: nothing is watched any more");
		event_del(&readable);
	}
	for (i = 0; i < n; i++)
		watch_event(&events[i]);
}

int
watch_system_init(void)
{
	struct rlimit	rl;

	if (watch_fd == -1 && (watch_fd = kqueue()) == -1) {
		log_warn("kqueue: no Maildir is watched");
		return (0);
	}
	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return (0);
	return (rl.rlim_cur / 4 > INT_MAX ? INT_MAX : (int)(rl.rlim_cur / 4));
}

static int
watch_hear(void)
{
	if (heard)
		return (0);
	event_set(&readable, watch_fd, EV_READ | EV_PERSIST, watch_readable,
	    NULL);
	if (event_add(&readable, NULL) == -1)
		return (-1);
	heard = 1;
	return (0);
}

static int
directory_watch(int fd)
{
	struct kevent	change;

	EV_SET(&change, fd, EVFILT_VNODE, EV_ADD | EV_CLEAR,
	    WATCH_CHANGES | WATCH_ENDS, 0, 0);
	return (kevent(watch_fd, &change, 1, NULL, 0, NULL));
}

int
watch_system_add(const char *maildir)
{
	char	path[MAILDIR_NAME_SIZE + 8];
	int	fd, saved;

	if (watch_fd == -1 || watch_hear() == -1) {
		errno = ENOSYS;
		return (-1);
	}
	snprintf(path, sizeof(path), "%s/new", maildir);
	fd = openat(queue.spool_fd, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 && directory_watch(fd) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

/* Out of the kqueue it is with this. */
void
watch_system_remove(int number)
{
	close(number);
}
