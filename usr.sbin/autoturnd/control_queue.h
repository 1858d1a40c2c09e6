/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the queue's files for control share among themselves.
 */
#ifndef CONTROL_QUEUE_H
#define CONTROL_QUEUE_H

#include "control.h"
#include "peer.h"
#include "queue.h"

struct listing;

struct control_client {
	struct peer		 peer;
	uint32_t		 what;		/* enum control_type */
	struct control_request	 request;
	/* where an answer of many rows has got to */
	int			 begun;
	int			 last;		/* no more customers */
	char			 customer[CUSTOMER_NAME_SIZE];
	struct listing		*listing;	/* of his */
	int			 listed;	/* it is complete */
	uint64_t		 found;
};

/* control.c */

/* How many clients there are. */
uint32_t	 control_clients(void);

/*
 * control_customer_named: who is asked for; NULL after saying that there is
 * none of that name.
 */
struct customer	*control_customer_named(struct control_client *);

/* control_show.c */

/*
 * show_begin: 0, or an errno after a word to the client.
 * show_next: the next piece, as peer.h wants it.
 * show_end: what was held for it is freed.
 */
int		 show_begin(struct control_client *);
int		 show_next(struct peer *);
void		 show_end(struct control_client *);

/*
 * customer_following: the next one of an answer, or the one who is asked for;
 * NULL: there are no more.
 */
struct customer	*customer_following(struct control_client *);

/*
 * message_find: a message of that name, in any directory of his Maildir or
 * in none: its name ("new/...", MESSAGE_NAME_SIZE); 1 where that is
 * quarantine, else 0; -1: there is none.
 */
int		 message_find(const struct customer *, const char *, char *);

/* control_message.c */

/*
 * message_row: a row for a message of his Maildir, by name ("new/...");
 * quarantine_row: by its name in quarantine.  1: sent, 0: it is not there
 * (any more), -1 and errno.
 * message_base: a name without its directory.
 */
int		 message_row(struct control_client *, struct customer *,
		    const char *);
int		 quarantine_row(struct control_client *, struct customer *,
		    const char *);
const char	*message_base(const char *);

/* control_order.c */

/* order_begin: does it, or begins to; the answer comes from here. */
void		 order_begin(struct control_client *);
int		 order_next(struct control_client *);

#endif
