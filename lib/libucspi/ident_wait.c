/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Asking the other end's host who has opened a connection (RFC 1413), and
 * waiting for the answer.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ucspi_connect.h"

#define IDENT_PORT	113
#define IDENT_READ_SIZE	512

/* From the connection's own address: the other end may know no other. */
static int
ident_connect(int fd, const struct ident_pair *pair, int64_t deadline_ms)
{
	struct sockaddr_storage	ss;
	socklen_t		len;
	int			error;

	len = netaddr_to_sockaddr(&pair->local, 0, AF_UNSPEC, &ss);
	if (bind(fd, (struct sockaddr *)&ss, len) == -1)
		return (-1);
	len = netaddr_to_sockaddr(&pair->remote, IDENT_PORT, AF_UNSPEC, &ss);
	if (connect(fd, (struct sockaddr *)&ss, len) == 0)
		return (0);
	if ((errno != EINPROGRESS && errno != EINTR) ||
	    deadline_wait(fd, POLLOUT, deadline_ms) == -1)
		return (-1);
	len = sizeof(error);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return (-1);
	return (error == 0 ? 0 : -1);
}

static int
ident_ask(int fd, const struct ident_pair *pair, int64_t deadline_ms)
{
	char	question[32];
	size_t	len, sent = 0;
	ssize_t	n;

	len = (size_t)snprintf(question, sizeof(question), "%u , %u\r\n",
	    pair->remote_port, pair->local_port);
	while (sent < len) {
		if (deadline_wait(fd, POLLOUT, deadline_ms) == -1)
			return (-1);
		n = send(fd, question + sent, len - sent, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return (-1);
		if (n > 0)
			sent += (size_t)n;
	}
	return (0);
}

static int
ident_hear(int fd, struct ident_reply *reply, int64_t deadline_ms)
{
	char	buf[IDENT_READ_SIZE];
	ssize_t	n;
	int	result = 0;

	memset(reply, 0, sizeof(*reply));
	while (result == 0) {
		if (deadline_wait(fd, POLLIN, deadline_ms) == -1)
			return (-1);
		n = recv(fd, buf, sizeof(buf), 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return (-1);
		result = ident_reply_take(reply, buf, (size_t)n);
	}
	return (result == 1 ? 0 : -1);
}

int
ident_wait(const struct ident_pair *pair, unsigned long seconds,
    struct ident_reply *reply)
{
	int64_t	deadline_ms;
	int	fd, result = -1;

	deadline_ms = deadline_after(seconds);
	fd = socket(pair->remote.family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	if (ident_connect(fd, pair, deadline_ms) == 0 &&
	    ident_ask(fd, pair, deadline_ms) == 0)
		result = ident_hear(fd, reply, deadline_ms);
	(void)close(fd);
	return (result);
}
