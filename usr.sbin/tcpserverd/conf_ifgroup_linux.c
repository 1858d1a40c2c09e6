/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Groups of interfaces on Linux: the kernel has numbers, iproute2's file
 * gives them names.
 */
#include <sys/types.h>

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

#define GROUP_LINE_MAX	256

/* The local file first, as ip(8) reads them. */
static const char *const	group_files[] = {
	"/etc/iproute2/group",
	"/usr/share/iproute2/group",
	"/usr/lib/iproute2/group"
};

/* "NUMBER NAME"; -1: not in that file. */
static int
file_find(const char *path, const char *group, unsigned long *number)
{
	FILE	*f;
	char	 line[GROUP_LINE_MAX], name[GROUP_LINE_MAX];
	int	 rv = -1;

	if ((f = fopen(path, "re")) == NULL)
		return (-1);
	while (rv == -1 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lu %255s", number, name) == 2 &&
		    strcmp(name, group) == 0)
			rv = 0;
	fclose(f);
	return (rv);
}

static int
group_number(const char *group, unsigned long *number)
{
	size_t	i;

	for (i = 0; i < nitems(group_files); i++)
		if (file_find(group_files[i], group, number) == 0)
			return (0);
	return (-1);
}

static int
interface_number(const char *interface, unsigned long *number)
{
	FILE	*f;
	char	 path[64 + IF_NAMESIZE];
	int	 n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/netdev_group",
	    interface);
	if ((f = fopen(path, "re")) == NULL)
		return (-1);
	n = fscanf(f, "%lu", number);
	fclose(f);
	return (n == 1 ? 0 : -1);
}

int
conf_ifgroup_has(const char *group, const char *interface)
{
	unsigned long	wanted, number;

	if (group_number(group, &wanted) == -1)
		return (-1);
	return (interface != NULL &&
	    interface_number(interface, &number) == 0 && number == wanted);
}
