/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * FreeBSD: capability mode takes away names (paths, ports, processes) but
 * leaves what is done to a descriptor or to the process itself.  Sockets
 * can be made there but not connected or bound, and a
 * program can be started from a descriptor of its file.  The resolver stays
 * outside, see sandbox_freebsd.c.
 */
static const int	system_confines = ROLE_ENGINE;
static const struct {
	const char	*name;
	int		 roles;
} system_permits[] = {
	{ "openat", ROLE_ENGINE },	/* below a directory it was given */
	{ "fchmod", ROLE_ENGINE },
	{ "fork", ROLE_ENGINE },	/* as root: the limit is for others */
	{ "F_SETOWN parent", ROLE_ENGINE },
	{ "setsid", ROLE_ENGINE },
	{ "setrlimit", ROLE_ENGINE },
	{ "setpriority", ROLE_ENGINE },
	{ "setuid", ROLE_ENGINE },
	{ "setgid", ROLE_ENGINE },
	{ "mmap executable", ROLE_ENGINE },
	{ "mprotect executable", ROLE_ENGINE },
	{ "socket tcp", ROLE_ENGINE },
	{ "socket udp", ROLE_ENGINE },
	{ "socket tcp6", ROLE_ENGINE },
	{ "socket udp6", ROLE_ENGINE },
	{ "socket unix", ROLE_ENGINE },
	{ "socket unix dgram", ROLE_ENGINE },
	{ "socket raw", ROLE_ENGINE },
	{ "socketpair", ROLE_ENGINE },
	{ "listen", ROLE_ENGINE }
};

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
	{ "chflags", try_chflags, ROLE_ENGINE, NEED_LUCK },
	{ "sigqueue parent", try_sigqueue_parent, ROLE_ENGINE, NEED_NOTHING }
};
