/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The message that tells a sender that his own was not delivered, or not yet:
 * the classic text, or RFC 3464's report.  It is made in three pieces, none
 * of which does any input or output: what comes before the returned message,
 * the returned message block by block, and the end.  report_write() does all
 * three.
 */
#ifndef REPORT_H
#define REPORT_H

#include <sys/types.h>

#include <stddef.h>
#include <time.h>

#define REPORT_TEXT_BYTES_MAX	4096	/* of what the server said */
#define REPORT_HOLD_BYTES	16	/* by which a block may grow */
#define REPORT_END_SIZE		256
#define REPORT_BOUNDARY_SIZE	36
#define REPORT_STATUS_SIZE	12

enum report_form {
	REPORT_CLASSIC,		/* plain text, as qmail's bounces (QSBMF) */
	REPORT_DSN		/* multipart/report, RFC 6522 and 3464 */
};

/* What happened.  Mailboxes are raw, as in head.h. */
struct report_case {
	const char		*program;	/* who says so */
	const char		*host;		/* and where */
	const char		*from;		/* mailbox for From */
	const char		*to;		/* whom it is sent to */
	const char		*sender;	/* of the returned message */
	const char *const	*recipients;	/* who did not get it */
	size_t			 nrecipients;	/* at least 1 */
	/* "HOST said: REPLY", or any text; lines end in LF; any bytes. */
	const char		*text;
	int			 expired;	/* tried for too long */
	int			 delayed;	/* not failed: it goes on */
	time_t			 until;		/* delayed: it goes on till */
	int			 twofold;	/* the message was a bounce */
	time_t			 now;
	time_t			 arrival;	/* of the message */
	off_t			 size;		/* of what is returned */
	off_t			 limit;		/* how much of that at most */
};

/* The state of one report.  No pointers. */
struct report {
	enum report_form	 form;
	char			 boundary[REPORT_BOUNDARY_SIZE];
	off_t			 left;		/* bytes that may be returned */
	int			 headers_only;
	int			 where;		/* in the returned message */
	int			 drop;		/* this field is left out */
	int			 cut;
	char			 held[REPORT_HOLD_BYTES];
	size_t			 nheld;
	char			 last;		/* byte written */
};

/*
 * report_begin: everything before the returned message's header, a
 * Return-Path line included, in a string that the caller frees, *len bytes.
 * Header: Date, From, To, Subject, Message-ID, Auto-Submitted (RFC 3834 3.1.7).
 * NULL with errno if memory is out.
 *
 * The classic form returns the first limit bytes and says that it cut; the
 * other returns all of the message if that is no more than limit and it is
 * not just delayed, else its header, also no more than limit.  Its boundary
 * is random.
 */
char		*report_begin(struct report *, enum report_form,
		    const struct report_case *, size_t *);

/*
 * report_copy: the next len bytes of the message (without the envelope's
 * lines, head.h) to out, which has room for len + REPORT_HOLD_BYTES.  Fields
 * called Delivered-To are left out, or this report could look like a loop.
 * Returns how many were written; nothing more is wanted once report_full.
 */
size_t		 report_copy(struct report *, char *, const char *, size_t);
int		 report_full(const struct report *);

/* report_end: what follows, to out, REPORT_END_SIZE bytes; its length. */
size_t		 report_end(struct report *, char *);

/*
 * report_write: the whole report to the descriptor out, with the message that
 * is at fd, from start on (where its envelope's lines end).  0, or -1 with
 * errno.
 *
 * report_keep: of several recipients a server may have taken some: then the
 * text is about the others, by name (report_about).  Keeps those, in order,
 * and returns how many; all when it names nobody.
 */
int		 report_write(int, enum report_form,
		    const struct report_case *, int, off_t);
size_t		 report_keep(const char *, const char **, size_t);

/*
 * report_is_twofold: whether the first len bytes of a message with the null
 * sender say that it is itself a report that a bounce could not be
 * delivered: nothing is sent about such a message.
 */
int		 report_is_twofold(const char *, size_t);

/*
 * report_status: the status (RFC 3463) of a recipient in a text as in struct
 * report_case, to out, REPORT_STATUS_SIZE bytes: the server's own, if it gave
 * one that fits its reply code; else its class; without a reply "(#5.1.2)" in
 * the text, else 4.4.7 for what has expired and 5.0.0.
 *
 * report_about: what the text says of this recipient, who may be one of
 * several: "HOST said: <recipient>: REPLY <recipient>: REPLY ...".  NULL for
 * who is not named, and for everybody where the text has no such form and so
 * is about all of them, whatever names are in it.
 */
void		 report_status(char *, const char *, const char *, int);
const char	*report_about(const char *, const char *);

#endif
