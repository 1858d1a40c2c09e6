/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <vis.h>

#include "text.h"

#define SAFE_BUFFERS	4

char *
safe_buffer(void)
{
	static char		buffers[SAFE_BUFFERS][SAFE_SIZE];
	static unsigned int	next;

	return (buffers[next++ % SAFE_BUFFERS]);
}

const char *
safe_bytes(const void *bytes, size_t len)
{
	char	*buf = safe_buffer();

	if (len > SAFE_BYTES_MAX)
		len = SAFE_BYTES_MAX;
	strvisx(buf, bytes, len, VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL);
	return (buf);
}

const char *
safe(const char *text)
{
	return (text == NULL ? "-" : safe_bytes(text, strlen(text)));
}

const char *
time_text(int64_t at, char *buf)
{
	time_t		 t = (time_t)at;
	struct tm	*tm;

	if (at == 0 || (tm = localtime(&t)) == NULL ||
	    strftime(buf, TIME_SIZE, "%Y-%m-%d %H:%M:%S", tm) == 0)
		return ("-");
	return (buf);
}

const char *
age_text(int64_t s, char *buf)
{
	if (s < 0)
		return ("-");
	if (s < 120)
		snprintf(buf, AGE_SIZE, "%" PRId64 " s", s);
	else if (s < 120 * 60)
		snprintf(buf, AGE_SIZE, "%" PRId64 " min", s / 60);
	else if (s < 48 * 3600)
		snprintf(buf, AGE_SIZE, "%" PRId64 " h", s / 3600);
	else
		snprintf(buf, AGE_SIZE, "%" PRId64 " d", s / 86400);
	return (buf);
}
