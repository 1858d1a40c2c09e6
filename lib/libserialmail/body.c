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
 * The next stretch without CR and LF, and how long it is.  *cr is where the
 * next CR is at or after data: searched for once, not once for each line.
 */
static size_t
stretch_length(const char *data, const char *end, const char **cr)
{
	const char	*lf = memchr(data, '\n', (size_t)(end - data));

	if (lf == NULL)
		lf = end;
	if (*cr < data) {
		*cr = memchr(data, '\r', (size_t)(end - data));
		if (*cr == NULL)
			*cr = end;
	}
	return ((size_t)((*cr < lf ? *cr : lf) - data));
}

static size_t
stretch_encode(struct body *b, char *out, const char *data, size_t len)
{
	size_t	n = 0;

	if (b->cr) {
		out[n++] = ' ';
		b->cr = 0;
	} else if (b->bol && data[0] == '.')
		out[n++] = '.';
	memcpy(out + n, data, len);
	b->bol = 0;
	return (n + len);
}

static size_t
line_end(struct body *b, char *out)
{
	memcpy(out, "\r\n", 2);
	b->cr = 0;
	b->bol = 1;
	return (2);
}

size_t
body_encode(struct body *b, char *out, const char *data, size_t len)
{
	const char	*end = data + len, *cr = NULL;
	size_t		 run, n = 0;

	if (len > 0) {
		cr = memchr(data, '\r', len);
		if (cr == NULL)
			cr = end;
	}
	while (data < end) {
		run = stretch_length(data, end, &cr);
		if (run > 0)
			n += stretch_encode(b, out + n, data, run);
		data += run;
		if (data == end)
			break;
		if (*data++ == '\n')
			n += line_end(b, out + n);
		else
			b->cr = 1;
	}
	return (n);
}

/* A CR at the very end is a line's end that lost its LF. */
size_t
body_end(struct body *b, char *out)
{
	size_t	n = 0;

	if (!b->bol || b->cr)
		n = line_end(b, out);
	memcpy(out + n, ".\r\n", 3);
	return (n + 3);
}

/* With CRs in it the slow way, which is seldom gone. */
static size_t
mixed_size(struct body *b, const char *data, size_t len)
{
	size_t	i, n = 0;

	for (i = 0; i < len; i++) {
		if (data[i] == '\r') {
			b->cr = 1;
			continue;
		}
		n += data[i] == '\n' ? 2 : b->cr ? 2 : 1;
		b->bol = data[i] == '\n';
		b->cr = 0;
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
	return (!b->bol || b->cr ? 2 : 0);
}
