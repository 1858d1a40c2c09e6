/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Where things of a spool are that are not in it: told from the spool's path
 * alone, so that a delivery agent finds the daemon without being configured.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stddef.h>

/*
 * spool_name: one file name for an absolute path, for each its own: the
 * slashes are hyphens, "%" and hyphens are "%25" and "%2d".  Slashes that
 * mean nothing are left out; "." and ".." are not resolved.
 * spool_state_path: the spool's directory below the state directory.
 * spool_poke_path: the datagram socket below it by which the daemon is told
 * that there is new mail; each datagram is the name of a Maildir.
 * All: 0, or -1 with errno: EINVAL: the path is not absolute, is "/" or has
 * a component "." or ".."; ENAMETOOLONG.
 */
int	spool_name(const char *, char *, size_t);
int	spool_state_path(const char *, const char *, char *, size_t);
int	spool_poke_path(const char *, const char *, char *, size_t);

#endif
