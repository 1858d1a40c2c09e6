/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Names between text and wire.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi_name.h"

static void
wire_check(const char *text, const char *wire, size_t len)
{
	uint8_t	buf[NAME_WIRE_SIZE];

	ATF_REQUIRE_EQ_MSG((int)len, name_wire_from_text(buf, text), "%s",
	    text);
	ATF_CHECK_EQ_MSG(0, memcmp(wire, buf, len), "%s", text);
	ATF_CHECK_EQ(len, name_wire_len(buf));
}

/* The literal's own NUL is the root label. */
#define WIRE(text, wire)	wire_check(text, wire, sizeof(wire))

ATF_TC_WITHOUT_HEAD(from_text);
ATF_TC_BODY(from_text, tc)
{
	WIRE("", "");
	WIRE(".", "");
	WIRE("..", "");
	WIRE("a", "\1a");
	WIRE("a.", "\1a");
	WIRE("a..", "\1a");
	WIRE(".a", "\1a");
	WIRE("a..b", "\1a\1b");
	WIRE("www.Example", "\3www\7Example");
	WIRE("a\\.b.c", "\3a.b\1c");
	WIRE("a\\052b", "\3a*b");
	WIRE("a\\52b", "\3a*b");
	WIRE("a\\0528", "\3a*8");
	WIRE("a\\8", "\2a8");
	WIRE("a\\056b", "\3a.b");
	WIRE("\\\\", "\1\\");
	WIRE("a\\", "\1a");
	WIRE("a\\777", "\2a\377");
	wire_check("a\\000b", "\3a\0b", 5);
}

static void
labels(char *text, unsigned int n, unsigned int last)
{
	while (n-- > 0) {
		memset(text, 'a', 63);
		text[63] = '.';
		text += 64;
	}
	memset(text, 'b', last);
	text[last] = '\0';
}

ATF_TC_WITHOUT_HEAD(bounds);
ATF_TC_BODY(bounds, tc)
{
	char	text[600];
	uint8_t	wire[NAME_WIRE_SIZE];

	labels(text, 0, 63);
	ATF_CHECK_EQ(65, name_wire_from_text(wire, text));
	labels(text, 0, 64);
	errno = 0;
	ATF_CHECK_EQ(-1, name_wire_from_text(wire, text));
	ATF_CHECK_EQ(EPROTO, errno);

	labels(text, 3, 61);
	ATF_CHECK_EQ(255, name_wire_from_text(wire, text));
	strlcat(text, ".", sizeof(text));
	ATF_CHECK_EQ(255, name_wire_from_text(wire, text));
	strlcat(text, "c", sizeof(text));
	ATF_CHECK_EQ(-1, name_wire_from_text(wire, text));
	labels(text, 3, 62);
	errno = 0;
	ATF_CHECK_EQ(-1, name_wire_from_text(wire, text));
	ATF_CHECK_EQ(EPROTO, errno);
	labels(text, 8, 63);
	ATF_CHECK_EQ(-1, name_wire_from_text(wire, text));
}

static void
text_check(const char *text, const char *wire)
{
	char	buf[NAME_TEXT_SIZE];

	name_wire_to_text(buf, (const uint8_t *)wire);
	ATF_CHECK_STREQ(text, buf);
}

ATF_TC_WITHOUT_HEAD(to_text);
ATF_TC_BODY(to_text, tc)
{
	uint8_t	wire[NAME_WIRE_SIZE];
	char	text[NAME_TEXT_SIZE];

	text_check(".", "");
	text_check("www.example", "\3WWW\7eXample");
	text_check("a-b_c.9", "\5A-b_c\1" "9");
	text_check("a\\056b.c", "\3a.b\1c");
	text_check("\\000\\040\\134\\377", "\4\0 \\\377\0");

	/* The longest there is: every byte escaped. */
	memset(wire, 0, sizeof(wire));
	wire[0] = wire[64] = wire[128] = 63;
	wire[192] = 61;
	name_wire_to_text(text, wire);
	ATF_CHECK_EQ(250 * 4 + 3, strlen(text));
	ATF_CHECK_EQ(255, name_wire_from_text(wire, text));
}

ATF_TC_WITHOUT_HEAD(round_trip);
ATF_TC_BODY(round_trip, tc)
{
	uint8_t	wire[NAME_WIRE_SIZE], back[NAME_WIRE_SIZE];
	char	text[NAME_TEXT_SIZE];
	int	byte;

	for (byte = 0; byte < 256; byte++) {
		memcpy(wire, "\3x?y\1z", 7);
		wire[2] = (uint8_t)byte;
		name_wire_to_text(text, wire);
		ATF_REQUIRE_EQ(7, name_wire_from_text(back, text));
		ATF_CHECK_MSG(name_wire_equal(wire, back), "byte %d: %s",
		    byte, text);
	}
}

ATF_TC_WITHOUT_HEAD(equal);
ATF_TC_BODY(equal, tc)
{
	const uint8_t	*a = (const uint8_t *)"\3aBc\1d";

	ATF_CHECK(name_wire_equal(a, (const uint8_t *)"\3AbC\1D"));
	ATF_CHECK(!name_wire_equal(a, (const uint8_t *)"\3aBc"));
	ATF_CHECK(!name_wire_equal((const uint8_t *)"\3aBc", a));
	ATF_CHECK(!name_wire_equal(a, (const uint8_t *)"\1a\3Bcd"));
	/* '[' and '{' differ by the same bit as letters do. */
	ATF_CHECK(!name_wire_equal((const uint8_t *)"\1[",
	    (const uint8_t *)"\1{"));
}

static void
reverse_check(const char *address, const char *text)
{
	struct netaddr	addr;
	uint8_t		wire[NAME_WIRE_SIZE];
	char		buf[NAME_TEXT_SIZE];

	ATF_REQUIRE(netaddr_parse(&addr, address) == 0);
	ATF_CHECK_EQ(strlen(text) + 2, (size_t)name_wire_from_addr(wire,
	    &addr));
	name_wire_to_text(buf, wire);
	ATF_CHECK_STREQ(text, buf);
}

ATF_TC_WITHOUT_HEAD(reverse);
ATF_TC_BODY(reverse, tc)
{
	reverse_check("1.20.255.0", "0.255.20.1.in-addr.arpa");
	reverse_check("255.255.255.255", "255.255.255.255.in-addr.arpa");
	reverse_check("::ffff:1.2.3.4", "4.3.2.1.in-addr.arpa");
	reverse_check("2001:db8::12:cafe",
	    "e.f.a.c.2.1.0.0.0.0.0.0.0.0.0.0."
	    "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, from_text);
	ATF_TP_ADD_TC(tp, bounds);
	ATF_TP_ADD_TC(tp, to_text);
	ATF_TP_ADD_TC(tp, round_trip);
	ATF_TP_ADD_TC(tp, equal);
	ATF_TP_ADD_TC(tp, reverse);
	return (atf_no_error());
}
