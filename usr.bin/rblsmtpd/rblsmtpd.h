/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#ifndef RBLSMTPD_H
#define RBLSMTPD_H

#include "compat.h"
#include "smtp.h"
#include "ucspi.h"

/* What is to become of the client. */
enum decision {
	UNDECIDED,
	ACCEPT,
	REFUSE_NOW,			/* 451: it may try again */
	REFUSE				/* 553 */
};

struct judgement {
	enum decision	decision;
	char		text[SMTP_TEXT_SIZE];	/* of a refusal */
	int		refuse_for_good;	/* -b */
	int		fail_closed;		/* -c */
	int		failed;			/* a look-up has */
};

/* lists.c */

/*
 * lists_refuse: a list of whom to refuse (-r); lists_accept: one of whom to
 * accept (-a).  Each asks about the address in TCPREMOTEIP, unless the
 * judgement is made, and may make it.
 * lists_done: frees what they needed.
 */
void		lists_refuse(struct judgement *, const char *);
void		lists_accept(struct judgement *, const char *);
void		lists_done(void);

/* conversation.c */

/*
 * conversation_hold: greets the client on descriptors 0 and 1 and answers
 * with the refusal, a whole line, until it quits or so many seconds are
 * over.
 * conversation_short: just the refusal.
 */
__dead void	conversation_hold(const char *, unsigned long);
__dead void	conversation_short(const char *);

#endif
