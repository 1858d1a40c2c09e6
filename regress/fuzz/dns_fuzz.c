/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a name server may send, and names as people and PTR records write
 * them.
 *
 *	octet 0		0 to 3: the rest is a message, in answer to a
 *			question of type A, AAAA, PTR, TXT for the name in
 *			the message's own question section, if that is one;
 *			else the rest is a name as text
 *
 * An answer must keep its own promises and be the same when read again; a
 * name must survive the way to text and back.
 *
 * covers: lib/libucspi/name_answer.c lib/libucspi/name_wire.c
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "ucspi_name.h"

#define MESSAGE_HEADER_BYTES	12
#define NAME_TEXT_BYTES		"abcdefghijklmnopqrstuvwxyz0123456789-_.\\"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint16_t types[] = {
	NAME_TYPE_A, NAME_TYPE_AAAA, NAME_TYPE_PTR, NAME_TYPE_TXT
};

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* The name in the question section, if it is there and uncompressed. */
static void
question_name(uint8_t *wire, const uint8_t *data, size_t len)
{
	size_t	at, n = 0;

	memcpy(wire, "\1q", 3);
	for (at = MESSAGE_HEADER_BYTES; at < len; at += (size_t)data[at] + 1) {
		n += (size_t)data[at] + 1;
		if (data[at] > 63 || n > 255 ||
		    MESSAGE_HEADER_BYTES + n > len)
			return;
		if (data[at] == 0) {
			memcpy(wire, data + MESSAGE_HEADER_BYTES, n);
			return;
		}
	}
}

static void
name_check(const char *text)
{
	uint8_t	wire[NAME_WIRE_SIZE];
	char	back[NAME_TEXT_SIZE];
	int	len;

	require(text[strspn(text, NAME_TEXT_BYTES)] == '\0');
	len = name_wire_from_text(wire, text);
	require(len > 0 && len < NAME_WIRE_SIZE);
	require(name_wire_len(wire) == (size_t)len);
	name_wire_to_text(back, wire);
	require(strcmp(text, back) == 0);
}

static void
answer_check(const struct name_answer *a, uint16_t type)
{
	unsigned int	i;

	if (a->error != 0)
		require(a->count == 0 && a->name[0] == '\0' &&
		    a->text_len == 0);
	require(memchr(a->name, '\0', sizeof(a->name)) != NULL);
	require(a->text_len < sizeof(a->text) && a->text[a->text_len] == '\0');
	if (type == NAME_TYPE_PTR) {
		require(a->count <= 1 && (a->count == 0) ==
		    (a->name[0] == '\0'));
		if (a->count > 0)
			name_check(a->name);
	} else
		require(a->name[0] == '\0');
	if (type != NAME_TYPE_A && type != NAME_TYPE_AAAA)
		return;
	require(a->count <= NAME_ADDRS_MAX);
	for (i = 0; i < a->count; i++)
		require(a->addr[i].family == (type == NAME_TYPE_A ? AF_INET :
		    AF_INET6));
}

static void
message_fuzz(const uint8_t *data, size_t len, uint16_t type)
{
	static struct name_answer	answer, again;
	uint8_t				wire[NAME_WIRE_SIZE];

	memset(wire, 0, sizeof(wire));
	question_name(wire, data, len);
	memset(&answer, 0xff, sizeof(answer));
	name_answer_read(&answer, data, len, wire, type);
	answer_check(&answer, type);
	name_answer_read(&again, data, len, wire, type);
	require(memcmp(&answer, &again, sizeof(answer)) == 0);
}

static void
text_fuzz(const uint8_t *data, size_t len)
{
	struct netaddr	addr[4];
	uint8_t		back[NAME_WIRE_SIZE], wire[NAME_WIRE_SIZE];
	char		text[NAME_TEXT_SIZE], *word;
	int		n;

	if ((word = malloc(len + 1)) == NULL)
		return;
	memcpy(word, data, len);
	word[len] = '\0';
	require(name_literal(word, addr, 4) <= 4);
	if ((n = name_wire_from_text(wire, word)) != -1) {
		require(n > 0 && n < NAME_WIRE_SIZE);
		name_wire_to_text(text, wire);
		require(name_wire_from_text(back, text) == n);
		require(name_wire_equal(wire, back));
	}
	free(word);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return (0);
	if (data[0] < sizeof(types) / sizeof(types[0]))
		message_fuzz(data + 1, len - 1, types[data[0]]);
	else
		text_fuzz(data + 1, len - 1);
	return (0);
}
