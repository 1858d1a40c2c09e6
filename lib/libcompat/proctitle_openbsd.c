/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * OpenBSD: setproctitle(3) needs no preparation.
 */
#include <sys/types.h>

#include "compat.h"

void
compat_proctitle_init(int argc, char **argv, char **envp)
{
}
