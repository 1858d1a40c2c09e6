/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The returned message, block by block.
 */
#include <sys/types.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "report.h"

#define DROPPED		"Delivered-To:"
#define DROPPED_LEN	(sizeof(DROPPED) - 1)

/* Where in the returned message the next byte is. */
enum where {
	AT_LINE,	/* a header line, of which some bytes may be held */
	IN_LINE,
	AT_BODY
};

/* Sends what was held for its field's name to be known. */
static size_t
held_write(struct report *r, char *out)
{
	size_t	n = r->nheld;

	memcpy(out, r->held, n);
	r->nheld = 0;
	return (n);
}

/*
 * One byte at the beginning of a header line.  Holds it as long as the line
 * may be of the field that is left out; says how many bytes it wrote.
 */
static size_t
line_begin(struct report *r, char *out, char c)
{
	size_t	n;

	if (r->nheld == 0 && (c == ' ' || c == '\t')) {
		r->where = IN_LINE;	/* goes with the line before */
		if (r->drop)
			return (0);
		*out = c;
		return (1);
	}
	r->drop = 0;
	r->held[r->nheld++] = c;
	if (c != '\n' &&
	    strncasecmp(r->held, DROPPED, r->nheld) == 0) {
		if (r->nheld == DROPPED_LEN) {
			r->drop = 1;
			r->nheld = 0;
			r->where = IN_LINE;
		}
		return (0);
	}
	n = held_write(r, out);
	if (c != '\n')
		r->where = n == 1 && c == '\r' ? AT_LINE : IN_LINE;
	else if (n == 1)
		r->where = AT_BODY;
	return (n);
}

static size_t
header_byte(struct report *r, char *out, char c)
{
	if (r->where == AT_LINE)
		return (line_begin(r, out, c));
	if (c == '\n')
		r->where = AT_LINE;
	if (r->drop)
		return (0);
	*out = c;
	return (1);
}

int
report_full(const struct report *r)
{
	return (r->left == 0 || (r->headers_only && r->where == AT_BODY));
}

size_t
report_copy(struct report *r, char *out, const char *in, size_t len)
{
	size_t	i = 0, n = 0;

	if ((off_t)len > r->left)
		len = (size_t)r->left;
	r->left -= (off_t)len;
	while (i < len && r->where != AT_BODY)
		n += header_byte(r, out + n, in[i++]);
	if (!r->headers_only) {
		memcpy(out + n, in + i, len - i);
		n += len - i;
	}
	if (n > 0)
		r->last = out[n - 1];
	return (n);
}

size_t
report_end(struct report *r, char *out)
{
	size_t	n = 0;
	int	len;

	if (r->nheld > 0) {
		n = held_write(r, out);
		r->last = out[n - 1];
	}
	if (r->last != '\n')
		out[n++] = '\n';
	if (r->form == REPORT_DSN)
		len = snprintf(out + n, REPORT_END_SIZE - n, "\n--%s--\n",
		    r->boundary);
	else if (r->cut)
		len = snprintf(out + n, REPORT_END_SIZE - n,
		    "\n--- The message is longer; the rest is not returned.\n");
	else
		len = 0;
	return (n + (size_t)len);
}
