/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The walk through tables of words.
 */
#include <stdlib.h>
#include <string.h>
#include <vis.h>

#include "words.h"

struct walk {
	words_take	*take;
	void		*arg;
	FILE		*errors;
	int		 value;
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

	fprintf(out, "%s: %s", getprogname(), what);
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

static const struct word *
word_find(const struct word *w, enum word_kind kind)
{
	for (; w->kind != WORD_LAST; w++)
		if (w->kind == kind)
			return (w);
	return (NULL);
}

/* NULL after a complaint. */
static const struct word *
word_take(struct walk *walk, const struct word *valid, const char *text)
{
	const struct word	*w;
	const char		*why;
	int			 ambiguous;

	if ((w = keyword_find(valid, text, &ambiguous)) != NULL) {
		if (w->value != 0)
			walk->value = w->value;
		return (w->next);
	}
	if ((w = word_find(valid, WORD_ARGUMENT)) == NULL) {
		complain(walk->errors, ambiguous ? "ambiguous word" :
		    word_find(valid, WORD_NOTHING) != NULL ?
		    "word too many" : "unknown word", text, valid);
		return (NULL);
	}
	if ((why = walk->take(walk->arg, w->value, text)) != NULL) {
		complain(walk->errors, why, text, valid);
		return (NULL);
	}
	return (w->next);
}

int
words_parse(const struct word *valid, char *const words[], words_take *take,
    void *arg, FILE *errors)
{
	struct walk	walk = { take, arg, errors, 0 };

	for (; *words != NULL; words++)
		if ((valid = word_take(&walk, valid, *words)) == NULL)
			return (-1);
	if (word_find(valid, WORD_NOTHING) != NULL)
		return (walk.value);
	complain(errors, "a word is missing", NULL, valid);
	return (-1);
}
