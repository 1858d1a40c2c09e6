/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What an ident server may send, in pieces the input chooses:
 *
 *	octet 0		size of a piece (0: 256)
 *	the rest	the bytes
 *
 * The result must be what a plain reading of the whole finds.
 *
 * covers: lib/libucspi/ident_reply.c
 */
#include <stdlib.h>
#include <string.h>

#include "ucspi_connect.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* The model: fills info, returns what ident_reply_take() should say. */
static int
plain_read(const char *text, size_t len, char *info)
{
	size_t	i, n = 0;
	int	colons = 0;

	memset(info, 0, IDENT_INFO_SIZE);
	for (i = 0; i < len; i++) {
		if (text[i] == '\n')
			return (1);
		if (i == IDENT_REPLY_BYTES_MAX)
			return (-1);
		if (strchr(" \t\r", text[i]) != NULL && text[i] != '\0')
			continue;
		if (colons == 3) {
			info[n++] = text[i];
			if (n == 257)
				return (1);
		} else if (text[i] == ':')
			colons++;
	}
	return (0);
}

static int
pieces_take(struct ident_reply *reply, const char *text, size_t len,
    size_t piece)
{
	char	*copy;
	size_t	 n;
	int	 result = 0;

	memset(reply, 0, sizeof(*reply));
	for (; result == 0 && len > 0; text += n, len -= n) {
		n = len < piece ? len : piece;
		if ((copy = malloc(n)) == NULL)
			abort();
		memcpy(copy, text, n);
		result = ident_reply_take(reply, copy, n);
		free(copy);
	}
	return (result);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct ident_reply	reply;
	char				info[IDENT_INFO_SIZE];
	const char			*text;
	int				wanted;

	if (len == 0)
		return (0);
	text = (const char *)data + 1;
	wanted = plain_read(text, len - 1, info);
	require(pieces_take(&reply, text, len - 1,
	    data[0] == 0 ? 256 : data[0]) == wanted);
	require(memcmp(info, reply.info, sizeof(info)) == 0);
	return (0);
}
