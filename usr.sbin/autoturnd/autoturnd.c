/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * One binary: the daemon, whose parent this becomes, and with -P ROLE one of
 * its children.
 */
#include <stdlib.h>
#include <string.h>

#include "parent.h"

extern char **environ;

static const struct role {
	const char	*name;
	__dead void	(*enter)(void);
} roles[] = {
	{ "queue",	queue_main },
	{ "relay",	relay_main },
	{ "mailer",	mailer_main }
};

/* The title's making moves argv: what is needed of it is looked at before. */
static __dead void
role_main(int argc, char **argv)
{
	size_t	i;

	for (i = 0; i < nitems(roles); i++)
		if (strcmp(argv[2], roles[i].name) == 0)
			break;
	if (i == nitems(roles))
		exit(UCSPI_EXIT_USAGE);
	compat_proctitle_init(argc, argv, environ);
	roles[i].enter();
	abort();
}

int
main(int argc, char **argv)
{
	if (argc == 0)
		exit(UCSPI_EXIT_USAGE);
	if (argc == 3 && strcmp(argv[1], "-P") == 0)
		role_main(argc, argv);
	daemon_main(argc, argv);
}
