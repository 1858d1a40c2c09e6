/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Groups of interfaces as FreeBSD's kernel knows them, by name.
 */
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <net/if.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_build.h"

/* First the bytes that the list takes, then the list. */
static int
members_get(int fd, struct ifgroupreq *req)
{
	if (ioctl(fd, SIOCGIFGMEMB, req) == -1)
		return (-1);
	if ((req->ifgr_groups = calloc(1, req->ifgr_len)) == NULL)
		return (-1);
	if (ioctl(fd, SIOCGIFGMEMB, req) == -1) {
		free(req->ifgr_groups);
		return (-1);
	}
	return (0);
}

static int
members_have(const struct ifgroupreq *req, const char *interface)
{
	size_t	i;

	for (i = 0; i < req->ifgr_len / sizeof(req->ifgr_groups[0]); i++)
		if (interface != NULL && strncmp(interface,
		    req->ifgr_groups[i].ifgrq_member, IFNAMSIZ) == 0)
			return (1);
	return (0);
}

int
conf_ifgroup_has(const char *group, const char *interface)
{
	struct ifgroupreq	req;
	int			fd, rv;

	memset(&req, 0, sizeof(req));
	if (strlcpy(req.ifgr_name, group, sizeof(req.ifgr_name)) >=
	    sizeof(req.ifgr_name))
		return (-1);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-1);
	if ((rv = members_get(fd, &req)) == 0) {
		rv = members_have(&req, interface);
		free(req.ifgr_groups);
	}
	close(fd);
	return (rv);
}
