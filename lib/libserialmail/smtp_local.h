/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the files of the SMTP client share.
 */
#ifndef SMTP_LOCAL_H
#define SMTP_LOCAL_H

#include "body.h"
#include "delivery.h"
#include "head.h"
#include "reply.h"
#include "smtp.h"
#include "source.h"

/* RSET, MAIL, each RCPT, DATA, and the dot of the message before. */
#define SMTP_EXPECTED_MAX	(HEAD_RECIPIENTS_MAX + 8)
#define SMTP_SLOTS		2
#define SMTP_BAD_SEQUENCE	503
#define SMTP_TEXT_SIZE		DELIVERY_TEXT_SIZE

enum smtp_command {
	SMTP_GREETING,
	SMTP_EHLO,
	SMTP_HELO,
	SMTP_RSET,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_DOT,		/* of a message */
	SMTP_LONE_DOT,		/* of an empty one: it was refused before */
	SMTP_QUIT
};

enum smtp_slot_state {
	SLOT_FREE,
	SLOT_WAITING,		/* nothing of it was sent */
	SLOT_ENVELOPE,		/* MAIL was sent, DATA's reply has not come */
	SLOT_BODY,		/* 354 came, its text is being sent */
	SLOT_DOT		/* all is in the output: the reply decides */
};

/* What the replies to the envelope said; status 0: nothing was refused. */
struct smtp_refusal {
	int	mail;		/* MAIL was refused */
	int	temporary;	/* a recipient is to be tried again */
	int	status;
	int	code;
};

struct smtp_slot {
	enum smtp_slot_state	 state;
	struct delivery_message	 message;
	struct source		 source;
	struct source_facts	 facts;
	const char		*note;
	uint64_t		 number;	/* messages are taken in turn */
	int			 data;		/* DATA was put already */
	size_t			 answered;	/* recipients */
	size_t			 accepted;	/* of these */
	struct smtp_refusal	 refusal;
	struct body		 body;
	off_t			 at;		/* of the text, encoded */
	char			 text[SMTP_TEXT_SIZE];
};

/* A reply that is to come, and where in the output its command ends. */
struct smtp_expected {
	enum smtp_command	 command;
	struct smtp_slot	*slot;
	uint64_t		 end;
};

/* What the server offered. */
struct smtp_offer {
	int		pipelining;
	int		eightbit;
	int		utf8;
	int		size;
	uint64_t	size_max;	/* 0: no limit is told */
};

struct smtp {
	struct delivery		 delivery;	/* must be the first */
	struct smtp_config	 config;
	struct smtp_patience	 patience;
	struct smtp_offer	 offer;
	struct reply		 reply;
	int			 ready;		/* EHLO or HELO was accepted */
	int			 finishing;
	int			 quitting;
	int			 dirty;		/* RSET is due before MAIL */
	struct smtp_slot	 slots[SMTP_SLOTS];
	uint64_t		 number;	/* of the last message given */
	struct smtp_expected	 expected[SMTP_EXPECTED_MAX];
	unsigned int		 expected_first;
	unsigned int		 expected_count;
	int			 end_status;
	int			 end_code;
	int			 end_said;
	char			 end_text[SMTP_TEXT_SIZE];
};

/*
 * smtp_offer_read: what an EHLO reply's text offers.
 *
 * smtp_expect: the reply to what was put into the output last.
 * smtp_command_put: a command without arguments.
 * smtp_envelope_fits: whether there is room for a message's commands.
 * smtp_envelope_put: begins the slot's message.
 * smtp_rcpt_put: a recipient, by number.
 * smtp_data_put: DATA.
 * smtp_body_put: goes on with a message's text, up to the final dot.
 * -1: it can't be read.
 */
void	smtp_offer_read(struct smtp_offer *, const char *);
void	smtp_expect(struct smtp *, enum smtp_command, struct smtp_slot *);
void	smtp_command_put(struct smtp *, enum smtp_command, const char *,
	    struct smtp_slot *);
int	smtp_envelope_fits(const struct smtp *, const struct smtp_slot *);
void	smtp_envelope_put(struct smtp *, struct smtp_slot *);
void	smtp_rcpt_put(struct smtp *, struct smtp_slot *, size_t);
void	smtp_data_put(struct smtp *, struct smtp_slot *);
int	smtp_body_put(struct smtp *, struct smtp_slot *);

/*
 * smtp_slot_judge: whether the message can be sent to this server at all;
 * otherwise its event is made.  1 or 0.
 * smtp_slot_refuse: a reply that refuses the message or one recipient.
 * smtp_slot_refused: the event of what was refused.
 * smtp_slot_result: the event of a message, whose text is the slot's; the
 * slot is free afterwards.
 * smtp_slot_local: the same with our own finding.
 */
int	smtp_slot_judge(struct smtp *, struct smtp_slot *);
void	smtp_slot_refuse(struct smtp_slot *, enum smtp_command,
	    const struct reply *);
void	smtp_slot_refused(struct smtp *, struct smtp_slot *);
void	smtp_slot_result(struct smtp *, struct smtp_slot *, int, int);
void	smtp_slot_local(struct smtp *, struct smtp_slot *, int, const char *,
	    const char *);

#endif
