/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What comes from a queue, taken apart.
 */
#ifndef VIEW_H
#define VIEW_H

#include "control.h"

/* A row, with its strings; NULL: not known. */
struct view {
	const char	*spool;		/* whose it is, by path */
	uint32_t	 type;		/* enum control_wire */
	uint32_t	 row;		/* enum control_row */
	union {
		struct control_spool	spool;
		struct control_customer	customer;
		struct control_message	message;
		struct control_run	run;
		struct control_answer	answer;
	} u;
	const char	*name;		/* of message */
	const char	*sender;
	const char	*recipients;	/* recipients_len bytes of strings */
	const char	*reply;		/* of message and customer */
	const char	*text;		/* of IMSG_CTL_TEXT */
	size_t		 text_len;
};

/*
 * view_decode: lays a view over a message's bytes, which must live as long:
 * 0, or -1 for what this version does not send.
 */
int	view_decode(struct view *, uint32_t, const char *, size_t);

#endif
