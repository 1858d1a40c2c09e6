/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The way of a client through the engine: banner, names, rules, start.  The
 * engine never reads a byte from it.
 */
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define BANNER_TIMEOUT_S	60
static void
client_options(struct client *c)
{
	const struct service_settings	*set = &c->service->settings;
	int				 on = 1;

	if (set->flags & SERVICE_NODELAY)
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
}

/* No two clients have the same, whatever their services. */
static uint64_t
id_next(const struct service *sv)
{
	static uint64_t	last;

	if (last < sv->settings.generation)
		last = sv->settings.generation;
	return (++last);
}

int
client_new(struct service *sv, int fd, struct netaddr *remote, uint16_t port)
{
	struct client	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (-1);
	c->service = sv;
	c->fd = fd;
	c->id = id_next(sv);
	c->remote = *remote;
	c->remote_port = port;
	c->accepted_us = clock_us();
	c->state = CLIENT_BANNER;
	stats_accepted(sv);
	c->banner = banner_hold(sv->banner);
	service_count_up(sv);
	if (!(sv->settings.flags & SERVICE_IP_OPTIONS) &&
	    sockopt_clear_ip_options(fd, remote->family) == -1) {
		client_drop(c, RESULT_DROPPED_IP_OPTIONS, "it sent IP options, "
		    "which this system can't clear");
		return (0);
	}
	client_options(c);
	client_advance(c);
	return (0);
}

void
client_free(struct client *c)
{
	if (c->timed)
		event_del(&c->ev);
	if (c->fd != -1)
		close(c->fd);
	banner_release(c->banner);
	free(c->local_name);
	free(c->remote_name);
	free(c->info);
	free(c->rule);
	free(c->variables);
	free(c);
}

/*
 * Banner
 */

static void
banner_event(int fd, short event, void *arg)
{
	struct client	*c = arg;
	struct service	*sv = c->service;

	c->timed = 0;
	if (event & EV_TIMEOUT)
		client_drop(c, RESULT_DROPPED_BANNER,
		    "unable to print banner: %s", ucspi_strerror(ETIMEDOUT));
	else
		client_advance(c);
	engine_turn(sv);
}

static void
banner_wait(struct client *c)
{
	struct timeval	tv = { BANNER_TIMEOUT_S, 0 };

	event_set(&c->ev, c->fd, EV_WRITE, banner_event, c);
	if (event_add(&c->ev, &tv) == -1)
		fatalx("event_add");
	c->timed = 1;
}

/* 1: all of it is on its way; 0: later; -1: the client is gone. */
static int
banner_send(struct client *c)
{
	const struct banner	*b = c->banner;
	ssize_t			 n;

	while (b != NULL && c->banner_sent < b->len) {
		n = send(c->fd, b->bytes + c->banner_sent,
		    b->len - c->banner_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			banner_wait(c);
			return (0);
		}
		if (n == -1) {
			client_drop(c, RESULT_DROPPED_BANNER,
			    "unable to print banner: %s",
			    ucspi_strerror(errno));
			return (-1);
		}
		c->banner_sent += (size_t)n;
	}
	return (1);
}

/*
 * Both ends
 */

/* The daemon's services that were given none are known by their address. */
static const char *
local_name(const struct client *c, char *ip)
{
	const struct service_settings	*set = &c->service->settings;

	if (set->local_name[0] == '\0' && !(set->flags & SERVICE_CLASSIC))
		return (netaddr_text(&c->local, ip));
	return (set->local_name);
}

static int
client_local(struct client *c)
{
	char			 ip[NETADDR_TEXT_SIZE];
	struct service		*sv = c->service;
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);

	if (getsockname(c->fd, (struct sockaddr *)&ss, &len) == -1 ||
	    netaddr_from_sockaddr(&c->local, &c->local_port, &ss) == -1) {
		client_drop(c, RESULT_DROPPED_ADDRESS,
		    "unable to get local address: %s", ucspi_strerror(errno));
		return (-1);
	}
	if ((sv->settings.flags & SERVICE_LOCAL_NAME) &&
	    (c->local_name = strdup(local_name(c, ip))) == NULL) {
		client_drop(c, RESULT_DROPPED_MEMORY, "%s",
		    ucspi_strerror(ENOMEM));
		return (-1);
	}
	return (0);
}

void
client_advance(struct client *c)
{
	if (c->state == CLIENT_BANNER) {
		if (banner_send(c) != 1 || client_local(c) == -1)
			return;
		c->state = CLIENT_LOOKUP;
		if (lookup_needed(c)) {
			lookup_begin(c);
			return;
		}
	}
	c->state = CLIENT_JUDGE;
	TAILQ_INSERT_TAIL(&c->service->judging, c, entry);
}

/*
 * Turned away
 */

static void
client_refuse(struct client *c, enum outcome outcome, const char *why)
{
	struct service	*sv = c->service;

	tell_refused(c, outcome, why);
	client_free(c);
	service_count_down(sv);
}

void
client_deny(struct client *c)
{
	client_refuse(c, OUTCOME_DENIED, NULL);
}

void
client_close(struct client *c)
{
	client_refuse(c, OUTCOME_CLOSED, NULL);
}

void
client_drop(struct client *c, enum control_result result,
    const char *fmt, ...)
{
	char	why[PATH_MAX + 256];
	va_list	ap;

	c->dropped = result;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	client_refuse(c, OUTCOME_DROPPED, why);
}
