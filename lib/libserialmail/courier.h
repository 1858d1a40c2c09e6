/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What serialsmtp and serialqmtp do: names of messages on descriptor 0, a
 * result record for each on descriptor 1, a server on 6 and 7.
 */
#ifndef COURIER_H
#define COURIER_H

#include "delivery.h"

#define COURIER_RECORD_TEXT_MAX	4096	/* octets of a record's text */
#define COURIER_RECORD_SEVERAL_MAX	32768	/* with several recipients */

/*
 * courier_run: delivers what it is told to, for recipients whose address
 * begins with prefix, and frees the delivery.  program is the name that begins
 * its lines on standard error.  Returns the program's exit code: 0 when all
 * names were read and the server had its say about each, or 111.
 */
int	courier_run(const char *, struct delivery *, const char *);

#endif
