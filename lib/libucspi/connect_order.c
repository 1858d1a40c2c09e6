/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Which address to try first: the rules of RFC 6724 section 6 that a
 * program can judge.  Rule 9 (longest prefix) is left out: it would undo
 * the random order by which a site spreads its load.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ucspi_connect.h"

#define DISCARD_PORT	9	/* nothing is sent to it */

#define SCOPE_LINK	2	/* RFC 4291 section 2.7 */
#define SCOPE_SITE	5
#define SCOPE_GLOBAL	14

/* RFC 6724 section 2.1. */
static const struct policy {
	uint8_t		prefix[16];
	unsigned int	bits;
	int		precedence;
	int		label;
} policies[] = {
	{ { [15] = 1 },				128,	50,	0 },
	{ { [10] = 0xff, [11] = 0xff },		96,	35,	4 },
	{ { 0 },				96,	1,	3 },
	{ { 0x20, 0x01 },			32,	5,	5 },
	{ { 0x20, 0x02 },			16,	30,	2 },
	{ { 0x3f, 0xfe },			16,	1,	12 },
	{ { 0xfe, 0xc0 },			10,	1,	11 },
	{ { 0xfc },				7,	3,	13 },
	{ { 0 },				0,	40,	1 },
};

struct candidate {
	struct netaddr	addr;
	int		usable;		/* there is a way to it */
	int		scope;
	int		scope_matches;	/* the source address has the same */
	int		label_matches;
	int		precedence;
};

static void
address_expand(uint8_t *bytes, const struct netaddr *addr)
{
	if (addr->family == AF_INET6) {
		memcpy(bytes, addr->bytes, 16);
		return;
	}
	memset(bytes, 0, 10);
	memset(bytes + 10, 0xff, 2);
	memcpy(bytes + 12, addr->bytes, 4);
}

static int
prefix_matches(const uint8_t *bytes, const struct policy *p)
{
	unsigned int	whole = p->bits / 8, rest = p->bits % 8;
	uint8_t		mask = (uint8_t)(0xff00 >> rest);

	return (memcmp(bytes, p->prefix, whole) == 0 && (rest == 0 ||
	    (bytes[whole] & mask) == (p->prefix[whole] & mask)));
}

/* The last one fits every address. */
static const struct policy *
policy_find(const struct netaddr *addr)
{
	const struct policy	*p = policies;
	uint8_t			 bytes[16];

	address_expand(bytes, addr);
	while (!prefix_matches(bytes, p))
		p++;
	return (p);
}

/* RFC 6724 section 3.1 and 3.2. */
static int
scope_find(const struct netaddr *addr)
{
	static const uint8_t	 loopback[16] = { [15] = 1 };
	const uint8_t		*b = addr->bytes;

	if (addr->family == AF_INET)
		return (b[0] == 127 || (b[0] == 169 && b[1] == 254) ?
		    SCOPE_LINK : SCOPE_GLOBAL);
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return (SCOPE_LINK);
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0xc0)
		return (SCOPE_SITE);
	return (memcmp(b, loopback, sizeof(loopback)) == 0 ? SCOPE_LINK :
	    SCOPE_GLOBAL);
}

/* The address the kernel would send from: 0, or -1: no way. */
static int
source_find(const struct netaddr *addr, struct netaddr *source)
{
	struct sockaddr_storage	ss;
	socklen_t		len;
	uint16_t		port;
	int			fd, result = -1;

	len = netaddr_to_sockaddr(addr, DISCARD_PORT, AF_UNSPEC, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-1);
	if (connect(fd, (struct sockaddr *)&ss, len) == 0) {
		len = sizeof(ss);
		if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
			result = netaddr_from_sockaddr(source, &port, &ss);
	}
	(void)close(fd);
	return (result);
}

static void
candidate_init(struct candidate *c, const struct netaddr *addr)
{
	const struct policy	*policy;
	struct netaddr		 source;

	memset(c, 0, sizeof(*c));
	c->addr = *addr;
	policy = policy_find(addr);
	c->precedence = policy->precedence;
	c->scope = scope_find(addr);
	if (source_find(addr, &source) == -1)
		return;
	c->usable = 1;
	c->scope_matches = scope_find(&source) == c->scope;
	c->label_matches = policy_find(&source)->label == policy->label;
}

/* Rules 1, 2, 5, 6 and 8. */
static int
candidate_better(const struct candidate *a, const struct candidate *b)
{
	if (a->usable != b->usable)
		return (a->usable);
	if (a->scope_matches != b->scope_matches)
		return (a->scope_matches);
	if (a->label_matches != b->label_matches)
		return (a->label_matches);
	if (a->precedence != b->precedence)
		return (a->precedence > b->precedence);
	return (a->scope < b->scope);
}

/* Rule 10 is why this is no qsort(3). */
void
connect_order(struct netaddr *addr, unsigned int count)
{
	struct candidate	*c, one;
	unsigned int		 i, j;

	if ((c = calloc(count, sizeof(*c))) == NULL)
		return;
	for (i = 0; i < count; i++) {
		candidate_init(&one, &addr[i]);
		for (j = i; j > 0 && candidate_better(&one, &c[j - 1]); j--)
			c[j] = c[j - 1];
		c[j] = one;
	}
	for (i = 0; i < count; i++)
		addr[i] = c[i].addr;
	free(c);
}
