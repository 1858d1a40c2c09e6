/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The client side of RFC 1413.
 */
#ifndef IDENT_H
#define IDENT_H

#include <sys/types.h>
#include <sys/time.h>

#include <stddef.h>
#include <event.h>

#include "resolver.h"

/* ident_reply.c */

#define IDENT_REPLY_BYTES_MAX	4096	/* of a line, before we give up */

/* A reply as it comes in: zeroed before its first byte. */
struct ident_reply {
	char		info[RESOLVER_INFO_SIZE];
	size_t		info_len;
	size_t		seen;
	unsigned int	colons;
};

/*
 * ident_reply_take: more bytes.  1: the line is complete, info (perhaps
 * empty) is the answer; 0: it is not; -1: it never ends.
 */
int	ident_reply_take(struct ident_reply *, const char *, size_t);

/* ident.c */

struct ident {
	/* info, or NULL: none.  The ident may be started again or freed. */
	void			(*done)(struct ident *, const char *);
	void			 *arg;
	/* private */
	struct event		  ev;
	struct event		  timer;
	struct ident_reply	  reply;
	char			  question[32];
	size_t			  question_len;
	size_t			  question_sent;
	int			  fd;
	int			  active;
};

/*
 * ident_start: asks about the connection of l.  done is called exactly
 * once unless cancelled, perhaps before this returns.  The ident is zeroed
 * before its first use.
 * ident_cancel: forgets it; allowed when nothing is under way.
 */
void	ident_start(struct ident *, const struct resolver_lookup *);
void	ident_cancel(struct ident *);

#endif
