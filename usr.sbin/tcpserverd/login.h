/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Login classes, login.conf(5): the three BSDs have them, login_bsd.c, and
 * Linux has none, login_linux.c.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include <sys/types.h>

/*
 * login_class_check: NULL: there is such a class; else why not.
 * login_class_apply: the limits, priority and umask of a class become ours;
 * as root, before anything is given up.  0, or -1 with errno; ENOTSUP: this
 * system has none.  setusercontext(3).
 */
const char	*login_class_check(const char *);
int		 login_class_apply(const char *, uid_t);

#endif
