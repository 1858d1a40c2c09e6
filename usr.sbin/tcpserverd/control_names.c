/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Words and bounds that the engine and tcpserverctl(8) share.
 */
#include "control.h"

const struct control_name control_names[RESULT_MAX] = {
	[RESULT_ALLOWED_RULE] =		{ "allowed", "rule" },
	[RESULT_ALLOWED_DEFAULT] =	{ "allowed", "default" },
	[RESULT_CLOSED_RULE] =		{ "closed", "rule" },
	[RESULT_CLOSED_DEFAULT] =	{ "closed", "default" },
	[RESULT_DENIED_RULE] =		{ "denied", "rule" },
	[RESULT_DROPPED_ADDRESS] =	{ "dropped", "address" },
	[RESULT_DROPPED_BANNER] =	{ "dropped", "banner" },
	[RESULT_DROPPED_IP_OPTIONS] =	{ "dropped", "ip_options" },
	[RESULT_DROPPED_MEMORY] =	{ "dropped", "memory" },
	[RESULT_DROPPED_RULES] =	{ "dropped", "rules" },
	[RESULT_DROPPED_START] =	{ "dropped", "start" },
	[RESULT_FAILED_FORK] =		{ "failed", "fork" },
	[RESULT_FAILED_LOST] =		{ "failed", "lost" }
};

#define MS	UINT64_C(1000)
#define S	(1000 * MS)

/* 10 ms to a day: an HTTP answer, a mail, a night of someone's login. */
const uint64_t histogram_session_us[HISTOGRAM_BUCKETS - 1] = {
	10 * MS, 50 * MS, 100 * MS, 500 * MS, 1 * S, 5 * S, 10 * S, 30 * S,
	60 * S, 300 * S, 900 * S, 3600 * S, 4 * 3600 * S, 12 * 3600 * S,
	24 * 3600 * S
};

/* 100 us is ours alone; what waits for names or ident takes seconds. */
const uint64_t histogram_delay_us[HISTOGRAM_BUCKETS - 1] = {
	100, 250, 500, 1 * MS, 2500, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
	100 * MS, 500 * MS, 1 * S, 5 * S, 15 * S, 60 * S
};
