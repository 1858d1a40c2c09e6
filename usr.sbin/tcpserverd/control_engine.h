/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the engine's files for control and events share among themselves.
 */
#ifndef CONTROL_ENGINE_H
#define CONTROL_ENGINE_H

#include "engine.h"
#include "peer.h"

/* Who listens for events. */
struct subscriber {
	TAILQ_ENTRY(subscriber)	 entry;
	struct channel		*ch;
	int			 everything;	/* monitor; else what the
						 * services' flags say */
	uint64_t		 sequence;	/* of the last */
	uint64_t		 lost_first;
	uint64_t		 lost;		/* since then; 0: none */
};

/* Where an answer of many rows has got to. */
struct control_cursor {
	uint32_t	what;			/* enum control_type */
	uint32_t	service;		/* number of the next */
	uint64_t	session;		/* id of the next */
	char		only[SERVICE_NAME_SIZE];	/* "": all of them */
	int		begun;
};

/*
 * Its states: PEER_ORDER is with the parent, PEER_BUSY a check that waits for
 * the rules.
 */
struct control_client {
	struct peer		 peer;
	struct control_cursor	 cursor;
	struct subscriber	 subscriber;
	struct control_check	 check;
	uint32_t		 checked;	/* number of its service */
};

/* control.c */

/*
 * asked_service, asked_session: of that name or number; NULL with errno
 * after saying that there is none.
 */
struct service	*asked_service(struct control_client *, const char *);
struct session	*asked_session(struct control_client *, uint64_t);
/* Clients of the control sockets, or of the event socket. */
unsigned int	control_clients(int);

/* control_show.c */

/*
 * show_begin: 0, or an errno after a word to the client.
 * show_next: sends the next row or rows: 1, 0: that were all; -1 and errno.
 */
int	show_begin(struct control_client *, uint32_t,
	    const struct control_request *);
int	show_next(struct peer *);

/* control_check.c */

/* c->check: the service's rules are known (0) or can't be had (errno). */
void	check_answer(struct control_client *, struct service *, int);

/* events.c */

/*
 * events_subscribe: from now on, numbers from 1.
 * events_drained: what waited for it was taken.
 */
void		events_subscribe(struct subscriber *, struct channel *, int);
void		events_unsubscribe(struct subscriber *);
void		events_drained(struct subscriber *);
uint64_t	events_lost(void);

/* Since the epoch, of a time of clock_us(). */
int64_t		 epoch_us(int64_t);
/* Since it was accepted, 0 at least; -1 where that is 0: not known. */
int64_t		 age_us(int64_t);

#endif
