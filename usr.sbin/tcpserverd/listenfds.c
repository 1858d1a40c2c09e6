/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * sd_listen_fds(3)'s protocol: LISTEN_FDS descriptors from 3 on are ours if
 * LISTEN_PID is our pid; LISTEN_FDNAMES has a name for each, with colons
 * between.  Where they came from is not our business, but only a listening
 * TCP socket is of use.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listenfds.h"
#include "privsep.h"

#define LISTENFDS_FIRST		3
#define LISTENFDS_NAME_SIZE	64

struct inherited {
	int		fd;		/* -1: no good, or taken */
	int		both;		/* an IPv6 socket that takes IPv4 */
	int		taken;
	uint16_t	port;
	struct netaddr	addr;
	char		name[LISTENFDS_NAME_SIZE];
};

static struct inherited	inherited[LISTENFDS_MAX];
static int		inherited_len;

/* The manager's names are free text. */
static void
names_split(const char *names)
{
	size_t	len;
	int	i;

	for (i = 0; i < inherited_len; i++) {
		len = strcspn(names, ":");
		snprintf(inherited[i].name, sizeof(inherited[i].name), "%.*s",
		    len < INT_MAX ? (int)len : INT_MAX, names);
		if (len == 0)
			strlcpy(inherited[i].name, "unnamed",
			    sizeof(inherited[i].name));
		names += len;
		if (*names == ':')
			names++;
	}
}

static int
option_get(int fd, int level, int option)
{
	socklen_t	len = sizeof(int);
	int		value = 0;

	if (getsockopt(fd, level, option, &value, &len) == -1)
		return (-1);
	return (value);
}

/* NULL, or why it is of no use. */
static const char *
socket_check(struct inherited *in)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof(ss);
	int			flags;

	if ((flags = fcntl(in->fd, F_GETFL)) == -1)
		return ("not open");
	if (option_get(in->fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
	    option_get(in->fd, SOL_SOCKET, SO_ACCEPTCONN) != 1)
		return ("not a listening stream socket");
	memset(&ss, 0, sizeof(ss));
	if (getsockname(in->fd, (struct sockaddr *)&ss, &len) == -1 ||
	    netaddr_from_sockaddr(&in->addr, &in->port, &ss) == -1)
		return ("not a TCP socket");
	if (fcntl(in->fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(in->fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return ("its flags can't be set");
	in->both = in->addr.family == AF_INET6 &&
	    option_get(in->fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
	return (NULL);
}

static void
inherited_close(struct inherited *in, const char *why)
{
	log_warnx("LISTEN_FDS: descriptor %d (%s): %s, closed", in->fd,
	    in->name, why);
	close(in->fd);
	in->fd = -1;
}

/* All of the word is a number up to max, or -1. */
static long
number_get(const char *word, long max)
{
	char	*end;
	long	 n;

	errno = 0;
	n = strtol(word, &end, 10);
	if (word[0] < '0' || word[0] > '9' || *end != '\0' || errno != 0 ||
	    n > max)
		return (-1);
	return (n);
}

/* 0 when the variables are not there, not for us, or make no sense. */
static int
count_get(void)
{
	const char	*fds = getenv("LISTEN_FDS");
	const char	*pid = getenv("LISTEN_PID");
	long		 n;

	if (fds == NULL || pid == NULL ||
	    number_get(pid, INT_MAX) != (long)getpid())
		return (0);
	if ((n = number_get(fds, LISTENFDS_MAX)) == -1) {
		log_warnx("LISTEN_FDS: %s: not a number up to %d, no socket "
		    "is taken over", fds, LISTENFDS_MAX);
		return (0);
	}
	return ((int)n);
}

static void
environment_clear(void)
{
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_PIDFDID");
	(void)unsetenv("LISTEN_FDNAMES");
}

int
listenfds_init(void)
{
	const char	*names = getenv("LISTEN_FDNAMES"), *why;
	int		 good = 0, i;

	inherited_len = count_get();
	memset(inherited, 0, sizeof(inherited));
	names_split(names == NULL ? "" : names);
	for (i = 0; i < inherited_len; i++) {
		inherited[i].fd = LISTENFDS_FIRST + i;
		if ((why = socket_check(&inherited[i])) != NULL)
			inherited_close(&inherited[i], why);
		else
			good++;
	}
	environment_clear();
	return (good);
}

static int
covers(const struct inherited *in, const struct netaddr *addr, uint16_t port)
{
	static const struct netaddr	any4 = { .family = AF_INET };
	static const struct netaddr	any6 = { .family = AF_INET6 };

	return (in->both && in->taken && in->port == port &&
	    memcmp(addr, &any4, sizeof(any4)) == 0 &&
	    memcmp(&in->addr, &any6, sizeof(any6)) == 0);
}

int
listenfds_take(const struct netaddr *addr, uint16_t port)
{
	struct inherited	*in;
	int			 fd;

	for (in = inherited; in < inherited + inherited_len; in++) {
		if (in->fd == -1 || in->port != port ||
		    memcmp(&in->addr, addr, sizeof(*addr)) != 0)
			continue;
		fd = in->fd;
		in->fd = -1;
		in->taken = 1;
		return (fd);
	}
	for (in = inherited; in < inherited + inherited_len; in++)
		if (covers(in, addr, port))
			return (LISTENFDS_COVERED);
	return (-1);
}

void
listenfds_close(void)
{
	struct inherited	*in;
	char			 addr[NETADDR_TEXT_SIZE], why[128];

	for (in = inherited; in < inherited + inherited_len; in++) {
		if (in->fd == -1)
			continue;
		snprintf(why, sizeof(why), "no service listens on %s port %u",
		    netaddr_text(&in->addr, addr), in->port);
		inherited_close(in, why);
	}
	inherited_len = 0;
}
