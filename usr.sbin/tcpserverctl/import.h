/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "tcpserverctl import FILE": a tcpserverd.conf from what came before it.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <stdio.h>

/*
 * import_file: reads a run or init script with tcpserver command lines, or
 * an inetd.conf (which of them it is, its lines tell), and prints to the
 * first stream a tcpserverd.conf that the daemon accepts on this host.  A
 * service of which something essential is not known or not here (program,
 * address, port, rules) is printed as a comment.  To the second stream goes
 * a line "FILE:LINE: what: why" for each thing that could not be carried
 * over.  Nothing of the file is executed; a file that it reads with ".", and
 * those it asks "cat", "head" and "envdir" for, are read.
 *
 * Returns 0; 1: something was not carried over; 2: it could not be read, or
 * there is no service in it.
 */
int	import_file(const char *, FILE *, FILE *);

#endif
