/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The pid file.  flock(2), since fcntl(2)'s locks do not survive the fork(2)
 * into the background.  Who waits for nothing but the lock of a file that
 * its owner is about to remove would lock a file without a name: so the
 * name is looked at again once the lock is ours.
 */
#include <sys/types.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pidfile.h"

#define PIDFILE_MODE	0644
#define PIDFILE_MAX	32	/* bytes; what is longer is somebody's */
#define PIDFILE_TRIES	20	/* others leave while we open */

static char		file_path[PATH_MAX];
static int		file_fd = -1;
static struct stat	file_st;

static int
fail(int fd, int error)
{
	if (fd != -1)
		close(fd);
	errno = error;
	return (-1);
}

static pid_t
pid_read(int fd)
{
	char	 text[32], *end;
	ssize_t	 n;
	long	 pid;

	if ((n = pread(fd, text, sizeof(text) - 1, 0)) <= 0)
		return (-1);
	text[n] = '\0';
	pid = strtol(text, &end, 10);
	if (end == text || (*end != '\n' && *end != '\0') || pid <= 1 ||
	    pid > INT_MAX)
		return (-1);
	return ((pid_t)pid);
}

/* Is what fd is open on what the path leads to? */
static int
path_is(const struct stat *st)
{
	struct stat	now;

	return (lstat(file_path, &now) == 0 && now.st_dev == st->st_dev &&
	    now.st_ino == st->st_ino);
}

/* 1: locked; 0: its owner removed it meanwhile; -1 with errno. */
static int
lock_try(pid_t *other)
{
	int	fd;

	fd = open(file_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK, PIDFILE_MODE);
	if (fd == -1)
		return (-1);
	if (fstat(fd, &file_st) == -1)
		return (fail(fd, errno));
	if (!S_ISREG(file_st.st_mode) || file_st.st_size > PIDFILE_MAX)
		return (fail(fd, EINVAL));
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK)
			return (fail(fd, errno));
		*other = pid_read(fd);
		return (fail(fd, EEXIST));
	}
	if (!path_is(&file_st)) {
		close(fd);
		return (0);
	}
	file_fd = fd;
	return (1);
}

int
pidlock_open(const char *path, pid_t *other)
{
	int	i, got;

	*other = -1;
	if (strlcpy(file_path, path, sizeof(file_path)) >= sizeof(file_path))
		return (fail(-1, ENAMETOOLONG));
	for (i = 0; i < PIDFILE_TRIES; i++)
		if ((got = lock_try(other)) != 0)
			return (got == 1 ? 0 : -1);
	return (fail(-1, EAGAIN));
}

int
pidlock_write(void)
{
	char	text[32];
	ssize_t	n;
	int	len;

	if (file_fd == -1)
		return (fail(-1, EBADF));
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(file_fd, 0) == -1)
		return (-1);
	if ((n = pwrite(file_fd, text, (size_t)len, 0)) == -1)
		return (-1);
	return (n == len ? 0 : fail(-1, ENOSPC));
}

void
pidlock_abandon(void)
{
	if (file_fd != -1)
		close(file_fd);
	file_fd = -1;
}

void
pidlock_remove(void)
{
	if (file_fd != -1 && path_is(&file_st))
		(void)unlink(file_path);
	pidlock_abandon();
}
