/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The askers of the resolver and what they have asked.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "ucspi_name.h"

/*
 * lookup_init: what the lookups work with, which must stay.
 * lookup_asker_new: an asker at the other end of fd, which is taken over.
 * Logs its failures.
 */
void	lookup_init(struct name_pool *, const struct name_config *);
void	lookup_asker_new(int);

#endif
