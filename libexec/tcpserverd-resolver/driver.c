/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * c-ares on the event loop: its sockets and timers as events.
 */
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/time.h>

#include <stdlib.h>
#include <event.h>

#include "driver.h"
#include "privsep.h"

#define DRIVER_CHANNELS	32

struct dns_socket {
	LIST_ENTRY(dns_socket)	 entry;
	struct event		 ev;
	unsigned int		 channel;
	int			 fd;
};

static struct name_pool		*pool;
static struct event		 timers[DRIVER_CHANNELS];
static LIST_HEAD(, dns_socket)	 sockets[DRIVER_CHANNELS];

static void
socket_event(int fd, short events, void *arg)
{
	struct dns_socket	*s = arg;

	/* The socket, and s with it, may be gone after this. */
	name_pool_ready(pool, s->channel, fd, (events & EV_READ) != 0,
	    (events & EV_WRITE) != 0);
}

static struct dns_socket *
socket_find(unsigned int channel, int fd)
{
	struct dns_socket	*s;

	LIST_FOREACH(s, &sockets[channel], entry) {
		if (s->fd == fd)
			return (s);
	}
	return (NULL);
}

static struct dns_socket *
socket_new(unsigned int channel, int fd)
{
	struct dns_socket	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->channel = channel;
	s->fd = fd;
	LIST_INSERT_HEAD(&sockets[channel], s, entry);
	return (s);
}

static void
driver_watch(void *arg, unsigned int channel, int fd, int readable,
    int writable)
{
	struct dns_socket	*s;

	if ((s = socket_find(channel, fd)) != NULL)
		(void)event_del(&s->ev);
	if (!readable && !writable) {
		if (s != NULL)
			LIST_REMOVE(s, entry);
		free(s);
		return;
	}
	/* Unwatched, the question ends by its timer. */
	if (s == NULL && (s = socket_new(channel, fd)) == NULL) {
		log_warn("unable to watch a DNS socket");
		return;
	}
	event_set(&s->ev, fd, (short)((readable ? EV_READ : 0) |
	    (writable ? EV_WRITE : 0) | EV_PERSIST), socket_event, s);
	if (event_add(&s->ev, NULL) == -1)
		log_warn("unable to watch a DNS socket");
}

static void
timer_event(int fd, short events, void *arg)
{
	struct event	*timer = arg;

	name_pool_expired(pool, (unsigned int)(timer - timers));
}

static void
driver_timer(void *arg, unsigned int channel, int ms)
{
	struct timeval	tv;

	(void)evtimer_del(&timers[channel]);
	if (ms == -1)
		return;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	if (evtimer_add(&timers[channel], &tv) == -1)
		fatal("DNS timer");
}

struct name_pool *
driver_open(const struct name_config *config)
{
	struct name_driver	driver;

	driver.watch = driver_watch;
	driver.timer = driver_timer;
	driver.arg = NULL;
	if ((pool = name_pool_new(config, DRIVER_CHANNELS, &driver)) == NULL)
		fatal("DNS channels");
	return (pool);
}

void
driver_start(void)
{
	unsigned int	i;

	for (i = 0; i < DRIVER_CHANNELS; i++) {
		LIST_INIT(&sockets[i]);
		evtimer_set(&timers[i], timer_event, &timers[i]);
	}
}
