/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * mconnect-io: a person at a connection that ends its lines with CR LF.  A
 * child takes what is typed to the server, this process takes what the
 * server says to standard output, and ends both when the server does.
 *
 * Neither stops at what can't be written: the server's end decides.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define SERVER_READ	6
#define SERVER_WRITE	7

static __dead void
die(const char *what)
{
	(void)dprintf(STDERR_FILENO, "mconnect-io: fatal: %s: %s\n", what,
	    ucspi_strerror(errno));
	_exit(UCSPI_EXIT_TEMPORARY);
}

static __dead void
typed_copy(void)
{
	static char	block[STREAM_BLOCK_SIZE];
	static char	made[2 * STREAM_BLOCK_SIZE];
	ssize_t		n;
	size_t		len;
	int		state = 0;

	while ((n = stream_read(STDIN_FILENO, block, sizeof(block))) > 0) {
		len = crlf_add(&state, made, block, (size_t)n);
		(void)stream_write(SERVER_WRITE, made, len);
	}
	_exit(0);
}

static void
said_copy(void)
{
	static char	block[STREAM_BLOCK_SIZE];
	ssize_t		n;

	while ((n = stream_read(SERVER_READ, block, sizeof(block))) > 0)
		(void)stream_write(STDOUT_FILENO, block, (size_t)n);
}

int
main(void)
{
	pid_t	pid;

	(void)signal(SIGPIPE, SIG_IGN);
	switch (pid = fork()) {
	case -1:
		die("unable to fork");
	case 0:
		typed_copy();
	}
	said_copy();
	(void)kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	return (0);
}
