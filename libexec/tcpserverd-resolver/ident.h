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
#include "ucspi_connect.h"

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
 * ident_limit: descriptors from this number on are not for ident.
 * ident_start: asks about the connection of l.  done is called exactly
 * once unless cancelled, perhaps before this returns.  The ident is zeroed
 * before its first use.
 * ident_cancel: forgets it; allowed when nothing is under way.
 */
void	ident_limit(int);
void	ident_start(struct ident *, const struct resolver_lookup *);
void	ident_cancel(struct ident *);

#endif
