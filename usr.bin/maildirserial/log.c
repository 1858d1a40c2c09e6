/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The log.  Each line is written at once, so that those of many runs into
 * one log stay whole; names of files and texts of servers are strangers'.
 */
#include <sys/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vis.h>

#include "delivery.h"
#include "maildirserial.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define PROGRAM		"maildirserial"
#define KEPT		4	/* results of log_name() and log_text() */

/* Room for another result; an old one goes. */
static char *
log_room(size_t size)
{
	static char	*kept[KEPT];
	static size_t	 next;

	next = (next + 1) % KEPT;
	free(kept[next]);
	return (kept[next] = malloc(size));
}

const char *
log_name(const char *name)
{
	char	*out;

	if ((out = log_room(4 * strlen(name) + 1)) == NULL)
		return ("(out of memory)");
	(void)strvis(out, name, VIS_CSTYLE | VIS_WHITE);
	return (out);
}

const char *
log_text(const char *text)
{
	char	*out;
	size_t	 i;

	if ((out = log_room(strlen(text) + 1)) == NULL)
		return ("(out of memory)");
	for (i = 0; text[i] != '\0'; i++)
		out[i] = delivery_printable(text[i]);
	out[i] = '\0';
	return (out);
}

static void
log_line(const char *level, const char *fmt, va_list ap)
{
	char	*line, *message;
	int	 len;

	if (vasprintf(&message, fmt, ap) == -1)
		return;
	len = asprintf(&line, "%s: %s: %s\n", PROGRAM, level, message);
	free(message);
	if (len == -1)
		return;
	(void)stream_write(STDERR_FILENO, line, (size_t)len);
	free(line);
}

void
log_info(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line("info", fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line("warning", fmt, ap);
	va_end(ap);
}

__dead void
log_fatal(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line("fatal", fmt, ap);
	va_end(ap);
	exit(UCSPI_EXIT_TEMPORARY);
}
