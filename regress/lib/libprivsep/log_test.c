/*
 * Lines of the log: whole, bounded, printable, and no reason to stand still.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep.h"
#include "forked.h"

/*
 * Descriptor 2 becomes a socket of packets: one write is one packet.
 */
static int
packets_begin(int *saved)
{
	int	sv[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) == 0);
	*saved = dup(STDERR_FILENO);
	ATF_REQUIRE(dup2(sv[1], STDERR_FILENO) == STDERR_FILENO);
	close(sv[1]);
	return (sv[0]);
}

static void
packets_end(int fd, int saved)
{
	ATF_REQUIRE(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
	close(saved);
	close(fd);
}

static size_t
packet(int fd, char *buf, size_t size)
{
	ssize_t	n;

	n = recv(fd, buf, size - 1, MSG_DONTWAIT);
	if (n < 0)
		n = 0;
	buf[n] = '\0';
	return ((size_t)n);
}

ATF_TC_WITHOUT_HEAD(one_write_each);
ATF_TC_BODY(one_write_each, tc)
{
	char	buf[16384];
	int	fd, saved, kept;

	fd = packets_begin(&saved);
	log_init("tcpserver", NULL, 0);
	errno = ENOENT;
	log_warn("%s: which", "what");
	kept = errno;
	log_warnx("%d%%", 5);
	log_init("tcpserver", "engine", 0);
	log_warnx("second name");
	packet(fd, buf, sizeof(buf));
	ATF_CHECK_STREQ("tcpserver: warning: what: which: file does not "
	    "exist\n", buf);
	ATF_CHECK_EQ(ENOENT, kept);
	packet(fd, buf, sizeof(buf));
	ATF_CHECK_STREQ("tcpserver: warning: 5%\n", buf);
	packet(fd, buf, sizeof(buf));
	ATF_CHECK_STREQ("tcpserver: engine: warning: second name\n", buf);
	log_init("tcpserver", "engine", 1);
	log_warnx("nothing");
	errno = 5;
	log_warn("nothing");
	ATF_CHECK_EQ(0, packet(fd, buf, sizeof(buf)));
	packets_end(fd, saved);
}

/* Whatever the bytes are: one line, of what a terminal can show. */
ATF_TC_WITHOUT_HEAD(hostile_text);
ATF_TC_BODY(hostile_text, tc)
{
	char	text[256], buf[16384];
	size_t	i, n;
	int	fd, saved, c;

	fd = packets_begin(&saved);
	log_init("tcpserver", NULL, 0);
	log_warnx("%s", "a\nfatal: forged\r\n\033[2J\177\200\377");
	n = packet(fd, buf, sizeof(buf));
	ATF_CHECK(n > 30 && strchr(buf, '\n') == buf + n - 1);
	for (i = 0; i + 1 < n; i++)
		ATF_CHECK_MSG(buf[i] >= 32 && buf[i] < 127, "byte %#x", buf[i]);
	for (c = 1; c < 256; c++) {
		memset(text, c, 20);
		text[20] = '\0';
		log_warnx("%s", text);
		n = packet(fd, buf, sizeof(buf));
		ATF_REQUIRE(n > 20 && buf[n - 1] == '\n');
		for (i = 0; i + 1 < n; i++)
			ATF_CHECK_MSG((buf[i] >= 32 && buf[i] < 127) ||
			    buf[i] == '\t', "%#x gives %#x", c, buf[i]);
	}
	packets_end(fd, saved);
}

ATF_TC_WITHOUT_HEAD(long_text);
ATF_TC_BODY(long_text, tc)
{
	char	text[20000], name[200], buf[16384];
	size_t	len, n;
	int	fd, saved;

	fd = packets_begin(&saved);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	log_init(name, name, 0);
	for (len = 0; len < sizeof(text); len += 1 + len / 7) {
		memset(text, '\001', len);
		text[len] = '\0';
		errno = EADDRINUSE;
		log_warn("%s", text);
		n = packet(fd, buf, sizeof(buf));
		ATF_CHECK_MSG(n > 0 && n <= 4096, "%zu gives %zu", len, n);
		ATF_CHECK_EQ('\n', buf[n - 1]);
		ATF_CHECK(memchr(buf, '\n', n) == buf + n - 1);
		ATF_CHECK_EQ(0, packet(fd, buf, sizeof(buf)));
	}
	packets_end(fd, saved);
}

static void
fatal_run(void *arg)
{
	log_init("tcpserver", "launcher", 0);
	errno = ENOMEM;
	fatal("what %d", 5);
}

static void
fatalx_run(void *arg)
{
	log_init("tcpserver", NULL, *(int *)arg);
	errno = ENOMEM;
	fatalx("what %d", 5);
}

ATF_TC_WITHOUT_HEAD(fatal_exits);
ATF_TC_BODY(fatal_exits, tc)
{
	char	said[512];
	int	status, quiet = 0;

	status = forked(fatal_run, NULL, said, sizeof(said));
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	ATF_CHECK_STREQ("tcpserver: launcher: fatal: what 5: out of memory\n",
	    said);
	status = forked(fatalx_run, &quiet, said, sizeof(said));
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	ATF_CHECK_STREQ("tcpserver: fatal: what 5\n", said);
	quiet = 1;
	status = forked(fatalx_run, &quiet, said, sizeof(said));
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	ATF_CHECK_STREQ("", said);
}

static int64_t
ms_of(void (*function)(void))
{
	int64_t	before = clock_ms();

	function();
	return (clock_ms() - before);
}

static void
warn_once(void)
{
	log_warnx("a line");
}

static void
warn_often(void)
{
	int	i;

	for (i = 0; i < 1000; i++)
		log_warnx("a line");
}

static size_t
pipe_empty(int fd, char *buf, size_t size)
{
	ssize_t	n;
	size_t	got = 0;

	while ((n = read(fd, buf + got, size - 1 - got)) > 0)
		got += (size_t)n;
	buf[got] = '\0';
	return (got);
}

/* Its reader is stopped: the parent must go on seeing to its children. */
ATF_TC_WITHOUT_HEAD(reader_stalls);
ATF_TC_BODY(reader_stalls, tc)
{
	static char	buf[1 << 20];
	char		full[4096];
	int		p[2], saved, flags;

	ATF_REQUIRE(pipe(p) == 0);
	ATF_REQUIRE((flags = fcntl(p[1], F_GETFL)) != -1);
	ATF_REQUIRE(fcntl(p[1], F_SETFL, flags | O_NONBLOCK) == 0);
	memset(full, 'x', sizeof(full));
	while (write(p[1], full, sizeof(full)) > 0)
		continue;
	ATF_REQUIRE(fcntl(p[1], F_SETFL, flags) == 0);
	ATF_REQUIRE(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	saved = dup(STDERR_FILENO);
	ATF_REQUIRE(dup2(p[1], STDERR_FILENO) == STDERR_FILENO);
	log_init("tcpserver", NULL, 0);
	ATF_CHECK(ms_of(warn_once) < 5000);
	ATF_CHECK(ms_of(warn_often) < 1000);
	pipe_empty(p[0], buf, sizeof(buf));
	ATF_CHECK(strstr(buf, "a line") == NULL);
	warn_once();
	pipe_empty(p[0], buf, sizeof(buf));
	ATF_REQUIRE(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
	ATF_CHECK_STREQ("tcpserver: warning: 1001 lines lost: the log's "
	    "reader stalls\ntcpserver: warning: a line\n", buf);
}

static void
no_log(void *arg)
{
	close(STDERR_FILENO);
	log_init("tcpserver", NULL, 0);
	log_warnx("to nobody");
	log_warnx("to nobody");
}

ATF_TC_WITHOUT_HEAD(no_log_at_all);
ATF_TC_BODY(no_log_at_all, tc)
{
	FORKED_PASSES(no_log, NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, one_write_each);
	ATF_TP_ADD_TC(tp, hostile_text);
	ATF_TP_ADD_TC(tp, long_text);
	ATF_TP_ADD_TC(tp, fatal_exits);
	ATF_TP_ADD_TC(tp, reader_stalls);
	ATF_TP_ADD_TC(tp, no_log_at_all);
	return (atf_no_error());
}
