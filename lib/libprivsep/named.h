/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A daemon's local sockets that have a name in the file system.
 */
#ifndef NAMED_H
#define NAMED_H

#include <sys/types.h>
#include <sys/stat.h>

/* Zeroes before the first use. */
struct named {
	char		*path;		/* NULL: there is none */
	int		 fd;		/* with path */
	struct stat	 st;		/* of the name, when it was ours */
	uid_t		 uid;		/* -1: our own */
	gid_t		 gid;
};

/*
 * named_open: makes a socket of this type (SOCK_STREAM, SOCK_DGRAM), close-
 * on-exec, non-blocking, with this name, mode, owner (-1: our own) and group,
 * listening if it is a stream.  A name that nobody answers at any more is
 * taken over.  Returns it, or -1 with errno: EADDRINUSE: another process
 * answers there; EEXIST: it is no socket.
 * named_take: it is in force now; path is copied.  0, or -1 with errno.
 * named_owner_change: one that stays is somebody else's from now on.
 * named_forget: closes it and removes its name, if that still is what was
 * put there.  Harmless on zeroes.
 */
int	named_open(const char *, int, mode_t, uid_t, gid_t);
int	named_take(struct named *, const char *, int, uid_t, gid_t);
int	named_owner_change(struct named *, uid_t, gid_t);
void	named_forget(struct named *);

#endif
