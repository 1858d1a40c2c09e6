/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Finding our own executable by the name we were called with, for systems
 * (or bare roots) that don't tell.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <limits.h>

#include "privsep.h"
#include "ucspi.h"

static int
exe_real(const char *name, char *path, size_t size)
{
	char	*real;
	int	 rv;

	if (access(name, X_OK) == -1 || (real = realpath(name, NULL)) == NULL)
		return (-1);
	rv = strlcpy(path, real, size) < size ? 0 : -1;
	free(real);
	return (rv);
}

int
privsep_exe_search(const char *argv0, char *path, size_t size)
{
	char	**list;
	size_t	  i;
	int	  rv = -1;

	if ((list = ucspi_path_candidates(argv0, getenv("PATH"))) == NULL)
		return (-1);
	for (i = 0; list[i] != NULL && rv == -1; i++)
		rv = exe_real(list[i], path, size);
	free(list);
	if (rv == -1)
		errno = ENOENT;
	return (rv);
}
