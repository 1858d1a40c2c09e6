/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The lock, against setlock(1): ours, and Debian's where it is there.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "world.h"

#define LOCK_PATH	"spool/" MAILDIR "/seriallock"

/* How setlock -nX ends: 0, or 111 where the lock is another's. */
static int
setlock(const char *program)
{
	pid_t	pid;
	int	status;

	if ((pid = fork()) == 0) {
		execl(program, "setlock", "-nX", LOCK_PATH, "true", NULL);
		_exit(99);
	}
	ATF_REQUIRE(pid != -1);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_REQUIRE(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

/* A setlock that holds it until its input ends. */
static pid_t
setlock_hold(const char *program, int *in)
{
	pid_t	pid;
	int	fd[2], out[2];
	char	c;

	ATF_REQUIRE_EQ(0, pipe2(fd, O_CLOEXEC));
	ATF_REQUIRE_EQ(0, pipe2(out, O_CLOEXEC));
	if ((pid = fork()) == 0) {
		if (dup2(fd[0], 0) == -1 || dup2(out[1], 1) == -1)
			_exit(98);
		execl(program, "setlock", "-nX", LOCK_PATH, "sh", "-c",
		    "echo; cat", NULL);
		_exit(99);
	}
	ATF_REQUIRE(pid != -1);
	close(fd[0]);
	close(out[1]);
	ATF_REQUIRE_EQ(1, read(out[0], &c, 1));
	*in = fd[1];
	return (pid);
}

static void
setlock_both(const char *program)
{
	struct lock	*lock, *second;
	struct stat	 st;
	pid_t		 pid;
	int		 in, status;

	ATF_REQUIRE((lock = lock_take(MAILDIR)) != NULL);
	ATF_REQUIRE_EQ(111, setlock(program));
	/* Others of us share it, until the last of them. */
	ATF_REQUIRE((second = lock_take(MAILDIR)) == lock);
	lock_release(lock);
	ATF_REQUIRE_EQ(111, setlock(program));
	lock_release(second);
	ATF_REQUIRE_EQ(0, setlock(program));
	pid = setlock_hold(program, &in);
	ATF_REQUIRE_ERRNO(EAGAIN, lock_take(MAILDIR) == NULL);
	close(in);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid && status == 0);
	ATF_REQUIRE((lock = lock_take(MAILDIR)) != NULL);
	lock_release(lock);
	ATF_REQUIRE_EQ(0, stat(LOCK_PATH, &st));
	ATF_REQUIRE_EQ(0600, st.st_mode & 07777);
}

ATF_TC(ours);
ATF_TC_HEAD(ours, tc)
{
	atf_tc_set_md_var(tc, "descr", "our setlock");
}
ATF_TC_BODY(ours, tc)
{
	const char	*stage = getenv("STAGE");
	char		 path[1024];

	if (stage == NULL)
		atf_tc_skip("STAGE is not set: run by regress/check");
	(void)snprintf(path, sizeof(path), "%s/bin/setlock", stage);
	world_begin();
	setlock_both(path);
}

ATF_TC(debians);
ATF_TC_HEAD(debians, tc)
{
	atf_tc_set_md_var(tc, "descr", "Debian's setlock (daemontools)");
}
ATF_TC_BODY(debians, tc)
{
	const char	*peers = getenv("PEERS");
	char		 path[1024];

	if (peers == NULL)
		atf_tc_skip("PEERS is not set: run by regress/check");
	(void)snprintf(path, sizeof(path), "%s/usr/bin/setlock", peers);
	if (access(path, X_OK) == -1)
		atf_tc_skip("no setlock among the peers (daemontools)");
	world_begin();
	setlock_both(path);
}

ATF_TC(trouble);
ATF_TC_HEAD(trouble, tc)
{
	atf_tc_set_md_var(tc, "descr", "Maildirs that are not there, locks "
	    "that are no files");
}
ATF_TC_BODY(trouble, tc)
{
	world_begin();
	ATF_REQUIRE_ERRNO(ENOENT, lock_take("nobody") == NULL);
	ATF_REQUIRE_EQ(0, mkdir(LOCK_PATH, 0700));
	ATF_REQUIRE_ERRNO(EISDIR, lock_take(MAILDIR) == NULL);
	ATF_REQUIRE_EQ(0, rmdir(LOCK_PATH));
	/* Nobody reads it: that is not waited for. */
	ATF_REQUIRE_EQ(0, mkfifo(LOCK_PATH, 0600));
	ATF_REQUIRE_ERRNO(ENXIO, lock_take(MAILDIR) == NULL);
	lock_release(NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ours);
	ATF_TP_ADD_TC(tp, debians);
	ATF_TP_ADD_TC(tp, trouble);
	return (atf_no_error());
}
