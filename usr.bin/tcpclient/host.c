/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * From a host word to addresses.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <net/if.h>

#include <errno.h>
#include <string.h>

#include "tcpclient.h"

#define SCOPED_TEXT_SIZE	(NETADDR_TEXT_SIZE + IF_NAMESIZE + 3)

static struct name_config	 config;
static struct name_waiter	*waiter;

struct name_waiter *
host_names(void)
{
	if (waiter == NULL && name_config_load(&config) == 0)
		waiter = name_waiter_new(&config);
	return (waiter);
}

void
host_names_done(void)
{
	name_waiter_free(waiter);
	name_config_free(&config);
	waiter = NULL;
}

/*
 * An IPv6 address with the interface it belongs to: "fe80::1%em0", perhaps
 * in brackets.  0, or -1 if the word is something else.
 */
static int
scoped_parse(struct netaddr *addr, const char *word)
{
	char	 text[SCOPED_TEXT_SIZE], *interface, *start = text;
	size_t	 len;

	if (strlcpy(text, word, sizeof(text)) >= sizeof(text))
		return (-1);
	len = strlen(text);
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		start++;
	}
	if ((interface = strchr(start, '%')) == NULL)
		return (-1);
	*interface++ = '\0';
	if (netaddr_parse(addr, start) == -1 || addr->family != AF_INET6)
		return (-1);
	addr->scope = if_nametoindex(interface);
	return (addr->scope == 0 ? -1 : 0);
}

/* A dotted quad may be followed by anything, as in 0.88. */
int
host_local(struct netaddr *addr, const char *word)
{
	if (netaddr_scan(addr, word) != NULL)
		return (0);
	if (netaddr_parse(addr, word) == 0)
		return (0);
	return (scoped_parse(addr, word));
}

/* What the options allow; 0 is IPv4, else IPv6. */
static int
families_wanted(const struct client *c)
{
	int	only;

	if (c->local.family == AF_UNSPEC)
		return (c->want);
	only = c->local.family == AF_INET ? NAME_WANT_V4 : NAME_WANT_V6;
	if (c->want == 0)
		return (only);
	/* A family that can't be bound to is as good as none. */
	return ((c->want & only) != 0 ? only : -1);
}

static unsigned int
host_self(int want, struct netaddr *addr)
{
	unsigned int	count = 0;

	if (want == -1)
		return (0);
	if ((want & NAME_WANT_V6) != 0)
		(void)netaddr_parse(&addr[count++], "::1");
	if (want == 0 || (want & NAME_WANT_V4) != 0)
		(void)netaddr_parse(&addr[count++], "127.0.0.1");
	return (count);
}

static unsigned int
host_ask(const char *host, int want, struct netaddr *addr, unsigned int max)
{
	int	n;

	if (host_names() == NULL ||
	    (n = name_wait_host(waiter, host, want, addr, max)) == -1)
		die(errno, "temporarily unable to figure out IP address for "
		    "%s", host);
	return ((unsigned int)n);
}

static unsigned int
host_find(const char *host, int want, struct netaddr *addr, unsigned int max)
{
	unsigned int	count;

	if (want == -1)
		return (0);
	if (scoped_parse(addr, host) == 0)
		return (want == 0 || (want & NAME_WANT_V6) != 0);
	if (want != 0)
		return (host_ask(host, want, addr, max));
	count = host_ask(host, NAME_WANT_V4, addr, max);
	if (count == 0)
		count = host_ask(host, NAME_WANT_V6, addr, max);
	return (count);
}

unsigned int
host_addresses(const struct client *c, struct netaddr *addr, unsigned int max)
{
	unsigned int	count, i;
	int		want;

	want = families_wanted(c);
	if (c->host[0] == '\0' || strcmp(c->host, "0") == 0)
		count = host_self(want, addr);
	else
		count = host_find(c->host, want, addr, max);
	if (count == 0)
		die(0, "no IP address for %s", c->host);
	/* IPv4 alone stays in random order, as ever. */
	for (i = 0; i < count; i++) {
		if (addr[i].family == AF_INET6) {
			connect_order(addr, count);
			break;
		}
	}
	return (count);
}
