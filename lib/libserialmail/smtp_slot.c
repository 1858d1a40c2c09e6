/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What becomes of one message of an SMTP client: fit for this server or not,
 * refused by it for one recipient or for all, and the event it ends in.
 */
#include <stdio.h>
#include <string.h>

#include "smtp_local.h"
#include "utf8.h"

#define CODE_PERMANENT		500

static const char	note_eightbit[] =
    "8-bit text, to a server without 8BITMIME";
static const char	note_utf8[] =
    "8-bit header, to a server without SMTPUTF8";

void
smtp_slot_result(struct smtp *s, struct smtp_slot *slot, int status, int code)
{
	struct delivery_event	*event;

	event = delivery_event_put(&s->delivery, DELIVERY_RESULT,
	    slot->message.cookie);
	event->status = status;
	event->code = code;
	event->said = 1;
	event->text = slot->text;
	if (status == DELIVERY_ACCEPTED)
		event->note = slot->note;
	slot->state = SLOT_FREE;
}

void
smtp_slot_local(struct smtp *s, struct smtp_slot *slot, int status,
    const char *enhanced, const char *text)
{
	struct delivery_event	*event;

	event = delivery_event_put(&s->delivery, DELIVERY_RESULT,
	    slot->message.cookie);
	event->status = status;
	event->enhanced = enhanced;
	if (text != slot->text)
		(void)snprintf(slot->text, sizeof(slot->text), "%s", text);
	event->text = slot->text;
	slot->state = SLOT_FREE;
}

/* An address of a header may not be UTF-8 at all. */
static void
address_kind(struct utf8 *all, const char *address)
{
	struct utf8	this;

	memset(&this, 0, sizeof(this));
	utf8_take(&this, address, strlen(address));
	all->high |= this.high;
	all->bad |= this.high && !utf8_is(&this);
}

static void
addresses_kind(const struct delivery_message *m, struct utf8 *all)
{
	size_t	i;

	memset(all, 0, sizeof(*all));
	address_kind(all, m->sender);
	for (i = 0; i < m->nrecipients; i++)
		address_kind(all, m->recipients[i]);
}

static int
slot_fail(struct smtp *s, struct smtp_slot *slot, const char *enhanced,
    const char *text)
{
	smtp_slot_local(s, slot, DELIVERY_PERMANENT, enhanced, text);
	return (0);
}

static int
size_judge(struct smtp *s, struct smtp_slot *slot)
{
	char	text[DELIVERY_REASON_SIZE];

	if (s->offer.size_max == 0 || slot->facts.size <= s->offer.size_max)
		return (1);
	(void)snprintf(text, sizeof(text), "the message has %llu octets and "
	    "the server takes at most %llu",
	    (unsigned long long)slot->facts.size,
	    (unsigned long long)s->offer.size_max);
	return (slot_fail(s, slot, "5.3.4", text));
}

static int
mailbox_judge(struct smtp *s, struct smtp_slot *slot, const char *address,
    const char *enhanced)
{
	size_t	len = strlen(address);

	if (len > HEAD_ADDRESS_BYTES_MAX)
		return (slot_fail(s, slot, enhanced, "an address is too long"));
	if (!mailbox_valid(address, len))
		return (slot_fail(s, slot, enhanced,
		    "an address has an octet that SMTP can't send"));
	return (1);
}

static int
mailboxes_judge(struct smtp *s, struct smtp_slot *slot)
{
	const struct delivery_message	*m = &slot->message;
	size_t				 i;

	if (m->sender[0] != '\0' && !mailbox_judge(s, slot, m->sender, "5.1.7"))
		return (0);
	if (m->nrecipients == 0)
		return (slot_fail(s, slot, "5.1.3", "there is no recipient"));
	for (i = 0; i < m->nrecipients; i++) {
		if (m->recipients[i][0] == '\0')
			return (slot_fail(s, slot, "5.1.3",
			    "the recipient's address is empty"));
		if (!mailbox_judge(s, slot, m->recipients[i], "5.1.3"))
			return (0);
	}
	return (1);
}

static int
addresses_judge(struct smtp *s, struct smtp_slot *slot)
{
	struct utf8	kind;

	addresses_kind(&slot->message, &kind);
	if (kind.bad)
		return (slot_fail(s, slot, "5.6.7",
		    "an address has octets above 127 and is not UTF-8"));
	if (kind.high && !s->offer.utf8)
		return (slot_fail(s, slot, "5.6.7", "an address is not ASCII "
		    "and the server does not offer SMTPUTF8"));
	slot->facts.utf8_head |= kind.high;
	return (1);
}

/* Octets above 127 where nothing says that the server passes them on. */
static int
text_judge(struct smtp *s, struct smtp_slot *slot)
{
	const struct source_facts	*facts = &slot->facts;

	slot->note = NULL;
	if (facts->utf8_head && !s->offer.utf8)
		slot->note = note_utf8;
	else if ((facts->high_head || facts->high_body) && !s->offer.eightbit)
		slot->note = note_eightbit;
	if (slot->note == NULL || !s->config.strict)
		return (1);
	return (slot_fail(s, slot, slot->note == note_utf8 ? "5.6.7" : "5.6.3",
	    slot->note));
}

int
smtp_slot_judge(struct smtp *s, struct smtp_slot *slot)
{
	return (mailboxes_judge(s, slot) && addresses_judge(s, slot) &&
	    size_judge(s, slot) && text_judge(s, slot));
}

/*
 * 503, bad sequence, to a sequence that was good says that the server is
 * confused: that is no reason to give a message up.
 */
static int
refusal_status(const struct reply *reply)
{
	return (reply->code >= CODE_PERMANENT &&
	    reply->code != SMTP_BAD_SEQUENCE ?
	    DELIVERY_PERMANENT : DELIVERY_TEMPORARY);
}

/* The first that refuses decides; what follows from it says nothing new. */
static void
recipient_refuse(struct smtp_slot *slot, const struct reply *reply)
{
	struct smtp_refusal	*refusal = &slot->refusal;

	if (refusal->mail)
		return;
	if (slot->message.nrecipients > 1)
		delivery_text_add(slot->text, &slot->message, slot->answered,
		    reply->text);
	else
		(void)snprintf(slot->text, sizeof(slot->text), "%s",
		    reply->text);
	if (refusal->code == 0)
		refusal->code = reply->code;
	if (refusal_status(reply) == DELIVERY_TEMPORARY)
		refusal->temporary = 1;
	refusal->status = refusal->temporary ? DELIVERY_TEMPORARY :
	    DELIVERY_PERMANENT;
}

void
smtp_slot_refuse(struct smtp_slot *slot, enum smtp_command command,
    const struct reply *reply)
{
	struct smtp_refusal	*refusal = &slot->refusal;

	if (command == SMTP_RCPT) {
		recipient_refuse(slot, reply);
		return;
	}
	if (command == SMTP_DATA && slot->accepted == 0)
		return;
	if (command == SMTP_MAIL)
		refusal->mail = 1;
	(void)snprintf(slot->text, sizeof(slot->text), "%s", reply->text);
	refusal->code = reply->code;
	refusal->status = refusal_status(reply);
}

void
smtp_slot_refused(struct smtp *s, struct smtp_slot *slot)
{
	smtp_slot_result(s, slot, slot->refusal.status, slot->refusal.code);
}
