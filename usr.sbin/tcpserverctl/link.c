/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The connection to the daemon: one, blocking.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <imsg.h>

#include "link.h"
#include "tcpserverctl.h"

#define HELLO_TIMEOUT_S		10

static struct imsgbuf	ibuf;
static struct imsg	imsg;
static int		have;		/* a message that must be freed */

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
wait_readable(int seconds)
{
	struct pollfd	p = { .fd = ibuf.fd, .events = POLLIN };
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
message_wait(int seconds)
{
	int	n;

	if (have)
		imsg_free(&imsg);
	have = 0;
	while ((n = imsgbuf_get(&ibuf, &imsg)) == 0) {
		wait_readable(seconds);
		if ((n = imsgbuf_read(&ibuf)) == -1)
			err(EXIT_FAILED, "from the daemon");
		if (n == 0)
			errx(EXIT_FAILED, "the daemon has hung up");
	}
	if (n == -1)
		err(EXIT_FAILED, "from the daemon");
	have = 1;
}

void
link_next(struct view *v, int seconds)
{
	struct ibuf	 data;
	const char	*bytes = NULL;
	uint32_t	 type;
	size_t		 len;

	message_wait(seconds);
	type = imsg_get_type(&imsg);
	if ((len = imsg_get_len(&imsg)) > 0) {
		if (imsg_get_ibuf(&imsg, &data) == -1)
			err(EXIT_FAILED, "from the daemon");
		bytes = ibuf_data(&data);
	}
	if (view_decode(v, type, bytes, len) == -1)
		errx(EXIT_FAILED, "the daemon's message %u is not understood",
		    type);
}

void
link_ask(uint32_t type, const void *data, size_t len)
{
	if (imsg_compose(&ibuf, type, 0, 0, -1, data, len) == -1)
		err(EXIT_FAILED, "to the daemon");
	/* Who hangs up on us may have said why. */
	if (imsgbuf_flush(&ibuf) == -1 && errno != EPIPE)
		err(EXIT_FAILED, "to the daemon");
}

static __dead void
refused(const struct view *v)
{
	errx(EXIT_FAILED, "the daemon refuses: %s",
	    safe_bytes(v->text, v->text_len));
}

void
link_open(const char *path)
{
	uint32_t	version = CONTROL_VERSION;
	struct view	v;
	int		fd;

	if ((fd = socket_connect(path)) == -1)
		err(EXIT_FAILED, "%s", path);
	if (imsgbuf_init(&ibuf, fd) == -1)
		err(EXIT_FAILED, "imsgbuf_init");
	link_ask(IMSG_CTL_HELLO, &version, sizeof(version));
	link_next(&v, HELLO_TIMEOUT_S);
	if (v.type == IMSG_CTL_REFUSED)
		refused(&v);
	if (v.type != IMSG_CTL_WELCOME)
		errx(EXIT_FAILED, "the daemon does not say welcome");
}
