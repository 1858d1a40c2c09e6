/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Connections to customers.  A queue orders them by the customer's name; the
 * address is looked up here, in the configuration or, where addresses are
 * customers, in the name, of which there must be a directory.  So a queue
 * that somebody has taken over can reach nobody but its own customers.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"

#define CONNECT_TIMEOUT_S	60
/* At a time, of all spools; the others wait for their turn. */
#define CONNECTS_MAX		200

struct job {
	TAILQ_ENTRY(job)	 entry;
	struct spool		*spool;
	struct run_order	 order;
	struct netaddr		 addr;
	uint16_t		 port;
	int			 fd;		/* -1: it waits */
	struct event		 ev;
};

static TAILQ_HEAD(jobs, job)	jobs = TAILQ_HEAD_INITIALIZER(jobs);
static unsigned int		connecting;

static void	jobs_start(void);

/*
 * Ends
 */

static void
job_free(struct job *j)
{
	if (j->fd != -1) {
		event_del(&j->ev);
		connecting--;
		close(j->fd);
	}
	j->spool->connects--;
	TAILQ_REMOVE(&jobs, j, entry);
	free(j);
}

static void
failure_tell(struct spool *sp, uint64_t run, int error)
{
	struct channel		*queue = parent_queue(sp);
	struct connect_failure	 failure;

	if (queue == NULL)
		return;
	memset(&failure, 0, sizeof(failure));
	failure.run = run;
	failure.error = error;
	(void)channel_send(queue, IMSG_QUEUE_CONNECT_FAILED, 0, -1, &failure,
	    sizeof(failure));
}

/* Its customer's name is in the queue's lines. */
static void
job_log(const struct job *j, const char *what)
{
	if (parent.verbose)
		log_info("%s run %llu: %s port %u: %s", j->spool->path,
		    (unsigned long long)j->order.run, j->order.peer,
		    (unsigned int)j->port, what);
}

static void
job_failed(struct job *j, int error)
{
	job_log(j, strerror(error));
	failure_tell(j->spool, j->order.run, error);
	job_free(j);
}

/* The relay has it from now on. */
static void
job_done(struct job *j)
{
	struct channel	*relay = parent_relay();
	int		 fd;

	if (relay == NULL) {
		job_failed(j, EAGAIN);
		return;
	}
	/* The event loop's descriptor is given up before it changes hands. */
	event_del(&j->ev);
	connecting--;
	fd = j->fd;
	j->fd = -1;
	if (channel_send(relay, IMSG_RELAY_RUN, 0, fd, &j->order,
	    sizeof(j->order)) == -1) {
		close(fd);
		job_failed(j, errno);
		return;
	}
	job_log(j, "connected");
	job_free(j);
}

/*
 * Connecting
 */

static void
job_event(int fd, short event, void *arg)
{
	struct job	*j = arg;
	socklen_t	 len = sizeof(int);
	int		 error = ETIMEDOUT;

	if (!(event & EV_TIMEOUT) && getsockopt(fd, SOL_SOCKET, SO_ERROR,
	    &error, &len) == -1)
		error = errno;
	if (error == 0)
		job_done(j);
	else
		job_failed(j, error);
	jobs_start();
}

/* Its end is told by the event in any case, also where it is there at once. */
static int
socket_connect(const struct job *j)
{
	struct sockaddr_storage	ss;
	socklen_t		len;
	int			error, fd, one = 1;

	len = netaddr_to_sockaddr(&j->addr, j->port, AF_UNSPEC, &ss);
	if ((fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0)) == -1)
		return (-1);
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
	    (connect(fd, (struct sockaddr *)&ss, len) == 0 ||
	    errno == EINPROGRESS))
		return (fd);
	error = errno;
	close(fd);
	errno = error;
	return (-1);
}

static void
job_start(struct job *j)
{
	struct timeval	tv = { CONNECT_TIMEOUT_S, 0 };

	if ((j->fd = socket_connect(j)) == -1) {
		job_failed(j, errno);
		return;
	}
	connecting++;
	event_set(&j->ev, j->fd, EV_WRITE, job_event, j);
	if (event_add(&j->ev, &tv) == -1)
		job_failed(j, ENOMEM);
}

/* In the order in which they were asked for. */
static void
jobs_start(void)
{
	struct job	*j, *next;

	for (j = TAILQ_FIRST(&jobs); j != NULL && connecting < CONNECTS_MAX;
	    j = next) {
		next = TAILQ_NEXT(j, entry);
		if (j->fd == -1)
			job_start(j);
	}
}

/*
 * Orders
 */

static const struct conf_customer *
customer_configured(const struct spool *sp, const char *name)
{
	const struct conf_customer	*cc;

	TAILQ_FOREACH(cc, &sp->conf->customers, entry)
		if (strcmp(cc->settings.name, name) == 0)
			return (cc);
	return (NULL);
}

/* 0, or an errno value: he is none. */
static int
directory_check(const struct spool *sp, const char *name)
{
	char		path[PATH_MAX];
	struct stat	st;
	int		n;

	n = snprintf(path, sizeof(path), "%s/%s", sp->path, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return (ENAMETOOLONG);
	if (lstat(path, &st) == -1)
		return (errno);
	return (S_ISDIR(st.st_mode) ? 0 : ENOTDIR);
}

static void
delivery_fill(struct job *j, const struct delivery_settings *d,
    const char *prefix)
{
	char	text[NETADDR_TEXT_SIZE];

	j->port = (uint16_t)d->port;
	j->order.spool = j->spool->number;
	j->order.protocol = d->protocol;
	j->order.hops_max = d->hops_max;
	strlcpy(j->order.helo, d->helo, sizeof(j->order.helo));
	strlcpy(j->order.prefix, prefix, sizeof(j->order.prefix));
	strlcpy(j->order.peer, netaddr_text(&j->addr, text),
	    sizeof(j->order.peer));
}

/* 0, or an errno value. */
static int
customer_look_up(struct job *j, const char *name)
{
	const struct spool		*sp = j->spool;
	const struct conf_customer	*cc;
	char				 prefix[PREFIX_SIZE];
	int				 error;

	if ((cc = customer_configured(sp, name)) != NULL) {
		j->addr = cc->settings.relay;
		delivery_fill(j, &cc->settings.delivery, cc->settings.prefix);
		return (0);
	}
	if (!sp->conf->settings.addresses || !spool_address(name, &j->addr))
		return (ENOENT);
	if ((error = directory_check(sp, name)) != 0)
		return (error);
	snprintf(prefix, sizeof(prefix), "autoturn-%s-", name);
	delivery_fill(j, &sp->conf->settings.defaults, prefix);
	return (0);
}

static int
job_add(struct spool *sp, const struct connect_order *order)
{
	struct job	*j;
	int		 error;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return (errno);
	j->spool = sp;
	j->fd = -1;
	j->order.run = order->run;
	if ((error = customer_look_up(j, order->customer)) != 0) {
		free(j);
		return (error);
	}
	sp->connects++;
	TAILQ_INSERT_TAIL(&jobs, j, entry);
	return (0);
}

int
connect_dispatch(struct spool *sp, struct imsg *imsg)
{
	struct connect_order	order;
	int			error;

	if (imsg_get_data(imsg, &order, sizeof(order)) == -1 ||
	    memchr(order.customer, '\0', sizeof(order.customer)) == NULL ||
	    sp->connects >= CONCURRENCY_MAX)
		return (-1);
	/* A queue that was told to leave begins nothing. */
	if (sp->conf == NULL || sp->leaving != NULL || processes_stopping)
		error = ECANCELED;
	else
		error = job_add(sp, &order);
	if (error != 0)
		failure_tell(sp, order.run, error);
	jobs_start();
	return (0);
}

static void
jobs_end(const struct spool *sp, void (*end)(struct job *, int), int error)
{
	struct job	*j, *next;

	for (j = TAILQ_FIRST(&jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (sp == NULL || j->spool == sp)
			end(j, error);
	}
}

static void
job_forget(struct job *j, int error)
{
	job_free(j);
}

void
connects_cancel(struct spool *sp)
{
	jobs_end(sp, job_forget, 0);
	jobs_start();
}

void
connects_fail(int error)
{
	jobs_end(NULL, job_failed, error);
}
