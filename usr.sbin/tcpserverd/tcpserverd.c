/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * One binary, several faces: called tcpserverd it is the daemon, tcpserverd
 * -P ROLE a child of either, called anything else ucspi-tcp's tcpserver.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcpserverd.h"
#include "configure.h"

extern char **environ;

/* The title's making moves argv: what is needed of it is looked at before. */
static __dead void
role_main(int argc, char **argv)
{
	int	engine = strcmp(argv[2], "engine") == 0;

	if (!engine && strcmp(argv[2], "launcher") != 0)
		exit(UCSPI_EXIT_USAGE);
	compat_proctitle_init(argc, argv, environ);
	if (engine)
		engine_main();
	launcher_main();
}

int
main(int argc, char **argv)
{
	const char	*name;

	if (argc == 0)
		exit(UCSPI_EXIT_USAGE);
	name = strrchr(argv[0], '/');
	name = name == NULL ? argv[0] : name + 1;
	if (strcmp(name, "tcpserverd") != 0)
		classic_main(argc, argv);
	if (argc == 3 && strcmp(argv[1], "-P") == 0)
		role_main(argc, argv);
	daemon_main(argc, argv);
}
