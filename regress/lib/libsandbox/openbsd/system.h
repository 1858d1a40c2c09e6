/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * OpenBSD: the promise "inet", which accept(2) needs, is that of a client
 * as well.
 */
static const struct {
	const char	*name;
	int		 roles;
} system_permits[] = {
	{ "kill group", ROLE_ALL },
	{ "socket tcp", ROLE_ENGINE },
	{ "socket udp", ROLE_ENGINE },
	{ "socket tcp6", ROLE_ENGINE },
	{ "socket udp6", ROLE_ENGINE },
	{ "socket raw", ROLE_ENGINE | ROLE_RESOLVER },
	{ "socketpair", ROLE_ALL },
	{ "connect tcp", ROLE_ENGINE },
	{ "connect udp", ROLE_ENGINE },
	{ "bind tcp", ROLE_ENGINE },
	{ "listen", ROLE_ENGINE | ROLE_RESOLVER },
	{ "accept", ROLE_RESOLVER },
	{ "symlink below", ROLE_QUEUE },
	{ "rmdir below", ROLE_QUEUE }
};

static int
system_confines(void)
{
	return (ROLE_ALL);
}

static void
system_prepare(void)
{
}

static int
try_unveil(const struct fixture *fx)
{
	return (unveil("file", "r"));
}

static const struct attempt system_attempts[] = {
	{ "unveil", try_unveil, ROLE_ALL, NEED_NOTHING }
};
