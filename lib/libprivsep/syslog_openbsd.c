/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * OpenBSD: sendsyslog(2) needs no descriptor and no path.  While syslogd(8)
 * is not there the kernel keeps lines for it, and counts those it could not
 * keep: a line that was handed over is never ours to send again.
 *
 * The programs have no such call on their descriptor 2: theirs is the socket
 * that syslogd has in the file system, where it has one.
 */
#include <sys/types.h>
#include <sys/syslog.h>

#include "privsep.h"

const char log_syslog_path[] = "/dev/log";

int
log_syslog_send(const char *text, size_t len)
{
	(void)sendsyslog(text, len, 0);
	return (0);
}
