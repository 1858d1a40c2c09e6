/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Asking the client's host who has opened a connection (RFC 1413).
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ident.h"
#include "privsep.h"

#define IDENT_PORT	113
#define IDENT_READ_SIZE	512
#define COMPLAINT_MS	60000	/* at most one line in that time */

static void	ident_event(int, short, void *);

static int	fd_limit;

void
ident_limit(int limit)
{
	fd_limit = limit;
}

static void
ident_finish(struct ident *ident, const char *info)
{
	ident_cancel(ident);
	ident->done(ident, info);
}

static int
ident_watch(struct ident *ident, short events)
{
	event_set(&ident->ev, ident->fd, events, ident_event, ident);
	return (event_add(&ident->ev, NULL));
}

/* Each step returns 1 to go on, 0 to wait, -1 when it is over. */

static int
ident_ask(struct ident *ident)
{
	socklen_t	len;
	ssize_t		n;
	int		error = 0;

	len = sizeof(error);
	if (getsockopt(ident->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1 ||
	    error != 0)
		return (-1);
	n = send(ident->fd, ident->question + ident->question_sent,
	    ident->question_len - ident->question_sent, MSG_NOSIGNAL);
	if (n == -1)
		return (errno == EAGAIN || errno == EINTR ? 0 : -1);
	ident->question_sent += (size_t)n;
	return (ident->question_sent == ident->question_len);
}

static int
ident_read(struct ident *ident)
{
	char	buf[IDENT_READ_SIZE];
	ssize_t	n;

	n = recv(ident->fd, buf, sizeof(buf), 0);
	if (n == -1)
		return (errno == EAGAIN || errno == EINTR ? 0 : -1);
	if (n == 0)
		return (-1);
	return (ident_reply_take(&ident->reply, buf, (size_t)n));
}

static void
ident_event(int fd, short events, void *arg)
{
	struct ident	*ident = arg;
	short		 want;
	int		 result;

	if (ident->question_sent < ident->question_len) {
		result = ident_ask(ident);
		want = result == 1 ? EV_READ : EV_WRITE;
	} else {
		if ((result = ident_read(ident)) == 1) {
			/* Freed with ident: done may read it until then. */
			ident_finish(ident, ident->reply.info);
			return;
		}
		want = EV_READ;
	}
	if (result == -1 || ident_watch(ident, want) == -1)
		ident_finish(ident, NULL);
}

static void
ident_expired(int fd, short events, void *arg)
{
	ident_finish(arg, NULL);
}

/* Out of descriptors, most likely: every client in a crowd meets it. */
static void
ident_complain(void)
{
	static int64_t	next_ms;
	int64_t		now_ms;

	if ((now_ms = clock_ms()) < next_ms)
		return;
	next_ms = now_ms + COMPLAINT_MS;
	log_warn("ident: unable to create socket");
}

/* From the connection's own address, any port, to the client's port 113. */
static int
ident_connect(struct ident *ident, const struct resolver_lookup *l)
{
	struct sockaddr_storage	local, remote;
	socklen_t		local_len, remote_len;

	local_len = netaddr_to_sockaddr(&l->local, 0, AF_UNSPEC, &local);
	remote_len = netaddr_to_sockaddr(&l->remote, IDENT_PORT, AF_UNSPEC,
	    &remote);
	ident->fd = socket(remote.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (ident->fd >= fd_limit)
		errno = EMFILE;
	if (ident->fd == -1 || ident->fd >= fd_limit) {
		ident_complain();
		return (-1);
	}
	if (bind(ident->fd, (struct sockaddr *)&local, local_len) == -1)
		return (-1);
	if (connect(ident->fd, (struct sockaddr *)&remote, remote_len) == -1 &&
	    errno != EINPROGRESS)
		return (-1);
	return (0);
}

void
ident_start(struct ident *ident, const struct resolver_lookup *l)
{
	struct timeval	tv = { 0, 0 };
	int		len;

	memset(&ident->reply, 0, sizeof(ident->reply));
	len = snprintf(ident->question, sizeof(ident->question),
	    "%u , %u\r\n", l->remote_port, l->local_port);
	ident->question_len = (size_t)len;
	ident->question_sent = 0;
	ident->active = 1;
	tv.tv_sec = l->ident_timeout_s;
	evtimer_set(&ident->timer, ident_expired, ident);
	/* So that cancelling may delete it whatever happens below. */
	event_set(&ident->ev, -1, 0, ident_event, ident);
	if (ident_connect(ident, l) == -1 ||
	    ident_watch(ident, EV_WRITE) == -1 ||
	    evtimer_add(&ident->timer, &tv) == -1)
		ident_finish(ident, NULL);
}

void
ident_cancel(struct ident *ident)
{
	if (!ident->active)
		return;
	ident->active = 0;
	(void)event_del(&ident->ev);
	(void)evtimer_del(&ident->timer);
	if (ident->fd != -1)
		(void)close(ident->fd);
	ident->fd = -1;
}
