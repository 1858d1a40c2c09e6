/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The daemon's configuration put in force, at the start and later.
 */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include "daemon.h"

typedef void configure_report(const char *, void *);

/*
 * configure_apply: makes the running services what the configuration says:
 * all of it or, after report was told why, nothing (-1).  The configuration
 * is then its own; the one before is freed.  It may be given the one that is
 * in force, when the flags of a service (paused, drained) have changed.
 * configure_reload: the file is read again and applied.
 * configure_again: what is in force is applied again.
 * configure_setup: what the engine is told that is about no service.
 */
int	configure_apply(struct daemon_conf *, configure_report *, void *);
int	configure_reload(configure_report *, void *);
int	configure_again(configure_report *, void *);
extern struct engine_setup	 configure_setup;

/* What the command line said that reloading must keep. */
struct configure_options {
	char	*conf_path;
	char	**defines;		/* of -D, NULL-terminated */
	char	*control_path;		/* of -s; NULL: the file's */
};

extern struct configure_options	configure_options;

/* daemon.c: reloads, and tells the log and the service manager of it. */
int	daemon_reload(configure_report *, void *);
__dead void	daemon_main(int, char **);

/* orders.c: what tcpserverctl wants done. */
void	order_carry_out(const struct control_order *);

/* sockets.c: the daemon's own sockets, with names, in config.sockets. */

/*
 * sockets_make: those of the configuration that are not in force yet, in
 * fds[SOCKET_EVENT + 1] (-1: stays, or there is none); -1 after report was
 * told why (another daemon answers there, for example): what was made is
 * then still to be undone.  A name that nobody answers at any more is taken
 * over.
 * sockets_take: they are in force now; those that are not in the
 * configuration go, those that stay get their owner.
 * sockets_end: all go, with their names.
 */
int	sockets_make(const struct daemon_conf *, int *, configure_report *,
	    void *);
void	sockets_undo(const struct daemon_conf *, const int *);
void	sockets_take(const struct daemon_conf *, const int *);
void	sockets_end(void);

#endif
