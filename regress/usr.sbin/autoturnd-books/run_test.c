/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Runs, with a parent and a relay that the test plays: good ones, dead ones
 * and liars.
 */
#include <sys/types.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "run.h"
#include "world.h"

#define ACCEPTED	'K'
#define TEMPORARY	'Z'
#define PERMANENT	'D'

static struct peer	parent, relay;
static uint64_t		run;		/* the one that was ordered last */
static int		relays_lost;

static int
parent_dispatch(struct channel *ch, struct imsg *imsg)
{
	return (run_dispatch_parent(imsg));
}

static void
relay_lost(struct channel *ch)
{
	relays_lost++;
	run_relay_lost(ch);
}

static void
relay_begin(void)
{
	peer_open(&relay, &queue.relay, run_dispatch_relay, relay_lost);
}

static void
begin(void)
{
	world_begin();
	peer_open(&parent, &queue.parent, parent_dispatch, NULL);
	relay_begin();
	ATF_REQUIRE_EQ(0, run_init());
}

/* new/a is the oldest, b the next, and so on. */
static void
mails(int n)
{
	char	name[] = "new/a";
	int	i;

	for (i = 0; i < n; i++) {
		name[4] = (char)('a' + i);
		(void)world_mail(name, 300, 1000 - i);
	}
}

/*
 * What the parent and relay do
 */

static void
hear_connect(void)
{
	struct connect_order	order;

	(void)peer_hear(&parent, IMSG_PARENT_CONNECT, &order, sizeof(order));
	ATF_REQUIRE_STREQ(MAILDIR, order.customer);
	ATF_REQUIRE(order.run > run);
	run = order.run;
}

static void
say_started(void)
{
	peer_say(&relay, IMSG_RUN_STARTED, &run, sizeof(run), NULL);
}

/* The number of a message that is sent, with its text. */
static uint64_t
hear_message(void)
{
	struct run_message	message;
	char			text[64];
	int			fd;

	fd = peer_hear(&relay, IMSG_RELAY_MESSAGE, &message, sizeof(message));
	ATF_REQUIRE_EQ(run, message.run);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(pread(fd, text, sizeof(text), 0) == sizeof(text));
	ATF_REQUIRE(memcmp(text, "Return-Path:", 12) == 0);
	close(fd);
	return (message.number);
}

static void
say_result_of(uint64_t n, uint64_t number, int status, int said,
    const char *enhanced, const char *text)
{
	struct run_result	result;

	memset(&result, 0, sizeof(result));
	result.run = n;
	result.number = number;
	result.status = (uint32_t)status;
	result.said = (uint32_t)said;
	result.text_len = (uint32_t)strlen(text);
	(void)strlcpy(result.enhanced, enhanced, sizeof(result.enhanced));
	peer_say(&relay, IMSG_RUN_RESULT, &result, sizeof(result), text);
}

static void
say_result(uint64_t number, int status)
{
	say_result_of(run, number, status, 1, "", status == ACCEPTED ?
	    "192.0.2.7 said: 250 ok" : status == TEMPORARY ?
	    "192.0.2.7 said: 451 later" : "192.0.2.7 said: 550 never");
}

static void
say_lost(uint64_t number)
{
	say_result_of(run, number, TEMPORARY, 0, "4.4.2",
	    "the server closed the connection, while the message was being "
	    "sent");
}

/* last: the last message that relay was given before. */
static void
say_end_after(uint64_t last, int status, int said, const char *text)
{
	struct run_end	end;

	memset(&end, 0, sizeof(end));
	end.run = run;
	end.last = last;
	end.status = (uint32_t)status;
	end.said = (uint32_t)said;
	end.text_len = (uint32_t)strlen(text);
	peer_say(&relay, IMSG_RUN_END, &end, sizeof(end), text);
}

static void
say_end(int status, int said, const char *text)
{
	say_end_after(UINT64_MAX, status, said, text);
}

static void
hear_finish(void)
{
	uint64_t	n;

	(void)peer_hear(&relay, IMSG_RELAY_FINISH, &n, sizeof(n));
	ATF_REQUIRE_EQ(run, n);
}

/* From the trigger to the first message. */
static void
run_start(void)
{
	seen.ended = 0;
	ATF_REQUIRE_EQ(0, run_begin(&customer));
	ATF_REQUIRE(customer.run != NULL);
	hear_connect();
	say_started();
}

static void
run_ends(int failed)
{
	WAIT_FOR(seen.ended > 0);
	world_turn();
	ATF_REQUIRE_EQ(1, seen.ended);
	ATF_REQUIRE_EQ(failed, seen.failed);
	ATF_REQUIRE(customer.run == NULL);
	ATF_REQUIRE_EQ(0, queue.running);
}

static void
count_visit(const struct journal_entry *e, void *arg)
{
	(*(int *)arg)++;
}

static int
unanswered(void)
{
	int	n = 0;

	journal_unanswered(NULL, count_visit, &n);
	return (n);
}

/* Whether anybody else could take it. */
static int
lock_is_free(void)
{
	int	fd, result;

	fd = open("spool/" MAILDIR "/seriallock", O_WRONLY | O_APPEND);
	ATF_REQUIRE(fd != -1);
	result = flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return (result == 0);
}

ATF_TC(delivers);
ATF_TC_HEAD(delivers, tc)
{
	atf_tc_set_md_var(tc, "descr", "all of it over one connection, within "
	    "the window");
}
ATF_TC_BODY(delivers, tc)
{
	uint64_t	i;

	begin();
	mails(7);
	run_start();
	ATF_REQUIRE(!lock_is_free());
	for (i = 1; i <= 4; i++)
		ATF_REQUIRE_EQ(i, hear_message());
	ATF_REQUIRE(peer_hears_nothing(&relay));
	ATF_REQUIRE_EQ(4, unanswered());
	say_result(1, ACCEPTED);
	ATF_REQUIRE(peer_hears_nothing(&relay));
	ATF_REQUIRE(!world_there("new/a") && world_there("new/b"));
	disk.syncs = 0;
	say_result(2, ACCEPTED);
	ATF_REQUIRE_EQ(5, hear_message());
	ATF_REQUIRE_EQ(6, hear_message());
	ATF_REQUIRE_EQ_MSG(1, disk.syncs, "%d", disk.syncs);
	/* In any order. */
	for (i = 6; i >= 3; i--)
		say_result(i, ACCEPTED);
	ATF_REQUIRE_EQ(7, hear_message());
	say_result(7, ACCEPTED);
	hear_finish();
	ATF_REQUIRE_EQ(0, world_count("new"));
	say_end(ACCEPTED, 1, "221 bye");
	run_ends(0);
	ATF_REQUIRE_EQ(7, queue.accepted);
	ATF_REQUIRE_EQ(7, customer.delivered);
	ATF_REQUIRE_EQ(7 * 300, customer.delivered_bytes);
	ATF_REQUIRE_STREQ("192.0.2.7 said: 250 ok", customer.reply);
	ATF_REQUIRE_EQ(0, unanswered());
	ATF_REQUIRE_EQ(1, seen.advanced);
	ATF_REQUIRE(lock_is_free());
}

ATF_TC(looks_again);
ATF_TC_HEAD(looks_again, tc)
{
	atf_tc_set_md_var(tc, "descr", "what came meanwhile goes over the same "
	    "connection");
}
ATF_TC_BODY(looks_again, tc)
{
	begin();
	mails(1);
	run_start();
	ATF_REQUIRE_EQ(1, hear_message());
	(void)world_mail("new/later", 300, 10);
	say_result(1, ACCEPTED);
	ATF_REQUIRE_EQ(2, hear_message());
	say_result(2, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 0, "");
	run_ends(0);
}

ATF_TC(none);
ATF_TC_HEAD(none, tc)
{
	atf_tc_set_md_var(tc, "descr", "no connection for nothing, or under "
	    "another's lock");
}
ATF_TC_BODY(none, tc)
{
	int	fd;

	begin();
	ATF_REQUIRE_EQ(-1, run_begin(&customer));
	ATF_REQUIRE_EQ(0, customer.flags & CUSTOMER_LOCKED);
	ATF_REQUIRE(lock_is_free());
	mails(1);
	fd = open("spool/" MAILDIR "/seriallock", O_WRONLY | O_APPEND);
	ATF_REQUIRE_EQ(0, flock(fd, LOCK_EX | LOCK_NB));
	ATF_REQUIRE_EQ(-1, run_begin(&customer));
	ATF_REQUIRE(customer.flags & CUSTOMER_LOCKED);
	ATF_REQUIRE_EQ(-1, run_expire(&customer));
	close(fd);
	channel_close(&queue.relay);
	ATF_REQUIRE_EQ(-1, run_begin(&customer));
	relay_begin();
	ATF_REQUIRE_EQ(0, run_begin(&customer));
	ATF_REQUIRE_EQ(0, customer.flags & CUSTOMER_LOCKED);
	ATF_REQUIRE_EQ(0, seen.ended);
}

ATF_TC(mixed);
ATF_TC_HEAD(mixed, tc)
{
	atf_tc_set_md_var(tc, "descr", "later, never, can't be read, never "
	    "begun");
}
ATF_TC_BODY(mixed, tc)
{
	begin();
	mails(4);
	run_start();
	(void)hear_message();
	(void)hear_message();
	(void)hear_message();
	ATF_REQUIRE_EQ(4, hear_message());
	say_result(1, TEMPORARY);
	say_result(2, PERMANENT);
	say_result_of(run, 3, RUN_QUARANTINE, 0, "", "no envelope");
	say_result_of(run, 4, RUN_UNTRIED, 0, "", "");
	say_end(TEMPORARY, 1, "192.0.2.7 said: 421 full");
	run_ends(1);
	ATF_REQUIRE(world_there("new/a") && world_there("new/b") &&
	    world_there("new/d"));
	ATF_REQUIRE(world_there("quarantine/c"));
	ATF_REQUIRE(!world_there("new/c"));
	ATF_REQUIRE_EQ(0, unanswered());
	ATF_REQUIRE_EQ(1, return_pending(&customer, "new/b"));
	ATF_REQUIRE_EQ(1, queue.deferred);
	ATF_REQUIRE_EQ(1, queue.refused);
	ATF_REQUIRE_EQ(1, queue.quarantined);
	ATF_REQUIRE_STREQ("192.0.2.7 said: 421 full", customer.reply);
	/* The refused one is not sent again, the others are. */
	run_start();
	(void)hear_message();
	(void)hear_message();
	ATF_REQUIRE(peer_hears_nothing(&relay));
	ATF_REQUIRE_EQ(0, queue.repeated);
	say_result(1, TEMPORARY);
	say_result(2, ACCEPTED);
	/* The deferred one not twice in a run. */
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(1);
	ATF_REQUIRE(world_there("new/a") && !world_there("new/d"));
}

ATF_TC(relay_dies);
ATF_TC_HEAD(relay_dies, tc)
{
	atf_tc_set_md_var(tc, "descr", "what it had is named and sent again");
}
ATF_TC_BODY(relay_dies, tc)
{
	uint64_t	i;

	begin();
	mails(3);
	run_start();
	for (i = 0; i < 3; i++)
		(void)hear_message();
	say_result(2, ACCEPTED);
	WAIT_FOR(!world_there("new/b"));
	peer_close(&relay);
	run_ends(1);
	ATF_REQUIRE_EQ(1, relays_lost);
	ATF_REQUIRE(lock_is_free());
	ATF_REQUIRE_EQ(2, unanswered());
	ATF_REQUIRE_EQ(-1, run_begin(&customer));
	relay_begin();
	run_start();
	/* Both are suspects: one at a time. */
	ATF_REQUIRE_EQ(1, hear_message());
	ATF_REQUIRE(peer_hears_nothing(&relay));
	say_result(1, ACCEPTED);
	ATF_REQUIRE_EQ(2, hear_message());
	ATF_REQUIRE_EQ(2, queue.repeated);
	say_result(2, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
	ATF_REQUIRE_EQ(0, unanswered());
}

ATF_TC(relay_dies_early);
ATF_TC_HEAD(relay_dies_early, tc)
{
	atf_tc_set_md_var(tc, "descr", "before the connection, and with the "
	    "goodbye");
}
ATF_TC_BODY(relay_dies_early, tc)
{
	uint64_t	old;

	begin();
	mails(1);
	ATF_REQUIRE_EQ(0, run_begin(&customer));
	hear_connect();
	peer_close(&relay);
	run_ends(1);
	relay_begin();
	/* The parent's connection arrives for a run that is no more. */
	say_started();
	(void)peer_hear(&relay, IMSG_RELAY_ABORT, &old, sizeof(old));
	ATF_REQUIRE_EQ(run, old);
	run_start();
	(void)hear_message();
	say_result(1, ACCEPTED);
	hear_finish();
	peer_close(&relay);
	run_ends(1);
	ATF_REQUIRE_EQ(0, world_count("new"));
}

ATF_TC(not_reached);
ATF_TC_HEAD(not_reached, tc)
{
	atf_tc_set_md_var(tc, "descr", "the parent can't connect");
}
ATF_TC_BODY(not_reached, tc)
{
	struct connect_failure	failure;

	begin();
	mails(1);
	ATF_REQUIRE_EQ(0, run_begin(&customer));
	hear_connect();
	memset(&failure, 0, sizeof(failure));
	failure.error = ECONNREFUSED;
	failure.run = run + 1;			/* of nobody */
	peer_say(&parent, IMSG_QUEUE_CONNECT_FAILED, &failure,
	    sizeof(failure), NULL);
	ATF_REQUIRE(peer_hears_nothing(&relay));
	ATF_REQUIRE_EQ(0, seen.ended);
	failure.run = run;
	peer_say(&parent, IMSG_QUEUE_CONNECT_FAILED, &failure,
	    sizeof(failure), NULL);
	run_ends(1);
	ATF_REQUIRE(strstr(customer.reply, "unable to connect: ") != NULL);
	ATF_REQUIRE(world_there("new/a"));
	ATF_REQUIRE(lock_is_free());
	/* Said twice. */
	peer_say(&parent, IMSG_QUEUE_CONNECT_FAILED, &failure,
	    sizeof(failure), NULL);
	world_turn();
	ATF_REQUIRE_EQ(1, seen.ended);
}

/*
 * Liars
 */

/* What it said ends it, and each run, once. */
static void
liar_is_ended(void)
{
	WAIT_FOR(!queue.relay.open);
	run_ends(1);
	ATF_REQUIRE_EQ(1, relays_lost);
	ATF_REQUIRE(lock_is_free());
}

static void
liar_begin(void)
{
	begin();
	mails(3);
	run_start();
	(void)hear_message();
	(void)hear_message();
	(void)hear_message();
}

#define LIAR(name, lie)							\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "descr", "a relay that lies: " #lie);	\
}									\
ATF_TC_BODY(name, tc)							\
{									\
	liar_begin();							\
	lie;								\
	liar_is_ended();						\
	ATF_REQUIRE_EQ(3, world_count("new"));				\
	ATF_REQUIRE_EQ(0, queue.accepted);				\
}

LIAR(lie_future_run, say_result_of(run + 1, 1, ACCEPTED, 1, "", "250 ok"))
LIAR(lie_no_message, say_result_of(run, 4, ACCEPTED, 1, "", "250 ok"))
LIAR(lie_message_zero, say_result_of(run, 0, ACCEPTED, 1, "", "250 ok"))
LIAR(lie_status, say_result_of(run, 1, 'X', 1, "", "250 ok"))
LIAR(lie_no_status, say_result_of(run, 1, 0, 1, "", "250 ok"))
LIAR(lie_started, say_started())
LIAR(lie_type, peer_say(&relay, IMSG_MAILER_DONE, &run, sizeof(run), NULL))
LIAR(lie_short, peer_say(&relay, IMSG_RUN_RESULT, &run, sizeof(run), NULL))
LIAR(lie_end_short, peer_say(&relay, IMSG_RUN_END, &run, sizeof(run), NULL))

ATF_TC(lie_text);
ATF_TC_HEAD(lie_text, tc)
{
	atf_tc_set_md_var(tc, "descr", "a text that is not that long, or "
	    "too long");
}
ATF_TC_BODY(lie_text, tc)
{
	struct run_result	result;
	static char		text[TEXT_SIZE + 2];

	liar_begin();
	memset(text, 'x', sizeof(text) - 1);
	say_result_of(run, 1, TEMPORARY, 1, "", text + 2);
	WAIT_FOR(queue.deferred == 1);
	memset(&result, 0, sizeof(result));
	result.run = run;
	result.number = 2;
	result.status = ACCEPTED;
	result.text_len = 7;
	peer_say(&relay, IMSG_RUN_RESULT, &result, sizeof(result), "250 ok");
	liar_is_ended();
	ATF_REQUIRE_EQ(0, queue.accepted);
	relay_begin();
	relays_lost = 0;
	run_start();
	(void)hear_message();
	say_result_of(run, 1, ACCEPTED, 1, "", text);
	liar_is_ended();
	ATF_REQUIRE_EQ(0, queue.accepted);
}

ATF_TC(lie_twice);
ATF_TC_HEAD(lie_twice, tc)
{
	atf_tc_set_md_var(tc, "descr", "two results of one message");
}
ATF_TC_BODY(lie_twice, tc)
{
	liar_begin();
	say_result(1, ACCEPTED);
	say_result(1, ACCEPTED);
	liar_is_ended();
	ATF_REQUIRE_EQ(1, queue.accepted);
	ATF_REQUIRE_EQ(2, world_count("new"));
}

ATF_TC(lie_not_sent);
ATF_TC_HEAD(lie_not_sent, tc)
{
	atf_tc_set_md_var(tc, "descr", "a message that waits for the journal "
	    "has no result");
}
ATF_TC_BODY(lie_not_sent, tc)
{
	liar_begin();
	disk.error = ENOSPC;
	(void)world_mail("new/d", 300, 5);
	say_result(1, TEMPORARY);
	say_result(2, TEMPORARY);
	say_result(3, TEMPORARY);
	WAIT_FOR(journal_trouble() != NULL);
	say_result(4, ACCEPTED);
	liar_is_ended();
	ATF_REQUIRE(world_there("new/d"));
}

ATF_TC(after_the_end);
ATF_TC_HEAD(after_the_end, tc)
{
	atf_tc_set_md_var(tc, "descr", "what is said of a run that is over is "
	    "not heard");
}
ATF_TC_BODY(after_the_end, tc)
{
	liar_begin();
	say_end(TEMPORARY, 0, "lost");
	run_ends(1);
	say_result(1, ACCEPTED);
	say_end(ACCEPTED, 0, "");
	world_turn();
	ATF_REQUIRE_EQ(1, seen.ended);
	ATF_REQUIRE_EQ(0, relays_lost);
	ATF_REQUIRE_EQ(3, world_count("new"));
	ATF_REQUIRE_EQ(3, unanswered());
}

/*
 * A message that kills the server
 */

/* One run with a new message, and the killer behind it. */
static void
killer_run(const char *name)
{
	(void)world_mail(name, 300, 5);
	run_start();
	(void)hear_message();
	ATF_REQUIRE(peer_hears_nothing(&relay));
	say_result(1, ACCEPTED);
	WAIT_FOR(!world_there(name));
	(void)hear_message();
	say_lost(2);
	say_end(TEMPORARY, 0, "the server closed the connection");
	run_ends(1);
}

ATF_TC(too_late);
ATF_TC_HEAD(too_late, tc)
{
	atf_tc_set_md_var(tc, "descr", "what relay had not got when the run "
	    "ended there nobody can have");
}
ATF_TC_BODY(too_late, tc)
{
	begin();
	mails(3);
	run_start();
	(void)hear_message();
	(void)hear_message();
	(void)hear_message();
	say_end_after(1, TEMPORARY, 0, "the server closed the connection");
	run_ends(1);
	ATF_REQUIRE_EQ(1, unanswered());
	ATF_REQUIRE_EQ(3, world_count("new"));
	ATF_REQUIRE_EQ(0, suspect_losses(MAILDIR, "new/b"));
	ATF_REQUIRE_EQ(0, suspect_losses(MAILDIR, "new/c"));
	/* The one that it may have is sent again, as such, after the others. */
	run_start();
	(void)hear_message();
	(void)hear_message();
	ATF_REQUIRE(peer_hears_nothing(&relay));
	ATF_REQUIRE_EQ(0, queue.repeated);
	say_end_after(0, TEMPORARY, 0, "the server closed the connection");
	run_ends(1);
	ATF_REQUIRE_EQ(1, unanswered());
}

ATF_TC(no_quarantine);
ATF_TC_HEAD(no_quarantine, tc)
{
	atf_tc_set_md_var(tc, "descr", "what can't be put aside waits for the "
	    "back-off, and keeps nobody");
}
ATF_TC_BODY(no_quarantine, tc)
{
	begin();
	mails(2);
	ATF_REQUIRE_EQ(0, symlink("cur", "spool/" MAILDIR "/quarantine"));
	run_start();
	(void)hear_message();
	(void)hear_message();
	say_result_of(run, 1, RUN_QUARANTINE, 0, "", "no envelope");
	say_result(2, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 0, "");
	run_ends(1);
	ATF_REQUIRE(world_there("new/a"));
	ATF_REQUIRE(!world_there("new/b"));
	ATF_REQUIRE_EQ(0, queue.quarantined);
	ATF_REQUIRE_EQ(0, unanswered());
}

ATF_TC(killer);
ATF_TC_HEAD(killer, tc)
{
	atf_tc_set_md_var(tc, "descr", "a message that ends each connection "
	    "does not stop the others");
}
ATF_TC_BODY(killer, tc)
{
	int	i;

	begin();
	mails(2);
	/* The first time nobody knows who it was. */
	run_start();
	(void)hear_message();
	(void)hear_message();
	say_lost(1);
	say_result_of(run, 2, RUN_UNTRIED, 0, "", "");
	say_end(TEMPORARY, 0, "the server closed the connection");
	run_ends(1);
	/* Alone it is tried for ever. */
	for (i = 0; i < 5; i++) {
		run_start();
		(void)hear_message();
		if (i == 0) {
			say_result(1, ACCEPTED);	/* new/b */
			WAIT_FOR(!world_there("new/b"));
			(void)hear_message();
			say_lost(2);
		} else
			say_lost(1);
		say_end(TEMPORARY, 0, "the server closed the connection");
		run_ends(1);
	}
	ATF_REQUIRE(world_there("new/a"));
	ATF_REQUIRE_EQ(1, unanswered());
	killer_run("new/c");
	ATF_REQUIRE(world_there("new/a"));
	killer_run("new/d");
	ATF_REQUIRE(!world_there("new/a"));
	ATF_REQUIRE(world_there("quarantine/a"));
	ATF_REQUIRE(world_there("quarantine/a.reason"));
	ATF_REQUIRE_EQ(1, queue.quarantined);
	ATF_REQUIRE_EQ(-1, run_begin(&customer));
}

ATF_TC(killer_by_envelope);
ATF_TC_HEAD(killer_by_envelope, tc)
{
	atf_tc_set_md_var(tc, "descr", "a connection that ends without a word "
	    "before a message's text: the next one goes to the end");
}
ATF_TC_BODY(killer_by_envelope, tc)
{
	char	name[] = "new/b";
	int	i;

	begin();
	mails(2);
	run_start();
	(void)hear_message();
	(void)hear_message();
	say_result_of(run, 1, RUN_UNTRIED, 0, "", "");
	say_result_of(run, 2, RUN_UNTRIED, 0, "", "");
	say_end(TEMPORARY, 0, "the server closed the connection");
	run_ends(1);
	ATF_REQUIRE_EQ(0, unanswered());
	for (i = 0; i < 3; i++) {
		name[4] = (char)('b' + i);
		if (i > 0)
			(void)world_mail(name, 300, 5);
		run_start();
		(void)hear_message();
		ATF_REQUIRE(peer_hears_nothing(&relay));
		say_result(1, ACCEPTED);
		WAIT_FOR(!world_there(name));
		(void)hear_message();
		say_result_of(run, 2, RUN_UNTRIED, 0, "", "");
		say_end(TEMPORARY, 0, "the server closed the connection");
		run_ends(1);
	}
	ATF_REQUIRE(world_there("quarantine/a"));
}

/*
 * Ends before the end
 */

ATF_TC(messages_max);
ATF_TC_HEAD(messages_max, tc)
{
	atf_tc_set_md_var(tc, "descr", "no more than so many in one run");
}
ATF_TC_BODY(messages_max, tc)
{
	begin();
	delivery.messages_max = 3;
	mails(5);
	run_start();
	(void)hear_message();
	(void)hear_message();
	(void)hear_message();
	ATF_REQUIRE(peer_hears_nothing(&relay));
	say_result(1, ACCEPTED);
	say_result(2, ACCEPTED);
	say_result(3, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
	ATF_REQUIRE_EQ(1, seen.more);
	ATF_REQUIRE_EQ(2, world_count("new"));
}

ATF_TC(aborted);
ATF_TC_HEAD(aborted, tc)
{
	atf_tc_set_md_var(tc, "descr", "the operator ends a run");
}
ATF_TC_BODY(aborted, tc)
{
	uint64_t	n;

	begin();
	mails(2);
	run_start();
	(void)hear_message();
	(void)hear_message();
	run_abort(customer.run);
	run_abort(customer.run);
	(void)peer_hear(&relay, IMSG_RELAY_ABORT, &n, sizeof(n));
	ATF_REQUIRE_EQ(run, n);
	ATF_REQUIRE(peer_hears_nothing(&relay));
	say_lost(1);
	say_result_of(run, 2, RUN_UNTRIED, 0, "", "");
	say_end(TEMPORARY, 0, "");
	run_ends(1);
	ATF_REQUIRE_EQ(1, unanswered());
	/* Before there is a connection. */
	seen.ended = 0;
	ATF_REQUIRE_EQ(0, run_begin(&customer));
	hear_connect();
	run_abort(customer.run);
	run_ends(1);
}

ATF_TC(stopping);
ATF_TC_HEAD(stopping, tc)
{
	atf_tc_set_md_var(tc, "descr", "a queue that stops lets what is open "
	    "be answered");
}
ATF_TC_BODY(stopping, tc)
{
	int	i;

	begin();
	mails(6);
	run_start();
	for (i = 0; i < 4; i++)
		(void)hear_message();
	queue.stopping = 1;
	for (i = 1; i <= 4; i++)
		say_result((uint64_t)i, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
	ATF_REQUIRE_EQ(2, world_count("new"));
}

ATF_TC(held);
ATF_TC_HEAD(held, tc)
{
	atf_tc_set_md_var(tc, "descr", "so does one who is held meanwhile, and "
	    "the rest keeps its job");
}
ATF_TC_BODY(held, tc)
{
	int	i;

	begin();
	mails(6);
	run_start();
	for (i = 0; i < 4; i++)
		(void)hear_message();
	customer.flags |= CUSTOMER_HELD;
	for (i = 1; i <= 4; i++)
		say_result((uint64_t)i, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
	ATF_REQUIRE_EQ(1, seen.more);
	ATF_REQUIRE_EQ(2, world_count("new"));
}

/*
 * Disks
 */

ATF_TC(journal_first);
ATF_TC_HEAD(journal_first, tc)
{
	atf_tc_set_md_var(tc, "descr", "nothing leaves while the journal can't "
	    "be written; then it does by itself");
}
ATF_TC_BODY(journal_first, tc)
{
	struct run_facts	facts;

	begin();
	mails(2);
	disk.error = ENOSPC;
	run_start();
	WAIT_FOR(journal_trouble() != NULL);
	ATF_REQUIRE(peer_hears_nothing(&relay));
	/* Others are not even connected to. */
	peer_close(&relay);
	run_ends(1);
	relay_begin();
	ATF_REQUIRE_EQ(0, run_begin(&customer));
	ATF_REQUIRE(peer_hears_nothing(&parent));
	run_show(customer.run, &facts);
	ATF_REQUIRE_STREQ("waits for the journal", facts.doing);
	disk.error = 0;
	hear_connect();
	say_started();
	(void)hear_message();
	(void)hear_message();
	ATF_REQUIRE_EQ(0, queue.repeated);
}

ATF_TC(read_only_spool);
ATF_TC_HEAD(read_only_spool, tc)
{
	atf_tc_set_md_var(tc, "descr", "what can't be removed is not sent "
	    "again, and nothing more is sent");
}
ATF_TC_BODY(read_only_spool, tc)
{
	uint64_t	i;

	begin();
	mails(8);
	run_start();
	for (i = 1; i <= 4; i++)
		(void)hear_message();
	disk.unlink_error = EROFS;
	say_result(1, ACCEPTED);
	say_result(2, ACCEPTED);
	/* It is found out with the next window under way. */
	(void)hear_message();
	(void)hear_message();
	for (i = 3; i <= 6; i++)
		say_result(i, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(1);
	ATF_REQUIRE_EQ(8, world_count("new"));
	ATF_REQUIRE_STREQ("what was sent can't be removed", customer.reply);
	/* Still so: he is not sent any of it. */
	run_start();
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(1);
	disk.unlink_error = 0;
	run_start();
	ATF_REQUIRE_EQ(1, hear_message());
	ATF_REQUIRE_EQ(2, hear_message());
	ATF_REQUIRE_EQ(2, world_count("new"));
	say_result(1, ACCEPTED);
	say_result(2, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
	ATF_REQUIRE_EQ(0, world_count("new"));
	ATF_REQUIRE_EQ(8, queue.accepted);
}

ATF_TC(last_life);
ATF_TC_HEAD(last_life, tc)
{
	atf_tc_set_md_var(tc, "descr", "what was taken and is there again "
	    "goes, what was not answered is sent again");
}
ATF_TC_BODY(last_life, tc)
{
	struct stat	st;

	begin();
	mails(3);
	world_stat("new/a", &st);
	ATF_REQUIRE_EQ(0, journal_sent(MAILDIR, "new/a", &st));
	journal_answered(MAILDIR, "new/a", ACCEPTED);
	world_stat("new/b", &st);
	ATF_REQUIRE_EQ(0, journal_sent(MAILDIR, "new/b", &st));
	/* Another one that has the name of one that was taken. */
	world_stat("new/c", &st);
	st.st_ino += 1000000;
	ATF_REQUIRE_EQ(0, journal_sent(MAILDIR, "new/c", &st));
	journal_answered(MAILDIR, "new/c", ACCEPTED);
	ATF_REQUIRE_EQ(0, journal_commit());
	ATF_REQUIRE_EQ(0, run_init());
	ATF_REQUIRE(!world_there("new/a"));
	ATF_REQUIRE(world_there("new/b") && world_there("new/c"));
	run_start();
	(void)hear_message();
	(void)hear_message();
	ATF_REQUIRE_EQ(1, queue.repeated);
}

ATF_TC(strange_files);
ATF_TC_HEAD(strange_files, tc)
{
	atf_tc_set_md_var(tc, "descr", "what is no message blocks nothing");
}
ATF_TC_BODY(strange_files, tc)
{
	begin();
	ATF_REQUIRE_EQ(0, mkfifo("spool/" MAILDIR "/new/0fifo", 0600));
	ATF_REQUIRE_EQ(0, mkdir("spool/" MAILDIR "/new/0directory", 0700));
	ATF_REQUIRE_EQ(0, symlink("/etc/passwd", "spool/" MAILDIR
	    "/new/0link"));
	ATF_REQUIRE_EQ(0, symlink("a", "spool/" MAILDIR "/new/0own"));
	mails(3);
	(void)world_mail("new/.hidden", 300, 100);
	if (getuid() != 0)
		ATF_REQUIRE_EQ(0, chmod("spool/" MAILDIR "/new/b", 0));
	else
		ATF_REQUIRE_EQ(0, unlink("spool/" MAILDIR "/new/b"));
	run_start();
	ATF_REQUIRE_EQ(1, hear_message());
	ATF_REQUIRE_EQ(2, hear_message());
	say_result(1, ACCEPTED);
	say_result(2, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
	ATF_REQUIRE_EQ(0, access("/etc/passwd", F_OK));
}

ATF_TC(vanishes);
ATF_TC_HEAD(vanishes, tc)
{
	atf_tc_set_md_var(tc, "descr", "a message that goes away meanwhile");
}
ATF_TC_BODY(vanishes, tc)
{
	begin();
	mails(2);
	ATF_REQUIRE_EQ(0, run_begin(&customer));
	ATF_REQUIRE_EQ(0, unlink("spool/" MAILDIR "/new/a"));
	hear_connect();
	say_started();
	ATF_REQUIRE_EQ(1, hear_message());
	ATF_REQUIRE_EQ(0, unlink("spool/" MAILDIR "/new/b"));
	say_result(1, ACCEPTED);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
}

/*
 * Age
 */

ATF_TC(expired);
ATF_TC_HEAD(expired, tc)
{
	atf_tc_set_md_var(tc, "descr", "what is too old goes back, with a "
	    "connection or without");
}
ATF_TC_BODY(expired, tc)
{
	begin();
	(void)world_mail("new/old", 300, 86400 + 60);
	ATF_REQUIRE_EQ(-1, run_begin(&customer));
	ATF_REQUIRE_EQ(1, return_pending(&customer, "new/old"));
	(void)world_mail("new/older", 300, 86400 + 100);
	(void)world_mail("new/young", 300, 86400 - 100);
	ATF_REQUIRE_EQ(0, run_expire(&customer));
	ATF_REQUIRE_EQ(0, run_expire(&customer));
	ATF_REQUIRE_EQ(2, return_count());
	ATF_REQUIRE_EQ(2, queue.expired);
	ATF_REQUIRE(lock_is_free());
	run_start();
	ATF_REQUIRE_EQ(1, hear_message());
	ATF_REQUIRE(peer_hears_nothing(&relay));
	ATF_REQUIRE_EQ(0, run_expire(&customer));
	/* Who is told of a delay, once. */
	delivery.lifetime_s = 0;
	delivery.warn_s = 3600;
	say_result(1, TEMPORARY);
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(1);
	ATF_REQUIRE_EQ(0, run_expire(&customer));
	ATF_REQUIRE_EQ(0, run_expire(&customer));
	ATF_REQUIRE_EQ(3, return_count());
	ATF_REQUIRE_EQ(0, return_pending(&customer, "new/young"));
}

ATF_TC(expired_settled);
ATF_TC_HEAD(expired_settled, tc)
{
	atf_tc_set_md_var(tc, "descr", "what was returned and can't be removed "
	    "is not returned again, and again");
}
ATF_TC_BODY(expired_settled, tc)
{
	struct stat	st;

	begin();
	(void)world_mail("new/old", 300, 86400 + 60);
	world_stat("new/old", &st);
	ATF_REQUIRE_EQ(0, journal_sent(MAILDIR, "new/old", &st));
	journal_answered(MAILDIR, "new/old", PERMANENT);
	disk.unlink_error = EACCES;
	ATF_REQUIRE_EQ(0, run_expire(&customer));
	ATF_REQUIRE_EQ(0, return_count());
	ATF_REQUIRE_ERRNO(EALREADY, message_expire(&customer, "new/old",
	    st.st_mtime) == -1);
	ATF_REQUIRE_EQ(0, queue.expired);
	disk.unlink_error = 0;
	run_start();
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
	ATF_REQUIRE_EQ(0, world_count("new"));
	ATF_REQUIRE_EQ(0, return_count());
}

/* 20,000 of them, each refused: no look may look at each for each. */
#define CROWD	20000

ATF_TC(crowd);
ATF_TC_HEAD(crowd, tc)
{
	atf_tc_set_md_var(tc, "descr", "20,000 refused messages");
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(crowd, tc)
{
	uint64_t	first, i;
	int64_t		half_ms = 0, began_ms;
	char		name[32];

	begin();
	delivery.window = 100;
	for (i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof(name), "new/%llu",
		    (unsigned long long)i);
		(void)world_mail(name, 200, 1000);
	}
	run_start();
	began_ms = clock_ms();
	for (first = 1; first <= CROWD; first += 50) {
		for (i = 0; i < (first == 1 ? 100 : 50); i++) {
			if (first + i + (first == 1 ? 0 : 50) <= CROWD)
				(void)hear_message();
		}
		for (i = 0; i < 50; i++)
			say_result(first + i, PERMANENT);
		if (first + 49 == CROWD / 2)
			half_ms = clock_ms() - began_ms;
	}
	hear_finish();
	say_end(ACCEPTED, 1, "");
	run_ends(0);
	ATF_REQUIRE_EQ(CROWD, return_count());
	/* Twice as many take twice as long; six times is for the machine. */
	ATF_REQUIRE_MSG(clock_ms() - began_ms < 6 * half_ms + 2000,
	    "%lld ms, the first half %lld", (long long)(clock_ms() -
	    began_ms), (long long)half_ms);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, delivers);
	ATF_TP_ADD_TC(tp, looks_again);
	ATF_TP_ADD_TC(tp, none);
	ATF_TP_ADD_TC(tp, mixed);
	ATF_TP_ADD_TC(tp, relay_dies);
	ATF_TP_ADD_TC(tp, relay_dies_early);
	ATF_TP_ADD_TC(tp, not_reached);
	ATF_TP_ADD_TC(tp, lie_future_run);
	ATF_TP_ADD_TC(tp, lie_no_message);
	ATF_TP_ADD_TC(tp, lie_message_zero);
	ATF_TP_ADD_TC(tp, lie_status);
	ATF_TP_ADD_TC(tp, lie_no_status);
	ATF_TP_ADD_TC(tp, lie_started);
	ATF_TP_ADD_TC(tp, lie_type);
	ATF_TP_ADD_TC(tp, lie_short);
	ATF_TP_ADD_TC(tp, lie_end_short);
	ATF_TP_ADD_TC(tp, lie_text);
	ATF_TP_ADD_TC(tp, lie_twice);
	ATF_TP_ADD_TC(tp, lie_not_sent);
	ATF_TP_ADD_TC(tp, after_the_end);
	ATF_TP_ADD_TC(tp, too_late);
	ATF_TP_ADD_TC(tp, no_quarantine);
	ATF_TP_ADD_TC(tp, killer);
	ATF_TP_ADD_TC(tp, killer_by_envelope);
	ATF_TP_ADD_TC(tp, messages_max);
	ATF_TP_ADD_TC(tp, aborted);
	ATF_TP_ADD_TC(tp, stopping);
	ATF_TP_ADD_TC(tp, held);
	ATF_TP_ADD_TC(tp, journal_first);
	ATF_TP_ADD_TC(tp, read_only_spool);
	ATF_TP_ADD_TC(tp, last_life);
	ATF_TP_ADD_TC(tp, strange_files);
	ATF_TP_ADD_TC(tp, vanishes);
	ATF_TP_ADD_TC(tp, expired);
	ATF_TP_ADD_TC(tp, expired_settled);
	ATF_TP_ADD_TC(tp, crowd);
	return (atf_no_error());
}
