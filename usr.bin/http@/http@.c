/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * http@: asks a web server for one thing and prints it, without the header.
 * tcpclient makes the connection; addcr and delcr, which it runs, see to the
 * ends of lines.  Nothing of what the server sends is kept: lines and answers
 * may be endless.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define CLIENT		BINDIR "/tcpclient"
/* The whole request is read before anything is answered. */
#define TALK		BINDIR "/addcr >&7; exec " BINDIR "/delcr <&6"

extern char	**environ;

/* Where in the answer we are. */
enum place {
	HEADER_START,	/* of a line in the header */
	HEADER_LINE,
	BODY_START,	/* of a line in the body */
	BODY_LINE
};

static __dead void
die(const char *what, int error)
{
	fprintf(stderr, "http@: fatal: %s: %s\n", what,
	    ucspi_strerror(error));
	exit(UCSPI_EXIT_TEMPORARY);
}

static __dead void
client_run(char *host, char *port, int request, int answer)
{
	char	 name[] = "tcpclient", options[] = "-RHl0", end[] = "--";
	char	 shell[] = "sh", flag[] = "-c", talk[] = TALK;
	char	*argv[] = {
		name, options, end, host, port, shell, flag, talk, NULL
	};

	if (dup2(request, STDIN_FILENO) == -1 ||
	    dup2(answer, STDOUT_FILENO) == -1)
		die("unable to move descriptors", errno);
	(void)execve(CLIENT, argv, environ);
	die("unable to run " CLIENT, errno);
}

/* Starts the client; the descriptors to ask and to hear it by. */
static pid_t
client_start(char *host, char *port, int *request, int *answer)
{
	int	from[2], to[2];
	pid_t	pid;

	if (stream_pipe(to) == -1 || stream_pipe(from) == -1)
		die("unable to create pipe", errno);
	switch (pid = fork()) {
	case -1:
		die("unable to fork", errno);
	case 0:
		client_run(host, port, to[0], from[1]);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	*request = to[1];
	*answer = from[0];
	return (pid);
}

/*
 * A client that has failed does not read, and says why itself: it is no
 * error here.
 */
static void
request_write(int fd, const char *host, const char *path, const char *port)
{
	void	(*old)(int);

	old = signal(SIGPIPE, SIG_IGN);
	(void)dprintf(fd, "GET /%s HTTP/1.0\nHost: %s:%s\n\n", path, host,
	    port);
	(void)close(fd);
	(void)signal(SIGPIPE, old);
}

/* Passes over what belongs to the header; returns what comes after it. */
static const char *
header_skip(enum place *place, const char *p, const char *end)
{
	while (p < end && *place < BODY_START) {
		if (*p == '\n') {
			*place = *place == HEADER_START ? BODY_START :
			    HEADER_START;
			p++;
			continue;
		}
		*place = HEADER_LINE;
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			p = end;
	}
	return (p);
}

static void
output_write(const char *data, size_t len)
{
	if (stream_write(STDOUT_FILENO, data, len) == -1)
		die("unable to write output", errno);
}

static void
answer_print(int fd)
{
	static char	 block[STREAM_BLOCK_SIZE];
	const char	*end, *p;
	enum place	 place = HEADER_START;
	ssize_t		 n;

	while ((n = stream_read(fd, block, sizeof(block))) > 0) {
		end = block + n;
		p = header_skip(&place, block, end);
		if (p == end)
			continue;
		output_write(p, (size_t)(end - p));
		place = end[-1] == '\n' ? BODY_START : BODY_LINE;
	}
	if (place == BODY_LINE)
		output_write("\n", 1);
}

int
main(int argc, char *argv[])
{
	static char	 no_host[] = "0", no_path[] = "", no_port[] = "80";
	char		*host, *path, *port;
	pid_t		 pid;
	int		 answer, request;

	host = argc > 1 ? argv[1] : no_host;
	path = argc > 2 ? argv[2] : no_path;
	port = argc > 3 ? argv[3] : no_port;
	pid = client_start(host, port, &request, &answer);
	request_write(request, host, path, port);
	answer_print(answer);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	return (0);
}
