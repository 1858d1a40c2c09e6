/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * sysctl(3), KERN_PROC_PATHNAME: the running program.
 */
#include <sys/types.h>
#include <sys/sysctl.h>

#include "privsep.h"

int
privsep_exe_path(const char *argv0, char *path, size_t size)
{
	int	mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1 };
	size_t	len = size;

	if (sysctl(mib, nitems(mib), path, &len, NULL, 0) == -1 || len <= 1)
		return (privsep_exe_search(argv0, path, size));
	return (0);
}
