/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Login classes of FreeBSD, NetBSD and OpenBSD, which have the same calls.
 */
#include <sys/types.h>

#include <errno.h>
#include <login_cap.h>
#include <stdlib.h>
#include <string.h>

#include "login.h"

#define WHAT	(LOGIN_SETRESOURCES | LOGIN_SETPRIORITY | LOGIN_SETUMASK)

/*
 * login_getclass(3) wants a name that it may write to, and gives the class
 * "default" for one that is not there.  NULL with errno.
 */
static login_cap_t *
class_open(const char *name)
{
	login_cap_t	*class;
	char		*copy;

	if ((copy = strdup(name)) == NULL)
		return (NULL);
	class = login_getclass(copy);
	free(copy);
	if (class == NULL)
		errno = ENOENT;
	return (class);
}

const char *
login_class_check(const char *name)
{
	login_cap_t	*class;
	int		 same;

	if ((class = class_open(name)) == NULL)
		return (errno == ENOENT ? "unknown login class" :
		    strerror(errno));
	same = strcmp(class->lc_class, name) == 0;
	login_close(class);
	return (same ? NULL : "unknown login class");
}

int
login_class_apply(const char *name, uid_t uid)
{
	login_cap_t	*class;
	int		 n;

	if ((class = class_open(name)) == NULL)
		return (-1);
	n = setusercontext(class, NULL, uid, WHAT);
	login_close(class);
	return (n);
}
