/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux: libbsd's setproctitle(3) writes over argv and environ, after it has
 * moved them away.
 */
#include <sys/types.h>

#include <unistd.h>

#include "compat.h"

void
compat_proctitle_init(int argc, char **argv, char **envp)
{
	setproctitle_init(argc, argv, envp);
}
