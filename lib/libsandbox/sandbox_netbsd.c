/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * NetBSD has no means that a process could use on itself: chroot(2) and an
 * identity of its own, both set before this is called, are all there is.
 */
#include "sandbox.h"

int
sandbox_engine(void)
{
	return (0);
}

int
sandbox_resolver(void)
{
	return (0);
}

int
sandbox_parent(void)
{
	return (0);
}

int
sandbox_launcher(void)
{
	return (0);
}

int
sandbox_queue(int spool, const char *spool_path, int state,
    const char *state_path)
{
	return (0);
}

int
sandbox_relay(void)
{
	return (0);
}

int
sandbox_mailer(void)
{
	return (0);
}

const char *
sandbox_backend(void)
{
	return ("none");
}
