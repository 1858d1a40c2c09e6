/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Where customers come from: addresses and networks.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

unsigned int
conf_address_bits(const struct netaddr *addr)
{
	return (addr->family == AF_INET ? 32 : 128);
}

const char *
conf_address_why(const struct netaddr *addr)
{
	static const uint8_t	none[16];

	if (addr->family == AF_INET && addr->bytes[0] == 0)
		return ("an address of no host");
	if (addr->family == AF_INET && addr->bytes[0] >= 224)
		return ("an address of many hosts");
	if (addr->family == AF_INET6 && addr->bytes[0] == 0xff)
		return ("an address of many hosts");
	if (memcmp(addr->bytes, none, sizeof(none)) == 0)
		return ("an address of no host");
	return (NULL);
}

/* Digits without a zero before them; 0 is everybody, who is no customer. */
static const char *
length_parse(struct customer_address *a, const char *text)
{
	unsigned long	n, bits = conf_address_bits(&a->addr);
	size_t		len = strlen(text);

	a->prefixlen = (uint32_t)bits;
	if (len == 0 || len > 3 || text[strspn(text, "0123456789")] != '\0' ||
	    text[0] == '0' || (n = strtoul(text, NULL, 10)) > bits)
		return (bits == 32 ? "the length of a prefix is 1 to 32" :
		    "the length of a prefix is 1 to 128");
	a->prefixlen = (uint32_t)n;
	return (NULL);
}

/* Are all bits zero that the prefix does not have? */
static int
network_is_whole(const struct customer_address *a)
{
	unsigned int	i;

	for (i = a->prefixlen; i < conf_address_bits(&a->addr); i++)
		if (a->addr.bytes[i / 8] & (0x80 >> i % 8))
			return (0);
	return (1);
}

const char *
conf_network_parse(struct customer_address *a, const char *text)
{
	const char	*slash = strchr(text, '/'), *why;
	char		 address[NETADDR_TEXT_SIZE];
	size_t		 len = slash == NULL ? strlen(text) :
			    (size_t)(slash - text);

	memset(a, 0, sizeof(*a));
	if (len >= sizeof(address))
		return ("not an address");
	memcpy(address, text, len);
	address[len] = '\0';
	if (netaddr_parse(&a->addr, address) == -1)
		return ("not an address");
	a->prefixlen = conf_address_bits(&a->addr);
	if (slash == NULL)
		return (conf_address_why(&a->addr));
	if (a->addr.family == AF_INET && strchr(address, ':') != NULL)
		return ("an IPv4 network is written as one");
	if ((why = length_parse(a, slash + 1)) != NULL)
		return (why);
	if (!network_is_whole(a))
		return ("has bits behind its prefix");
	return (conf_address_why(&a->addr));
}

char *
conf_network_text(const struct customer_address *a, char *buf)
{
	size_t	len;

	netaddr_text(&a->addr, buf);
	len = strlen(buf);
	if (a->prefixlen < conf_address_bits(&a->addr))
		snprintf(buf + len, NETWORK_TEXT_SIZE - len, "/%u",
		    a->prefixlen);
	return (buf);
}
