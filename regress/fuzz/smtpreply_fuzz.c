/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What an SMTP server may say to a client that has messages to send, as
 * letters.h reads it.
 *
 * A message is accepted only if there was a line that begins with a 2 after
 * its dot was sent.  No CR or LF of the output stands alone.
 *
 * covers: lib/libserialmail/smtp.c
 */
#include "letters.h"
#include "smtp.h"

#define LETTERS	5

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const	one[] = { "c@d" };
static const char *const	three[] = { "c@d", "e f@g", "j\303\274@h" };
static const char *const	texts[LETTERS] = {
	"Subject: x\n\nhello\n", "\303\274: \n\n.\n.\r.\r\n\r", "", "x\ny",
	"Subject: \374\n\n\377\n"
};

static struct {
	int	dots;		/* final dots that were sent */
	int	twos;		/* lines of the server with a 2 */
	int	accepted;
	char	last;		/* octet sent */
	int	line;		/* length of the line sent */
	int	dot;		/* it is a lone dot */
} state;

static void
letter_write(struct delivery_message *message, int number)
{
	message->sender = number == 1 ? "" : "a b@x";
	message->recipients = number == 3 ? three : one;
	message->nrecipients = number == 3 ? 3 : 1;
	message->data = texts[number];
	message->len = (off_t)strlen(texts[number]);
}

static void
result_check(const struct delivery_event *event)
{
	if (event->status == DELIVERY_ACCEPTED)
		state.accepted++;
	require(state.accepted <= state.dots && state.accepted <= state.twos);
	require(strlen(event->text) < 9000);
}

static void
octet_hear(char c)
{
	require((state.last == '\r') == (c == '\n'));
	if (c == '\n') {
		state.dots += state.dot;
		state.line = state.dot = 0;
	} else if (c != '\r') {
		state.dot = state.line == 0 && c == '.';
		state.line++;
	}
	state.last = c;
}

static void
output_hear(const char *data, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		octet_hear(data[i]);
}

static void
twos_count(const char *data, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		state.twos += data[i] == '2';
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct letters_target	target = {
		LETTERS, 1, letter_write, result_check, output_hear, twos_count
	};
	static const struct smtp_config		config = { "me", 0, NULL };

	if (len < 2)
		return (0);
	memset(&state, 0, sizeof(state));
	letters_run(&target, smtp_new(&config, 0), data, len);
	return (0);
}
