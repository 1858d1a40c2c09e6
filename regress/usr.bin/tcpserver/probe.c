/*
 * Copyright (c) 2026 the tcpserverd developers
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */


/*
 * probe WORD ...: a served program that tells what it was given.  Each word
 * is one thing to tell or do, in order; answers go to descriptor 1, a line
 * each, so that two runs can be compared.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DESCRIPTORS_MAX	256
#define GROUPS_MAX	64

static char	**probe_argv;
extern char	**environ;

static int
compare_strings(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

static void
tell_environment(void)
{
	size_t	 n;

	for (n = 0; environ[n] != NULL; n++)
		continue;
	qsort(environ, n, sizeof(*environ), compare_strings);
	for (n = 0; environ[n] != NULL; n++)
		dprintf(1, "env %s\n", environ[n]);
}

static void
tell_descriptors(void)
{
	struct stat	 st, st0;
	int		 fd, flags;

	if (fstat(0, &st0) == -1)
		memset(&st0, 0, sizeof(st0));
	for (fd = 0; fd < DESCRIPTORS_MAX; fd++) {
		if ((flags = fcntl(fd, F_GETFL)) == -1)
			continue;
		if (fstat(fd, &st) == -1)
			continue;
		dprintf(1, "descriptor %d %s%s%s%s\n", fd,
		    S_ISSOCK(st.st_mode) ? "socket" : "other",
		    flags & O_NONBLOCK ? " nonblocking" : "",
		    fcntl(fd, F_GETFD) & FD_CLOEXEC ? " close-on-exec" : "",
		    S_ISSOCK(st.st_mode) && st.st_ino == st0.st_ino ?
		    " same-as-0" : "");
	}
}

static void
tell_signals(void)
{
	struct sigaction	 sa;
	sigset_t		 mask;
	int			 sig;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (sig = 1; sig < 32; sig++) {
		if (sigaction(sig, NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_IGN)
			dprintf(1, "ignored %d\n", sig);
		if (sigismember(&mask, sig) == 1)
			dprintf(1, "blocked %d\n", sig);
	}
	dprintf(1, "signals told\n");
}

static void
tell_identity(void)
{
	gid_t	 groups[GROUPS_MAX];
	int	 i, n;

	dprintf(1, "uid %u %u gid %u %u\n", (unsigned)getuid(),
	    (unsigned)geteuid(), (unsigned)getgid(), (unsigned)getegid());
	n = getgroups(GROUPS_MAX, groups);
	for (i = 0; i < n; i++)
		dprintf(1, "group %u\n", (unsigned)groups[i]);
}

static void
tell_limits(void)
{
	static const struct {
		const char	*name;
		int		 resource;
	} limits[] = {
		{ "core", RLIMIT_CORE },
		{ "cpu", RLIMIT_CPU },
		{ "data", RLIMIT_DATA },
		{ "fsize", RLIMIT_FSIZE },
		{ "nofile", RLIMIT_NOFILE },
		{ "stack", RLIMIT_STACK },
		{ "nproc", RLIMIT_NPROC },
	};
	struct rlimit	 rl;
	size_t		 i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (getrlimit(limits[i].resource, &rl) == -1)
			continue;
		dprintf(1, "limit %s %lld %lld\n", limits[i].name,
		    (long long)rl.rlim_cur, (long long)rl.rlim_max);
	}
	dprintf(1, "nice %d\n", getpriority(PRIO_PROCESS, 0));
}

static void
tell_socket(void)
{
	unsigned char	 options[64];
	socklen_t	 len;
	int		 on = 0;

	len = sizeof(on);
	if (getsockopt(0, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0)
		dprintf(1, "nodelay %s\n", on ? "on" : "off");
	len = sizeof(on);
	if (getsockopt(0, SOL_SOCKET, SO_KEEPALIVE, &on, &len) == 0)
		dprintf(1, "keepalive %s\n", on ? "on" : "off");
	len = sizeof(options);
	if (getsockopt(0, IPPROTO_IP, IP_OPTIONS, options, &len) == 0)
		dprintf(1, "options %s\n", len > 0 ? "kept" : "none");
}

static void
tell_place(void)
{
	char	 cwd[PATH_MAX];
	mode_t	 mask;

	mask = umask(0);
	umask(mask);
	dprintf(1, "umask %03o\n", (unsigned)mask);
	dprintf(1, "cwd %s\n", getcwd(cwd, sizeof(cwd)));
}

static void
tell_arguments(void)
{
	int	 i;

	for (i = 0; probe_argv[i] != NULL; i++)
		dprintf(1, "argument %d <%s>\n", i, probe_argv[i]);
}

static void
wait_for_end(void)
{
	char	 buf[512];
	ssize_t	 n;

	while ((n = read(0, buf, sizeof(buf))) > 0)
		if (write(1, buf, (size_t)n) != n)
			break;
}

static int
tell(const char *word)
{
	static const struct {
		const char	*word;
		void		 (*tell)(void);
	} words[] = {
		{ "environment", tell_environment },
		{ "descriptors", tell_descriptors },
		{ "signals", tell_signals },
		{ "identity", tell_identity },
		{ "limits", tell_limits },
		{ "socket", tell_socket },
		{ "place", tell_place },
		{ "arguments", tell_arguments },
		{ "wait", wait_for_end },
	};
	size_t	 i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i].word) == 0) {
			words[i].tell();
			return (1);
		}
	}
	return (0);
}

int
main(int argc, char *argv[])
{
	int	 i;

	probe_argv = argv;
	for (i = 1; i < argc; i++) {
		if (tell(argv[i]))
			continue;
		if (strncmp(argv[i], "say=", 4) == 0)
			dprintf(1, "%s\n", argv[i] + 4);
		else if (strncmp(argv[i], "log=", 4) == 0)
			dprintf(2, "%s\n", argv[i] + 4);
		else if (strncmp(argv[i], "exit=", 5) == 0)
			exit(atoi(argv[i] + 5));
		else if (strncmp(argv[i], "kill=", 5) == 0)
			raise(atoi(argv[i] + 5));
		else if (strcmp(argv[i], "pid") == 0)
			dprintf(1, "pid %ld\n", (long)getpid());
		else if (strcmp(argv[i], "parent") == 0)
			dprintf(1, "parent %ld\n", (long)getppid());
		else if (strcmp(argv[i], "group") == 0)
			dprintf(1, "group %ld session %ld\n",
			    (long)getpgrp(), (long)getsid(0));
	}
	return (0);
}
