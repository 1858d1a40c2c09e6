/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reading and writing that finishes what it began.
 */
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "ucspi_stream.h"

/* Whether the call that just failed is to be made again. */
static int
stream_retry(int fd, short events)
{
	struct pollfd	pfd;

	if (errno == EINTR)
		return (1);
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return (0);
	pfd.fd = fd;
	pfd.events = events;
	return (poll(&pfd, 1, -1) != -1 || errno == EINTR);
}

ssize_t
stream_read(int fd, void *buf, size_t size)
{
	ssize_t	n;

	do {
		n = read(fd, buf, size);
	} while (n == -1 && stream_retry(fd, POLLIN));
	return (n);
}

int
stream_write(int fd, const void *data, size_t len)
{
	const char	*p = data;
	ssize_t		 n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1) {
			if (!stream_retry(fd, POLLOUT))
				return (-1);
			continue;
		}
		p += n;
		len -= (size_t)n;
	}
	return (0);
}

static int
descriptor_raise(int *fd)
{
	int	raised;

	if (*fd > STDERR_FILENO)
		return (0);
	raised = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (raised == -1)
		return (-1);
	(void)close(*fd);
	*fd = raised;
	return (0);
}

int
stream_pipe(int pipes[2])
{
	int	error;

	if (pipe2(pipes, O_CLOEXEC) == -1)
		return (-1);
	if (descriptor_raise(&pipes[0]) == 0 &&
	    descriptor_raise(&pipes[1]) == 0)
		return (0);
	error = errno;
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	errno = error;
	return (-1);
}

int
stream_filter(int in, int out,
    size_t (*reshape)(int *, char *, const char *, size_t))
{
	static char	block[STREAM_BLOCK_SIZE];
	static char	made[2 * STREAM_BLOCK_SIZE];
	ssize_t		n;
	size_t		len;
	int		state = 0;

	do {
		n = stream_read(in, block, sizeof(block));
		if (n == -1)
			return (-1);
		len = reshape(&state, made, block, (size_t)n);
		if (stream_write(out, made, len) == -1)
			return (-1);
	} while (n > 0);
	return (0);
}
