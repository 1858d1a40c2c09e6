/*
 * The order in which the rules for one client are sought.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "access.h"
#include "database.h"
#include "network.h"

/* The prefix lengths to try, longest first. */
struct lengths {
	size_t	count_v4;
	size_t	count_v6;
	uint8_t	v4[NETWORK_BITS_V4 + 1];
	uint8_t	v6[NETWORK_BITS_V6 + 1];
};

/*
 * lookup_lengths_set: from the lengths that are present.
 * lookup_client: 1 and the record of the first rule that fits the client,
 * 0 when there is none, -1 with errno EPROTO on damage.
 */
void	lookup_lengths_set(struct lengths *, const struct network_lengths *);
int	lookup_client(const struct database *, const struct lengths *,
	    const struct access_client *, struct database_record *);

#endif
