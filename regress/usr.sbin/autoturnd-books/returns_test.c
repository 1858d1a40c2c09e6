/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reports to senders, with a mailer that takes them, does not, or dies.
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

#include "world.h"

#define HEAD		"Return-Path: <sender@example.net>\n"		\
			"Delivered-To: " PREFIX "user@example.com\n"
#define REFUSED		"192.0.2.7 said: 550 5.1.1 nobody here"

static struct peer		mailer;
static struct mailer_report	report;		/* heard last */
static char			text[200000];	/* of it */
static int			mailers_lost;

static void
mailer_lost(struct channel *ch)
{
	mailers_lost++;
	return_mailer_lost(ch);
}

static void
mailer_begin(void)
{
	peer_open(&mailer, &queue.mailer, return_dispatch, mailer_lost);
	return_mailer_ready();
}

static void
begin(void)
{
	world_begin();
	ATF_REQUIRE_EQ(0, journal_open(NULL, NULL));
	mailer_begin();
}

static void
hear_report(void)
{
	ssize_t	n;
	int	fd;

	fd = peer_hear(&mailer, IMSG_MAILER_REPORT, &report, sizeof(report));
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(0, lseek(fd, 0, SEEK_CUR));
	n = read(fd, text, sizeof(text) - 1);
	ATF_REQUIRE(n > 0);
	text[n] = '\0';
	close(fd);
}

static void
say_done_of(uint64_t number, int error, const char *why)
{
	struct mailer_answer	answer;

	memset(&answer, 0, sizeof(answer));
	answer.number = number;
	answer.error = error;
	(void)strlcpy(answer.why, why, sizeof(answer.why));
	peer_say(&mailer, IMSG_MAILER_DONE, &answer, sizeof(answer), NULL);
}

static void
say_done(int error, const char *why)
{
	say_done_of(report.number, error, why);
}

static void
text_has(const char *what)
{
	ATF_REQUIRE_MSG(strstr(text, what) != NULL, "not in the report: %s\n%s",
	    what, text);
}

static int
journal_of(const char *name)
{
	struct stat	st;

	world_stat(name, &st);
	return (journal_status(MAILDIR, name, &st));
}

ATF_TC(refused);
ATF_TC_HEAD(refused, tc)
{
	atf_tc_set_md_var(tc, "descr", "a report, and the message goes when it "
	    "was taken");
}
ATF_TC_BODY(refused, tc)
{
	begin();
	(void)world_text("new/a", HEAD "Subject: hello\n\nthe text\n", 100);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	ATF_REQUIRE_EQ(1, return_count());
	hear_report();
	ATF_REQUIRE_STREQ("", report.sender);
	ATF_REQUIRE_STREQ("sender@example.net", report.recipient);
	text_has("From: <MAILER-DAEMON@mail.example.org>");
	text_has("To: <sender@example.net>");
	text_has("Auto-Submitted: auto-replied");
	text_has("multipart/report");
	text_has("Final-Recipient: rfc822; user@example.com");
	text_has("Action: failed");
	text_has("Status: 5.1.1");
	text_has("550 5.1.1 nobody here");
	text_has("Subject: hello");
	text_has("the text");
	ATF_REQUIRE(strstr(text, PREFIX) == NULL);
	ATF_REQUIRE(world_there("new/a"));
	ATF_REQUIRE_EQ(1, return_pending(&customer, "new/a"));
	say_done(0, "");
	WAIT_FOR(!world_there("new/a"));
	ATF_REQUIRE_EQ(0, return_pending(&customer, "new/a"));
	ATF_REQUIRE_EQ(1, queue.returned);
	ATF_REQUIRE_EQ(1, customer.returned);
	ATF_REQUIRE_EQ(0, return_count());
	ATF_REQUIRE_EQ(0, world_count("quarantine"));
}

ATF_TC(disk_first);
ATF_TC_HEAD(disk_first, tc)
{
	atf_tc_set_md_var(tc, "descr", "a message that can't be removed is "
	    "known as returned");
}
ATF_TC_BODY(disk_first, tc)
{
	begin();
	(void)world_mail("new/a", 300, 100);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	hear_report();
	disk.unlink_error = EROFS;
	say_done(0, "");
	WAIT_FOR(queue.returned == 1);
	ATF_REQUIRE(world_there("new/a"));
	ATF_REQUIRE_EQ('D', journal_of("new/a"));
	disk.unlink_error = 0;
	ATF_REQUIRE_EQ(0, run_init());
	ATF_REQUIRE(!world_there("new/a"));
}

ATF_TC(expired);
ATF_TC_HEAD(expired, tc)
{
	atf_tc_set_md_var(tc, "descr", "one that was too old says so");
}
ATF_TC_BODY(expired, tc)
{
	begin();
	(void)world_mail("new/a", 300, 100);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a",
	    "unable to connect: connection refused", 1));
	hear_report();
	text_has("unable to connect: connection refused");
	text_has("tried for too long");
	text_has("Status: 4.4.7");
}

ATF_TC(warned);
ATF_TC_HEAD(warned, tc)
{
	atf_tc_set_md_var(tc, "descr", "one notice of a delay, and the message "
	    "stays");
}
ATF_TC_BODY(warned, tc)
{
	struct stat	st;

	begin();
	(void)world_mail("new/a", 300, 100);
	ATF_REQUIRE_EQ(0, return_warn(&customer, "new/a"));
	ATF_REQUIRE_EQ(0, return_pending(&customer, "new/a"));
	hear_report();
	text_has("Action: delayed");
	text_has("Will-Retry-Until: ");
	ATF_REQUIRE_STREQ("sender@example.net", report.recipient);
	world_stat("new/a", &st);
	ATF_REQUIRE_EQ(0, journal_is_warned(MAILDIR, "new/a", &st));
	say_done(0, "");
	WAIT_FOR(queue.warned == 1);
	ATF_REQUIRE(world_there("new/a"));
	ATF_REQUIRE_EQ(1, journal_is_warned(MAILDIR, "new/a", &st));
	ATF_REQUIRE_EQ(0, queue.returned);
	/* The null sender is not told, and not asked about again. */
	(void)world_text("new/b", "Return-Path: <>\nDelivered-To: " PREFIX
	    "user@example.com\n\nx\n", 100);
	ATF_REQUIRE_EQ(0, return_warn(&customer, "new/b"));
	WAIT_FOR(return_count() == 0);
	world_stat("new/b", &st);
	ATF_REQUIRE_EQ(1, journal_is_warned(MAILDIR, "new/b", &st));
	ATF_REQUIRE(peer_hears_nothing(&mailer));
}

ATF_TC(null_sender);
ATF_TC_HEAD(null_sender, tc)
{
	atf_tc_set_md_var(tc, "descr", "a bounce that is refused goes to the "
	    "postmaster");
}
ATF_TC_BODY(null_sender, tc)
{
	char	*copy;

	begin();
	(void)world_text("new/a", "Return-Path: <>\nDelivered-To: " PREFIX
	    "user@example.com\nSubject: failure notice\n\nx\n", 100);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	hear_report();
	ATF_REQUIRE_STREQ("", report.sender);
	ATF_REQUIRE_STREQ("postmaster@example.org", report.recipient);
	text_has("To: <postmaster@example.org>");
	say_done(0, "");
	WAIT_FOR(!world_there("new/a"));
	/* And if that report comes back itself: nobody is left. */
	ATF_REQUIRE(asprintf(&copy, "%s%s", "Return-Path: <>\n"
	    "Delivered-To: " PREFIX "user@example.com\n", text) != -1);
	(void)world_text("new/b", copy, 100);
	free(copy);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/b", REFUSED, 0));
	WAIT_FOR(world_there("quarantine/b"));
	ATF_REQUIRE(!world_there("new/b"));
	ATF_REQUIRE(peer_hears_nothing(&mailer));
	(void)world_text("new/c", "Return-Path: <#@[]>\nDelivered-To: " PREFIX
	    "user@example.com\n\nx\n", 100);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/c", REFUSED, 0));
	WAIT_FOR(world_there("quarantine/c"));
	ATF_REQUIRE_EQ(2, queue.quarantined);
	ATF_REQUIRE_EQ(0, return_count());
}

ATF_TC(unreadable);
ATF_TC_HEAD(unreadable, tc)
{
	atf_tc_set_md_var(tc, "descr", "heads that tell of no sender, and "
	    "messages that are gone");
}
ATF_TC_BODY(unreadable, tc)
{
	begin();
	(void)world_text("new/a", "Subject: no envelope\n\nx\n", 100);
	(void)world_text("new/b", "Return-Path: <a@example.net>\n"
	    "Delivered-To: autoturn-192.0.2.8-user@example.com\n\nx\n", 100);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", "old", 1));
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/b", "old", 1));
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/none", "old", 1));
	ATF_REQUIRE_EQ(3, return_count());
	WAIT_FOR(return_count() == 0);
	ATF_REQUIRE(world_there("quarantine/a") &&
	    world_there("quarantine/b"));
	ATF_REQUIRE_EQ(0, world_count("new"));
	ATF_REQUIRE(peer_hears_nothing(&mailer));
}

static int	shown;
static char	shown_why[256];

static void
show_visit(const struct return_entry *e, void *arg)
{
	shown++;
	(void)strlcpy(shown_why, e->why, sizeof(shown_why));
}

ATF_TC(mailer_fails);
ATF_TC_HEAD(mailer_fails, tc)
{
	atf_tc_set_md_var(tc, "descr", "the message stays, nobody is sent it, "
	    "the next one has its turn");
}
ATF_TC_BODY(mailer_fails, tc)
{
	begin();
	(void)world_mail("new/a", 300, 100);
	(void)world_mail("new/b", 300, 90);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/b", REFUSED, 0));
	hear_report();
	ATF_REQUIRE(peer_hears_nothing(&mailer));
	say_done(75, "sendmail exited with 75");
	hear_report();
	ATF_REQUIRE(world_there("new/a"));
	ATF_REQUIRE_EQ(1, return_pending(&customer, "new/a"));
	return_walk(&customer, show_visit, NULL);
	ATF_REQUIRE_EQ(2, shown);
	say_done(0, "");
	WAIT_FOR(!world_there("new/b"));
	return_walk(NULL, show_visit, NULL);
	ATF_REQUIRE_EQ(3, shown);
	ATF_REQUIRE_STREQ("sendmail exited with 75", shown_why);
	ATF_REQUIRE_EQ(1, queue.returned);
}

ATF_TC(mailer_dies);
ATF_TC_HEAD(mailer_dies, tc)
{
	atf_tc_set_md_var(tc, "descr", "what it had is kept; what waits goes to "
	    "the next mailer");
}
ATF_TC_BODY(mailer_dies, tc)
{
	uint64_t	first;

	begin();
	(void)world_mail("new/a", 300, 100);
	(void)world_mail("new/b", 300, 90);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/b", REFUSED, 0));
	hear_report();
	first = report.number;
	peer_close(&mailer);
	WAIT_FOR(mailers_lost == 1);
	ATF_REQUIRE_EQ(2, return_count());
	ATF_REQUIRE(world_there("new/a") && world_there("new/b"));
	mailer_begin();
	hear_report();
	ATF_REQUIRE(report.number != first);
	/* The old one's answer would come too late. */
	say_done_of(first, 0, "");
	WAIT_FOR(mailers_lost == 2);
	ATF_REQUIRE(world_there("new/a") && world_there("new/b"));
	ATF_REQUIRE_EQ(2, return_count());
}

ATF_TC(mailer_lies);
ATF_TC_HEAD(mailer_lies, tc)
{
	atf_tc_set_md_var(tc, "descr", "an answer without a question");
}
ATF_TC_BODY(mailer_lies, tc)
{
	begin();
	(void)world_mail("new/a", 300, 100);
	say_done_of(1, 0, "");
	WAIT_FOR(mailers_lost == 1);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	mailer_begin();
	hear_report();
	peer_say(&mailer, IMSG_MAILER_REPORT, &report, sizeof(report), NULL);
	WAIT_FOR(mailers_lost == 2);
	ATF_REQUIRE(world_there("new/a"));
	ATF_REQUIRE_EQ(1, return_count());
}

ATF_TC(locked);
ATF_TC_HEAD(locked, tc)
{
	atf_tc_set_md_var(tc, "descr", "nothing goes back while another "
	    "program may be sending it");
}
ATF_TC_BODY(locked, tc)
{
	int	fd;

	begin();
	(void)world_mail("new/a", 300, 100);
	fd = open("spool/" MAILDIR "/seriallock", O_WRONLY | O_CREAT, 0600);
	ATF_REQUIRE_EQ(0, flock(fd, LOCK_EX));
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	ATF_REQUIRE(peer_hears_nothing(&mailer));
	ATF_REQUIRE_EQ(1, return_count());
	ATF_REQUIRE(world_there("new/a"));
	close(fd);
}

/* While a report is made the Maildir is ours. */
ATF_TC(locks);
ATF_TC_HEAD(locks, tc)
{
	atf_tc_set_md_var(tc, "descr", "the lock is held from the report to "
	    "the removal");
}
ATF_TC_BODY(locks, tc)
{
	int	fd;

	begin();
	(void)world_mail("new/a", 300, 100);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a", REFUSED, 0));
	hear_report();
	fd = open("spool/" MAILDIR "/seriallock", O_WRONLY);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_ERRNO(EWOULDBLOCK, flock(fd, LOCK_EX | LOCK_NB) == -1);
	say_done(0, "");
	WAIT_FOR(!world_there("new/a"));
	ATF_REQUIRE_EQ(0, flock(fd, LOCK_EX | LOCK_NB));
}

ATF_TC(several);
ATF_TC_HEAD(several, tc)
{
	atf_tc_set_md_var(tc, "descr", "of several recipients only those who "
	    "were refused");
}
ATF_TC_BODY(several, tc)
{
	begin();
	(void)world_text("new/a", "Return-path: <sender@example.net>\n"
	    "Envelope-to: " PREFIX "one@example.com, " PREFIX
	    "two@example.com\nSubject: x\n\nx\n", 100);
	ATF_REQUIRE_EQ(0, return_message(&customer, "new/a",
	    "192.0.2.7 said: <two@example.com>: 550 5.1.1 no", 0));
	hear_report();
	text_has("Final-Recipient: rfc822; two@example.com");
	ATF_REQUIRE(strstr(text, "rfc822; one@example.com") == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, disk_first);
	ATF_TP_ADD_TC(tp, expired);
	ATF_TP_ADD_TC(tp, warned);
	ATF_TP_ADD_TC(tp, null_sender);
	ATF_TP_ADD_TC(tp, unreadable);
	ATF_TP_ADD_TC(tp, mailer_fails);
	ATF_TP_ADD_TC(tp, mailer_dies);
	ATF_TP_ADD_TC(tp, mailer_lies);
	ATF_TP_ADD_TC(tp, locked);
	ATF_TP_ADD_TC(tp, locks);
	ATF_TP_ADD_TC(tp, several);
	return (atf_no_error());
}
