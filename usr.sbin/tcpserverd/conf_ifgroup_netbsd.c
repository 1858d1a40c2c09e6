/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * NetBSD has no groups of interfaces.
 */
#include "conf_build.h"

int
conf_ifgroup_has(const char *group, const char *interface)
{
	return (-1);
}
