/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Numbers and ports as the classic command lines write them.
 */
#include <sys/types.h>

#include <netinet/in.h>

#include <netdb.h>

#include "ucspi.h"

static const char *
scan_digits(const char *s, unsigned long *value)
{
	unsigned long	v;

	for (v = 0; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (unsigned long)(*s - '0');
	*value = v;
	return (s);
}

unsigned long
ucspi_scan_ulong(const char *s)
{
	unsigned long	value;

	(void)scan_digits(s, &value);
	return (value);
}

int
ucspi_port_find(const char *word, uint16_t *port)
{
	struct servent	*service;
	unsigned long	 value;

	if (*scan_digits(word, &value) == '\0') {
		*port = (uint16_t)(value & 0xffff);
		return (0);
	}
	if ((service = getservbyname(word, "tcp")) == NULL)
		return (-1);
	*port = ntohs((uint16_t)service->s_port);
	return (0);
}
