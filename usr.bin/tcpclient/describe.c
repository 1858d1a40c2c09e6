/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the program is told about its connection.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <net/if.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcpclient.h"

extern char	**environ;

static void
local_find(struct ident_pair *pair, int fd)
{
	struct sockaddr_storage	ss;
	socklen_t		len;

	len = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ||
	    netaddr_from_sockaddr(&pair->local, &pair->local_port, &ss) == -1)
		die(errno, "unable to get local address");
}

/* An answer without a name sets an empty one; only a failure sets none. */
static const char *
name_find(const struct netaddr *addr, char *buf)
{
	struct name_waiter	*names;

	if ((names = host_names()) == NULL ||
	    name_wait_ptr(names, addr, buf) == -1)
		return (NULL);
	return (buf);
}

void
describe_connection(struct description *d, const struct client *c, int fd,
    const struct netaddr *remote)
{
	static char			local_name[NAME_TEXT_SIZE];
	static char			remote_name[NAME_TEXT_SIZE];
	static struct ident_reply	reply;
	char				text[NETADDR_TEXT_SIZE];

	memset(d, 0, sizeof(*d));
	d->pair.remote = *remote;
	d->pair.remote_port = c->port;
	local_find(&d->pair, fd);
	if ((d->local_name = c->local_name) == NULL)
		d->local_name = name_find(&d->pair.local, local_name);
	log_line(LOG_VERBOSE, "connected to %s port %u\n",
	    netaddr_text(remote, text), c->port);
	if (c->remote_name)
		d->remote_name = name_find(remote, remote_name);
	if (c->ident && ident_wait(&d->pair, c->ident_timeout_s, &reply) == 0)
		d->info = reply.info;
}

/* NULL is "unset", which removes what was inherited. */
static void
variable_set(struct ucspi_env *env, const char *prefix, const char *name,
    const char *value)
{
	char	full[32], *entry;

	(void)snprintf(full, sizeof(full), "%s%s", prefix, name);
	if (value == NULL) {
		ucspi_env_unset(env, full);
		return;
	}
	if (asprintf(&entry, "%s=%s", full, value) == -1 ||
	    ucspi_env_put(env, entry) == -1)
		die(0, "out of memory");
}

static void
port_set(struct ucspi_env *env, const char *prefix, const char *name,
    uint16_t port)
{
	char	text[6];

	(void)snprintf(text, sizeof(text), "%u", port);
	variable_set(env, prefix, name, text);
}

static void
variables_set(struct ucspi_env *env, const char *prefix,
    const struct description *d)
{
	char	text[NETADDR_TEXT_SIZE];

	variable_set(env, prefix, "LOCALIP",
	    netaddr_text(&d->pair.local, text));
	port_set(env, prefix, "LOCALPORT", d->pair.local_port);
	variable_set(env, prefix, "LOCALHOST", d->local_name);
	variable_set(env, prefix, "REMOTEIP",
	    netaddr_text(&d->pair.remote, text));
	port_set(env, prefix, "REMOTEPORT", d->pair.remote_port);
	variable_set(env, prefix, "REMOTEHOST", d->remote_name);
	variable_set(env, prefix, "REMOTEINFO", d->info);
}

static void
variables_unset(struct ucspi_env *env)
{
	static const char *const	names[] = {
		"LOCALIP", "LOCALPORT", "LOCALHOST",
		"REMOTEIP", "REMOTEPORT", "REMOTEHOST", "REMOTEINFO"
	};
	size_t				i;

	for (i = 0; i < nitems(names); i++)
		variable_set(env, "TCP6", names[i], NULL);
}

static const char *
interface_name(const struct netaddr *addr, char *buf)
{
	if (addr->family != AF_INET6 || addr->scope == 0)
		return (NULL);
	return (if_indextoname(addr->scope, buf));
}

void
describe_environment(struct ucspi_env *env, const struct description *d)
{
	char	name[IF_NAMESIZE];
	int	v6 = d->pair.remote.family == AF_INET6;

	if (ucspi_env_init(env, environ) == -1)
		die(0, "out of memory");
	variable_set(env, "", "PROTO", v6 ? "TCP6" : "TCP");
	variables_set(env, "TCP", d);
	if (v6)
		variables_set(env, "TCP6", d);
	else
		variables_unset(env);
	variable_set(env, "TCP6", "INTERFACE",
	    interface_name(&d->pair.remote, name));
}
