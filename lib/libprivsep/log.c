/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Lines on standard error, one write(2) each.  A reader of the log that
 * stalls costs lines, not the process: it has children to see to.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vis.h>

#include "privsep.h"
#include "ucspi.h"

#define LOG_TEXT_SIZE	928	/* a byte may become four (vis(3)): the */
#define LOG_LINE_SIZE	4096	/* line is to fit into Linux's PIPE_BUF */
#define LOG_WAIT_MS	1000

static char		log_prefix[96] = "";
static int		log_quiet;
static unsigned long	log_lost;	/* lines the reader did not take */

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

/* Waits for the log's reader, but once and not for ever. */
static int
log_writable(void)
{
	struct pollfd	p = { .fd = STDERR_FILENO, .events = POLLOUT };
	int		n;

	do
		n = poll(&p, 1, log_lost > 0 ? 0 : LOG_WAIT_MS);
	while (n == -1 && errno == EINTR);
	return (n != 0);
}

static void
log_write(const char *line, size_t len)
{
	ssize_t	n;

	if (!log_writable()) {
		log_lost++;
		return;
	}
	do
		n = write(STDERR_FILENO, line, len);
	while (n == -1 && errno == EINTR);
	/* There is nowhere else to say that it failed. */
}

static void
log_lost_tell(void)
{
	char		line[LOG_LINE_SIZE];
	unsigned long	lost = log_lost;
	int		len;

	if (lost == 0 || !log_writable())
		return;
	log_lost = 0;
	len = snprintf(line, sizeof(line), "%swarning: %lu lines lost: the "
	    "log's reader stalls\n", log_prefix, lost);
	log_write(line, (size_t)len);
}

static void
log_line(const char *level, int errnum, const char *fmt, va_list ap)
{
	char	text[LOG_TEXT_SIZE], safe[LOG_TEXT_SIZE * 4 + 1];
	char	line[LOG_LINE_SIZE];
	int	len;

	if (log_quiet)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	strvis(safe, text, VIS_CSTYLE | VIS_TAB | VIS_NL);
	len = snprintf(line, sizeof(line), "%s%s%s%s%s\n", log_prefix, level,
	    safe, errnum == 0 ? "" : ": ",
	    errnum == 0 ? "" : ucspi_strerror(errnum));
	log_lost_tell();
	log_write(line, (size_t)len);
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
	_exit(UCSPI_EXIT_TEMPORARY);
}

__dead void
fatalx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line("fatal: ", 0, fmt, ap);
	va_end(ap);
	_exit(UCSPI_EXIT_TEMPORARY);
}
