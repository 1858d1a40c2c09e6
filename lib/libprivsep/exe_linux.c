/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * proc(5): /proc/self/exe is the running program, where proc is mounted.
 */
#include <unistd.h>

#include "privsep.h"

int
privsep_exe_path(const char *argv0, char *path, size_t size)
{
	ssize_t	n;

	n = readlink("/proc/self/exe", path, size);
	if (n <= 0 || (size_t)n >= size)
		return (privsep_exe_search(argv0, path, size));
	path[n] = '\0';
	return (0);
}
