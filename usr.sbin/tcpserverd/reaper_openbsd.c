/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * kqueue(2), EVFILT_PROC: init waits for the programs of a dead launcher;
 * we can still be told that they ended, not how: their status reads 0.
 */
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>

#include "parent.h"

static int		kq = -1;
static struct event	kq_event;
static void		(*tell)(pid_t, int);

static void
reaper_read(int fd, short event, void *arg)
{
	struct kevent	ke;
	struct timespec	now = { 0, 0 };

	while (kevent(kq, NULL, 0, &ke, 1, &now) == 1)
		tell((pid_t)ke.ident, 0);
}

void
reaper_init(void (*ended)(pid_t, int))
{
	tell = ended;
	if ((kq = kqueue()) == -1 || fcntl(kq, F_SETFD, FD_CLOEXEC) == -1)
		fatal("kqueue");
	event_set(&kq_event, kq, EV_READ | EV_PERSIST, reaper_read, NULL);
	if (event_add(&kq_event, NULL) == -1)
		fatalx("event_add");
}

void
reaper_watch(pid_t pid)
{
	struct kevent	ke;

	EV_SET(&ke, pid, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, NULL);
	if (kevent(kq, &ke, 1, NULL, 0, NULL) == -1)
		tell(pid, 0);		/* it is gone already */
}
