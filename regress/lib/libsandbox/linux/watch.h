/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A change in a directory is told to a confined process, whose current
 * directory is that of the path.  A byte on the channel says that it waits.
 */
#include <sys/inotify.h>

static void
watch_check(int channel, int dirfd, const char *path)
{
	char	event[sizeof(struct inotify_event) + NAME_MAX + 1];
	int	fd;

	NEED((fd = inotify_init1(IN_CLOEXEC)) != -1);
	NEED(inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO) != -1);
	NEED(write(channel, "w", 1) == 1);
	NEED(read(fd, event, sizeof(event)) > 0);
	NEED(close(fd) == 0);
}
