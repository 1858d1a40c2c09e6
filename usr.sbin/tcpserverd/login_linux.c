/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux has no login classes.
 */
#include <errno.h>

#include "launcher.h"

int
login_class_apply(const char *name, uid_t uid)
{
	errno = ENOTSUP;
	return (-1);
}
