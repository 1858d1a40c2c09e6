/*
 * The way to syslogd: a socket of our own plays it, is there or not, is
 * started anew, does not read.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep.h"
#include "forked.h"

#define SOCKET_PATH	"log"		/* in the test's own directory */

static int
syslogd_start(void)
{
	struct sockaddr_un	sun;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, SOCKET_PATH, sizeof(sun.sun_path));
	(void)unlink(SOCKET_PATH);
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		return (-1);
	return (fd);
}

/* The next message; "" when there is none. */
static char *
message(int fd)
{
	static char	buf[16384];
	ssize_t		n;

	n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
	buf[n < 0 ? 0 : n] = '\0';
	return (buf);
}

/* A message of this process, of LOG_MAIL. */
static char *
wanted(int priority, const char *text)
{
	static char	buf[4096];

	snprintf(buf, sizeof(buf), "<%d>tcpserverd[%d]: %s",
	    LOG_MAIL | priority, (int)getpid(), text);
	return (buf);
}

static void
as_user_of_sockets(void)
{
	/* Descriptor 2 is kyua's file: no other system sends to it. */
	if (log_syslog_send("<191>tcpserverd: test", 21) == 0)
		atf_tc_skip("sendsyslog(2) has no socket that a test could "
		    "hold");
}

static void
header_run(void *arg)
{
	struct privsep_hello	hello;
	int			fd;

	FORKED_REQUIRE((fd = syslogd_start()) != -1);
	FORKED_REQUIRE(log_syslog_open(SOCKET_PATH) == 0);
	log_init("tcpserverd", NULL, 0);
	log_syslog(LOG_MAIL);
	errno = ENOENT;
	log_warn("%s", "which");
	FORKED_REQUIRE(strcmp(message(fd), wanted(LOG_WARNING,
	    "warning: which: file does not exist")) == 0);
	log_info("%s", "ready");
	FORKED_REQUIRE(strcmp(message(fd), wanted(LOG_INFO, "ready")) == 0);
	memset(&hello, 0, sizeof(hello));
	strlcpy(hello.name, "tcpserverd", sizeof(hello.name));
	hello.flags = PRIVSEP_SYSLOG;
	hello.log_facility = LOG_MAIL;
	log_hello(&hello, "engine");
	log_warnx("a\nb<0>\033");
	FORKED_REQUIRE(strcmp(message(fd), wanted(LOG_WARNING,
	    "engine: warning: a\\nb<0>\\^[")) == 0);
	hello.flags |= PRIVSEP_QUIET;
	log_hello(&hello, "engine");
	log_warnx("nothing");
	FORKED_REQUIRE(strcmp(message(fd), "") == 0);
}

ATF_TC_WITHOUT_HEAD(header);
ATF_TC_BODY(header, tc)
{
	as_user_of_sockets();
	FORKED_PASSES(header_run, NULL);
}

static void
long_run(void *arg)
{
	char	text[4000], *got;
	int	fd;

	FORKED_REQUIRE((fd = syslogd_start()) != -1);
	FORKED_REQUIRE(log_syslog_open(SOCKET_PATH) == 0);
	log_init("tcpserverd", NULL, 0);
	log_syslog(LOG_MAIL);
	memset(text, '\001', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_warnx("%s", text);
	got = message(fd);
	FORKED_REQUIRE(strlen(got) == LOG_SYSLOG_MAX);
	FORKED_REQUIRE(strcmp(message(fd), "") == 0);
}

ATF_TC_WITHOUT_HEAD(long_line);
ATF_TC_BODY(long_line, tc)
{
	as_user_of_sockets();
	FORKED_PASSES(long_run, NULL);
}

/* Started before syslogd: lines are lost until it is there, and counted. */
static void
absent_run(void *arg)
{
	int	fd, i;

	FORKED_REQUIRE(log_syslog_open(SOCKET_PATH) == 1);
	FORKED_REQUIRE(errno == ENOENT);
	log_init("tcpserverd", NULL, 0);
	log_syslog(LOG_MAIL);
	for (i = 0; i < 5; i++)
		log_warnx("unheard");
	FORKED_REQUIRE((fd = syslogd_start()) != -1);
	log_warnx("heard");
	FORKED_REQUIRE(strcmp(message(fd), wanted(LOG_WARNING,
	    "warning: 5 lines lost: the log's reader stalls")) == 0);
	FORKED_REQUIRE(strcmp(message(fd), wanted(LOG_WARNING,
	    "warning: heard")) == 0);
	FORKED_REQUIRE(strcmp(message(fd), "") == 0);
}

ATF_TC_WITHOUT_HEAD(absent);
ATF_TC_BODY(absent, tc)
{
	as_user_of_sockets();
	FORKED_PASSES(absent_run, NULL);
}

/* What a child does: it can't reach the path, only descriptor 2. */
static int
child_says(const char *text)
{
	pid_t	pid;
	int	status;

	if ((pid = fork()) == 0)
		_exit(log_syslog_send(text, strlen(text)) == 0 ? 0 :
		    log_syslog_gone(errno) ? 1 : 2);
	FORKED_REQUIRE(pid != -1 && waitpid(pid, &status, 0) == pid);
	return (WEXITSTATUS(status));
}

/* The parent connects, and everyone is heard again. */
static void
restarted_run(void *arg)
{
	int	fd;

	FORKED_REQUIRE((fd = syslogd_start()) != -1);
	FORKED_REQUIRE(log_syslog_open(SOCKET_PATH) == 0);
	FORKED_REQUIRE(child_says("<30>one") == 0);
	FORKED_REQUIRE(strcmp(message(fd), "<30>one") == 0);
	close(fd);
	FORKED_REQUIRE(child_says("<30>two") == 1);
	FORKED_REQUIRE(log_syslog_reopen() == -1);
	FORKED_REQUIRE(child_says("<30>three") == 1);
	FORKED_REQUIRE((fd = syslogd_start()) != -1);
	FORKED_REQUIRE(child_says("<30>four") == 1);
	FORKED_REQUIRE(log_syslog_reopen() == 0);
	FORKED_REQUIRE(child_says("<30>five") == 0);
	FORKED_REQUIRE(strcmp(message(fd), "<30>five") == 0);
	/* A program knows nothing of this and just writes. */
	FORKED_REQUIRE(write(STDERR_FILENO, "help\n", 5) == 5);
	FORKED_REQUIRE(strcmp(message(fd), "help\n") == 0);
	/* Another one took its place while it still lived. */
	close(fd);
	FORKED_REQUIRE((fd = syslogd_start()) != -1);
	log_init("tcpserverd", NULL, 0);
	log_syslog(LOG_MAIL);
	log_warnx("heard");
	FORKED_REQUIRE(strcmp(message(fd), wanted(LOG_WARNING,
	    "warning: heard")) == 0);
}

ATF_TC_WITHOUT_HEAD(restarted);
ATF_TC_BODY(restarted, tc)
{
	as_user_of_sockets();
	FORKED_PASSES(restarted_run, NULL);
}

/* It lives and does not read: a second at the first line, none after. */
static void
stalls_run(void *arg)
{
	int64_t	begin;
	int	fd, i, sent, came = 0;

	FORKED_REQUIRE((fd = syslogd_start()) != -1);
	FORKED_REQUIRE(log_syslog_open(SOCKET_PATH) == 0);
	for (sent = 0; log_syslog_send("<30>full", 8) == 0; sent++)
		FORKED_REQUIRE(sent < 100000);
	FORKED_REQUIRE(!log_syslog_gone(errno));
	log_init("tcpserverd", NULL, 0);
	log_syslog(LOG_MAIL);
	begin = clock_ms();
	for (i = 0; i < 1000; i++)
		log_warnx("lost");
	FORKED_REQUIRE(clock_ms() - begin < 5000);
	while (strcmp(message(fd), "<30>full") == 0)
		came++;
	FORKED_REQUIRE(came == sent);
	log_warnx("heard");
	FORKED_REQUIRE(strcmp(message(fd), wanted(LOG_WARNING,
	    "warning: 1000 lines lost: the log's reader stalls")) == 0);
	FORKED_REQUIRE(strcmp(message(fd), wanted(LOG_WARNING,
	    "warning: heard")) == 0);
}

ATF_TC_WITHOUT_HEAD(stalls);
ATF_TC_BODY(stalls, tc)
{
	as_user_of_sockets();
	FORKED_PASSES(stalls_run, NULL);
}

/* What can't be had leaves descriptor 2 as it was. */
static void
path_run(void *arg)
{
	char	path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	FORKED_REQUIRE(log_syslog_open(path) == -1);
	FORKED_REQUIRE(errno == ENAMETOOLONG);
	dprintf(STDERR_FILENO, "still here");
}

ATF_TC_WITHOUT_HEAD(path_too_long);
ATF_TC_BODY(path_too_long, tc)
{
	char	said[256];

	ATF_CHECK_EQ(0, forked(path_run, NULL, said, sizeof(said)));
	ATF_CHECK_STREQ("still here", said);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, header);
	ATF_TP_ADD_TC(tp, long_line);
	ATF_TP_ADD_TC(tp, absent);
	ATF_TP_ADD_TC(tp, restarted);
	ATF_TP_ADD_TC(tp, stalls);
	ATF_TP_ADD_TC(tp, path_too_long);
	return (atf_no_error());
}
