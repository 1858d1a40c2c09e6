/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What comes from the daemon, taken apart.
 */
#ifndef VIEW_H
#define VIEW_H

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

#endif
