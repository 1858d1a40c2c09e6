/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * delcr: standard input to standard output, without one CR directly before
 * each LF.
 */
#include <unistd.h>

#include "ucspi.h"
#include "ucspi_stream.h"

int
main(void)
{
	if (stream_filter(STDIN_FILENO, STDOUT_FILENO, crlf_drop) == -1)
		return (UCSPI_EXIT_TEMPORARY);
	return (0);
}
