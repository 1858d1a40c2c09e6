/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Ends of lines, a block at a time.
 */
#include <string.h>

#include "ucspi_stream.h"

/* Up to here a loop is cheaper than calling memchr(3) and memcpy(3). */
#define SPAN_SHORT_BYTES	16

/*
 * Copies from *in up to, without, the next stop byte or the end; moves *in
 * there and returns the end of the copy.
 */
static char *
span_copy(char *out, const char **in, const char *end, char stop)
{
	const char	*p = *in, *found, *near;
	size_t		 len;

	near = end - p > SPAN_SHORT_BYTES ? p + SPAN_SHORT_BYTES : end;
	while (p < near && *p != stop)
		*out++ = *p++;
	if (p == near && p < end) {
		found = memchr(p, stop, (size_t)(end - p));
		len = (size_t)((found == NULL ? end : found) - p);
		memcpy(out, p, len);
		out += len;
		p += len;
	}
	*in = p;
	return (out);
}

size_t
crlf_add(int *state, char *out, const char *in, size_t len)
{
	const char	*end = in + len;
	char		*o = out;

	(void)state;
	while (in < end) {
		o = span_copy(o, &in, end, '\n');
		if (in < end) {
			*o++ = '\r';
			*o++ = *in++;
		}
	}
	return ((size_t)(o - out));
}

size_t
crlf_drop(int *held, char *out, const char *in, size_t len)
{
	const char	*end = in + len;
	char		*o = out;

	if (*held && (len == 0 || *in != '\n'))
		*o++ = '\r';
	*held = 0;
	while (in < end) {
		o = span_copy(o, &in, end, '\r');
		if (in == end)
			break;
		in++;
		if (in == end)
			*held = 1;
		else if (*in != '\n')
			*o++ = '\r';
	}
	return ((size_t)(o - out));
}

size_t
crlf_fix(int *after_cr, char *out, const char *in, size_t len)
{
	const char	*start = in, *end = in + len;
	char		*o = out;

	while (in < end) {
		o = span_copy(o, &in, end, '\n');
		if (in == end)
			break;
		if (in == start ? !*after_cr : in[-1] != '\r')
			*o++ = '\r';
		*o++ = *in++;
	}
	if (len > 0)
		*after_cr = end[-1] == '\r';
	return ((size_t)(o - out));
}
