/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Messages with a type, an id, a payload and perhaps a descriptor, between
 * processes of one program: see imsg.h.  The peer may be one that a stranger
 * has taken over; its headers are checked here, its octets counted in msgbuf.
 */
#include <sys/types.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#define IMSG_FLAG_FDPASS	0x01

/* In a header's length: this message comes with a descriptor. */
#define IMSG_LEN_FD		0x80000000U

/*
 * Called by msgbuf for each header: the buffer for the whole message.  The
 * mark is what says that a descriptor is this message's; the descriptor
 * itself may have been lost on the way (fd is negative then).
 */
static struct ibuf *
imsg_header_read(struct ibuf *buf, void *arg, int *fd)
{
	struct imsgbuf	*imsgbuf = arg;
	struct imsg_hdr	 hdr;
	struct ibuf	*msg;
	uint32_t	 len;

	if (ibuf_get(buf, &hdr, sizeof(hdr)) == -1)
		return (NULL);
	len = hdr.len & ~IMSG_LEN_FD;
	if (len < IMSG_HEADER_SIZE || len > imsgbuf->maxsize) {
		errno = ERANGE;
		return (NULL);
	}
	if (hdr.len & IMSG_LEN_FD && !(imsgbuf->flags & IMSG_FLAG_FDPASS)) {
		errno = EBADMSG;
		return (NULL);
	}
	if ((msg = ibuf_open(len)) == NULL)
		return (NULL);
	if (hdr.len & IMSG_LEN_FD) {
		ibuf_fd_set(msg, *fd);
		*fd = -1;
	}
	return (msg);
}

int
imsgbuf_init(struct imsgbuf *imsgbuf, int fd)
{
	memset(imsgbuf, 0, sizeof(*imsgbuf));
	imsgbuf->w = msgbuf_new_reader(IMSG_HEADER_SIZE, imsg_header_read,
	    imsgbuf);
	if (imsgbuf->w == NULL)
		return (-1);
	imsgbuf->pid = getpid();
	imsgbuf->maxsize = MAX_IMSGSIZE;
	imsgbuf->fd = fd;
	return (0);
}

void
imsgbuf_clear(struct imsgbuf *imsgbuf)
{
	msgbuf_free(imsgbuf->w);
	imsgbuf->w = NULL;
}

void
imsgbuf_allow_fdpass(struct imsgbuf *imsgbuf)
{
	imsgbuf->flags |= IMSG_FLAG_FDPASS;
}

int
imsgbuf_set_maxsize(struct imsgbuf *imsgbuf, uint32_t max)
{
	if (max >= IMSG_LEN_FD - IMSG_HEADER_SIZE) {
		errno = EINVAL;
		return (-1);
	}
	imsgbuf->maxsize = max + IMSG_HEADER_SIZE;
	return (0);
}

int
imsgbuf_read(struct imsgbuf *imsgbuf)
{
	if (imsgbuf->flags & IMSG_FLAG_FDPASS)
		return (msgbuf_read(imsgbuf->fd, imsgbuf->w));
	return (ibuf_read(imsgbuf->fd, imsgbuf->w));
}

/* Without permission nothing with a descriptor gets into the queue. */
int
imsgbuf_write(struct imsgbuf *imsgbuf)
{
	return (msgbuf_write(imsgbuf->fd, imsgbuf->w));
}

int
imsgbuf_flush(struct imsgbuf *imsgbuf)
{
	struct pollfd	pfd;

	pfd.fd = imsgbuf->fd;
	pfd.events = POLLOUT;
	while (imsgbuf_queuelen(imsgbuf) > 0) {
		if (imsgbuf_write(imsgbuf) == -1)
			return (-1);
		if (imsgbuf_queuelen(imsgbuf) > 0 &&
		    poll(&pfd, 1, -1) == -1 && errno != EINTR)
			return (-1);
	}
	return (0);
}

uint32_t
imsgbuf_queuelen(struct imsgbuf *imsgbuf)
{
	return (msgbuf_queuelen(imsgbuf->w));
}

/* Opens a buffer as a message; consumes it when it is none. */
static int
imsg_from_ibuf(struct imsg *imsg, struct ibuf *buf)
{
	memset(imsg, 0, sizeof(*imsg));
	if (ibuf_get(buf, &imsg->hdr, sizeof(imsg->hdr)) == -1)
		goto bad;
	imsg->hdr.len &= ~IMSG_LEN_FD;
	if (imsg->hdr.len - IMSG_HEADER_SIZE != ibuf_size(buf)) {
		errno = EBADMSG;
		goto bad;
	}
	if (ibuf_size(buf) > 0)
		imsg->data = ibuf_data(buf);
	imsg->buf = buf;
	return (1);
 bad:
	memset(imsg, 0, sizeof(*imsg));
	ibuf_free(buf);
	return (-1);
}

int
imsgbuf_get(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	struct ibuf	*buf;

	if ((buf = msgbuf_get(imsgbuf->w)) == NULL)
		return (0);
	return (imsg_from_ibuf(imsg, buf));
}

ssize_t
imsg_get(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	int	n;

	if ((n = imsgbuf_get(imsgbuf, imsg)) != 1)
		return (n);
	return (imsg->hdr.len);
}

void
imsg_free(struct imsg *imsg)
{
	ibuf_free(imsg->buf);
	imsg->buf = NULL;
	imsg->data = NULL;
}

int
imsg_get_fd(struct imsg *imsg)
{
	return (imsg->buf == NULL ? -1 : ibuf_fd_get(imsg->buf));
}

uint32_t
imsg_get_type(struct imsg *imsg)
{
	return (imsg->hdr.type);
}

uint32_t
imsg_get_id(struct imsg *imsg)
{
	return (imsg->hdr.peerid);
}

pid_t
imsg_get_pid(struct imsg *imsg)
{
	return ((pid_t)imsg->hdr.pid);
}

size_t
imsg_get_len(struct imsg *imsg)
{
	return (imsg->buf == NULL ? 0 : ibuf_size(imsg->buf));
}

int
imsg_get_data(struct imsg *imsg, void *data, size_t len)
{
	if (len == 0 || imsg_get_len(imsg) != len) {
		errno = EBADMSG;
		return (-1);
	}
	return (ibuf_get(imsg->buf, data, len));
}

int
imsg_get_buf(struct imsg *imsg, void *data, size_t len)
{
	return (ibuf_get(imsg->buf, data, len));
}

int
imsg_get_strbuf(struct imsg *imsg, char *str, size_t len)
{
	return (ibuf_get_strbuf(imsg->buf, str, len));
}

int
imsg_get_ibuf(struct imsg *imsg, struct ibuf *buf)
{
	size_t	len;

	if ((len = imsg_get_len(imsg)) == 0) {
		errno = EBADMSG;
		return (-1);
	}
	return (ibuf_get_ibuf(imsg->buf, len, buf));
}

/* A message with no more than its header, whose length comes last. */
static struct ibuf *
imsg_start(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, uint32_t pid,
    size_t datalen)
{
	struct imsg_hdr	 hdr;
	struct ibuf	*msg;

	if (datalen > imsgbuf->maxsize - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (NULL);
	}
	memset(&hdr, 0, sizeof(hdr));
	hdr.type = type;
	hdr.peerid = id;
	hdr.pid = pid;
	msg = ibuf_dynamic(IMSG_HEADER_SIZE + datalen, imsgbuf->maxsize);
	if (msg == NULL)
		return (NULL);
	if (ibuf_add(msg, &hdr, sizeof(hdr)) == -1) {
		ibuf_free(msg);
		return (NULL);
	}
	return (msg);
}

struct ibuf *
imsg_create(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    size_t datalen)
{
	if (pid == 0)
		pid = imsgbuf->pid;
	return (imsg_start(imsgbuf, type, id, (uint32_t)pid, datalen));
}

int
imsg_add(struct ibuf *msg, const void *data, size_t datalen)
{
	if (ibuf_add(msg, data, datalen) == -1) {
		ibuf_free(msg);
		return (-1);
	}
	return ((int)datalen);
}

int
imsg_set_maxsize(struct ibuf *msg, size_t max)
{
	if (max > SIZE_MAX - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (-1);
	}
	return (ibuf_set_maxsize(msg, max + IMSG_HEADER_SIZE));
}

/* The length, and whether a descriptor comes along. */
static void
imsg_len_set(struct ibuf *msg)
{
	uint32_t	len = (uint32_t)ibuf_size(msg);

	if (ibuf_fd_avail(msg))
		len |= IMSG_LEN_FD;
	ibuf_set_h32(msg, offsetof(struct imsg_hdr, len), len);
}

void
imsg_close(struct imsgbuf *imsgbuf, struct ibuf *msg)
{
	if (!(imsgbuf->flags & IMSG_FLAG_FDPASS))
		ibuf_fd_set(msg, -1);
	imsg_len_set(msg);
	ibuf_close(imsgbuf->w, msg);
}

/* May a message with this descriptor, or none (-1), be sent? */
static int
imsgbuf_fd_check(struct imsgbuf *imsgbuf, int fd)
{
	if (fd >= 0 && !(imsgbuf->flags & IMSG_FLAG_FDPASS)) {
		errno = EINVAL;
		return (-1);
	}
	return (0);
}

int
imsg_compose(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    int fd, const void *data, size_t datalen)
{
	struct ibuf	*msg;

	if (imsgbuf_fd_check(imsgbuf, fd) == -1)
		return (-1);
	msg = imsg_create(imsgbuf, type, id, pid, datalen);
	if (msg == NULL || imsg_add(msg, data, datalen) == -1)
		return (-1);
	ibuf_fd_set(msg, fd);
	imsg_close(imsgbuf, msg);
	return (1);
}

int
imsg_composev(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    int fd, const struct iovec *iov, int iovcnt)
{
	struct ibuf	*msg;
	int		 i;

	if (imsgbuf_fd_check(imsgbuf, fd) == -1 ||
	    (msg = imsg_create(imsgbuf, type, id, pid, 0)) == NULL)
		return (-1);
	for (i = 0; i < iovcnt; i++)
		if (imsg_add(msg, iov[i].iov_base, iov[i].iov_len) == -1)
			return (-1);
	ibuf_fd_set(msg, fd);
	imsg_close(imsgbuf, msg);
	return (1);
}

int
imsg_compose_ibuf(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id,
    pid_t pid, struct ibuf *buf)
{
	int	fd, rv;

	fd = ibuf_fd_get(buf);
	rv = imsg_compose(imsgbuf, type, id, pid, fd, ibuf_data(buf),
	    ibuf_size(buf));
	if (rv == -1)
		ibuf_fd_set(buf, fd);
	ibuf_free(buf);
	return (rv);
}

int
imsg_forward(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	struct ibuf	*msg;
	size_t		 len = imsg->hdr.len - IMSG_HEADER_SIZE;

	msg = imsg_start(imsgbuf, imsg->hdr.type, imsg->hdr.peerid,
	    imsg->hdr.pid, len);
	if (msg == NULL || imsg_add(msg, imsg->data, len) == -1)
		return (-1);
	imsg_close(imsgbuf, msg);
	return (1);
}

void
imsg_ibufq_push(struct ibufqueue *bufq, struct imsg *imsg)
{
	ibuf_rewind(imsg->buf);
	/* The descriptor may have been taken since. */
	imsg_len_set(imsg->buf);
	ibufq_push(bufq, imsg->buf);
	imsg->buf = NULL;
	imsg->data = NULL;
}

int
imsg_ibufq_pop(struct ibufqueue *bufq, struct imsg *imsg)
{
	struct ibuf	*buf;

	if ((buf = ibufq_pop(bufq)) == NULL)
		return (0);
	return (imsg_from_ibuf(imsg, buf));
}
