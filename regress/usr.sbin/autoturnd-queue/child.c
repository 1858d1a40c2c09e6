/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * autoturnd -P queue, without the rest of it.
 */
#include <unistd.h>

#include "autoturnd.h"

extern char	**environ;

int
main(int argc, char **argv)
{
	compat_proctitle_init(argc, argv, environ);
	queue_main();
}
