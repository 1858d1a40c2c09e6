/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * FreeBSD: syslogd(8) is reached through its socket only.
 */
#include "privsep.h"

const char log_syslog_path[] = "/var/run/log";

int
log_syslog_send(const char *text, size_t len)
{
	return (log_syslog_socket_send(text, len));
}
