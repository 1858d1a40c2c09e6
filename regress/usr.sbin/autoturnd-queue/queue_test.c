/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A whole queue on real Maildirs; the test is its parent, its relay and
 * tcpserverd, good ones and bad ones.
 */
#include <sys/time.h>

#include <time.h>

#include "../autoturnd-relay/process.h"

#include "control_wire.h"

static struct imsgbuf		relay;
static struct imsgbuf		mailer;
static struct imsgbuf		events;	/* tcpserverd's end */
static uint64_t			sequence;
static struct spool_settings	settings;
static int			poke_fd;

static void
maildir(const char *name)
{
	static const char *const	subs[] = { "", "/new", "/cur",
					    "/tmp" };
	char				path[512];
	size_t				i;

	for (i = 0; i < nitems(subs); i++) {
		(void)snprintf(path, sizeof(path), "spool/%s%s", name,
		    subs[i]);
		ATF_REQUIRE_EQ_MSG(0, mkdir(path, 0700), "%s", path);
	}
}

/* As old as a minute, so that nobody waits for its second to pass. */
static void
message(const char *maildir_name, const char *name)
{
	struct timespec	times[2];
	char		tmp[512], path[512];
	int		fd;

	(void)snprintf(tmp, sizeof(tmp), "spool/%s/tmp/%s", maildir_name,
	    name);
	(void)snprintf(path, sizeof(path), "spool/%s/new/%s", maildir_name,
	    name);
	ATF_REQUIRE((fd = open(tmp, O_CREAT | O_WRONLY, 0600)) != -1);
	ATF_REQUIRE(write(fd, "Delivered-To: x\n\nbody\n", 22) == 22);
	memset(times, 0, sizeof(times));
	times[0].tv_sec = times[1].tv_sec = time(NULL) - 60;
	ATF_REQUIRE_EQ(0, futimens(fd, times));
	close(fd);
	ATF_REQUIRE_EQ(0, rename(tmp, path));
}

/* A clock was wrong. */
static const struct timeval *
in_a_year(void)
{
	static struct timeval	times[2];

	times[0].tv_sec = times[1].tv_sec = time(NULL) + 365 * 86400;
	return (times);
}

static void
spool_settings(void)
{
	char	path[PATH_MAX];

	ATF_REQUIRE_EQ(0, mkdir("spool", 0755));
	ATF_REQUIRE_EQ(0, mkdir("state", 0700));
	memset(&settings, 0, sizeof(settings));
	settings.number = 7;
	settings.addresses = 1;
	settings.concurrency = 20;
	settings.watches = 10;
	settings.scan_s = 600;
	ATF_REQUIRE(realpath("spool", path) != NULL);
	(void)strlcpy(settings.path, path, sizeof(settings.path));
	ATF_REQUIRE(realpath("state", path) != NULL);
	(void)strlcpy(settings.state_path, path, sizeof(settings.state_path));
	(void)strlcpy(settings.hostname, "isp.example",
	    sizeof(settings.hostname));
	(void)strlcpy(settings.postmaster, "postmaster@isp.example",
	    sizeof(settings.postmaster));
	settings.defaults.port = 25;
	settings.defaults.window = 16;
	settings.defaults.hops_max = 50;
	settings.defaults.lifetime_s = 14 * 86400;
	settings.defaults.interval_s = 1;
	settings.defaults.retry_s = 300;
	settings.defaults.retry_max_s = 600;
}

static void
poke_give(void)
{
	int	sv[2];

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
	    sv));
	poke_fd = sv[0];
	say_fd(&parent, IMSG_QUEUE_POKE, 0, sv[1], NULL, 0);
}

/* Started and told everything, its Maildirs being there. */
static void
queue_start(const atf_tc_t *tc)
{
	process_begin(tc, "queue");
	say(&parent, IMSG_QUEUE_SPOOL, &settings, sizeof(settings));
	say(&parent, IMSG_QUEUE_CONFIGURED, NULL, 0);
	queue_open(&relay, IMSG_QUEUE_RELAY, 0);
	queue_open(&mailer, IMSG_QUEUE_MAILER, 0);
	poke_give();
	hear_word(&parent, IMSG_PARENT_READY);
}

static void
events_give(void)
{
	uint32_t	words[2] = { TCPSERVERD_CONTROL_VERSION,
			    SOCKET_EVENT };

	sequence = 0;
	queue_open(&events, IMSG_QUEUE_EVENTS, 0);
	hear_word(&events, IMSG_CTL_HELLO);
	say(&events, IMSG_CTL_WELCOME, words, sizeof(words));
}

static void
session(const char *address, uint32_t kind)
{
	struct control_event	ev;

	memset(&ev, 0, sizeof(ev));
	ev.sequence = ++sequence;
	ev.kind = kind;
	ATF_REQUIRE_EQ(0, netaddr_parse(&ev.remote, address));
	say(&events, IMSG_CTL_EVENT, &ev, sizeof(ev));
}

/* It wants to be connected to that customer; the run. */
static uint64_t
hear_connect(const char *name)
{
	struct connect_order	order;
	struct imsg		imsg;

	hear(&parent, IMSG_PARENT_CONNECT, &imsg);
	ATF_REQUIRE_EQ(0, imsg_get_data(&imsg, &order, sizeof(order)));
	imsg_free(&imsg);
	ATF_REQUIRE_STREQ(name, order.customer);
	return (order.run);
}

static void
hear_nothing(int ms)
{
	struct imsg	imsg;
	int		n = hear_within(&parent, &imsg, ms);

	ATF_REQUIRE_EQ_MSG(0, n, "message %u", n == 1 ?
	    imsg_get_type(&imsg) : 0);
}

static void
connect_fails(uint64_t run)
{
	struct connect_failure	failure;

	memset(&failure, 0, sizeof(failure));
	failure.run = run;
	failure.error = ECONNREFUSED;
	say(&parent, IMSG_QUEUE_CONNECT_FAILED, &failure, sizeof(failure));
}

/* The relay takes n messages and says that the customer has them. */
static void
relay_delivers(uint64_t run, int n)
{
	struct run_message	message_;
	struct run_result	result;
	struct imsg		imsg;

	say(&relay, IMSG_RUN_STARTED, &run, sizeof(run));
	while (n-- > 0) {
		hear(&relay, IMSG_RELAY_MESSAGE, &imsg);
		close(imsg_get_fd(&imsg));
		ATF_REQUIRE_EQ(0, imsg_get_data(&imsg, &message_,
		    sizeof(message_)));
		imsg_free(&imsg);
		memset(&result, 0, sizeof(result));
		result.run = run;
		result.number = message_.number;
		result.status = 'K';
		say(&relay, IMSG_RUN_RESULT, &result, sizeof(result));
	}
	hear_word(&relay, IMSG_RELAY_FINISH);
}

static void
relay_ends(uint64_t run)
{
	struct run_end	end;

	memset(&end, 0, sizeof(end));
	end.run = run;
	end.status = 'K';
	say(&relay, IMSG_RUN_END, &end, sizeof(end));
}

static int
file_is_there(const char *path)
{
	struct stat	st;

	return (stat(path, &st) == 0);
}

static void
wait_file_gone(const char *path)
{
	int64_t		end = clock_ms() + WAIT_MS;
	struct timespec	ts = { 0, 5000000 };

	while (file_is_there(path) && clock_ms() < end)
		nanosleep(&ts, NULL);
	ATF_REQUIRE_MSG(!file_is_there(path), "%s is there", path);
}

ATF_TC_WITHOUT_HEAD(session_brings_mail);
ATF_TC_BODY(session_brings_mail, tc)
{
	uint64_t	run;
	int		i;

	spool_settings();
	maildir("192.0.2.7");
	maildir("2001:db8::7");
	queue_start(tc);
	events_give();
	session("192.0.2.7", EVENT_CONNECT);
	session("192.0.2.99", EVENT_CONNECT);
	hear_nothing(300);
	/* Mail that no poke or watch tells of (cur/): his session does. */
	message("192.0.2.7", "../cur/1");
	message("192.0.2.7", "../cur/2");
	for (i = 0; i < 1000; i++)
		session("192.0.2.7", i % 2 ? EVENT_END : EVENT_CONNECT);
	session("192.0.2.98", EVENT_CONNECT);
	run = hear_connect("192.0.2.7");
	/* One job, whatever comes. */
	hear_nothing(1500);
	for (i = 0; i < 1000; i++)
		session("192.0.2.7", EVENT_CONNECT);
	relay_delivers(run, 2);
	ATF_CHECK(!file_is_there("spool/192.0.2.7/cur/1"));
	/* After it one more look: nothing waits, so no connection. */
	relay_ends(run);
	hear_nothing(1500);
	message("192.0.2.7", "../cur/3");
	session("192.0.2.7", EVENT_END);
	(void)hear_connect("192.0.2.7");
	process_end();
}

ATF_TC_WITHOUT_HEAD(look_after_a_run);
ATF_TC_BODY(look_after_a_run, tc)
{
	uint64_t	run;

	spool_settings();
	maildir("192.0.2.7");
	message("192.0.2.7", "../cur/1");
	queue_start(tc);
	/* What it finds when it begins is sent. */
	run = hear_connect("192.0.2.7");
	events_give();
	relay_delivers(run, 1);
	/* Too late for this run, told while it is on. */
	message("192.0.2.7", "../cur/2");
	session("192.0.2.7", EVENT_END);
	hear_nothing(200);
	relay_ends(run);
	run = hear_connect("192.0.2.7");
	relay_delivers(run, 1);
	relay_ends(run);
	hear_nothing(1500);
	process_end();
}

ATF_TC_WITHOUT_HEAD(poke_and_watch);
ATF_TC_BODY(poke_and_watch, tc)
{
	uint64_t	run;

	spool_settings();
	maildir("192.0.2.7");
	queue_start(tc);
	/* Watched; a second later it goes; what its time says is nothing. */
	hear_nothing(500);
	message("192.0.2.7", "../tmp/1");
	ATF_REQUIRE_EQ(0, utimes("spool/192.0.2.7/tmp/1", in_a_year()));
	ATF_REQUIRE_EQ(0, rename("spool/192.0.2.7/tmp/1",
	    "spool/192.0.2.7/new/1"));
	run = hear_connect("192.0.2.7");
	relay_delivers(run, 1);
	relay_ends(run);
	/* A customer that was not there, by a poke. */
	maildir("192.0.2.8");
	message("192.0.2.8", "1");
	ATF_REQUIRE_EQ(9, send(poke_fd, "192.0.2.8", 9, 0));
	run = hear_connect("192.0.2.8");
	connect_fails(run);
	/* Strangers, and worse, are nothing. */
	ATF_REQUIRE_EQ(9, send(poke_fd, "192.0.2.9", 9, 0));
	ATF_REQUIRE_EQ(11, send(poke_fd, "../../../tmp", 11, 0));
	ATF_REQUIRE_EQ(0, send(poke_fd, "", 0, 0));
	/* Who failed is not called again for new mail. */
	message("192.0.2.8", "2");
	ATF_REQUIRE_EQ(9, send(poke_fd, "192.0.2.8", 9, 0));
	hear_nothing(1500);
	process_end();
}

ATF_TC_WITHOUT_HEAD(gap);
ATF_TC_BODY(gap, tc)
{
	uint64_t	run;

	spool_settings();
	maildir("192.0.2.7");
	maildir("192.0.2.8");
	maildir("192.0.2.9");
	message("192.0.2.7", "../cur/1");
	message("192.0.2.9", "../cur/1");
	queue_start(tc);
	run = hear_connect("192.0.2.7");
	connect_fails(run);
	run = hear_connect("192.0.2.9");
	connect_fails(run);
	hear_nothing(100);
	/* They may have come: both are tried, whatever the retry says. */
	events_give();
	(void)hear_connect("192.0.2.7");
	run = hear_connect("192.0.2.9");
	connect_fails(run);
	/* tcpserverd goes: another way to it is wanted. */
	queue_close(&events);
	hear_word(&parent, IMSG_PARENT_EVENTS_WANTED);
	events_give();
	(void)hear_connect("192.0.2.9");
	process_end();
}

ATF_TC_WITHOUT_HEAD(rotating_scan);
ATF_TC_BODY(rotating_scan, tc)
{
	uint64_t	run;

	spool_settings();
	settings.scan_s = 1;
	settings.watches = 0;
	maildir("192.0.2.7");
	queue_start(tc);
	message("192.0.2.7", "1");
	run = hear_connect("192.0.2.7");
	relay_delivers(run, 1);
	relay_ends(run);
	maildir("2001:db8::1");
	message("2001:db8::1", "1");
	run = hear_connect("2001:db8::1");
	relay_delivers(run, 1);
	wait_file_gone("spool/2001:db8::1/new/1");
	relay_ends(run);
	process_end();
}

ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct customer_settings	c;
	struct customer_address		a;

	spool_settings();
	maildir("192.0.2.7");
	maildir("acme");
	message("acme", "../cur/1");
	queue_start(tc);
	events_give();
	session("192.0.2.70", EVENT_CONNECT);
	hear_nothing(200);
	say(&parent, IMSG_QUEUE_SPOOL, &settings, sizeof(settings));
	memset(&c, 0, sizeof(c));
	(void)strlcpy(c.name, "acme", sizeof(c.name));
	(void)strlcpy(c.maildir, "acme", sizeof(c.maildir));
	c.delivery = settings.defaults;
	say(&parent, IMSG_QUEUE_CUSTOMER, &c, sizeof(c));
	memset(&a, 0, sizeof(a));
	ATF_REQUIRE_EQ(0, netaddr_parse(&a.addr, "192.0.2.64"));
	a.prefixlen = 26;
	say(&parent, IMSG_QUEUE_ADDRESS, &a, sizeof(a));
	say(&parent, IMSG_QUEUE_DOMAIN, "acme.example", 12);
	say(&parent, IMSG_QUEUE_CONFIGURED, NULL, 0);
	session("192.0.2.70", EVENT_CONNECT);
	(void)hear_connect("acme");
	/* Not configured any more: his run has no end to wait for. */
	say(&parent, IMSG_QUEUE_SPOOL, &settings, sizeof(settings));
	say(&parent, IMSG_QUEUE_CONFIGURED, NULL, 0);
	session("192.0.2.70", EVENT_CONNECT);
	hear_nothing(500);
	process_end();
}

static void
wait_end(int want)
{
	int	status;

	ATF_REQUIRE(waitpid(child, &status, 0) == child);
	ATF_CHECK_EQ_MSG(want, status, "it ended with %#x", status);
}

ATF_TC_WITHOUT_HEAD(stop);
ATF_TC_BODY(stop, tc)
{
	uint64_t	run;
	int64_t		began;

	spool_settings();
	maildir("192.0.2.7");
	queue_start(tc);
	say(&parent, IMSG_QUEUE_STOP, NULL, 0);
	wait_end(0);
	/* With a run: that ends first. */
	message("192.0.2.7", "1");
	queue_start(tc);
	run = hear_connect("192.0.2.7");
	say(&parent, IMSG_QUEUE_STOP, NULL, 0);
	alive_check();
	began = clock_ms();
	connect_fails(run);
	wait_end(0);
	ATF_CHECK(clock_ms() - began < STOP_RUNS_MS);
	/* With one that does not end. */
	queue_start(tc);
	(void)hear_connect("192.0.2.7");
	say(&parent, IMSG_QUEUE_STOP, NULL, 0);
	wait_end(0);
}

#define FATAL	(111 << 8)

/* What the parent says is right, or there is no queue. */
ATF_TC_WITHOUT_HEAD(wrong_parent);
ATF_TC_BODY(wrong_parent, tc)
{
	static const uint32_t	types[] = { IMSG_QUEUE_SPOOL,
				    IMSG_QUEUE_CUSTOMER, IMSG_QUEUE_ADDRESS,
				    IMSG_QUEUE_DOMAIN, IMSG_QUEUE_RELAY,
				    IMSG_QUEUE_CONTROL, IMSG_RELAY_RUN };
	struct spool_settings	other;
	size_t			i;

	spool_settings();
	for (i = 0; i < nitems(types); i++) {
		queue_start(tc);
		say(&parent, types[i], "", 0);
		wait_end(FATAL);
	}
	process_begin(tc, "queue");
	say(&parent, IMSG_QUEUE_CONFIGURED, NULL, 0);
	wait_end(FATAL);
	process_begin(tc, "queue");
	other = settings;
	memset(other.path, 'x', sizeof(other.path));
	say(&parent, IMSG_QUEUE_SPOOL, &other, sizeof(other));
	wait_end(FATAL);
	/* Another spool is another queue. */
	queue_start(tc);
	other = settings;
	(void)strlcpy(other.path, "/", sizeof(other.path));
	say(&parent, IMSG_QUEUE_SPOOL, &other, sizeof(other));
	wait_end(FATAL);
	/* A directory that is not there is named. */
	process_begin(tc, "queue");
	(void)strlcpy(other.path, "/nowhere/spool", sizeof(other.path));
	say(&parent, IMSG_QUEUE_SPOOL, &other, sizeof(other));
	wait_end(FATAL);
	log_check("/nowhere/spool");
	/* A parent that dies before it said anything. */
	process_begin(tc, "queue");
	close(parent.fd);
	wait_end(0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, session_brings_mail);
	ATF_TP_ADD_TC(tp, look_after_a_run);
	ATF_TP_ADD_TC(tp, poke_and_watch);
	ATF_TP_ADD_TC(tp, gap);
	ATF_TP_ADD_TC(tp, rotating_scan);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, stop);
	ATF_TP_ADD_TC(tp, wrong_parent);

	return (atf_no_error());
}
