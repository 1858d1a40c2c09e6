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

static void	channel_event(int, short, void *);

static void
channel_watch(struct channel *ch, short events)
{
	if (ch->events == events)
		return;
	if (ch->events != 0)
		event_del(&ch->ev);
	ch->events = events;
	event_set(&ch->ev, ch->ibuf.fd, events | EV_PERSIST, channel_event,
	    ch);
	if (event_add(&ch->ev, NULL) == -1)
		fatalx("event_add");
}

static void
channel_end(struct channel *ch)
{
	channel_close(ch);
	if (ch->lost != NULL)
		ch->lost(ch);
}

static int
channel_read(struct channel *ch)
{
	struct imsg	imsg;
	int		n, rv;

	if (imsgbuf_read(&ch->ibuf) != 1)
		return (-1);
	for (;;) {
		if ((n = imsgbuf_get(&ch->ibuf, &imsg)) == -1)
			return (-1);
		if (n == 0)
			return (0);
		rv = ch->dispatch(ch, &imsg);
		imsg_free(&imsg);
		if (rv == -1)
			return (-1);
		if (!ch->open)		/* dispatch closed it itself */
			return (0);
	}
}

static void
channel_event(int fd, short event, void *arg)
{
	struct channel	*ch = arg;

	if (event & EV_WRITE) {
		if (imsgbuf_write(&ch->ibuf) == -1) {
			channel_end(ch);
			return;
		}
		if (imsgbuf_queuelen(&ch->ibuf) == 0)
			channel_watch(ch, EV_READ);
	}
	if ((event & EV_READ) && channel_read(ch) == -1)
		channel_end(ch);
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
	if ((flags = fcntl(ch->ibuf.fd, F_GETFL)) == -1 ||
	    fcntl(ch->ibuf.fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return (-1);
	ch->open = 1;
	channel_watch(ch, EV_READ);
	/* What came along with the hello is in memory: no event tells. */
	event_active(&ch->ev, EV_READ, 1);
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
	if (imsg_compose(&ch->ibuf, type, id, 0, fd, data, len) == -1)
		return (-1);
	if (!(ch->events & EV_WRITE)) {
		/* A dead peer shows as an end of file when we read. */
		if (imsgbuf_write(&ch->ibuf) == -1)
			return (0);
		if (imsgbuf_queuelen(&ch->ibuf) > 0)
			channel_watch(ch, EV_READ | EV_WRITE);
	}
	return (0);
}

int
channel_flush(struct channel *ch)
{
	if (!ch->open)
		return (-1);
	return (imsgbuf_flush(&ch->ibuf));
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
	imsgbuf_clear(&ch->ibuf);
	close(ch->ibuf.fd);
	ch->ibuf.fd = -1;
}
