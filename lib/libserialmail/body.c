/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Encoding line by line, with memchr(3) doing the search: this is where the
 * time goes when messages are large.
 */
#include <string.h>

#include "body.h"

void
body_begin(struct body *b)
{
	b->bol = 1;
	b->cr = 0;
}

/*
 * The next c at or after data, or end, when the last one that was found is
 * *at: so each of them is searched for once, whatever lies between.
 */
static const char *
octet_find(const char **at, char c, const char *data, const char *end)
{
	if (*at < data) {
		*at = memchr(data, c, (size_t)(end - data));
		if (*at == NULL)
			*at = end;
	}
	return (*at);
}

static size_t
stretch_encode(struct body *b, char *out, const char *data, size_t len)
{
	size_t	n = 0;

	if (b->bol && data[0] == '.')
		out[n++] = '.';
	memcpy(out + n, data, len);
	b->bol = 0;
	b->cr = 0;
	return (n + len);
}

/* At CR or LF; an LF after a CR belongs to it. */
static size_t
line_end(struct body *b, char *out, char c)
{
	int	same = c == '\n' && b->cr;

	b->cr = c == '\r';
	b->bol = 1;
	if (same)
		return (0);
	memcpy(out, "\r\n", 2);
	return (2);
}

size_t
body_encode(struct body *b, char *out, const char *data, size_t len)
{
	const char	*end = data + len, *cr = NULL, *lf = NULL, *stop;
	size_t		 n = 0;

	while (data < end) {
		stop = octet_find(&cr, '\r', data, end);
		if (octet_find(&lf, '\n', data, end) < stop)
			stop = lf;
		if (stop > data)
			n += stretch_encode(b, out + n, data,
			    (size_t)(stop - data));
		data = stop;
		if (data < end)
			n += line_end(b, out + n, *data++);
	}
	return (n);
}

size_t
body_end(struct body *b, char *out)
{
	size_t	n = 0;

	if (!b->bol)
		n = line_end(b, out, '\n');
	memcpy(out + n, ".\r\n", 3);
	return (n + 3);
}

/* With CRs in it the slow way, which is seldom gone. */
static size_t
mixed_size(struct body *b, const char *data, size_t len)
{
	size_t	i, n = 0;

	for (i = 0; i < len; i++) {
		b->bol = data[i] == '\r' || data[i] == '\n';
		n += !b->bol ? 1 : data[i] == '\n' && b->cr ? 0 : 2;
		b->cr = data[i] == '\r';
	}
	return (n);
}

size_t
body_size(struct body *b, const char *data, size_t len)
{
	const char	*end = data + len, *at = data, *lf;
	size_t		 lines = 0;

	if (len == 0)
		return (0);
	if (b->cr || memchr(data, '\r', len) != NULL)
		return (mixed_size(b, data, len));
	while (at < end &&
	    (lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		lines++;
		at = lf + 1;
	}
	b->bol = at == end;
	return (len + lines);
}

size_t
body_end_size(const struct body *b)
{
	return (b->bol ? 0 : 2);
}
