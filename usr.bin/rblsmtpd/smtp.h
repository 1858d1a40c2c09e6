/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What an SMTP client says, as far as one must know to turn it away.
 */
#ifndef SMTP_H
#define SMTP_H

#include <stddef.h>
#include <stdint.h>

enum smtp_command {
	SMTP_INCOMPLETE,		/* the line goes on */
	SMTP_HARMLESS,			/* HELO EHLO MAIL RSET NOOP */
	SMTP_QUIT,
	SMTP_OTHER
};

/* One more than the longest verb that is known: room for a CR. */
#define SMTP_VERB_BYTES	5

/*
 * A line as it comes in, zeroed before its first byte.  Of a line as long
 * as the client likes only this much is kept.
 */
struct smtp_line {
	uint8_t	verb[SMTP_VERB_BYTES];
	uint8_t	len;			/* of the verb, if it fits */
	uint8_t	too_long;
	uint8_t	has_blank;		/* the verb is over */
};

/*
 * smtp_line_take: one more byte.  At the LF it returns which command the
 * line was and is ready for the next one.
 */
enum smtp_command	smtp_line_take(struct smtp_line *, uint8_t);

/*
 * smtp_text_clean: makes one line of reply text out of anything: at most
 * SMTP_TEXT_BYTES_MAX bytes, each that is not printable ASCII replaced.
 * The text holds SMTP_TEXT_SIZE bytes.
 */
#define SMTP_TEXT_BYTES_MAX	200
#define SMTP_TEXT_SIZE		(SMTP_TEXT_BYTES_MAX + 1)

void			smtp_text_clean(char *, const char *, size_t);

#endif
