/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a QMTP server may say, as letters.h reads it.
 *
 * The responses are those that a plain reading of the whole finds.
 *
 * covers: lib/libserialmail/qmtp.c lib/libserialmail/qmtp_response.c
 * functions: length_take octet_take qmtp_response_take qmtp_receive
 * functions: qmtp_answer response_note text_add qmtp_end slot_event
 */
#include "letters.h"
#include "qmtp.h"

#define LETTERS	50

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char	statuses[LETTERS];	/* of the results, in order */
static int	results;

/* The model: the statuses up to what makes no sense, or the end. */
static int
plain_read(const char *text, size_t len, char *found)
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
		found[count++] = text[at];
	}
	return (count);
}

static void
letter_write(struct delivery_message *message, int number)
{
	static const char *const	joe[] = { "joe@x" };

	message->sender = "";
	message->recipients = joe;
	message->nrecipients = 1;
	message->data = "x\n";
	message->len = 2;
}

static void
result_note(const struct delivery_event *event)
{
	require((intptr_t)event->cookie == results);
	statuses[results++] = (char)event->status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct letters_target	target = {
		LETTERS, 0, letter_write, result_note, NULL, NULL
	};
	char					wanted[LETTERS];
	int					count, stingy;

	if (len < 2)
		return (0);
	results = 0;
	count = plain_read((const char *)data + 2, len - 2, wanted);
	letters_run(&target, qmtp_new(NULL, 0), data, len);
	require(results <= count);
	/* All of it was sent before each piece, unless we were stingy. */
	stingy = data[1] & 1;
	if (!stingy && data[0] > 0 && data[0] < 50 && count < LETTERS)
		require(results == count);
	require(memcmp(statuses, wanted, (size_t)results) == 0);
	return (0);
}
