/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * maildirmake: makes an empty Maildir that nobody but its owner may look
 * into.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "ucspi.h"

#define MAILDIR_MODE	0700

static __dead void
usage(void)
{
	fputs("maildirmake: usage: maildirmake dir\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

static __dead void
die(const char *doing, const char *dir, const char *sub)
{
	fprintf(stderr, "maildirmake: fatal: unable to %s %s%s%s: %s\n", doing,
	    dir, *sub == '\0' ? "" : "/", sub, ucspi_strerror(errno));
	exit(UCSPI_EXIT_TEMPORARY);
}

int
main(int argc, char *argv[])
{
	static const char	*const subs[] = { "tmp", "new", "cur" };
	size_t			 i;

	if (argc == 3 && strcmp(argv[1], "--") == 0) {
		argv++;
		argc--;
	}
	if (argc != 2 || argv[1][0] == '\0' || argv[1][0] == '-')
		usage();
	umask(077);
	if (mkdir(argv[1], MAILDIR_MODE) == -1)
		die("mkdir", argv[1], "");
	if (chdir(argv[1]) == -1)
		die("chdir to", argv[1], "");
	for (i = 0; i < nitems(subs); i++) {
		if (mkdir(subs[i], MAILDIR_MODE) == -1)
			die("mkdir", argv[1], subs[i]);
	}
	return (0);
}
