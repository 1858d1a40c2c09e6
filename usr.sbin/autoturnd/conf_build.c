/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What making a configuration needs everywhere: levels, and that nothing is
 * said twice in one.
 */
#include <sys/types.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "compat.h"
#include "conf_build.h"

#define LABEL_MAX	63

static const char *const	once_words[ONCE_COUNT] = {
	"control socket", "restricted control socket", "events", "hostname",
	"postmaster", "reports", "state", "log facility", "log format",
	"addresses", "concurrency", "scan", "watches",
	"spool", "prefix", "maildir", "relay",
	"protocol", "port", "helo", "window", "hops", "messages", "lifetime",
	"warn", "interval", "retry"
};

int
build_once(struct conf_build *b, enum conf_once what,
    const struct conf_word *at)
{
	return (conf_word_once(b->lexer, &b->level->once[what],
	    once_words[what], at));
}

const char *
build_once_word(enum conf_once what)
{
	return (once_words[what]);
}

int
build_given(const struct conf_level *l, enum conf_once what)
{
	return (l->once[what].file != NULL);
}

__dead void
build_memory_out(struct conf_build *b)
{
	b->report("out of memory", b->arg);
	exit(1);
}

struct conf_level *
build_level_begin(struct conf_build *b, struct conf_levels *list,
    const struct conf_word *name)
{
	struct conf_level	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		build_memory_out(b);
	l->name = *name;
	TAILQ_INSERT_TAIL(list, l, entry);
	b->level = l;
	return (l);
}

/* Letters, digits and dashes, in labels; RFC 1123, section 2.1. */
int
build_host_valid(const char *name, size_t size)
{
	size_t	i, label = 0;

	for (i = 0; name[i] != '\0'; i++) {
		if (name[i] == '.') {
			if (label == 0 || name[i - 1] == '-')
				return (0);
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)name[i]) &&
		    (name[i] != '-' || label == 0))
			return (0);
		if (++label > LABEL_MAX)
			return (0);
	}
	return (label > 0 && name[i - 1] != '-' && i < size);
}

int
build_init(struct conf_build *b)
{
	struct autoturnd_conf	*c;

	TAILQ_INIT(&b->spools);
	TAILQ_INIT(&b->customers);
	TAILQ_INIT(&b->claims);
	b->level = &b->file;
	if ((c = b->conf = calloc(1, sizeof(*c))) == NULL)
		return (-1);
	TAILQ_INIT(&c->spools);
	c->log_facility = LOG_MAIL;
	c->mailer.timeout_s = MAILER_TIMEOUT_S;
	c->control_path = strdup(CONTROL_PATH_DEFAULT);
	c->event_path = strdup(EVENT_PATH_DEFAULT);
	c->state_path = strdup(STATE_PATH_DEFAULT);
	return (c->control_path == NULL || c->event_path == NULL ||
	    c->state_path == NULL ? -1 : 0);
}

void
build_finish(struct conf_build *b)
{
	b->level = &b->file;
	b->errors = conf_errors(b->lexer);
	build_global_finish(b);
	build_delivery_finish(b);
	build_spools_finish(b);
	build_customers_finish(b);
	build_claims_check(b);
}

static void
levels_free(struct conf_levels *list)
{
	struct conf_level	*l;

	while ((l = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, l, entry);
		/* Without a spool it is nobody's yet. */
		if (l->customer != NULL && l->spool == NULL)
			conf_customer_free(l->customer);
		free(l);
	}
}

void
build_end(struct conf_build *b)
{
	build_claims_free(b);
	levels_free(&b->customers);
	levels_free(&b->spools);
}
