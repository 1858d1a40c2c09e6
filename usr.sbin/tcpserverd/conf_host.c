/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the host of a "listen on" means: "*", an address, an interface, a
 * group of interfaces.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <net/if.h>
#include <netinet/in.h>

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf_build.h"

/* Addresses as they are found. */
struct found {
	struct netaddr	*list;
	int		 len;
	int		 family;	/* that is wanted */
	int		 other;		/* there were some of another */
};

static const char *
family_word(int family)
{
	switch (family) {
	case AF_INET:
		return ("inet ");
	case AF_INET6:
		return ("inet6 ");
	default:
		return ("");
	}
}

static int
found_has(const struct found *f, const struct netaddr *addr)
{
	int	i;

	for (i = 0; i < f->len; i++)
		if (memcmp(&f->list[i], addr, sizeof(*addr)) == 0)
			return (1);
	return (0);
}

static int
found_add(struct found *f, const struct netaddr *addr)
{
	struct netaddr	*grown;

	if (f->family != AF_UNSPEC && addr->family != f->family) {
		f->other = 1;
		return (0);
	}
	if (found_has(f, addr))
		return (0);
	grown = reallocarray(f->list, (size_t)f->len + 1, sizeof(*grown));
	if (grown == NULL)
		return (-1);
	f->list = grown;
	f->list[f->len++] = *addr;
	return (0);
}

/* Can the kernel make sockets of it at all? */
static int
family_is_there(int family)
{
	int	fd;

	if ((fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return (errno != EAFNOSUPPORT && errno != EPROTONOSUPPORT);
	close(fd);
	return (1);
}

static int
any_add(struct found *f, int family)
{
	struct netaddr	any;

	if (f->family == AF_UNSPEC && !family_is_there(family))
		return (0);
	memset(&any, 0, sizeof(any));
	any.family = family;
	return (found_add(f, &any));
}

/* "fe80::1%em0".  -1: no address. */
static int
address_parse(const char *word, struct netaddr *addr)
{
	char	*copy, *scope;
	int	 rv;

	if ((copy = strdup(word)) == NULL)
		return (-1);
	if ((scope = strchr(copy, '%')) != NULL)
		*scope++ = '\0';
	rv = netaddr_parse(addr, copy);
	if (rv == 0 && scope != NULL &&
	    (addr->scope = if_nametoindex(scope)) == 0)
		rv = -1;
	free(copy);
	return (rv);
}

static int
address_is_link_local(const struct netaddr *addr)
{
	return (addr->family == AF_INET6 && addr->bytes[0] == 0xfe &&
	    (addr->bytes[1] & 0xc0) == 0x80);
}

static int
interface_matches(const struct ifaddrs *ifa, const char *word, int group)
{
	return (ifa->ifa_addr != NULL && (group ?
	    conf_ifgroup_has(word, ifa->ifa_name) == 1 :
	    strcmp(ifa->ifa_name, word) == 0));
}

static int
interface_add(struct found *f, const struct ifaddrs *ifa)
{
	struct sockaddr_storage	ss;
	struct netaddr		addr;
	uint16_t		port;
	socklen_t		len = sizeof(struct sockaddr_in);

	if (ifa->ifa_addr->sa_family == AF_INET6)
		len = sizeof(struct sockaddr_in6);
	else if (ifa->ifa_addr->sa_family != AF_INET)
		return (0);
	memset(&ss, 0, sizeof(ss));
	memcpy(&ss, ifa->ifa_addr, len);
	if (netaddr_from_sockaddr(&addr, &port, &ss) == -1)
		return (0);
	return (found_add(f, &addr));
}

/* The addresses of an interface, or of all in a group; -1 with errno. */
static int
interfaces_add(struct found *f, const char *word, int group)
{
	struct ifaddrs	*list, *ifa;
	int		 rv = 0;

	if (getifaddrs(&list) == -1)
		return (-1);
	for (ifa = list; ifa != NULL && rv == 0; ifa = ifa->ifa_next)
		if (interface_matches(ifa, word, group))
			rv = interface_add(f, ifa);
	freeifaddrs(list);
	return (rv);
}

/* 0: they were looked for; -1 with why. */
static int
word_find(struct found *f, const char *word, char *why, size_t size)
{
	struct netaddr	addr;
	int		group, rv;

	if (strcmp(word, "*") == 0)
		rv = any_add(f, AF_INET6) == -1 ? -1 : any_add(f, AF_INET);
	else if (address_parse(word, &addr) == 0) {
		if (address_is_link_local(&addr) && addr.scope == 0) {
			snprintf(why, size, "link-local: say of which "
			    "interface, as in %s%%em0", word);
			return (-1);
		}
		rv = found_add(f, &addr);
	} else if (!(group = if_nametoindex(word) == 0) ||
	    conf_ifgroup_has(word, NULL) != -1)
		rv = interfaces_add(f, word, group);
	else {
		snprintf(why, size, "neither an address nor an interface nor "
		    "a group of interfaces of this host");
		return (-1);
	}
	if (rv == -1)
		snprintf(why, size, "%s", strerror(errno));
	return (rv);
}

int
conf_host_find(const char *word, int family, struct netaddr **list,
    char *why, size_t size)
{
	struct found	f;

	memset(&f, 0, sizeof(f));
	f.family = family;
	if (word_find(&f, word, why, size) == -1) {
		free(f.list);
		return (-1);
	}
	if (f.len == 0) {
		snprintf(why, size, "has no %saddress%s", family_word(family),
		    f.other ? ", only others" : "");
		return (-1);
	}
	*list = f.list;
	return (f.len);
}
