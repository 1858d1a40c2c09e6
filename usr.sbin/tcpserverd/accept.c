/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Accepting.  A listener is watched only while the service has room, the
 * start queue has credit, the log is taken and the parent is known to be
 * there; else clients wait in the kernel's backlog, which costs nothing.
 */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define ACCEPTS_PER_TURN	64
#define ACCEPT_PAUSE_MS		250	/* no descriptors left: wait */
#define ACCEPT_WARN_MS		10000	/* say so once in that time */

static struct event	pause_timer;
static int		paused;		/* out of descriptors */
static int64_t		warned_ms = -ACCEPT_WARN_MS;
static int64_t		alive_ms;	/* when the parent last answered */
static int		alive_asked;

static void	listener_event(int, short, void *);

void
listeners_init(struct service *sv)
{
	unsigned int	i;

	for (i = 0; i < sv->listeners_len; i++) {
		sv->listeners[i].service = sv;
		event_set(&sv->listeners[i].ev, sv->listeners[i].fd,
		    EV_READ | EV_PERSIST, listener_event, &sv->listeners[i]);
	}
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
	    TAILQ_EMPTY(&sv->starting) && !elog_stalled() && !paused &&
	    !alive_asked);
}

void
listeners_update(struct service *sv)
{
	struct listener	*l;
	unsigned int	 i;
	int		 want = service_accepts(sv);

	for (i = 0; i < sv->listeners_len; i++) {
		l = &sv->listeners[i];
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
	unsigned int	i = l == NULL ? 0 : (unsigned int)(l -
			    sv->listeners) + 1;

	return (i < sv->listeners_len ? &sv->listeners[i] : NULL);
}

void
listeners_close(struct service *sv)
{
	unsigned int	 i;

	for (i = 0; i < sv->listeners_len; i++) {
		if (sv->listeners[i].watched)
			event_del(&sv->listeners[i].ev);
		close(sv->listeners[i].fd);
	}
	sv->listeners_len = 0;
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

static void
listener_event(int fd, short event, void *arg)
{
	struct listener	*l = arg;
	struct service	*sv = l->service;
	int		 i;

	if (!alive_known()) {
		listeners_update(sv);
		return;
	}
	/*
	 * One after the other all the way to the launchers: what we hold
	 * when we are killed is lost.
	 */
	for (i = 0; i < ACCEPTS_PER_TURN && service_accepts(sv); i++) {
		if (listener_accept(l) == -1)
			break;
		rules_judge(sv);
		queue_send(sv);
	}
	engine_turn(sv);
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
