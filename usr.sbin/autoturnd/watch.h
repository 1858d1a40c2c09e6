/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What watch.c, which knows names, and watch_SYSTEM.c, which knows numbers,
 * say to each other.
 */
#ifndef WATCH_H
#define WATCH_H

/*
 * watch_system_init: before the sandbox and the loop: how many can be, 0:
 * none.  Called again it says what it said.
 * watch_system_add: begins to watch new/ of the Maildir, a directory and no
 * symbolic link; returns a number, or -1 with errno.  Its first call is in
 * the loop.  watch_system_remove: ends that.
 * watch_changed: something came to the one of this number; -1: to anybody.
 * watch_ended: the system has ended it, its directory is gone.
 */
int	watch_system_init(void);
int	watch_system_add(const char *);
void	watch_system_remove(int);
void	watch_changed(int);
void	watch_ended(int);

#endif
