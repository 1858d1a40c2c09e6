/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * One imsg peer on the event loop: reads what comes, hands each message to
 * its dispatch function, writes what was queued when the peer takes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "privsep.h"

/* So long it is not tried to write what the kernel did not take. */
#define PAUSE_MS	10

static void	channel_event(int, short, void *);

/* Waiting for as much as it is allowed to: not heard until it reads. */
static int
channel_crowded(struct channel *ch)
{
	return (ch->queue_max != 0 &&
	    imsgbuf_queuelen(&ch->ibuf) > ch->queue_max);
}

static void
channel_watch(struct channel *ch)
{
	short	events = 0;

	if (!channel_crowded(ch))
		events |= EV_READ;
	if (imsgbuf_queuelen(&ch->ibuf) > 0 && !ch->paused)
		events |= EV_WRITE;
	if (ch->events == events)
		return;
	if (ch->events != 0)
		event_del(&ch->ev);
	ch->events = events;
	if (events == 0)
		return;
	event_set(&ch->ev, ch->ibuf.fd, events | EV_PERSIST, channel_event,
	    ch);
	if (event_add(&ch->ev, NULL) == -1)
		fatalx("event_add");
}

/* Looks again after ms, whatever the descriptor says. */
static void
channel_look_again(struct channel *ch, int ms)
{
	struct timeval	tv;

	tv.tv_sec = 0;
	tv.tv_usec = ms * 1000;
	evtimer_add(&ch->again, &tv);
}

/* Until then nothing is written. */
static void
channel_pause(struct channel *ch, int ms)
{
	ch->paused = 1;
	channel_look_again(ch, ms);
}

static void
channel_end(struct channel *ch)
{
	channel_close(ch);
	if (ch->lost != NULL)
		ch->lost(ch);
}

static int
channel_dispatch(struct channel *ch)
{
	struct imsg	imsg;
	int		n, rv;

	while (!channel_crowded(ch)) {
		if ((n = imsgbuf_get(&ch->ibuf, &imsg)) != 1)
			return (n);
		rv = ch->dispatch(ch, &imsg);
		imsg_free(&imsg);
		if (!ch->open)		/* dispatch closed it itself */
			return (0);
		if (rv == -1)
			return (-1);
	}
	return (0);
}

static int
channel_read(struct channel *ch)
{
	int	n;

	if ((n = imsgbuf_read(&ch->ibuf)) == -1)
		return (-1);
	/* What it said before it closed counts. */
	if (channel_dispatch(ch) == -1)
		return (-1);
	return (n == 0 && ch->open ? -1 : 0);
}

/*
 * The kernel may be short of something while the socket counts as writable
 * (ENOBUFS; ETOOMANYREFS, when too many descriptors are on their way): to
 * wait for the socket would spin.
 */
static int
channel_write(struct channel *ch)
{
	uint32_t	before = imsgbuf_queuelen(&ch->ibuf);

	if (before == 0)
		return (0);
	if (imsgbuf_write(&ch->ibuf) == -1)
		return (-1);
	if (imsgbuf_queuelen(&ch->ibuf) == before)
		channel_pause(ch, PAUSE_MS);
	return (0);
}

/* Who fills it whenever it is empty goes on now. */
static void
channel_drained(struct channel *ch)
{
	if (ch->drained != NULL && imsgbuf_queuelen(&ch->ibuf) == 0)
		ch->drained(ch);
}

static void
channel_event(int fd, short event, void *arg)
{
	struct channel	*ch = arg;
	int		 rv = 0;

	/* A peer that takes nothing more may have left last words. */
	if ((event & EV_WRITE) && channel_write(ch) == -1)
		rv = -1;
	if ((event & EV_READ) || rv == -1) {
		if (channel_read(ch) == -1)
			rv = -1;
	} else if (channel_dispatch(ch) == -1)
		rv = -1;
	if (!ch->open)
		return;
	if (rv == -1 || ch->broken) {
		channel_end(ch);
		return;
	}
	channel_watch(ch);
	if (event & EV_WRITE)
		channel_drained(ch);
}

static void
channel_again(int fd, short event, void *arg)
{
	struct channel	*ch = arg;
	short		 what = EV_READ;

	if (ch->paused)
		what |= EV_WRITE;
	ch->paused = 0;
	channel_event(fd, what, ch);
}

int
channel_adopt(struct channel *ch,
    int (*dispatch)(struct channel *, struct imsg *),
    void (*lost)(struct channel *), void *arg)
{
	int	flags;

	ch->dispatch = dispatch;
	ch->lost = lost;
	ch->arg = arg;
	ch->events = 0;
	ch->paused = 0;
	ch->broken = 0;
	if ((flags = fcntl(ch->ibuf.fd, F_GETFL)) == -1 ||
	    fcntl(ch->ibuf.fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return (-1);
	ch->open = 1;
	evtimer_set(&ch->again, channel_again, ch);
	channel_watch(ch);
	/* What came along with the hello is in memory: no event tells. */
	channel_look_again(ch, 0);
	return (0);
}

int
channel_init(struct channel *ch, int fd,
    int (*dispatch)(struct channel *, struct imsg *),
    void (*lost)(struct channel *), void *arg)
{
	memset(ch, 0, sizeof(*ch));
	if (imsgbuf_init(&ch->ibuf, fd) == -1)
		return (-1);
	imsgbuf_allow_fdpass(&ch->ibuf);
	if (channel_adopt(ch, dispatch, lost, arg) == -1) {
		imsgbuf_clear(&ch->ibuf);
		return (-1);
	}
	return (0);
}

/* The peer would wait for what never comes. */
void
channel_break(struct channel *ch)
{
	int	saved = errno;

	if (ch->open) {
		ch->broken = 1;
		channel_look_again(ch, 0);
	}
	errno = saved;
}

/*
 * Tries to write at once: most messages leave without a turn through the
 * loop.  Only what the peer does not take now waits for its descriptor.
 */
int
channel_send(struct channel *ch, uint32_t type, uint32_t id, int fd,
    const void *data, size_t len)
{
	if (!ch->open) {
		errno = ENOTCONN;
		return (-1);
	}
	if (imsg_compose(&ch->ibuf, type, id, 0, fd, data, len) == -1) {
		channel_break(ch);
		return (-1);
	}
	/* Others wait already, in order. */
	if (imsgbuf_queuelen(&ch->ibuf) > 1)
		return (0);
	/* A dead peer is met in the loop: not in the caller's midst. */
	if (imsgbuf_write(&ch->ibuf) == -1)
		channel_pause(ch, 0);
	else
		channel_watch(ch);
	return (0);
}

void
channel_close(struct channel *ch)
{
	if (!ch->open)
		return;
	ch->open = 0;
	if (ch->events != 0)
		event_del(&ch->ev);
	ch->events = 0;
	evtimer_del(&ch->again);
	imsgbuf_clear(&ch->ibuf);
	close(ch->ibuf.fd);
	ch->ibuf.fd = -1;
}
