/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What an SMTP client says: commands, one by one or in groups (RFC 2920), and
 * the text of messages.
 */
#include <stdio.h>
#include <string.h>

#include "smtp_local.h"

#define PATH_SIZE	(2 * HEAD_ADDRESS_BYTES_MAX + 3)
#define COMMAND_SIZE	(PATH_SIZE + 128)	/* with all parameters */
/* It isn't worth while to begin a block for less, but at its end. */
#define BODY_ROOM_MIN	4096

void
smtp_expect(struct smtp *s, enum smtp_command command, struct smtp_slot *slot)
{
	struct smtp_expected	*e;

	e = &s->expected[(s->expected_first + s->expected_count++) %
	    SMTP_EXPECTED_MAX];
	e->command = command;
	e->slot = slot;
	e->end = s->delivery.queued;
}

void
smtp_command_put(struct smtp *s, enum smtp_command command, const char *text,
    struct smtp_slot *slot)
{
	delivery_put(&s->delivery, text, strlen(text));
	delivery_put(&s->delivery, "\r\n", 2);
	smtp_expect(s, command, slot);
}

/* Each octet of an address may need a backslash. */
int
smtp_envelope_fits(const struct smtp *s, const struct smtp_slot *slot)
{
	const struct delivery_message	*m = &slot->message;
	size_t				 i, need;

	need = COMMAND_SIZE + COMMAND_SIZE - PATH_SIZE;	/* MAIL, the rest */
	for (i = 0; i < m->nrecipients; i++)
		need += 2 * strlen(m->recipients[i]) +
		    strlen("RCPT TO:<\"\">\r\n");
	return (need <= delivery_room(&s->delivery));
}

static void
mail_put(struct smtp *s, struct smtp_slot *slot)
{
	char	line[COMMAND_SIZE], path[PATH_SIZE], size[32] = "";

	path[0] = '\0';
	if (slot->message.sender[0] != '\0')
		(void)mailbox_quote(path, sizeof(path), slot->message.sender);
	if (s->offer.size)
		(void)snprintf(size, sizeof(size), " SIZE=%llu",
		    (unsigned long long)slot->facts.size);
	(void)snprintf(line, sizeof(line), "MAIL FROM:<%s>%s%s%s", path, size,
	    s->offer.eightbit && (slot->facts.high_head ||
	    slot->facts.high_body) ? " BODY=8BITMIME" : "",
	    s->offer.utf8 && slot->facts.utf8_head ? " SMTPUTF8" : "");
	smtp_command_put(s, SMTP_MAIL, line, slot);
}

void
smtp_rcpt_put(struct smtp *s, struct smtp_slot *slot, size_t which)
{
	char	line[COMMAND_SIZE], path[PATH_SIZE];

	(void)mailbox_quote(path, sizeof(path),
	    slot->message.recipients[which]);
	(void)snprintf(line, sizeof(line), "RCPT TO:<%s>", path);
	smtp_command_put(s, SMTP_RCPT, line, slot);
}

void
smtp_data_put(struct smtp *s, struct smtp_slot *slot)
{
	slot->data = 1;
	smtp_command_put(s, SMTP_DATA, "DATA", slot);
}

/*
 * With several recipients DATA waits: only then can a message that some of
 * them must get later be taken back without losing the connection.
 */
void
smtp_envelope_put(struct smtp *s, struct smtp_slot *slot)
{
	size_t	i;

	slot->state = SLOT_ENVELOPE;
	mail_put(s, slot);
	if (!s->offer.pipelining)
		return;
	for (i = 0; i < slot->message.nrecipients; i++)
		smtp_rcpt_put(s, slot, i);
	if (slot->message.nrecipients == 1)
		smtp_data_put(s, slot);
}

static void
dot_put(struct smtp *s, struct smtp_slot *slot)
{
	delivery_placed(&s->delivery,
	    body_end(&slot->body, delivery_place(&s->delivery)));
	smtp_expect(s, SMTP_DOT, slot);
	slot->state = SLOT_DOT;
}

int
smtp_body_put(struct smtp *s, struct smtp_slot *slot)
{
	const char	*data;
	ssize_t		 n;
	size_t		 len, room;

	for (;;) {
		room = delivery_room(&s->delivery);
		if (room < BODY_ROOM_MIN)
			return (0);
		if ((n = source_block(&slot->source, slot->at, &data)) == -1)
			return (-1);
		if (n == 0) {
			dot_put(s, slot);
			return (0);
		}
		len = (room - BODY_END_SIZE) / 2;
		if (len > (size_t)n)
			len = (size_t)n;
		delivery_placed(&s->delivery, body_encode(&slot->body,
		    delivery_place(&s->delivery), data, len));
		slot->at += (off_t)len;
	}
}
