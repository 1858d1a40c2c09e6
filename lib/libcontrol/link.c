/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "control_wire.h"
#include "link.h"
#include "text.h"

#define HELLO_TIMEOUT_S		10
#define EXIT_FAILED		1

static int
socket_connect(const char *path)
{
	struct sockaddr_un	sun;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return (-1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return (fd);
	close(fd);
	return (-1);
}

static void
wait_readable(struct link *l, int seconds)
{
	struct pollfd	p = { .fd = l->ibuf.fd, .events = POLLIN };
	int		n;

	do
		n = poll(&p, 1, seconds == 0 ? -1 : seconds * 1000);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		err(EXIT_FAILED, "poll");
	if (n == 0)
		errx(EXIT_FAILED, "the daemon has not answered for %d s",
		    seconds);
}

static void
message_wait(struct link *l, int seconds)
{
	int	n;

	if (l->have)
		imsg_free(&l->imsg);
	l->have = 0;
	while ((n = imsgbuf_get(&l->ibuf, &l->imsg)) == 0) {
		wait_readable(l, seconds);
		if ((n = imsgbuf_read(&l->ibuf)) == -1)
			err(EXIT_FAILED, "from the daemon");
		if (n == 0)
			errx(EXIT_FAILED, "the daemon has hung up");
	}
	if (n == -1)
		err(EXIT_FAILED, "from the daemon");
	l->have = 1;
}

void
link_next(struct link *l, struct link_message *m, int seconds)
{
	struct ibuf	data;

	message_wait(l, seconds);
	m->type = imsg_get_type(&l->imsg);
	m->data = NULL;
	if ((m->len = imsg_get_len(&l->imsg)) == 0)
		return;
	if (imsg_get_ibuf(&l->imsg, &data) == -1)
		err(EXIT_FAILED, "from the daemon");
	m->data = ibuf_data(&data);
}

int
link_string(const char **s, const char **data, size_t *left, uint32_t len)
{
	*s = NULL;
	if (len == 0)
		return (0);
	if (len > *left || (*data)[len - 1] != '\0')
		return (-1);
	*s = *data;
	*data += len;
	*left -= len;
	return (0);
}

int
link_fd(struct link *l)
{
	return (imsg_get_fd(&l->imsg));
}

void
link_ask(struct link *l, uint32_t type, const void *data, size_t len)
{
	if (imsg_compose(&l->ibuf, type, 0, 0, -1, data, len) == -1)
		err(EXIT_FAILED, "to the daemon");
	/* Who hangs up on us may have said why. */
	if (imsgbuf_flush(&l->ibuf) == -1 && errno != EPIPE)
		err(EXIT_FAILED, "to the daemon");
}

void
link_refused(const struct link_message *m)
{
	errx(EXIT_FAILED, "the daemon refuses: %s",
	    safe_bytes(m->data, m->len));
}

void
link_hello(struct link *l, uint32_t version)
{
	struct link_message	m;

	link_ask(l, IMSG_CTL_HELLO, &version, sizeof(version));
	link_next(l, &m, HELLO_TIMEOUT_S);
	if (m.type == IMSG_CTL_REFUSED)
		link_refused(&m);
	if (m.type != IMSG_CTL_WELCOME)
		errx(EXIT_FAILED, "the daemon does not say welcome");
}

void
link_adopt(struct link *l, int fd)
{
	memset(l, 0, sizeof(*l));
	if (imsgbuf_init(&l->ibuf, fd) == -1)
		err(EXIT_FAILED, "imsgbuf_init");
}

void
link_allow_fds(struct link *l)
{
	imsgbuf_allow_fdpass(&l->ibuf);
}

void
link_connect(struct link *l, const char *path)
{
	int	fd;

	if ((fd = socket_connect(path)) == -1)
		err(EXIT_FAILED, "%s", path);
	link_adopt(l, fd);
}

void
link_close(struct link *l)
{
	int	fd = l->ibuf.fd;

	if (l->have)
		imsg_free(&l->imsg);
	imsgbuf_clear(&l->ibuf);
	close(fd);
	memset(l, 0, sizeof(*l));
}
