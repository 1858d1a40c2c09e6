/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Giving back what autoturnd.conf said.
 */
#include <sys/types.h>

#include <stdlib.h>

#include "compat.h"
#include "conf_build.h"

void
conf_customer_free(struct conf_customer *c)
{
	struct conf_address	*a;
	struct conf_domain	*d;

	while ((a = TAILQ_FIRST(&c->addresses)) != NULL) {
		TAILQ_REMOVE(&c->addresses, a, entry);
		free(a);
	}
	while ((d = TAILQ_FIRST(&c->domains)) != NULL) {
		TAILQ_REMOVE(&c->domains, d, entry);
		free(d);
	}
	free(c->file);
	free(c);
}

static void
spool_free(struct conf_spool *s)
{
	struct conf_customer	*c;

	while ((c = TAILQ_FIRST(&s->customers)) != NULL) {
		TAILQ_REMOVE(&s->customers, c, entry);
		conf_customer_free(c);
	}
	free(s->file);
	free(s->user);
	free(s->group);
	free(s);
}

void
autoturnd_conf_free(struct autoturnd_conf *c)
{
	struct conf_spool	*s;

	if (c == NULL)
		return;
	while ((s = TAILQ_FIRST(&c->spools)) != NULL) {
		TAILQ_REMOVE(&c->spools, s, entry);
		spool_free(s);
	}
	free(c->path);
	free(c->control_path);
	free(c->control_group);
	free(c->restricted_path);
	free(c->event_path);
	free(c->state_path);
	free(c);
}
