/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What all our control and event sockets have in common.  Local stream
 * sockets, imsg on them, the imsg id is 0.  Both ends run on one host,
 * numbers are in its order, all unused bytes are zero.
 *
 * A client's first message is IMSG_CTL_HELLO, answered by IMSG_CTL_WELCOME;
 * or by IMSG_CTL_REFUSED, after which the daemon hangs up.  These three keep
 * their numbers and what is said of them here in every version to come; all
 * else may change with the version of the daemon's protocol.
 *
 * On a control socket the client then makes one request after the other: the
 * answer to each is any number of rows, in the order given at the request,
 * with IMSG_CTL_TEXT between them, and IMSG_CTL_END.  A request before the
 * last one's end, or a message that is none, ends the connection.
 *
 * On tcpserverd's event socket nothing is asked: after the welcome come
 * IMSG_CTL_EVENT and IMSG_CTL_GAP.  Events have the numbers 1, 2, 3, ...
 * within a connection, lost ones too.  Who reads too slowly loses events and
 * is told so by a gap, in the place where they are missing.  What happened
 * while there was no connection is not told: a new connection is a gap as
 * well.
 */
#ifndef CONTROL_WIRE_H
#define CONTROL_WIRE_H

#include <stdint.h>

#include "ucspi.h"

#define SERVICE_NAME_SIZE	32

/* Between IMSG_CTL_HELLO and IMSG_CTL_WELCOME are a daemon's requests. */
enum control_wire {
	/* client -> daemon */
	IMSG_CTL_HELLO = 1000,		/* uint32_t: version; more bytes may
					 * follow */
	/* daemon -> client */
	IMSG_CTL_WELCOME = 1100,	/* uint32_t: version; uint32_t: enum
					 * control_kind */
	IMSG_CTL_REFUSED,		/* text: why */
	IMSG_CTL_TEXT,			/* text: a line for the operator */
	IMSG_CTL_ROW,			/* as the request says; its type is
					 * its first uint32_t */
	IMSG_CTL_EVENT,			/* struct control_event */
	IMSG_CTL_GAP,			/* struct control_gap */
	IMSG_CTL_END			/* struct control_answer: errno or 0 */
};

enum control_kind {
	SOCKET_CONTROL,			/* operators: everything */
	SOCKET_RESTRICTED,		/* looking only */
	SOCKET_EVENT			/* autoturnd */
};

struct control_answer {
	int32_t		error;		/* 0: done; else the lines before it
					 * say what was wrong */
};

/* tcpserverd's events */

/* Of the event socket and of tcpserverd's control sockets. */
#define TCPSERVERD_CONTROL_VERSION	1

enum control_event_kind {
	EVENT_CONNECT = 1,		/* its program runs, or it was closed
					 * as the service wants it */
	EVENT_END,
	EVENT_REFUSED			/* monitor only: by a rule, dropped, or
					 * no program could be started */
};

/* Then the strings of tcpserverd's struct control_session. */
struct control_event {
	uint64_t	sequence;
	uint64_t	id;		/* of the session */
	uint32_t	kind;
	uint32_t	result;		/* tcpserverd's enum control_result */
	int32_t		pid;		/* 0: it has none */
	int32_t		status;		/* of wait(2), with EVENT_END */
	int64_t		at_us;		/* since the epoch */
	int64_t		age_us;		/* since it was accepted; -1 */
	char		service[SERVICE_NAME_SIZE];
	struct netaddr	local;
	struct netaddr	remote;
	uint16_t	local_port;
	uint16_t	remote_port;
	uint32_t	local_name_len;
	uint32_t	remote_name_len;
	uint32_t	info_len;
	uint32_t	rule_len;
	uint32_t	pad;
};

/* The events first, first + 1, ..., first + count - 1 are lost. */
struct control_gap {
	uint64_t	first;
	uint64_t	count;
};

#endif
