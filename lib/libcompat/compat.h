/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a system may lack, declared once.  Sources include this after the
 * system's headers and need no #if of their own.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <sys/types.h>

#ifndef __dead
#define __dead		__attribute__((__noreturn__))
#endif

#ifndef nitems
#define nitems(a)	(sizeof((a)) / sizeof((a)[0]))
#endif

/*
 * compat_proctitle_init: must be the first statement of a main() that calls
 * setproctitle(3); it may move argv and environ (libbsd), or do nothing
 * (the BSDs).  One file per system: proctitle_SYSTEM.c.
 */
void	compat_proctitle_init(int, char **, char **);

/*
 * setresgid, setresuid: as the other systems have them, on NetBSD with three
 * equal ids only (EINVAL otherwise).
 */
int	setresgid(gid_t, gid_t, gid_t);
int	setresuid(uid_t, uid_t, uid_t);

#endif
