/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Telling a service manager how far we are: sd_notify(3)'s protocol, spoken
 * by hand.  Without a manager that asked for it, all of this does nothing.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/*
 * notify_init: takes the socket's name from NOTIFY_SOCKET and the variable
 * out of the environment, so that no child speaks in our name; early in
 * main, before setproctitle(3) moves the environment.  0, also when there
 * is none; -1 with errno when it names no socket that we can reach
 * (EAFNOSUPPORT, ENAMETOOLONG): then it is as if there were none.
 *
 * The others send one datagram each (sd_notify(3): READY=1; RELOADING=1 with
 * MONOTONIC_USEC, after which READY=1 is due; STOPPING=1; STATUS=text of
 * one line).  The time is CLOCK_MONOTONIC's.  0, also when nobody asked; -1
 * with errno when the manager can't be told (after a second at most).
 */
int	notify_init(void);
int	notify_ready(const char *);
int	notify_reloading(uint64_t);
int	notify_stopping(void);
int	notify_status(const char *);

#endif
