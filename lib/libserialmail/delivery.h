/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Delivering messages over one connection, whatever the protocol: state
 * machines that own no descriptor of the network, never wait and never ask
 * for the time.  The caller moves the octets, passes monotonic time in
 * milliseconds, and hears of each message exactly once.
 *
 * The caller's loop, in any order: give messages while delivery_wants(),
 * delivery_finish() when there are no more; send what delivery_output()
 * shows and tell by delivery_sent(); pass on what arrives; at
 * delivery_deadline() call delivery_expire(); and after each call take events
 * until there are none.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/*
 * One message.  Addresses are raw mailboxes as in head.h; an empty sender is
 * the null sender; there is at least one recipient.  The text is either len
 * octets of a regular file from start on, read with pread(2), or the len
 * octets at data when fd is -1; its lines end in LF.  All of it stays the
 * caller's and must stay as it is until the message's event.
 *
 * The recipients share one event.  When a server takes some of them only, and
 * none is to be tried again, it is sent to these, and the event is permanent
 * with a text that names the others; when one is to be tried again it is sent
 * to nobody (QMTP can't: those who got it get it again).
 */
struct delivery_message {
	const char		*sender;
	const char *const	*recipients;
	size_t			 nrecipients;
	int			 fd;
	const char		*data;
	off_t			 start;
	off_t			 len;
	void			*cookie;
};

enum delivery_what {
	DELIVERY_RESULT,	/* status tells what became of the message */
	DELIVERY_UNTRIED,	/* the connection ended before it was begun */
	DELIVERY_END		/* the last event: close the connection */
};

#define DELIVERY_ACCEPTED	'K'	/* the server has it */
#define DELIVERY_TEMPORARY	'Z'	/* try again later */
#define DELIVERY_PERMANENT	'D'	/* never again */

/*
 * An event.  text is printable ASCII in one or more lines, LF between them,
 * none at the end; it stays until the next message is given.  said: the text
 * is what the server said.  code is the reply's, or 0.  enhanced is a status
 * code of RFC 3463 where the failure is our finding, or "".  note is a remark
 * on a message that was accepted, or NULL.  The END of a connection that did
 * all it was asked for has DELIVERY_ACCEPTED, any other DELIVERY_TEMPORARY.
 */
struct delivery_event {
	enum delivery_what	 what;
	void			*cookie;	/* the message's */
	int			 status;
	int			 code;
	int			 said;
	const char		*enhanced;
	const char		*text;
	const char		*note;
};

struct delivery;

/*
 * delivery_wants: whether a message can be given now.
 * delivery_give: takes it.  What can be seen to fail before anything is sent
 * is an event like any other.
 * delivery_finish: there are no more: the connection ends after those given,
 * which may need some output.
 * delivery_output: how many octets are to be sent now, and where they are
 * until the next call; 0 if none.
 * delivery_sent: so many of them are on their way.
 * delivery_receive: what the server sent.
 * delivery_lost: the connection is at its end (0) or has failed (errno).
 * delivery_deadline: when delivery_expire() is to be called, unless
 * something happens before; -1: never.
 * delivery_expire: ends the connection if its deadline has come.
 * delivery_event: 1 and the next event, or 0.
 * delivery_free: forgets all; NULL is fine.
 */
int	delivery_wants(const struct delivery *);
void	delivery_give(struct delivery *, const struct delivery_message *,
	    int64_t);
void	delivery_finish(struct delivery *, int64_t);
size_t	delivery_output(struct delivery *, const char **);
void	delivery_sent(struct delivery *, size_t, int64_t);
void	delivery_receive(struct delivery *, const char *, size_t, int64_t);
void	delivery_lost(struct delivery *, int);
int64_t	delivery_deadline(const struct delivery *);
void	delivery_expire(struct delivery *, int64_t);
int	delivery_event(struct delivery *, struct delivery_event *);
void	delivery_free(struct delivery *);

/*
 * delivery_event_text: what an event says, in one line that report.h reads:
 * "PEER said: REPLY" or our own words, lines joined by a blank (each has its
 * code, so that they stay apart), a status of ours as "(#5.3.4)" behind it,
 * the note in brackets.  A string of printable ASCII in out, cut to size;
 * returns 1 if all of it is there.
 */
int	delivery_event_text(char *, size_t, const char *,
	    const struct delivery_event *);

/* What follows is for the protocols themselves. */

struct delivery_protocol {
	int	(*wants)(const struct delivery *);
	void	(*give)(struct delivery *, const struct delivery_message *);
	void	(*finish)(struct delivery *);
	void	(*fill)(struct delivery *);
	void	(*receive)(struct delivery *, const char *, size_t);
	void	(*end)(struct delivery *, const char *);
	int64_t	(*patience)(const struct delivery *);
};

#define DELIVERY_OUTPUT_SIZE	(128 * 1024)
#define DELIVERY_OUTPUT_LOW	(32 * 1024)	/* below it there is a refill */
#define DELIVERY_REASON_SIZE	256
#define DELIVERY_TEXT_SIZE	32000	/* of what is told of one message */

/*
 * What every protocol has.  queued and passed count the octets of the whole
 * connection that were put into the output, and that were sent.
 */
struct delivery {
	const struct delivery_protocol	*protocol;
	struct delivery_event		*events;
	size_t				 events_max;
	size_t				 events_put;
	size_t				 events_taken;
	int				 ended;
	int64_t				 now_ms;
	int64_t				 since_ms;	/* the last progress */
	uint64_t			 queued;
	uint64_t			 passed;
	size_t				 output_at;
	size_t				 output_len;
	char				 output[DELIVERY_OUTPUT_SIZE];
};

/*
 * delivery_new: a protocol's own struct of this size, which begins with struct
 * delivery and is zero otherwise, with room for that many events, of which at
 * most so many can be waiting before wants() is asked again; NULL with errno
 * ENOMEM.  delivery_free() frees both.
 * delivery_event_put: appends one and returns it, all zero but for these.
 * delivery_room: how much can be put into the output.
 * delivery_put: appends to the output, for which there is room.
 */
struct delivery		*delivery_new(size_t,
			    const struct delivery_protocol *, size_t, int64_t);
struct delivery_event	*delivery_event_put(struct delivery *,
			    enum delivery_what, void *);
size_t			 delivery_room(const struct delivery *);
void			 delivery_put(struct delivery *, const char *, size_t);
/* The place to write to directly, and that so much was written there. */
char			*delivery_place(struct delivery *);
void			 delivery_placed(struct delivery *, size_t);
/* Makes text printable: every other octet becomes a question mark. */
char			 delivery_printable(char);
/*
 * delivery_text_add: of a message with several recipients, what was said of
 * one of them, by number: its name and the reply are appended to text, which
 * has DELIVERY_TEXT_SIZE octets and was empty before the first.  A reply is
 * cut so that all recipients have room, as long as their addresses take no
 * more than half of it, as head.h sees to: who is not named would not be
 * reported.
 */
void			 delivery_text_add(char *,
			    const struct delivery_message *, size_t,
			    const char *);

#endif
