/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Puts a copying process beside a program.  The program keeps the process
 * that was started, and so its process number, its exit status and the
 * signals that are meant for it; the copier is its child.
 */
#include <sys/types.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define PIPE_READ	0
#define PIPE_WRITE	1

static __dead void
copier_die(const char *name, const char *what, const char *prog, int error)
{
	(void)dprintf(STDERR_FILENO, "%s: fatal: %s%s: %s\n", name, what,
	    prog, ucspi_strerror(error));
	_exit(UCSPI_EXIT_TEMPORARY);
}

static void
copier_pipe(const char *name, int pipes[2])
{
	if (stream_pipe(pipes) == -1)
		copier_die(name, "unable to create pipe", "", errno);
}

void
copier_start(const char *name, char **argv, const struct copier_way *down,
    const struct copier_way *up)
{
	int	from[2], to[2];

	copier_pipe(name, to);
	copier_pipe(name, from);
	switch (fork()) {
	case -1:
		copier_die(name, "unable to fork", "", errno);
	case 0:
		(void)close(to[PIPE_READ]);
		(void)close(from[PIPE_WRITE]);
		(void)signal(SIGPIPE, SIG_IGN);
		relay_run(to[PIPE_WRITE], from[PIPE_READ], down, up);
		_exit(0);
	}
	if (dup2(to[PIPE_READ], STDIN_FILENO) == -1 ||
	    dup2(from[PIPE_WRITE], STDOUT_FILENO) == -1)
		copier_die(name, "unable to move descriptors", "", errno);
	copier_die(name, "unable to run ", argv[0],
	    ucspi_path_run(argv[0], argv));
}
