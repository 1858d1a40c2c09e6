/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Addresses: text, socket addresses, and the mapped forms between them.
 */
#include <netinet/in.h>
#include <arpa/inet.h>

#include <errno.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi.h"

static void
text_check(const char *word, const char *wanted, int family)
{
	struct netaddr	addr;
	char		buf[NETADDR_TEXT_SIZE];

	memset(&addr, 0xff, sizeof(addr));
	ATF_REQUIRE_MSG(netaddr_parse(&addr, word) == 0, "%s", word);
	ATF_CHECK_EQ(family, addr.family);
	ATF_CHECK_STREQ(wanted, netaddr_text(&addr, buf));
}

static void
refused(const char *word)
{
	struct netaddr	addr;

	ATF_CHECK_MSG(netaddr_parse(&addr, word) == -1, "%s", word);
}

ATF_TC_WITHOUT_HEAD(text);
ATF_TC_BODY(text, tc)
{
	text_check("127.0.0.1", "127.0.0.1", AF_INET);
	text_check("255.255.255.255", "255.255.255.255", AF_INET);
	text_check("::1", "::1", AF_INET6);
	text_check("::", "::", AF_INET6);
	text_check("[2001:DB8:0:0:1:0:0:1]", "2001:db8::1:0:0:1", AF_INET6);
	text_check("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", AF_INET6);
	text_check("::ffff:192.0.2.1", "192.0.2.1", AF_INET);
	text_check("[::ffff:c000:201]", "192.0.2.1", AF_INET);
	text_check("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6);
	refused("");
	refused("[]");
	refused("[::1");
	refused("::1]");
	refused("[127.0.0.1]");
	refused("127.1");
	refused("1.2.3.4.5");
	refused("fe80::1%lo");
	refused("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255:ffff:ffff:1");
}

ATF_TC_WITHOUT_HEAD(v4);
ATF_TC_BODY(v4, tc)
{
	struct netaddr		 addr, back;
	struct sockaddr_storage	 ss;
	struct sockaddr_in	 sin;
	uint16_t		 port;

	ATF_REQUIRE(netaddr_parse(&addr, "192.0.2.7") == 0);
	ATF_CHECK_EQ(sizeof(sin), netaddr_to_sockaddr(&addr, 4660, AF_UNSPEC,
	    &ss));
	memcpy(&sin, &ss, sizeof(sin));
	ATF_CHECK_EQ(AF_INET, sin.sin_family);
	ATF_CHECK_EQ(htons(4660), sin.sin_port);
	ATF_CHECK_EQ(htonl(0xc0000207), sin.sin_addr.s_addr);
	memset(&back, 0xff, sizeof(back));
	ATF_REQUIRE(netaddr_from_sockaddr(&back, &port, &ss) == 0);
	ATF_CHECK_EQ(4660, port);
	ATF_CHECK_EQ(0, memcmp(&addr, &back, sizeof(addr)));
}

ATF_TC_WITHOUT_HEAD(mapped);
ATF_TC_BODY(mapped, tc)
{
	struct netaddr		 addr, back;
	struct sockaddr_storage	 ss;
	struct sockaddr_in6	 sin6;
	char			 buf[INET6_ADDRSTRLEN];
	uint16_t		 port;

	ATF_REQUIRE(netaddr_parse(&addr, "192.0.2.7") == 0);
	ATF_CHECK_EQ(sizeof(sin6), netaddr_to_sockaddr(&addr, 25, AF_INET6,
	    &ss));
	memcpy(&sin6, &ss, sizeof(sin6));
	ATF_CHECK_STREQ("::ffff:192.0.2.7", inet_ntop(AF_INET6,
	    &sin6.sin6_addr, buf, sizeof(buf)));
	ATF_REQUIRE(netaddr_from_sockaddr(&back, &port, &ss) == 0);
	ATF_CHECK_EQ(25, port);
	ATF_CHECK_EQ(0, memcmp(&addr, &back, sizeof(addr)));
}

ATF_TC_WITHOUT_HEAD(v6);
ATF_TC_BODY(v6, tc)
{
	struct netaddr		 addr, back;
	struct sockaddr_storage	 ss;
	uint16_t		 port;

	ATF_REQUIRE(netaddr_parse(&addr, "fe80::1") == 0);
	addr.scope = 7;
	/* An IPv6 address stays one, whatever family is asked for. */
	ATF_CHECK_EQ(sizeof(struct sockaddr_in6),
	    netaddr_to_sockaddr(&addr, 113, AF_INET, &ss));
	ATF_REQUIRE(netaddr_from_sockaddr(&back, &port, &ss) == 0);
	ATF_CHECK_EQ(113, port);
	ATF_CHECK_EQ(7, back.scope);
	ATF_CHECK_EQ(0, memcmp(&addr, &back, sizeof(addr)));
}

ATF_TC_WITHOUT_HEAD(other_family);
ATF_TC_BODY(other_family, tc)
{
	struct netaddr		addr;
	struct sockaddr_storage	ss;
	uint16_t		port;

	memset(&ss, 0, sizeof(ss));
	ss.ss_family = AF_UNIX;
	errno = 0;
	ATF_CHECK_EQ(-1, netaddr_from_sockaddr(&addr, &port, &ss));
	ATF_CHECK_EQ(EAFNOSUPPORT, errno);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, text);
	ATF_TP_ADD_TC(tp, v4);
	ATF_TP_ADD_TC(tp, mapped);
	ATF_TP_ADD_TC(tp, v6);
	ATF_TP_ADD_TC(tp, other_family);
	return (atf_no_error());
}
