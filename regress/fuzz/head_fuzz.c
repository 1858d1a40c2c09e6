/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The beginning of a message, which may be anybody's:
 *
 *	octet 0		odd: recipients need the prefix "p-"
 *	the rest	the message
 *
 * Whatever is found must be fit for a command, must come from the lines that
 * are not sent, and must not depend on what follows them.
 *
 * covers: lib/libserialmail/head.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(int truth)
{
	if (!truth)
		abort();
}

static void
mailbox_check(const char *raw)
{
	char	back[4 * HEAD_BYTES_MAX], quoted[3 * HEAD_BYTES_MAX];
	ssize_t	len;
	size_t	i;

	require(mailbox_valid(raw, strlen(raw)));
	len = mailbox_quote(quoted, 2 * strlen(raw) + 3, raw);
	require(len >= 0 && (size_t)len == strlen(quoted));
	for (i = 0; quoted[i] != '\0'; i++)
		require((unsigned char)quoted[i] >= ' ' && quoted[i] != 0x7f);
	require(mailbox_unquote(back, quoted, (size_t)len) ==
	    (ssize_t)strlen(raw));
	require(strcmp(back, raw) == 0);
}

static void
head_check(const struct head *head, enum head_verdict verdict, size_t len)
{
	size_t	i;

	require(head->why != NULL);
	require((*head->why != '\0') == (verdict == HEAD_BAD));
	require((head->nrecipients > 0) == (verdict == HEAD_OK));
	if (verdict == HEAD_BAD)
		return;
	require(verdict == HEAD_OK || head->others > 0);
	require(head->body > 0 && head->body <= len);
	require(strlen(head->sender) <= HEAD_ADDRESS_BYTES_MAX);
	mailbox_check(head->sender);
	for (i = 0; i < head->nrecipients; i++) {
		require(*head->recipients[i] != '\0');
		require(strlen(head->recipients[i]) <=
		    HEAD_ADDRESS_BYTES_MAX);
		mailbox_check(head->recipients[i]);
	}
}

static enum head_verdict
copy_parse(struct head *head, const char *text, size_t len, const char *prefix)
{
	enum head_verdict	 verdict;
	char			*copy;

	if ((copy = malloc(len + 1)) == NULL)
		abort();
	memcpy(copy, text, len);
	copy = realloc(copy, len == 0 ? 1 : len);
	verdict = head_parse(head, copy, len, prefix);
	free(copy);
	return (verdict);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct head	 again, head;
	const char		*prefix, *text;
	enum head_verdict	 verdict;
	size_t			 i;

	if (len == 0)
		return (0);
	prefix = data[0] & 1 ? "p-" : "";
	text = (const char *)data + 1;
	len--;
	verdict = copy_parse(&head, text, len, prefix);
	head_check(&head, verdict, len);
	if (verdict == HEAD_BAD)
		return (0);
	require(copy_parse(&again, text, head.body, prefix) == verdict);
	require(again.body == head.body && again.others == head.others);
	require(strcmp(again.sender, head.sender) == 0);
	require(again.nrecipients == head.nrecipients);
	for (i = 0; i < head.nrecipients; i++)
		require(strcmp(again.recipients[i], head.recipients[i]) == 0);
	return (0);
}
