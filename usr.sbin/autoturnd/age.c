/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The time by which messages get old.  A clock that has jumped a year ahead,
 * as after a battery's end or a wrong time server, would send every customer's
 * mail back to its senders: so a jump is believed an hour later only, and
 * until then the time goes on as it was.
 */
#include <time.h>

#include "queue.h"

struct age {
	int	known;
	int64_t	offset_s;	/* believed: clock minus monotonic clock */
	int64_t	doubted_s;	/* another one that was seen */
	int64_t	since_ms;	/* since then; only while they differ */
	int	doubting;
};

static struct age	age;

/* Slow changes, and all that make messages younger, are believed. */
static void
age_believe(int64_t offset_s)
{
	if (age.doubting)
		log_info("the clock's new time is used to tell how old "
		    "messages are");
	age.known = 1;
	age.doubting = 0;
	age.offset_s = offset_s;
}

static void
age_doubt(int64_t offset_s, int64_t mono_ms)
{
	if (age.doubting && offset_s - age.doubted_s <= AGE_JUMP_S)
		return;
	log_warnx("the clock has jumped forward by %lld seconds: for the next "
	    "%d nothing is sent back because of its age by the new time",
	    (long long)(offset_s - age.offset_s), AGE_DOUBT_S);
	age.doubting = 1;
	age.doubted_s = offset_s;
	age.since_ms = mono_ms;
}

time_t
age_at(time_t wall, int64_t mono_ms)
{
	int64_t	offset_s = (int64_t)wall - mono_ms / 1000;

	if (!age.known || offset_s - age.offset_s <= AGE_JUMP_S)
		age_believe(offset_s);
	else
		age_doubt(offset_s, mono_ms);
	if (age.doubting &&
	    mono_ms - age.since_ms >= (int64_t)AGE_DOUBT_S * 1000)
		age_believe(offset_s);
	return ((time_t)(age.offset_s + mono_ms / 1000));
}

time_t
age_now(void)
{
	return (age_at(time(NULL), clock_ms()));
}
