/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Into the background, with someone left behind who tells the caller whether
 * the start succeeded.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "background.h"
#include "compat.h"
#include "ucspi.h"

static int	ready_pipe = -1;	/* who started us waits there */

/* Who started us leaves when everything runs, or with our exit code. */
static __dead void
starter_wait(const char *name, pid_t pid, int fd)
{
	char	byte;
	ssize_t	n;
	int	status;

	do
		n = read(fd, &byte, 1);
	while (n == -1 && errno == EINTR);
	if (n == 1)
		_exit(0);
	if (waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
		_exit(UCSPI_EXIT_TEMPORARY);
	fprintf(stderr, "%s: not started, see the log\n", name);
	_exit(WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) :
	    UCSPI_EXIT_TEMPORARY);
}

int
background_enter(const char *name, const char **what)
{
	int	fds[2];
	pid_t	pid;

	*what = "pipe";
	if (pipe2(fds, O_CLOEXEC) == -1)
		return (-1);
	*what = "fork";
	if ((pid = fork()) == -1)
		return (-1);
	if (pid != 0) {
		close(fds[1]);
		starter_wait(name, pid, fds[0]);
	}
	close(fds[0]);
	ready_pipe = fds[1];
	*what = "background";
	return (setsid() == -1 ? -1 : 0);
}

void
background_ready(void)
{
	if (ready_pipe == -1)
		return;
	(void)!write(ready_pipe, "", 1);
	close(ready_pipe);
	ready_pipe = -1;
}

char *
background_path(const char *path)
{
	char	*full, cwd[PATH_MAX];

	if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		return (strdup(path));
	if (asprintf(&full, "%s/%s", cwd, path) == -1)
		return (NULL);
	return (full);
}
