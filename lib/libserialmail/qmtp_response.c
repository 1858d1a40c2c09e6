/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Responses of a QMTP server: a netstring whose first octet is the verdict.
 */
#include <string.h>

#include "qmtp.h"

static void
text_add(struct qmtp_response *r, char c)
{
	if (r->text_len + 1 == sizeof(r->text))
		return;
	r->text[r->text_len++] = c == '\n' ? c : delivery_printable(c);
	r->text[r->text_len] = '\0';
}

/* A netstring's length has no superfluous zeros. */
static enum qmtp_state
length_take(struct qmtp_response *r, char c)
{
	if (c == ':') {
		r->inside = 1;
		return (r->digits > 0 && r->len > 0 ? QMTP_MORE : QMTP_BAD);
	}
	if (c < '0' || c > '9' || (r->digits > 0 && r->len == 0))
		return (QMTP_BAD);
	r->digits++;
	r->len = r->len * 10 + (size_t)(c - '0');
	return (r->len <= QMTP_RESPONSE_MAX ? QMTP_MORE : QMTP_BAD);
}

static enum qmtp_state
octet_take(struct qmtp_response *r, char c)
{
	if (!r->inside)
		return (length_take(r, c));
	if (r->seen == r->len)
		return (c == ',' ? QMTP_DONE : QMTP_BAD);
	if (r->seen++ > 0)
		text_add(r, c);
	else if (c == DELIVERY_ACCEPTED || c == DELIVERY_TEMPORARY ||
	    c == DELIVERY_PERMANENT)
		r->status = c;
	else
		return (QMTP_BAD);
	return (QMTP_MORE);
}

size_t
qmtp_response_take(struct qmtp_response *r, const char *data, size_t len,
    enum qmtp_state *state)
{
	size_t	i;

	*state = QMTP_MORE;
	for (i = 0; i < len && *state == QMTP_MORE; i++)
		*state = octet_take(r, data[i]);
	while (*state == QMTP_DONE && r->text_len > 0 &&
	    r->text[r->text_len - 1] == '\n')
		r->text[--r->text_len] = '\0';
	return (i);
}
