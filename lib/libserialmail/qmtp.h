/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The client's side of QMTP (https://cr.yp.to/proto/qmtp.txt), as a delivery.
 */
#ifndef QMTP_H
#define QMTP_H

#include "delivery.h"

#define QMTP_WINDOW		32	/* messages sent and not answered */
#define QMTP_RESPONSE_SIZE	2048	/* what is kept of one, with the NUL */
#define QMTP_RESPONSE_MAX	65536	/* a longer one makes no sense */

/* How long is waited, in milliseconds. */
struct qmtp_patience {
	int64_t	response_ms;
	int64_t	block_ms;		/* until some output is taken */
};

/* An hour, as maildirqmtp always waited, and three minutes. */
extern const struct qmtp_patience	qmtp_patience_default;

/*
 * qmtp_new: a client on a connection that was just made, at this time;
 * patience NULL is the default.  NULL with errno ENOMEM.  There is no end of
 * a session in the protocol: after the last response the caller just closes.
 */
struct delivery	*qmtp_new(const struct qmtp_patience *, int64_t);

/*
 * A response as it comes in; all zero before the first octet.  text is
 * printable ASCII after the status octet, cut where it gets too long; lines
 * keep their LF.  The rest is private.
 */
struct qmtp_response {
	int	status;			/* K, Z or D */
	char	text[QMTP_RESPONSE_SIZE];
	size_t	text_len;
	size_t	digits;
	size_t	len;			/* of the netstring */
	size_t	seen;			/* of it */
	int	inside;			/* the colon was seen */
};

enum qmtp_state {
	QMTP_MORE,
	QMTP_DONE,
	QMTP_BAD
};

/*
 * qmtp_response_take: takes what belongs to this response, and returns how
 * much that was.  After anything but QMTP_MORE it must be zeroed.
 */
size_t	qmtp_response_take(struct qmtp_response *, const char *, size_t,
	    enum qmtp_state *);

#endif
