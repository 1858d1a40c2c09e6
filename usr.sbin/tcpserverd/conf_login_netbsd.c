/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Login classes of NetBSD, login.conf(5).
 */
#include <sys/types.h>

#include <errno.h>
#include <login_cap.h>
#include <stdlib.h>
#include <string.h>

#include "conf_build.h"

/* login_getclass(3) gives the class "default" for one that is not there. */
const char *
conf_login_check(const char *name)
{
	login_cap_t	*class;
	char		*copy;
	int		 same;

	if ((copy = strdup(name)) == NULL)
		return (strerror(errno));
	class = login_getclass(copy);
	free(copy);
	if (class == NULL)
		return ("unknown login class");
	same = strcmp(class->lc_class, name) == 0;
	login_close(class);
	return (same ? NULL : "unknown login class");
}
