/*
 * The lines of the daemon's engine: a real one, between a parent, launchers
 * and a syslogd that the test plays.
 */
#include <sys/un.h>

#include <syslog.h>

#include "process.h"

#define GENERATION	((uint64_t)5 << 32)
#define LAUNCHER	7
#define SOCKET_PATH	"log"		/* in the test's own directory */
#define PID		31337

static uint16_t	port[2];
static int	listeners[2];
static int	starts1[2], reports1[2];	/* of service 1 */
static int	syslogd = -1;
static int	shared = -1;	/* the engine's descriptor 2 */

/*
 * The engine
 */

static void
service_give(uint32_t id, const char *name, uint32_t flags, uint32_t level,
    uint32_t facility)
{
	struct service_settings	set;
	struct listener_note	note;

	memset(&set, 0, sizeof(set));
	strlcpy(set.name, name, sizeof(set.name));
	set.flags = SERVICE_LOCAL_NAME | flags;
	set.log_level = level;
	set.log_facility = facility;
	set.sessions_max = 100;
	set.generation = GENERATION;
	strlcpy(set.local_name, "here", sizeof(set.local_name));
	say(IMSG_ENGINE_SERVICE, id, &set, sizeof(set));
	listeners[id] = listener_open(&port[id]);
	memset(&note, 0, sizeof(note));
	note.number = id + 1;
	note.port = port[id];
	fd_give(IMSG_ENGINE_LISTENER, id, listeners[id], &note, sizeof(note));
	if (id == 1) {
		pair_open(starts1);
		pair_open(reports1);
	}
	fd_give(IMSG_ENGINE_STARTS, id, id == 1 ? starts1[0] : tp_.starts[0],
	    NULL, 0);
	fd_give(IMSG_ENGINE_REPORTS, id, id == 1 ? reports1[0] :
	    tp_.reports[0], NULL, 0);
}

static void
setup_give(int json, int verbose)
{
	struct engine_setup	set;

	memset(&set, 0, sizeof(set));
	set.log_json = (uint32_t)json;
	set.log_facility = LOG_LOCAL7;
	set.log_verbose = (uint32_t)verbose;
	set.event_uid = UINT32_MAX;
	say(IMSG_ENGINE_SETUP, 0, &set, sizeof(set));
}

/* What was given is in force, and clients are let in. */
static void
service_open(uint32_t id)
{
	struct sync_order	order = { 1, 1 };
	struct report		r;

	say(IMSG_ENGINE_SYNC, id, &order, sizeof(order));
	hear_word(IMSG_PARENT_SYNCING);
	memset(&r, 0, sizeof(r));
	r.type = REPORT_SYNCED;
	r.launcher = LAUNCHER;
	r.id = 1;
	ATF_REQUIRE(send(id == 1 ? reports1[1] : tp_.reports[1], &r,
	    sizeof(r), 0) == sizeof(r));
}

static void
begin_setup(uint32_t level, uint32_t flags, int json, int verbose)
{
	process_begin_named("engine", "tcpserverd");
	hear_word(IMSG_PRIVSEP_HELLO);
	setup_give(json, verbose);
	service_give(0, "smtp", flags, level, LOG_MAIL);
	say(IMSG_ENGINE_CONFIGURED, 0, NULL, 0);
	hear_word(IMSG_PARENT_READY);
	service_open(0);
}

static void
begin(uint32_t level)
{
	begin_setup(level, 0, 0, 0);
}

static int
client_of(int service, uint16_t *from)
{
	struct sockaddr_in	sin;
	socklen_t		len = sizeof(sin);
	int			fd = client_open(port[service]);

	ATF_REQUIRE(getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
	if (from != NULL)
		*from = ntohs(sin.sin_port);
	return (fd);
}

static struct start_record
start_wait(void)
{
	return (start_wait_from(tp_.starts[1]));
}

static void
report(uint32_t type, uint64_t id, int status, int64_t at_us)
{
	struct report	r;

	memset(&r, 0, sizeof(r));
	r.type = type;
	r.launcher = LAUNCHER;
	r.id = id;
	r.pid = type == REPORT_FAILED ? 0 : PID;
	r.status = status;
	r.at_us = at_us;
	ATF_REQUIRE(send(tp_.reports[1], &r, sizeof(r), 0) == sizeof(r));
}

/* A whole session, and where it came from. */
static uint64_t
session_of(int service, int status, uint16_t *from)
{
	struct start_record	r;
	int			fd = client_of(service, from);

	r = start_wait();
	/* A time to come would not be believed. */
	while (clock_us() <= r.accepted_us + 1234)
		(void)poll(NULL, 0, 1);
	report(REPORT_STARTED, r.id, 0, r.accepted_us + 1234);
	report(REPORT_ENDED, r.id, status, clock_us());
	close(fd);
	return (r.id);
}

/* The last line that has this in it, until its end. */
static const char *
line_with(const char *text)
{
	static char	line[LOGRECORD_LINE_SIZE];
	const char	*p, *start;

	log_expect(text);
	p = strstr(tp_.text, text);
	for (start = p; start > tp_.text && start[-1] != '\n'; start--)
		continue;
	strlcpy(line, start, sizeof(line));
	line[strcspn(line, "\n")] = '\0';
	return (line);
}

/* Numbers that no test can know become one N. */
static char *
without_times(const char *line)
{
	static char	out[LOGRECORD_LINE_SIZE];
	const char	*key;
	char		*p;

	strlcpy(out, line, sizeof(out));
	for (key = "wait_ms="; key != NULL;
	    key = key[0] == 'w' ? "duration_ms=" : NULL)
		if ((p = strstr(out, key)) != NULL) {
			p += strlen(key);
			ATF_CHECK_EQ(4, strspn(p + strcspn(p, "."),
			    ".0123456789"));
			memmove(p + 1, p + strcspn(p, " "),
			    strlen(p + strcspn(p, " ")) + 1);
			*p = 'N';
		}
	return (out);
}

/*
 * Lines
 */

ATF_TC_WITHOUT_HEAD(a_session);
ATF_TC_BODY(a_session, tc)
{
	char		want[1024];
	uint64_t	id;
	uint16_t	from;

	begin(LOG_LEVEL_SESSIONS);
	id = session_of(0, 3 << 8, &from);
	snprintf(want, sizeof(want), "tcpserverd: event=end service=smtp "
	    "id=%llu verdict=allowed reason=default remote_ip=127.0.0.1 "
	    "remote_port=%u local_ip=127.0.0.1 local_port=%u "
	    "local_name=here pid=%d exit=3 wait_ms=N duration_ms=N",
	    (unsigned long long)id, from, port[0], PID);
	ATF_CHECK_STREQ(want, without_times(line_with("event=end")));
	ATF_CHECK(strstr(line_with("event=end"), " wait_ms=1.234 ") != NULL);
	ATF_CHECK_EQ(1, log_count("tcpserverd: "));
	log_forget();
	session_of(0, SIGKILL, NULL);
	ATF_CHECK(strstr(line_with("event=end"), " signal=9 ") != NULL);
	ATF_CHECK_EQ(0, log_count("exit="));
	process_end();
}

ATF_TC_WITHOUT_HEAD(brief);
ATF_TC_BODY(brief, tc)
{
	begin(LOG_LEVEL_ERRORS);
	session_of(0, 0, NULL);
	session_of(0, 1 << 8, NULL);
	session_of(0, SIGPIPE, NULL);
	session_of(0, SIGSEGV, NULL);
	ATF_CHECK(strstr(line_with("event=end"), "signal=11") != NULL);
	ATF_CHECK_EQ(1, log_count("event="));
	/* tcpserverctl log verbose, and back */
	setup_give(0, 1);
	session_of(0, 0, NULL);
	log_expect("exit=0");
	ATF_CHECK_EQ(1, log_count("event=start"));
	setup_give(0, 0);
	log_forget();
	session_of(0, 0, NULL);
	session_of(0, SIGSEGV, NULL);
	log_expect("signal=11");
	ATF_CHECK_EQ(1, log_count("event="));
	process_end();
}

ATF_TC_WITHOUT_HEAD(verbose);
ATF_TC_BODY(verbose, tc)
{
	char		want[64];
	uint64_t	id;

	begin(LOG_LEVEL_VERBOSE);
	id = session_of(0, 0, NULL);
	snprintf(want, sizeof(want), "service=smtp id=%llu ",
	    (unsigned long long)id);
	ATF_CHECK(strstr(line_with("event=end"), want) != NULL);
	ATF_CHECK(strstr(line_with("event=start"), want) != NULL);
	ATF_CHECK(strstr(line_with("event=start"), "wait_ms=1.234") != NULL);
	ATF_CHECK(strstr(line_with("event=start"), "duration") == NULL);
	ATF_CHECK(strstr(line_with("event=start"), "exit") == NULL);
	process_end();
}

ATF_TC_WITHOUT_HEAD(no_process);
ATF_TC_BODY(no_process, tc)
{
	struct start_record	r;

	begin(LOG_LEVEL_ERRORS);
	close(client_of(0, NULL));
	r = start_wait();
	report(REPORT_FAILED, r.id, EAGAIN, 0);
	ATF_CHECK(strstr(line_with("event=end"), "verdict=failed reason=fork "
	    "error=\"temporary failure\" remote_ip=127.0.0.1") != NULL);
	ATF_CHECK_EQ(0, log_count("pid="));
	process_end();
}

ATF_TC_WITHOUT_HEAD(closed);
ATF_TC_BODY(closed, tc)
{
	begin_setup(LOG_LEVEL_SESSIONS, SERVICE_CLOSE, 0, 0);
	close(client_of(0, NULL));
	ATF_CHECK(strstr(line_with("event=end"),
	    "verdict=closed reason=default remote_ip=127.0.0.1") != NULL);
	ATF_CHECK_EQ(0, log_count("pid=") + log_count("exit="));
	process_end();
}

/* A launcher may say what it likes of time and status. */
ATF_TC_WITHOUT_HEAD(lies);
ATF_TC_BODY(lies, tc)
{
	static const int64_t	times[] = { INT64_MIN, -1, 0, INT64_MAX };
	struct start_record	r;
	size_t			i;
	int			fd;

	begin(LOG_LEVEL_VERBOSE);
	for (i = 0; i < nitems(times); i++) {
		log_forget();
		fd = client_of(0, NULL);
		r = start_wait();
		report(REPORT_STARTED, r.id, 0, times[i]);
		report(REPORT_ENDED, r.id, 0x137f, times[i]);
		log_expect("event=end");
		ATF_CHECK_EQ(0, log_count("wait_ms="));
		ATF_CHECK_EQ(0, log_count("exit=") + log_count("signal="));
		ATF_CHECK_EQ(1, log_count("duration_ms="));
		close(fd);
	}
	log_forget();
	report(99, 1, 0, 0);
	ATF_CHECK_STREQ("tcpserverd: event=warning service=smtp "
	    "process=launcher error=\"report not understood\" type=99",
	    line_with("event=warning"));
	process_end();
}

/* Alone on its line, and with every key. */
ATF_TC_WITHOUT_HEAD(json);
ATF_TC_BODY(json, tc)
{
	const char	*line;

	begin_setup(LOG_LEVEL_SESSIONS, 0, 1, 0);
	session_of(0, 0, NULL);
	line = line_with("\"event\":\"end\"");
	ATF_CHECK(strncmp(line, "{\"time\":\"20", 11) == 0);
	ATF_CHECK_EQ('}', line[strlen(line) - 1]);
	ATF_CHECK(strstr(line, "\"verdict\":\"allowed\",\"reason\":"
	    "\"default\",\"error\":null,\"remote_ip\":\"127.0.0.1\","
	    "\"remote_port\":") != NULL);
	ATF_CHECK(strstr(line, ",\"rule\":null,\"pid\":31337,\"exit\":0,"
	    "\"signal\":null,\"wait_ms\":1.234,\"duration_ms\":") != NULL);
	process_end();
}

/*
 * syslogd
 */

static void
syslogd_start(void)
{
	struct sockaddr_un	sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, SOCKET_PATH, sizeof(sun.sun_path));
	(void)unlink(SOCKET_PATH);
	syslogd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(syslogd != -1);
	ATF_REQUIRE(bind(syslogd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
}

/* As a parent does it, with its descriptor 2. */
static void
syslogd_reach(int first)
{
	int	saved;

	ATF_REQUIRE((saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10)) != -1);
	if (first) {
		ATF_REQUIRE(log_syslog_open(SOCKET_PATH) != -1);
		shared = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	} else {
		ATF_REQUIRE(dup2(shared, STDERR_FILENO) == STDERR_FILENO);
		ATF_REQUIRE(log_syslog_reopen() == 0);
	}
	ATF_REQUIRE(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
	close(saved);
}

/* The next message, "" if there is none for a while. */
static char *
message(int ms)
{
	static char	buf[16384];
	struct imsg	imsg;
	int64_t		end = clock_ms() + ms;
	ssize_t		n;

	for (;;) {
		n = recv(syslogd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
		buf[n < 0 ? 0 : n] = '\0';
		if (n > 0 || clock_ms() >= end)
			return (buf);
		if (hear_once(&imsg, 2) == 1)
			imsg_free(&imsg);
	}
}

static void
syslogd_required(void)
{
	/* Descriptor 2 is kyua's file: no other system sends to it. */
	if (log_syslog_send("<191>tcpserverd: test", 21) == 0)
		atf_tc_skip("sendsyslog(2) has no socket that a test could "
		    "hold");
}

static void
begin_syslog(uint32_t flags)
{
	syslogd_required();
	process_forget();
	syslogd_reach(1);
	process_begin_as("engine", "tcpserverd", PRIVSEP_SYSLOG, LOG_LOCAL7,
	    shared);
	hear_word(IMSG_PRIVSEP_HELLO);
	setup_give(0, 0);
	service_give(0, "smtp", flags, LOG_LEVEL_SESSIONS, LOG_MAIL);
	service_give(1, "ftp", flags, LOG_LEVEL_SESSIONS, LOG_LOCAL1);
	say(IMSG_ENGINE_CONFIGURED, 0, NULL, 0);
	hear_word(IMSG_PARENT_READY);
	service_open(0);
	service_open(1);
}

static void
message_expect(int facility, const char *service)
{
	char	want[128], *got = message(WAIT_MS);

	snprintf(want, sizeof(want), "<%d>tcpserverd[%d]: event=end "
	    "service=%s id=", facility | LOG_INFO, (int)tp_.pid, service);
	ATF_CHECK_MSG(strncmp(got, want, strlen(want)) == 0, "%s", got);
	ATF_CHECK(strchr(got, '\n') == NULL);
}

ATF_TC_WITHOUT_HEAD(facilities);
ATF_TC_BODY(facilities, tc)
{
	syslogd_start();
	begin_syslog(SERVICE_CLOSE);
	close(client_of(0, NULL));
	message_expect(LOG_MAIL, "smtp");
	close(client_of(1, NULL));
	message_expect(LOG_LOCAL1, "ftp");
	process_end();
}

/* Waits until the engine has closed so many connections. */
static void
clients_served(int service, unsigned int n)
{
	struct imsg	imsg;
	struct pollfd	p;
	char		byte;
	int64_t		end;

	for (; n > 0; n--) {
		p.fd = client_of(service, NULL);
		p.events = POLLIN;
		end = clock_ms() + WAIT_MS;
		while (poll(&p, 1, 2) == 0) {
			if (clock_ms() > end)
				fail("it does not serve any more");
			if (hear_once(&imsg, 0) == 1)
				imsg_free(&imsg);
		}
		ATF_REQUIRE(recv(p.fd, &byte, 1, 0) == 0);
		close(p.fd);
	}
}

/* All lines that wait, and those the engine says it lost. */
static unsigned int
messages_count(unsigned int want, unsigned long *lost)
{
	const char	*got, *p;
	unsigned int	 n = 0;

	*lost = 0;
	while (n + *lost < want && *(got = message(WAIT_MS)) != '\0')
		if ((p = strstr(got, "warning: ")) != NULL) {
			ATF_CHECK(strstr(got, " log lines lost: ") != NULL);
			*lost += strtoul(p + 9, NULL, 10);
		} else {
			ATF_CHECK(strstr(got, "verdict=closed") != NULL);
			n++;
		}
	return (n);
}

/* Started late: nothing is lost that the buffer could hold. */
ATF_TC_WITHOUT_HEAD(started_late);
ATF_TC_BODY(started_late, tc)
{
	unsigned long	lost;

	begin_syslog(SERVICE_CLOSE);
	clients_served(0, 1);
	hear_word(IMSG_PARENT_LOG_WANTED);
	clients_served(0, 99);
	syslogd_start();
	syslogd_reach(0);
	ATF_CHECK_EQ(100, messages_count(100, &lost));
	ATF_CHECK_EQ(0, lost);
	process_end();
}

ATF_TC_WITHOUT_HEAD(restarted);
ATF_TC_BODY(restarted, tc)
{
	unsigned long	lost;
	int		i;

	syslogd_start();
	begin_syslog(SERVICE_CLOSE);
	for (i = 0; i < 3; i++) {
		clients_served(0, 5);
		ATF_CHECK_EQ(5, messages_count(5, &lost));
		close(syslogd);
		clients_served(0, 1);
		hear_word(IMSG_PARENT_LOG_WANTED);
		clients_served(0, 4);
		syslogd_start();
		syslogd_reach(0);
		ATF_CHECK_EQ(5, messages_count(5, &lost));
		ATF_CHECK_EQ(0, lost);
	}
	process_end();
}

/*
 * It does not read, or is gone: more lines than can wait.  Everyone is
 * served, and each line comes or is counted.
 */
#define TOO_MANY	2500

ATF_TC_WITHOUT_HEAD(stalls);
ATF_TC_BODY(stalls, tc)
{
	unsigned long	lost;
	unsigned int	n;

	syslogd_start();
	begin_syslog(SERVICE_CLOSE);
	clients_served(0, TOO_MANY);
	n = messages_count(TOO_MANY, &lost);
	ATF_CHECK_EQ_MSG(TOO_MANY, n + lost, "%u, %lu", n, lost);
	ATF_CHECK_MSG(lost > 0 && n > 1000, "%u, %lu", n, lost);
	clients_served(0, 1);
	ATF_CHECK_EQ(1, messages_count(1, &lost));
	process_end();
}

ATF_TC_WITHOUT_HEAD(gone_for_long);
ATF_TC_BODY(gone_for_long, tc)
{
	unsigned long	lost;
	unsigned int	n;

	syslogd_start();
	begin_syslog(SERVICE_CLOSE);
	close(syslogd);
	clients_served(0, TOO_MANY);
	syslogd_start();
	syslogd_reach(0);
	n = messages_count(TOO_MANY, &lost);
	ATF_CHECK_EQ_MSG(TOO_MANY, n + lost, "%u, %lu", n, lost);
	ATF_CHECK_MSG(lost > 0 && n > 1000, "%u, %lu", n, lost);
	process_end();
}

/* Takes the whole lines that came: how many, and what they say is lost. */
static unsigned int
lines_take(unsigned long *lost)
{
	char		*p = tp_.text, *lf;
	unsigned int	 n = 0;

	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1) {
		*lf = '\0';
		if (strstr(p, "verdict=closed") != NULL)
			n++;
		else if (strncmp(p, "tcpserverd: warning: ", 21) == 0 &&
		    strstr(p, " log lines lost: ") != NULL)
			*lost += strtoul(p + 21, NULL, 10);
		else
			atf_tc_fail("%s", p);
	}
	tp_.text_len -= (size_t)(p - tp_.text);
	memmove(tp_.text, p, tp_.text_len + 1);
	return (n);
}

/* The same of a pipe, in the foreground: no client waits for the log. */
ATF_TC_WITHOUT_HEAD(pipe_stalls);
ATF_TC_BODY(pipe_stalls, tc)
{
	struct imsg	imsg;
	int64_t		end;
	unsigned long	lost = 0;
	unsigned int	n = 0;
	int		log;

	begin_setup(LOG_LEVEL_SESSIONS, SERVICE_CLOSE, 0, 0);
	log = tp_.log;
	tp_.log = -1;
	clients_served(0, TOO_MANY);
	tp_.log = log;
	for (end = clock_ms() + WAIT_MS; n + lost < TOO_MANY &&
	    clock_ms() < end; n += lines_take(&lost))
		if (hear_once(&imsg, 2) == 1)
			imsg_free(&imsg);
	ATF_CHECK_EQ_MSG(TOO_MANY, n + lost, "%u, %lu", n, lost);
	ATF_CHECK_MSG(lost > 0 && n > 1000, "%u, %lu", n, lost);
	process_end();
}

/*
 * A child that can't become the program
 */

static void
launcher_configure(const char *program, int json)
{
	struct launcher_settings	set;

	hear_word(IMSG_PRIVSEP_HELLO);
	memset(&set, 0, sizeof(set));
	set.number = LAUNCHER;
	set.log_level = LOG_LEVEL_ERRORS;
	set.log_facility = LOG_MAIL;
	set.log_json = (uint32_t)json;
	set.argc = 1;
	set.argv_len = strlen(program) + 1;
	strlcpy(set.name, "smtp", sizeof(set.name));
	say(IMSG_LAUNCHER_SERVICE, 0, &set, sizeof(set));
	say(IMSG_LAUNCHER_ARGV, 0, program, set.argv_len);
	fd_give(IMSG_LAUNCHER_STARTS, 0, tp_.starts[1], NULL, 0);
	fd_give(IMSG_LAUNCHER_REPORTS, 0, tp_.reports[1], NULL, 0);
	say(IMSG_LAUNCHER_CONFIGURED, 0, NULL, 0);
	hear_word(IMSG_PARENT_READY);
}

static void
start_send(uint64_t id)
{
	struct start_record	r;
	int			sv[2];

	memset(&r, 0, sizeof(r));
	r.id = id;
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv) == 0);
	ATF_REQUIRE(packet_send(&r, sizeof(r), &sv[1], 1) == 0);
	close(sv[0]);
	close(sv[1]);
}

/* The pid that the launcher reported of it. */
static pid_t
pid_reported(void)
{
	struct report	r;
	struct pollfd	p = { .fd = tp_.reports[0], .events = POLLIN };

	ATF_REQUIRE(poll(&p, 1, WAIT_MS) == 1);
	ATF_REQUIRE(recv(tp_.reports[0], &r, sizeof(r), 0) == sizeof(r));
	ATF_REQUIRE_EQ(REPORT_STARTED, r.type);
	return (r.pid);
}

ATF_TC_WITHOUT_HEAD(program_not_there);
ATF_TC_BODY(program_not_there, tc)
{
	char	want[512];

	process_begin_named("launcher", "tcpserverd");
	launcher_configure("/no such\n\"dir\"/smtpd", 0);
	start_send(4294967297);
	snprintf(want, sizeof(want), "tcpserverd: event=fail service=smtp "
	    "id=4294967297 error=\"unable to run /no such\\n\\\"dir\\\""
	    "/smtpd: file does not exist\" pid=%d", (int)pid_reported());
	ATF_CHECK_STREQ(want, line_with("event=fail"));
	process_end();
}

ATF_TC_WITHOUT_HEAD(program_not_there_json);
ATF_TC_BODY(program_not_there_json, tc)
{
	char	want[512];

	process_begin_named("launcher", "tcpserverd");
	launcher_configure("/nowhere/\xff", 1);
	start_send(7);
	snprintf(want, sizeof(want), "\"event\":\"fail\",\"service\":"
	    "\"smtp\",\"id\":7,\"error\":\"unable to run /nowhere/"
	    "\\\\377: file does not exist\",\"pid\":%d}",
	    (int)pid_reported());
	ATF_CHECK_STREQ(want, strchr(line_with("\"event\""), ',') + 1);
	process_end();
}

ATF_TC_WITHOUT_HEAD(program_not_there_syslog);
ATF_TC_BODY(program_not_there_syslog, tc)
{
	char	want[512];
	pid_t	pid;

	syslogd_required();
	syslogd_start();
	process_forget();
	syslogd_reach(1);
	process_begin_as("launcher", "tcpserverd", PRIVSEP_SYSLOG, LOG_MAIL,
	    shared);
	launcher_configure("/nowhere", 0);
	start_send(7);
	pid = pid_reported();
	snprintf(want, sizeof(want), "<%d>tcpserverd[%d]: event=fail "
	    "service=smtp id=7 error=\"unable to run /nowhere: file does not "
	    "exist\" pid=%d", LOG_MAIL | LOG_WARNING, (int)pid, (int)pid);
	ATF_CHECK_STREQ(want, message(WAIT_MS));
	process_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_session);
	ATF_TP_ADD_TC(tp, brief);
	ATF_TP_ADD_TC(tp, verbose);
	ATF_TP_ADD_TC(tp, no_process);
	ATF_TP_ADD_TC(tp, closed);
	ATF_TP_ADD_TC(tp, lies);
	ATF_TP_ADD_TC(tp, json);
	ATF_TP_ADD_TC(tp, facilities);
	ATF_TP_ADD_TC(tp, started_late);
	ATF_TP_ADD_TC(tp, restarted);
	ATF_TP_ADD_TC(tp, stalls);
	ATF_TP_ADD_TC(tp, gone_for_long);
	ATF_TP_ADD_TC(tp, pipe_stalls);
	ATF_TP_ADD_TC(tp, program_not_there);
	ATF_TP_ADD_TC(tp, program_not_there_json);
	ATF_TP_ADD_TC(tp, program_not_there_syslog);
	return (atf_no_error());
}
