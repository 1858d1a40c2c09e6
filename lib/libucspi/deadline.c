/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Waiting for one descriptor, until a point of time and no longer.
 */
#include <sys/types.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

#include "ucspi_connect.h"

/* Some 30 years: more than any option means, and nothing overflows. */
#define SECONDS_MAX	1000000000UL

int64_t
deadline_now(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

int64_t
deadline_after(unsigned long seconds)
{
	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	return (deadline_now() + (int64_t)seconds * 1000);
}

int
deadline_left(int64_t deadline_ms)
{
	int64_t	left;

	if (deadline_ms == -1)
		return (-1);
	left = deadline_ms - deadline_now();
	if (left < 0)
		return (0);
	return (left > INT_MAX ? INT_MAX : (int)left);
}

/* What is ready is taken even when its time is over. */
int
deadline_wait(int fd, short events, int64_t deadline_ms)
{
	struct pollfd	pfd;
	int		left, n;

	pfd.fd = fd;
	pfd.events = events;
	for (;;) {
		left = deadline_left(deadline_ms);
		n = poll(&pfd, 1, left);
		if (n == 1)
			return (0);
		if (n == -1 && errno != EINTR)
			return (-1);
		if (n == 0 && left == 0) {
			errno = ETIMEDOUT;
			return (-1);
		}
	}
}
