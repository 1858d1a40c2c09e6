/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * OpenBSD: pledge(2), and unveil(2) for the roles that need no path at all.
 * There is no promise that gives accept(2) without connect(2): "inet" is
 * both, so of what sandbox.h says this system leaves one thing to our own
 * code, that the engine does not connect and the resolver does not listen.
 */
#include <unistd.h>

#include "sandbox.h"

static const char	*backend = "none";

static int
promise(const char *promises)
{
	if (pledge(promises, NULL) == -1)
		return (-1);
	backend = "pledge";
	return (0);
}

/* Hides every path, so that a promise too many would still find nothing. */
static int
promise_without_files(const char *promises)
{
	if (unveil("/", "") == -1 || unveil(NULL, NULL) == -1)
		return (-1);
	return (promise(promises));
}

int
sandbox_engine(void)
{
	return (promise_without_files("stdio inet recvfd sendfd"));
}

int
sandbox_resolver(void)
{
	return (promise_without_files("stdio inet recvfd"));
}

/*
 * Binds, opens rules, logs and locks, looks up users and the addresses of
 * interfaces ("route"), starts processes (which drop their rights
 * themselves, after execve(2)) and ends them.
 */
int
sandbox_parent(void)
{
	return (promise("stdio rpath wpath cpath fattr chown flock inet unix "
	    "dns getpw id proc exec recvfd sendfd route"));
}

/* Starts programs: limits are "proc", a directory to start in is "rpath". */
int
sandbox_launcher(void)
{
	return (promise("stdio rpath proc exec recvfd"));
}

/* Its descriptors of the two directories are of no use elsewhere, either. */
int
sandbox_queue(int spool, const char *spool_path, int state,
    const char *state_path)
{
	if (unveil(spool_path, "rwc") == -1 ||
	    unveil(state_path, "rwc") == -1 || unveil(NULL, NULL) == -1)
		return (-1);
	return (promise("stdio rpath wpath cpath flock recvfd sendfd"));
}

/* What it reads and writes it was given: neither "inet" nor "unix". */
int
sandbox_relay(void)
{
	return (promise_without_files("stdio recvfd"));
}

/* Starts one program and ends its process group. */
int
sandbox_mailer(void)
{
	return (promise("stdio proc exec recvfd"));
}

const char *
sandbox_backend(void)
{
	return (backend);
}
