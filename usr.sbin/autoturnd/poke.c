/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Datagrams of mail.autoturn(8): "there is mail in this Maildir".  Anybody
 * whom the socket's mode lets may send them, so they name nothing but whom
 * to look at.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "poke.h"
#include "queue.h"

#define BATCH_MAX	64	/* others want their turn too */
#define TROUBLE_REST_S	1

static struct event	poke_readable;
static struct event	poke_rest;
static int		poke_fd = -1;

static void
poke_heard(const char *name, size_t len)
{
	struct customer	*c;

	if (len == 0 || memchr(name, '\0', len) != NULL ||
	    (c = customer_look_for(name)) == NULL) {
		queue.strangers++;
		return;
	}
	customer_trigger(c, REASON_MAIL);
}

static void
poke_trouble(void)
{
	struct timeval	tv = { TROUBLE_REST_S, 0 };

	log_warn("poke socket");
	event_del(&poke_readable);
	evtimer_add(&poke_rest, &tv);
}

static void
poke_event(int fd, short event, void *arg)
{
	char	name[POKE_SIZE_MAX + 2];
	ssize_t	n;
	int	i;

	for (i = 0; i < BATCH_MAX; i++) {
		n = recv(fd, name, POKE_SIZE_MAX + 1, MSG_DONTWAIT);
		if (n == -1) {
			if (errno != EAGAIN && errno != EINTR)
				poke_trouble();
			return;
		}
		/* A longer one is cut by now, and nobody's. */
		name[n] = '\0';
		if (n > POKE_SIZE_MAX)
			n = 0;
		poke_heard(name, (size_t)n);
	}
}

static void
poke_rested(int fd, short event, void *arg)
{
	event_add(&poke_readable, NULL);
}

void
poke_open(int fd)
{
	if (poke_fd != -1) {
		event_del(&poke_readable);
		evtimer_del(&poke_rest);
		close(poke_fd);
	}
	poke_fd = fd;
	event_set(&poke_readable, fd, EV_READ | EV_PERSIST, poke_event, NULL);
	evtimer_set(&poke_rest, poke_rested, NULL);
	if (event_add(&poke_readable, NULL) == -1)
		fatalx("event_add");
}
