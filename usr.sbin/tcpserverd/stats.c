/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the engine counts of each service.
 */
#include <sys/wait.h>

#include <errno.h>
#include <time.h>

#include "engine.h"

void
stats_init(struct service *sv)
{
	sv->stats.since = time(NULL);
}

void
stats_accepted(struct service *sv)
{
	sv->stats.accepted++;
}

/* Some of the times are a launcher's word. */
static void
histogram_add(struct histogram *h, const uint64_t *bounds, int64_t us)
{
	uint64_t	value = us < 0 ? 0 : (uint64_t)us;
	unsigned int	i;

	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++)
		if (value <= bounds[i])
			break;
	h->buckets[i]++;
	h->count++;
	h->sum_us += value;
}

static int64_t
session_age(const struct session *s)
{
	int64_t	age = clock_us() - s->accepted_us;

	return (age < 0 ? 0 : age);
}

enum control_result
result_started(const struct session *s)
{
	return (s->rule != NULL ? RESULT_ALLOWED_RULE :
	    RESULT_ALLOWED_DEFAULT);
}

void
stats_started(const struct session *s)
{
	struct service_stats	*st = &s->service->stats;
	int64_t			 delay = s->started_us - s->accepted_us;
	int64_t			 age = session_age(s);

	st->results[result_started(s)]++;
	histogram_add(&st->delays, histogram_delay_us,
	    delay > age ? age : delay);
}

void
stats_ended(const struct session *s, int status)
{
	struct service_stats	*st = &s->service->stats;

	if (WIFSIGNALED(status))
		st->endings[ENDING_SIGNAL]++;
	else if (status != 0)
		st->endings[ENDING_FAILURE]++;
	else
		st->endings[ENDING_SUCCESS]++;
	/* An engine that is new may know nothing but its pid. */
	if (s->accepted_us != 0)
		histogram_add(&st->sessions, histogram_session_us,
		    session_age(s));
}

enum control_result
result_failed(int errnum)
{
	return (errnum == ECONNABORTED ? RESULT_FAILED_LOST :
	    RESULT_FAILED_FORK);
}

void
stats_failed(const struct session *s, int errnum)
{
	s->service->stats.results[result_failed(errnum)]++;
}

enum control_result
result_refused(const struct client *c, enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_DENIED:
		return (RESULT_DENIED_RULE);
	case OUTCOME_CLOSED:
		return (c->rule != NULL ? RESULT_CLOSED_RULE :
		    RESULT_CLOSED_DEFAULT);
	case OUTCOME_DROPPED:
		break;
	}
	return (c->dropped);
}

void
stats_refused(const struct client *c, enum outcome outcome)
{
	c->service->stats.results[result_refused(c, outcome)]++;
}
