/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Making a connection and asking about it, for programs that have nothing
 * else to do meanwhile.
 */
#ifndef UCSPI_CONNECT_H
#define UCSPI_CONNECT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "ucspi.h"

/* deadline.c */

/*
 * A point of monotonic time, in milliseconds.
 *
 * deadline_now: this one.
 * deadline_after: so many seconds from now, as many as an option said.
 * deadline_wait: poll(2) on one descriptor until it is ready or the time is
 * over, whatever signals come.  0, or -1 with errno: ETIMEDOUT.
 * deadline_left: how long poll(2) may wait for it, 0 when it is over; -1, for
 * ever, for the deadline -1.
 */
int64_t	deadline_now(void);
int64_t	deadline_after(unsigned long);
int	deadline_wait(int, short, int64_t);
int	deadline_left(int64_t);

/* connect.c */

/* Who to connect to, from where, and for how long. */
struct connect_plan {
	const struct netaddr	*addr;		/* tried in this order */
	unsigned int		 count;
	uint16_t		 port;
	struct netaddr		 local;		/* AF_UNSPEC: any */
	uint16_t		 local_port;	/* 0: any */
	unsigned long		 first_s;	/* patience in each round */
	unsigned long		 second_s;	/* 0: no second round */
	/* an address is given up: which, errno */
	void			(*failed)(const struct netaddr *, int);
};

enum connect_result {
	CONNECT_DONE,
	CONNECT_NONE,			/* every address failed */
	CONNECT_SOCKET,			/* no socket could be made */
	CONNECT_BIND			/* the local address can't be had */
};

/*
 * connect_addresses: one address gets the patience of both rounds at once.
 * Of several each gets the first, and then each that timed out the second.
 * On CONNECT_DONE *fd is a blocking, close-on-exec socket and *remote who
 * it is connected to; otherwise errno tells why (ETIMEDOUT and so on).
 */
enum connect_result	connect_addresses(const struct connect_plan *, int *,
			    struct netaddr *);

/*
 * connect_order: sorts addresses by RFC 6724: which of them can be reached
 * at all is asked of the kernel, without sending a packet.  Equals stay in
 * their order.
 */
void	connect_order(struct netaddr *, unsigned int);

/* ident_reply.c */

#define IDENT_INFO_SIZE		258	/* at most 257 bytes of answer */
#define IDENT_REPLY_BYTES_MAX	4096	/* of a line, before we give up */

/* A reply as it comes in: zeroed before its first byte. */
struct ident_reply {
	char		info[IDENT_INFO_SIZE];
	size_t		info_len;
	size_t		seen;
	unsigned int	colons;
};

/*
 * ident_reply_take: more bytes.  1: the line is complete, info (perhaps
 * empty) is the answer; 0: it is not; -1: it never ends.
 */
int	ident_reply_take(struct ident_reply *, const char *, size_t);

/* ident_wait.c */

/* Both ends of a connection, to be asked about at its remote end. */
struct ident_pair {
	struct netaddr	local;
	struct netaddr	remote;
	uint16_t	local_port;
	uint16_t	remote_port;
};

/*
 * ident_wait: asks the remote end's service (RFC 1413), within so many
 * seconds.  0 with reply's info, or -1: it said nothing.
 */
int	ident_wait(const struct ident_pair *, unsigned long,
	    struct ident_reply *);

#endif
