/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Accepting.  A listener is watched only while the service has room, the
 * start queue has credit, the log is taken and the parent is known to be
 * there; else clients wait in the kernel's backlog, which costs nothing.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define ACCEPTS_PER_TURN	64
#define BACKLOG_MAX		4096	/* looked for when a listener goes */
#define ACCEPT_PAUSE_MS		250	/* no descriptors left: wait */
#define ACCEPT_WARN_MS		10000	/* say so once in that time */

static struct event	pause_timer;
static int		paused;		/* out of descriptors */
static int64_t		warned_ms = -ACCEPT_WARN_MS;
static int64_t		alive_ms;	/* when the parent last answered */
static int		alive_asked;

static void	listener_event(int, short, void *);

static struct listener *
listener_find(struct service *sv, uint32_t number)
{
	struct listener	*l;

	TAILQ_FOREACH(l, &sv->listeners, entry)
		if (l->note.number == number)
			return (l);
	return (NULL);
}

void
listener_add(struct service *sv, int fd, const struct listener_note *note)
{
	struct listener	*l;

	if (listener_find(sv, note->number) != NULL) {
		close(fd);
		return;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("listener of %s", sv->settings.name);
	l->fd = fd;
	l->note = *note;
	l->service = sv;
	event_set(&l->ev, fd, EV_READ | EV_PERSIST, listener_event, l);
	TAILQ_INSERT_TAIL(&sv->listeners, l, entry);
}

static int
service_has_room(const struct service *sv)
{
	return (sv->count < sv->settings.sessions_max &&
	    sv->unstarted < START_CREDIT && lookup_room());
}

int
service_accepts(const struct service *sv)
{
	return (service_has_room(sv) && !sv->syncing && !sv->rules_waiting &&
	    !(sv->settings.flags & SERVICE_PAUSED) &&
	    TAILQ_EMPTY(&sv->starting) && !elog_stalled() && !paused &&
	    !alive_asked);
}

void
listeners_update(struct service *sv)
{
	struct listener	*l;
	int		 want = service_accepts(sv);

	TAILQ_FOREACH(l, &sv->listeners, entry) {
		if (l->watched == want)
			continue;
		l->watched = want;
		if (!want)
			event_del(&l->ev);
		else if (event_add(&l->ev, NULL) == -1)
			fatalx("event_add");
	}
}

struct listener *
listener_next(struct service *sv, struct listener *l)
{
	return (l == NULL ? TAILQ_FIRST(&sv->listeners) :
	    TAILQ_NEXT(l, entry));
}

static void
listener_free(struct listener *l)
{
	if (l->watched)
		event_del(&l->ev);
	close(l->fd);
	TAILQ_REMOVE(&l->service->listeners, l, entry);
	free(l);
}

void
listeners_close(struct service *sv)
{
	struct listener	*l;

	while ((l = TAILQ_FIRST(&sv->listeners)) != NULL)
		listener_free(l);
}

/*
 * A stopped parent (SIGSTOP, svc -p) stops accepting: its word is asked for
 * when someone waits and the last one is old.
 */
static int
alive_known(void)
{
	if (clock_ms() - alive_ms <= ALIVE_MS)
		return (1);
	if (!alive_asked && channel_send(&engine_parent,
	    IMSG_PARENT_ALIVE_WANTED, 0, -1, NULL, 0) == 0)
		alive_asked = 1;
	return (0);
}

void
alive_heard(void)
{
	alive_ms = clock_ms();
	alive_asked = 0;
}

static void
pause_end(int fd, short event, void *arg)
{
	paused = 0;
	engine_turn(NULL);
}

/*
 * Out of descriptors or memory: accepting at once again would spin, since
 * the client that waits keeps the listener readable.
 */
static void
accept_pause(void)
{
	struct timeval	tv = { 0, ACCEPT_PAUSE_MS * 1000 };

	paused = 1;
	evtimer_set(&pause_timer, pause_end, NULL);
	evtimer_add(&pause_timer, &tv);
}

static void
accept_failed(void)
{
	switch (errno) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case EPERM:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		/* It is about that client, which is gone: take the next. */
		return;
	}
	if (clock_ms() - warned_ms >= ACCEPT_WARN_MS) {
		warned_ms = clock_ms();
		log_warn("unable to accept, trying again");
	}
	accept_pause();
}

static int
listener_accept(struct listener *l)
{
	struct service		*sv = l->service;
	struct sockaddr_storage	 ss;
	struct netaddr		 remote;
	socklen_t		 len = sizeof(ss);
	uint16_t		 port;
	int			 fd;

	fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			accept_failed();
		return (-1);
	}
	if (netaddr_from_sockaddr(&remote, &port, &ss) == -1) {
		close(fd);
		return (0);
	}
	if (client_new(sv, fd, &remote, port) == -1) {
		close(fd);
		accept_failed();
		return (-1);
	}
	return (0);
}

/*
 * One after the other all the way to the launchers: what we hold when we are
 * killed is lost.
 */
static void
listener_drain(struct listener *l, int max)
{
	struct service	*sv = l->service;
	int		 i;

	for (i = 0; i < max && service_accepts(sv); i++) {
		if (listener_accept(l) == -1)
			break;
		rules_judge(sv);
		queue_send(sv);
	}
}

static void
listener_event(int fd, short event, void *arg)
{
	struct listener	*l = arg;
	struct service	*sv = l->service;

	if (!alive_known()) {
		listeners_update(sv);
		return;
	}
	listener_drain(l, ACCEPTS_PER_TURN);
	engine_turn(sv);
}

void
listener_close(struct service *sv, uint32_t number)
{
	struct listener	*l;

	if ((l = listener_find(sv, number)) == NULL)
		return;
	listener_drain(l, BACKLOG_MAX);
	listener_free(l);
}

static void
status_log(const struct service *sv)
{
	if (sv->settings.log_level == LOG_LEVEL_VERBOSE &&
	    (sv->settings.flags & SERVICE_CLASSIC))
		elog_line("tcpserver: status: %llu/%llu",
		    (unsigned long long)sv->count,
		    (unsigned long long)sv->settings.sessions_max);
}

void
service_count_up(struct service *sv)
{
	sv->count++;
	status_log(sv);
}

void
service_count_down(struct service *sv)
{
	if (sv->count > 0)
		sv->count--;
	status_log(sv);
}
