/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The copier's loop.  One process serves both ways, so it must never sleep in
 * a write while the other way has work: a program that waits for its output
 * to be read before it reads again would wait for ever.  What is written
 * inside, a pipe of our own, is non-blocking; descriptor 1 is not ours
 * alone, and is written to in the way its kind allows.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ucspi_stream.h"

enum sink {
	SINK_ANY,	/* never sleeps, whatever the length */
	SINK_SOCKET,	/* does not sleep when told so */
	SINK_READY	/* PIPE_BUF bytes don't sleep once poll(2) says so */
};

struct way {
	const struct copier_way	*hook;
	const char		*pending;	/* read, not yet written */
	size_t			 pending_len;
	struct pollfd		*pfd;
	int			 in;		/* -1: this way has ended */
	int			 out;
	enum sink		 sink;
	char			 block[COPIER_BLOCK_SIZE];
};

static enum sink
sink_find(int fd)
{
	struct stat	st;

	if (fstat(fd, &st) == -1 || S_ISREG(st.st_mode))
		return (SINK_ANY);
	return (S_ISSOCK(st.st_mode) ? SINK_SOCKET : SINK_READY);
}

static void
way_init(struct way *w, const struct copier_way *hook, int in, int out,
    enum sink sink)
{
	w->hook = hook;
	w->pending_len = 0;
	w->in = in;
	w->out = out;
	w->sink = sink;
}

static void
way_end(struct way *w)
{
	(void)close(w->in);
	(void)close(w->out);
	w->in = w->out = -1;
	w->pending_len = 0;
}

static ssize_t
sink_write(const struct way *w)
{
	size_t	len = w->pending_len;

	if (w->sink == SINK_SOCKET)
		return (send(w->out, w->pending, len, MSG_DONTWAIT));
	if (w->sink == SINK_READY && len > PIPE_BUF)
		len = PIPE_BUF;
	return (write(w->out, w->pending, len));
}

static void
way_write(struct way *w)
{
	ssize_t	n;

	n = sink_write(w);
	if (n == -1) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			way_end(w);
		return;
	}
	w->pending += n;
	w->pending_len -= (size_t)n;
}

/* A source that can't be read is at its end. */
static void
way_read(struct way *w)
{
	ssize_t	n;
	size_t	len;

	n = read(w->in, w->block, sizeof(w->block));
	if (n == -1 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	len = n == -1 ? 0 : (size_t)n;
	w->pending = w->hook->take(w->hook->arg, w->block, &len);
	w->pending_len = len;
	if (n <= 0)
		way_end(w);
	else if (w->sink != SINK_READY)
		way_write(w);
}

static void
way_watch(struct way *w, struct pollfd *pfd)
{
	w->pfd = pfd;
	pfd->fd = w->pending_len > 0 ? w->out : w->in;
	pfd->events = w->pending_len > 0 ? POLLOUT : POLLIN;
	pfd->revents = 0;
}

static void
way_advance(struct way *w)
{
	if (w->in == -1 || w->pfd->revents == 0)
		return;
	if (w->pending_len > 0)
		way_write(w);
	else
		way_read(w);
}

void
relay_run(int to, int from, const struct copier_way *down_hook,
    const struct copier_way *up_hook)
{
	static struct way	down, up;
	struct pollfd		pfds[2];

	way_init(&down, down_hook, STDIN_FILENO, to, SINK_ANY);
	way_init(&up, up_hook, from, STDOUT_FILENO, sink_find(STDOUT_FILENO));
	(void)fcntl(to, F_SETFL, O_NONBLOCK);
	while (up.in != -1) {
		way_watch(&down, &pfds[0]);
		way_watch(&up, &pfds[1]);
		if (poll(pfds, 2, -1) == -1) {
			if (errno != EINTR)
				return;
			continue;
		}
		way_advance(&down);
		way_advance(&up);
	}
}
