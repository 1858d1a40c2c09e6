/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Shows a title, and that arguments and environment survive showing it.
 * Ends when its input does.
 */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

extern char	**environ;

int
main(int argc, char **argv)
{
	const char	*var;
	char		 octet;

	compat_proctitle_init(argc, argv, environ);
	if (argc != 3)
		return (1);
	setproctitle("-%s", argv[1]);
	var = getenv("PROCTITLE_PROBE");
	printf("%d %s %s %s\n", (int)getpid(), argv[1], argv[2],
	    var == NULL ? "-" : var);
	fflush(stdout);
	while (read(STDIN_FILENO, &octet, 1) > 0)
		;
	return (0);
}
