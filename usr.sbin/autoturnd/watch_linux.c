/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Watching directories by inotify(7).  A watch is kernel memory, of which
 * each user has so much: we leave him half of it.
 */
#include <sys/types.h>
#include <sys/inotify.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue.h"
#include "watch.h"

#define SYSTEM_MAX_PATH	"/proc/sys/fs/inotify/max_user_watches"
#define WATCH_EVENTS	(IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | \
			    IN_DONT_FOLLOW | IN_EXCL_UNLINK)

static int		watch_fd = -1;
static int		system_max;
static int		heard;		/* by the loop */
static struct event	readable;

static void
watch_event(const struct inotify_event *ev)
{
	if (ev->mask & IN_Q_OVERFLOW)
		watch_changed(-1);
	else if (ev->mask & IN_IGNORED)
		watch_ended(ev->wd);
	else
		watch_changed(ev->wd);
}

/* A burst in one directory is told once. */
static void
watch_readable(int fd, short event, void *arg)
{
	char			 buf[16384];
	struct inotify_event	 ev, last = { .wd = -1 };
	size_t			 at;
	ssize_t			 n;

	if ((n = read(fd, buf, sizeof(buf))) <= 0) {
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		log_warn("inotify: nothing is watched any more");
		event_del(&readable);
		return;
	}
	for (at = 0; at + sizeof(ev) <= (size_t)n; at += sizeof(ev) + ev.len) {
		memcpy(&ev, buf + at, sizeof(ev));
		if (ev.wd != last.wd || ev.mask != last.mask)
			watch_event(&ev);
		last = ev;
	}
}

static int
system_max_read(void)
{
	FILE	*f;
	char	 line[32];
	int	 max = 0;

	if ((f = fopen(SYSTEM_MAX_PATH, "re")) == NULL)
		return (0);
	if (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		max = (int)strtonum(line, 0, INT_MAX, NULL);
	}
	fclose(f);
	return (max / 2);
}

int
watch_system_init(void)
{
	if (watch_fd != -1)
		return (system_max);
	system_max = system_max_read();
	watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch_fd == -1) {
		log_warn("inotify: no Maildir is watched");
		system_max = 0;
	}
	return (system_max);
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

int
watch_system_add(const char *maildir)
{
	char	path[MAILDIR_NAME_SIZE + 8];

	if (watch_fd == -1 || watch_hear() == -1) {
		errno = ENOSYS;
		return (-1);
	}
	snprintf(path, sizeof(path), "%s/new", maildir);
	return (inotify_add_watch(watch_fd, path, WATCH_EVENTS));
}

void
watch_system_remove(int number)
{
	(void)inotify_rm_watch(watch_fd, number);
}
