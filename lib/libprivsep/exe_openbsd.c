/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * OpenBSD does not tell a process its path: by the name it was called with.
 */
#include "privsep.h"

int
privsep_exe_path(const char *argv0, char *path, size_t size)
{
	return (privsep_exe_search(argv0, path, size));
}
