/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The file with our pid, locked as long as we live: as FreeBSD's pidfile(3)
 * does it, but the same on every system (the libraries differ, and their
 * names are taken).
 */
#ifndef PIDFILE_H
#define PIDFILE_H

#include <sys/types.h>

/*
 * pidlock_open: opens and locks path, which is made if need be and stays as
 * it is; before going into the background, since only then is there someone
 * to complain to.  The lock goes with the descriptor over fork(2), not over
 * exec.  0, or -1 with errno; EEXIST: another process has it, *other is its
 * pid or -1 where it has not written that yet.
 * pidlock_write: puts the pid of the caller in; after going into the
 * background.  0, or -1 with errno.
 * pidlock_remove: removes the file, if it is still the one that was opened,
 * and gives up the lock.  Harmless without a pidlock_open before.
 * pidlock_abandon: gives up the descriptor only, for a process that leaves
 * the rest to the child it made.
 */
int	pidlock_open(const char *, pid_t *);
int	pidlock_write(void);
void	pidlock_remove(void);
void	pidlock_abandon(void);

#endif
