/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who connects to a control socket: nothing is read from him.  He is given
 * a channel to each spool's queue, which judges what he asks; what the
 * parent says of it is that he came by the restricted socket.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "parent.h"

#define CALLERS_MAX	8
#define CALLER_S	5		/* so long he may take to read */
#define PAUSE_S		1		/* short of descriptors */

struct caller {
	TAILQ_ENTRY(caller)	 entry;
	struct imsgbuf		 ibuf;
	struct event		 ev;
};

static TAILQ_HEAD(, caller)	callers = TAILQ_HEAD_INITIALIZER(callers);
static unsigned int		callers_len;

static void	socket_watch(int);

static void
caller_free(struct caller *c)
{
	if (event_initialized(&c->ev))
		event_del(&c->ev);
	close(c->ibuf.fd);
	imsgbuf_clear(&c->ibuf);
	TAILQ_REMOVE(&callers, c, entry);
	callers_len--;
	free(c);
}

static void	caller_write(int, short, void *);

/* What it has not taken in time it does not get. */
static void
caller_advance(struct caller *c)
{
	struct timeval	tv = { CALLER_S, 0 };

	if (imsgbuf_write(&c->ibuf) == -1 ||
	    imsgbuf_queuelen(&c->ibuf) == 0) {
		caller_free(c);
		return;
	}
	event_set(&c->ev, c->ibuf.fd, EV_WRITE, caller_write, c);
	if (event_add(&c->ev, &tv) == -1)
		caller_free(c);
}

static void
caller_write(int fd, short event, void *arg)
{
	struct caller	*c = arg;

	if (event & EV_TIMEOUT)
		caller_free(c);
	else
		caller_advance(c);
}

static int
caller_say(struct caller *c, uint32_t type, int fd, const void *data,
    size_t len)
{
	return (imsg_compose(&c->ibuf, type, 0, 0, fd, data, len) == 1 ?
	    0 : -1);
}

static int
spools_count(void)
{
	struct spool	*sp;
	int		 n = 0;

	TAILQ_FOREACH(sp, &parent.spools, entry)
		n += sp->conf != NULL;
	return (n);
}

static int
caller_say_daemon(struct caller *c)
{
	static struct control_daemon	d;	/* large */

	memset(&d, 0, sizeof(d));
	d.version = CONTROL_VERSION;
	d.parent_pid = (uint32_t)getpid();
	d.spools = (uint32_t)spools_count();
	d.reloads = parent.reloads;
	d.started_at = parent.started_at;
	d.loaded_at = parent.loaded_at;
	strlcpy(d.build, privsep_build, sizeof(d.build));
	strlcpy(d.conf_path, parent.conf_path, sizeof(d.conf_path));
	return (caller_say(c, IMSG_CTL_DAEMON, -1, &d, sizeof(d)));
}

/* The queue's end of a new channel is on its way; -1: there is none. */
static int
queue_connect(struct spool *sp, int restricted)
{
	struct channel	*queue = parent_queue(sp);
	int		 sv[2];

	if (queue == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, sv) == -1)
		return (-1);
	if (channel_send(queue, IMSG_QUEUE_CONTROL, (uint32_t)restricted,
	    sv[1], NULL, 0) == 0)
		return (sv[0]);
	close(sv[0]);
	close(sv[1]);
	return (-1);
}

static int
caller_say_spools(struct caller *c, int restricted)
{
	struct spool	*sp;
	int		 fd;

	TAILQ_FOREACH(sp, &parent.spools, entry) {
		if (sp->conf == NULL)
			continue;
		fd = queue_connect(sp, restricted);
		if (caller_say(c, IMSG_CTL_SPOOL, fd, sp->path,
		    strlen(sp->path)) == -1) {
			if (fd != -1)
				close(fd);
			return (-1);
		}
	}
	return (caller_say(c, IMSG_CTL_SPOOLS_END, -1, NULL, 0));
}

static void
caller_new(int fd, int restricted)
{
	struct caller	*c;

	if (callers_len == CALLERS_MAX)
		caller_free(TAILQ_FIRST(&callers));
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    imsgbuf_init(&c->ibuf, fd) == -1) {
		log_warn("control client");
		free(c);
		close(fd);
		return;
	}
	imsgbuf_allow_fdpass(&c->ibuf);
	TAILQ_INSERT_TAIL(&callers, c, entry);
	callers_len++;
	if (caller_say_daemon(c) == -1 ||
	    caller_say_spools(c, restricted) == -1) {
		log_warn("control client");
		caller_free(c);
		return;
	}
	caller_advance(c);
}

static void
socket_pause_end(int fd, short event, void *arg)
{
	socket_watch((int)((struct named *)arg - parent.sockets));
}

static void
socket_pause(int which)
{
	struct timeval	tv = { PAUSE_S, 0 };
	struct event	*ev = &parent.socket_events[which];

	event_del(ev);
	evtimer_set(ev, socket_pause_end, &parent.sockets[which]);
	evtimer_add(ev, &tv);
}

static void
socket_event(int lfd, short event, void *arg)
{
	int	which = (int)((struct named *)arg - parent.sockets), fd;

	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd != -1)
		caller_new(fd, which == PARENT_RESTRICTED);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		log_warn("control client");
		socket_pause(which);
	}
}

static void
socket_watch(int which)
{
	struct event	*ev = &parent.socket_events[which];

	if (parent.sockets[which].path == NULL)
		return;
	event_set(ev, parent.sockets[which].fd, EV_READ | EV_PERSIST,
	    socket_event, &parent.sockets[which]);
	if (event_add(ev, NULL) == -1)
		fatalx("event_add");
}

void
callers_ignore(void)
{
	int	i;

	for (i = 0; i < PARENT_SOCKETS; i++)
		if (event_initialized(&parent.socket_events[i]))
			event_del(&parent.socket_events[i]);
}

void
callers_listen(void)
{
	int	i;

	callers_ignore();
	for (i = 0; i < PARENT_SOCKETS; i++)
		socket_watch(i);
}
