/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Replies: three digits, and a dash where more lines follow.  A line may end
 * without CR, and a code may stand alone; anything else that RFC 5321 does
 * not know makes no sense.
 */
#include <string.h>

#include "delivery.h"
#include "reply.h"

#define CODE_DIGITS	3

void
reply_clear(struct reply *r)
{
	r->code = 0;
	r->text[0] = '\0';
	r->text_len = 0;
	r->octets = 0;
	r->column = 0;
	r->line_code = 0;
	r->last = 0;
	r->cr = 0;
}

static void
text_add(struct reply *r, char c)
{
	if (r->text_len + 1 == sizeof(r->text))
		return;
	r->text[r->text_len++] = c;
	r->text[r->text_len] = '\0';
}

/* One of the three digits: 2 to 5, then any two. */
static enum reply_state
digit_take(struct reply *r, char c)
{
	if (c < '0' || c > '9')
		return (REPLY_BAD);
	if (r->column == 0 && (c < '2' || c > '5'))
		return (REPLY_BAD);
	r->line_code = r->line_code * 10 + (c - '0');
	return (REPLY_MORE);
}

static enum reply_state
octet_take(struct reply *r, char c)
{
	enum reply_state	state = REPLY_MORE;

	if (r->column == 0 && r->text_len > 0)
		text_add(r, '\n');
	if (r->column < CODE_DIGITS)
		state = digit_take(r, c);
	else if (r->column == CODE_DIGITS) {
		if (c != ' ' && c != '-')
			state = REPLY_BAD;
		r->last = c != '-';
	}
	r->column++;
	text_add(r, delivery_printable(c));
	return (state);
}

/* At LF.  All lines of a reply have one code. */
static enum reply_state
line_end(struct reply *r)
{
	int	last = r->last || r->column == CODE_DIGITS;

	if (r->column < CODE_DIGITS)
		return (REPLY_BAD);
	if (r->code != 0 && r->code != r->line_code)
		return (REPLY_BAD);
	r->code = r->line_code;
	r->line_code = 0;
	r->column = 0;
	r->last = 0;
	return (last ? REPLY_DONE : REPLY_MORE);
}

/* A CR counts as part of the end of a line, or else as an octet. */
static enum reply_state
reply_octet(struct reply *r, char c)
{
	if (++r->octets > REPLY_OCTETS_MAX)
		return (REPLY_BAD);
	if (c == '\n') {
		r->cr = 0;
		return (line_end(r));
	}
	if (r->cr && octet_take(r, '\r') == REPLY_BAD)
		return (REPLY_BAD);
	r->cr = c == '\r';
	return (r->cr ? REPLY_MORE : octet_take(r, c));
}

size_t
reply_take(struct reply *r, const char *data, size_t len,
    enum reply_state *state)
{
	size_t	i;

	*state = REPLY_MORE;
	for (i = 0; i < len && *state == REPLY_MORE; i++)
		*state = reply_octet(r, data[i]);
	return (i);
}
