/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Listening sockets, made by the parent while it still may.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "parent.h"

#define BIND_PAUSE_MS	25
#define BIND_TRIES	20

static int
listen_options(int fd, int family, int v6only)
{
	int	on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		return (-1);
	if (family == AF_INET6 && sockopt_v6only(fd, v6only) == -1)
		return (-1);
	return (0);
}

/*
 * A parent that was killed is seen dead before its engine has left the port;
 * who starts the next one at once, as supervise does, is to get it.
 */
static int
listen_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct timespec	pause = { 0, BIND_PAUSE_MS * 1000000L };
	int		i;

	for (i = 0; bind(fd, sa, len) == -1; i++) {
		if (errno != EADDRINUSE || i == BIND_TRIES)
			return (-1);
		nanosleep(&pause, NULL);
	}
	return (0);
}

static int
listen_name(int fd, uint16_t *port)
{
	struct sockaddr_storage	ss;
	struct netaddr		addr;
	socklen_t		len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return (-1);
	return (netaddr_from_sockaddr(&addr, port, &ss));
}

int
listen_open(const struct netaddr *addr, uint16_t *port, int v6only,
    const char **what)
{
	struct sockaddr_storage	ss;
	socklen_t		len;
	int			fd, saved;

	*what = "create socket";
	fd = socket(addr->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		return (-1);
	len = netaddr_to_sockaddr(addr, *port, AF_UNSPEC, &ss);
	*what = "bind";
	if (listen_options(fd, addr->family, v6only) == -1 ||
	    listen_bind(fd, (struct sockaddr *)&ss, len) == -1)
		goto bad;
	*what = "get local address";
	if (listen_name(fd, port) == -1)
		goto bad;
	return (fd);
bad:
	saved = errno;
	close(fd);
	errno = saved;
	return (-1);
}
