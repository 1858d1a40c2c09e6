/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * NetBSD keeps a saved identity but has no call that names all three.  Its
 * setuid(2) and setgid(2) set all three, so equal ids are what is offered.
 */
#include <sys/types.h>

#include <errno.h>
#include <unistd.h>

#include "compat.h"

int
setresgid(gid_t real, gid_t effective, gid_t saved)
{
	if (real != effective || real != saved) {
		errno = EINVAL;
		return (-1);
	}
	return (setgid(real));
}

int
setresuid(uid_t real, uid_t effective, uid_t saved)
{
	if (real != effective || real != saved) {
		errno = EINVAL;
		return (-1);
	}
	return (setuid(real));
}
