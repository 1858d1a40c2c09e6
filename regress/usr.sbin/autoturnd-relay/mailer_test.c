/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A real mailer with programs of the test's own.
 */
#include "process.h"

static struct imsgbuf	queue;

/* The program is a shell script, run in the test's directory. */
static void
setup(uint32_t kind, uint32_t timeout_s, const char *script)
{
	struct mailer_settings	settings;
	char			here[1024];

	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	atf_utils_create_file("program", "#!/bin/sh\ncd %s || exit 9\n%s\n",
	    here, script);
	ATF_REQUIRE(chmod("program", 0700) == 0);
	memset(&settings, 0, sizeof(settings));
	settings.kind = kind;
	settings.timeout_s = timeout_s;
	(void)snprintf(settings.path, sizeof(settings.path), "%s/program",
	    here);
	say(&parent, IMSG_MAILER_SETUP, &settings, sizeof(settings));
}

static void
begin(const atf_tc_t *tc, uint32_t kind, uint32_t timeout_s,
    const char *script)
{
	process_begin(tc, "mailer");
	setup(kind, timeout_s, script);
	hear_word(&parent, IMSG_PARENT_READY);
	queue_open(&queue, IMSG_MAILER_QUEUE, 0);
}

static void
report(uint64_t number, const char *sender, const char *recipient,
    const char *text)
{
	struct mailer_report	r;
	int			fd;

	memset(&r, 0, sizeof(r));
	r.number = number;
	(void)strlcpy(r.sender, sender, sizeof(r.sender));
	(void)strlcpy(r.recipient, recipient, sizeof(r.recipient));
	ATF_REQUIRE((fd = open("report", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600)) != -1);
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	say_fd(&queue, IMSG_MAILER_REPORT, 0, fd, &r, sizeof(r));
}

static void
answer(uint64_t number, int error, const char *why)
{
	struct mailer_answer	a;
	struct imsg		imsg;

	hear(&queue, IMSG_MAILER_DONE, &imsg);
	ATF_REQUIRE(imsg_get_data(&imsg, &a, sizeof(a)) == 0);
	imsg_free(&imsg);
	ATF_CHECK_EQ(number, a.number);
	ATF_CHECK_EQ_MSG(error, a.error, "%d: %s", a.error, a.why);
	ATF_CHECK_MSG(strstr(a.why, why) != NULL, "%s", a.why);
}

static void
file_check(const char *path, const char *expected)
{
	char	*text = file_text(path);

	ATF_CHECK_STREQ(expected, text);
	free(text);
}

ATF_TC_WITHOUT_HEAD(sendmail);
ATF_TC_BODY(sendmail, tc)
{
	begin(tc, MAILER_SENDMAIL, 60,
	    "cat >got; printf '%s\\n' \"$@\" >args");
	report(1, "", "joe@example.org", "Subject: x\n\nbody\n");
	answer(1, 0, "");
	file_check("got", "Subject: x\n\nbody\n");
	file_check("args", "-i\n-f\n<>\n--\njoe@example.org\n");
	/* Nobody becomes an option; what needs quotes has them. */
	report(2, "a b@c", "-oQ/tmp@x", "");
	answer(2, 0, "");
	file_check("args", "-i\n-f\n\"a b\"@c\n--\n-oQ/tmp@x\n");
	process_end();
}

ATF_TC_WITHOUT_HEAD(qmail);
ATF_TC_BODY(qmail, tc)
{
	begin(tc, MAILER_QMAIL, 60,
	    "cat >got; tr '\\0' '\\n' <&1 >envelope; echo $# >args");
	report(1, "", "a b@x", "text\n");
	answer(1, 0, "");
	file_check("got", "text\n");
	file_check("envelope", "F\nTa b@x\n\n");
	file_check("args", "0\n");
	report(2, "#@[]", "postmaster", "text\n");
	answer(2, 0, "");
	file_check("envelope", "F#@[]\nTpostmaster\n\n");
	process_end();
}

/* Nothing of ours comes along. */
ATF_TC_WITHOUT_HEAD(clean);
ATF_TC_BODY(clean, tc)
{
	setenv("LD_PRELOAD_NOT", "secret", 1);
	setenv("MAILER_TEST", "secret", 1);
	begin(tc, MAILER_SENDMAIL, 60, "env >env; umask >mask; "
	    "for fd in 3 4 5 6 7 8 9; do "
	    "(: >&$fd) 2>/dev/null && echo $fd; done >fds; :");
	report(1, "", "a@b", "");
	answer(1, 0, "");
	ATF_CHECK(!atf_utils_grep_file("secret", "env"));
	ATF_CHECK(atf_utils_grep_file("^PATH=/usr/local/bin:", "env"));
	file_check("mask", "0022\n");
	file_check("fds", "");
	process_end();
}

ATF_TC_WITHOUT_HEAD(failures);
ATF_TC_BODY(failures, tc)
{
	struct mailer_report	none;

	begin(tc, MAILER_SENDMAIL, 60, "echo one >&2; echo 'no space left' >&2; "
	    "exit 75");
	report(1, "", "a@b", "x");
	answer(1, EIO, "exited with 75: no space left");
	log_check("one");
	setup(MAILER_SENDMAIL, 60, "kill -9 $$");
	report(2, "", "a@b", "x");
	answer(2, EIO, "ended by signal 9");
	ATF_REQUIRE(unlink("program") == 0);
	report(3, "", "a@b", "x");
	answer(3, EIO, "unable to run it: file does not exist");
	report(4, "", "", "x");
	answer(4, EINVAL, "for nobody");
	/* Its descriptor was lost. */
	memset(&none, 0, sizeof(none));
	none.number = 5;
	say(&queue, IMSG_MAILER_REPORT, &none, sizeof(none));
	answer(5, EMFILE, "out of descriptors");
	setup(MAILER_SENDMAIL, 60, "exit 0");
	report(6, "", "a@b", "x");
	answer(6, 0, "");
	process_end();
}

/* A second one is not begun before the first has ended. */
ATF_TC_WITHOUT_HEAD(one_at_a_time);
ATF_TC_BODY(one_at_a_time, tc)
{
	ATF_REQUIRE(mkfifo("go", 0600) == 0);
	begin(tc, MAILER_SENDMAIL, 60, "read x <go; exit 0");
	report(1, "", "a@b", "x");
	report(2, "", "a@b", "x");
	answer(2, EBUSY, "already");
	atf_utils_create_file("go", "x\n");
	answer(1, 0, "");
	process_end();
}

/* More than a log wants and a pipe takes. */
ATF_TC_WITHOUT_HEAD(flood);
ATF_TC_BODY(flood, tc)
{
	struct stat	st;

	begin(tc, MAILER_SENDMAIL, 60,
	    "head -c 3000000 /dev/zero | tr '\\0' x >&2; "
	    "yes | head -n 100000 >&2; exit 1");
	report(1, "", "a@b", "x");
	answer(1, EIO, "exited with 1: y");
	ATF_REQUIRE(stat("log", &st) == 0);
	ATF_CHECK_MSG(st.st_size < 20000, "%lld bytes logged",
	    (long long)st.st_size);
	log_check("said more");
	process_end();
}

/* What it leaves behind holds nobody up. */
ATF_TC_WITHOUT_HEAD(left_behind);
ATF_TC_BODY(left_behind, tc)
{
	begin(tc, MAILER_SENDMAIL, 60, "sleep 50 & exit 0");
	report(1, "", "a@b", "x");
	answer(1, 0, "");
	report(2, "", "a@b", "x");
	answer(2, 0, "");
	process_end();
}

static int
is_alive(const char *path)
{
	char	*text = file_text(path);
	pid_t	 pid = atoi(text);

	free(text);
	ATF_REQUIRE(pid > 1);
	return (kill(pid, 0) == 0);
}

/* It and all it has started end, whatever they think of SIGTERM. */
ATF_TC_WITHOUT_HEAD(hangs);
ATF_TC_BODY(hangs, tc)
{
	int	tries;

	begin(tc, MAILER_SENDMAIL, 1, "trap '' TERM; echo $$ >pid; "
	    "sh -c 'echo $$ >child; exec sleep 100' & wait; sleep 100");
	report(1, "", "a@b", "x");
	answer(1, ETIMEDOUT, "not ended within 1 seconds");
	ATF_CHECK(!is_alive("pid"));
	/* An orphan is reaped by init, in init's time. */
	for (tries = 0; is_alive("child") && tries < 200; tries++) {
		char	path[64], *pid = file_text("child"), *stat;

		(void)snprintf(path, sizeof(path), "/proc/%d/stat", atoi(pid));
		free(pid);
		stat = file_text(path);
		if (strstr(stat, ") Z ") != NULL)
			break;
		free(stat);
		poll(NULL, 0, 20);
	}
	ATF_CHECK(tries < 200);
	setup(MAILER_SENDMAIL, 60, "exit 0");
	report(2, "", "a@b", "x");
	answer(2, 0, "");
	process_end();
}

/* A queue that lies, one that goes, another one. */
ATF_TC_WITHOUT_HEAD(queues);
ATF_TC_BODY(queues, tc)
{
	begin(tc, MAILER_SENDMAIL, 60, "exit 0");
	say(&queue, IMSG_MAILER_REPORT, "x", 1);
	hear_hangup(&queue);
	queue_close(&queue);
	log_check("makes no sense");
	queue_open(&queue, IMSG_MAILER_QUEUE, 0);
	say(&queue, IMSG_RELAY_FINISH, NULL, 0);
	hear_hangup(&queue);
	queue_close(&queue);
	queue_open(&queue, IMSG_MAILER_QUEUE, 0);
	report(1, "", "a@b", "x");
	answer(1, 0, "");
	queue_close(&queue);
	queue_open(&queue, IMSG_MAILER_QUEUE, 0);
	report(2, "", "a@b", "x");
	answer(2, 0, "");
	process_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sendmail);
	ATF_TP_ADD_TC(tp, qmail);
	ATF_TP_ADD_TC(tp, clean);
	ATF_TP_ADD_TC(tp, failures);
	ATF_TP_ADD_TC(tp, one_at_a_time);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, left_behind);
	ATF_TP_ADD_TC(tp, hangs);
	ATF_TP_ADD_TC(tp, queues);
	return (atf_no_error());
}
