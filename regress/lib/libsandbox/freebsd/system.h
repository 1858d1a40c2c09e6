/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * FreeBSD: capability mode takes away names (paths, ports, processes) but
 * leaves what is done to a descriptor or to the process itself.  Sockets
 * can be made there but not connected or bound, and a
 * program can be started from a descriptor of its file.  The resolver stays
 * outside, see sandbox_freebsd.c.
 */
static const struct {
	const char	*name;
	int		 roles;
} system_permits[] = {
	{ "openat", ROLE_CALLED },	/* below a directory it was given */
	{ "fchmod", ROLE_CALLED },
	{ "fork", ROLE_CALLED },	/* as root: the limit is for others */
	{ "F_SETOWN parent", ROLE_CALLED },
	{ "setsid", ROLE_CALLED },
	{ "setrlimit", ROLE_CALLED },
	{ "setpriority", ROLE_CALLED },
	{ "setuid", ROLE_CALLED },
	{ "setgid", ROLE_CALLED },
	{ "mmap executable", ROLE_CALLED },
	{ "mprotect executable", ROLE_CALLED },
	{ "socket tcp", ROLE_CALLED },
	{ "socket udp", ROLE_CALLED },
	{ "socket tcp6", ROLE_CALLED },
	{ "socket udp6", ROLE_CALLED },
	{ "socket unix", ROLE_CALLED },
	{ "socket unix dgram", ROLE_CALLED },
	{ "socket raw", ROLE_CALLED },
	{ "socketpair", ROLE_CALLED },
	{ "listen", ROLE_CALLED },
	{ "accept", ROLE_CALLED },
	{ "rmdir below", ROLE_QUEUE },
	{ "set-uid below", ROLE_QUEUE }
};

static int
system_confines(void)
{
	return (ROLE_CALLED);
}

static void
system_prepare(void)
{
}

static int
try_chflags(const struct fixture *fx)
{
	return (chflags("file", 0));
}

static int
try_sigqueue_parent(const struct fixture *fx)
{
	union sigval	value = { .sival_int = 0 };

	return (sigqueue(fx->parent, 0, value));
}

static const struct attempt system_attempts[] = {
	{ "chflags", try_chflags, ROLE_CALLED, NEED_LUCK },
	{ "sigqueue parent", try_sigqueue_parent, ROLE_CALLED, NEED_NOTHING }
};
