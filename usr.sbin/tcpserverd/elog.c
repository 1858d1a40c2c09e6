/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The engine's log lines, collected in a buffer that is all that may wait
 * for the log's reader.
 *
 * On a descriptor they are written together, at most PIPE_BUF bytes of whole
 * lines at a time and only when poll(2) says that the reader takes them.
 * With the classic face a reader that stalls holds up accepting, as it did
 * with the original, but not the ends, the reports or the parent.  The
 * daemon goes on: what finds no room is lost, counted and told.
 *
 * To syslogd goes one message a line.  When it is not there the parent is
 * asked to connect again, ever less often, and the lines wait.
 */
#include <sys/types.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "engine.h"

#define ELOG_SIZE	(256 * 1024)
#define ELOG_LINE_MAX	2048
/* syslogd has no room: most systems' poll(2) can't tell when it has. */
#define ELOG_FULL_MS	10
/* syslogd is not there: asked for again after so long, twice that, ... */
#define ELOG_AWAY_MIN_MS	20
#define ELOG_AWAY_MAX_MS	1000

static char		buf[ELOG_SIZE];
static size_t		begin, end;	/* what waits in it */
static unsigned long	lost;		/* lines that found no room */
static struct event	ev;
static int		waiting;
static int		stalled;	/* at the last try, and that counts */
static int		patient = 1;	/* it counts */
static int		quiet;
static int		facility = LOG_DAEMON;
static unsigned int	away_ms;	/* 0: syslogd was there last time */

static void	elog_event(int, short, void *);

void
elog_init(int q)
{
	quiet = q;
	if (log_is_syslog()) {
		patient = 0;
		evtimer_set(&ev, elog_event, NULL);
	} else
		event_set(&ev, STDERR_FILENO, EV_WRITE, elog_event, NULL);
}

void
elog_daemon(int f)
{
	facility = f & LOG_FACMASK;
	patient = 0;
	stalled = 0;
}

/*
 * A descriptor
 */

/* As many whole lines as one write may take without blocking. */
static size_t
elog_chunk(void)
{
	size_t	n = end - begin < PIPE_BUF ? end - begin : PIPE_BUF;

	while (n > 0 && buf[begin + n - 1] != '\n')
		n--;
	return (n > 0 ? n : end - begin);
}

static int
elog_writable(void)
{
	struct pollfd	p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return (poll(&p, 1, 0) == 1);
}

/* Where no event can be had (a plain file) poll always said yes. */
static void
elog_wait(void)
{
	stalled = patient;
	if (!waiting && event_add(&ev, NULL) == 0)
		waiting = 1;
}

/* 0: it has to wait. */
static int
chunk_write(void)
{
	ssize_t	n;

	if (!elog_writable()) {
		elog_wait();
		return (0);
	}
	do
		n = write(STDERR_FILENO, buf + begin, elog_chunk());
	while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		elog_wait();
		return (0);
	}
	/* -1: the log is gone for good. */
	begin = n == -1 ? end : begin + (size_t)n;
	return (1);
}

/*
 * syslogd
 */

static void
syslog_wait(unsigned int ms)
{
	struct timeval	tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	if (evtimer_add(&ev, &tv) == 0)
		waiting = 1;
}

static void
syslog_away(void)
{
	(void)channel_send(&engine_parent, IMSG_PARENT_LOG_WANTED, 0, -1,
	    NULL, 0);
	away_ms = away_ms == 0 ? ELOG_AWAY_MIN_MS : away_ms * 2;
	if (away_ms > ELOG_AWAY_MAX_MS)
		away_ms = ELOG_AWAY_MAX_MS;
	syslog_wait(away_ms);
}

/* 0: it has to wait. */
static int
message_send(void)
{
	char	*lf = memchr(buf + begin, '\n', end - begin);

	if (waiting && away_ms != 0)
		return (0);
	if (log_syslog_send(buf + begin, (size_t)(lf - buf) - begin) == 0)
		away_ms = 0;
	else if (errno == EAGAIN || errno == EWOULDBLOCK ||
	    errno == ENOBUFS) {
		if (!waiting)
			syslog_wait(ELOG_FULL_MS);
		return (0);
	} else if (errno != EMSGSIZE) {
		syslog_away();
		return (0);
	} else
		lost++;
	begin = (size_t)(lf - buf) + 1;
	return (1);
}

/*
 * The buffer
 */

static int
elog_room(size_t n)
{
	if (n > sizeof(buf) - end && begin > 0) {
		memmove(buf, buf + begin, end - begin);
		end -= begin;
		begin = 0;
	}
	return (n <= sizeof(buf) - end);
}

static void
elog_add(const char *bytes, size_t n)
{
	if (!elog_room(n)) {
		lost++;
		return;
	}
	memcpy(buf + end, bytes, n);
	end += n;
}

static void
elog_lost_tell(void)
{
	char	line[ELOG_LINE_MAX];
	size_t	len;

	if (lost == 0 || !elog_room(ELOG_LINE_MAX))
		return;
	len = log_head(line, facility | LOG_WARNING);
	len += (size_t)snprintf(line + len, sizeof(line) - len,
	    "warning: %lu log lines lost: the log's reader stalls\n", lost);
	lost = 0;
	elog_add(line, len);
}

int
elog_flush(void)
{
	do {
		while (begin < end)
			if (!(log_is_syslog() ? message_send() :
			    chunk_write()))
				return (stalled);
		begin = end = 0;
		stalled = 0;
		elog_lost_tell();
	} while (begin < end);
	return (0);
}

int
elog_stalled(void)
{
	return (stalled);
}

static void
elog_event(int fd, short event, void *arg)
{
	waiting = 0;
	if (elog_flush() == 0)
		engine_turn(NULL);
}

void
elog_bytes(const char *bytes, size_t n)
{
	if (quiet)
		return;
	elog_add(bytes, n);
	elog_lost_tell();
}

void
elog_line(const char *fmt, ...)
{
	char	line[ELOG_LINE_MAX];
	va_list	ap;
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	elog_bytes(line, (size_t)n);
}

void
elog_record(int priority, const struct logrecord *r)
{
	char	line[LOGRECORD_LINE_SIZE];

	elog_bytes(line, logrecord_line(r, priority, line));
}
