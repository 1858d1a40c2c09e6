/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What RFC 6531 needs to know of text.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>

/*
 * Text that comes in pieces; all zero before the first.  high: an octet above
 * 127 was seen; bad: one that is no UTF-8 (RFC 3629).  The rest is private:
 * left octets of a character are to come, the next within low and top.
 */
struct utf8 {
	int		high;
	int		bad;
	int		left;
	unsigned char	low;
	unsigned char	top;
};

/*
 * utf8_take: so many octets of the text.
 * utf8_is: 1 when the whole text has an octet above 127 and is UTF-8.
 */
void	utf8_take(struct utf8 *, const char *, size_t);
int	utf8_is(const struct utf8 *);

#endif
