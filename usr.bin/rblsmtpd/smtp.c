/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The SMTP side of rblsmtpd, without its input and output.
 */
#include <string.h>
#include <strings.h>

#include "compat.h"
#include "smtp.h"

#define VERB_LEN	4		/* of every verb that is known */

static enum smtp_command
verb_find(const uint8_t *verb)
{
	static const char	harmless[][VERB_LEN + 1] = {
		"helo", "ehlo", "mail", "rset", "noop"
	};
	const char		*word = (const char *)verb;
	size_t			 i;

	for (i = 0; i < nitems(harmless); i++) {
		if (strncasecmp(word, harmless[i], VERB_LEN) == 0)
			return (SMTP_HARMLESS);
	}
	return (strncasecmp(word, "quit", VERB_LEN) == 0 ? SMTP_QUIT :
	    SMTP_OTHER);
}

/* A CR right before the LF is not the verb's. */
static enum smtp_command
line_command(const struct smtp_line *line)
{
	size_t	len = line->len;

	if (line->too_long)
		return (SMTP_OTHER);
	if (!line->has_blank && len > 0 && line->verb[len - 1] == '\r')
		len--;
	return (len == VERB_LEN ? verb_find(line->verb) : SMTP_OTHER);
}

enum smtp_command
smtp_line_take(struct smtp_line *line, uint8_t byte)
{
	enum smtp_command	command;

	if (byte == '\n') {
		command = line_command(line);
		memset(line, 0, sizeof(*line));
		return (command);
	}
	if (byte == ' ')
		line->has_blank = 1;
	if (line->has_blank)
		return (SMTP_INCOMPLETE);
	if (line->len < sizeof(line->verb))
		line->verb[line->len++] = byte;
	else
		line->too_long = 1;
	return (SMTP_INCOMPLETE);
}

void
smtp_text_clean(char *text, const char *raw, size_t len)
{
	size_t	i;

	if (len > SMTP_TEXT_BYTES_MAX)
		len = SMTP_TEXT_BYTES_MAX;
	for (i = 0; i < len; i++)
		text[i] = raw[i] >= ' ' && raw[i] <= '~' ? raw[i] : '?';
	text[len] = '\0';
}
