/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Lines on standard error, one write(2) each, or to syslogd.  A reader of
 * the log that stalls costs lines, not the process: it has children to see
 * to.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <vis.h>

#include "privsep.h"
#include "ucspi.h"

#define LOG_TEXT_SIZE	928	/* a byte may become four (vis(3)): the */
#define LOG_LINE_SIZE	4096	/* line is to fit into Linux's PIPE_BUF */
#define LOG_WAIT_MS	1000
/* So often the parent is asked for syslogd, and the answer is tried. */
#define LOG_ASK_MS	1000
#define LOG_TRIES	10
#define LOG_TRY_MS	20

static char		log_name[PRIVSEP_NAME_SIZE] = "";
static char		log_role[PRIVSEP_NAME_SIZE] = "";	/* "engine: " */
static int		log_parent;
static int		log_quiet;
static int		log_facility = -1;	/* -1: not to syslogd */
static unsigned long	log_lost;	/* lines the reader did not take */
static struct channel	*log_channel;	/* to the parent; NULL: not asked */
static uint32_t		log_channel_type;
static int64_t		log_asked_ms = -LOG_ASK_MS;

void
log_init(const char *name, const char *role, int quiet)
{
	strlcpy(log_name, name, sizeof(log_name));
	log_parent = role == NULL;
	log_role[0] = '\0';
	if (role != NULL)
		snprintf(log_role, sizeof(log_role), "%s: ", role);
	log_quiet = quiet;
}

void
log_hello(const struct privsep_hello *hello, const char *role)
{
	log_init(hello->name, role, hello->flags & PRIVSEP_QUIET);
	if (hello->flags & PRIVSEP_SYSLOG)
		log_syslog((int)hello->log_facility);
}

void
log_ask(struct channel *ch, uint32_t type)
{
	log_channel = ch;
	log_channel_type = type;
}

void
log_syslog(int facility)
{
	log_facility = facility & LOG_FACMASK;
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

/*
 * A child's line waits a moment for what the parent does; if there is nobody
 * to connect to, the next ones don't.
 */
static int
log_send_by_parent(const char *line, size_t len)
{
	int64_t	now = clock_ms();
	int	i;

	if (log_channel == NULL || now - log_asked_ms < LOG_ASK_MS)
		return (-1);
	log_asked_ms = now;
	if (channel_send(log_channel, log_channel_type, 0, -1, NULL, 0) == -1 ||
	    imsgbuf_write(&log_channel->ibuf) == -1)
		return (-1);
	for (i = 0; log_lost == 0 && i < LOG_TRIES; i++) {
		(void)poll(NULL, 0, LOG_TRY_MS);
		if (log_syslog_send(line, len) == 0) {
			log_asked_ms = now - LOG_ASK_MS;
			return (0);
		}
	}
	return (-1);
}

/* Only the parent can mend what is broken there. */
static int
log_send(const char *line, size_t len)
{
	if (log_syslog_send(line, len) == 0)
		return (0);
	if (log_syslog_gone(errno)) {
		if (!log_parent)
			return (log_send_by_parent(line, len));
		if (log_syslog_reopen() == -1)
			return (-1);
	} else if (!log_writable())
		return (-1);
	return (log_syslog_send(line, len));
}

/* -1: the line, which ends with LF, is lost. */
static int
log_write(const char *line, size_t len)
{
	ssize_t	n;

	if (log_facility != -1)
		return (log_send(line, len - 1));
	if (!log_writable())
		return (-1);
	do
		n = write(STDERR_FILENO, line, len);
	while (n == -1 && errno == EINTR);
	/* There is nowhere else to say that it failed. */
	return (0);
}

/* By hand: the child of a vfork(2) calls it. */
size_t
log_head(char *buf, int priority)
{
	char	*p = buf;
	size_t	 len = strlen(log_name);

	if (log_facility != -1) {
		*p++ = '<';
		p += ucspi_decimal(p, (uint64_t)priority, 1);
		*p++ = '>';
	}
	memcpy(p, log_name, len);
	p += len;
	if (log_facility != -1) {
		*p++ = '[';
		p += ucspi_decimal(p, (uint64_t)getpid(), 1);
		*p++ = ']';
	}
	*p++ = ':';
	*p++ = ' ';
	return ((size_t)(p - buf));
}

int
log_is_syslog(void)
{
	return (log_facility != -1);
}

/* With the role of this process. */
static size_t
log_begin(char *line, int priority)
{
	size_t	len = log_head(line, log_facility | priority);

	memcpy(line + len, log_role, strlen(log_role));
	return (len + strlen(log_role));
}

/* Cut, where syslogd would not take all of it. */
static size_t
log_end(char *line, size_t len)
{
	if (log_facility != -1 && len > LOG_SYSLOG_MAX)
		len = LOG_SYSLOG_MAX;
	line[len++] = '\n';
	return (len);
}

static void
log_lost_tell(void)
{
	char	line[LOG_LINE_SIZE];
	size_t	len;

	if (log_lost == 0)
		return;
	len = log_begin(line, LOG_WARNING);
	len += (size_t)snprintf(line + len, sizeof(line) - len,
	    "warning: %lu lines lost: the log's reader stalls", log_lost);
	len = log_end(line, len);
	if (log_write(line, len) == 0)
		log_lost = 0;
}

void
log_bytes(const char *line, size_t len)
{
	if (log_quiet)
		return;
	log_lost_tell();
	if (log_write(line, len) == -1)
		log_lost++;
}

int
log_priority(int priority)
{
	return ((log_facility == -1 ? LOG_DAEMON : log_facility) | priority);
}

static void
log_line(int priority, const char *level, int errnum, const char *fmt,
    va_list ap)
{
	char	text[LOG_TEXT_SIZE], safe[LOG_TEXT_SIZE * 4 + 1];
	char	line[LOG_LINE_SIZE];
	size_t	len;

	if (log_quiet)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	strvis(safe, text, VIS_CSTYLE | VIS_TAB | VIS_NL);
	len = log_begin(line, priority);
	len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s%s%s",
	    level, safe, errnum == 0 ? "" : ": ",
	    errnum == 0 ? "" : ucspi_strerror(errnum));
	log_bytes(line, log_end(line, len));
}

void
log_info(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_INFO, "", 0, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	int	saved = errno;
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_WARNING, "warning: ", saved, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_warnx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_WARNING, "warning: ", 0, fmt, ap);
	va_end(ap);
}

__dead void
fatal(const char *fmt, ...)
{
	int	saved = errno;
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_CRIT, "fatal: ", saved, fmt, ap);
	va_end(ap);
	_exit(UCSPI_EXIT_TEMPORARY);
}

__dead void
fatalx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_CRIT, "fatal: ", 0, fmt, ap);
	va_end(ap);
	_exit(UCSPI_EXIT_TEMPORARY);
}
