/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * importread file: what "tcpserverctl import" does.
 */
#include <stdio.h>

#include "import.h"

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: importread file\n", stderr);
		return (100);
	}
	return (import_file(argv[1], stdout, stderr));
}
