/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The text of a message as SMTP sends it: every line ends in CR LF and CR
 * and LF are nowhere else, so that no server sees an end of the message but
 * the one we make (RFC 5321, sections 2.3.8, 4.1.1.4 and 4.5.2).
 */
#ifndef BODY_H
#define BODY_H

#include <stddef.h>

#define BODY_END_SIZE	5	/* CR LF . CR LF, the most body_end() writes */

struct body {
	int	bol;		/* at the beginning of a line */
	int	cr;		/* the last octet was a CR */
};

/*
 * CR LF, an LF without CR and a CR without LF end a line.  A dot that begins
 * a line is doubled; a last line without an end gets one.
 *
 * body_begin: before the first octet.
 * body_encode: writes len octets as they are to be sent; out has room for
 * 2 * len.  Returns how much was written.
 * body_end: the rest and the final dot; out has room for BODY_END_SIZE.
 * body_size, body_end_size: what these two would write without doubled dots
 * and the final one: the size that RFC 1870 speaks of.
 */
void	body_begin(struct body *);
size_t	body_encode(struct body *, char *, const char *, size_t);
size_t	body_end(struct body *, char *);
size_t	body_size(struct body *, const char *, size_t);
size_t	body_end_size(const struct body *);

#endif
