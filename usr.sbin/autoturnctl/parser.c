/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Tables of words, and what they stand for.
 */
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "parser.h"
#include "words.h"

/* Arguments. */
enum {
	WORD_CUSTOMER,
	WORD_MESSAGE,
	WORD_MESSAGE_OR_CUSTOMER,
	WORD_MESSAGE_AFTER,
	WORD_SPOOL,
	WORD_ADDRESS,
	WORD_DOMAIN
};

static const struct word words_end[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_customer[] = {
	{ WORD_ARGUMENT, "customer", WORD_CUSTOMER, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_customer_any[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_ARGUMENT, "customer", WORD_CUSTOMER, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_message_any[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_ARGUMENT, "message", WORD_MESSAGE, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_customer_message[] = {
	{ WORD_ARGUMENT, "customer", WORD_CUSTOMER, words_message_any },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_explain_more[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_ARGUMENT, "message", WORD_MESSAGE_AFTER, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_explain[] = {
	{ WORD_ARGUMENT, "[customer] message", WORD_MESSAGE_OR_CUSTOMER,
	    words_explain_more },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_run[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_ARGUMENT, "customer, address or domain", WORD_CUSTOMER,
	    words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_spool[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_ARGUMENT, "spool", WORD_SPOOL, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_directory[] = {
	{ WORD_ARGUMENT, "directory", WORD_SPOOL, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_domain[] = {
	{ WORD_ARGUMENT, "domain", WORD_DOMAIN, words_spool },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_address[] = {
	{ WORD_ARGUMENT, "address", WORD_ADDRESS, words_domain },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_name[] = {
	{ WORD_ARGUMENT, "name", WORD_CUSTOMER, words_address },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_show[] = {
	{ WORD_KEYWORD, "customers", ACTION_SHOW_CUSTOMERS,
	    words_customer_any },
	{ WORD_KEYWORD, "metrics", ACTION_SHOW_METRICS, words_end },
	{ WORD_KEYWORD, "quarantine", ACTION_SHOW_QUARANTINE,
	    words_customer_any },
	{ WORD_KEYWORD, "queue", ACTION_SHOW_QUEUE, words_customer_any },
	{ WORD_KEYWORD, "runs", ACTION_SHOW_RUNS, words_end },
	{ WORD_KEYWORD, "status", ACTION_SHOW_STATUS, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_main[] = {
	{ WORD_KEYWORD, "add", ACTION_ADD, words_name },
	{ WORD_KEYWORD, "check", ACTION_CHECK, words_customer_any },
	{ WORD_KEYWORD, "expire", ACTION_EXPIRE, words_customer_message },
	{ WORD_KEYWORD, "explain", ACTION_EXPLAIN, words_explain },
	{ WORD_KEYWORD, "hold", ACTION_HOLD, words_customer },
	{ WORD_KEYWORD, "import", ACTION_IMPORT, words_directory },
	{ WORD_KEYWORD, "pause", ACTION_PAUSE, words_spool },
	{ WORD_KEYWORD, "release", ACTION_RELEASE, words_customer_message },
	{ WORD_KEYWORD, "reload", ACTION_RELOAD, words_end },
	{ WORD_KEYWORD, "resume", ACTION_RESUME, words_spool },
	{ WORD_KEYWORD, "run", ACTION_RUN, words_run },
	{ WORD_KEYWORD, "show", ACTION_NONE, words_show },
	{ WORD_LAST, NULL, 0, NULL }
};

/* NULL: taken; else why not. */
static const char *
customer_take(struct command *c, const char *text)
{
	if (text[0] == '\0' || strlen(text) >= DOMAIN_SIZE)
		return ("not the name of a customer");
	c->customer = text;
	return (NULL);
}

static const char *
message_take(struct command *c, const char *text)
{
	if (text[0] == '\0' || strlen(text) >= MESSAGE_NAME_SIZE)
		return ("not the name of a message");
	c->message = text;
	return (NULL);
}

static const char *
argument_take(void *arg, int which, const char *text)
{
	struct command	*c = arg;
	const char	*why;

	switch (which) {
	case WORD_CUSTOMER:
		return (customer_take(c, text));
	case WORD_MESSAGE_AFTER:
		if ((why = customer_take(c, c->message)) != NULL)
			return (why);
		return (message_take(c, text));
	case WORD_SPOOL:
		c->spool = text;
		return (NULL);
	case WORD_ADDRESS:
		c->address = text;
		return (NULL);
	case WORD_DOMAIN:
		c->domain = text;
		return (NULL);
	default:
		return (message_take(c, text));
	}
}

int
command_parse(struct command *c, char *const words[], FILE *errors)
{
	int	action;

	memset(c, 0, sizeof(*c));
	if ((action = words_parse(words_main, words, argument_take, c,
	    errors)) == -1)
		return (-1);
	c->action = (enum action)action;
	return (0);
}
