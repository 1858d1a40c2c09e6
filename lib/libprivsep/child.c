/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Starting a process of ours: by fork and exec, so that nothing of the
 * parent's memory and none of its descriptors but the channel come along.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "privsep.h"

extern char **environ;

int
privsep_fd_nothing(void)
{
	int	fd, p[2];

	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1)
		return (fd);
	/* A bare chroot has no /dev/null; a pipe nobody writes does as well. */
	if (pipe2(p, O_CLOEXEC) == -1)
		return (-1);
	close(p[1]);
	return (p[0]);
}

int
privsep_fds_open(void)
{
	int	fd;

	do {
		if ((fd = privsep_fd_nothing()) == -1)
			return (-1);
		if (fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == -1)
			return (-1);
	} while (fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	return (0);
}

/*
 * What the parent itself changed goes back to the default; what was ignored
 * when it was started (nohup(1)) stays so, for the programs too.
 */
static void
child_signals(void)
{
	static const int	changed[] = { SIGCHLD, SIGPIPE, SIGTERM };
	struct sigaction	sa = { .sa_handler = SIG_DFL };
	sigset_t		none;
	size_t			i;

	for (i = 0; i < nitems(changed); i++)
		sigaction(changed[i], &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* dup2(2), and open after execve(2) also if it was there before. */
static int
child_fd_place(int from, int to)
{
	if (from == to)
		return (fcntl(to, F_SETFD, 0));
	return (dup2(from, to));
}

int
privsep_fds_nothing(void)
{
	int	nothing;

	if ((nothing = privsep_fd_nothing()) == -1 ||
	    child_fd_place(nothing, STDIN_FILENO) == -1 ||
	    child_fd_place(nothing, STDOUT_FILENO) == -1)
		return (-1);
	if (nothing > STDOUT_FILENO)
		close(nothing);
	return (0);
}

/* In the child: channel on PRIVSEP_FD, nothing on 0 and 1. */
static int
child_fds(int fd)
{
	if (child_fd_place(fd, PRIVSEP_FD) == -1 ||
	    privsep_fds_nothing() == -1)
		return (-1);
	closefrom(PRIVSEP_FD + 1);
	return (0);
}

pid_t
privsep_exec(const char *path, char *const argv[], int *fdp)
{
	int	sv[2], flags;
	pid_t	pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return (-1);
	if ((flags = fcntl(sv[0], F_GETFL)) == -1 ||
	    fcntl(sv[0], F_SETFL, flags | O_NONBLOCK) == -1 ||
	    (pid = fork()) == -1) {
		close(sv[0]);
		close(sv[1]);
		return (-1);
	}
	if (pid == 0) {
		child_signals();
		if (child_fds(sv[1]) == -1)
			fatal("descriptors of %s", path);
		execve(path, argv, environ);
		fatal("unable to run %s", path);
	}
	close(sv[1]);
	*fdp = sv[0];
	return (pid);
}
