/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A change in a directory is told to a confined process.  A byte on the
 * channel says that it waits.
 */
#include <sys/event.h>

static void
watch_check(int channel, int dirfd, const char *path)
{
	struct kevent	change;
	int		fd, kq;

	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NEED(fd != -1 && (kq = kqueue()) != -1);
	EV_SET(&change, fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, NOTE_WRITE, 0, 0);
	NEED(kevent(kq, &change, 1, NULL, 0, NULL) == 0);
	NEED(write(channel, "w", 1) == 1);
	NEED(kevent(kq, NULL, 0, &change, 1, NULL) == 1);
	NEED(close(kq) == 0 && close(fd) == 0);
}
