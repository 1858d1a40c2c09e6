/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What an SMTP client may say to rblsmtpd, and what a list may have said of
 * it: the input is taken once as the one and once as the other.  The
 * commands found must be those that a plain reading of each whole line
 * finds, one for each line.
 *
 * includes: usr.bin/rblsmtpd/smtp.c
 */
#include <ctype.h>
#include <stdlib.h>

/* The program has no library that its objects could come from. */
#include "../../usr.bin/rblsmtpd/smtp.c"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(int truth)
{
	if (!truth)
		abort();
}

static int
verb_is(const char *line, size_t len, const char *verb)
{
	size_t	i;

	if (len != strlen(verb))
		return (0);
	for (i = 0; i < len; i++) {
		if (tolower((unsigned char)line[i]) != verb[i])
			return (0);
	}
	return (1);
}

/* The model, which has the whole line, without its LF. */
static enum smtp_command
line_read(const char *line, size_t len)
{
	const char	*blank;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if ((blank = memchr(line, ' ', len)) != NULL)
		len = (size_t)(blank - line);
	if (verb_is(line, len, "quit"))
		return (SMTP_QUIT);
	if (verb_is(line, len, "helo") || verb_is(line, len, "ehlo") ||
	    verb_is(line, len, "mail") || verb_is(line, len, "rset") ||
	    verb_is(line, len, "noop"))
		return (SMTP_HARMLESS);
	return (SMTP_OTHER);
}

static void
lines_check(const char *data, size_t len)
{
	struct smtp_line	line;
	enum smtp_command	command;
	size_t			i, start = 0;

	memset(&line, 0, sizeof(line));
	for (i = 0; i < len; i++) {
		command = smtp_line_take(&line, (uint8_t)data[i]);
		if (data[i] != '\n') {
			require(command == SMTP_INCOMPLETE);
			continue;
		}
		require(command == line_read(data + start, i - start));
		start = i + 1;
	}
}

static void
text_check(const char *data, size_t len)
{
	char	text[SMTP_TEXT_SIZE];
	size_t	i;

	smtp_text_clean(text, data, len);
	require(strlen(text) == (len < 200 ? len : 200));
	for (i = 0; text[i] != '\0'; i++) {
		require(isascii((unsigned char)text[i]) &&
		    isprint((unsigned char)text[i]));
		require(text[i] == data[i] || text[i] == '?');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	lines_check((const char *)data, len);
	text_check((const char *)data, len);
	return (0);
}
