/*
 * When whose mail is sent, by a clock that is ours.
 */
#include "stubs.h"

#define MANY	200

static struct delivery_settings	settings;
static struct customer		customers[MANY];
static char			names[MANY][8];

/* Who was begun, in order; what became of it. */
static int	begun[100000];
static int64_t	begun_at[100000];
static int	begun_count;
static int	most_running;
static int	refuse_flags = -1;	/* what run_begin says no with */
static int	forgotten;
static const char	*journal;	/* its trouble */

const char *
journal_trouble(void)
{
	return (journal);
}

static int
index_of(const struct customer *c)
{
	return ((int)(c - customers));
}

int
run_begin(struct customer *c)
{
	ATF_REQUIRE(begun_count < (int)nitems(begun));
	ATF_CHECK(c->job == JOB_RUNS);
	begun_at[begun_count] = test_ms;
	begun[begun_count++] = index_of(c);
	if (refuse_flags != -1) {
		c->flags |= (uint32_t)refuse_flags;
		return (-1);
	}
	ATF_CHECK(c->run == NULL);
	c->run = (struct run *)(void *)c;
	queue.running++;
	if ((int)queue.running > most_running)
		most_running = (int)queue.running;
	ATF_CHECK(queue.running <= queue.spool.concurrency);
	return (0);
}

void
customer_forget(struct customer *c)
{
	ATF_CHECK(c->run == NULL);
	ATF_CHECK_EQ(c->job, JOB_NONE);
	forgotten++;
}

struct customer *
customer_next(struct customer *c)
{
	if (c == NULL)
		return (customers);
	return (c + 1 < customers + MANY ? c + 1 : NULL);
}

static void
world(uint32_t concurrency)
{
	int	i;

	settings.interval_s = 10;
	settings.retry_s = 300;
	settings.retry_max_s = 4 * 3600;
	for (i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "c%d", i);
		customers[i].name = names[i];
		customers[i].delivery = &settings;
	}
	queue.spool.concurrency = concurrency;
	queue.relay.open = 1;
}

/* What the loop does, until then. */
static void
run_until(int64_t until)
{
	int64_t	next;

	for (;;) {
		next = schedule_next();
		if (next == -1 || next > until)
			break;
		if (next > test_ms)
			test_ms = next;
		schedule_tick(test_ms);
		schedule_start();
	}
	test_ms = until;
}

static void
run_for(int64_t ms)
{
	run_until(test_ms + ms);
}

static void
end(int i, int failed, int more)
{
	ATF_REQUIRE(customers[i].run != NULL);
	customers[i].run = NULL;
	queue.running--;
	customer_run_ended(&customers[i], failed, more);
}

ATF_TC_WITHOUT_HEAD(thousand_triggers_one_run);
ATF_TC_BODY(thousand_triggers_one_run, tc)
{
	int64_t	started;
	int	i;

	world(20);
	started = test_ms;
	for (i = 0; i < 1000; i++) {
		customer_trigger(&customers[0], REASON_SESSION);
		run_for(1);
	}
	ATF_CHECK_EQ(begun_count, 1);
	ATF_CHECK_EQ(queue.triggers[REASON_SESSION], 1000);
	/* Exactly one more look follows, and no third. */
	end(0, 0, 0);
	run_for(60000);
	ATF_CHECK_EQ(begun_count, 2);
	ATF_CHECK_EQ(begun_at[1], started + 10000);
	end(0, 0, 0);
	run_for(86400 * 1000);
	ATF_CHECK_EQ(begun_count, 2);
	ATF_CHECK_EQ(customers[0].job, JOB_NONE);
	ATF_CHECK_EQ(schedule_next(), -1);
}

/* Without a run, as nothing waits, there are few looks all the same. */
ATF_TC_WITHOUT_HEAD(thousand_triggers_few_looks);
ATF_TC_BODY(thousand_triggers_few_looks, tc)
{
	int	i;

	world(20);
	refuse_flags = 0;
	for (i = 0; i < 10000; i++) {
		customer_trigger(&customers[0], REASON_SESSION);
		run_for(1);
	}
	ATF_CHECK(begun_count >= 10);
	ATF_CHECK(begun_count <= 11);
}

ATF_TC_WITHOUT_HEAD(reason_is_the_weightiest);
ATF_TC_BODY(reason_is_the_weightiest, tc)
{
	struct customer	*c = &customers[0];

	world(1);
	queue.relay.open = 0;
	customer_trigger(c, REASON_SESSION);
	customer_trigger(c, REASON_MAIL);
	ATF_CHECK_EQ(c->reason, REASON_SESSION);
	ATF_CHECK_EQ(c->job, JOB_READY);
	queue.relay.open = 1;
	run_for(1);
	customer_trigger(c, REASON_GAP);
	customer_trigger(c, REASON_SCAN);
	ATF_CHECK_EQ(c->reason, REASON_SESSION);
	end(0, 0, 0);
	ATF_CHECK_EQ(c->reason, REASON_GAP);
	ATF_CHECK_EQ(c->job, JOB_WAITS);
}

ATF_TC_WITHOUT_HEAD(mail_is_collected);
ATF_TC_BODY(mail_is_collected, tc)
{
	int64_t	started;
	int	i;

	world(20);
	started = test_ms;
	for (i = 0; i < MAIL_DELAY_MS - 1; i++) {
		customer_trigger(&customers[0], REASON_MAIL);
		run_for(1);
	}
	ATF_CHECK_EQ(begun_count, 0);
	run_for(1000);
	ATF_CHECK_EQ(begun_count, 1);
	ATF_CHECK_EQ(begun_at[0], started + MAIL_DELAY_MS);
}

/* What comes shortly before a look is too young for it. */
ATF_TC_WITHOUT_HEAD(mail_is_not_missed);
ATF_TC_BODY(mail_is_not_missed, tc)
{
	world(20);
	customer_trigger(&customers[0], REASON_MAIL);
	run_for(1000);
	customer_trigger(&customers[0], REASON_MAIL);
	run_for(100);
	ATF_CHECK_EQ(begun_count, 1);
	end(0, 0, 0);
	ATF_CHECK_EQ(customers[0].job, JOB_WAITS);
	run_for(20000);
	ATF_CHECK_EQ(begun_count, 2);
	end(0, 0, 0);
	ATF_CHECK_EQ(customers[0].job, JOB_NONE);
	/* Nor is it by a session's look. */
	run_for(20000);
	customer_trigger(&customers[0], REASON_MAIL);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 3);
	end(0, 0, 0);
	run_for(20000);
	ATF_CHECK_EQ(begun_count, 4);
	end(0, 0, 0);
	ATF_CHECK_EQ(customers[0].job, JOB_NONE);
}

ATF_TC_WITHOUT_HEAD(interval);
ATF_TC_BODY(interval, tc)
{
	int64_t	started;

	world(20);
	started = test_ms;
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	end(0, 0, 0);
	run_for(2000);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(7000);
	ATF_CHECK_EQ(begun_count, 1);
	/* The operator waits for nothing. */
	customer_trigger(&customers[0], REASON_OPERATOR);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 2);
	ATF_CHECK(begun_at[1] < started + 10000);
}

ATF_TC_WITHOUT_HEAD(back_off);
ATF_TC_BODY(back_off, tc)
{
	int64_t	due, gap, before = test_ms;
	int	i;

	world(20);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	for (i = 0; i < 40; i++) {
		ATF_REQUIRE_EQ(begun_count, i + 1);
		end(0, 1, 0);
		due = i < 6 ? 300000LL << i : 4 * 3600 * 1000;
		if (due > 4 * 3600 * 1000)
			due = 4 * 3600 * 1000;
		before = test_ms;
		run_until(before + due + 1);
		ATF_REQUIRE_EQ(begun_count, i + 2);
		gap = begun_at[i + 1] - before;
		ATF_CHECK_MSG(gap <= due && gap >= due - due / 8 - 125,
		    "after failure %d: %lld ms instead of %lld", i + 1,
		    (long long)gap, (long long)due);
		ATF_CHECK_EQ(customers[0].reason, REASON_RETRY);
	}
	/* The first success forgets them all. */
	end(0, 0, 0);
	ATF_CHECK_EQ(customers[0].failures, 0);
	ATF_CHECK_EQ(customers[0].job, JOB_NONE);
}

ATF_TC_WITHOUT_HEAD(jitter);
ATF_TC_BODY(jitter, tc)
{
	int64_t	first;
	int	i, others = 0;

	world(MANY);
	for (i = 0; i < MANY; i++)
		customer_trigger(&customers[i], REASON_SESSION);
	run_for(1);
	for (i = 0; i < MANY; i++)
		end(i, 1, 0);
	first = customers[0].due_ms;
	for (i = 1; i < MANY; i++)
		others += customers[i].due_ms != first;
	ATF_CHECK(others > MANY / 2);
}

ATF_TC_WITHOUT_HEAD(mail_does_not_shorten_a_retry);
ATF_TC_BODY(mail_does_not_shorten_a_retry, tc)
{
	int64_t	ended;

	world(20);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	end(0, 1, 0);
	ended = test_ms;
	run_for(20000);
	customer_trigger(&customers[0], REASON_MAIL);
	customer_trigger(&customers[0], REASON_SCAN);
	run_until(ended + 250000);
	ATF_CHECK_EQ(begun_count, 1);
	/* Somebody who is here does. */
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 2);
	end(0, 1, 0);
	run_for(20000);
	customer_trigger(&customers[0], REASON_GAP);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 3);
}

ATF_TC_WITHOUT_HEAD(retry_never);
ATF_TC_BODY(retry_never, tc)
{
	world(20);
	settings.retry_s = 0;
	customer_trigger(&customers[0], REASON_MAIL);
	run_for(5000);
	ATF_CHECK_EQ(begun_count, 1);
	end(0, 1, 0);
	ATF_CHECK_EQ(customers[0].job, JOB_NONE);
	customer_trigger(&customers[0], REASON_MAIL);
	customer_trigger(&customers[0], REASON_SCAN);
	customer_trigger(&customers[0], REASON_RETRY);
	run_for(30LL * 86400 * 1000);
	ATF_CHECK_EQ(begun_count, 1);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 2);
	end(0, 1, 0);
	run_for(20000);
	customer_trigger(&customers[0], REASON_OPERATOR);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 3);
	/* Mail that comes while a failing run is on starts none either. */
	customer_trigger(&customers[0], REASON_MAIL);
	end(0, 1, 0);
	run_for(86400 * 1000);
	ATF_CHECK_EQ(begun_count, 3);
}

ATF_TC_WITHOUT_HEAD(first_come_first_served);
ATF_TC_BODY(first_come_first_served, tc)
{
	int	i, round;

	world(1);
	for (i = 0; i < 50; i++)
		customer_trigger(&customers[(i * 7) % 50], REASON_SESSION);
	/* Each has more than one run may send: round by round. */
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 50; i++) {
			run_for(1);
			ATF_REQUIRE_EQ(begun_count, round * 50 + i + 1);
			ATF_REQUIRE_EQ(begun[round * 50 + i], (i * 7) % 50);
			end((i * 7) % 50, 0, round < 2);
		}
	}
	run_for(3600 * 1000);
	ATF_CHECK_EQ(begun_count, 150);
}

ATF_TC_WITHOUT_HEAD(two_hundred_at_once);
ATF_TC_BODY(two_hundred_at_once, tc)
{
	int	i, served = 0;

	world(20);
	for (i = 0; i < MANY; i++)
		customer_trigger(&customers[i], REASON_SESSION);
	while (served < MANY) {
		run_for(1);
		ATF_REQUIRE_EQ(queue.running, 20);
		ATF_REQUIRE_EQ(schedule_ready(),
		    (uint32_t)(MANY - served - 20));
		for (i = 0; i < 20; i++)
			end(served++, 0, 0);
	}
	ATF_CHECK_EQ(most_running, 20);
	ATF_CHECK_EQ(begun_count, MANY);
	ATF_CHECK_EQ(schedule_ready(), 0);
}

static void
all_fail_once(void)
{
	int	i;

	queue.spool.concurrency = MANY;
	for (i = 0; i < MANY; i++)
		customer_trigger(&customers[i], REASON_SESSION);
	run_for(1);
	for (i = 0; i < MANY; i++)
		end(i, 1, 0);
	run_for(15000);
	begun_count = 0;
}

ATF_TC_WITHOUT_HEAD(who_is_here_goes_first);
ATF_TC_BODY(who_is_here_goes_first, tc)
{
	int	i, n;

	world(20);
	all_fail_once();
	queue.spool.concurrency = 20;
	for (i = 0; i < MANY; i++)
		customer_trigger(&customers[i], REASON_GAP);
	run_for(1);
	/* A quarter of the places stays for others. */
	ATF_CHECK_EQ(queue.running, 15);
	customer_trigger(&customers[150], REASON_SESSION);
	customer_trigger(&customers[160], REASON_SESSION);
	run_for(1);
	ATF_CHECK_EQ(queue.running, 17);
	ATF_CHECK_EQ(begun[15], 150);
	ATF_CHECK_EQ(begun[16], 160);
	/* Those who only may be there are served too, a quarter at least. */
	for (i = 100; i < 150; i++)
		customer_trigger(&customers[i], REASON_SESSION);
	run_for(1);
	ATF_CHECK_EQ(queue.running, 20);
	for (n = 0; n < 15; n++)
		end(begun[n], 1, 0);
	run_for(1);
	for (n = 0, i = 20; i < begun_count; i++)
		n += begun[i] < 100;
	ATF_CHECK_EQ(n, 5);
}

/* With one place only, a failing one is tried when nobody else is there. */
ATF_TC_WITHOUT_HEAD(one_place);
ATF_TC_BODY(one_place, tc)
{
	world(1);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	end(0, 1, 0);
	run_for(400 * 1000);
	ATF_CHECK_EQ(begun_count, 2);
	customer_trigger(&customers[1], REASON_SESSION);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 2);
	end(0, 1, 0);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 3);
	ATF_CHECK_EQ(begun[2], 1);
}

ATF_TC_WITHOUT_HEAD(hold);
ATF_TC_BODY(hold, tc)
{
	world(1);
	customer_hold(&customers[0], 1);
	customer_trigger(&customers[0], REASON_SESSION);
	customer_trigger(&customers[1], REASON_SESSION);
	run_for(3600 * 1000);
	ATF_CHECK_EQ(begun_count, 1);
	ATF_CHECK_EQ(begun[0], 1);
	ATF_CHECK_EQ(customers[0].job, JOB_READY);
	ATF_CHECK_EQ(schedule_ready(), 0);
	customer_trigger(&customers[0], REASON_OPERATOR);
	end(1, 0, 0);
	run_for(1000);
	ATF_CHECK_EQ(begun_count, 1);
	customer_hold(&customers[0], 0);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 2);
	ATF_CHECK_EQ(begun[1], 0);
	/* Held while he waits in the line. */
	customer_trigger(&customers[2], REASON_SESSION);
	customer_hold(&customers[2], 1);
	end(0, 0, 0);
	run_for(1000);
	ATF_CHECK_EQ(begun_count, 2);
	ATF_CHECK_EQ(schedule_next(), -1);
}

ATF_TC_WITHOUT_HEAD(pause);
ATF_TC_BODY(pause, tc)
{
	world(20);
	schedule_pause(1);
	customer_trigger(&customers[0], REASON_OPERATOR);
	run_for(3600 * 1000);
	ATF_CHECK_EQ(begun_count, 0);
	schedule_pause(0);
	run_for(1);
	ATF_CHECK_EQ(begun_count, 1);
}

ATF_TC_WITHOUT_HEAD(operator_goes_first);
ATF_TC_BODY(operator_goes_first, tc)
{
	world(1);
	queue.relay.open = 0;
	customer_trigger(&customers[0], REASON_SESSION);
	customer_trigger(&customers[1], REASON_SESSION);
	customer_trigger(&customers[2], REASON_SESSION);
	customer_trigger(&customers[2], REASON_OPERATOR);
	run_for(1000);
	ATF_CHECK_EQ(begun_count, 0);
	queue.relay.open = 1;
	run_for(1);
	ATF_CHECK_EQ(begun[0], 2);
	/* More of his mail stands in line like others'. */
	end(2, 0, 1);
	run_for(1);
	ATF_CHECK_EQ(begun[1], 0);
}

ATF_TC_WITHOUT_HEAD(locked);
ATF_TC_BODY(locked, tc)
{
	int64_t	first;

	world(20);
	refuse_flags = CUSTOMER_LOCKED;
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	first = begun_at[0];
	ATF_CHECK_EQ(customers[0].failures, 0);
	ATF_CHECK_EQ(customers[0].reason, REASON_SESSION);
	ATF_CHECK(customers[0].flags & CUSTOMER_LOCKED);
	run_for(299 * 1000);
	ATF_CHECK_EQ(begun_count, 1);
	refuse_flags = -1;
	run_for(2000);
	ATF_REQUIRE_EQ(begun_count, 2);
	ATF_CHECK_EQ(begun_at[1], first + 300 * 1000);
	ATF_CHECK((customers[0].flags & CUSTOMER_LOCKED) == 0);
}

ATF_TC_WITHOUT_HEAD(gone);
ATF_TC_BODY(gone, tc)
{
	world(20);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	customer_trigger(&customers[0], REASON_SESSION);
	customers[0].flags |= CUSTOMER_GONE;
	end(0, 1, 0);
	ATF_CHECK_EQ(forgotten, 1);
	customer_trigger(&customers[0], REASON_OPERATOR);
	run_for(3600 * 1000);
	ATF_CHECK_EQ(begun_count, 1);
}

ATF_TC_WITHOUT_HEAD(stopping);
ATF_TC_BODY(stopping, tc)
{
	world(20);
	customer_trigger(&customers[0], REASON_SESSION);
	queue.stopping = 1;
	run_for(3600 * 1000);
	ATF_CHECK_EQ(begun_count, 0);
}

ATF_TC_WITHOUT_HEAD(our_own_trouble);
ATF_TC_BODY(our_own_trouble, tc)
{
	int	i;

	world(20);
	settings.retry_s = 0;
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	/* The relay died. */
	queue.relay.open = 0;
	end(0, 1, 0);
	run_for(60000);
	ATF_CHECK_EQ(begun_count, 1);
	ATF_CHECK_EQ(customers[0].failures, 0);
	queue.relay.open = 1;
	run_for(1);
	ATF_CHECK_EQ(begun_count, 2);
	/* The disk is full, for an hour: not a day's wait follows. */
	journal = "out of disk space";
	for (i = 0; i < 240; i++) {
		end(0, 1, 0);
		run_for(15000);
		ATF_REQUIRE_EQ(begun_count, 3 + i);
	}
	journal = NULL;
	end(0, 0, 0);
	ATF_CHECK_EQ(customers[0].job, JOB_NONE);
}

/* An hour's retry is not waited for when the operator made it a minute. */
ATF_TC_WITHOUT_HEAD(shorter_retry);
ATF_TC_BODY(shorter_retry, tc)
{
	int	i;

	world(20);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	for (i = 0; i < 8; i++) {
		end(0, 1, 0);
		run_until(customers[0].due_ms);
	}
	end(0, 1, 0);
	begun_count = 0;
	settings.retry_s = 30;
	settings.retry_max_s = 60;
	schedule_settings();
	run_for(61 * 1000);
	ATF_CHECK_EQ(begun_count, 1);
}

ATF_TC_WITHOUT_HEAD(due_for_the_eyes);
ATF_TC_BODY(due_for_the_eyes, tc)
{
	time_t	due;

	world(20);
	ATF_CHECK_EQ(customer_due(&customers[0]), 0);
	customer_trigger(&customers[0], REASON_SESSION);
	run_for(1);
	end(0, 1, 0);
	due = customer_due(&customers[0]) - time(NULL);
	ATF_CHECK(due >= 300 - 38 && due <= 301);
	customer_unschedule(&customers[0]);
	ATF_CHECK_EQ(customer_due(&customers[0]), 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, thousand_triggers_one_run);
	ATF_TP_ADD_TC(tp, thousand_triggers_few_looks);
	ATF_TP_ADD_TC(tp, reason_is_the_weightiest);
	ATF_TP_ADD_TC(tp, mail_is_collected);
	ATF_TP_ADD_TC(tp, mail_is_not_missed);
	ATF_TP_ADD_TC(tp, interval);
	ATF_TP_ADD_TC(tp, back_off);
	ATF_TP_ADD_TC(tp, jitter);
	ATF_TP_ADD_TC(tp, mail_does_not_shorten_a_retry);
	ATF_TP_ADD_TC(tp, retry_never);
	ATF_TP_ADD_TC(tp, first_come_first_served);
	ATF_TP_ADD_TC(tp, two_hundred_at_once);
	ATF_TP_ADD_TC(tp, who_is_here_goes_first);
	ATF_TP_ADD_TC(tp, one_place);
	ATF_TP_ADD_TC(tp, hold);
	ATF_TP_ADD_TC(tp, pause);
	ATF_TP_ADD_TC(tp, operator_goes_first);
	ATF_TP_ADD_TC(tp, locked);
	ATF_TP_ADD_TC(tp, gone);
	ATF_TP_ADD_TC(tp, stopping);
	ATF_TP_ADD_TC(tp, our_own_trouble);
	ATF_TP_ADD_TC(tp, shorter_retry);
	ATF_TP_ADD_TC(tp, due_for_the_eyes);

	return (atf_no_error());
}
