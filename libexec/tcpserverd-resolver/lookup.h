/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The askers of the resolver and what they have asked.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <sys/types.h>
#include <sys/queue.h>

#include "driver.h"
#include "privsep.h"
#include "resolver.h"

struct job;

struct asker {
	struct channel		 ch;
	TAILQ_HEAD(, job)	 jobs;
	int			 busy;		/* its message is at work */
	int			 failed;	/* can't be answered any more */
};

/*
 * lookup_init: what the lookups work with, which must stay.
 * lookup_asker_new: an asker at the other end of fd, which is taken over.
 * Logs its failures.
 */
void	lookup_init(struct name_pool *, const struct name_config *);
void	lookup_asker_new(int);

#endif
