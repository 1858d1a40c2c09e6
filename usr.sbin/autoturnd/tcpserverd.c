/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The way to tcpserverd's event socket, made for each queue that wants one,
 * again and again until there is one.  Who answers there tells us who has
 * shown up: he must be root or who we are.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"

#define RETRY_MIN_MS	100
#define RETRY_MAX_MS	5000

static int
address_fill(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) <
	    sizeof(sun->sun_path))
		return (0);
	errno = ENAMETOOLONG;
	return (-1);
}

/* Whose process listens there. */
static int
listener_trusted(int fd)
{
	uid_t	uid;
	gid_t	gid;

	if (getpeereid(fd, &uid, &gid) == -1)
		return (-1);
	if (uid == 0 || uid == geteuid())
		return (0);
	errno = EPERM;
	return (-1);
}

static int
tcpserverd_connect(const char *path)
{
	struct sockaddr_un	sun;
	int			error, fd;

	if (address_fill(&sun, path) == -1 ||
	    (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) == -1)
		return (-1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    listener_trusted(fd) == 0)
		return (fd);
	error = errno;
	close(fd);
	errno = error;
	return (-1);
}

static void	events_try(struct spool *);

static void
events_timer(int fd, short event, void *arg)
{
	events_try(arg);
}

/* How long the try after this one is to wait. */
static void
events_slower(struct spool *sp)
{
	sp->events_ms = sp->events_ms == 0 ? RETRY_MIN_MS :
	    2 * sp->events_ms;
	if (sp->events_ms > RETRY_MAX_MS)
		sp->events_ms = RETRY_MAX_MS;
}

static void
events_later(struct spool *sp)
{
	struct timeval	tv;

	tv.tv_sec = sp->events_ms / 1000;
	tv.tv_usec = sp->events_ms % 1000 * 1000;
	evtimer_set(&sp->events_timer, events_timer, sp);
	evtimer_add(&sp->events_timer, &tv);
}

/* Once each time, whatever the number of tries. */
static void
events_failed(struct spool *sp)
{
	const char	*path = parent.conf->event_path;

	if (!sp->events_told && errno == EPERM)
		log_warnx("events from \"%s\": who answers there is neither "
		    "root nor we", path);
	else if (!sp->events_told)
		log_warn("events from \"%s\"", path);
	sp->events_told = 1;
	events_later(sp);
}

static void
events_try(struct spool *sp)
{
	struct channel	*queue = parent_queue(sp);
	int		 fd;

	if (evtimer_initialized(&sp->events_timer))
		evtimer_del(&sp->events_timer);
	if (!sp->events_wanted || queue == NULL || processes_stopping ||
	    parent.conf->event_path == NULL)
		return;
	events_slower(sp);
	if ((fd = tcpserverd_connect(parent.conf->event_path)) == -1) {
		events_failed(sp);
		return;
	}
	if (channel_send(queue, IMSG_QUEUE_EVENTS, 0, fd, NULL, 0) == -1) {
		close(fd);
		events_later(sp);
		return;
	}
	sp->events_wanted = sp->events_told = 0;
}

/* Who hangs up at once is not asked more often than who is not there. */
void
tcpserverd_wanted(struct spool *sp)
{
	int64_t	now = clock_ms();

	sp->events_wanted = 1;
	if (now - sp->events_at_ms > RETRY_MAX_MS)
		sp->events_ms = 0;
	sp->events_at_ms = now;
	if (sp->events_ms == 0)
		events_try(sp);
	else
		events_later(sp);
}

void
tcpserverd_forget(struct spool *sp)
{
	sp->events_wanted = sp->events_told = 0;
	sp->events_ms = 0;
	if (evtimer_initialized(&sp->events_timer))
		evtimer_del(&sp->events_timer);
}

/* What a queue has now is of the old path: that goes first. */
static void
events_change(struct spool *sp)
{
	tcpserverd_forget(sp);
	if (parent_queue(sp) == NULL)
		return;
	(void)channel_send(parent_queue(sp), IMSG_QUEUE_EVENTS, 0, -1, NULL,
	    0);
	tcpserverd_wanted(sp);
}

void
tcpserverd_changed(void)
{
	struct spool	*sp;

	TAILQ_FOREACH(sp, &parent.spools, entry)
		events_change(sp);
}
