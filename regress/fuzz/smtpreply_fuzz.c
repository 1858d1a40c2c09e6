/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What an SMTP server may say to a client that has messages to send:
 *
 *	octet 0		size of a piece (0: 256)
 *	octet 1		bit 0: some output stays unsent while the server speaks
 *	the rest	what it says, piece by piece
 *
 * Each message has one event, and is accepted only if there was a line that
 * begins with a 2 after its dot was sent.  No CR or LF of the output stands
 * alone.
 *
 * covers: lib/libserialmail/smtp.c
 */
#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "smtp.h"

#define LETTERS	5

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const	one[] = { "c@d" };
static const char *const	three[] = { "c@d", "e f@g", "j\303\274@h" };
static const char *const	texts[LETTERS] = {
	"Subject: x\n\nhello\n", "\303\274: \n\n.\n.\r.\r\n\r", "", "x\ny",
	"Subject: \374\n\n\377\n"
};

struct state {
	struct delivery	*delivery;
	int		 given;
	int		 told[LETTERS];
	int		 ended;
	int		 dots;		/* final dots that were sent */
	int		 twos;		/* lines of the server with a 2 */
	int		 accepted;
	char		 last;		/* octet sent */
	int		 line;		/* length of the line sent */
	int		 dot;		/* it is a lone dot */
};

static void
require(int truth)
{
	if (!truth)
		abort();
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
		if (event.what == DELIVERY_RESULT &&
		    event.status == DELIVERY_ACCEPTED)
			s->accepted++;
		require(strlen(event.text) < 9000);
	}
}

static void
octet_hear(struct state *s, char c)
{
	require((s->last == '\r') == (c == '\n'));
	if (c == '\n') {
		s->dots += s->dot;
		s->line = s->dot = 0;
	} else if (c != '\r') {
		s->dot = s->line == 0 && c == '.';
		s->line++;
	}
	s->last = c;
}

static void
output_take(struct state *s, int stingy)
{
	const char	*data;
	size_t		 i, n;

	n = delivery_output(s->delivery, &data);
	events_take(s);
	if (stingy && n > 3)
		n -= 3;
	for (i = 0; i < n && !s->ended; i++)
		octet_hear(s, data[i]);
	if (n > 0 && !s->ended)
		delivery_sent(s->delivery, n, 0);
}

static void
letters_give(struct state *s)
{
	struct delivery_message	message;

	while (s->given < LETTERS && delivery_wants(s->delivery)) {
		memset(&message, 0, sizeof(message));
		message.sender = s->given == 1 ? "" : "a b@x";
		message.recipients = s->given == 3 ? three : one;
		message.nrecipients = s->given == 3 ? 3 : 1;
		message.fd = -1;
		message.data = texts[s->given];
		message.len = (off_t)strlen(texts[s->given]);
		message.cookie = (void *)(intptr_t)s->given++;
		delivery_give(s->delivery, &message, 0);
		events_take(s);
	}
	if (s->given == LETTERS)
		delivery_finish(s->delivery, 0);
}

static void
piece_say(struct state *s, const uint8_t *data, size_t len)
{
	char	*copy = malloc(len);
	size_t	 i;

	require(copy != NULL);
	memcpy(copy, data, len);
	for (i = 0; i < len; i++)
		s->twos += copy[i] == '2';
	delivery_receive(s->delivery, copy, len, 0);
	free(copy);
	events_take(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct smtp_config	config = { "me", 0, NULL };
	struct state			s;
	size_t				piece, n;
	int				i, stingy;

	if (len < 2)
		return (0);
	memset(&s, 0, sizeof(s));
	piece = data[0] == 0 ? 256 : data[0];
	stingy = data[1] & 1;
	require((s.delivery = smtp_new(&config, 0)) != NULL);
	for (data += 2, len -= 2; len > 0 && !s.ended; data += n, len -= n) {
		letters_give(&s);
		output_take(&s, stingy);
		n = len < piece ? len : piece;
		if (!s.ended)
			piece_say(&s, data, n);
		require(s.accepted <= s.dots && s.accepted <= s.twos);
	}
	delivery_lost(s.delivery, 0);
	events_take(&s);
	require(s.ended);
	for (i = 0; i < s.given; i++)
		require(s.told[i] == 1);
	delivery_free(s.delivery);
	return (0);
}
