/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * state: a program to serve: tells what it was started with.  One
 * "WORD VALUE ..." per line, then "done".
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define FDS_MAX		1024
#define SIGNALS_MAX	32

extern char **environ;

static const struct {
	const char	*name;
	int		 resource;
} limits[] = {
	{ "nofile", RLIMIT_NOFILE },
	{ "data", RLIMIT_DATA },
	{ "stack", RLIMIT_STACK },
	{ "core", RLIMIT_CORE },
	{ "fsize", RLIMIT_FSIZE },
	{ "cpu", RLIMIT_CPU },
};

static void
tell_descriptors(void)
{
	int	fd, flags;

	for (fd = 0; fd < FDS_MAX; fd++)
		if ((flags = fcntl(fd, F_GETFL)) != -1)
			printf("fd %d %s\n", fd,
			    flags & O_NONBLOCK ? "nonblocking" : "blocking");
}

static void
tell_signals(void)
{
	struct sigaction	sa;
	sigset_t		set;
	int			sig;

	sigprocmask(SIG_BLOCK, NULL, &set);
	for (sig = 1; sig < SIGNALS_MAX; sig++) {
		if (sigismember(&set, sig) == 1)
			printf("blocked %d\n", sig);
		if (sigaction(sig, NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_IGN)
			printf("ignored %d\n", sig);
	}
}

static void
tell_limits(void)
{
	struct rlimit	r;
	size_t		i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (getrlimit(limits[i].resource, &r) == 0)
			printf("limit-%s %lld %lld\n", limits[i].name,
			    (long long)r.rlim_cur, (long long)r.rlim_max);
}

static void
tell_identity(void)
{
	gid_t	groups[NGROUPS_MAX];
	int	i, n;

	printf("uid %u %u\n", getuid(), geteuid());
	printf("gid %u %u\n", getgid(), getegid());
	printf("groups");
	n = getgroups(NGROUPS_MAX, groups);
	for (i = 0; i < n; i++)
		printf(" %u", groups[i]);
	printf("\n");
}

static void
tell_process(void)
{
	char	cwd[PATH_MAX];
	mode_t	mask = umask(0);

	umask(mask);
	printf("umask %03o\n", (unsigned int)mask);
	if (getcwd(cwd, sizeof(cwd)) != NULL)
		printf("cwd %s\n", cwd);
	errno = 0;
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	printf("pid %d\n", (int)getpid());
	printf("session %d\n", (int)getsid(0));
	printf("group %d\n", (int)getpgrp());
}

int
main(int argc, char *argv[])
{
	char	**e;
	int	  i;

	for (i = 0; i < argc; i++)
		printf("arg %s\n", argv[i]);
	for (e = environ; *e != NULL; e++)
		printf("env %s\n", *e);
	tell_descriptors();
	tell_signals();
	tell_limits();
	tell_identity();
	tell_process();
	printf("done\n");
	return (0);
}
