/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * When whose mail is sent.  A customer has at most one job: it waits for its
 * time in a tree, then for a place in a line, then is a run.  Whatever comes
 * meanwhile changes the job, and never makes a second one.
 */
#include <sys/types.h>

#include <stdlib.h>
#include <time.h>

#include "queue.h"

#define LOCKED_RETRY_S	300	/* where only the customer starts a run */
#define TROUBLE_RETRY_S	15	/* where it is ours, not the customer's */
#define SECONDS_MAX	(10LL * 365 * 86400)
#define SLEEP_MAX_MS	(3600 * 1000)
#define STARTS_MAX	64	/* at a time: others want their turn too */
#define JITTER_PART	8	/* of the time until a retry */

RB_HEAD(due_tree, customer);

static struct due_tree		due = RB_INITIALIZER(&due);
static struct customer_list	lines[JOB_LINES] = {
	TAILQ_HEAD_INITIALIZER(lines[LINE_HERE]),
	TAILQ_HEAD_INITIALIZER(lines[LINE_HOPE]),
	TAILQ_HEAD_INITIALIZER(lines[LINE_HELD])
};
static uint32_t			ready;		/* but the held ones */
static uint32_t			hoping;		/* runs from LINE_HOPE */
static struct event		timer;
static int			timer_set;

static int
due_order(struct customer *a, struct customer *b)
{
	if (a->due_ms != b->due_ms)
		return (a->due_ms < b->due_ms ? -1 : 1);
	if (a == b)
		return (0);
	return ((uintptr_t)a < (uintptr_t)b ? -1 : 1);
}

RB_PROTOTYPE(due_tree, customer, by_due, due_order)
RB_GENERATE(due_tree, customer, by_due, due_order)

static int64_t
ms_from_s(uint64_t s)
{
	return ((s > SECONDS_MAX ? SECONDS_MAX : (int64_t)s) * 1000);
}

static int64_t
later(int64_t a, int64_t b)
{
	return (a > b ? a : b);
}

static int
place_is_free(void)
{
	return (!queue.paused && !queue.stopping && queue.relay.open &&
	    queue.running < queue.spool.concurrency);
}

/* Who fails has no right to more than that while others are here. */
static uint32_t
hope_share(void)
{
	return (queue.spool.concurrency / 4);
}

/* Nor to the last places while nobody is: somebody may come. */
static uint32_t
hope_limit(void)
{
	uint32_t	n = queue.spool.concurrency;

	return (n < 2 ? n : n - (n + 3) / 4);
}

static struct customer *
line_next(void)
{
	struct customer	*here = TAILQ_FIRST(&lines[LINE_HERE]);
	struct customer	*hope = TAILQ_FIRST(&lines[LINE_HOPE]);

	if (here != NULL && (hope == NULL || hoping >= hope_share()))
		return (here);
	return (hoping < hope_limit() ? hope : here);
}

/*
 * The one timer
 */

int64_t
schedule_next(void)
{
	struct customer	*c;

	if (ready > 0 && place_is_free() && line_next() != NULL)
		return (0);
	return ((c = RB_MIN(due_tree, &due)) == NULL ? -1 : c->due_ms);
}

static void
schedule_arm(void)
{
	struct timeval	tv;
	int64_t		at = schedule_next(), ms;

	if (!timer_set)
		return;
	if (at == -1) {
		evtimer_del(&timer);
		return;
	}
	ms = at == 0 ? 0 : later(at - clock_ms(), 0);
	if (ms > SLEEP_MAX_MS)
		ms = SLEEP_MAX_MS;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	evtimer_add(&timer, &tv);
}

static void
schedule_event(int fd, short event, void *arg)
{
	schedule_tick(clock_ms());
	schedule_start();
}

void
schedule_init(void)
{
	evtimer_set(&timer, schedule_event, NULL);
	timer_set = 1;
	schedule_arm();
}

/*
 * A job's places
 */

static enum job_line
job_line(const struct customer *c)
{
	if (c->flags & CUSTOMER_HELD)
		return (LINE_HELD);
	if (c->failures > 0 && c->reason < REASON_SESSION)
		return (LINE_HOPE);
	return (LINE_HERE);
}

static void
job_ready(struct customer *c)
{
	c->job = JOB_READY;
	c->line = job_line(c);
	if (c->reason == REASON_OPERATOR)
		TAILQ_INSERT_HEAD(&lines[c->line], c, ready);
	else
		TAILQ_INSERT_TAIL(&lines[c->line], c, ready);
	if (c->line != LINE_HELD)
		ready++;
}

static void
job_wait(struct customer *c, int64_t at)
{
	c->job = JOB_WAITS;
	c->due_ms = at;
	RB_INSERT(due_tree, &due, c);
}

/* It is nowhere; its reason stays. */
static void
job_remove(struct customer *c)
{
	if (c->job == JOB_WAITS)
		RB_REMOVE(due_tree, &due, c);
	if (c->job == JOB_READY) {
		TAILQ_REMOVE(&lines[c->line], c, ready);
		if (c->line != LINE_HELD)
			ready--;
	}
	c->job = JOB_NONE;
}

void
customer_unschedule(struct customer *c)
{
	job_remove(c);
	c->reason = REASON_NONE;
}

static void
job_put(struct customer *c, int64_t at, int64_t now)
{
	if (at <= now)
		job_ready(c);
	else
		job_wait(c, at);
}

/* Keeps his place in the line, unless it is the wrong one now. */
static void
job_line_change(struct customer *c)
{
	if (c->line == job_line(c) && c->reason != REASON_OPERATOR)
		return;
	job_remove(c);
	job_ready(c);
}

/* There is a reason for it to be done, at that time at the latest. */
static void
job_improve(struct customer *c, enum reason reason, int64_t at, int64_t now)
{
	if (c->job == JOB_NONE)
		c->reason = REASON_NONE;
	if (reason > c->reason)
		c->reason = reason;
	if (c->job == JOB_READY)
		job_line_change(c);
	else if (c->job == JOB_NONE || at < c->due_ms) {
		job_remove(c);
		job_put(c, at, now);
	}
}

/* -1: this reason starts nothing. */
static int64_t
job_time(const struct customer *c, enum reason reason, int64_t now)
{
	int64_t	at = now;

	if (reason == REASON_OPERATOR)
		return (now);
	if (reason == REASON_MAIL)
		at += MAIL_DELAY_MS;
	if (c->begun_ms != 0)
		at = later(at, c->begun_ms + BEGIN_GAP_MS);
	if (c->started_ms != 0)
		at = later(at, c->started_ms +
		    ms_from_s(c->delivery->interval_s));
	if (c->failures == 0 || reason >= REASON_GAP)
		return (at);
	return (c->delivery->retry_s == 0 ? -1 : later(at, c->retry_ms));
}

static void
job_want(struct customer *c, enum reason reason, int64_t now)
{
	int64_t	at = job_time(c, reason, now);

	if (at != -1)
		job_improve(c, reason, at, now);
}

void
customer_trigger(struct customer *c, enum reason reason)
{
	queue.triggers[reason]++;
	if (c->flags & CUSTOMER_GONE)
		return;
	if (reason == REASON_MAIL)
		c->mail_ms = clock_ms();
	if (c->job == JOB_RUNS) {
		if ((c->flags & CUSTOMER_AGAIN) == 0 || reason > c->again)
			c->again = reason;
		c->flags |= CUSTOMER_AGAIN;
		return;
	}
	job_want(c, reason, clock_ms());
	schedule_arm();
}

/*
 * The beginning and the end of a run
 */

static void
job_locked(struct customer *c, int64_t now)
{
	uint64_t	s = c->delivery->retry_s;

	if (s == 0 || s > LOCKED_RETRY_S)
		s = LOCKED_RETRY_S;
	job_wait(c, now + ms_from_s(s));
}

/* This look may come too early for mail of which we were told. */
static int
mail_is_young(const struct customer *c, int64_t now)
{
	return (c->mail_ms != 0 && now < c->mail_ms + MAIL_DELAY_MS);
}

static void
job_begin(struct customer *c)
{
	int64_t	now = clock_ms();

	job_remove(c);
	c->job = JOB_RUNS;
	c->flags &= ~(CUSTOMER_AGAIN | CUSTOMER_LOCKED);
	c->begun_ms = now;
	if (mail_is_young(c, now)) {
		c->flags |= CUSTOMER_AGAIN;
		c->again = REASON_MAIL;
	}
	if (run_begin(c) == 0) {
		c->started_ms = now;
		if (c->line == LINE_HOPE)
			hoping++;
		return;
	}
	c->job = JOB_NONE;
	if (c->flags & CUSTOMER_LOCKED)
		job_locked(c, now);
	else {
		c->reason = REASON_NONE;
		if (c->flags & CUSTOMER_AGAIN)
			job_want(c, c->again, now);
	}
	c->flags &= ~CUSTOMER_AGAIN;
}

void
schedule_start(void)
{
	struct customer	*c;
	int		 n;

	for (n = 0; n < STARTS_MAX && place_is_free() &&
	    (c = line_next()) != NULL; n++)
		job_begin(c);
	schedule_arm();
}

/* Doubles with each failure; a little less, so that not all come at once. */
static int64_t
retry_ms(const struct customer *c)
{
	uint64_t	s = c->delivery->retry_s;
	uint64_t	max = c->delivery->retry_max_s;
	uint32_t	i;
	int64_t		ms;

	for (i = 1; i < c->failures && s < max && s < SECONDS_MAX; i++)
		s *= 2;
	if (s > max && max >= c->delivery->retry_s)
		s = max;
	ms = ms_from_s(s);
	/* Seconds are fine enough, and fit. */
	return (ms - (int64_t)arc4random_uniform(
	    (uint32_t)(ms / 1000 / JITTER_PART + 1)) * 1000 -
	    (int64_t)arc4random_uniform(ms < 1000 ? 1 : 1000 / JITTER_PART));
}

/* Then he has not failed, and does not wait ever longer. */
static int
trouble_is_ours(void)
{
	return (!queue.relay.open || journal_trouble() != NULL);
}

static void
run_failed(struct customer *c, int64_t now)
{
	if (trouble_is_ours()) {
		job_improve(c, REASON_RETRY, now + ms_from_s(TROUBLE_RETRY_S),
		    now);
		return;
	}
	if (c->failures < UINT32_MAX)
		c->failures++;
	c->retry_ms = now + retry_ms(c);
	job_want(c, REASON_RETRY, now);
}

void
customer_run_ended(struct customer *c, int failed, int more)
{
	int64_t		now = clock_ms();
	enum reason	reason = c->reason;

	if (c->line == LINE_HOPE)
		hoping--;
	c->run = NULL;
	customer_unschedule(c);
	if (c->flags & CUSTOMER_GONE) {
		customer_forget(c);
		schedule_arm();
		return;
	}
	if (failed)
		run_failed(c, now);
	else {
		c->failures = 0;
		if (more)
			job_improve(c, reason == REASON_OPERATOR ?
			    REASON_SESSION : reason, now, now);
	}
	if (c->flags & CUSTOMER_AGAIN)
		job_want(c, c->again, now);
	c->flags &= ~CUSTOMER_AGAIN;
	schedule_arm();
}

/*
 * The passing of time, and orders
 */

void
schedule_tick(int64_t now)
{
	struct customer	*c;

	while ((c = RB_MIN(due_tree, &due)) != NULL && c->due_ms <= now) {
		RB_REMOVE(due_tree, &due, c);
		job_ready(c);
	}
}

void
customer_hold(struct customer *c, int hold)
{
	if (hold)
		c->flags |= CUSTOMER_HELD;
	else
		c->flags &= ~CUSTOMER_HELD;
	if (c->job == JOB_READY)
		job_line_change(c);
	schedule_arm();
}

void
schedule_pause(int pause)
{
	queue.paused = pause;
	schedule_arm();
}

/* Nobody waits for longer than retry_max_s may be now. */
void
schedule_settings(void)
{
	struct customer	*c;
	int64_t		 now = clock_ms(), most;

	for (c = customer_next(NULL); c != NULL; c = customer_next(c)) {
		most = now + ms_from_s(c->delivery->retry_max_s);
		if (c->failures == 0 || c->retry_ms <= most)
			continue;
		c->retry_ms = now + retry_ms(c);
		if (c->job == JOB_WAITS && c->reason < REASON_GAP)
			job_want(c, c->reason, now);
	}
	schedule_arm();
}

uint32_t
schedule_ready(void)
{
	return (ready);
}

time_t
customer_due(const struct customer *c)
{
	int64_t	ms;

	if (c->job == JOB_NONE)
		return (0);
	if (c->job != JOB_WAITS)
		return (time(NULL));
	ms = later(c->due_ms - clock_ms(), 0);
	return (time(NULL) + (time_t)((ms + 999) / 1000));
}
