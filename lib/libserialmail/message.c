/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Opening a message and reading its head.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "maildir.h"
#include "message.h"
#include "ucspi.h"

#define RECEIVED	"Received:"

static int
message_fail(struct message_file *m, const char *doing, const char *why)
{
	m->doing = doing;
	m->why = why;
	return (-1);
}

static ssize_t
file_read(int fd, char *buf, size_t size, off_t at)
{
	ssize_t	n;

	do
		n = pread(fd, buf, size, at);
	while (n == -1 && errno == EINTR);
	return (n);
}

int
message_read(struct message_file *m, int fd, const char *prefix)
{
	ssize_t	n;

	m->fd = fd;
	if (fstat(fd, &m->st) == -1 ||
	    (n = file_read(fd, m->buf, sizeof(m->buf), 0)) == -1)
		return (message_fail(m, "read", ucspi_strerror(errno)));
	m->len = (size_t)n;
	m->verdict = head_parse(&m->head, m->buf, m->len, prefix);
	return (0);
}

int
message_open(struct message_file *m, int dirfd, const char *name,
    const char *prefix)
{
	int	error, fd;

	m->fd = -1;
	if ((fd = maildir_open(dirfd, name, &m->st)) == -1)
		return (message_fail(m, "open", maildir_why(errno)));
	if (message_read(m, fd, prefix) == -1) {
		error = errno;
		close(fd);
		m->fd = -1;
		errno = error;
		return (-1);
	}
	return (0);
}

static int
received_count(const char *buf, size_t len)
{
	const char	*end = buf + len, *lf;
	int		 count = 0;

	for (; buf < end && *buf != '\n' && *buf != '\r'; buf = lf + 1) {
		if ((size_t)(end - buf) >= strlen(RECEIVED) &&
		    strncasecmp(buf, RECEIVED, strlen(RECEIVED)) == 0)
			count++;
		if ((lf = memchr(buf, '\n', (size_t)(end - buf))) == NULL)
			break;
	}
	return (count);
}

int
message_hops(int fd, off_t start)
{
	char	*buf;
	ssize_t	 n;
	int	 count = -1;

	if ((buf = malloc(MESSAGE_HOPS_BYTES)) == NULL)
		return (-1);
	if ((n = file_read(fd, buf, MESSAGE_HOPS_BYTES, start)) != -1)
		count = received_count(buf, (size_t)n);
	free(buf);
	return (count);
}
