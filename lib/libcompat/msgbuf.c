/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Queues of buffers, and their way through a socket: see imsg.h.  This is
 * where octets and descriptors of another process come in.
 *
 * Which message does a descriptor belong to?  A sender attaches it to the
 * first octet of a message's header, so no recvmsg(2) delivers it before that
 * octet, nor later than with it.  Descriptors are therefore handed out in
 * the order of arrival to the headers that ask for one, and one that is
 * still there when no header is incomplete belongs to nobody.
 */
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

/* Buffers that go into one system call. */
#define MSGBUF_IOV_COUNT	64

/*
 * At the end of a read one descriptor may wait for the rest of its header,
 * and the next read may bring one more.
 */
#define MSGBUF_FD_COUNT		2

/* In place of a descriptor that the kernel could not give us. */
#define MSGBUF_FD_LOST		(-2)

struct ibufqueue {
	TAILQ_HEAD(, ibuf)	 bufs;
	uint32_t		 count;
};

struct msgbuf {
	struct ibufqueue	 out;
	struct ibufqueue	 in;
	/* the rest is for readers */
	struct ibuf		*(*readhdr)(struct ibuf *, void *, int *);
	void			*arg;
	unsigned char		*chunk;		/* IBUF_READ_SIZE octets */
	struct ibuf		*hdr;		/* header being collected */
	struct ibuf		*msg;		/* message being collected */
	int			 fds[MSGBUF_FD_COUNT];
	int			 fd_count;
	int			 error;		/* errno once input is bad */
};

static void
ibufq_init(struct ibufqueue *q)
{
	TAILQ_INIT(&q->bufs);
	q->count = 0;
}

struct ibufqueue *
ibufq_new(void)
{
	struct ibufqueue	*q;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return (NULL);
	ibufq_init(q);
	return (q);
}

void
ibufq_free(struct ibufqueue *q)
{
	if (q == NULL)
		return;
	ibufq_flush(q);
	free(q);
}

void
ibufq_push(struct ibufqueue *q, struct ibuf *buf)
{
	TAILQ_INSERT_TAIL(&q->bufs, buf, entry);
	q->count++;
}

struct ibuf *
ibufq_pop(struct ibufqueue *q)
{
	struct ibuf	*buf;

	if ((buf = TAILQ_FIRST(&q->bufs)) == NULL)
		return (NULL);
	TAILQ_REMOVE(&q->bufs, buf, entry);
	q->count--;
	return (buf);
}

uint32_t
ibufq_queuelen(struct ibufqueue *q)
{
	return (q->count);
}

void
ibufq_concat(struct ibufqueue *to, struct ibufqueue *from)
{
	TAILQ_CONCAT(&to->bufs, &from->bufs, entry);
	to->count += from->count;
	from->count = 0;
}

void
ibufq_flush(struct ibufqueue *q)
{
	struct ibuf	*buf;

	while ((buf = ibufq_pop(q)) != NULL)
		ibuf_free(buf);
}

struct msgbuf *
msgbuf_new(void)
{
	struct msgbuf	*msgbuf;

	if ((msgbuf = calloc(1, sizeof(*msgbuf))) == NULL)
		return (NULL);
	ibufq_init(&msgbuf->out);
	ibufq_init(&msgbuf->in);
	return (msgbuf);
}

struct msgbuf *
msgbuf_new_reader(size_t hdrsz,
    struct ibuf *(*readhdr)(struct ibuf *, void *, int *), void *arg)
{
	struct msgbuf	*msgbuf;

	if (hdrsz == 0 || hdrsz > IBUF_READ_SIZE) {
		errno = EINVAL;
		return (NULL);
	}
	if ((msgbuf = msgbuf_new()) == NULL)
		return (NULL);
	msgbuf->readhdr = readhdr;
	msgbuf->arg = arg;
	if ((msgbuf->chunk = malloc(IBUF_READ_SIZE)) == NULL ||
	    (msgbuf->hdr = ibuf_open(hdrsz)) == NULL) {
		msgbuf_free(msgbuf);
		return (NULL);
	}
	return (msgbuf);
}

static int
msgbuf_fd_pop(struct msgbuf *msgbuf)
{
	int	fd = msgbuf->fds[0];

	msgbuf->fd_count--;
	memmove(&msgbuf->fds[0], &msgbuf->fds[1],
	    msgbuf->fd_count * sizeof(msgbuf->fds[0]));
	return (fd);
}

static void
msgbuf_fd_drop(struct msgbuf *msgbuf)
{
	int	fd;

	while (msgbuf->fd_count > 0)
		if ((fd = msgbuf_fd_pop(msgbuf)) >= 0)
			close(fd);
}

/* Takes the descriptor (or the news of its loss), or closes it: EBADMSG. */
static int
msgbuf_fd_push(struct msgbuf *msgbuf, int fd)
{
	if (msgbuf->fd_count == MSGBUF_FD_COUNT) {
		if (fd >= 0)
			close(fd);
		errno = EBADMSG;
		return (-1);
	}
	msgbuf->fds[msgbuf->fd_count++] = fd;
	return (0);
}

void
msgbuf_clear(struct msgbuf *msgbuf)
{
	ibufq_flush(&msgbuf->out);
	ibufq_flush(&msgbuf->in);
	ibuf_free(msgbuf->msg);
	msgbuf->msg = NULL;
	msgbuf_fd_drop(msgbuf);
	msgbuf->error = 0;
	if (msgbuf->hdr != NULL) {
		ibuf_rewind(msgbuf->hdr);
		ibuf_truncate(msgbuf->hdr, 0);
	}
}

void
msgbuf_free(struct msgbuf *msgbuf)
{
	if (msgbuf == NULL)
		return;
	msgbuf_clear(msgbuf);
	ibuf_free(msgbuf->hdr);
	free(msgbuf->chunk);
	free(msgbuf);
}

void
msgbuf_concat(struct msgbuf *msgbuf, struct ibufqueue *from)
{
	ibufq_concat(&msgbuf->out, from);
}

void
ibuf_close(struct msgbuf *msgbuf, struct ibuf *buf)
{
	ibufq_push(&msgbuf->out, buf);
}

uint32_t
msgbuf_queuelen(struct msgbuf *msgbuf)
{
	return (ibufq_queuelen(&msgbuf->out));
}

struct ibuf *
msgbuf_get(struct msgbuf *msgbuf)
{
	return (ibufq_pop(&msgbuf->in));
}

/*
 * Keeps what a control message brought.  The kernel may have installed more
 * descriptors than we asked for, alignment leaves room in the buffer; and
 * FreeBSD leaves the length of a truncated message as it was.
 */
static int
msgbuf_control_scan(struct msgbuf *msgbuf, struct msghdr *mh, int *seen)
{
	struct cmsghdr		*cm;
	const unsigned char	*p, *end;
	int			 fd, rv = 0;

	*seen = 0;
	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET ||
		    cm->cmsg_type != SCM_RIGHTS)
			continue;
		p = CMSG_DATA(cm);
		end = (const unsigned char *)mh->msg_control +
		    mh->msg_controllen;
		if (cm->cmsg_len < (size_t)(end - (const unsigned char *)cm))
			end = (const unsigned char *)cm + cm->cmsg_len;
		for (; p + sizeof(fd) <= end; p += sizeof(fd)) {
			memcpy(&fd, p, sizeof(fd));
			(*seen)++;
			if (msgbuf_fd_push(msgbuf, fd) == -1)
				rv = -1;
		}
	}
	return (rv);
}

static int
msgbuf_control(struct msgbuf *msgbuf, struct msghdr *mh)
{
	int	seen;

	if (msgbuf_control_scan(msgbuf, mh, &seen) == -1)
		return (-1);
	if (seen > 1 || (seen == 1 && mh->msg_flags & MSG_CTRUNC)) {
		errno = EBADMSG;
		return (-1);
	}
	/* There was one, and no slot for it. */
	if (mh->msg_flags & MSG_CTRUNC)
		return (msgbuf_fd_push(msgbuf, MSGBUF_FD_LOST));
	return (0);
}

/* One recvmsg(2); what came with it is kept in fds. */
static ssize_t
msgbuf_recv(int fd, struct msgbuf *msgbuf)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 space[CMSG_SPACE(sizeof(int))];
	}		 control;
	struct msghdr	 mh;
	struct iovec	 iov;
	ssize_t		 n;

	iov.iov_base = msgbuf->chunk;
	iov.iov_len = IBUF_READ_SIZE;
	do {
		memset(&mh, 0, sizeof(mh));
		memset(&control, 0, sizeof(control));
		mh.msg_iov = &iov;
		mh.msg_iovlen = 1;
		mh.msg_control = &control;
		mh.msg_controllen = sizeof(control);
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n != -1 && msgbuf_control(msgbuf, &mh) == -1) {
		msgbuf->error = errno;
		return (-1);
	}
	return (n);
}

/*
 * The BSDs fail the whole call when there is no slot for the descriptor, and
 * have then dropped it; the octets are still there.
 */
static ssize_t
msgbuf_recv_lossy(int fd, struct msgbuf *msgbuf)
{
	ssize_t	n;

	n = msgbuf_recv(fd, msgbuf);
	if (n == -1 && msgbuf->error == 0 &&
	    (errno == EMFILE || errno == ENFILE || errno == EMSGSIZE)) {
		if (msgbuf_fd_push(msgbuf, MSGBUF_FD_LOST) == -1) {
			msgbuf->error = errno;
			return (-1);
		}
		n = msgbuf_recv(fd, msgbuf);
	}
	return (n);
}

/* Moves octets to a buffer until it is full; how many, or -1. */
static ssize_t
ibuf_fill(struct ibuf *buf, const unsigned char *p, size_t len)
{
	if (len > ibuf_left(buf))
		len = ibuf_left(buf);
	if (ibuf_add(buf, p, len) == -1)
		return (-1);
	return ((ssize_t)len);
}

/* The header is complete: starts the message it announces. */
static int
msgbuf_message_start(struct msgbuf *msgbuf)
{
	struct ibuf	*msg;
	int		 offered, fd;

	offered = fd = msgbuf->fd_count > 0 ? msgbuf->fds[0] : -1;
	msg = msgbuf->readhdr(msgbuf->hdr, msgbuf->arg, &fd);
	if (fd != offered)
		msgbuf_fd_pop(msgbuf);
	if (msg == NULL)
		return (-1);
	ibuf_rewind(msgbuf->hdr);
	if (ibuf_add_ibuf(msg, msgbuf->hdr) == -1) {
		ibuf_free(msg);
		return (-1);
	}
	ibuf_truncate(msgbuf->hdr, 0);
	msgbuf->msg = msg;
	return (0);
}

static int
msgbuf_parse(struct msgbuf *msgbuf, const unsigned char *p, size_t len)
{
	ssize_t	n;

	for (;;) {
		if (msgbuf->msg != NULL && ibuf_left(msgbuf->msg) == 0) {
			ibufq_push(&msgbuf->in, msgbuf->msg);
			msgbuf->msg = NULL;
		}
		if (len == 0)
			return (0);
		n = ibuf_fill(msgbuf->msg != NULL ? msgbuf->msg : msgbuf->hdr,
		    p, len);
		if (n == -1)
			return (-1);
		p += n;
		len -= n;
		if (msgbuf->msg == NULL && ibuf_left(msgbuf->hdr) == 0 &&
		    msgbuf_message_start(msgbuf) == -1)
			return (-1);
	}
}

/* Nobody can claim these any more, or nobody honest sends them. */
static int
msgbuf_fd_check(struct msgbuf *msgbuf)
{
	if (ibuf_size(msgbuf->hdr) == 0)
		msgbuf_fd_drop(msgbuf);
	if (msgbuf->fd_count > 1) {
		errno = EBADMSG;
		return (-1);
	}
	return (0);
}

/* What the return of a read becomes in the terms of imsgbuf_read(). */
static int
msgbuf_input(struct msgbuf *msgbuf, ssize_t n)
{
	if (n == 0)
		return (0);
	if (n == -1) {
		if (msgbuf->error == 0 &&
		    (errno == EAGAIN || errno == EWOULDBLOCK))
			return (1);
		/* Linux says so of a peer that died with input unread. */
		if (errno == ECONNRESET)
			return (0);
		msgbuf_fd_drop(msgbuf);
		return (-1);
	}
	if (msgbuf_parse(msgbuf, msgbuf->chunk, n) == -1 ||
	    msgbuf_fd_check(msgbuf) == -1) {
		msgbuf->error = errno;
		msgbuf_fd_drop(msgbuf);
		return (-1);
	}
	return (1);
}

/* After an error the next header could be anywhere: no more reading. */
static int
msgbuf_readable(struct msgbuf *msgbuf)
{
	if (msgbuf->chunk != NULL && msgbuf->error == 0)
		return (1);
	errno = msgbuf->error != 0 ? msgbuf->error : EINVAL;
	return (0);
}

int
msgbuf_read(int fd, struct msgbuf *msgbuf)
{
	if (!msgbuf_readable(msgbuf))
		return (-1);
	return (msgbuf_input(msgbuf, msgbuf_recv_lossy(fd, msgbuf)));
}

int
ibuf_read(int fd, struct msgbuf *msgbuf)
{
	ssize_t	n;

	if (!msgbuf_readable(msgbuf))
		return (-1);
	do
		n = read(fd, msgbuf->chunk, IBUF_READ_SIZE);
	while (n == -1 && errno == EINTR);
	return (msgbuf_input(msgbuf, n));
}

/*
 * Collects what can go at once: a descriptor belongs to the first octet of
 * the call, so only the first buffer may have one.
 */
static int
msgbuf_gather(struct msgbuf *msgbuf, struct iovec *iov, int with_fds)
{
	struct ibuf	*buf;
	int		 i = 0;

	TAILQ_FOREACH(buf, &msgbuf->out.bufs, entry) {
		if (i == MSGBUF_IOV_COUNT ||
		    (i > 0 && with_fds && ibuf_fd_avail(buf)))
			break;
		iov[i].iov_base = ibuf_data(buf);
		iov[i].iov_len = ibuf_size(buf);
		i++;
	}
	return (i);
}

/* That many octets have left. */
static void
msgbuf_drain(struct msgbuf *msgbuf, size_t n)
{
	struct ibuf	*buf;
	size_t		 len;

	while ((buf = TAILQ_FIRST(&msgbuf->out.bufs)) != NULL) {
		if ((len = ibuf_size(buf)) > n) {
			/* Its first octet took the descriptor along. */
			if (n > 0)
				ibuf_fd_set(buf, -1);
			ibuf_skip(buf, n);
			return;
		}
		if (n == 0 && len > 0)
			return;
		n -= len;
		ibuf_free(ibufq_pop(&msgbuf->out));
	}
}

/* What the return of a write becomes in the terms of imsgbuf_write(). */
static int
msgbuf_output(struct msgbuf *msgbuf, ssize_t n)
{
	if (n == -1) {
		/* Linux: ETOOMANYREFS, too many descriptors in flight. */
		if (errno == EAGAIN || errno == EWOULDBLOCK ||
		    errno == ENOBUFS || errno == ETOOMANYREFS)
			return (0);
		/* One name for a peer that is gone. */
		if (errno == ECONNRESET)
			errno = EPIPE;
		return (-1);
	}
	msgbuf_drain(msgbuf, n);
	return (0);
}

static void
msghdr_attach(struct msghdr *mh, void *control, size_t len, int fd)
{
	struct cmsghdr	*cm;

	memset(control, 0, len);
	mh->msg_control = control;
	mh->msg_controllen = len;
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_len = CMSG_LEN(sizeof(fd));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
}

int
msgbuf_write(int fd, struct msgbuf *msgbuf)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 space[CMSG_SPACE(sizeof(int))];
	}		 control;
	struct iovec	 iov[MSGBUF_IOV_COUNT];
	struct msghdr	 mh;
	struct ibuf	*first;
	ssize_t		 n;

	if ((first = TAILQ_FIRST(&msgbuf->out.bufs)) == NULL)
		return (0);
	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = iov;
	mh.msg_iovlen = msgbuf_gather(msgbuf, iov, 1);
	if (ibuf_fd_avail(first))
		msghdr_attach(&mh, &control, sizeof(control), first->fd);
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return (msgbuf_output(msgbuf, n));
}

int
ibuf_write(int fd, struct msgbuf *msgbuf)
{
	struct iovec	iov[MSGBUF_IOV_COUNT];
	ssize_t		n;
	int		count;

	if ((count = msgbuf_gather(msgbuf, iov, 0)) == 0)
		return (0);
	do
		n = writev(fd, iov, count);
	while (n == -1 && errno == EINTR);
	return (msgbuf_output(msgbuf, n));
}
