/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * FreeBSD: capability mode (capsicum(4)) for engine, queue and relay.  The
 * resolver has to connect(2), which capability mode has not, so it stays
 * outside and says so; what can be taken from it without that mode is.
 *
 * What the queue opens has the rights of the directory it is below, and
 * takes them along when it is passed on: reading by relay and the mailer's
 * program must be among them.
 *
 * Listening and client sockets get no limits: accept(2) hands a listener's
 * limits on to the connection, and that becomes the standard input of a
 * program.  Capability mode still has socket(2) and fork(2): a socket can
 * reach nobody there, and fork(2) is ruled out by a limit.
 */
#include <sys/types.h>
#include <sys/capsicum.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "sandbox.h"

/* Where a re-executed process finds its channel to the parent. */
#define CHANNEL_FILENO	3

static const char	*backend = "none";

/* A descriptor that is not open needs no limit. */
static int
descriptor_limit(int fd, const cap_rights_t *rights)
{
	if (cap_rights_limit(fd, rights) == -1 && errno != EBADF)
		return (-1);
	return (0);
}

static int
descriptors_limit(void)
{
	cap_rights_t	channel, input, output;

	cap_rights_init(&input, CAP_FSTAT, CAP_EVENT);
	cap_rights_init(&output, CAP_WRITE, CAP_FSTAT, CAP_EVENT, CAP_FCNTL);
	cap_rights_init(&channel, CAP_READ, CAP_WRITE, CAP_FSTAT, CAP_EVENT,
	    CAP_FCNTL, CAP_GETSOCKOPT, CAP_SETSOCKOPT, CAP_GETSOCKNAME,
	    CAP_GETPEERNAME, CAP_SHUTDOWN);
	if (descriptor_limit(STDIN_FILENO, &input) == -1 ||
	    descriptor_limit(STDOUT_FILENO, &output) == -1 ||
	    descriptor_limit(STDERR_FILENO, &output) == -1)
		return (-1);
	return (descriptor_limit(CHANNEL_FILENO, &channel));
}

/*
 * Same-uid processes (the programs a launcher starts) must not trace or
 * inspect this one.  execve(2) undoes it, so nothing is inherited.
 */
static int
untraceable_set(void)
{
	int	how = PROC_TRACE_CTL_DISABLE;

	return (procctl(P_PID, getpid(), PROC_TRACE_CTL, &how));
}

/* No more processes, and none with the rights of a set-uid program. */
static int
processes_limit(void)
{
	const struct rlimit	none = { 0, 0 };
	int			how = PROC_NO_NEW_PRIVS_ENABLE;

	if (setrlimit(RLIMIT_NPROC, &none) == -1)
		return (-1);
	return (procctl(P_PID, getpid(), PROC_NO_NEW_PRIVS_CTL, &how));
}

static int
confine(void)
{
	if (untraceable_set() == -1 || processes_limit() == -1)
		return (-1);
	return (descriptors_limit());
}

int
sandbox_engine(void)
{
	if (confine() == -1 || cap_enter() == -1)
		return (-1);
	backend = "capsicum";
	return (0);
}

int
sandbox_resolver(void)
{
	if (confine() == -1)
		return (-1);
	backend = "limits, outside capability mode";
	return (0);
}

static int
directory_limit(int fd)
{
	cap_rights_t	rights;

	cap_rights_init(&rights, CAP_LOOKUP, CAP_READ, CAP_WRITE, CAP_SEEK,
	    CAP_CREATE, CAP_FSTAT, CAP_FSTATAT, CAP_FSTATFS, CAP_UNLINKAT,
	    CAP_RENAMEAT_SOURCE, CAP_RENAMEAT_TARGET, CAP_LINKAT_SOURCE,
	    CAP_LINKAT_TARGET, CAP_MKDIRAT, CAP_FLOCK, CAP_FSYNC,
	    CAP_FTRUNCATE, CAP_FCNTL, CAP_EVENT, CAP_MMAP_R);
	return (cap_rights_limit(fd, &rights));
}

int
sandbox_queue(int spool, const char *spool_path, int state,
    const char *state_path)
{
	if (directory_limit(spool) == -1 || directory_limit(state) == -1)
		return (-1);
	return (sandbox_engine());
}

int
sandbox_relay(void)
{
	return (sandbox_engine());
}

int
sandbox_parent(void)
{
	if (untraceable_set() == -1)
		return (-1);
	backend = "untraceable";
	return (0);
}

int
sandbox_launcher(void)
{
	return (sandbox_parent());
}

int
sandbox_mailer(void)
{
	return (sandbox_parent());
}

const char *
sandbox_backend(void)
{
	return (backend);
}
