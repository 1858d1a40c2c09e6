/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * ip(7): setting an empty IP_OPTIONS removes what the client sent.
 */
#include <sys/socket.h>
#include <netinet/in.h>

#include "tcpserverd.h"

int
sockopt_clear_ip_options(int fd, int family)
{
	if (family == AF_INET)
		(void)setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0);
	return (0);
}

int
sockopt_v6only(int fd, int on)
{
	return (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
}
