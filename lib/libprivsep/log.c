/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Lines on standard error, one write(2) each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vis.h>

#include "privsep.h"
#include "ucspi.h"

#define LOG_LINE_SIZE	1024

static char	log_prefix[96] = "";
static int	log_quiet;

void
log_init(const char *name, const char *role, int quiet)
{
	if (role == NULL)
		snprintf(log_prefix, sizeof(log_prefix), "%s: ", name);
	else
		snprintf(log_prefix, sizeof(log_prefix), "%s: %s: ", name,
		    role);
	log_quiet = quiet;
}

static void
log_line(const char *level, int errnum, const char *fmt, va_list ap)
{
	char	text[LOG_LINE_SIZE], safe[LOG_LINE_SIZE * 4 + 1];
	char	line[LOG_LINE_SIZE * 4 + 256];
	int	len;

	if (log_quiet)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	strvis(safe, text, VIS_CSTYLE | VIS_NOSLASH);
	len = snprintf(line, sizeof(line), "%s%s%s%s%s\n", log_prefix, level,
	    safe, errnum == 0 ? "" : ": ",
	    errnum == 0 ? "" : ucspi_strerror(errnum));
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) == -1)
		return;		/* there is nowhere else to say it */
}

void
log_warn(const char *fmt, ...)
{
	int	saved = errno;
	va_list	ap;

	va_start(ap, fmt);
	log_line("warning: ", saved, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_warnx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line("warning: ", 0, fmt, ap);
	va_end(ap);
}

__dead void
fatal(const char *fmt, ...)
{
	int	saved = errno;
	va_list	ap;

	va_start(ap, fmt);
	log_line("fatal: ", saved, fmt, ap);
	va_end(ap);
	exit(UCSPI_EXIT_TEMPORARY);
}

__dead void
fatalx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line("fatal: ", 0, fmt, ap);
	va_end(ap);
	exit(UCSPI_EXIT_TEMPORARY);
}
