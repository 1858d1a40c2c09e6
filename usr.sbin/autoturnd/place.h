/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Whose an address, a domain, a Maildir is, of the customers that are
 * configured: sorted arrays, made anew with each configuration.
 */
#ifndef PLACE_H
#define PLACE_H

#include "queue.h"

/*
 * places_rebuild: from queue.customers, but those who are gone or implicit.
 * place_check: an address as it must be: 0 or -1.
 * place_normalize: an IPv4-mapped IPv6 address becomes one of IPv4, a scope
 * is dropped; -1 if it is of no family we know.
 * place_address: the longest prefix, of a normalised address; *whole is set
 * if that is all of the address.  NULL: nobody.
 * place_domain: in letters of any size.  place_maildir: below the spool.
 */
void		 places_rebuild(void);
int		 place_check(const struct customer_address *);
int		 place_normalize(struct netaddr *);
struct customer	*place_address(const struct netaddr *, int *);
struct customer	*place_domain(const char *);
struct customer	*place_maildir(const char *);

#endif
