/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Tables of words, and the walk through them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vis.h>

#include "control.h"
#include "parser.h"

enum word_kind {
	WORD_LAST,			/* ends a table */
	WORD_KEYWORD,
	WORD_NOTHING,			/* the command may end here */
	WORD_SERVICE,
	WORD_ID,
	WORD_ADDRESS,
	WORD_HOST,
	WORD_INFO,
	WORD_FILE
};

struct word {
	enum word_kind		 kind;
	const char		*name;	/* keyword, or what stands for it */
	enum action		 action;
	const struct word	*next;
};

static const struct word words_end[] = {
	{ WORD_NOTHING, NULL, ACTION_NONE, NULL },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_service[] = {
	{ WORD_NOTHING, NULL, ACTION_NONE, NULL },
	{ WORD_SERVICE, "service", ACTION_NONE, words_end },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_id[] = {
	{ WORD_ID, "id", ACTION_NONE, words_end },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_info[] = {
	{ WORD_NOTHING, NULL, ACTION_NONE, NULL },
	{ WORD_INFO, "info", ACTION_NONE, words_end },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_host[] = {
	{ WORD_NOTHING, NULL, ACTION_NONE, NULL },
	{ WORD_HOST, "host", ACTION_NONE, words_info },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_address[] = {
	{ WORD_ADDRESS, "address", ACTION_NONE, words_host },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_check[] = {
	{ WORD_SERVICE, "service", ACTION_NONE, words_address },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_file[] = {
	{ WORD_FILE, "file", ACTION_NONE, words_end },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_kill[] = {
	{ WORD_KEYWORD, "session", ACTION_KILL, words_id },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_log[] = {
	{ WORD_KEYWORD, "brief", ACTION_LOG_BRIEF, words_end },
	{ WORD_KEYWORD, "verbose", ACTION_LOG_VERBOSE, words_end },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static const struct word words_show[] = {
	{ WORD_KEYWORD, "metrics", ACTION_SHOW_METRICS, words_end },
	{ WORD_KEYWORD, "rules", ACTION_SHOW_RULES, words_service },
	{ WORD_KEYWORD, "services", ACTION_SHOW_SERVICES, words_service },
	{ WORD_KEYWORD, "session", ACTION_SHOW_SESSION, words_id },
	{ WORD_KEYWORD, "sessions", ACTION_SHOW_SESSIONS, words_service },
	{ WORD_KEYWORD, "stats", ACTION_SHOW_STATS, words_service },
	{ WORD_KEYWORD, "status", ACTION_SHOW_STATUS, words_end },
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
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
	{ WORD_LAST, NULL, ACTION_NONE, NULL }
};

static void
words_list(const struct word *w, FILE *out)
{
	fputs("valid here:", out);
	for (; w->kind != WORD_LAST; w++)
		switch (w->kind) {
		case WORD_KEYWORD:
			fprintf(out, " %s", w->name);
			break;
		case WORD_NOTHING:
			fputs(" <end>", out);
			break;
		default:
			fprintf(out, " <%s>", w->name);
			break;
		}
	fputc('\n', out);
}

static void
complain(FILE *out, const char *what, const char *text,
    const struct word *valid)
{
	char	word[64], safe[4 * sizeof(word)];

	fprintf(out, "tcpserverctl: %s", what);
	if (text != NULL) {
		strlcpy(word, text, sizeof(word));
		strvis(safe, word, VIS_CSTYLE | VIS_TAB | VIS_NL);
		fprintf(out, ": %s", safe);
	}
	fputc('\n', out);
	words_list(valid, out);
}

/*
 * The keyword that text is or begins; NULL if there is none, and *ambiguous
 * if there are several.
 */
static const struct word *
keyword_find(const struct word *w, const char *text, int *ambiguous)
{
	const struct word	*found = NULL;
	size_t			 len = strlen(text);

	*ambiguous = 0;
	for (; w->kind != WORD_LAST; w++) {
		if (w->kind != WORD_KEYWORD || len == 0 ||
		    strncmp(w->name, text, len) != 0)
			continue;
		if (w->name[len] == '\0') {
			*ambiguous = 0;
			return (w);
		}
		if (found != NULL)
			*ambiguous = 1;
		found = w;
	}
	return (*ambiguous ? NULL : found);
}

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
argument_take(struct command *c, enum word_kind kind, const char *text)
{
	switch (kind) {
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

static const struct word *
argument_find(const struct word *w)
{
	for (; w->kind != WORD_LAST; w++)
		if (w->kind != WORD_KEYWORD && w->kind != WORD_NOTHING)
			return (w);
	return (NULL);
}

static int
end_allowed(const struct word *w)
{
	for (; w->kind != WORD_LAST; w++)
		if (w->kind == WORD_NOTHING)
			return (1);
	return (0);
}

/* NULL after a complaint. */
static const struct word *
word_take(struct command *c, const struct word *valid, const char *text,
    FILE *errors)
{
	const struct word	*w;
	const char		*why;
	int			 ambiguous;

	if ((w = keyword_find(valid, text, &ambiguous)) != NULL) {
		if (w->action != ACTION_NONE)
			c->action = w->action;
		return (w->next);
	}
	if ((w = argument_find(valid)) == NULL) {
		complain(errors, ambiguous ? "ambiguous word" :
		    end_allowed(valid) ? "word too many" : "unknown word",
		    text, valid);
		return (NULL);
	}
	if ((why = argument_take(c, w->kind, text)) != NULL) {
		complain(errors, why, text, valid);
		return (NULL);
	}
	return (w->next);
}

int
command_parse(struct command *c, char *const words[], FILE *errors)
{
	const struct word	*valid = words_main;

	memset(c, 0, sizeof(*c));
	for (; *words != NULL; words++)
		if ((valid = word_take(c, valid, *words, errors)) == NULL)
			return (-1);
	if (end_allowed(valid))
		return (0);
	complain(errors, "a word is missing", NULL, valid);
	return (-1);
}
