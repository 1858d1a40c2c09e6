/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The UCSPI environment of a program: the inherited one, built once, and
 * for each connection what is known of both ends and what its rule says.
 */
#include <net/if.h>
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

/* PROTO, and eight more under the name of each protocol. */
#define VALUES_MAX	(1 + 2 * 8)
#define NAME_SIZE	sizeof("TCP6REMOTEPORT=")
#define VALUE_LEN_MAX	LOCAL_NAME_SIZE		/* what is longer is cut */

/* "NAME=VALUE" one behind the other, NUL-ended. */
static char		values[VALUES_MAX * (NAME_SIZE + VALUE_LEN_MAX)];
static char		*values_end;
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
 * an older one: that is done only for the rule's variables.
 */
static int
value_add(const char *prefix, const char *name, const char *value)
{
	char	*entry = values_end, *p = entry;

	if (value == NULL)
		return (0);
	p = text_append(p, prefix, strlen(prefix));
	p = text_append(p, name, strlen(name));
	*p++ = '=';
	p = text_append(p, value, strnlen(value, VALUE_LEN_MAX));
	*p++ = '\0';
	values_end = p;
	return (ucspi_env_append(&work, entry));
}

static int
address_add(const char *prefix, const char *name, const struct netaddr *addr)
{
	char	text[NETADDR_TEXT_SIZE];

	return (value_add(prefix, name, netaddr_text(addr, text)));
}

static int
port_add(const char *prefix, const char *name, uint16_t port)
{
	char	text[UCSPI_DECIMAL_SIZE + 1];

	text[ucspi_decimal(text, port, 1)] = '\0';
	return (value_add(prefix, name, text));
}

static int
values_add(const char *prefix, const struct start *s)
{
	const struct start_record	*r = s->record;

	if (address_add(prefix, "LOCALIP", &r->local) == -1 ||
	    port_add(prefix, "LOCALPORT", r->local_port) == -1 ||
	    value_add(prefix, "LOCALHOST", s->local_name) == -1 ||
	    address_add(prefix, "REMOTEIP", &r->remote) == -1 ||
	    port_add(prefix, "REMOTEPORT", r->remote_port) == -1 ||
	    value_add(prefix, "REMOTEHOST", s->remote_name) == -1 ||
	    value_add(prefix, "REMOTEINFO", s->info) == -1)
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
	return (value_add("TCP6", "INTERFACE", name));
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

	values_end = values;
	if (ucspi_env_copy(&work, &p->base) == -1 ||
	    value_add("", "PROTO", v6 ? "TCP6" : "TCP") == -1 ||
	    values_add("TCP", s) == -1)
		return (NULL);
	if (v6 && (values_add("TCP6", s) == -1 ||
	    interface_add(s) == -1))
		return (NULL);
	if (variables_add(s) == -1)
		return (NULL);
	return (work.list);
}
