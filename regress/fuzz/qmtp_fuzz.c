/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a QMTP server may say:
 *
 *	octet 0		size of a piece (0: 256)
 *	octet 1		bit 0: some output stays unsent while the server speaks
 *	the rest	what it says, piece by piece
 *
 * Each message has one event; the responses are those that a plain reading
 * of the whole finds.
 *
 * covers: lib/libserialmail/qmtp.c lib/libserialmail/qmtp_response.c
 * functions: length_take octet_take qmtp_response_take qmtp_receive
 * functions: qmtp_answer response_note text_add qmtp_end slot_event
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "qmtp.h"

#define LETTERS	50

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(int truth)
{
	if (!truth)
		abort();
}

struct state {
	struct delivery	*delivery;
	int		 given;
	int		 told[LETTERS];
	int		 ended;
	int		 results;
	char		 statuses[LETTERS];
};

/* The model: the statuses up to what makes no sense, or the end. */
static int
plain_read(const char *text, size_t len, char *statuses)
{
	size_t	at = 0, n, digits;
	int	count = 0;

	for (; count < LETTERS; at += n + 1) {
		for (n = digits = 0; at < len && text[at] >= '0' &&
		    text[at] <= '9' && n <= QMTP_RESPONSE_MAX; at++) {
			if (digits++ > 0 && n == 0)
				return (count);
			n = n * 10 + (size_t)(text[at] - '0');
		}
		if (at == len || text[at] != ':' || n == 0 ||
		    n > QMTP_RESPONSE_MAX)
			return (count);
		at++;
		if (len - at <= n || text[at + n] != ',' ||
		    memchr("KZD", text[at], 3) == NULL)
			return (count);
		statuses[count++] = text[at];
	}
	return (count);
}

static void
events_take(struct state *s)
{
	struct delivery_event	event;

	while (delivery_event(s->delivery, &event)) {
		require(!s->ended);
		if (event.what == DELIVERY_END) {
			s->ended = 1;
			continue;
		}
		require(s->told[(intptr_t)event.cookie]++ == 0);
		if (event.what == DELIVERY_RESULT) {
			require((intptr_t)event.cookie == s->results);
			s->statuses[s->results++] = (char)event.status;
		}
	}
}

static void
letters_give(struct state *s)
{
	static const char *const	joe[] = { "joe@x" };
	struct delivery_message		message;

	while (s->given < LETTERS && delivery_wants(s->delivery)) {
		memset(&message, 0, sizeof(message));
		message.sender = "";
		message.recipients = joe;
		message.nrecipients = 1;
		message.fd = -1;
		message.data = "x\n";
		message.len = 2;
		message.cookie = (void *)(intptr_t)s->given++;
		delivery_give(s->delivery, &message, 0);
		events_take(s);
	}
}

static void
output_take(struct state *s, int stingy)
{
	const char	*data;
	size_t		 n;

	n = delivery_output(s->delivery, &data);
	events_take(s);
	if (stingy && n > 3)
		n -= 3;
	if (n > 0 && !s->ended)
		delivery_sent(s->delivery, n, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char		 wanted[LETTERS], *copy;
	struct state	 s;
	size_t		 piece, n;
	int		 count, stingy;

	if (len < 2)
		return (0);
	memset(&s, 0, sizeof(s));
	piece = data[0] == 0 ? 256 : data[0];
	stingy = data[1] & 1;
	data += 2;
	len -= 2;
	count = plain_read((const char *)data, len, wanted);
	require((s.delivery = qmtp_new(NULL, 0)) != NULL);
	for (; len > 0 && !s.ended; data += n, len -= n) {
		letters_give(&s);
		output_take(&s, stingy);
		n = len < piece ? len : piece;
		require((copy = malloc(n)) != NULL);
		memcpy(copy, data, n);
		delivery_receive(s.delivery, copy, n, 0);
		free(copy);
		events_take(&s);
	}
	delivery_lost(s.delivery, 0);
	events_take(&s);
	require(s.ended && s.results <= count);
	/* All of it was sent before each piece, unless we were stingy. */
	if (!stingy && piece < 50 && count < LETTERS)
		require(s.results == count);
	require(memcmp(s.statuses, wanted, (size_t)s.results) == 0);
	for (n = 0; n < (size_t)s.given; n++)
		require(s.told[n] == 1);
	delivery_free(s.delivery);
	return (0);
}
