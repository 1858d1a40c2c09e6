/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Strings and lists of words for import.
 */
#include <sys/types.h>

#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "import_local.h"

#define TEXT_GROW	64
/* No script means more: "a=$a$a" a few times would. */
#define TEXT_MAX	65536

void
text_add(struct import *im, struct import_text *t, char ch)
{
	char	*grown;

	if (t->len + 2 > t->size) {
		grown = t->size > TEXT_MAX ? NULL :
		    realloc(t->base, t->size * 2 + TEXT_GROW);
		if (grown == NULL) {
			im->failed = 1;
			return;
		}
		t->base = grown;
		t->size = t->size * 2 + TEXT_GROW;
	}
	t->base[t->len++] = ch;
	t->base[t->len] = '\0';
}

void
text_string(struct import *im, struct import_text *t, const char *s)
{
	for (; *s != '\0'; s++)
		text_add(im, t, *s);
}

void
string_set(struct import *im, char **member, const char *value)
{
	char	*copy;

	if ((copy = strdup(value)) == NULL)
		im->failed = 1;
	free(*member);
	*member = copy;
}

void
words_add(struct import *im, struct import_words *words, const char *text,
    const char *unknown)
{
	struct import_word	*grown, *w;

	grown = reallocarray(words->list, words->len + 1, sizeof(*grown));
	if (grown == NULL) {
		im->failed = 1;
		return;
	}
	words->list = grown;
	w = &grown[words->len];
	w->text = strdup(text);
	w->unknown = unknown == NULL ? NULL : strdup(unknown);
	w->line = im->line;
	if (w->text == NULL || (unknown != NULL && w->unknown == NULL)) {
		free(w->text);
		free(w->unknown);
		im->failed = 1;
		return;
	}
	words->len++;
}

void
words_drop(struct import_words *words, size_t i)
{
	free(words->list[i].text);
	free(words->list[i].unknown);
	words->len--;
	memmove(&words->list[i], &words->list[i + 1],
	    (words->len - i) * sizeof(words->list[0]));
}

void
words_free(struct import_words *words)
{
	while (words->len > 0)
		words_drop(words, words->len - 1);
	free(words->list);
	memset(words, 0, sizeof(*words));
}
