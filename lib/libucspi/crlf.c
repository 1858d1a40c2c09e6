/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Ends of lines, a block at a time.  Words without one are copied whole; where
 * there is one, a word's bytes go through a loop without a branch that depends
 * on them, so that no input is much slower than another.
 */
#include <stdint.h>
#include <string.h>

#include "ucspi_stream.h"

#define WORD_SIZE	sizeof(uint64_t)
#define EACH_BYTE	UINT64_C(0x0101010101010101)

static int
word_holds(const char *p, char byte)
{
	uint64_t	word;

	memcpy(&word, p, sizeof(word));
	word ^= EACH_BYTE * (unsigned char)byte;
	return (((word - EACH_BYTE) & ~word & (EACH_BYTE << 7)) != 0);
}

/* Copies the words before the first that holds byte; how much that is. */
static size_t
words_copy(char *out, const char *in, size_t len, char byte)
{
	size_t	n;

	for (n = 0; len - n >= WORD_SIZE; n += WORD_SIZE) {
		if (word_holds(in + n, byte))
			break;
		memcpy(out + n, in + n, WORD_SIZE);
	}
	return (n);
}

/* Where the word that begins here ends. */
static const char *
word_end(const char *in, const char *end)
{
	return ((size_t)(end - in) > WORD_SIZE ? in + WORD_SIZE : end);
}

size_t
crlf_add(int *state, char *out, const char *in, size_t len)
{
	const char	*end = in + len, *stop;
	char		*o = out;
	size_t		 n;

	(void)state;
	while (in < end) {
		n = words_copy(o, in, (size_t)(end - in), '\n');
		o += n;
		in += n;
		for (stop = word_end(in, end); in < stop; in++) {
			*o = '\r';
			o += *in == '\n';
			*o++ = *in;
		}
	}
	return ((size_t)(o - out));
}

size_t
crlf_drop(int *held, char *out, const char *in, size_t len)
{
	const char	*last, *stop;
	char		*o = out;
	size_t		 n;

	if (*held && (len == 0 || *in != '\n'))
		*o++ = '\r';
	*held = 0;
	if (len == 0)
		return ((size_t)(o - out));
	last = in + len - 1;
	*held = *last == '\r';
	while (in < last) {
		n = words_copy(o, in, (size_t)(last - in), '\r');
		o += n;
		in += n;
		for (stop = word_end(in, last); in < stop; in++) {
			*o = *in;
			o += (in[0] != '\r') | (in[1] != '\n');
		}
	}
	*o = *last;
	o += !*held;
	return ((size_t)(o - out));
}

size_t
crlf_fix(int *after_cr, char *out, const char *in, size_t len)
{
	const char	*end = in + len, *stop;
	char		*o = out;
	size_t		 n;
	int		 bare = !*after_cr;

	while (in < end) {
		n = words_copy(o, in, (size_t)(end - in), '\n');
		o += n;
		in += n;
		if (n > 0)
			bare = in[-1] != '\r';
		for (stop = word_end(in, end); in < stop; in++) {
			*o = '\r';
			o += (*in == '\n') & bare;
			*o++ = *in;
			bare = *in != '\r';
		}
	}
	*after_cr = !bare;
	return ((size_t)(o - out));
}
