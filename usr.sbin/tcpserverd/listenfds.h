/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Listening sockets that a service manager opened for us and hands over:
 * sd_listen_fds(3)'s protocol.
 */
#ifndef LISTENFDS_H
#define LISTENFDS_H

#include <stdint.h>

#include "ucspi.h"

#define LISTENFDS_MAX		64
#define LISTENFDS_COVERED	(-2)

/*
 * listenfds_init: takes LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES out of the
 * environment and the descriptors from 3 on that they speak of, if LISTEN_PID
 * is us; early in main, before a descriptor is opened, before fork(2) and
 * setproctitle(3).  All become close-on-exec and non-blocking; what is no
 * listening TCP socket is closed and named in the log.  Returns how many
 * were good.
 *
 * listenfds_take: the inherited socket that listens on that address and
 * port, which is then the caller's, or -1 when there is none.  An IPv6
 * socket for "::" that takes IPv4 as well (systemd's default) does so for
 * 0.0.0.0 too: once it was taken, asking for that gives LISTENFDS_COVERED,
 * and nothing more is to be bound.  So ask for the IPv6 address first.
 *
 * listenfds_close: closes those that nobody took and names them in the log.
 */
int	listenfds_init(void);
int	listenfds_take(const struct netaddr *, uint16_t);
void	listenfds_close(void);

#endif
