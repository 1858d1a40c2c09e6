/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A network of this process's own, where any port can be taken: 0 or -1.
 */
#include <net/if.h>

#include <sched.h>

static int
network_private(void)
{
	struct ifreq	ifr = { .ifr_flags = IFF_UP };
	int		fd, result;

	if (unshare(getuid() == 0 ? CLONE_NEWNET :
	    CLONE_NEWUSER | CLONE_NEWNET) == -1)
		return (-1);
	if ((fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
		return (-1);
	strlcpy(ifr.ifr_name, "lo", sizeof(ifr.ifr_name));
	result = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return (result);
}
