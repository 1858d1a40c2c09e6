/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A daemon's end of a control or event socket (control_wire.h): one client.
 * It is a local user, not a friend: it has bounded memory here, nobody waits
 * for it, and nothing it sends is believed.
 */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <stdint.h>

#include "control_wire.h"
#include "privsep.h"

enum peer_state {
	PEER_FREE,
	PEER_HELLO,			/* it has to say who it is */
	PEER_IDLE,			/* it may ask */
	PEER_ROWS,			/* rows are on their way */
	PEER_BUSY,			/* its answer comes in a moment */
	PEER_ORDER,			/* what it ordered is being done,
					 * however long that takes */
	PEER_LISTENS,			/* it is told things, asks no more */
	PEER_GOODBYE			/* refused */
};

struct peer;

/*
 * What a daemon does with it:
 * request: a message, while it may ask; -1: that is none, it is hung up on.
 * next: does the next piece of an answer, which is some rows at most: 1, 0:
 * that was all; -1 and errno.
 * welcomed: it has said who it is (NULL: nothing is to be done then).
 * drained: while it listens, all that waited for it was taken (or NULL).
 * closed: it goes; its state is still there (or NULL).
 */
struct peer_calls {
	uint32_t	version;
	int		(*request)(struct peer *, struct imsg *);
	int		(*next)(struct peer *);
	void		(*welcomed)(struct peer *);
	void		(*drained)(struct peer *);
	void		(*closed)(struct peer *);
};

/* All zeros is a free one. */
struct peer {
	struct channel			 ch;
	enum peer_state			 state;
	enum control_kind		 kind;
	uint32_t			 number;	/* the daemon's */
	struct event			 deadline;
	struct event			 again;		/* next rows */
	const struct peer_calls		*calls;
};

/*
 * peer_begin: takes a descriptor, which is closed if that can't be.
 * peer_close: at once.
 * peer_turn: into another state; all but two of them end in time.
 * peer_send: one message; what can't be sent shows when rows or events are
 * awaited in vain: memory is out.  0, or -1.
 * peer_row: the same for IMSG_CTL_ROW.
 * row_string: appends a string, with its NUL, to a row that has len bytes and
 * room; its length, 0 for NULL, goes to the place given.  The row's new len.
 * peer_say: a line for the operator.
 * peer_rows: begins an answer that next gives piece by piece.
 * peer_end: the answer is complete, with an errno or 0; another request may
 * come.
 * peer_turn_away: takes a descriptor of one whom there is no room for, and
 * says why, with a word in passing that an empty socket always takes.
 */
void	peer_begin(struct peer *, const struct peer_calls *,
	    enum control_kind, uint32_t, int);
void	peer_close(struct peer *);
void	peer_turn(struct peer *, enum peer_state);
int	peer_send(struct peer *, uint32_t, const void *, size_t);
int	peer_row(struct peer *, const void *, size_t);
size_t	row_string(char *, size_t, uint32_t *, const char *);
void	peer_say(struct peer *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	peer_rows(struct peer *);
void	peer_end(struct peer *, int);
void	peer_turn_away(int, const char *);

#endif
