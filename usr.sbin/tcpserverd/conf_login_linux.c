/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux has no login classes.
 */
#include "conf_build.h"

const char *
conf_login_check(const char *name)
{
	return ("this system has no login classes");
}
