/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Times of autoturnd.conf: a number and its unit.
 */
#include <sys/types.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

#define DIGITS_MAX	12	/* so that no product is too large */

static const struct {
	char		unit;
	int64_t		seconds;
} units[] = {
	{ 'd',	86400 },
	{ 'h',	3600 },
	{ 'm',	60 },
	{ 's',	1 }
};

int64_t
conf_time_parse(const char *text)
{
	int64_t	n = 0;
	size_t	i, len = strspn(text, "0123456789");

	if (len == 0 || len > DIGITS_MAX)
		return (-1);
	for (i = 0; i < len; i++)
		n = n * 10 + (text[i] - '0');
	if (text[len] == '\0')
		return (n == 0 ? 0 : -1);
	if (text[len + 1] != '\0')
		return (-1);
	for (i = 0; i < nitems(units); i++)
		if (units[i].unit == text[len])
			return (n * units[i].seconds);
	return (-1);
}

char *
conf_time_text(uint64_t seconds, char *buf)
{
	size_t	i = 0;

	while (seconds % (uint64_t)units[i].seconds != 0)
		i++;
	if (seconds == 0)
		i = nitems(units) - 1;
	snprintf(buf, TIME_TEXT_SIZE, "%" PRIu64 "%c",
	    seconds / (uint64_t)units[i].seconds, units[i].unit);
	return (buf);
}
