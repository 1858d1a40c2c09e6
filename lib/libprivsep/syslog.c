/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The way to syslogd(8): its datagram socket in the file system.  Descriptor
 * 2 of the parent, of its children and of the programs is one and the same
 * socket: the parent, which alone can reach the path, connects it again
 * after syslogd was started anew, and all are heard again.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "privsep.h"

static struct sockaddr_un	syslogd;

static int
syslogd_address(const char *path)
{
	memset(&syslogd, 0, sizeof(syslogd));
	syslogd.sun_family = AF_UNIX;
	if (strlcpy(syslogd.sun_path, path, sizeof(syslogd.sun_path)) >=
	    sizeof(syslogd.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

static int
syslogd_connect(int fd)
{
	return (connect(fd, (struct sockaddr *)&syslogd, sizeof(syslogd)));
}

int
log_syslog_open(const char *path)
{
	int	fd, saved, heard;

	if (syslogd_address(path == NULL ? log_syslog_path : path) == -1 ||
	    (fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return (-1);
	heard = syslogd_connect(fd) == 0;
	saved = errno;
	if (dup2(fd, STDERR_FILENO) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	close(fd);
	errno = saved;
	return (heard ? 0 : 1);
}

int
log_syslog_reopen(void)
{
	return (syslogd_connect(STDERR_FILENO));
}

int
log_syslog_socket_send(const char *text, size_t len)
{
	ssize_t	n;

	do
		n = send(STDERR_FILENO, text, len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return (n == -1 ? -1 : 0);
}

/* What each of the systems says of a peer that is not there any more. */
int
log_syslog_gone(int errnum)
{
	return (errnum == ECONNREFUSED || errnum == ECONNRESET ||
	    errnum == ENOTCONN || errnum == EDESTADDRREQ ||
	    errnum == ENOENT || errnum == EPIPE);
}
