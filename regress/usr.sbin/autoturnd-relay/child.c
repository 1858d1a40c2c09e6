/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * autoturnd -P relay and autoturnd -P mailer, without the rest of it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoturnd.h"

extern char	**environ;

int
main(int argc, char **argv)
{
	int	mailer = argc == 3 && strcmp(argv[2], "mailer") == 0;

	compat_proctitle_init(argc, argv, environ);
	if (mailer)
		mailer_main();
	relay_main();
}
