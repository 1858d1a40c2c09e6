/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * autoturnd -P relay and autoturnd -P mailer, without the rest of it.
 * STALL_MS is how long a run may tell nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoturnd.h"
#include "relay.h"

extern char	**environ;

int
main(int argc, char **argv)
{
	const char	*stall_ms = getenv("STALL_MS");
	int		 mailer = argc == 3 && strcmp(argv[2], "mailer") == 0;

	if (stall_ms != NULL)
		relay_stall_ms = atoi(stall_ms);
	compat_proctitle_init(argc, argv, environ);
	if (mailer)
		mailer_main();
	relay_main();
}
