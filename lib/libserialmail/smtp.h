/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The client's side of SMTP, as a delivery.
 */
#ifndef SMTP_H
#define SMTP_H

#include "delivery.h"

/* How long each is waited for, in milliseconds. */
struct smtp_patience {
	int64_t	greeting_ms;
	int64_t	hello_ms;
	int64_t	mail_ms;
	int64_t	rcpt_ms;
	int64_t	data_ms;
	int64_t	block_ms;		/* until some output is taken */
	int64_t	accept_ms;		/* after the final dot */
	int64_t	quit_ms;
};

/*
 * hello is the argument of EHLO, one word.  strict: a message that needs
 * 8BITMIME or, for its header alone, SMTPUTF8 fails for good where these
 * are not offered (5.6.3, 5.6.7); otherwise it is sent as it is and the
 * event has a note.  An address that needs SMTPUTF8 always fails there.
 * patience NULL is smtp_patience_default, RFC 5321's section 4.5.3.2.
 */
struct smtp_config {
	const char			*hello;
	int				 strict;
	const struct smtp_patience	*patience;
};

extern const struct smtp_patience	smtp_patience_default;

/*
 * smtp_new: a client on a connection that was just made, at this time.  It
 * keeps the config's pointers.  NULL with errno ENOMEM, or EINVAL for a hello
 * that is no word.
 */
struct delivery	*smtp_new(const struct smtp_config *, int64_t);

#endif
