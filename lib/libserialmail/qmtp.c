/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A QMTP client.  Messages are sent one behind the other without waiting, as
 * many as QMTP_WINDOW: so many at most arrive twice when a connection is
 * lost.  A server may not answer before it has the last octet of a message,
 * and answers once for each recipient, in order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"
#include "qmtp.h"
#include "source.h"

#define EVENTS_MAX	(QMTP_WINDOW + 2)
#define NETSTRING_SIZE	(HEAD_ADDRESS_BYTES_MAX + 16)
#define LENGTH_SIZE	32
#define BODY_ROOM_MIN	4096
/* Before the text: a line feed says that lines end in line feeds. */
#define ENCODING	"\n"

const struct qmtp_patience	qmtp_patience_default = {
	3600 * 1000, 180 * 1000
};

enum qmtp_stage {
	STAGE_LENGTH,		/* nothing was put into the output */
	STAGE_BODY,
	STAGE_SENDER,
	STAGE_RECIPIENTS,
	STAGE_DONE		/* all of it is in the output */
};

struct qmtp_slot {
	struct delivery_message	 message;
	uint64_t		 end;		/* of the package, once put */
	size_t			 answered;	/* recipients */
	int			 refused;	/* the worst status, or 0 */
	char			 text[DELIVERY_TEXT_SIZE];
};

/*
 * The slots are a ring: count messages from first on, the last of them is
 * the one that stage and at speak of.
 */
struct qmtp {
	struct delivery		 delivery;	/* must be the first */
	struct qmtp_patience	 patience;
	struct qmtp_response	 response;
	struct qmtp_slot	 slots[QMTP_WINDOW];
	unsigned int		 first;
	unsigned int		 count;
	enum qmtp_stage		 stage;
	off_t			 at;
	size_t			 recipient;
	struct source		 source;
	int			 finishing;
	char			 end_text[DELIVERY_REASON_SIZE];
};

static struct qmtp_slot *
slot_last(struct qmtp *q)
{
	return (&q->slots[(q->first + q->count - 1) % QMTP_WINDOW]);
}

static struct delivery_event *
slot_event(struct qmtp *q, struct qmtp_slot *slot, int status)
{
	struct delivery_event	*event;

	event = delivery_event_put(&q->delivery, DELIVERY_RESULT,
	    slot->message.cookie);
	event->status = status;
	event->text = slot->text;
	return (event);
}

static void
end_put(struct qmtp *q, int status, const char *reason)
{
	struct delivery_event	*event;

	(void)snprintf(q->end_text, sizeof(q->end_text), "%s", reason);
	event = delivery_event_put(&q->delivery, DELIVERY_END, NULL);
	event->status = status;
	event->text = q->end_text;
}

static void
qmtp_end(struct delivery *d, const char *reason)
{
	struct qmtp	*q = (struct qmtp *)d;

	for (; q->count > 0; q->count--) {
		(void)delivery_event_put(d, DELIVERY_UNTRIED,
		    q->slots[q->first].message.cookie);
		q->first = (q->first + 1) % QMTP_WINDOW;
	}
	end_put(q, DELIVERY_TEMPORARY, reason);
}

static size_t
length_format(char *out, unsigned long long len)
{
	return ((size_t)snprintf(out, LENGTH_SIZE, "%llu:", len));
}

static void
netstring_put(struct qmtp *q, const char *s)
{
	char	length[LENGTH_SIZE];

	delivery_put(&q->delivery, length, length_format(length, strlen(s)));
	delivery_put(&q->delivery, s, strlen(s));
	delivery_put(&q->delivery, ",", 1);
}

static void
package_begin(struct qmtp *q, const struct delivery_message *m)
{
	char	length[LENGTH_SIZE];

	delivery_put(&q->delivery, length, length_format(length,
	    (unsigned long long)m->len + strlen(ENCODING)));
	delivery_put(&q->delivery, ENCODING, strlen(ENCODING));
	q->at = 0;
	q->stage = STAGE_BODY;
}

/* 1: there is more, 0: no room now, -1: can't be read. */
static int
body_put(struct qmtp *q)
{
	const char	*data;
	ssize_t		 n;
	size_t		 room = delivery_room(&q->delivery);

	if (room < BODY_ROOM_MIN)
		return (0);
	if ((n = source_block(&q->source, q->at, &data)) == -1)
		return (-1);
	if (n == 0) {
		delivery_put(&q->delivery, ",", 1);
		q->stage = STAGE_SENDER;
		return (1);
	}
	if ((size_t)n > room)
		n = (ssize_t)room;
	delivery_put(&q->delivery, data, (size_t)n);
	q->at += n;
	return (1);
}

/* How long the netstring of a string is. */
static size_t
netstring_length(const char *s)
{
	char	length[LENGTH_SIZE];

	return (length_format(length, strlen(s)) + strlen(s) + 1);
}

static void
recipients_begin(struct qmtp *q, const struct delivery_message *m)
{
	char	length[LENGTH_SIZE];
	size_t	i, total = 0;

	for (i = 0; i < m->nrecipients; i++)
		total += netstring_length(m->recipients[i]);
	netstring_put(q, m->sender);
	delivery_put(&q->delivery, length, length_format(length, total));
	q->recipient = 0;
	q->stage = STAGE_RECIPIENTS;
}

static void
recipient_put(struct qmtp *q, struct qmtp_slot *slot)
{
	if (q->recipient < slot->message.nrecipients) {
		netstring_put(q, slot->message.recipients[q->recipient++]);
		return;
	}
	delivery_put(&q->delivery, ",", 1);
	slot->end = q->delivery.queued;
	q->stage = STAGE_DONE;
}

/* The next piece of the package; as body_put(). */
static int
package_put(struct qmtp *q)
{
	struct qmtp_slot	*slot = slot_last(q);

	if (q->stage == STAGE_BODY)
		return (body_put(q));
	if (delivery_room(&q->delivery) < NETSTRING_SIZE + LENGTH_SIZE)
		return (0);
	if (q->stage == STAGE_LENGTH)
		package_begin(q, &slot->message);
	else if (q->stage == STAGE_SENDER)
		recipients_begin(q, &slot->message);
	else
		recipient_put(q, slot);
	return (1);
}

/* The last message leaves the ring. */
static void
package_drop(struct qmtp *q, int status, const char *enhanced,
    const char *text)
{
	struct qmtp_slot	*slot = slot_last(q);

	(void)snprintf(slot->text, sizeof(slot->text), "%s", text);
	slot_event(q, slot, status)->enhanced = enhanced;
	q->count--;
	q->stage = STAGE_DONE;
}

static void
package_unreadable(struct qmtp *q)
{
	char	text[DELIVERY_REASON_SIZE];

	(void)snprintf(text, sizeof(text), "unable to read the message: %s",
	    strerror(errno));
	package_drop(q, DELIVERY_TEMPORARY, "4.3.0", text);
}

/* Half a package can't be taken back: the connection must go. */
static void
package_fail(struct qmtp *q)
{
	package_unreadable(q);
	qmtp_end(&q->delivery, "a message could not be read to its end");
}

static void
qmtp_fill(struct delivery *d)
{
	struct qmtp	*q = (struct qmtp *)d;
	int		 more = 1;

	while (q->count > 0 && q->stage != STAGE_DONE && more == 1)
		more = package_put(q);
	if (more == -1)
		package_fail(q);
	else if (q->finishing && q->count == 0)
		end_put(q, DELIVERY_ACCEPTED, "");
}

static int
qmtp_wants(const struct delivery *d)
{
	const struct qmtp	*q = (const struct qmtp *)d;

	return (!q->finishing && q->count < QMTP_WINDOW &&
	    (q->count == 0 || q->stage == STAGE_DONE));
}

static const char *
address_check(const struct delivery_message *m)
{
	size_t	i;

	if (m->nrecipients == 0)
		return ("there is no recipient");
	if (strlen(m->sender) > HEAD_ADDRESS_BYTES_MAX)
		return ("an address is too long");
	for (i = 0; i < m->nrecipients; i++) {
		if (m->recipients[i][0] == '\0')
			return ("the recipient's address is empty");
		if (strlen(m->recipients[i]) > HEAD_ADDRESS_BYTES_MAX)
			return ("an address is too long");
	}
	return (NULL);
}

static void
qmtp_give(struct delivery *d, const struct delivery_message *message)
{
	struct qmtp		*q = (struct qmtp *)d;
	struct qmtp_slot	*slot;
	const char		*wrong = address_check(message), *data;

	q->count++;
	slot = slot_last(q);
	slot->message = *message;
	slot->end = UINT64_MAX;
	slot->answered = 0;
	slot->refused = 0;
	slot->text[0] = '\0';
	if (wrong != NULL) {
		package_drop(q, DELIVERY_PERMANENT, "5.1.3", wrong);
		return;
	}
	source_open(&q->source, &slot->message);
	if (source_block(&q->source, 0, &data) == -1) {
		package_unreadable(q);
		return;
	}
	q->stage = STAGE_LENGTH;
	/* Small ones gather in the output, and go in one write. */
	if (d->output_len < DELIVERY_OUTPUT_LOW)
		qmtp_fill(d);
}

static void
qmtp_finish(struct delivery *d)
{
	((struct qmtp *)d)->finishing = 1;
}

/* One recipient refused refuses the message, temporary ones before all. */
static void
response_note(struct qmtp *q, struct qmtp_slot *slot)
{
	const struct qmtp_response	*r = &q->response;
	const struct delivery_message	*m = &slot->message;

	if (m->nrecipients == 1 || (r->status == DELIVERY_ACCEPTED &&
	    slot->refused == 0))
		(void)snprintf(slot->text, sizeof(slot->text), "%s", r->text);
	if (r->status == DELIVERY_ACCEPTED)
		return;
	if (m->nrecipients > 1) {
		if (slot->refused == 0)
			slot->text[0] = '\0';
		delivery_text_add(slot->text, m, slot->answered, r->text);
	}
	if (slot->refused != DELIVERY_TEMPORARY)
		slot->refused = r->status;
}

static void
qmtp_answer(struct qmtp *q)
{
	struct qmtp_slot	*slot = &q->slots[q->first];

	q->delivery.since_ms = q->delivery.now_ms;
	if (q->count == 0 || slot->end > q->delivery.passed) {
		qmtp_end(&q->delivery, "a response to nothing");
		return;
	}
	response_note(q, slot);
	if (++slot->answered < slot->message.nrecipients)
		return;
	slot_event(q, slot, slot->refused == 0 ? DELIVERY_ACCEPTED :
	    slot->refused)->said = 1;
	q->first = (q->first + 1) % QMTP_WINDOW;
	q->count--;
}

static void
qmtp_receive(struct delivery *d, const char *data, size_t len)
{
	struct qmtp	*q = (struct qmtp *)d;
	enum qmtp_state	 state;
	size_t		 n;

	for (; len > 0 && !d->ended; data += n, len -= n) {
		n = qmtp_response_take(&q->response, data, len, &state);
		if (state == QMTP_MORE)
			continue;
		if (state == QMTP_DONE)
			qmtp_answer(q);
		else
			qmtp_end(d, "a response that makes no sense");
		memset(&q->response, 0, sizeof(q->response));
	}
}

static int64_t
qmtp_patience_now(const struct delivery *d)
{
	const struct qmtp	*q = (const struct qmtp *)d;

	if (d->output_len > 0)
		return (q->patience.block_ms);
	return (q->count > 0 ? q->patience.response_ms : -1);
}

static const struct delivery_protocol	qmtp_protocol = {
	qmtp_wants, qmtp_give, qmtp_finish, qmtp_fill, qmtp_receive, qmtp_end,
	qmtp_patience_now
};

struct delivery *
qmtp_new(const struct qmtp_patience *patience, int64_t now_ms)
{
	struct qmtp	*q;

	q = (struct qmtp *)delivery_new(sizeof(*q), &qmtp_protocol, EVENTS_MAX,
	    now_ms);
	if (q == NULL)
		return (NULL);
	q->patience = patience == NULL ? qmtp_patience_default : *patience;
	q->stage = STAGE_DONE;
	return (&q->delivery);
}
