/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "json.h"
#include "text.h"

#define EXIT_FAILED	1
#define TEXTS_MAX	1000

static char	*texts[TEXTS_MAX];
static size_t	 texts_len;

static void
text_keep(const char *text, size_t len)
{
	if (texts_len == TEXTS_MAX)
		return;
	if ((texts[texts_len] = strndup(text, len)) == NULL)
		err(EXIT_FAILED, "answer");
	texts_len++;
}

void
answer_text(int json, const void *text, size_t len)
{
	if (json)
		text_keep(text, len);
	else
		fprintf(stderr, "%s: %s\n", getprogname(),
		    safe_bytes(text, len));
}

size_t
answer_texts(void)
{
	return (texts_len);
}

void
answer_messages(void)
{
	size_t	i;

	json_array("messages");
	for (i = 0; i < texts_len; i++)
		json_text(NULL, texts[i]);
	json_end();
}

void
answer_put(int done)
{
	json_object(NULL);
	json_bool("done", done);
	answer_messages();
	json_done();
}

void
answer_flush(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		err(EXIT_FAILED, "standard output");
}
