/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * OpenBSD: the smallest promise of pledge(2), which still lets a process
 * make pipes and pairs of sockets, to itself.
 */
#include <unistd.h>

#include "sandbox.h"

int
sandbox_conversation(void)
{
	return (pledge("stdio", NULL));
}
