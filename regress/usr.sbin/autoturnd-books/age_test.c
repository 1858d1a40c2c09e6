/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Clocks that jump must not send mail back.
 */
#include <atf-c.h>

#include "world.h"

#define START	1800000000
#define DAY	86400

ATF_TC(clock_goes);
ATF_TC_HEAD(clock_goes, tc)
{
	atf_tc_set_md_var(tc, "descr", "a clock that goes is believed");
}
ATF_TC_BODY(clock_goes, tc)
{
	log_init("test", "age", 1);
	ATF_REQUIRE_EQ(START, age_at(START, 5000));
	ATF_REQUIRE_EQ(START + 1, age_at(START + 1, 6000));
	/* A clock that is set by some minutes, either way. */
	ATF_REQUIRE_EQ(START + 600, age_at(START + 600, 7000));
	ATF_REQUIRE_EQ(START - 600, age_at(START - 600, 8000));
	/* An hour and a second pass. */
	ATF_REQUIRE_EQ(START + 3001, age_at(START + 3001, 3609000));
}

ATF_TC(jump_ahead);
ATF_TC_HEAD(jump_ahead, tc)
{
	atf_tc_set_md_var(tc, "descr", "a jump ahead is believed later");
}
ATF_TC_BODY(jump_ahead, tc)
{
	const time_t	far = START + 365 * DAY;

	log_init("test", "age", 1);
	ATF_REQUIRE_EQ(START, age_at(START, 0));
	ATF_REQUIRE_EQ(START + 10, age_at(far, 10000));
	ATF_REQUIRE_EQ(START + AGE_DOUBT_S + 9,
	    age_at(far + AGE_DOUBT_S, (AGE_DOUBT_S + 9) * 1000));
	ATF_REQUIRE_EQ(far + AGE_DOUBT_S + 1,
	    age_at(far + AGE_DOUBT_S + 1, (AGE_DOUBT_S + 10) * 1000));
}

ATF_TC(jump_and_back);
ATF_TC_HEAD(jump_and_back, tc)
{
	atf_tc_set_md_var(tc, "descr", "a clock that was wrong for a while");
}
ATF_TC_BODY(jump_and_back, tc)
{
	const time_t	far = START + 365 * DAY;

	log_init("test", "age", 1);
	ATF_REQUIRE_EQ(START, age_at(START, 0));
	ATF_REQUIRE_EQ(START + 10, age_at(far, 10000));
	ATF_REQUIRE_EQ(START + 20, age_at(START + 20, 20000));
	/* The doubt begins anew with the next jump. */
	ATF_REQUIRE_EQ(START + AGE_DOUBT_S + 15,
	    age_at(far, (AGE_DOUBT_S + 15) * 1000));
	/* And with one that goes still further. */
	ATF_REQUIRE_EQ(START + 2 * AGE_DOUBT_S,
	    age_at(far + 10 * DAY, 2 * AGE_DOUBT_S * 1000));
	ATF_REQUIRE_EQ(START + 2 * AGE_DOUBT_S + 100,
	    age_at(far + 10 * DAY + 100,
	    (2 * AGE_DOUBT_S + 100) * (int64_t)1000));
}

ATF_TC(jump_back);
ATF_TC_HEAD(jump_back, tc)
{
	atf_tc_set_md_var(tc, "descr", "a jump back makes nothing old");
}
ATF_TC_BODY(jump_back, tc)
{
	log_init("test", "age", 1);
	ATF_REQUIRE_EQ(START, age_at(START, 0));
	ATF_REQUIRE_EQ(START - 100 * DAY, age_at(START - 100 * DAY, 1000));
	/* Set right again: that is a jump ahead. */
	ATF_REQUIRE_EQ(START - 100 * DAY + 1, age_at(START, 2000));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, clock_goes);
	ATF_TP_ADD_TC(tp, jump_ahead);
	ATF_TP_ADD_TC(tp, jump_and_back);
	ATF_TP_ADD_TC(tp, jump_back);
	return (atf_no_error());
}
