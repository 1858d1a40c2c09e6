/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a server offers in its answer to EHLO: RFC 5321, section 4.1.1.1.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "smtp_local.h"

#define LINE_CODE_LENGTH	4	/* "250-" */

/* Digits only; what is too large to count is as good as no limit. */
static uint64_t
number_read(const char *word, size_t len)
{
	uint64_t	n = 0;
	size_t		i;

	for (i = 0; i < len && isdigit((unsigned char)word[i]); i++) {
		if (n > UINT64_MAX / 10 - 1)
			return (0);
		n = n * 10 + (uint64_t)(word[i] - '0');
	}
	return (n);
}

static int
word_is(const char *word, size_t len, const char *wanted)
{
	return (len == strlen(wanted) && strncasecmp(word, wanted, len) == 0);
}

static void
keyword_read(struct smtp_offer *offer, const char *line, size_t len)
{
	size_t	word = 0, next;

	while (word < len && line[word] != ' ')
		word++;
	if (word_is(line, word, "PIPELINING"))
		offer->pipelining = 1;
	else if (word_is(line, word, "8BITMIME"))
		offer->eightbit = 1;
	else if (word_is(line, word, "SMTPUTF8"))
		offer->utf8 = 1;
	else if (word_is(line, word, "SIZE")) {
		for (next = word; next < len && line[next] == ' ';)
			next++;
		offer->size = 1;
		offer->size_max = number_read(line + next, len - next);
	}
}

/* The first line is the server's name and greeting. */
void
smtp_offer_read(struct smtp_offer *offer, const char *text)
{
	const char	*line = strchr(text, '\n');
	size_t		 len;

	memset(offer, 0, sizeof(*offer));
	while (line != NULL) {
		line++;
		len = strcspn(line, "\n");
		if (len > LINE_CODE_LENGTH)
			keyword_read(offer, line + LINE_CODE_LENGTH,
			    len - LINE_CODE_LENGTH);
		line = strchr(line, '\n');
	}
}
