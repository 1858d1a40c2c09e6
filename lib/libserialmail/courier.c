/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Between maildirserial and a server.  Names are NUL-terminated and relative
 * to the current directory; a record is the name, NUL, K, Z or D, a line of
 * text, LF.  What the server says is hostile, and so is the message; a text
 * never holds an LF or a NUL.
 *
 * Descriptors were inherited and keep their flags: nothing is written that
 * could sleep while the server has something to say.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "courier.h"
#include "message.h"
#include "ucspi.h"
#include "ucspi_connect.h"
#include "ucspi_stream.h"

#define NET_READ	6
#define NET_WRITE	7
#define NAME_SIZE	PATH_MAX	/* with its NUL */
#define NAMES_SIZE	(4 * NAME_SIZE)
#define READ_SIZE	16384
#define LINE_SIZE	1024
#define RECORD_SIZE	(NAME_SIZE + COURIER_RECORD_SEVERAL_MAX + 3)

/* A message that was given to the delivery. */
struct parcel {
	struct message_file	file;
	char			name[NAME_SIZE];
};

struct courier {
	const char	*program;
	const char	*prefix;
	const char	*peer;			/* $TCPREMOTEIP */
	struct delivery	*delivery;
	int		 names_end;
	int		 finished;		/* the delivery knows of it */
	int		 skipping;		/* a name that is too long */
	size_t		 names_at;
	size_t		 names_len;
	char		 names[NAMES_SIZE];
	int		 write_full;		/* wait before the next write */
	int		 write_error;
	int		 ended;
	int		 status;
};

static __attribute__((__format__(__printf__, 2, 3))) void
courier_say(const struct courier *c, const char *format, ...)
{
	char	line[LINE_SIZE], *p;
	va_list	ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	for (p = line; *p != '\0'; p++)
		*p = delivery_printable(*p);
	(void)dprintf(STDERR_FILENO, "%s: %s\n", c->program, line);
}

/* Nobody may unlink a file for a record that was not written. */
static void
record_put(struct courier *c, const char *name, int status, const char *text)
{
	char	record[RECORD_SIZE];
	size_t	len = strlen(name) + 1;

	memcpy(record, name, len);
	record[len++] = (char)status;
	record[len] = '\0';
	len += strlcpy(record + len, text, COURIER_RECORD_SEVERAL_MAX + 1);
	record[len++] = '\n';
	if (stream_write(STDOUT_FILENO, record, len) == 0)
		return;
	courier_say(c, "fatal: unable to write result: %s",
	    ucspi_strerror(errno));
	c->ended = 1;
}

/* It is to be tried again. */
static void
record_unable(struct courier *c, const char *name, const char *doing,
    const char *why)
{
	char	text[LINE_SIZE];

	(void)snprintf(text, sizeof(text), "unable to %s: %s", doing, why);
	record_put(c, name, DELIVERY_TEMPORARY, text);
}

static void
parcel_free(struct parcel *parcel)
{
	if (parcel->file.fd != -1)
		(void)close(parcel->file.fd);
	free(parcel);
}

/* 0, or -1 when it is another's or can't be had; then that was said. */
static int
parcel_open(struct courier *c, struct parcel *parcel)
{
	struct message_file	*m = &parcel->file;

	if (message_open(m, AT_FDCWD, parcel->name, c->prefix) == -1) {
		record_unable(c, parcel->name, m->doing, m->why);
		return (-1);
	}
	switch (m->verdict) {
	case HEAD_OK:
		return (0);
	case HEAD_OTHER:
		courier_say(c, "warning: %s: not for a recipient with prefix "
		    "%s", parcel->name, c->prefix);
		break;
	case HEAD_BAD:
		record_unable(c, parcel->name, "find envelope", m->head.why);
		break;
	}
	return (-1);
}

static void
parcel_give(struct courier *c, const char *name)
{
	struct delivery_message	 message;
	struct parcel		*parcel;
	const struct head	*head;

	if ((parcel = malloc(sizeof(*parcel))) == NULL) {
		record_put(c, name, DELIVERY_TEMPORARY, "out of memory");
		return;
	}
	(void)snprintf(parcel->name, sizeof(parcel->name), "%s", name);
	if (parcel_open(c, parcel) == -1) {
		parcel_free(parcel);
		return;
	}
	head = &parcel->file.head;
	memset(&message, 0, sizeof(message));
	message.sender = head->sender;
	message.recipients = head->recipients;
	message.nrecipients = head->nrecipients;
	message.fd = parcel->file.fd;
	message.start = (off_t)head->body;
	message.len = parcel->file.st.st_size > message.start ?
	    parcel->file.st.st_size - message.start : 0;
	message.cookie = parcel;
	delivery_give(c->delivery, &message, deadline_now());
}

/* The next whole name, or NULL; it stays until names are read again. */
static const char *
name_next(struct courier *c)
{
	const char	*name = c->names + c->names_at;
	const char	*end = memchr(name, '\0', c->names_len);
	size_t		 len;

	if (end == NULL)
		return (NULL);
	len = (size_t)(end - name);
	c->names_at += len + 1;
	c->names_len -= len + 1;
	if (!c->skipping && len < NAME_SIZE)
		return (name);
	courier_say(c, "warning: a file name is too long");
	c->skipping = 0;
	return ("");
}

/* Reads more names; a last one without NUL was never meant to be one. */
static void
names_read(struct courier *c)
{
	ssize_t	n;

	memmove(c->names, c->names + c->names_at, c->names_len);
	c->names_at = 0;
	if (c->names_len == sizeof(c->names)) {
		c->skipping = 1;
		c->names_len = 0;
	}
	n = read(STDIN_FILENO, c->names + c->names_len,
	    sizeof(c->names) - c->names_len);
	if (n > 0)
		c->names_len += (size_t)n;
	else if (n == 0)
		c->names_end = 1;
	else if (errno != EINTR && errno != EAGAIN) {
		courier_say(c, "fatal: unable to read file names: %s",
		    ucspi_strerror(errno));
		c->ended = 1;
	}
}

/* Whether there is something to read, or an end, right now. */
static int
names_ready(const struct courier *c)
{
	struct pollfd	pfd;

	pfd.fd = STDIN_FILENO;
	pfd.events = POLLIN;
	return (!c->names_end && !c->ended && poll(&pfd, 1, 0) == 1);
}

static void
end_take(struct courier *c, const struct delivery_event *event)
{
	char	text[LINE_SIZE];

	c->ended = 1;
	if (event->status == DELIVERY_ACCEPTED) {
		c->status = 0;
		return;
	}
	(void)delivery_event_text(text, sizeof(text), c->peer, event);
	if (event->said)
		courier_say(c, "fatal: %s", text);
	else
		courier_say(c, "fatal: %s: %s", c->peer, text);
}

static void
event_take(struct courier *c, const struct delivery_event *event)
{
	struct parcel	*parcel = event->cookie;
	char		 text[COURIER_RECORD_SEVERAL_MAX + 1];

	if (event->what == DELIVERY_RESULT && !c->ended) {
		(void)delivery_event_text(text,
		    (parcel->file.head.nrecipients > 1 ?
		    COURIER_RECORD_SEVERAL_MAX : COURIER_RECORD_TEXT_MAX) + 1,
		    c->peer, event);
		record_put(c, parcel->name, event->status, text);
	}
	if (event->what != DELIVERY_END)
		parcel_free(parcel);
	else if (!c->ended)
		end_take(c, event);
}

static void
events_take(struct courier *c)
{
	struct delivery_event	event;

	while (delivery_event(c->delivery, &event))
		event_take(c, &event);
}

/*
 * All messages that are wanted and known by name, or that there are no more;
 * 1 if there was something to tell, after which there may be output.
 */
static int
messages_give(struct courier *c)
{
	const char	*name;
	int		 given = 0;

	while (!c->ended && delivery_wants(c->delivery)) {
		if ((name = name_next(c)) == NULL) {
			if (names_ready(c)) {
				names_read(c);
				continue;
			}
			if (c->names_end && !c->finished) {
				c->finished = given = 1;
				delivery_finish(c->delivery, deadline_now());
			}
			break;
		}
		given = 1;
		if (*name != '\0')
			parcel_give(c, name);
		events_take(c);
	}
	return (given);
}

/* What is no socket takes PIPE_BUF octets without sleep once it is ready. */
static ssize_t
net_write(const char *data, size_t len)
{
	struct pollfd	pfd;
	ssize_t		n;

	n = send(NET_WRITE, data, len, MSG_DONTWAIT);
	if (n != -1 || errno != ENOTSOCK)
		return (n);
	pfd.fd = NET_WRITE;
	pfd.events = POLLOUT;
	if (poll(&pfd, 1, 0) == 0) {
		errno = EAGAIN;
		return (-1);
	}
	return (write(NET_WRITE, data, len < PIPE_BUF ? len : PIPE_BUF));
}

/*
 * Sends what there is to send, until the connection is full; messages are
 * given as they are asked for meanwhile.  A server that has closed its side
 * may have said why: that is read first.
 */
static void
output_flush(struct courier *c)
{
	const char	*data;
	size_t		 len;
	ssize_t		 n;

	while (!c->ended && !c->write_full && c->write_error == 0) {
		len = delivery_output(c->delivery, &data);
		events_take(c);
		if (messages_give(c))
			continue;
		if (len == 0)
			return;
		n = net_write(data, len);
		if (n >= 0)
			delivery_sent(c->delivery, (size_t)n, deadline_now());
		else if (errno == EAGAIN || errno == EWOULDBLOCK ||
		    errno == ENOBUFS)
			c->write_full = 1;
		else if (errno != EINTR)
			c->write_error = errno;
	}
}

static void
net_read(struct courier *c)
{
	char	buf[READ_SIZE];
	ssize_t	n;

	n = read(NET_READ, buf, sizeof(buf));
	if (n > 0)
		delivery_receive(c->delivery, buf, (size_t)n, deadline_now());
	else if (n == 0)
		delivery_lost(c->delivery, c->write_error);
	else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
		delivery_lost(c->delivery, errno);
}

/* Waits for something to happen and takes it in. */
static void
courier_wait(struct courier *c)
{
	struct pollfd	pfds[3];
	int		n;

	pfds[0].fd = NET_READ;
	pfds[0].events = POLLIN;
	pfds[1].fd = c->write_full && c->write_error == 0 ? NET_WRITE : -1;
	pfds[1].events = POLLOUT;
	pfds[2].fd = !c->names_end && delivery_wants(c->delivery) ?
	    STDIN_FILENO : -1;
	pfds[2].events = POLLIN;
	n = poll(pfds, nitems(pfds), c->write_error != 0 ? 0 :
	    deadline_left(delivery_deadline(c->delivery)));
	if (n == -1)
		return;
	if (n > 0 && pfds[0].revents != 0)
		net_read(c);
	else if (c->write_error != 0)
		delivery_lost(c->delivery, c->write_error);
	if (n > 0 && pfds[1].revents != 0)
		c->write_full = 0;
	if (n > 0 && pfds[2].revents != 0)
		names_read(c);
	if (n == 0)
		delivery_expire(c->delivery, deadline_now());
	events_take(c);
}

int
courier_run(const char *program, struct delivery *delivery, const char *prefix)
{
	static struct courier	 c;
	int			 on = 1;

	c.program = program;
	c.prefix = prefix;
	c.delivery = delivery;
	c.status = UCSPI_EXIT_TEMPORARY;
	c.peer = getenv("TCPREMOTEIP");
	if (c.peer == NULL)
		c.peer = "the server";
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setsockopt(NET_WRITE, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (!c.ended) {
		(void)messages_give(&c);
		output_flush(&c);
		if (!c.ended)
			courier_wait(&c);
	}
	delivery_lost(delivery, 0);
	events_take(&c);
	delivery_free(delivery);
	return (c.status);
}
