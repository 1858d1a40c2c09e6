/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The part of the ok and deny lines that names both ends.
 */
#include <string.h>

#include "tcpserverd.h"

#define LOGLINE_FIELD_MAX	100	/* bytes; more is cut and marked */

/* A field of the log, from whoever sent it: bounded and printable. */
static char *
field_append(char *p, const char *text)
{
	size_t	i;

	for (i = 0; i < LOGLINE_FIELD_MAX && text != NULL && text[i] != '\0';
	    i++)
		*p++ = text[i] < 33 || text[i] > 126 || text[i] == '%' ||
		    text[i] == ':' ? '?' : text[i];
	if (i == LOGLINE_FIELD_MAX) {
		memcpy(p, "...", 3);
		p += 3;
	}
	return (p);
}

/* Our own text: an IPv6 address keeps its colons, as the classic patch did. */
static char *
address_append(char *p, const struct netaddr *addr)
{
	netaddr_text(addr, p);
	return (p + strlen(p));
}

size_t
logline_peers(char *buf, const struct logline *l)
{
	char	*p = buf;

	p = field_append(p, l->local_name);
	*p++ = ':';
	p = address_append(p, l->local);
	*p++ = ':';
	p += ucspi_decimal(p, l->local_port, 1);
	*p++ = ' ';
	p = field_append(p, l->remote_name);
	*p++ = ':';
	p = address_append(p, l->remote);
	*p++ = ':';
	p = field_append(p, l->info);
	*p++ = ':';
	p += ucspi_decimal(p, l->remote_port, 1);
	*p++ = '\n';
	return ((size_t)(p - buf));
}
