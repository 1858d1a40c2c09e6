/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Numbers as text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi.h"

static void
check(uint64_t n, unsigned int width, const char *wanted)
{
	char	buf[UCSPI_DECIMAL_SIZE + 2];
	size_t	len;

	memset(buf, '#', sizeof(buf));
	len = ucspi_decimal(buf + 1, n, width);
	ATF_REQUIRE(len <= UCSPI_DECIMAL_SIZE);
	ATF_CHECK_EQ('#', buf[0]);
	ATF_CHECK_EQ('#', buf[len + 1]);
	buf[len + 1] = '\0';
	ATF_CHECK_STREQ(wanted, buf + 1);
}

ATF_TC_WITHOUT_HEAD(widths);
ATF_TC_BODY(widths, tc)
{
	check(0, 1, "0");
	check(0, 2, "00");
	check(7, 2, "07");
	check(999, 2, "999");
	check(10, 4, "0010");
	check(UINT64_MAX, 1, "18446744073709551615");
	check(UINT64_MAX, UCSPI_DECIMAL_SIZE, "18446744073709551615");
	check(1, UCSPI_DECIMAL_SIZE, "00000000000000000001");
}

ATF_TC_WITHOUT_HEAD(like_stdio);
ATF_TC_BODY(like_stdio, tc)
{
	char		wanted[UCSPI_DECIMAL_SIZE + 1];
	uint64_t	n;
	int		i;

	for (n = 1, i = 0; i < 64; i++, n *= 2) {
		(void)snprintf(wanted, sizeof(wanted), "%" PRIu64, n);
		check(n, 1, wanted);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, widths);
	ATF_TP_ADD_TC(tp, like_stdio);
	return (atf_no_error());
}
