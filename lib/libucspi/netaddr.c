/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Addresses without ports, in one form for both families.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <errno.h>
#include <string.h>

#include "ucspi.h"

static const uint8_t	mapped_prefix[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

static void
netaddr_set_v4(struct netaddr *addr, const void *bytes)
{
	memset(addr, 0, sizeof(*addr));
	addr->family = AF_INET;
	memcpy(addr->bytes, bytes, 4);
}

static void
netaddr_set_v6(struct netaddr *addr, const void *bytes, uint32_t scope)
{
	if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		netaddr_set_v4(addr, (const uint8_t *)bytes + 12);
		return;
	}
	memset(addr, 0, sizeof(*addr));
	addr->family = AF_INET6;
	addr->scope = scope;
	memcpy(addr->bytes, bytes, 16);
}

int
netaddr_from_sockaddr(struct netaddr *addr, uint16_t *port,
    const struct sockaddr_storage *ss)
{
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;

	switch (ss->ss_family) {
	case AF_INET:
		memcpy(&sin, ss, sizeof(sin));
		netaddr_set_v4(addr, &sin.sin_addr);
		*port = ntohs(sin.sin_port);
		return (0);
	case AF_INET6:
		memcpy(&sin6, ss, sizeof(sin6));
		netaddr_set_v6(addr, &sin6.sin6_addr, sin6.sin6_scope_id);
		*port = ntohs(sin6.sin6_port);
		return (0);
	default:
		memset(addr, 0, sizeof(*addr));
		*port = 0;
		errno = EAFNOSUPPORT;
		return (-1);
	}
}

static socklen_t
netaddr_to_sin(const struct netaddr *addr, uint16_t port,
    struct sockaddr_storage *ss)
{
	struct sockaddr_in	sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	memcpy(&sin.sin_addr, addr->bytes, 4);
	memcpy(ss, &sin, sizeof(sin));
	return (sizeof(sin));
}

static socklen_t
netaddr_to_sin6(const struct netaddr *addr, uint16_t port,
    struct sockaddr_storage *ss)
{
	struct sockaddr_in6	sin6;

	memset(&sin6, 0, sizeof(sin6));
	sin6.sin6_family = AF_INET6;
	sin6.sin6_port = htons(port);
	if (addr->family == AF_INET) {
		memcpy(&sin6.sin6_addr, mapped_prefix, sizeof(mapped_prefix));
		memcpy((uint8_t *)&sin6.sin6_addr + 12, addr->bytes, 4);
	} else {
		memcpy(&sin6.sin6_addr, addr->bytes, 16);
		sin6.sin6_scope_id = addr->scope;
	}
	memcpy(ss, &sin6, sizeof(sin6));
	return (sizeof(sin6));
}

socklen_t
netaddr_to_sockaddr(const struct netaddr *addr, uint16_t port, int family,
    struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (addr->family == AF_INET6 || family == AF_INET6)
		return (netaddr_to_sin6(addr, port, ss));
	return (netaddr_to_sin(addr, port, ss));
}

static void
netaddr_text_v4(const uint8_t *bytes, char *buf)
{
	size_t	i;

	for (i = 0; i < 4; i++) {
		if (i > 0)
			*buf++ = '.';
		buf += ucspi_decimal(buf, bytes[i], 1);
	}
	*buf = '\0';
}

/* Of each client several times: IPv4 is not left to inet_ntop(3)'s stdio. */
char *
netaddr_text(const struct netaddr *addr, char *buf)
{
	if (addr->family != AF_INET6)
		netaddr_text_v4(addr->bytes, buf);
	else if (inet_ntop(AF_INET6, addr->bytes, buf,
	    NETADDR_TEXT_SIZE) == NULL)
		buf[0] = '\0';
	return (buf);
}

int
netaddr_parse(struct netaddr *addr, const char *text)
{
	uint8_t	bytes[16];
	char	inner[NETADDR_TEXT_SIZE];
	size_t	len;

	if (inet_pton(AF_INET, text, bytes) == 1) {
		netaddr_set_v4(addr, bytes);
		return (0);
	}
	len = strlen(text);
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		len -= 2;
		text++;
	}
	if (len >= sizeof(inner))
		return (-1);
	memcpy(inner, text, len);
	inner[len] = '\0';
	if (inet_pton(AF_INET6, inner, bytes) != 1)
		return (-1);
	netaddr_set_v6(addr, bytes, 0);
	return (0);
}

const char *
netaddr_scan(struct netaddr *addr, const char *s)
{
	unsigned int	i, value;

	memset(addr, 0, sizeof(*addr));
	addr->family = AF_INET;
	for (i = 0; i < 4; i++) {
		if (i > 0 && *s++ != '.')
			return (NULL);
		if (*s < '0' || *s > '9')
			return (NULL);
		for (value = 0; *s >= '0' && *s <= '9'; s++)
			value = value * 10 + (unsigned int)(*s - '0');
		addr->bytes[i] = (uint8_t)(value & 0xff);
	}
	return (s);
}
