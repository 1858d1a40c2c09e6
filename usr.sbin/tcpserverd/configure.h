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
 * configure_current: what is in force.
 * configure_setup: what the engine is told that is about no service.
 * configure_end: removes the sockets that have names.
 */
int	configure_apply(struct daemon_conf *, configure_report *, void *);
int	configure_reload(configure_report *, void *);
int	configure_again(configure_report *, void *);
const struct daemon_conf	*configure_current(void);
extern struct engine_setup	 configure_setup;
void	configure_end(void);

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

/* sockets.c: the daemon's own sockets, with names. */

/*
 * socket_open: a listening socket of that name, mode and owner; -1 after
 * report was told why (another daemon answers there, for example).  A name
 * that nobody answers at any more is taken over.
 */
int	socket_open(const char *, mode_t, uid_t, gid_t, configure_report *,
	    void *);

#endif
