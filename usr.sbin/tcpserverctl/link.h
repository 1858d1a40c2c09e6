/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The way to the daemon, and what comes from there, taken apart.
 */
#ifndef LINK_H
#define LINK_H

#include "control.h"

/* What came, with its strings; NULL: not known. */
struct view {
	uint32_t	 type;		/* enum control_type */
	uint32_t	 row;		/* of IMSG_CTL_ROW: enum control_row */
	union {
		struct control_status	status;
		struct control_service	service;
		struct control_listener	listener;
		struct control_session	session;
		struct control_rules	rules;
		struct control_stats	stats;
		struct control_verdict	verdict;
		struct control_event	event;
		struct control_gap	gap;
		struct control_answer	answer;
	} u;
	const char	*local_name;	/* of session and event */
	const char	*remote_name;
	const char	*info;
	const char	*rule;
	const uint8_t	*key;		/* of verdict */
	const char	*variables;
	const char	*text;		/* of IMSG_CTL_TEXT */
	size_t		 text_len;
};

/*
 * view_decode: lays a view over a message's bytes, which must live as long:
 * 0, or -1 for what this version does not send.
 */
int	view_decode(struct view *, uint32_t, const char *, size_t);

/*
 * link_open: connects and says hello; fatal with a word if the daemon is not
 * there, is of another version or does not want us.
 * link_ask: sends a request.
 * link_next: waits for what comes, so many seconds (0: for ever); fatal when
 * the daemon goes or is silent.  The view is valid until the next call.
 */
void	link_open(const char *);
void	link_ask(uint32_t, const void *, size_t);
void	link_next(struct view *, int);

#endif
