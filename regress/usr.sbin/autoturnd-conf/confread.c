/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * confread [-v] [-D name=value] file: loads a autoturnd.conf as the daemon
 * does with -n, prints what it says of it, and with -v the configuration.
 */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat.h"
#include "settings.h"

#define DEFINES_MAX	16

static void
report(const char *line, void *arg)
{
	puts(line);
	(*(int *)arg)++;
}

static __dead void
usage(void)
{
	fputs("usage: confread [-v] [-D name=value] file\n", stderr);
	exit(100);
}

int
main(int argc, char **argv)
{
	struct autoturnd_conf	*conf;
	char			*defines[DEFINES_MAX + 1];
	int			 ch, print = 0, n = 0, lines = 0;

	while ((ch = getopt(argc, argv, "D:v")) != -1)
		if (ch == 'v')
			print = 1;
		else if (ch == 'D' && n < DEFINES_MAX)
			defines[n++] = optarg;
		else
			usage();
	defines[n] = NULL;
	if (argc - optind != 1)
		usage();
	conf = autoturnd_conf_load(argv[optind], defines, report, &lines);
	if (conf == NULL)
		return (lines > 0 ? 1 : 2);
	if (print)
		autoturnd_conf_print(stdout, conf);
	autoturnd_conf_free(conf);
	return (0);
}
