/*
 * A real launcher, between a parent and an engine that the test plays.
 */
#include "process.h"

#define NUMBER	7

/* argv: a shell command, which has the client on 0 and 1. */
static void
begin(const char *command)
{
	static const char		*words[] = { "/bin/sh", "-c", NULL };
	struct launcher_settings	 set;
	int				 i;

	process_begin("launcher");
	hear_word(IMSG_PRIVSEP_HELLO);
	memset(&set, 0, sizeof(set));
	set.number = NUMBER;
	set.log_level = LOG_LEVEL_VERBOSE;
	set.classic = 1;
	set.argc = 3;
	strlcpy(set.name, "tcpserver", sizeof(set.name));
	set.argv_len = strlen(words[0]) + strlen(words[1]) + strlen(command) +
	    3;
	say(IMSG_LAUNCHER_SERVICE, 0, &set, sizeof(set));
	for (i = 0; i < 2; i++)
		say(IMSG_LAUNCHER_ARGV, 0, words[i], strlen(words[i]) + 1);
	say(IMSG_LAUNCHER_ARGV, 0, command, strlen(command) + 1);
	fd_give(IMSG_LAUNCHER_STARTS, 0, tp_.starts[1], NULL, 0);
	fd_give(IMSG_LAUNCHER_REPORTS, 0, tp_.reports[1], NULL, 0);
	say(IMSG_LAUNCHER_CONFIGURED, 0, NULL, 0);
	hear_word(IMSG_PARENT_READY);
}

static void
record_make(struct start_record *r, uint64_t id)
{
	memset(r, 0, sizeof(*r));
	r->id = id;
	ATF_REQUIRE(netaddr_parse(&r->local, "192.0.2.1") == 0);
	ATF_REQUIRE(netaddr_parse(&r->remote, "192.0.2.2") == 0);
	r->local_port = 25;
	r->remote_port = 1025;
}

/* Starts one; our end of its client. */
static int
start(uint64_t id)
{
	struct start_record	r;
	int			sv[2];

	record_make(&r, id);
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv) == 0);
	ATF_REQUIRE(packet_send(&r, sizeof(r), &sv[1], 1) == 0);
	close(sv[1]);
	return (sv[0]);
}

static int
report_now(struct report *r)
{
	ssize_t	n;

	n = recv(tp_.reports[0], r, sizeof(*r), MSG_DONTWAIT);
	ATF_REQUIRE(n == -1 || n == sizeof(*r));
	return (n == -1 ? -1 : 0);
}

static void
report_wait(struct report *r)
{
	struct pollfd	p = { .fd = tp_.reports[0], .events = POLLIN };

	if (poll(&p, 1, WAIT_MS) != 1)
		fail("no report came");
	ATF_REQUIRE(report_now(r) == 0);
	ATF_CHECK_EQ(NUMBER, r->launcher);
}

static void
report_expect(uint32_t type, uint64_t id, struct report *r)
{
	report_wait(r);
	ATF_CHECK_EQ_MSG(type, r->type, "report %u, not %u", r->type, type);
	ATF_CHECK_EQ(id, r->id);
}

static void
text_expect(int fd, const char *expected)
{
	char	text[1024];
	size_t	got = 0;
	ssize_t	n;

	while (got < sizeof(text) - 1 &&
	    (n = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
		got += (size_t)n;
	text[got] = '\0';
	ATF_CHECK_STREQ(expected, text);
	close(fd);
}

ATF_TC_WITHOUT_HEAD(a_program);
ATF_TC_BODY(a_program, tc)
{
	struct report	r;
	char		line[256];
	int		fd;
	pid_t		pid;

	begin("echo $PROTO $TCPREMOTEIP $TCPREMOTEPORT; exit 3");
	fd = start(42);
	report_expect(REPORT_STARTED, 42, &r);
	pid = r.pid;
	ATF_CHECK(pid > 1);
	text_expect(fd, "TCP 192.0.2.2 1025\n");
	report_expect(REPORT_ENDED, 42, &r);
	ATF_CHECK_EQ(pid, r.pid);
	ATF_CHECK_EQ(3 << 8, r.status);
	snprintf(line, sizeof(line), "tcpserver: pid %d from 192.0.2.2\n"
	    "tcpserver: ok %d :192.0.2.1:25 :192.0.2.2::1025\n", (int)pid,
	    (int)pid);
	log_expect(line);
	process_end();
}

ATF_TC_WITHOUT_HEAD(ends_of_all_kinds);
ATF_TC_BODY(ends_of_all_kinds, tc)
{
	static const struct {
		const char	*command;
		int		 status;
	} kinds[] = {
		{ "exit 0", 0 }, { "exit 255", 255 << 8 },
		{ "kill -TERM $$", SIGTERM }, { "kill -KILL $$", SIGKILL },
	};
	struct report	r;
	size_t		i;

	for (i = 0; i < nitems(kinds); i++) {
		begin(kinds[i].command);
		close(start(i + 1));
		report_expect(REPORT_STARTED, i + 1, &r);
		report_expect(REPORT_ENDED, i + 1, &r);
		ATF_CHECK_EQ_MSG(kinds[i].status, r.status, "%s: %d",
		    kinds[i].command, r.status);
		process_end();
	}
}

ATF_TC_WITHOUT_HEAD(descriptor_lost);
ATF_TC_BODY(descriptor_lost, tc)
{
	struct start_record	record;
	struct report		r;

	begin("echo yes");
	record_make(&record, 5);
	ATF_REQUIRE(packet_send(&record, sizeof(record), NULL, 0) == 0);
	report_expect(REPORT_FAILED, 5, &r);
	ATF_CHECK_EQ(EMFILE, r.status);
	text_expect(start(6), "yes\n");
	process_end();
}

/* An engine that was taken over could fill us with descriptors. */
ATF_TC_WITHOUT_HEAD(descriptors_too_many);
ATF_TC_BODY(descriptors_too_many, tc)
{
	struct start_record	record;
	struct report		r;
	struct pollfd		p;
	int			sv[2], extra[2], fds[4];
	size_t			n;

	begin("echo yes");
	for (n = 2; n <= 4; n++) {
		record_make(&record, n);
		ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
		    0, sv) == 0);
		ATF_REQUIRE(pipe2(extra, O_CLOEXEC) == 0);
		fds[0] = sv[1];
		fds[1] = fds[2] = fds[3] = extra[1];
		ATF_REQUIRE(packet_send(&record, sizeof(record), fds, n) ==
		    0);
		close(sv[1]);
		close(extra[1]);
		report_wait(&r);
		ATF_CHECK_EQ(n, r.id);
		if (r.type == REPORT_STARTED)
			report_expect(REPORT_ENDED, n, &r);
		/* Nobody holds the other one any more. */
		p.fd = extra[0];
		p.events = POLLIN;
		ATF_CHECK_EQ_MSG(1, poll(&p, 1, 2000), "%zu descriptors: one "
		    "stays open", n);
		close(extra[0]);
		close(sv[0]);
	}
	text_expect(start(6), "yes\n");
	process_end();
}

/* It dies rather than start what it does not understand. */
ATF_TC_WITHOUT_HEAD(nonsense_from_the_engine);
ATF_TC_BODY(nonsense_from_the_engine, tc)
{
	struct start_record	record;
	size_t			lens[] = { 1, sizeof(record) - 1,
				    sizeof(record) };
	size_t			i;
	int			status, fd = STDERR_FILENO;

	for (i = 0; i < nitems(lens); i++) {
		begin("echo yes");
		record_make(&record, 5);
		record.variables_len = 1;	/* not there */
		ATF_REQUIRE(packet_send(&record, lens[i], &fd, 1) == 0);
		status = process_wait();
		ATF_CHECK_MSG(WIFEXITED(status) &&
		    WEXITSTATUS(status) == 111, "status %#x", status);
		log_expect("tcpserver: launcher: fatal: start of ");
	}
}

ATF_TC_WITHOUT_HEAD(empty_packet);
ATF_TC_BODY(empty_packet, tc)
{
	begin("echo yes");
	ATF_REQUIRE(send(tp_.starts[0], "", 0, 0) == 0);
	text_expect(start(6), "yes\n");
	process_end();
}

#define CROWD	600

/*
 * Nobody reads the reports for a while.  Afterwards each start and each end
 * has been told, once, and in order.
 */
ATF_TC_WITHOUT_HEAD(reports_not_read);
ATF_TC_BODY(reports_not_read, tc)
{
	static int		started[CROWD + 1], ended[CROWD + 1];
	struct start_record	record;
	struct pollfd		p = { .events = POLLOUT };
	struct report		r;
	int			sv[2], i;

	memset(started, 0, sizeof(started));
	memset(ended, 0, sizeof(ended));
	begin("exit 7");
	p.fd = tp_.starts[0];
	for (i = 1; i <= CROWD; i++) {
		record_make(&record, (uint64_t)i);
		ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
		    0, sv) == 0);
		while (packet_send(&record, sizeof(record), &sv[1], 1) == -1)
			ATF_REQUIRE(poll(&p, 1, WAIT_MS) == 1);
		close(sv[0]);
		close(sv[1]);
	}
	/* The reports' socket is full by now, and it goes on starting. */
	p.fd = tp_.reports[1];
	ATF_REQUIRE(poll(&p, 1, 0) >= 0);
	for (i = 0; i < CROWD * 2; i++) {
		report_wait(&r);
		ATF_REQUIRE(r.id >= 1 && r.id <= CROWD);
		if (r.type == REPORT_STARTED) {
			ATF_CHECK_EQ(0, started[r.id]);
			started[r.id] = r.pid;
			continue;
		}
		ATF_REQUIRE_EQ(REPORT_ENDED, r.type);
		ATF_CHECK_EQ(started[r.id], r.pid);
		ATF_CHECK_EQ(0, ended[r.id]++);
		ATF_CHECK_EQ(7 << 8, r.status);
	}
	hear_nothing(100);
	ATF_CHECK_EQ(-1, report_now(&r));
	process_end();
}

ATF_TC_WITHOUT_HEAD(sync);
ATF_TC_BODY(sync, tc)
{
	struct imsg	imsg;
	struct report	r;
	int		fd[3], i, seen = 0;

	begin("read word; exit 0");
	for (i = 0; i < 3; i++) {
		fd[i] = start((uint64_t)i);
		report_expect(REPORT_STARTED, (uint64_t)i, &r);
	}
	say(IMSG_LAUNCHER_SYNC, 77, NULL, 0);
	for (i = 0; i < 3; i++) {
		report_wait(&r);
		ATF_CHECK_EQ(REPORT_SESSION, r.type);
		ATF_REQUIRE(r.id < 3 && r.pid > 1);
		seen |= 1 << r.id;
	}
	ATF_CHECK_EQ(7, seen);
	report_expect(REPORT_SYNCED, 77, &r);
	hear(IMSG_PARENT_SYNCED, &imsg);
	ATF_CHECK_EQ(77, imsg_get_id(&imsg));
	imsg_free(&imsg);
	close(fd[1]);
	report_expect(REPORT_ENDED, 1, &r);
	process_end();
}

/* What was accepted is started, and goes on, whoever is gone. */
ATF_TC_WITHOUT_HEAD(parent_gone);
ATF_TC_BODY(parent_gone, tc)
{
	int	fd, late, status;

	begin("read word; echo $word");
	fd = start(1);
	ATF_REQUIRE(kill(tp_.pid, SIGSTOP) == 0);
	late = start(2);
	imsgbuf_clear(&tp_.ibuf);
	close(tp_.ibuf.fd);
	ATF_REQUIRE(kill(tp_.pid, SIGCONT) == 0);
	status = process_wait();
	ATF_CHECK_MSG(status == 0, "status %#x", status);
	ATF_REQUIRE(write(fd, "one\n", 4) == 4);
	text_expect(fd, "one\n");
	ATF_REQUIRE(write(late, "two\n", 4) == 4);
	text_expect(late, "two\n");
}

/* Its queue has come to an end: what is in it is started, then it leaves. */
ATF_TC_WITHOUT_HEAD(drained);
ATF_TC_BODY(drained, tc)
{
	int	fds[3], i, status;

	begin("read word; echo $word");
	ATF_REQUIRE(kill(tp_.pid, SIGSTOP) == 0);
	for (i = 0; i < 3; i++)
		fds[i] = start((uint64_t)i + 1);
	say(IMSG_LAUNCHER_DRAIN, 0, NULL, 0);
	close(tp_.starts[0]);
	ATF_REQUIRE(kill(tp_.pid, SIGCONT) == 0);
	for (i = 0; i < 3; i++) {
		alive_check();
		ATF_REQUIRE(write(fds[i], "one\n", 4) == 4);
		text_expect(fds[i], "one\n");
	}
	status = process_wait();
	ATF_CHECK_MSG(status == 0, "status %#x", status);
}

/* Until then it is one like any other. */
ATF_TC_WITHOUT_HEAD(not_yet_drained);
ATF_TC_BODY(not_yet_drained, tc)
{
	begin("echo yes");
	say(IMSG_LAUNCHER_DRAIN, 0, NULL, 0);
	text_expect(start(1), "yes\n");
	say(IMSG_LAUNCHER_SYNC, 7, NULL, 0);
	hear_word(IMSG_PARENT_SYNCED);
	text_expect(start(2), "yes\n");
	process_end();
}

ATF_TC_WITHOUT_HEAD(told_to_stop);
ATF_TC_BODY(told_to_stop, tc)
{
	int	fd, status;

	begin("read word; echo $word");
	fd = start(1);
	say(IMSG_LAUNCHER_STOP, 0, NULL, 0);
	status = process_wait();
	ATF_CHECK_MSG(status == 0, "status %#x", status);
	ATF_REQUIRE(write(fd, "one\n", 4) == 4);
	text_expect(fd, "one\n");
}

ATF_TC_WITHOUT_HEAD(nonsense_from_the_parent);
ATF_TC_BODY(nonsense_from_the_parent, tc)
{
	int	status;

	begin("echo yes");
	say(IMSG_ENGINE_ALIVE, 0, NULL, 0);
	status = process_wait();
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	log_expect("tcpserver: launcher: fatal: message ");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_program);
	ATF_TP_ADD_TC(tp, ends_of_all_kinds);
	ATF_TP_ADD_TC(tp, descriptor_lost);
	ATF_TP_ADD_TC(tp, descriptors_too_many);
	ATF_TP_ADD_TC(tp, nonsense_from_the_engine);
	ATF_TP_ADD_TC(tp, empty_packet);
	ATF_TP_ADD_TC(tp, reports_not_read);
	ATF_TP_ADD_TC(tp, sync);
	ATF_TP_ADD_TC(tp, parent_gone);
	ATF_TP_ADD_TC(tp, drained);
	ATF_TP_ADD_TC(tp, not_yet_drained);
	ATF_TP_ADD_TC(tp, told_to_stop);
	ATF_TP_ADD_TC(tp, nonsense_from_the_parent);
	return (atf_no_error());
}
