/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * serialqmtp: sends messages of a Maildir to a QMTP server, over the one
 * connection it finds on descriptors 6 and 7.
 *
 * It is told file names on descriptor 0 and tells what became of each on
 * descriptor 1; it removes nothing.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "compat.h"
#include "courier.h"
#include "qmtp.h"
#include "ucspi.h"
#include "ucspi_connect.h"

static __dead void
usage(void)
{
	fputs("serialqmtp: usage: serialqmtp prefix\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

int
main(int argc, char *argv[])
{
	struct ucspi_option	 option;
	struct delivery		*delivery;

	ucspi_option_init(&option, argv, "");
	if (ucspi_option_next(&option) != -1 || argc - option.ind < 1)
		usage();
	if ((delivery = qmtp_new(NULL, deadline_now())) == NULL)
		errx(UCSPI_EXIT_TEMPORARY, "fatal: out of memory");
	return (courier_run("serialqmtp", delivery, argv[option.ind]));
}
