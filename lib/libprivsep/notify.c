/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * sd_notify(3)'s protocol: lines of NAME=VALUE in a datagram to the socket
 * that NOTIFY_SOCKET names.  A socket of its own for each message: the
 * manager may have been replaced since the last one.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notify.h"

#define NOTIFY_TEXT_SIZE	512
#define NOTIFY_WAIT_S		1

static struct sockaddr_un	manager;
static socklen_t		manager_len;	/* 0: there is none */

/*
 * "@name" is in Linux's name space without files: a NUL, the name, no NUL
 * after it.
 */
static int
address_parse(const char *name)
{
	size_t	len = strlen(name);

	if (name[0] != '/' && name[0] != '@') {
		errno = EAFNOSUPPORT;
		return (-1);
	}
	if (len < 2 || len >= sizeof(manager.sun_path)) {
		errno = len < 2 ? EINVAL : ENAMETOOLONG;
		return (-1);
	}
	memset(&manager, 0, sizeof(manager));
	manager.sun_family = AF_UNIX;
	memcpy(manager.sun_path, name, len);
	manager_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    len);
	if (name[0] == '@')
		manager.sun_path[0] = '\0';
	else
		manager_len++;
	return (0);
}

int
notify_init(void)
{
	const char	*name = getenv("NOTIFY_SOCKET");
	int		 error, ret;

	manager_len = 0;
	if (name == NULL || name[0] == '\0')
		return (0);
	ret = address_parse(name);
	error = errno;
	(void)unsetenv("NOTIFY_SOCKET");
	errno = error;
	return (ret);
}

/* A manager that does not read must not keep us: it has a second. */
static int
socket_open(void)
{
	struct timeval	tv = { NOTIFY_WAIT_S, 0 };
	int		fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return (fd);
}

static int
notify_send(const char *text)
{
	ssize_t	n;
	int	error, fd;

	if (manager_len == 0)
		return (0);
	if ((fd = socket_open()) == -1)
		return (-1);
	do
		n = sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		    (const struct sockaddr *)&manager, manager_len);
	while (n == -1 && errno == EINTR);
	error = errno;
	close(fd);
	errno = error;
	return (n == -1 ? -1 : 0);
}

/* A value ends at the end of its line. */
static int
notify_send_status(const char *before, const char *status)
{
	char	text[NOTIFY_TEXT_SIZE];

	snprintf(text, sizeof(text), "%sSTATUS=%.*s", before,
	    (int)strcspn(status, "\n"), status);
	return (notify_send(text));
}

int
notify_ready(const char *status)
{
	return (notify_send_status("READY=1\n", status));
}

int
notify_reloading(uint64_t monotonic_us)
{
	char	text[NOTIFY_TEXT_SIZE];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)monotonic_us);
	return (notify_send(text));
}

int
notify_stopping(void)
{
	return (notify_send("STOPPING=1"));
}

int
notify_status(const char *status)
{
	return (notify_send_status("", status));
}
