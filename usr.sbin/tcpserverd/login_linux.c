/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux has no login classes.
 */
#include <errno.h>

#include "login.h"

const char *
login_class_check(const char *name)
{
	return ("this system has no login classes");
}

int
login_class_apply(const char *name, uid_t uid)
{
	errno = ENOTSUP;
	return (-1);
}
