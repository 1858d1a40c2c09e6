/*
 * How a child is made: what of its parent comes along, and what does not.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep.h"
#include "forked.h"

static char	probe[1024];

/* All that the child wrote on its channel, and its status. */
static int
child_report(pid_t pid, int fd, char *text, size_t size)
{
	struct pollfd	p = { .fd = fd, .events = POLLIN };
	size_t		got = 0;
	ssize_t		n;
	int		status;

	while (poll(&p, 1, 10000) == 1 &&
	    (n = read(fd, text + got, size - 1 - got)) > 0)
		got += (size_t)n;
	text[got] = '\0';
	if (waitpid(pid, &status, 0) != pid)
		return (-1);
	return (status);
}

static int
has(const char *text, const char *line)
{
	const char	*p;

	for (p = text; (p = strstr(p, line)) != NULL; p++)
		if (p == text || p[-1] == '\n')
			return (1);
	return (0);
}

static void
handler(int sig)
{
}

/* Everything a child must not have, then one is made. */
static void
much_to_inherit(void *arg)
{
	char		 name[] = "probe", word[] = "a word", text[65536];
	char		*argv[] = { name, word, NULL }, line[128];
	struct stat	 st;
	sigset_t	 set;
	int		 fd, i;
	pid_t		 pid;

	for (i = 0; i < 50; i++)
		FORKED_REQUIRE(open("/dev/zero", O_RDONLY) != -1);
	FORKED_REQUIRE(dup2(STDERR_FILENO, 200) == 200);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, handler);
	signal(SIGTERM, handler);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, handler);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	FORKED_REQUIRE((pid = privsep_exec(probe, argv, &fd)) > 0);
	FORKED_REQUIRE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	FORKED_REQUIRE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	FORKED_REQUIRE(child_report(pid, fd, text, sizeof(text)) == 0);
	FORKED_REQUIRE(has(text, "fd 0 chr ") && has(text, "fd 1 chr "));
	FORKED_REQUIRE(fstat(STDERR_FILENO, &st) == 0);
	snprintf(line, sizeof(line), "fd 2 fifo %llu ",
	    (unsigned long long)st.st_ino);
	FORKED_REQUIRE(has(text, line));
	FORKED_REQUIRE(has(text, "fd 3 sock "));
	FORKED_REQUIRE(strstr(text, "nonblocking") == NULL);
	for (i = 4; i < 1024; i++) {
		snprintf(line, sizeof(line), "fd %d ", i);
		FORKED_REQUIRE(!has(text, line));
	}
	FORKED_REQUIRE(strstr(text, "blocked ") == NULL);
	snprintf(line, sizeof(line), "ignored %d\n", SIGHUP);
	FORKED_REQUIRE(has(text, line));
	FORKED_REQUIRE(strstr(strstr(text, "ignored") + 1, "ignored") ==
	    NULL);
	FORKED_REQUIRE(has(text, "arg probe\narg a word\n"));
}

ATF_TC_WITHOUT_HEAD(inherits_nothing);
ATF_TC_BODY(inherits_nothing, tc)
{
	snprintf(probe, sizeof(probe), "%s/child_probe",
	    atf_tc_get_config_var(tc, "srcdir"));
	FORKED_PASSES(much_to_inherit, NULL);
}

/* Whatever is open and closed of 0, 1 and 3 in the parent. */
static void
odd_descriptors(void *arg)
{
	const int	*closed = arg;
	char		 name[] = "probe", text[65536];
	char		*argv[] = { name, NULL };
	int		 fd;
	pid_t		 pid;

	close(3);
	close(4);
	close(5);
	if (!(*closed & 4))
		FORKED_REQUIRE(dup2(STDERR_FILENO, 3) == 3);
	if (*closed & 1)
		close(0);
	if (*closed & 2)
		close(1);
	FORKED_REQUIRE((pid = privsep_exec(probe, argv, &fd)) > 0);
	FORKED_REQUIRE(child_report(pid, fd, text, sizeof(text)) == 0);
	FORKED_REQUIRE(has(text, "fd 0 chr ") && has(text, "fd 1 chr "));
	FORKED_REQUIRE(has(text, "fd 2 fifo ") && has(text, "fd 3 sock "));
	FORKED_REQUIRE(!has(text, "fd 4 ") && !has(text, "fd 5 "));
}

ATF_TC_WITHOUT_HEAD(parent_without_descriptors);
ATF_TC_BODY(parent_without_descriptors, tc)
{
	int	closed;

	snprintf(probe, sizeof(probe), "%s/child_probe",
	    atf_tc_get_config_var(tc, "srcdir"));
	for (closed = 0; closed < 8; closed++)
		FORKED_PASSES(odd_descriptors, &closed);
}

/* A child that could not become the program does nothing else of ours. */
static void
said_at_exit(void)
{
	dprintf(STDERR_FILENO, "the parent's last words\n");
}

static void
no_program(void *arg)
{
	char	 name[] = "probe", text[256];
	char	*argv[] = { name, NULL };
	int	 fd, status;
	pid_t	 pid;

	log_init("tcpserver", NULL, 0);
	atexit(said_at_exit);
	FORKED_REQUIRE((pid = privsep_exec(arg, argv, &fd)) > 0);
	status = child_report(pid, fd, text, sizeof(text));
	FORKED_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	FORKED_REQUIRE(text[0] == '\0');
}

ATF_TC_WITHOUT_HEAD(program_is_not_there);
ATF_TC_BODY(program_is_not_there, tc)
{
	char	said[1024], missing[] = "/nonexistent/engine";
	char	directory[] = "/", script[] = "not_executable";
	int	fd;

	ATF_CHECK_EQ(0, forked(no_program, missing, said, sizeof(said)));
	ATF_CHECK_STREQ("tcpserver: fatal: unable to run /nonexistent/engine: "
	    "file does not exist\n", said);
	ATF_CHECK_EQ(0, forked(no_program, directory, said, sizeof(said)));
	ATF_CHECK_STREQ("tcpserver: fatal: unable to run /: access denied\n",
	    said);
	ATF_REQUIRE((fd = open(script, O_CREAT | O_WRONLY, 0600)) != -1);
	close(fd);
	ATF_CHECK_EQ(0, forked(no_program, script, said, sizeof(said)));
	ATF_CHECK_STREQ("tcpserver: fatal: unable to run not_executable: "
	    "access denied\n", said);
}

static void
no_descriptors(void *arg)
{
	struct rlimit	 rl = { 16, 16 };
	char		 name[] = "probe";
	char		*argv[] = { name, NULL };
	int		 fd, last = -1;

	FORKED_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);
	while ((fd = open("/dev/null", O_RDONLY)) != -1)
		last = fd;
	FORKED_REQUIRE(errno == EMFILE);
	fd = -7;
	FORKED_REQUIRE(privsep_exec(probe, argv, &fd) == -1 &&
	    errno == EMFILE && fd == -7);
	/* One is not enough, and is given back. */
	close(last);
	FORKED_REQUIRE(privsep_exec(probe, argv, &fd) == -1 &&
	    errno == EMFILE);
	FORKED_REQUIRE(open("/dev/null", O_RDONLY) == last);
	FORKED_REQUIRE(privsep_fd_nothing() == -1);
}

ATF_TC_WITHOUT_HEAD(out_of_descriptors);
ATF_TC_BODY(out_of_descriptors, tc)
{
	FORKED_PASSES(no_descriptors, NULL);
}

/*
 * privsep_fds_open
 */

struct fds_case {
	int	closed;			/* bits of 0, 1 and 2 */
	int	bare;			/* in a root without /dev/null */
};

/* Reports go there: 2 itself is under test. */
#define REPORT	9

#define FDS_REQUIRE(x)							\
	do {								\
		if (!(x)) {						\
			dprintf(REPORT, "%d: %s: closed %d, fd %d\n",	\
			    __LINE__, #x, fc->closed, fd);		\
			_exit(98);					\
		}							\
	} while (0)

static void
fds_check(const struct fds_case *fc, int fd, const struct stat *before)
{
	struct stat	st;
	char		c;

	FDS_REQUIRE(fstat(fd, &st) == 0);
	if (!(fc->closed & (1 << fd))) {
		FDS_REQUIRE(st.st_ino == before->st_ino &&
		    st.st_dev == before->st_dev);
		return;
	}
	FDS_REQUIRE(fcntl(fd, F_GETFD) == 0);	/* stays over exec */
	FDS_REQUIRE(read(fd, &c, 1) == 0);
	if (fc->bare)
		FDS_REQUIRE(write(fd, "x", 1) == -1 && errno == EBADF);
	else
		FDS_REQUIRE(write(fd, "x", 1) == 1);
}

static void
fds_run(void *arg)
{
	struct fds_case	*fc = arg;
	struct stat	 before[3];
	int		 fd;

	for (fd = 3; fd < 20; fd++)
		close(fd);
	FORKED_REQUIRE(dup2(STDERR_FILENO, REPORT) == REPORT);
	if (fc->bare)
		FORKED_REQUIRE(mkdir("bare", 0755) == 0 || errno == EEXIST);
	if (fc->bare)
		FORKED_REQUIRE(chroot("bare") == 0);
	for (fd = 0; fd < 3; fd++) {
		FORKED_REQUIRE(fstat(fd, &before[fd]) == 0);
	}
	for (fd = 0; fd < 3; fd++)
		if (fc->closed & (1 << fd))
			close(fd);
	fd = -1;
	FDS_REQUIRE(privsep_fds_open() == 0);
	for (fd = 0; fd < 3; fd++)
		fds_check(fc, fd, &before[fd]);
	for (fd = 3; fd < REPORT; fd++)
		FDS_REQUIRE(fcntl(fd, F_GETFD) == -1);
}

ATF_TC_WITHOUT_HEAD(standard_descriptors);
ATF_TC_BODY(standard_descriptors, tc)
{
	struct fds_case	fc = { 0, 0 };

	for (fc.closed = 0; fc.closed < 8; fc.closed++)
		FORKED_PASSES(fds_run, &fc);
}

ATF_TC(standard_descriptors_bare_root);
ATF_TC_HEAD(standard_descriptors_bare_root, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(standard_descriptors_bare_root, tc)
{
	struct fds_case	fc = { 0, 1 };

	for (fc.closed = 0; fc.closed < 8; fc.closed++)
		FORKED_PASSES(fds_run, &fc);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, inherits_nothing);
	ATF_TP_ADD_TC(tp, parent_without_descriptors);
	ATF_TP_ADD_TC(tp, program_is_not_there);
	ATF_TP_ADD_TC(tp, out_of_descriptors);
	ATF_TP_ADD_TC(tp, standard_descriptors);
	ATF_TP_ADD_TC(tp, standard_descriptors_bare_root);
	return (atf_no_error());
}
