/*
 * The pid file: one owner at a time, whose pid the others are told.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "pidfile.h"

#define PATH	"daemon.pid"

static const char *
content(const char *path)
{
	static char	text[64];
	ssize_t		n;
	int		fd;

	ATF_REQUIRE((fd = open(path, O_RDONLY)) != -1);
	ATF_REQUIRE((n = read(fd, text, sizeof(text) - 1)) >= 0);
	text[n] = '\0';
	close(fd);
	return (text);
}

static const char *
pid_text(pid_t pid)
{
	static char	text[32];

	snprintf(text, sizeof(text), "%ld\n", (long)pid);
	return (text);
}

static void
content_make(const char *text)
{
	FILE	*f;

	ATF_REQUIRE((f = fopen(PATH, "w")) != NULL);
	fputs(text, f);
	ATF_REQUIRE(fclose(f) == 0);
}

ATF_TC_WITHOUT_HEAD(life);
ATF_TC_BODY(life, tc)
{
	pid_t		other;
	struct stat	st;

	umask(0);
	content_make("4194303 and what a crash left\n");
	ATF_REQUIRE(pidlock_open(PATH, &other) == 0);
	/* Until we are there for good, nothing is known. */
	ATF_CHECK_STREQ("4194303 and what a crash left\n", content(PATH));
	ATF_REQUIRE(pidlock_write() == 0);
	ATF_CHECK_STREQ(pid_text(getpid()), content(PATH));
	pidlock_remove();
	ATF_CHECK_EQ(-1, access(PATH, F_OK));
	pidlock_remove();

	ATF_REQUIRE(pidlock_open(PATH, &other) == 0);
	ATF_REQUIRE(stat(PATH, &st) == 0);
	ATF_CHECK_EQ(0644, st.st_mode & 07777);
	pidlock_remove();
}

/* Holds the file in a child, which leaves when told. */
static pid_t
holder_start(int *fd, int write_it)
{
	int	p[2], up[2];
	pid_t	other, pid;
	char	c;

	ATF_REQUIRE(pipe(p) == 0 && pipe(up) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		close(p[1]);
		if (pidlock_open(PATH, &other) == -1 ||
		    (write_it && pidlock_write() == -1) ||
		    write(up[1], "x", 1) != 1)
			_exit(1);
		(void)!read(p[0], &c, 1);
		_exit(0);
	}
	ATF_REQUIRE(read(up[0], &c, 1) == 1);
	close(p[0]);
	*fd = p[1];
	return (pid);
}

static void
holder_stop(int fd)
{
	int	status;

	close(fd);
	ATF_REQUIRE(wait(&status) != -1);
	ATF_CHECK_EQ(0, status);
}

ATF_TC_WITHOUT_HEAD(another);
ATF_TC_BODY(another, tc)
{
	pid_t	other, pid;
	int	fd;

	pid = holder_start(&fd, 1);
	ATF_CHECK_EQ(-1, pidlock_open(PATH, &other));
	ATF_CHECK_EQ(EEXIST, errno);
	ATF_CHECK_EQ(pid, other);
	/* Neither refusal nor clean-up touch what is the other's. */
	pidlock_remove();
	ATF_CHECK_EQ(-1, pidlock_write());
	ATF_CHECK_STREQ(pid_text(pid), content(PATH));
	holder_stop(fd);

	/* It was killed, so to speak: its file is there, its lock is not. */
	ATF_REQUIRE(pidlock_open(PATH, &other) == 0);
	ATF_REQUIRE(pidlock_write() == 0);
	ATF_CHECK_STREQ(pid_text(getpid()), content(PATH));
	pidlock_remove();
}

ATF_TC_WITHOUT_HEAD(another_still_starting);
ATF_TC_BODY(another_still_starting, tc)
{
	static const char *const	texts[] = { "", "x\n", "12x\n", "-5\n",
	    "1\n", "99999999999999999999\n" };
	pid_t				other;
	size_t				i;
	int				fd;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		content_make(texts[i]);
		holder_start(&fd, 0);
		other = 4711;
		ATF_CHECK_EQ(-1, pidlock_open(PATH, &other));
		ATF_CHECK_EQ(EEXIST, errno);
		ATF_CHECK_EQ_MSG(-1, other, "%s: %ld", texts[i], (long)other);
		holder_stop(fd);
	}
}

/* As a daemon does it: the lock is the child's after the parent left. */
ATF_TC_WITHOUT_HEAD(into_the_background);
ATF_TC_BODY(into_the_background, tc)
{
	pid_t	other, pid;
	int	p[2], status;
	char	c;

	ATF_REQUIRE(pipe(p) == 0);
	ATF_REQUIRE(pidlock_open(PATH, &other) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		close(p[1]);
		if (read(p[0], &c, 1) != 1 || pidlock_write() == -1)
			_exit(1);
		(void)!read(p[0], &c, 1);
		pidlock_remove();
		_exit(0);
	}
	close(p[0]);
	pidlock_abandon();
	ATF_CHECK_EQ(-1, pidlock_open(PATH, &other));
	ATF_CHECK_EQ(EEXIST, errno);
	ATF_REQUIRE(write(p[1], "x", 1) == 1);
	/* What it writes comes at once, but not at the same time. */
	while (pidlock_open(PATH, &other) == -1 && other != pid)
		ATF_REQUIRE(errno == EEXIST);
	ATF_CHECK_EQ(pid, other);
	close(p[1]);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_EQ(0, status);
	ATF_CHECK_EQ(-1, access(PATH, F_OK));
}

/* Someone put another file there: that one is not ours to remove. */
ATF_TC_WITHOUT_HEAD(replaced);
ATF_TC_BODY(replaced, tc)
{
	pid_t	other;

	ATF_REQUIRE(pidlock_open(PATH, &other) == 0);
	ATF_REQUIRE(pidlock_write() == 0);
	ATF_REQUIRE(rename(PATH, "elsewhere") == 0);
	content_make("5\n");
	pidlock_remove();
	ATF_CHECK_STREQ("5\n", content(PATH));
}

static void
refused(const char *path, int error)
{
	pid_t	other;

	ATF_CHECK_EQ(-1, pidlock_open(path, &other));
	ATF_CHECK_EQ_MSG(error, errno, "%s: %d", path, errno);
	ATF_CHECK_EQ(-1, other);
}

ATF_TC(odd_paths);
ATF_TC_HEAD(odd_paths, tc)
{
	atf_tc_set_md_var(tc, "timeout", "10");
}
ATF_TC_BODY(odd_paths, tc)
{
	char	name[8192];
	pid_t	other;

	refused("no/such/directory", ENOENT);
	ATF_REQUIRE(mkdir("dir", 0755) == 0);
	refused("dir", EISDIR);
	ATF_REQUIRE(mkfifo("fifo", 0644) == 0);
	refused("fifo", EINVAL);
	content_make("mine\n");
	ATF_REQUIRE(symlink(PATH, "link") == 0);
	ATF_CHECK_EQ(-1, pidlock_open("link", &other));
	ATF_CHECK_STREQ("mine\n", content(PATH));
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	refused(name, ENAMETOOLONG);
}

/* Many who start and stop at once: never two who hold it. */
ATF_TC(crowd);
ATF_TC_HEAD(crowd, tc)
{
	atf_tc_set_md_var(tc, "timeout", "60");
}
ATF_TC_BODY(crowd, tc)
{
	pid_t	other;
	int	fd, i, k, status;

	for (i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		for (k = 0; k < 200;) {
			if (pidlock_open(PATH, &other) == -1) {
				if (errno != EEXIST && errno != EAGAIN)
					_exit(1);
				continue;
			}
			/* No two can be here. */
			fd = open("inside", O_CREAT | O_EXCL | O_WRONLY, 0600);
			if (fd == -1 || pidlock_write() == -1)
				_exit(2);
			close(fd);
			unlink("inside");
			pidlock_remove();
			k++;
		}
		_exit(0);
	}
	while (wait(&status) != -1)
		ATF_CHECK_EQ(0, status);
	ATF_CHECK_EQ(-1, access(PATH, F_OK));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, life);
	ATF_TP_ADD_TC(tp, another);
	ATF_TP_ADD_TC(tp, another_still_starting);
	ATF_TP_ADD_TC(tp, into_the_background);
	ATF_TP_ADD_TC(tp, replaced);
	ATF_TP_ADD_TC(tp, odd_paths);
	ATF_TP_ADD_TC(tp, crowd);
	return (atf_no_error());
}
