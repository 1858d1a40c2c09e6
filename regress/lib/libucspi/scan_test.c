/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Numbers and ports, with the surprises scripts depend on.
 */
#include <limits.h>
#include <stdio.h>

#include <atf-c.h>

#include "ucspi.h"

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	ATF_CHECK_EQ(0, ucspi_scan_ulong(""));
	ATF_CHECK_EQ(0, ucspi_scan_ulong("abc"));
	ATF_CHECK_EQ(0, ucspi_scan_ulong("-1"));
	ATF_CHECK_EQ(0, ucspi_scan_ulong("+1"));
	ATF_CHECK_EQ(0, ucspi_scan_ulong(" 1"));
	ATF_CHECK_EQ(0, ucspi_scan_ulong("0x10"));
	ATF_CHECK_EQ(5, ucspi_scan_ulong("5x"));
	ATF_CHECK_EQ(5, ucspi_scan_ulong("5 6"));
	ATF_CHECK_EQ(10, ucspi_scan_ulong("010"));
	ATF_CHECK_EQ(65536, ucspi_scan_ulong("0000000000000000000065536"));
}

ATF_TC_WITHOUT_HEAD(numbers_wrap);
ATF_TC_BODY(numbers_wrap, tc)
{
	char	text[64];

	(void)snprintf(text, sizeof(text), "%lu", ULONG_MAX);
	ATF_CHECK_EQ(ULONG_MAX, ucspi_scan_ulong(text));
	/* Ten times that and five, modulo ULONG_MAX + 1. */
	(void)snprintf(text, sizeof(text), "%lu5", ULONG_MAX);
	ATF_CHECK_EQ(ULONG_MAX * 10 + 5, ucspi_scan_ulong(text));
}

static long
port_of(const char *word)
{
	uint16_t	port = 12345;

	if (ucspi_port_find(word, &port) == -1)
		return (-1);
	return (port);
}

ATF_TC_WITHOUT_HEAD(ports);
ATF_TC_BODY(ports, tc)
{
	ATF_CHECK_EQ(0, port_of(""));
	ATF_CHECK_EQ(0, port_of("0"));
	ATF_CHECK_EQ(25, port_of("25"));
	ATF_CHECK_EQ(25, port_of("00025"));
	ATF_CHECK_EQ(65535, port_of("65535"));
	ATF_CHECK_EQ(0, port_of("65536"));
	ATF_CHECK_EQ(25, port_of("65561"));
	ATF_CHECK_EQ(-1, port_of("12x"));
	ATF_CHECK_EQ(-1, port_of("0x10"));
	ATF_CHECK_EQ(-1, port_of("-1"));
	ATF_CHECK_EQ(-1, port_of(" 25"));
	ATF_CHECK_EQ(-1, port_of("nosuchservice"));
}

ATF_TC_WITHOUT_HEAD(services);
ATF_TC_BODY(services, tc)
{
	if (port_of("smtp") == -1)
		atf_tc_skip("this system has no services database");
	ATF_CHECK_EQ(25, port_of("smtp"));
	ATF_CHECK_EQ(110, port_of("pop3"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, numbers_wrap);
	ATF_TP_ADD_TC(tp, ports);
	ATF_TP_ADD_TC(tp, services);
	return (atf_no_error());
}
