/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the engine's files for control and events share among themselves.
 */
#ifndef CONTROL_ENGINE_H
#define CONTROL_ENGINE_H

#include "engine.h"

enum control_state {
	CONTROL_FREE,
	CONTROL_HELLO,			/* it has to say who it is */
	CONTROL_IDLE,			/* it may ask */
	CONTROL_ROWS,			/* rows are on their way */
	CONTROL_PARENT,			/* the parent does what it asked for */
	CONTROL_RULES,			/* a check waits for the rules */
	CONTROL_EVENTS,			/* it listens, and asks no more */
	CONTROL_GOODBYE			/* refused */
};

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

struct control_client {
	struct channel		 ch;
	enum control_state	 state;
	enum control_kind	 kind;
	uint32_t		 number;	/* for the parent */
	struct event		 deadline;
	struct event		 again;		/* next rows */
	struct control_cursor	 cursor;
	struct subscriber	 subscriber;
	struct control_check	 check;
	uint32_t		 checked;	/* number of its service */
};

/* control.c */

/*
 * control_send: one message; what can't be sent shows when rows or events
 * are awaited in vain: memory is out.
 * control_say: a line for the operator.
 * control_end: the answer is complete; another request may come.
 */
int	control_send(struct control_client *, uint32_t, const void *, size_t);
void	control_say(struct control_client *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	control_end(struct control_client *, int);
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
int	show_next(struct control_client *);

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
/* The next string of a row: its length goes to the place given. */
size_t		 row_string(char *, size_t, uint32_t *, const char *);

#endif
