/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * FreeBSD: capability mode (capsicum(4)), with what it leaves taken away as
 * far as limits can: to read from descriptor 0 and write to 1 and 2 is all
 * that can be done to them, and for others than root there is no process
 * more.
 */
#include <sys/types.h>
#include <sys/capsicum.h>
#include <sys/resource.h>

#include <errno.h>
#include <unistd.h>

#include "sandbox.h"

/* A descriptor that is not open needs no limit. */
static int
descriptor_limit(int fd, const cap_rights_t *rights)
{
	if (cap_rights_limit(fd, rights) == -1 && errno != EBADF)
		return (-1);
	return (0);
}

int
sandbox_conversation(void)
{
	const struct rlimit	none = { 0, 0 };
	cap_rights_t		input, output;

	cap_rights_init(&input, CAP_READ);
	cap_rights_init(&output, CAP_WRITE);
	if (descriptor_limit(STDIN_FILENO, &input) == -1 ||
	    descriptor_limit(STDOUT_FILENO, &output) == -1 ||
	    descriptor_limit(STDERR_FILENO, &output) == -1 ||
	    setrlimit(RLIMIT_NPROC, &none) == -1)
		return (-1);
	return (cap_enter());
}
