/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * serialsmtp: sends messages of a Maildir to an SMTP server, over the one
 * connection it finds on descriptors 6 and 7.
 *
 * It is told file names on descriptor 0 and tells what became of each on
 * descriptor 1; it removes nothing.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "compat.h"
#include "courier.h"
#include "smtp.h"
#include "ucspi.h"
#include "ucspi_connect.h"

static __dead void
usage(void)
{
	fputs("serialsmtp: usage: serialsmtp prefix helohost\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

int
main(int argc, char *argv[])
{
	struct smtp_config	 config = { NULL, 0, NULL };
	struct ucspi_option	 option;
	struct delivery		*delivery;

	ucspi_option_init(&option, argv, "");
	if (ucspi_option_next(&option) != -1 || argc - option.ind < 2)
		usage();
	config.hello = argv[option.ind + 1];
	delivery = smtp_new(&config, deadline_now());
	if (delivery == NULL && errno == EINVAL)
		errx(UCSPI_EXIT_USAGE, "fatal: helohost: not one word");
	if (delivery == NULL)
		errx(UCSPI_EXIT_TEMPORARY, "fatal: out of memory");
	return (courier_run("serialsmtp", delivery, argv[option.ind]));
}
