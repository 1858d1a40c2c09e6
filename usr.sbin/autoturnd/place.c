/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Look-ups by what customers are configured with.  Addresses stand sorted by
 * family, length of the prefix and bits; one binary search for each length
 * that occurs, the longest first, finds the longest prefix.  ISPs have few
 * lengths.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "place.h"

#define BITS_V4		32U
#define BITS_V6		128U
#define GROUPS_MAX	(BITS_V4 + 1 + BITS_V6 + 1)

struct place {
	uint8_t		 bytes[16];	/* what the prefix has, then zeros */
	struct customer	*customer;
	uint8_t		 family;
	uint8_t		 prefixlen;
};

/* Those of one family and length. */
struct group {
	const struct place	*first;
	size_t			 count;
};

struct name {
	const char	*name;
	struct customer	*customer;
};

static struct place	*places;
static size_t		 places_count;
static struct group	 groups[GROUPS_MAX];
static size_t		 groups_count;
static struct name	*domains;
static size_t		 domains_count;
static struct name	*maildirs;
static size_t		 maildirs_count;

static uint32_t
family_bits(uint8_t family)
{
	if (family == AF_INET)
		return (BITS_V4);
	return (family == AF_INET6 ? BITS_V6 : 0);
}

int
place_check(const struct customer_address *a)
{
	uint32_t	bits = family_bits(a->addr.family);

	return (bits > 0 && a->prefixlen <= bits ? 0 : -1);
}

int
place_normalize(struct netaddr *addr)
{
	static const uint8_t	mapped[12] = { [10] = 0xff, [11] = 0xff };

	addr->scope = 0;
	if (addr->family == AF_INET6 &&
	    memcmp(addr->bytes, mapped, sizeof(mapped)) == 0) {
		memmove(addr->bytes, addr->bytes + sizeof(mapped), 4);
		addr->family = AF_INET;
	}
	if (addr->family == AF_INET)
		memset(addr->bytes + 4, 0, sizeof(addr->bytes) - 4);
	return (family_bits(addr->family) > 0 ? 0 : -1);
}

static void
bytes_mask(uint8_t *bytes, uint32_t prefixlen)
{
	uint32_t	i = prefixlen / 8;

	if (prefixlen % 8 > 0)
		bytes[i++] &= (uint8_t)(0xff00 >> prefixlen % 8);
	if (i < 16)
		memset(bytes + i, 0, 16 - i);
}

/* IPv4 first, long prefixes first. */
static int
place_order(const void *one, const void *other)
{
	const struct place	*a = one, *b = other;

	if (a->family != b->family)
		return (a->family == AF_INET ? -1 : 1);
	if (a->prefixlen != b->prefixlen)
		return (a->prefixlen > b->prefixlen ? -1 : 1);
	return (memcmp(a->bytes, b->bytes, sizeof(a->bytes)));
}

static int
bytes_order(const void *key, const void *member)
{
	const struct place	*p = member;

	return (memcmp(key, p->bytes, sizeof(p->bytes)));
}

static int
name_order(const void *one, const void *other)
{
	const struct name	*a = one, *b = other;

	return (strcmp(a->name, b->name));
}

static int
domain_order(const void *one, const void *other)
{
	const struct name	*a = one, *b = other;

	return (strcasecmp(a->name, b->name));
}

static void
place_add(struct customer *c, const struct customer_place *cp)
{
	struct netaddr	 addr = cp->address.addr;
	struct place	*p = &places[places_count++];
	uint32_t	 len = cp->address.prefixlen;

	/* ::ffff:192.0.2.0/120 is 192.0.2.0/24 */
	if (addr.family == AF_INET6 && len >= BITS_V6 - BITS_V4 &&
	    place_normalize(&addr) == 0 && addr.family == AF_INET)
		len -= BITS_V6 - BITS_V4;
	memset(p, 0, sizeof(*p));
	memcpy(p->bytes, addr.bytes, sizeof(p->bytes));
	bytes_mask(p->bytes, len);
	p->family = addr.family;
	p->prefixlen = (uint8_t)len;
	p->customer = c;
}

static void
domain_add(struct customer *c, const struct customer_place *cp)
{
	domains[domains_count].name = cp->domain;
	domains[domains_count++].customer = c;
}

static void
customer_add(struct customer *c)
{
	const struct customer_place	*cp;

	for (cp = c->places; cp != NULL; cp = cp->next) {
		if (cp->address.addr.family == AF_UNSPEC)
			domain_add(c, cp);
		else
			place_add(c, cp);
	}
	maildirs[maildirs_count].name = c->maildir;
	maildirs[maildirs_count++].customer = c;
}

static int
customer_counts(const struct customer *c)
{
	return ((c->flags & (CUSTOMER_IMPLICIT | CUSTOMER_GONE)) == 0);
}

/* Room for so many, as nothing else is there yet. */
static void
arrays_new(size_t addresses, size_t names, size_t customers)
{
	free(places);
	free(domains);
	free(maildirs);
	if ((places = calloc(addresses + 1, sizeof(*places))) == NULL ||
	    (domains = calloc(names + 1, sizeof(*domains))) == NULL ||
	    (maildirs = calloc(customers + 1, sizeof(*maildirs))) == NULL)
		fatal("addresses of customers");
	places_count = domains_count = maildirs_count = 0;
}

static void
arrays_count(void)
{
	const struct customer_place	*cp;
	struct customer			*c;
	size_t				 addresses = 0, names = 0, n = 0;

	for (c = customer_next(NULL); c != NULL; c = customer_next(c)) {
		if (!customer_counts(c))
			continue;
		n++;
		for (cp = c->places; cp != NULL; cp = cp->next) {
			if (cp->address.addr.family == AF_UNSPEC)
				names++;
			else
				addresses++;
		}
	}
	arrays_new(addresses, names, n);
}

static void
groups_rebuild(void)
{
	const struct place	*p, *last = NULL;
	size_t			 i;

	groups_count = 0;
	for (i = 0; i < places_count; i++, last = p) {
		p = &places[i];
		if (last == NULL || last->family != p->family ||
		    last->prefixlen != p->prefixlen) {
			groups[groups_count].first = p;
			groups[groups_count++].count = 0;
		}
		groups[groups_count - 1].count++;
	}
}

void
places_rebuild(void)
{
	struct customer	*c;

	arrays_count();
	for (c = customer_next(NULL); c != NULL; c = customer_next(c))
		if (customer_counts(c))
			customer_add(c);
	qsort(places, places_count, sizeof(*places), place_order);
	qsort(domains, domains_count, sizeof(*domains), domain_order);
	qsort(maildirs, maildirs_count, sizeof(*maildirs), name_order);
	groups_rebuild();
}

static struct customer *
group_find(const struct group *g, const struct netaddr *addr)
{
	const struct place	*p;
	uint8_t			 key[16];

	memcpy(key, addr->bytes, sizeof(key));
	bytes_mask(key, g->first->prefixlen);
	p = bsearch(key, g->first, g->count, sizeof(*p), bytes_order);
	return (p == NULL ? NULL : p->customer);
}

struct customer *
place_address(const struct netaddr *addr, int *whole)
{
	const struct group	*g;
	struct customer		*c;

	for (g = groups; g < groups + groups_count; g++) {
		if (g->first->family != addr->family ||
		    (c = group_find(g, addr)) == NULL)
			continue;
		*whole = g->first->prefixlen == family_bits(addr->family);
		return (c);
	}
	return (NULL);
}

static struct customer *
name_find(const char *name, const struct name *names, size_t count,
    int (*order)(const void *, const void *))
{
	struct name	 key = { name, NULL };
	const struct name *n;

	if (count == 0)
		return (NULL);
	n = bsearch(&key, names, count, sizeof(*names), order);
	return (n == NULL ? NULL : n->customer);
}

struct customer *
place_domain(const char *name)
{
	return (name_find(name, domains, domains_count, domain_order));
}

struct customer *
place_maildir(const char *maildir)
{
	return (name_find(maildir, maildirs, maildirs_count, name_order));
}
