/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * OpenBSD: login classes, setusercontext(3).
 */
#include <sys/types.h>

#include <errno.h>
#include <login_cap.h>
#include <stdlib.h>
#include <string.h>

#include "launcher.h"

#define WHAT	(LOGIN_SETRESOURCES | LOGIN_SETPRIORITY | LOGIN_SETUMASK)

int
login_class_apply(const char *name, uid_t uid)
{
	login_cap_t	*class;
	char		*copy;
	int		 n;

	if ((copy = strdup(name)) == NULL)
		return (-1);
	class = login_getclass(copy);
	free(copy);
	if (class == NULL) {
		errno = ENOENT;
		return (-1);
	}
	n = setusercontext(class, NULL, uid, WHAT);
	login_close(class);
	return (n);
}
