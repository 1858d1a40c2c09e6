/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What an ident server says (RFC 1413 section 6), read the classic way:
 * blanks, tabs and CRs are nothing, what follows the third colon is the
 * answer, later colons included.  A line with fewer colons, such as an
 * error, is an empty answer.
 */
#include <string.h>

#include "ucspi_connect.h"

#define IDENT_COLONS	3

int
ident_reply_take(struct ident_reply *reply, const char *data, size_t len)
{
	for (; len > 0; data++, len--) {
		if (*data == '\n')
			return (1);
		if (++reply->seen > IDENT_REPLY_BYTES_MAX)
			return (-1);
		if (*data == ' ' || *data == '\t' || *data == '\r')
			continue;
		if (reply->colons < IDENT_COLONS) {
			reply->colons += *data == ':';
			continue;
		}
		reply->info[reply->info_len++] = *data;
		if (reply->info_len == sizeof(reply->info) - 1)
			return (1);
	}
	return (0);
}
