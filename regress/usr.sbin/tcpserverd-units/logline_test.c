/*
 * The part of the log lines that names both ends: spec/ucspi-tcp.md, "ok".
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "tcpserverd.h"

static struct netaddr	local, remote;

static const char *
line(const char *lname, const char *rname, const char *info)
{
	static char	*buf;
	struct logline	 l = { &local, &remote, lname, rname, info, 25, 65535 };
	size_t		 len;

	/* Of just the promised size, for the sanitizer. */
	free(buf);
	ATF_REQUIRE((buf = malloc(LOGLINE_SIZE)) != NULL);
	len = logline_peers(buf, &l);
	ATF_REQUIRE(len > 0 && len < LOGLINE_SIZE);
	ATF_CHECK_EQ('\n', buf[len - 1]);
	ATF_CHECK(memchr(buf, '\n', len) == buf + len - 1);
	buf[len - 1] = '\0';
	return (buf);
}

static void
addresses(const char *l, const char *r)
{
	ATF_REQUIRE(netaddr_parse(&local, l) == 0);
	ATF_REQUIRE(netaddr_parse(&remote, r) == 0);
}

ATF_TC_WITHOUT_HEAD(known_and_unknown);
ATF_TC_BODY(known_and_unknown, tc)
{
	addresses("192.0.2.1", "198.51.100.255");
	ATF_CHECK_STREQ(":192.0.2.1:25 :198.51.100.255::65535",
	    line(NULL, NULL, NULL));
	ATF_CHECK_STREQ("a:192.0.2.1:25 b:198.51.100.255:c:65535",
	    line("a", "b", "c"));
	/* Empty and unknown look the same, as they did. */
	ATF_CHECK_STREQ(":192.0.2.1:25 :198.51.100.255::65535",
	    line("", "", ""));
}

ATF_TC_WITHOUT_HEAD(six);
ATF_TC_BODY(six, tc)
{
	addresses("2001:db8::1", "fe80:1111:2222:3333:4444:5555:6666:7777");
	ATF_CHECK_STREQ("l:2001:db8::1:25 "
	    "r:fe80:1111:2222:3333:4444:5555:6666:7777::65535",
	    line("l", "r", NULL));
}

/* In front of a "." of each length the field is whole; from 100 on cut. */
ATF_TC_WITHOUT_HEAD(a_hundred_bytes);
ATF_TC_BODY(a_hundred_bytes, tc)
{
	char	name[2000], expected[512];
	size_t	n;

	addresses("192.0.2.1", "198.51.100.2");
	for (n = 0; n < sizeof(name); n += n < 110 ? 1 : 300) {
		memset(name, 'x', n);
		name[n] = '\0';
		snprintf(expected, sizeof(expected), "%.*s%s:192.0.2.1:25 "
		    "%.*s%s:198.51.100.2:%.*s%s:65535",
		    (int)(n < 100 ? n : 100), name, n < 100 ? "" : "...",
		    (int)(n < 100 ? n : 100), name, n < 100 ? "" : "...",
		    (int)(n < 100 ? n : 100), name, n < 100 ? "" : "...");
		ATF_CHECK_STREQ(expected, line(name, name, name));
	}
}

ATF_TC_WITHOUT_HEAD(every_byte);
ATF_TC_BODY(every_byte, tc)
{
	char	name[4], expected[128];
	int	c, shown;

	addresses("192.0.2.1", "198.51.100.2");
	for (c = 1; c < 256; c++) {
		snprintf(name, sizeof(name), "a%cb", c);
		shown = c >= 33 && c <= 126 && c != '%' && c != ':' ? c : '?';
		snprintf(expected, sizeof(expected), "a%cb:192.0.2.1:25 "
		    "a%cb:198.51.100.2:a%cb:65535", shown, shown, shown);
		ATF_CHECK_STREQ(expected, line(name, name, name));
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, known_and_unknown);
	ATF_TP_ADD_TC(tp, six);
	ATF_TP_ADD_TC(tp, a_hundred_bytes);
	ATF_TP_ADD_TC(tp, every_byte);
	return (atf_no_error());
}
