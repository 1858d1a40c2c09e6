/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Asking and waiting: a small poll(2) loop around a pool of one channel.
 */
#include <sys/types.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "ucspi_connect.h"
#include "ucspi_name.h"

struct name_waiter {
	const struct name_config *config;
	struct name_pool	*pool;
	struct pollfd		*fds;
	size_t			 count;
	size_t			 size;
	int64_t			 expires_ms;	/* -1: never */
	int			 out_of_memory;
	int			 done;
	struct name_answer	*answer;
	/* of a host */
	struct netaddr		*addr;
	unsigned int		 max;
	unsigned int		 found;
	int			 error;
};

static struct pollfd *
waiter_find(struct name_waiter *w, int fd)
{
	size_t	i;

	for (i = 0; i < w->count; i++) {
		if (w->fds[i].fd == fd)
			return (&w->fds[i]);
	}
	return (NULL);
}

static struct pollfd *
waiter_add(struct name_waiter *w, int fd)
{
	struct pollfd	*fds;
	size_t		 size;

	if (w->count == w->size) {
		size = w->size + 8;
		fds = reallocarray(w->fds, size, sizeof(*fds));
		if (fds == NULL) {
			w->out_of_memory = 1;
			return (NULL);
		}
		w->fds = fds;
		w->size = size;
	}
	w->fds[w->count].fd = fd;
	return (&w->fds[w->count++]);
}

static void
waiter_watch(void *arg, unsigned int channel, int fd, int readable,
    int writable)
{
	struct name_waiter	*w = arg;
	struct pollfd		*pfd;

	pfd = waiter_find(w, fd);
	if (!readable && !writable) {
		if (pfd != NULL)
			*pfd = w->fds[--w->count];
		return;
	}
	if (pfd == NULL && (pfd = waiter_add(w, fd)) == NULL)
		return;
	pfd->events = (short)((readable ? POLLIN : 0) |
	    (writable ? POLLOUT : 0));
	pfd->revents = 0;
}

static void
waiter_timer(void *arg, unsigned int channel, int ms)
{
	struct name_waiter	*w = arg;

	w->expires_ms = ms == -1 ? -1 : deadline_now() + ms;
}

/* One turn.  The pool may change the list while we are at it. */
static int
waiter_turn(struct name_waiter *w)
{
	struct pollfd	pfd;
	size_t		i;
	int		n;

	n = poll(w->fds, (nfds_t)w->count, deadline_left(w->expires_ms));
	if (n == -1 && errno != EINTR)
		return (-1);
	for (i = 0; n > 0 && i < w->count; i++) {
		pfd = w->fds[i];
		if (pfd.revents == 0)
			continue;
		w->fds[i].revents = 0;
		name_pool_ready(w->pool, 0, pfd.fd,
		    (pfd.revents & (POLLIN | POLLERR | POLLHUP)) != 0,
		    (pfd.revents & (POLLOUT | POLLERR | POLLHUP)) != 0);
	}
	if (w->expires_ms != -1 && deadline_now() >= w->expires_ms)
		name_pool_expired(w->pool, 0);
	return (0);
}

/* Until done is set.  -1 with errno when it never will be. */
static int
waiter_run(struct name_waiter *w)
{
	while (!w->done) {
		if (w->out_of_memory) {
			errno = ENOMEM;
			return (-1);
		}
		if (waiter_turn(w) == -1)
			return (-1);
	}
	return (0);
}

struct name_waiter *
name_waiter_new(const struct name_config *config)
{
	struct name_driver	 driver;
	struct name_waiter	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	w->config = config;
	w->expires_ms = -1;
	driver.watch = waiter_watch;
	driver.timer = waiter_timer;
	driver.arg = w;
	if ((w->pool = name_pool_new(config, 1, &driver)) == NULL) {
		free(w);
		return (NULL);
	}
	return (w);
}

void
name_waiter_free(struct name_waiter *w)
{
	int	saved = errno;

	if (w == NULL)
		return;
	name_pool_free(w->pool);
	free(w->fds);
	free(w);
	errno = saved;
}

static void
waiter_host_done(struct name_host *host, int error,
    const struct netaddr *addr, unsigned int count)
{
	struct name_waiter	*w = host->arg;

	w->found = count < w->max ? count : w->max;
	memcpy(w->addr, addr, w->found * sizeof(*addr));
	w->error = error;
	w->done = 1;
}

int
name_wait_host(struct name_waiter *w, const char *word, int want,
    struct netaddr *addr, unsigned int max)
{
	struct name_host	*host;
	int			 result;

	if ((host = calloc(1, sizeof(*host))) == NULL)
		return (-1);
	host->done = waiter_host_done;
	host->arg = w;
	w->addr = addr;
	w->max = max;
	w->done = 0;
	name_host_start(host, w->pool, w->config, word, want);
	if ((result = waiter_run(w)) == -1)
		name_host_cancel(host);
	free(host);
	if (result == -1)
		return (-1);
	if (w->error != 0) {
		errno = w->error;
		return (-1);
	}
	return ((int)w->found);
}

static void
waiter_query_done(struct name_query *query, const struct name_answer *answer)
{
	struct name_waiter	*w = query->arg;

	*w->answer = *answer;
	w->done = 1;
}

static int
waiter_query(struct name_waiter *w, const uint8_t *wire, uint16_t type,
    struct name_answer *answer)
{
	struct name_query	query;

	memset(answer, 0, sizeof(*answer));
	if ((answer->error = w->config->servers_error) == 0) {
		memset(&query, 0, sizeof(query));
		query.done = waiter_query_done;
		query.arg = w;
		w->answer = answer;
		w->done = 0;
		name_query_wire(w->pool, &query, wire, type);
		if (waiter_run(w) == -1) {
			answer->error = errno;
			name_query_cancel(&query);
		}
	}
	errno = answer->error;
	return (answer->error == 0 ? 0 : -1);
}

int
name_wait_query(struct name_waiter *w, const char *name, uint16_t type,
    struct name_answer *answer)
{
	uint8_t	wire[NAME_WIRE_SIZE];

	if (name_wire_from_text(wire, name) == -1) {
		memset(answer, 0, sizeof(*answer));
		answer->error = errno;
		return (-1);
	}
	return (waiter_query(w, wire, type, answer));
}

int
name_wait_ptr(struct name_waiter *w, const struct netaddr *addr, char *name)
{
	struct name_answer	answer;
	uint8_t			wire[NAME_WIRE_SIZE];
	int			result;

	(void)name_wire_from_addr(wire, addr);
	result = waiter_query(w, wire, NAME_TYPE_PTR, &answer);
	memcpy(name, answer.name, NAME_TEXT_SIZE);
	return (result);
}
