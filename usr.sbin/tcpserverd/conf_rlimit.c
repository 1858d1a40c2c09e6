/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "rlimit NAME SOFT [HARD]" of tcpserverd.conf.
 */
#include <sys/types.h>
#include <sys/resource.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

/* Above it the systems do not agree on what a limit may be. */
#define RLIMIT_MAX	INT64_MAX

/* How many bits the letter after a size shifts it; -1: it is none. */
static int
unit_shift(const char *unit)
{
	static const char	 letters[] = "kmg";
	const char		*p;

	if (unit[0] == '\0')
		return (0);
	p = strchr(letters, tolower((unsigned char)unit[0]));
	return (p == NULL || unit[1] != '\0' ? -1 :
	    (int)(p - letters + 1) * 10);
}

static int
limit_scan(const struct conf_rlimit_kind *kind, const char *word, rlim_t *limit)
{
	char		*unit;
	long long	 n;
	int		 shift;

	if (strcmp(word, "unlimited") == 0 || strcmp(word, "infinity") == 0) {
		*limit = RLIM_INFINITY;
		return (0);
	}
	if (!isdigit((unsigned char)word[0]))
		return (-1);
	errno = 0;
	n = strtoll(word, &unit, 10);
	if (errno != 0 || (shift = unit_shift(unit)) == -1 ||
	    (shift > 0 && !kind->sizes) || n > (RLIMIT_MAX >> shift))
		return (-1);
	*limit = (rlim_t)n << shift;
	return (0);
}

static int
limit_read(struct conf_build *b, const struct conf_rlimit_kind *kind,
    const struct conf_word *w, rlim_t *limit)
{
	if (limit_scan(kind, w->text, limit) == 0)
		return (0);
	conf_word_error(b->lexer, w, "rlimit %s: \"%s\": %s", kind->name,
	    w->text, kind->sizes ? "not a number, with k, m or g perhaps, nor "
	    "unlimited" : "not a number nor unlimited");
	return (-1);
}

/* RLIM_INFINITY need not be the greatest number. */
static int
limit_above(rlim_t a, rlim_t b)
{
	if (b == RLIM_INFINITY)
		return (0);
	return (a == RLIM_INFINITY || a > b);
}

static int
rlimit_given(const struct conf_service *s, int resource)
{
	const struct conf_rlimit	*r;

	TAILQ_FOREACH(r, &s->rlimits, entry)
		if (r->resource == resource)
			return (1);
	return (0);
}

static void
rlimit_add(struct conf_build *b, const struct conf_word *at, int resource,
    const struct rlimit *limit)
{
	struct conf_rlimit	*r;

	if ((r = calloc(1, sizeof(*r))) == NULL) {
		conf_word_error(b->lexer, at, "%s", strerror(errno));
		return;
	}
	r->resource = resource;
	r->limit = *limit;
	TAILQ_INSERT_TAIL(&b->service->rlimits, r, entry);
}

void
build_rlimit(struct conf_build *b, const struct conf_word *name,
    const struct conf_word *soft, const struct conf_word *hard)
{
	const struct conf_rlimit_kind	*kind;
	struct rlimit			 limit;

	b->rlimits = 1;
	if ((kind = conf_rlimit_find(name->text)) == NULL) {
		conf_word_error(b->lexer, name, "rlimit: \"%s\": this system "
		    "has no such limit", name->text);
		return;
	}
	if (limit_read(b, kind, soft, &limit.rlim_cur) == -1)
		return;
	limit.rlim_max = limit.rlim_cur;
	if (hard != NULL && limit_read(b, kind, hard, &limit.rlim_max) == -1)
		return;
	if (limit_above(limit.rlim_cur, limit.rlim_max))
		conf_word_error(b->lexer, soft, "rlimit %s: %s is above the "
		    "hard limit %s", kind->name, soft->text, hard->text);
	else if (rlimit_given(b->service, kind->resource))
		conf_word_error(b->lexer, name, "rlimit %s: given already",
		    kind->name);
	else
		rlimit_add(b, name, kind->resource, &limit);
}
