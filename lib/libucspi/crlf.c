/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Ends of lines, a block at a time.  The loops have no branch that depends
 * on the data: no input is slower than another.
 */
#include "ucspi_stream.h"

size_t
crlf_add(int *state, char *out, const char *in, size_t len)
{
	const char	*end = in + len;
	char		*o = out;

	(void)state;
	for (; in < end; in++) {
		*o = '\r';
		o += *in == '\n';
		*o++ = *in;
	}
	return ((size_t)(o - out));
}

size_t
crlf_drop(int *held, char *out, const char *in, size_t len)
{
	const char	*last;
	char		*o = out;

	if (*held && (len == 0 || *in != '\n'))
		*o++ = '\r';
	*held = 0;
	if (len == 0)
		return ((size_t)(o - out));
	last = in + len - 1;
	*held = *last == '\r';
	for (; in < last; in++) {
		*o = *in;
		o += (in[0] != '\r') | (in[1] != '\n');
	}
	*o = *last;
	o += !*held;
	return ((size_t)(o - out));
}

size_t
crlf_fix(int *after_cr, char *out, const char *in, size_t len)
{
	const char	*end = in + len;
	char		*o = out;
	int		 bare = !*after_cr;

	for (; in < end; in++) {
		*o = '\r';
		o += (*in == '\n') & bare;
		*o++ = *in;
		bare = *in != '\r';
	}
	*after_cr = !bare;
	return ((size_t)(o - out));
}
