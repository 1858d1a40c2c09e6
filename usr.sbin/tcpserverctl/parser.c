/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Tables of words, and what they stand for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "parser.h"
#include "words.h"

/* Arguments. */
enum {
	WORD_SERVICE,
	WORD_ID,
	WORD_ADDRESS,
	WORD_HOST,
	WORD_INFO,
	WORD_FILE
};

static const struct word words_end[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_service[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_ARGUMENT, "service", WORD_SERVICE, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_id[] = {
	{ WORD_ARGUMENT, "id", WORD_ID, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_info[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_ARGUMENT, "info", WORD_INFO, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_host[] = {
	{ WORD_NOTHING, NULL, 0, NULL },
	{ WORD_ARGUMENT, "host", WORD_HOST, words_info },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_address[] = {
	{ WORD_ARGUMENT, "address", WORD_ADDRESS, words_host },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_check[] = {
	{ WORD_ARGUMENT, "service", WORD_SERVICE, words_address },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_file[] = {
	{ WORD_ARGUMENT, "file", WORD_FILE, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_kill[] = {
	{ WORD_KEYWORD, "session", ACTION_KILL, words_id },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_log[] = {
	{ WORD_KEYWORD, "brief", ACTION_LOG_BRIEF, words_end },
	{ WORD_KEYWORD, "verbose", ACTION_LOG_VERBOSE, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_show[] = {
	{ WORD_KEYWORD, "metrics", ACTION_SHOW_METRICS, words_end },
	{ WORD_KEYWORD, "rules", ACTION_SHOW_RULES, words_service },
	{ WORD_KEYWORD, "services", ACTION_SHOW_SERVICES, words_service },
	{ WORD_KEYWORD, "session", ACTION_SHOW_SESSION, words_id },
	{ WORD_KEYWORD, "sessions", ACTION_SHOW_SESSIONS, words_service },
	{ WORD_KEYWORD, "stats", ACTION_SHOW_STATS, words_service },
	{ WORD_KEYWORD, "status", ACTION_SHOW_STATUS, words_end },
	{ WORD_LAST, NULL, 0, NULL }
};

static const struct word words_main[] = {
	{ WORD_KEYWORD, "check", ACTION_CHECK, words_check },
	{ WORD_KEYWORD, "continue", ACTION_CONTINUE, words_service },
	{ WORD_KEYWORD, "drain", ACTION_DRAIN, words_service },
	{ WORD_KEYWORD, "import", ACTION_IMPORT, words_file },
	{ WORD_KEYWORD, "kill", ACTION_NONE, words_kill },
	{ WORD_KEYWORD, "log", ACTION_NONE, words_log },
	{ WORD_KEYWORD, "monitor", ACTION_MONITOR, words_end },
	{ WORD_KEYWORD, "pause", ACTION_PAUSE, words_service },
	{ WORD_KEYWORD, "reload", ACTION_RELOAD, words_end },
	{ WORD_KEYWORD, "show", ACTION_NONE, words_show },
	{ WORD_LAST, NULL, 0, NULL }
};

static int
id_parse(const char *text, uint64_t *id)
{
	char	*end;

	errno = 0;
	*id = strtoull(text, &end, 10);
	return (text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
	    errno == 0 ? 0 : -1);
}

/* NULL: taken; else why not. */
static const char *
argument_take(void *arg, int which, const char *text)
{
	struct command	*c = arg;

	switch (which) {
	case WORD_SERVICE:
		if (text[0] == '\0' || strlcpy(c->service, text,
		    sizeof(c->service)) >= sizeof(c->service))
			return ("not the name of a service");
		break;
	case WORD_ID:
		if (id_parse(text, &c->session) == -1)
			return ("not the number of a session");
		break;
	case WORD_ADDRESS:
		if (netaddr_parse(&c->address, text) == -1)
			return ("neither an IPv4 nor an IPv6 address");
		break;
	case WORD_HOST:
		if (strlen(text) >= CONTROL_HOST_SIZE)
			return ("too long for a host name");
		c->host = text;
		break;
	case WORD_INFO:
		if (strlen(text) >= CONTROL_INFO_SIZE)
			return ("too long for ident information");
		c->info = text;
		break;
	default:
		c->file = text;
		break;
	}
	return (NULL);
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
