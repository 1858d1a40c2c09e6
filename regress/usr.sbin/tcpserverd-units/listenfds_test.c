/*
 * Sockets of a service manager: what is taken over, and what is not.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "listenfds.h"
#include "privsep.h"

#define FDS_MAX	16

/* What is to stand at 3, 4, ..., made high up and moved at the end. */
static int	made[FDS_MAX], made_len;

static int
add(int fd)
{
	ATF_REQUIRE(fd != -1 && made_len < FDS_MAX);
	ATF_REQUIRE((made[made_len] = fcntl(fd, F_DUPFD, 100)) != -1);
	close(fd);
	return (made[made_len++]);
}

/* Returns the port. */
static uint16_t
add_listener(const char *text, int v6only, int backlog)
{
	struct sockaddr_storage	ss;
	struct netaddr		addr;
	socklen_t		len = sizeof(ss);
	uint16_t		port;
	int			fd;

	ATF_REQUIRE(netaddr_parse(&addr, text) == 0);
	fd = socket(addr.family, SOCK_STREAM, 0);
	if (fd == -1)
		atf_tc_skip("no sockets of family %d here", addr.family);
	fd = add(fd);
	if (addr.family == AF_INET6)
		ATF_REQUIRE(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
		    sizeof(v6only)) == 0);
	len = netaddr_to_sockaddr(&addr, 0, AF_UNSPEC, &ss);
	if (bind(fd, (struct sockaddr *)&ss, len) == -1)
		atf_tc_skip("no %s here", text);
	if (backlog > 0)
		ATF_REQUIRE(listen(fd, backlog) == 0);
	len = sizeof(ss);
	ATF_REQUIRE(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	ATF_REQUIRE(netaddr_from_sockaddr(&addr, &port, &ss) == 0);
	return (port);
}

static void
manager_says(const char *fds, const char *names)
{
	char	pid[32];
	int	i;

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	ATF_REQUIRE(setenv("LISTEN_PID", pid, 1) == 0);
	ATF_REQUIRE(setenv("LISTEN_FDS", fds, 1) == 0);
	if (names != NULL)
		ATF_REQUIRE(setenv("LISTEN_FDNAMES", names, 1) == 0);
	for (i = 0; i < made_len; i++) {
		ATF_REQUIRE(dup2(made[i], 3 + i) == 3 + i);
		close(made[i]);
	}
}

/* The log of what follows; log_text ends it. */
static int	saved_stderr = -1;

static void
log_begin(void)
{
	int	fd;

	log_init("t", NULL, 0);
	ATF_REQUIRE((saved_stderr = fcntl(2, F_DUPFD, 200)) != -1);
	fd = open("log", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	ATF_REQUIRE(fd != -1 && dup2(fd, 2) == 2);
	close(fd);
}

static const char *
log_text(void)
{
	static char	text[4096];
	ssize_t		n;

	ATF_REQUIRE((n = pread(2, text, sizeof(text) - 1, 0)) >= 0);
	text[n] = '\0';
	dup2(saved_stderr, 2);
	close(saved_stderr);
	return (text);
}

static int
take(const char *text, uint16_t port)
{
	struct netaddr	addr;

	ATF_REQUIRE(netaddr_parse(&addr, text) == 0);
	return (listenfds_take(&addr, port));
}

static void
no_variables(void)
{
	ATF_CHECK(getenv("LISTEN_FDS") == NULL);
	ATF_CHECK(getenv("LISTEN_PID") == NULL);
	ATF_CHECK(getenv("LISTEN_FDNAMES") == NULL);
}

ATF_TC_WITHOUT_HEAD(taken);
ATF_TC_BODY(taken, tc)
{
	uint16_t	one, two;

	one = add_listener("127.0.0.1", 0, 5);
	two = add_listener("0.0.0.0", 0, 5);
	manager_says("2", "smtp:pop3");
	log_begin();
	ATF_CHECK_EQ(2, listenfds_init());
	no_variables();
	ATF_CHECK_EQ(FD_CLOEXEC, fcntl(3, F_GETFD));
	ATF_CHECK_EQ(FD_CLOEXEC, fcntl(4, F_GETFD));
	ATF_CHECK(fcntl(3, F_GETFL) & O_NONBLOCK);
	ATF_CHECK_EQ(-1, take("127.0.0.2", one));
	ATF_CHECK_EQ(-1, take("127.0.0.1", two));
	ATF_CHECK_EQ(4, take("0.0.0.0", two));
	ATF_CHECK_EQ(-1, take("0.0.0.0", two));
	listenfds_close();
	ATF_CHECK_EQ(-1, fcntl(3, F_GETFD));
	ATF_CHECK_EQ(FD_CLOEXEC, fcntl(4, F_GETFD));
	ATF_CHECK_EQ(-1, take("127.0.0.1", one));
	ATF_CHECK_MATCH("^t: warning: LISTEN_FDS: descriptor 3 \\(smtp\\): no "
	    "service listens on 127.0.0.1 port [0-9]*, closed\n$",
	    log_text());
}

ATF_TC_WITHOUT_HEAD(no_good);
ATF_TC_BODY(no_good, tc)
{
	const char	*text;
	int		 p[2], sv[2];

	add(open("/dev/null", O_RDONLY));
	add_listener("127.0.0.1", 0, 0);		/* does not listen */
	add(socket(AF_INET, SOCK_DGRAM, 0));
	ATF_REQUIRE(pipe(p) == 0);
	add(p[0]);
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	add(sv[0]);
	add_listener("127.0.0.1", 0, 1);		/* good */
	manager_says("7", "a::c");		/* and one that is not open */
	log_begin();
	ATF_CHECK_EQ(1, listenfds_init());
	text = log_text();
	ATF_CHECK_MATCH("descriptor 3 \\(a\\): not a listening stream", text);
	ATF_CHECK_MATCH("descriptor 4 \\(unnamed\\): not a listening", text);
	ATF_CHECK_MATCH("descriptor 5 \\(c\\): not a listening", text);
	ATF_CHECK_MATCH("descriptor 6 \\(unnamed\\): not a listening", text);
	ATF_CHECK_MATCH("descriptor 7 \\(unnamed\\): not a listening", text);
	ATF_CHECK_MATCH("descriptor 9 \\(unnamed\\): not open", text);
	ATF_CHECK(strstr(text, "descriptor 8") == NULL);
	ATF_CHECK_EQ(-1, fcntl(3, F_GETFD));
	ATF_CHECK_EQ(-1, fcntl(7, F_GETFD));
	ATF_CHECK(fcntl(8, F_GETFD) != -1);
}

/* Not for us, or no number: descriptors stay as they are. */
static void
not_ours(const char *fds, const char *pid)
{
	if (fds == NULL)
		unsetenv("LISTEN_FDS");
	else
		setenv("LISTEN_FDS", fds, 1);
	if (pid == NULL)
		unsetenv("LISTEN_PID");
	else
		setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDNAMES", "x", 1);
	ATF_CHECK_EQ_MSG(0, listenfds_init(), "%s %s", fds, pid);
	ATF_CHECK_EQ(0, fcntl(3, F_GETFD));
	no_variables();
}

ATF_TC_WITHOUT_HEAD(for_another);
ATF_TC_BODY(for_another, tc)
{
	char	pid[32];

	add_listener("127.0.0.1", 0, 5);
	manager_says("1", NULL);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	log_init("t", NULL, 1);
	not_ours("1", "1");
	not_ours("1", NULL);
	not_ours(NULL, pid);
	not_ours("", pid);
	not_ours("0", pid);
	not_ours("-1", pid);
	not_ours("1x", pid);
	not_ours("65", pid);
	not_ours("99999999999999999999", pid);
	strlcat(pid, "x", sizeof(pid));
	not_ours("1", pid);
}

ATF_TC_WITHOUT_HEAD(both_families);
ATF_TC_BODY(both_families, tc)
{
	uint16_t	both, six;

	both = add_listener("::", 0, 5);
	six = add_listener("::", 1, 5);
	manager_says("2", NULL);
	ATF_CHECK_EQ(2, listenfds_init());
	/* If nobody takes it for IPv6, it serves nobody. */
	ATF_CHECK_EQ(-1, take("0.0.0.0", both));
	ATF_CHECK_EQ(3, take("::", both));
	ATF_CHECK_EQ(LISTENFDS_COVERED, take("0.0.0.0", both));
	ATF_CHECK_EQ(-1, take("127.0.0.1", both));
	ATF_CHECK_EQ(4, take("::", six));
	ATF_CHECK_EQ(-1, take("0.0.0.0", six));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, taken);
	ATF_TP_ADD_TC(tp, no_good);
	ATF_TP_ADD_TC(tp, for_another);
	ATF_TP_ADD_TC(tp, both_families);
	return (atf_no_error());
}
