/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who a child is to be: what a parent puts into its hello.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <sys/types.h>

#include "privsep.h"

/* Where there is no user database at all. */
#define IDENTITY_NOBODY_UID	65534
#define IDENTITY_NOBODY_GID	65534

struct identity_user {
	uid_t	uid;
	gid_t	gid;
};

/*
 * identity_user_find: a user by name, asked in a process of its own, so that
 * no name service is loaded into a parent that is root.  1, or 0: unknown.
 * identity_begin: a hello of this build, with the daemon's name, and nothing
 * given up.
 * identity_confine: uid and gid that nobody asked for by name: what the
 * kernel does not let root give up is left out.
 * identity_chroot: to path, if that is a directory that nobody but root can
 * fill.
 * identity_groups: those of a log-in as hello's uid, beside its gid; nothing
 * unless we are root.
 */
int	identity_user_find(const char *, struct identity_user *);
void	identity_begin(struct privsep_hello *, const char *);
void	identity_confine(struct privsep_hello *, uid_t, gid_t);
void	identity_chroot(struct privsep_hello *, const char *);
void	identity_groups(struct privsep_hello *);

#endif
