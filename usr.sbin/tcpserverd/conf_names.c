/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Names that tcpserverd.conf knows, for the daemon and for "tcpserverctl
 * import", which must write what the daemon takes.
 */
#include <sys/types.h>

#include <string.h>

#include "compat.h"
#include "conf_build.h"

const struct conf_rlimit_kind *
conf_rlimit_find(const char *name)
{
	size_t	i;

	for (i = 0; i < conf_rlimit_kinds_len; i++)
		if (strcmp(conf_rlimit_kinds[i].name, name) == 0)
			return (&conf_rlimit_kinds[i]);
	return (NULL);
}

const char *
conf_rlimit_name(int resource)
{
	size_t	i;

	for (i = 0; i < conf_rlimit_kinds_len; i++)
		if (conf_rlimit_kinds[i].resource == resource)
			return (conf_rlimit_kinds[i].name);
	return (NULL);
}

int
conf_variable_is_ours(const char *name)
{
	return ((strncmp(name, "PROTO", 5) == 0 &&
	    (name[5] == '\0' || name[5] == '=')) ||
	    strncmp(name, "TCPLOCAL", 8) == 0 ||
	    strncmp(name, "TCPREMOTE", 9) == 0 ||
	    strncmp(name, "TCP6", 4) == 0);
}
