/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#ifndef MAILAUTOTURN_H
#define MAILAUTOTURN_H

#include <sys/types.h>

#include <stddef.h>

#include "compat.h"

/* mailautoturn.c */

/*
 * What went wrong, in one line on standard error; then the exit code:
 * defer: what may go away, EX_TEMPFAIL; reject: what is wrong with this
 * message for ever, EX_DATAERR.  defer_errno adds the errno's text.
 */
__dead void	 defer(const char *, ...)
		    __attribute__((__format__(printf, 1, 2)));
__dead void	 defer_errno(const char *, ...)
		    __attribute__((__format__(printf, 1, 2)));
__dead void	 reject(const char *, ...)
		    __attribute__((__format__(printf, 1, 2)));

/* letter.c: a message for one recipient, on its way from tmp/ to new/. */

/*
 * letters_open: the Maildir of this name below the spool, for so many
 * letters.  Ends the program unless it is one, and ours.
 * letter_make: a new file in tmp/ with these first lines; its descriptor.
 * letter_write: appends; letter_copy: what another letter, by number, has
 * from an offset on.
 * letters_done: all are complete: they are on disk and in new/ when it
 * returns.
 * letters_remove: those that are not in new/ yet go away; safe in a signal's
 * handler, and called by defer() and reject().
 */
void		 letters_open(const char *, const char *, size_t);
size_t		 letter_make(const char *);
void		 letter_write(size_t, const char *, size_t);
void		 letter_copy(size_t, size_t, off_t);
void		 letters_done(void);
void		 letters_remove(void);

/* shape.c: what is left out of a message's header, and looked for there. */

#define SHAPE_LINE_SIZE		2048
#define SHAPE_HOPS_MAX		100

/* All zero before the first octet, but for the loops. */
struct shape {
	const char *const	*loops;		/* Delivered-To that is ours */
	size_t			 nloops;
	int			 began;		/* this is not the first line */
	int			 below;		/* the mail system's lines */
	int			 inside;	/* of a line: it has begun */
	int			 drop;		/* this field is left out */
	int			 body;
	unsigned int		 hops;
	size_t			 len;
	char			 line[SHAPE_LINE_SIZE];
};

/*
 * shape_take: octets of a message; passes on, to the function, what is to
 * be kept: all but fields called Return-Path, and at its top a line "From "
 * and what else of the envelope a mail system writes there (Delivered-To,
 * X-Original-To, Envelope-to, Delivery-date).
 * Ends the program for a message that loops: one of the loops is in a
 * Delivered-To field, or there are more than SHAPE_HOPS_MAX Received.
 * shape_end: there are no more octets.
 */
void		 shape_take(struct shape *, const char *, size_t,
		    void (*)(const char *, size_t));
void		 shape_end(struct shape *, void (*)(const char *, size_t));

#endif
