/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * An SMTP client: what is done about each reply, and what comes next.
 *
 * With PIPELINING the end of a message and the envelope of the next one make
 * one group (RFC 2920, section 3.1), so that a message costs one round trip.
 * A code of 2yz, or 3yz after DATA, in its place is success, and nothing
 * else is.  A reply that makes no sense, or comes before there was a
 * question, ends the connection and never a message.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smtp_local.h"

#define EVENTS_MAX		(SMTP_SLOTS + 2)
#define CODE_GREETING		220
#define CODE_CLOSING		421
#define SECOND_MS		1000

const struct smtp_patience	smtp_patience_default = {
	300 * SECOND_MS, 300 * SECOND_MS, 300 * SECOND_MS, 300 * SECOND_MS,
	120 * SECOND_MS, 180 * SECOND_MS, 600 * SECOND_MS, 10 * SECOND_MS
};

/* The oldest slot in this state. */
static struct smtp_slot *
slot_find(struct smtp *s, enum smtp_slot_state state)
{
	struct smtp_slot	*found = NULL;
	unsigned int		 i;

	for (i = 0; i < SMTP_SLOTS; i++) {
		if (s->slots[i].state == state && (found == NULL ||
		    s->slots[i].number < found->number))
			found = &s->slots[i];
	}
	return (found);
}

static const struct smtp_expected *
expected_head(const struct smtp *s)
{
	return (s->expected_count == 0 ? NULL :
	    &s->expected[s->expected_first]);
}

static void
end_put(struct smtp *s, int status, int code, int said, const char *text)
{
	struct delivery_event	*event;

	if (text != s->end_text)
		(void)snprintf(s->end_text, sizeof(s->end_text), "%s", text);
	event = delivery_event_put(&s->delivery, DELIVERY_END, NULL);
	event->status = status;
	event->code = code;
	event->said = said;
	event->text = s->end_text;
}

/* Whether the server has all of the message, and may have it for good. */
static int
slot_is_out(const struct smtp *s, const struct smtp_slot *slot)
{
	const struct smtp_expected	*e = expected_head(s);

	return (slot->state == SLOT_DOT && e != NULL && e->slot == slot &&
	    e->end <= s->delivery.passed);
}

/*
 * A message whose text was under way may be the reason: as it is not told
 * from the others that wait, it is marked as tried, so that they get their
 * turn before it gets another.
 */
static void
slot_abandon(struct smtp *s, struct smtp_slot *slot, const char *reason)
{
	char	text[2 * DELIVERY_REASON_SIZE];

	if (slot->state == SLOT_BODY || slot->state == SLOT_DOT) {
		(void)snprintf(text, sizeof(text), "%.*s%s",
		    DELIVERY_REASON_SIZE - 1, reason, slot_is_out(s, slot) ?
		    ", after the whole message was sent: it may arrive twice" :
		    ", while the message was being sent");
		smtp_slot_local(s, slot, DELIVERY_TEMPORARY, "4.4.2", text);
	} else if (slot->refusal.status != 0)
		smtp_slot_refused(s, slot);
	else {
		(void)delivery_event_put(&s->delivery, DELIVERY_UNTRIED,
		    slot->message.cookie);
		slot->state = SLOT_FREE;
	}
}

static void
slots_abandon(struct smtp *s, const char *reason)
{
	static const enum smtp_slot_state	states[] = {
		SLOT_DOT, SLOT_BODY, SLOT_ENVELOPE, SLOT_WAITING
	};
	struct smtp_slot			*slot;
	unsigned int				 i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		while ((slot = slot_find(s, states[i])) != NULL)
			slot_abandon(s, slot, reason);
	}
}

/* After QUIT an end is an end, however it comes. */
static void
smtp_end(struct delivery *d, const char *reason)
{
	struct smtp	*s = (struct smtp *)d;

	slots_abandon(s, reason);
	if (s->quitting)
		end_put(s, s->end_status, s->end_code, s->end_said,
		    s->end_text);
	else
		end_put(s, DELIVERY_TEMPORARY, 0, 0, reason);
}

static void
smtp_end_said(struct smtp *s)
{
	slots_abandon(s, s->reply.text);
	end_put(s, DELIVERY_TEMPORARY, s->reply.code, 1, s->reply.text);
}

static void
smtp_nonsense(struct smtp *s, const char *what)
{
	char		 reason[DELIVERY_REASON_SIZE];
	const char	*line = strrchr(s->reply.text, '\n');

	line = line == NULL ? s->reply.text : line + 1;
	(void)snprintf(reason, sizeof(reason), "%s: %.*s", what,
	    (int)(DELIVERY_REASON_SIZE - 80), line);
	smtp_end(&s->delivery, reason);
}

static void
quit_put(struct smtp *s, int status)
{
	s->quitting = 1;
	s->end_status = status;
	smtp_command_put(s, SMTP_QUIT, "QUIT", NULL);
}

/* The server does not want to talk: it has said why. */
static void
smtp_leave(struct smtp *s)
{
	slots_abandon(s, s->reply.text);
	s->end_code = s->reply.code;
	s->end_said = 1;
	(void)snprintf(s->end_text, sizeof(s->end_text), "%s", s->reply.text);
	quit_put(s, DELIVERY_TEMPORARY);
}

static void
hello_put(struct smtp *s, enum smtp_command command)
{
	delivery_put(&s->delivery, command == SMTP_EHLO ? "EHLO " : "HELO ", 5);
	smtp_command_put(s, command, s->config.hello, NULL);
}

static void
greeting_reply(struct smtp *s)
{
	if (s->reply.code == CODE_GREETING)
		hello_put(s, SMTP_EHLO);
	else
		smtp_leave(s);
}

static void
hello_reply(struct smtp *s, enum smtp_command command)
{
	if (s->reply.code / 100 == 2) {
		s->ready = 1;
		if (command == SMTP_EHLO)
			smtp_offer_read(&s->offer, s->reply.text);
	} else if (s->reply.code / 100 == 3)
		smtp_nonsense(s, "a reply to EHLO that makes no sense");
	else if (command == SMTP_EHLO)
		hello_put(s, SMTP_HELO);
	else
		smtp_leave(s);
}

static void
reset_reply(struct smtp *s)
{
	if (s->reply.code / 100 != 2)
		smtp_end_said(s);
}

/*
 * A message is given up before its text; the next one needs RSET first.  So
 * it does where a server thinks that another one was begun already.
 */
static void
envelope_fail(struct smtp *s, struct smtp_slot *slot)
{
	if (!slot->refusal.mail || slot->refusal.code == SMTP_BAD_SEQUENCE)
		s->dirty = 1;
	smtp_slot_refused(s, slot);
}

/* All answers but DATA's are here, and it was not asked for yet. */
static void
recipients_judge(struct smtp *s, struct smtp_slot *slot)
{
	if (slot->accepted == 0 || slot->refusal.temporary)
		envelope_fail(s, slot);
	else
		smtp_data_put(s, slot);
}

static void
mail_reply(struct smtp *s, struct smtp_slot *slot)
{
	int	class = s->reply.code / 100;

	if (class == 3) {
		smtp_nonsense(s, "a reply to MAIL that makes no sense");
		return;
	}
	if (class != 2)
		smtp_slot_refuse(slot, SMTP_MAIL, &s->reply);
	if (s->offer.pipelining)
		return;
	if (class == 2)
		smtp_rcpt_put(s, slot, 0);
	else
		envelope_fail(s, slot);
}

static void
rcpt_reply(struct smtp *s, struct smtp_slot *slot)
{
	int	class = s->reply.code / 100;

	if (class == 3) {
		smtp_nonsense(s, "a reply to RCPT that makes no sense");
		return;
	}
	if (class == 2)
		slot->accepted++;
	else
		smtp_slot_refuse(slot, SMTP_RCPT, &s->reply);
	slot->answered++;
	if (slot->data)
		return;
	if (slot->answered == slot->message.nrecipients) {
		if (slot->refusal.mail)
			slot->accepted = 0;
		recipients_judge(s, slot);
	} else if (!s->offer.pipelining)
		smtp_rcpt_put(s, slot, slot->answered);
}

/* 354 though nobody is to get it: RFC 2920, section 3.1, at its end. */
static void
lone_dot_put(struct smtp *s, struct smtp_slot *slot)
{
	smtp_slot_refused(s, slot);
	smtp_command_put(s, SMTP_LONE_DOT, ".", NULL);
}

static void
data_go_ahead(struct smtp *s, struct smtp_slot *slot)
{
	if (slot->accepted == 0)
		lone_dot_put(s, slot);
	else if (slot->refusal.mail)
		smtp_nonsense(s, "MAIL was refused, RCPT and DATA were not");
	else {
		slot->state = SLOT_BODY;
		slot->at = 0;
		body_begin(&slot->body);
	}
}

static void
data_reply(struct smtp *s, struct smtp_slot *slot)
{
	int	class = s->reply.code / 100;

	if (class == 3)
		data_go_ahead(s, slot);
	else if (class == 2)
		smtp_nonsense(s, "a reply to DATA that makes no sense");
	else {
		smtp_slot_refuse(slot, SMTP_DATA, &s->reply);
		envelope_fail(s, slot);
	}
}

/* Some recipients may have been refused before: that is what is told then. */
static void
dot_reply(struct smtp *s, struct smtp_slot *slot)
{
	int	class = s->reply.code / 100;

	if (class == 3) {
		smtp_nonsense(s, "a reply to a message that makes no sense");
		return;
	}
	if (class == 2 && slot->refusal.status != 0) {
		smtp_slot_refused(s, slot);
		return;
	}
	(void)snprintf(slot->text, sizeof(slot->text), "%s", s->reply.text);
	smtp_slot_result(s, slot, class == 2 ? DELIVERY_ACCEPTED :
	    class == 4 ? DELIVERY_TEMPORARY : DELIVERY_PERMANENT,
	    s->reply.code);
}

static void
lone_dot_reply(struct smtp *s)
{
	if (s->reply.code / 100 == 3)
		smtp_nonsense(s, "a reply to a dot that makes no sense");
}

/*
 * 421: the server closes the connection.  The message it was said to counts
 * as tried, or one that the server hates would keep all others back.
 */
static void
closing_reply(struct smtp *s, struct smtp_slot *slot)
{
	if (slot != NULL && slot->state != SLOT_FREE) {
		(void)snprintf(slot->text, sizeof(slot->text), "%s",
		    s->reply.text);
		smtp_slot_result(s, slot, DELIVERY_TEMPORARY, s->reply.code);
	}
	smtp_end_said(s);
}

/*
 * Nothing was asked, or not all of it.  A server that can't wait for the
 * end of a message to refuse it is understood, but there is no way to go on.
 */
static void
early_reply(struct smtp *s, const struct smtp_expected *e)
{
	struct smtp_slot	*slot = slot_find(s, SLOT_BODY);

	if (e != NULL && e->command == SMTP_DOT)
		slot = e->slot;
	if (s->reply.code == CODE_CLOSING)
		closing_reply(s, slot);
	else if (slot != NULL && s->reply.code / 100 >= 4) {
		dot_reply(s, slot);
		smtp_end(&s->delivery, "a message was refused before its end");
	} else
		smtp_nonsense(s, "a reply to nothing");
}

static void
command_reply(struct smtp *s, enum smtp_command command,
    struct smtp_slot *slot)
{
	switch (command) {
	case SMTP_GREETING:
		greeting_reply(s);
		break;
	case SMTP_EHLO:
	case SMTP_HELO:
		hello_reply(s, command);
		break;
	case SMTP_RSET:
		reset_reply(s);
		break;
	case SMTP_MAIL:
		mail_reply(s, slot);
		break;
	case SMTP_RCPT:
		rcpt_reply(s, slot);
		break;
	case SMTP_DATA:
		data_reply(s, slot);
		break;
	case SMTP_DOT:
		dot_reply(s, slot);
		break;
	case SMTP_LONE_DOT:
		lone_dot_reply(s);
		break;
	case SMTP_QUIT:
		smtp_end(&s->delivery, "");
		break;
	}
}

static void
smtp_reply(struct smtp *s)
{
	const struct smtp_expected	*e = expected_head(s);
	enum smtp_command		 command;
	struct smtp_slot		*slot;

	s->delivery.since_ms = s->delivery.now_ms;
	if (e == NULL || e->end > s->delivery.passed) {
		early_reply(s, e);
		return;
	}
	command = e->command;
	slot = e->slot;
	s->expected_first = (s->expected_first + 1) % SMTP_EXPECTED_MAX;
	s->expected_count--;
	if (s->reply.code == CODE_CLOSING && command != SMTP_QUIT)
		closing_reply(s, slot);
	else
		command_reply(s, command, slot);
}

static void
smtp_receive(struct delivery *d, const char *data, size_t len)
{
	struct smtp		*s = (struct smtp *)d;
	enum reply_state	 state;
	size_t			 n;

	for (; len > 0 && !d->ended; data += n, len -= n) {
		n = reply_take(&s->reply, data, len, &state);
		if (state == REPLY_MORE)
			continue;
		if (state == REPLY_DONE)
			smtp_reply(s);
		else if (s->reply.octets > REPLY_OCTETS_MAX)
			smtp_end(d, "a reply without end");
		else
			smtp_nonsense(s, "a reply that makes no sense");
		reply_clear(&s->reply);
	}
}

/* The oldest message that waits and is fit for this server. */
static struct smtp_slot *
slot_next(struct smtp *s)
{
	struct smtp_slot	*slot;

	while ((slot = slot_find(s, SLOT_WAITING)) != NULL) {
		if (smtp_slot_judge(s, slot))
			return (slot);
	}
	return (NULL);
}

static void
message_begin(struct smtp *s, struct smtp_slot *slot)
{
	if (s->dirty) {
		s->dirty = 0;
		smtp_command_put(s, SMTP_RSET, "RSET", NULL);
		if (!s->offer.pipelining)
			return;
	}
	smtp_envelope_put(s, slot);
}

/* What can be said now, but for the text of a message. */
static void
smtp_proceed(struct smtp *s)
{
	struct smtp_slot	*slot;

	if (!s->ready || s->quitting || slot_find(s, SLOT_ENVELOPE) != NULL ||
	    slot_find(s, SLOT_BODY) != NULL)
		return;
	if (!s->offer.pipelining && s->expected_count > 0)
		return;
	slot = slot_next(s);
	if (slot != NULL) {
		if (smtp_envelope_fits(s, slot))
			message_begin(s, slot);
	} else if (s->finishing && s->expected_count == 0)
		quit_put(s, DELIVERY_ACCEPTED);
}

static void
slot_unreadable(struct smtp *s, struct smtp_slot *slot)
{
	char	reason[DELIVERY_REASON_SIZE];

	(void)snprintf(reason, sizeof(reason),
	    "unable to read the message: %s", strerror(errno));
	smtp_slot_local(s, slot, DELIVERY_TEMPORARY, "4.3.0", reason);
}

static void
smtp_fill(struct delivery *d)
{
	struct smtp		*s = (struct smtp *)d;
	struct smtp_slot	*slot = slot_find(s, SLOT_BODY);

	if (slot != NULL && smtp_body_put(s, slot) == -1) {
		slot_unreadable(s, slot);
		smtp_end(d, "a message could not be read to its end");
		return;
	}
	smtp_proceed(s);
}

static int
smtp_wants(const struct delivery *d)
{
	const struct smtp	*s = (const struct smtp *)d;
	unsigned int		 i;

	if (s->finishing || s->quitting)
		return (0);
	for (i = 0; i < SMTP_SLOTS; i++) {
		if (s->slots[i].state == SLOT_FREE)
			return (1);
	}
	return (0);
}

static void
smtp_give(struct delivery *d, const struct delivery_message *message)
{
	struct smtp		*s = (struct smtp *)d;
	struct smtp_slot	*slot = slot_find(s, SLOT_FREE);

	if (slot == NULL)
		abort();
	slot->message = *message;
	slot->number = ++s->number;
	slot->data = 0;
	slot->answered = slot->accepted = 0;
	slot->text[0] = '\0';
	memset(&slot->refusal, 0, sizeof(slot->refusal));
	source_open(&slot->source, &slot->message);
	slot->state = SLOT_WAITING;
	if (source_scan(&slot->source, &slot->facts) == -1)
		slot_unreadable(s, slot);
}

static void
smtp_finish(struct delivery *d)
{
	((struct smtp *)d)->finishing = 1;
}

static int64_t
command_patience(const struct smtp_patience *p, enum smtp_command command)
{
	switch (command) {
	case SMTP_GREETING:
		return (p->greeting_ms);
	case SMTP_EHLO:
	case SMTP_HELO:
		return (p->hello_ms);
	case SMTP_RSET:
	case SMTP_MAIL:
		return (p->mail_ms);
	case SMTP_RCPT:
		return (p->rcpt_ms);
	case SMTP_DATA:
		return (p->data_ms);
	case SMTP_DOT:
	case SMTP_LONE_DOT:
		return (p->accept_ms);
	case SMTP_QUIT:
		return (p->quit_ms);
	}
	return (-1);
}

static int64_t
smtp_patience_now(const struct delivery *d)
{
	const struct smtp		*s = (const struct smtp *)d;
	const struct smtp_expected	*e = expected_head(s);

	if (d->output_len > 0 && !s->quitting)
		return (s->patience.block_ms);
	return (e == NULL ? -1 : command_patience(&s->patience, e->command));
}

static const struct delivery_protocol	smtp_protocol = {
	smtp_wants, smtp_give, smtp_finish, smtp_fill, smtp_receive, smtp_end,
	smtp_patience_now
};

static int
hello_is_word(const char *hello)
{
	const char	*p;

	for (p = hello; *p > ' ' && *p <= '~'; p++)
		continue;
	return (*p == '\0' && p > hello && p - hello < 500);
}

struct delivery *
smtp_new(const struct smtp_config *config, int64_t now_ms)
{
	struct smtp	*s;

	if (!hello_is_word(config->hello)) {
		errno = EINVAL;
		return (NULL);
	}
	s = (struct smtp *)delivery_new(sizeof(*s), &smtp_protocol, EVENTS_MAX,
	    now_ms);
	if (s == NULL)
		return (NULL);
	s->config = *config;
	s->patience = config->patience == NULL ? smtp_patience_default :
	    *config->patience;
	reply_clear(&s->reply);
	smtp_expect(s, SMTP_GREETING, NULL);
	return (&s->delivery);
}
