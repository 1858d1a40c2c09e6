/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * NetBSD has no means that a process could use on itself.
 */
#include "sandbox.h"

int
sandbox_conversation(void)
{
	return (0);
}
