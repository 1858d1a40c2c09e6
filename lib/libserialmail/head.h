/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The lines an MTA puts on top of a message when it writes it into a
 * Maildir: they hold the envelope.  Only these first lines are looked at,
 * never a field further down, which the sender of the message wrote.
 * Allocates nothing, keeps nothing.
 */
#ifndef HEAD_H
#define HEAD_H

#include <sys/types.h>

#include <stddef.h>

#define HEAD_BYTES_MAX		16384	/* the envelope's lines end in these */
#define HEAD_RECIPIENTS_MAX	100
#define HEAD_ADDRESS_BYTES_MAX	900	/* without the prefix, raw */

/*
 * What was read.  Addresses are raw mailboxes (RFC 5321's, its quoting
 * removed): no control characters, no blank or bracket in a domain, anything
 * else, octets above 127 too, in a local part.  The strings are in text and
 * live as long as the struct; a struct must not be copied.
 */
struct head {
	const char	*sender;	/* "" is the null sender */
	const char	*recipients[HEAD_RECIPIENTS_MAX]; /* without prefix */
	size_t		 nrecipients;
	size_t		 others;	/* recipients without the prefix */
	size_t		 body;		/* where what is to be sent starts */
	const char	*why;		/* why HEAD_BAD; static, never NULL */
	char		 text[HEAD_BYTES_MAX + HEAD_RECIPIENTS_MAX + 2];
};

enum head_verdict {
	HEAD_OK,	/* at least one recipient has the prefix */
	HEAD_OTHER,	/* read well, but nobody has the prefix */
	HEAD_BAD	/* no envelope to be had: see why */
};

/*
 * head_parse: buf holds the first HEAD_BYTES_MAX bytes of a message, or all
 * of a shorter one.  Taken are (field names in any case, LF or CR LF):
 *
 *	Return-Path: <quoted>	Delivered-To: raw		qmail-local
 *	Return-Path: <quoted>	X-Original-To:	Delivered-To: quoted
 *								Postfix
 *	[Return-Path: <raw>]	Delivered-To: raw		OpenSMTPD
 *	Return-path: <quoted>	Envelope-to: quoted, ...  [Delivery-date:]
 *								Exim
 *
 * OpenSMTPD leaves Return-Path out for the null sender; Exim folds
 * Envelope-to.  A Delivered-To whose local part is a quoted string is
 * unquoted, any other is taken as it is.  Recipients must begin with prefix
 * (byte by byte; "" fits all), which is removed.  These lines are not sent:
 * body is the offset of the first byte after them, len if there is none.
 *
 * The recipients of one message share its one result record.
 */
enum head_verdict	 head_parse(struct head *, const char *, size_t,
			    const char *);

/*
 * mailbox_quote: a raw mailbox as RFC 5321 4.1.2 writes it between < and >:
 * the local part (what is before the last @) as a quoted string when it is
 * no dot-string; octets above 127 need no quotes (RFC 6531 3.3).  Writes a
 * string to out, which has size bytes; returns its length, or -1 (nothing
 * written) when it does not fit; 2 * strlen + 3 bytes always do.
 */
ssize_t			 mailbox_quote(char *, size_t, const char *);

/*
 * mailbox_unquote: the reverse, for len bytes that need no NUL; quoted pairs
 * and quoted strings anywhere in the local part are undone, a source route
 * ("@a,@b:") is dropped.  Writes a string to out, which has len + 1 bytes.
 * Returns its length, or -1 for an open quote, nothing after a backslash, or
 * a byte that struct head rules out.
 */
ssize_t			 mailbox_unquote(char *, const char *, size_t);

/* mailbox_valid: whether len bytes are a raw mailbox as struct head wants. */
int			 mailbox_valid(const char *, size_t);

#endif
