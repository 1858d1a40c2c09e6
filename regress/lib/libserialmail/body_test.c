/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Encoding of messages, and UTF-8: every short text of the octets that
 * matter, at every split, against a plain model.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "body.h"
#include "utf8.h"

#define LENGTH_MAX	7
#define OUT_SIZE	64

/* Line by line, each with an end of its own kind. */
static size_t
plain_encode(char *out, const char *text, size_t len, size_t *size)
{
	size_t	i = 0, line, n = 0, dots = 0;

	while (i < len) {
		if (text[i] == '.') {
			out[n++] = '.';
			dots++;
		}
		line = strcspn(text + i, "\r\n");
		memcpy(out + n, text + i, line);
		n += line;
		i += line;
		i += text[i] == '\r' && text[i + 1] == '\n' ? 2 : 1;
		out[n++] = '\r';
		out[n++] = '\n';
	}
	*size = n - dots;
	memcpy(out + n, ".\r\n", 3);
	return (n + 3);
}

/* Each piece in a block of its own size, so that ASan sees a step beyond. */
static size_t
piece_encode(struct body *b, char *out, const char *text, size_t len)
{
	char	*in = malloc(len + (len == 0)), *room = malloc(2 * len + (len == 0));
	size_t	 n;

	ATF_REQUIRE(in != NULL && room != NULL);
	memcpy(in, text, len);
	n = body_encode(b, room, in, len);
	ATF_REQUIRE(n <= 2 * len);
	memcpy(out, room, n);
	free(in);
	free(room);
	return (n);
}

static void
text_check(const char *text, size_t len)
{
	char		wanted[OUT_SIZE], out[OUT_SIZE];
	struct body	b, s;
	size_t		size, want, n, split, counted;

	want = plain_encode(wanted, text, len, &size);
	for (split = 0; split <= len; split++) {
		body_begin(&b);
		n = piece_encode(&b, out, text, split);
		n += piece_encode(&b, out + n, text + split, len - split);
		n += body_end(&b, out + n);
		ATF_REQUIRE_EQ(want, n);
		ATF_REQUIRE(memcmp(wanted, out, n) == 0);
		body_begin(&s);
		counted = body_size(&s, text, split);
		counted += body_size(&s, text + split, len - split);
		ATF_REQUIRE_EQ(size, counted + body_end_size(&s));
	}
}

/* No server may find an end of the message in it, whatever it takes for one. */
static void
smuggle_check(const char *text, size_t len)
{
	char		out[OUT_SIZE];
	struct body	b;
	size_t		i, n;

	body_begin(&b);
	n = body_encode(&b, out, text, len);
	n += body_end(&b, out + n);
	for (i = 0; i < n; i++) {
		ATF_REQUIRE(out[i] != '\r' || out[i + 1] == '\n');
		ATF_REQUIRE(out[i] != '\n' || (i > 0 && out[i - 1] == '\r'));
		ATF_REQUIRE(out[i] != '.' || (i > 0 && out[i - 1] != '\n') ||
		    i == n - 3 || out[i + 1] == '.');
	}
}

ATF_TC_WITHOUT_HEAD(every_text);
ATF_TC_BODY(every_text, tc)
{
	static const char	octets[] = "\r\n.a";
	char			text[LENGTH_MAX + 1];
	unsigned int		number, rest;
	size_t			len, i;

	for (len = 0; len <= LENGTH_MAX; len++)
	for (number = 0; number < 1U << (2 * len); number++) {
		for (rest = number, i = 0; i < len; i++, rest /= 4)
			text[i] = octets[rest % 4];
		text[len] = '\0';
		text_check(text, len);
		smuggle_check(text, len);
	}
}

static int
is_utf8(const char *text, size_t len)
{
	struct utf8	whole, split;
	size_t		i;

	memset(&whole, 0, sizeof(whole));
	utf8_take(&whole, text, len);
	for (i = 0; i <= len; i++) {
		memset(&split, 0, sizeof(split));
		utf8_take(&split, text, i);
		utf8_take(&split, text + i, len - i);
		ATF_REQUIRE_EQ(utf8_is(&whole), utf8_is(&split));
	}
	return (utf8_is(&whole));
}

/* The bounds of RFC 3629, section 4. */
ATF_TC_WITHOUT_HEAD(utf8);
ATF_TC_BODY(utf8, tc)
{
	static const char *const	good[] = {
		"\302\200", "\337\277", "\340\240\200", "\355\237\277",
		"\356\200\200", "\357\277\277", "\360\220\200\200",
		"\364\217\277\277", "a\303\274b"
	};
	static const char *const	bad[] = {
		"", "plain", "\200", "\300\200", "\301\277", "\303", "\303a",
		"\340\237\277", "\355\240\200", "\360\217\277\277",
		"\364\220\200\200", "\365\200\200\200", "\377",
		"\303\274\374", "\342\202"
	};
	size_t				i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ATF_CHECK_MSG(is_utf8(good[i], strlen(good[i])), "%zu", i);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ATF_CHECK_MSG(!is_utf8(bad[i], strlen(bad[i])), "%zu", i);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_text);
	ATF_TP_ADD_TC(tp, utf8);
	return (atf_no_error());
}
