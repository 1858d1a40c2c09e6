/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The UCSPI environment of a program: the inherited one, built once, and
 * for each connection what is known of both ends and what its rule says.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher.h"

extern char **environ;

/* Never inherited: a stale value would tell of another connection. */
static const char *const own_names[] = {
	"PROTO",
	"TCPLOCALIP", "TCPLOCALPORT", "TCPLOCALHOST",
	"TCPREMOTEIP", "TCPREMOTEPORT", "TCPREMOTEHOST", "TCPREMOTEINFO",
	"TCP6LOCALIP", "TCP6LOCALPORT", "TCP6LOCALHOST",
	"TCP6REMOTEIP", "TCP6REMOTEPORT", "TCP6REMOTEHOST", "TCP6REMOTEINFO",
	"TCP6INTERFACE",
};

/* One value of a connection, under the name of each protocol. */
#define VALUE_SIZE	(LOCAL_NAME_SIZE + 32)

enum value {
	VALUE_PROTO, VALUE_LOCALIP, VALUE_LOCALPORT, VALUE_LOCALHOST,
	VALUE_REMOTEIP, VALUE_REMOTEPORT, VALUE_REMOTEHOST,
	VALUE_REMOTEINFO, VALUE_INTERFACE, VALUE_COUNT
};

static const char *const value_names[VALUE_COUNT] = {
	"PROTO", "LOCALIP", "LOCALPORT", "LOCALHOST",
	"REMOTEIP", "REMOTEPORT", "REMOTEHOST", "REMOTEINFO", "INTERFACE"
};

static char		v4_slots[VALUE_COUNT][VALUE_SIZE];
static char		v6_slots[VALUE_COUNT][VALUE_SIZE];
static struct ucspi_env	work;

static int
environment_change(struct program *p, char *word)
{
	if (word[0] == '=')
		return (ucspi_env_put(&p->base, word + 1));
	ucspi_env_unset(&p->base, word + 1);
	return (0);
}

const char *
environment_value(const struct program *p, const char *name)
{
	size_t	len = strlen(name), i;

	for (i = 0; p->base.list[i] != NULL; i++)
		if (strncmp(p->base.list[i], name, len) == 0 &&
		    p->base.list[i][len] == '=')
			return (p->base.list[i] + len + 1);
	return (NULL);
}

int
environment_init(struct program *p, char *words, size_t len)
{
	size_t	i;

	if (ucspi_env_init(&p->base, environ) == -1)
		return (-1);
	for (i = 0; i < len; i += strlen(words + i) + 1)
		if (environment_change(p, words + i) == -1)
			return (-1);
	for (i = 0; i < nitems(own_names); i++)
		ucspi_env_unset(&p->base, own_names[i]);
	return (0);
}

/*
 * The names are not in the base, so a value is appended without looking for
 * an older one: put does that only for the rule's variables.
 */
static int
value_add(char slots[][VALUE_SIZE], const char *prefix, enum value v,
    const char *value)
{
	if (value == NULL)
		return (0);
	snprintf(slots[v], VALUE_SIZE, "%s%s=%s", prefix, value_names[v],
	    value);
	return (ucspi_env_put(&work, slots[v]));
}

static int
values_add(char slots[][VALUE_SIZE], const char *prefix,
    const struct start *s)
{
	char	local[NETADDR_TEXT_SIZE], remote[NETADDR_TEXT_SIZE];
	char	local_port[6], remote_port[6];

	netaddr_text(&s->record->local, local);
	netaddr_text(&s->record->remote, remote);
	snprintf(local_port, sizeof(local_port), "%u", s->record->local_port);
	snprintf(remote_port, sizeof(remote_port), "%u",
	    s->record->remote_port);
	if (value_add(slots, prefix, VALUE_LOCALIP, local) == -1 ||
	    value_add(slots, prefix, VALUE_LOCALPORT, local_port) == -1 ||
	    value_add(slots, prefix, VALUE_LOCALHOST, s->local_name) == -1 ||
	    value_add(slots, prefix, VALUE_REMOTEIP, remote) == -1 ||
	    value_add(slots, prefix, VALUE_REMOTEPORT, remote_port) == -1 ||
	    value_add(slots, prefix, VALUE_REMOTEHOST, s->remote_name) == -1 ||
	    value_add(slots, prefix, VALUE_REMOTEINFO, s->info) == -1)
		return (-1);
	return (0);
}

/* A scoped address is of no use without the interface it came by. */
static int
interface_add(const struct start *s)
{
	char	name[IF_NAMESIZE];

	if (s->record->remote.scope == 0 ||
	    if_indextoname(s->record->remote.scope, name) == NULL)
		return (0);
	return (value_add(v6_slots, "TCP6", VALUE_INTERFACE, name));
}

static int
variables_add(const struct start *s)
{
	char	*p, *end;

	if (s->variables == NULL)
		return (0);
	end = s->variables + s->record->variables_len;
	for (p = s->variables; p < end; p += strlen(p) + 1)
		if (ucspi_env_put(&work, p) == -1)
			return (-1);
	return (0);
}

char **
environment_build(const struct program *p, const struct start *s)
{
	int	v6 = s->record->remote.family == AF_INET6;

	if (ucspi_env_copy(&work, &p->base) == -1 ||
	    value_add(v4_slots, "", VALUE_PROTO, v6 ? "TCP6" : "TCP") == -1 ||
	    values_add(v4_slots, "TCP", s) == -1)
		return (NULL);
	if (v6 && (values_add(v6_slots, "TCP6", s) == -1 ||
	    interface_add(s) == -1))
		return (NULL);
	if (variables_add(s) == -1)
		return (NULL);
	return (work.list);
}
