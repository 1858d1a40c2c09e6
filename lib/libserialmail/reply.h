/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A reply of an SMTP server, as it comes in: RFC 5321, section 4.2.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stddef.h>

#define REPLY_TEXT_SIZE		8192	/* what is kept of it, with the NUL */
#define REPLY_OCTETS_MAX	65536	/* a longer one makes no sense */

enum reply_state {
	REPLY_MORE,		/* not at its end */
	REPLY_DONE,		/* code and text hold it */
	REPLY_BAD		/* text holds what makes no sense */
};

/*
 * text is all lines with their codes, LF between them, printable ASCII (any
 * other octet is a question mark), cut where it gets too long.  The rest is
 * private.
 */
struct reply {
	int	code;
	char	text[REPLY_TEXT_SIZE];
	size_t	text_len;
	size_t	octets;
	size_t	column;
	int	line_code;
	int	last;			/* this line is the last one */
	int	cr;			/* a CR was seen and is not kept yet */
};

/*
 * reply_clear: ready for the next one.
 * reply_take: takes what belongs to this reply from data, and returns how
 * much that was.  After REPLY_DONE and REPLY_BAD it must be cleared.
 */
void	reply_clear(struct reply *);
size_t	reply_take(struct reply *, const char *, size_t, enum reply_state *);

#endif
