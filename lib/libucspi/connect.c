/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Addresses in turn until one answers, in the two rounds of tcpclient: a
 * host that is merely slow holds up those behind it for a short while only,
 * and still gets its second chance.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "ucspi_connect.h"

/* As in 0.88: no patience is still enough for a host close by. */
#define GRACE_MS	20

static int
socket_block(int fd)
{
	int	flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1)
		return (-1);
	return (fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

/*
 * An address of the socket's own family to bind to; port alone is enough,
 * and is then taken in that family only.
 */
static int
socket_bind(int fd, const struct connect_plan *plan, int family)
{
	struct sockaddr_storage	ss;
	struct netaddr		local = plan->local;
	socklen_t		len;
	int			on = 1;

	if (local.family == AF_UNSPEC && plan->local_port == 0)
		return (0);
	if (local.family == AF_UNSPEC)
		local.family = (uint8_t)family;
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	len = netaddr_to_sockaddr(&local, plan->local_port, AF_UNSPEC, &ss);
	return (bind(fd, (struct sockaddr *)&ss, len));
}

/* 0, or -1 with errno: how the connection went, or that time is over. */
static int
socket_connect(int fd, const struct sockaddr_storage *ss, socklen_t len,
    int64_t deadline_ms)
{
	socklen_t	size;
	int		error;

	if (connect(fd, (const struct sockaddr *)ss, len) == 0)
		return (0);
	if (errno != EINPROGRESS && errno != EINTR)
		return (-1);
	if (deadline_wait(fd, POLLOUT, deadline_ms) == -1)
		return (-1);
	size = sizeof(error);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
		return (-1);
	errno = error;
	return (error == 0 ? 0 : -1);
}

/* CONNECT_NONE: this address can't be reached; errno tells why. */
static enum connect_result
address_try(const struct connect_plan *plan, const struct netaddr *addr,
    unsigned long seconds, int *fdp)
{
	struct sockaddr_storage	ss;
	enum connect_result	result = CONNECT_NONE;
	socklen_t		len;
	int64_t			deadline_ms;
	int			fd, saved;

	deadline_ms = deadline_after(seconds) + GRACE_MS;
	len = netaddr_to_sockaddr(addr, plan->port, AF_UNSPEC, &ss);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	/* A system without IPv6 has no way to such an address. */
	if (fd == -1)
		return (errno == EAFNOSUPPORT ? CONNECT_NONE : CONNECT_SOCKET);
	if (socket_bind(fd, plan, ss.ss_family) == -1)
		result = CONNECT_BIND;
	else if (socket_connect(fd, &ss, len, deadline_ms) == 0 &&
	    socket_block(fd) == 0) {
		*fdp = fd;
		return (CONNECT_DONE);
	}
	saved = errno;
	(void)close(fd);
	errno = saved;
	return (result);
}

/*
 * One round over the addresses whose pending flag is set.  With again, what
 * times out keeps its flag; everything else that fails is given up.
 */
static enum connect_result
addresses_try(const struct connect_plan *plan, char *pending,
    unsigned long seconds, int again, int *fdp, struct netaddr *remote)
{
	enum connect_result	result;
	unsigned int		i;

	for (i = 0; i < plan->count; i++) {
		if (!pending[i])
			continue;
		result = address_try(plan, &plan->addr[i], seconds, fdp);
		if (result == CONNECT_DONE)
			*remote = plan->addr[i];
		if (result != CONNECT_NONE)
			return (result);
		if (again && errno == ETIMEDOUT)
			continue;
		pending[i] = 0;
		plan->failed(&plan->addr[i], errno);
	}
	return (CONNECT_NONE);
}

enum connect_result
connect_addresses(const struct connect_plan *plan, int *fdp,
    struct netaddr *remote)
{
	enum connect_result	 result;
	unsigned long		 first_s = plan->first_s;
	unsigned int		 i;
	int			 again, saved;
	char			*pending;

	if ((pending = malloc((size_t)plan->count + 1)) == NULL)
		return (CONNECT_SOCKET);
	for (i = 0; i < plan->count; i++)
		pending[i] = 1;
	again = plan->count > 1 && plan->second_s > 0;
	if (plan->count == 1)
		first_s += plan->second_s;
	result = addresses_try(plan, pending, first_s, again, fdp, remote);
	if (result == CONNECT_NONE && again)
		result = addresses_try(plan, pending, plan->second_s, 0, fdp,
		    remote);
	saved = errno;
	free(pending);
	errno = saved;
	return (result);
}
