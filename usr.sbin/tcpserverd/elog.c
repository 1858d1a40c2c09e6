/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The engine's log lines.  They are collected and written together, at most
 * PIPE_BUF bytes of whole lines at a time and only when poll(2) says that
 * the reader takes them: a reader that stalls holds up accepting, as it did
 * with the original, but not the ends, the reports or the parent.
 */
#include <sys/types.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define ELOG_SIZE	(256 * 1024)
#define ELOG_LINE_MAX	2048

static char		buf[ELOG_SIZE];
static size_t		len;
static unsigned long	lost;		/* lines that found no room */
static struct event	ev;
static int		waiting;
static int		stalled;	/* at the last try */
static int		quiet;

static void	elog_event(int, short, void *);

void
elog_init(const char *name, int q)
{
	quiet = q;
	event_set(&ev, STDERR_FILENO, EV_WRITE, elog_event, NULL);
}

/* Where no event can be had (a plain file) poll always said yes. */
static void
elog_wait(void)
{
	if (!waiting && event_add(&ev, NULL) == 0)
		waiting = 1;
}

/* As many whole lines as one write may take without blocking. */
static size_t
elog_chunk(void)
{
	size_t	n = len < PIPE_BUF ? len : PIPE_BUF;

	while (n > 0 && buf[n - 1] != '\n')
		n--;
	return (n > 0 ? n : len);
}

static int
elog_writable(void)
{
	struct pollfd	p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return (poll(&p, 1, 0) == 1);
}

int
elog_flush(void)
{
	ssize_t	n;

	while (len > 0) {
		if (!elog_writable()) {
			stalled = 1;
			elog_wait();
			return (1);
		}
		n = write(STDERR_FILENO, buf, elog_chunk());
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			stalled = 1;
			elog_wait();
			return (1);
		}
		if (n == -1)
			n = (ssize_t)len;	/* the log is gone for good */
		memmove(buf, buf + n, len - (size_t)n);
		len -= (size_t)n;
	}
	stalled = 0;
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
	if (n > sizeof(buf) - len) {
		lost++;
		return;
	}
	memcpy(buf + len, bytes, n);
	len += n;
	if (lost > 0 && sizeof(buf) - len > ELOG_LINE_MAX) {
		len += (size_t)snprintf(buf + len, ELOG_LINE_MAX,
		    "tcpserver: warning: %lu log lines lost: the log's reader "
		    "stalls\n", lost);
		lost = 0;
	}
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
