/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * UTF-8, as RFC 3629 limits it.
 */
#include "utf8.h"

/*
 * The first octet of a character: how many follow, and the bounds of the
 * next, which keep out overlong forms, surrogates, and what is beyond
 * U+10FFFF.
 */
static void
character_begin(struct utf8 *u, unsigned char c)
{
	u->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	u->top = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c < 0xc2 || c > 0xf4)
		u->bad = 1;
	else
		u->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
}

static void
octet_take(struct utf8 *u, unsigned char c)
{
	if (c >= 0x80)
		u->high = 1;
	if (u->left == 0) {
		if (c >= 0x80)
			character_begin(u, c);
		return;
	}
	if (c < u->low || c > u->top)
		u->bad = 1;
	u->left--;
	u->low = 0x80;
	u->top = 0xbf;
}

void
utf8_take(struct utf8 *u, const char *s, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		octet_take(u, (unsigned char)s[i]);
}

int
utf8_is(const struct utf8 *u)
{
	return (u->high && !u->bad && u->left == 0);
}
