/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A delivery that has letters to send, and a server that says what the input
 * holds:
 *
 *	octet 0		size of a piece (0: 256)
 *	octet 1		bit 0: some output stays unsent while the server speaks
 *	the rest	what it says, piece by piece
 *
 * Each letter that was given has one event, and the last event is the end.
 */
#ifndef LETTERS_H
#define LETTERS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delivery.h"

#define LETTERS_MAX	50

/* What a target has of its own; NULL: nothing. */
struct letters_target {
	int	count;
	int	finish;			/* tell when there are no more */
	void	(*write)(struct delivery_message *, int);
	void	(*result)(const struct delivery_event *);
	void	(*sent)(const char *, size_t);	/* by the delivery */
	void	(*said)(const char *, size_t);	/* to it, in a moment */
};

struct letters {
	const struct letters_target	*target;
	struct delivery			*delivery;
	int				 given;
	int				 told[LETTERS_MAX];
	int				 ended;
};

static void
require(int truth)
{
	if (!truth)
		abort();
}

static void
events_take(struct letters *l)
{
	struct delivery_event	event;

	while (delivery_event(l->delivery, &event)) {
		require(!l->ended);
		if (event.what == DELIVERY_END) {
			l->ended = 1;
			continue;
		}
		require(l->told[(intptr_t)event.cookie]++ == 0);
		if (event.what == DELIVERY_RESULT)
			l->target->result(&event);
	}
}

static void
letters_give(struct letters *l)
{
	struct delivery_message	message;

	while (l->given < l->target->count && delivery_wants(l->delivery)) {
		memset(&message, 0, sizeof(message));
		message.fd = -1;
		l->target->write(&message, l->given);
		message.cookie = (void *)(intptr_t)l->given++;
		delivery_give(l->delivery, &message, 0);
		events_take(l);
	}
	if (l->target->finish && l->given == l->target->count)
		delivery_finish(l->delivery, 0);
}

static void
output_take(struct letters *l, int stingy)
{
	const char	*data;
	size_t		 n;

	n = delivery_output(l->delivery, &data);
	events_take(l);
	if (stingy && n > 3)
		n -= 3;
	if (n == 0 || l->ended)
		return;
	if (l->target->sent != NULL)
		l->target->sent(data, n);
	delivery_sent(l->delivery, n, 0);
}

/* In memory of its own size, so that nothing beyond it is read. */
static void
piece_say(struct letters *l, const uint8_t *data, size_t len)
{
	char	*copy = malloc(len);

	require(copy != NULL);
	memcpy(copy, data, len);
	if (l->target->said != NULL)
		l->target->said(copy, len);
	delivery_receive(l->delivery, copy, len, 0);
	free(copy);
	events_take(l);
}

/* From the first octet of the input to the end of the delivery. */
static void
letters_run(const struct letters_target *target, struct delivery *delivery,
    const uint8_t *data, size_t len)
{
	struct letters	l;
	size_t		n, piece = data[0] == 0 ? 256 : data[0];
	int		i, stingy = data[1] & 1;

	require(delivery != NULL);
	memset(&l, 0, sizeof(l));
	l.target = target;
	l.delivery = delivery;
	for (data += 2, len -= 2; len > 0 && !l.ended; data += n, len -= n) {
		letters_give(&l);
		output_take(&l, stingy);
		n = len < piece ? len : piece;
		if (!l.ended)
			piece_say(&l, data, n);
	}
	delivery_lost(l.delivery, 0);
	events_take(&l);
	require(l.ended);
	for (i = 0; i < l.given; i++)
		require(l.told[i] == 1);
	delivery_free(l.delivery);
}

#endif
