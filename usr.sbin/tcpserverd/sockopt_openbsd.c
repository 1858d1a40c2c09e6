/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * No promise of pledge(2) allows setting IP_OPTIONS, "inet" or not; reading
 * them is allowed.  So a client that sent any (source routing, most of all)
 * is turned away instead of being freed of them.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "tcpserverd.h"

int
sockopt_clear_ip_options(int fd, int family)
{
	char		options[64];
	socklen_t	len = sizeof(options);

	if (family != AF_INET)
		return (0);
	if (getsockopt(fd, IPPROTO_IP, IP_OPTIONS, options, &len) == -1)
		return (0);
	return (len == 0 ? 0 : -1);
}

/* It always is, and pledge(2) has no promise for saying so. */
int
sockopt_v6only(int fd, int on)
{
	return (0);
}
