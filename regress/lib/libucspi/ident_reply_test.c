/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reading ident replies: at every split the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi_connect.h"

/* Feeds text in pieces of that size, each in a block of its own size. */
static int
feed(struct ident_reply *reply, const char *text, size_t len, size_t piece)
{
	char	*copy;
	size_t	 n;
	int	 result = 0;

	memset(reply, 0, sizeof(*reply));
	for (; result == 0 && len > 0; text += n, len -= n) {
		n = len < piece ? len : piece;
		ATF_REQUIRE((copy = malloc(n)) != NULL);
		memcpy(copy, text, n);
		result = ident_reply_take(reply, copy, n);
		free(copy);
	}
	return (result);
}

static void
check(const char *text, int wanted, const char *info)
{
	struct ident_reply	reply;
	size_t			piece;

	for (piece = 1; piece <= strlen(text); piece++) {
		ATF_CHECK_EQ_MSG(wanted, feed(&reply, text, strlen(text),
		    piece), "%s in pieces of %zu", text, piece);
		ATF_CHECK_STREQ(info, reply.info);
	}
}

ATF_TC_WITHOUT_HEAD(replies);
ATF_TC_BODY(replies, tc)
{
	check("6193, 23 : USERID : UNIX : stjohns\r\n", 1, "stjohns");
	check("1,2:USERID:UNIX:joe\n", 1, "joe");
	check("1,2:USERID:UNIX:joe\njack\n", 1, "joe");
	check("1,2:USERID:UNIX: a b\tc\r:d: \n", 1, "abc:d:");
	check("1,2:USERID:OTHER , US-ASCII:x\n", 1, "x");
	check("1,2:ERROR:HIDDEN-USER\r\n", 1, "");
	check("1,2:ERROR:X-FOO:bar\n", 1, "bar");
	check("\n", 1, "");
	check(":::\n", 1, "");
	check("::::\n", 1, ":");
	check("no end", 0, "");
	check("1,2:USERID:UNIX:joe", 0, "joe");
}

ATF_TC_WITHOUT_HEAD(bounds);
ATF_TC_BODY(bounds, tc)
{
	struct ident_reply	reply;
	char			text[8192];
	size_t			len;

	memset(text, 'x', sizeof(text));
	memcpy(text, ":::", 3);
	ATF_CHECK_EQ(0, feed(&reply, text, 3 + 256, 100));
	ATF_CHECK_EQ(1, feed(&reply, text, 3 + 257, 100));
	ATF_CHECK_EQ(1, feed(&reply, text, sizeof(text), sizeof(text)));
	ATF_CHECK_EQ(257, strlen(reply.info));

	/* A line without colons, or of nothing but blanks, ends as well. */
	memset(text, 'x', sizeof(text));
	ATF_CHECK_EQ(0, feed(&reply, text, IDENT_REPLY_BYTES_MAX, 77));
	ATF_CHECK_EQ(-1, feed(&reply, text, IDENT_REPLY_BYTES_MAX + 1, 77));
	memset(text, ' ', sizeof(text));
	memcpy(text, ":::", 3);
	ATF_CHECK_EQ(-1, feed(&reply, text, sizeof(text), 77));
	text[IDENT_REPLY_BYTES_MAX] = '\n';
	for (len = 1; len < 100; len++)
		ATF_CHECK_EQ(1, feed(&reply, text, sizeof(text), len));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, replies);
	ATF_TP_ADD_TC(tp, bounds);
	return (atf_no_error());
}
