/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Whole messages, and descriptors with them, between processes of one
 * program: the interface of OpenBSD's imsg_add(3) and ibuf_add(3) as of
 * 2026, for systems that have none.  On OpenBSD this directory is not in
 * the search path and <imsg.h>, -lutil are the system's; so sources use
 * nothing but what those two manuals name, and imsgbuf.fd.
 *
 * Both ends of a channel must be of one kind: the messages have the same
 * form as OpenBSD's, but that is no promise of anybody's.
 *
 * Three things hold whatever the peer does.  It can not make us allocate
 * more than in proportion to what it sent, plus one message of the maximum
 * size; can not make us keep a descriptor that nobody claims; and once it
 * has sent what is not a message, imsgbuf_read() fails for good.
 *
 * Unless it says otherwise a function returns 0, or -1 with errno.
 */
#ifndef COMPAT_IMSG_H
#define COMPAT_IMSG_H

#include <sys/types.h>
#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#define IBUF_READ_SIZE		65535	/* octets one read takes at most */
#define IMSG_HEADER_SIZE	sizeof(struct imsg_hdr)
#define MAX_IMSGSIZE		16384	/* header included; the default */

/*
 * A buffer that is written at its end and read from its start.  The members
 * are ours: callers go through the functions, and may put one on the stack
 * for ibuf_from_buffer(), ibuf_from_ibuf(), ibuf_get_ibuf(), imsg_get_ibuf().
 */
struct ibuf {
	TAILQ_ENTRY(ibuf)	 entry;
	unsigned char		*buf;
	size_t			 size;		/* allocated */
	size_t			 max;		/* may grow to this */
	size_t			 wpos;		/* end of what is written */
	size_t			 rpos;		/* end of what is read */
	int			 fd;		/* -1: none */
	int			 borrowed;	/* memory is another's */
};

struct ibufqueue;
struct iovec;
struct msgbuf;

/*
 * One end of a channel.  Callers may read fd (to poll it) and must not move
 * or copy the structure between imsgbuf_init() and imsgbuf_clear().
 */
struct imsgbuf {
	struct msgbuf		*w;
	pid_t			 pid;
	uint32_t		 maxsize;	/* header included */
	int			 fd;
	int			 flags;
};

/* As it crosses the socket, in host byte order. */
struct imsg_hdr {
	uint32_t		 type;
	uint32_t		 len;	/* with header; top bit: descriptor */
	uint32_t		 peerid;
	uint32_t		 pid;
};

/* A received message.  Use the accessors; imsg_free() it on every path. */
struct imsg {
	struct imsg_hdr		 hdr;
	void			*data;
	struct ibuf		*buf;
};

/*
 * Channel.
 *
 * imsgbuf_init: fd is a connected stream socket and stays the caller's to
 * close.  Remembers getpid(2) for messages sent with pid 0.  ENOMEM.
 * imsgbuf_clear: frees everything queued either way and closes descriptors
 * that were not sent or not claimed; fd stays open.
 * imsgbuf_allow_fdpass: from now on descriptors pass, in both directions.
 * Off by default: then the kernel drops what the peer attaches, a message
 * that claims to carry one is EBADMSG, and sending one fails.
 * imsgbuf_set_maxsize: largest payload in octets, sent and received;
 * without it MAX_IMSGSIZE - IMSG_HEADER_SIZE.  EINVAL above 2^31 - 17.
 */
int		 imsgbuf_init(struct imsgbuf *, int);
void		 imsgbuf_clear(struct imsgbuf *);
void		 imsgbuf_allow_fdpass(struct imsgbuf *);
int		 imsgbuf_set_maxsize(struct imsgbuf *, uint32_t);

/*
 * imsgbuf_read: one recvmsg(2); received descriptors are close-on-exec.
 * 1: read something, or nothing was there (EAGAIN); call imsgbuf_get()
 * until it returns 0.  0: the peer closed or died; what it sent whole before
 * is still there to get.  -1: the channel is of no further use: ERANGE (a
 * length below a header or above the maximum), EBADMSG (more than one
 * descriptor at once, or one where none is allowed), ENOMEM, or recvmsg's.
 * A descriptor that was lost because this process or the system has no free
 * slot is no error: its message arrives, and imsg_get_fd() returns -1.
 * imsgbuf_get: 1 and a message, 0 when none is complete, -1 EBADMSG.
 * imsg_get: the same in the older form: octets of the message, 0, -1.
 */
int		 imsgbuf_read(struct imsgbuf *);
int		 imsgbuf_get(struct imsgbuf *, struct imsg *);
ssize_t		 imsg_get(struct imsgbuf *, struct imsg *);

/*
 * imsgbuf_write: one sendmsg(2), never SIGPIPE, of as many messages as go
 * together; at most one of them carries a descriptor.  0 also when nothing
 * could be sent now: EAGAIN, ENOBUFS, and Linux's ETOOMANYREFS (too many
 * descriptors of this user are in flight), so look at imsgbuf_queuelen().
 * -1 EPIPE when the peer is gone.
 * imsgbuf_flush: until the queue is empty; sleeps in poll(2) when the socket
 * is non-blocking and full.
 * imsgbuf_queuelen: messages that are not yet sent completely.
 */
int		 imsgbuf_write(struct imsgbuf *);
int		 imsgbuf_flush(struct imsgbuf *);
uint32_t	 imsgbuf_queuelen(struct imsgbuf *);

/*
 * A received message.
 *
 * imsg_free: closes its descriptor if nobody took it; leaves errno alone.
 * imsg_get_fd: hands the descriptor over, once; -1 when there is none (also
 * when it was lost on the way, so always check).
 * imsg_get_len: octets of payload not read yet: all of it before the first
 * read, 0 after imsg_get_data() or imsg_get_ibuf().
 * imsg_get_data: the whole rest, whose length must be exactly the given one
 * and not 0: EBADMSG otherwise, and nothing is consumed.
 * imsg_get_buf: the next octets; EBADMSG when fewer are left.
 * imsg_get_strbuf: a field of that many octets made by ibuf_add_strbuf();
 * EOVERFLOW when its last octet is not NUL (in the copy it is then),
 * EINVAL for length 0, EBADMSG when fewer are left.
 * imsg_get_ibuf: the rest as a buffer to read from, valid until imsg_free();
 * not to be freed.  EBADMSG when nothing is left.
 */
void		 imsg_free(struct imsg *);
int		 imsg_get_fd(struct imsg *);
uint32_t	 imsg_get_type(struct imsg *);
uint32_t	 imsg_get_id(struct imsg *);
pid_t		 imsg_get_pid(struct imsg *);
size_t		 imsg_get_len(struct imsg *);
int		 imsg_get_data(struct imsg *, void *, size_t);
int		 imsg_get_buf(struct imsg *, void *, size_t);
int		 imsg_get_strbuf(struct imsg *, char *, size_t);
int		 imsg_get_ibuf(struct imsg *, struct ibuf *);

/*
 * Sending: all of these queue, imsgbuf_write() sends.
 *
 * imsg_compose, imsg_composev: 1, or -1 and nothing is queued: ERANGE (too
 * long), EINVAL (a descriptor, but imsgbuf_allow_fdpass() was not called),
 * ENOMEM.  After 1 the descriptor belongs to the queue, which closes it once
 * sent; after -1 it is still the caller's.  pid 0 means ours.
 * imsg_compose_ibuf: payload and descriptor are those of the buffer, which
 * is consumed in either case.
 * imsg_create, imsg_add, imsg_close: piece by piece; the number given to
 * imsg_create is a hint of the length, a wrong one costs time only.
 * imsg_create returns NULL with ERANGE or ENOMEM.  imsg_add returns the
 * length it was given; after -1 the message has been freed.  Between them
 * ibuf_add*() and ibuf_fd_set() may be used, but those do not free; offsets
 * of ibuf_set*() count the header.  imsg_close gives the message away; where
 * descriptors are not allowed it closes the message's and sends the rest.
 * imsg_set_maxsize: lowers the largest payload of a message in the making;
 * ERANGE when that is no lowering, or less than it already has.
 * imsg_forward: queues a copy of a received message, whole however much was
 * read of it, type, id and pid as they came, never its descriptor.  1 or -1.
 * Where the read position of the original is afterwards depends on the
 * system: read first or forward first, and don't go on reading.
 */
int		 imsg_compose(struct imsgbuf *, uint32_t, uint32_t, pid_t, int,
		    const void *, size_t);
int		 imsg_composev(struct imsgbuf *, uint32_t, uint32_t, pid_t, int,
		    const struct iovec *, int);
int		 imsg_compose_ibuf(struct imsgbuf *, uint32_t, uint32_t, pid_t,
		    struct ibuf *);
struct ibuf	*imsg_create(struct imsgbuf *, uint32_t, uint32_t, pid_t,
		    size_t);
int		 imsg_add(struct ibuf *, const void *, size_t);
int		 imsg_set_maxsize(struct ibuf *, size_t);
void		 imsg_close(struct imsgbuf *, struct ibuf *);
int		 imsg_forward(struct imsgbuf *, struct imsg *);

/*
 * Setting messages aside.  push takes what the message holds, descriptor
 * included (imsg_free() afterwards is harmless); pop gives it back as new,
 * nothing read of it: 1, 0 when the queue is empty, -1 EBADMSG when what was
 * in front is no message (it is freed).
 */
void		 imsg_ibufq_push(struct ibufqueue *, struct imsg *);
int		 imsg_ibufq_pop(struct ibufqueue *, struct imsg *);

/*
 * Buffers.
 *
 * ibuf_open: of a fixed size, ibuf_dynamic: of a first size and one it may
 * grow to.  NULL with EINVAL (no room at all, or less than the first size) or
 * ENOMEM.  Room that was reserved and never written reads as zeros.
 * ibuf_free: closes the descriptor too; NULL is allowed, errno is kept.  A
 * buffer that only points into another (see below) must not be freed.
 */
struct ibuf	*ibuf_open(size_t);
struct ibuf	*ibuf_dynamic(size_t, size_t);
void		 ibuf_free(struct ibuf *);

/*
 * Writing at the end.  -1 with ERANGE when the maximum would be exceeded or
 * the buffer only points into another, ENOMEM, EINVAL when a number does not
 * fit its width.  n: network byte order, h: host byte order.
 * ibuf_reserve returns the room's address, good until the next change of the
 * buffer, or NULL.
 * ibuf_add_strbuf: a string, zero-padded to the length; EOVERFLOW when that
 * leaves no place for a NUL.
 * The source must not lie in the buffer itself.
 */
int		 ibuf_add(struct ibuf *, const void *, size_t);
int		 ibuf_add_ibuf(struct ibuf *, const struct ibuf *);
int		 ibuf_add_zero(struct ibuf *, size_t);
int		 ibuf_add_strbuf(struct ibuf *, const char *, size_t);
int		 ibuf_add_n8(struct ibuf *, uint64_t);
int		 ibuf_add_n16(struct ibuf *, uint64_t);
int		 ibuf_add_n32(struct ibuf *, uint64_t);
int		 ibuf_add_n64(struct ibuf *, uint64_t);
int		 ibuf_add_h16(struct ibuf *, uint64_t);
int		 ibuf_add_h32(struct ibuf *, uint64_t);
int		 ibuf_add_h64(struct ibuf *, uint64_t);
void		*ibuf_reserve(struct ibuf *, size_t);

/*
 * Changing what is there, at an offset from the read position.  ERANGE
 * outside of it, EINVAL as above.  ibuf_seek returns an address or NULL.
 * ibuf_truncate: cuts, or extends with zeros, to that many unread octets.
 * ibuf_set_maxsize: lowers the maximum; ERANGE when that is no lowering or
 * less than there is.
 */
int		 ibuf_set(struct ibuf *, size_t, const void *, size_t);
int		 ibuf_set_n8(struct ibuf *, size_t, uint64_t);
int		 ibuf_set_n16(struct ibuf *, size_t, uint64_t);
int		 ibuf_set_n32(struct ibuf *, size_t, uint64_t);
int		 ibuf_set_n64(struct ibuf *, size_t, uint64_t);
int		 ibuf_set_h16(struct ibuf *, size_t, uint64_t);
int		 ibuf_set_h32(struct ibuf *, size_t, uint64_t);
int		 ibuf_set_h64(struct ibuf *, size_t, uint64_t);
void		*ibuf_seek(struct ibuf *, size_t, size_t);
int		 ibuf_truncate(struct ibuf *, size_t);
int		 ibuf_set_maxsize(struct ibuf *, size_t);

/*
 * Reading from the start.  -1 with EBADMSG, and nothing is consumed, when
 * fewer octets are left.
 * ibuf_get_string: that many octets as a string of its own, to be freed with
 * free(3), cut at the first NUL; NULL with EBADMSG or ENOMEM.
 * ibuf_get_strbuf: a fixed field, see imsg_get_strbuf.
 * ibuf_get_ibuf: the next octets as a buffer that points into this one.
 * ibuf_data, ibuf_size: where the unread octets are, and how many.
 * ibuf_left: how many may still be added.
 * ibuf_rewind: everything is unread again.
 */
int		 ibuf_get(struct ibuf *, void *, size_t);
int		 ibuf_get_ibuf(struct ibuf *, size_t, struct ibuf *);
int		 ibuf_get_n8(struct ibuf *, uint8_t *);
int		 ibuf_get_n16(struct ibuf *, uint16_t *);
int		 ibuf_get_n32(struct ibuf *, uint32_t *);
int		 ibuf_get_n64(struct ibuf *, uint64_t *);
int		 ibuf_get_h16(struct ibuf *, uint16_t *);
int		 ibuf_get_h32(struct ibuf *, uint32_t *);
int		 ibuf_get_h64(struct ibuf *, uint64_t *);
char		*ibuf_get_string(struct ibuf *, size_t);
int		 ibuf_get_strbuf(struct ibuf *, char *, size_t);
int		 ibuf_skip(struct ibuf *, size_t);
void		 ibuf_rewind(struct ibuf *);
void		*ibuf_data(const struct ibuf *);
size_t		 ibuf_size(const struct ibuf *);
size_t		 ibuf_left(const struct ibuf *);

/* Initialise a buffer of the caller's to read memory, or a buffer's rest. */
void		 ibuf_from_buffer(struct ibuf *, void *, size_t);
void		 ibuf_from_ibuf(struct ibuf *, const struct ibuf *);

/*
 * The descriptor that travels with a buffer.  ibuf_fd_set gives it away (and
 * closes the one before), ibuf_fd_get takes it back or returns -1.
 */
int		 ibuf_fd_avail(struct ibuf *);
int		 ibuf_fd_get(struct ibuf *);
void		 ibuf_fd_set(struct ibuf *, int);

/*
 * Queues of buffers, first in, first out; what is pushed belongs to the
 * queue.  ibufq_pop returns NULL when empty.  ibufq_flush frees the contents,
 * ibufq_free the queue too (NULL allowed).  concat empties the second.
 */
struct ibufqueue *ibufq_new(void);
void		 ibufq_free(struct ibufqueue *);
void		 ibufq_push(struct ibufqueue *, struct ibuf *);
struct ibuf	*ibufq_pop(struct ibufqueue *);
uint32_t	 ibufq_queuelen(struct ibufqueue *);
void		 ibufq_concat(struct ibufqueue *, struct ibufqueue *);
void		 ibufq_flush(struct ibufqueue *);

/*
 * Framed input and queued output below the imsg functions, for protocols
 * with a header of their own.
 *
 * msgbuf_new_reader: the callback is given each header (that many octets),
 * the argument, and a descriptor or a negative number; it returns a buffer
 * whose maximum is the length of the whole message, or NULL with errno; it
 * takes the descriptor by storing -1.  NULL with EINVAL or ENOMEM.
 * msgbuf_read (recvmsg(2)) and ibuf_read (read(2), no descriptors) return as
 * imsgbuf_read does; msgbuf_write (sendmsg(2)) and ibuf_write (writev(2), so
 * SIGPIPE is possible, and descriptors are closed unsent) as imsgbuf_write.
 * msgbuf_get: the next received buffer, now the caller's, or NULL.
 * msgbuf_clear: drops everything, a read error too.
 */
struct msgbuf	*msgbuf_new(void);
struct msgbuf	*msgbuf_new_reader(size_t,
		    struct ibuf *(*)(struct ibuf *, void *, int *), void *);
void		 msgbuf_free(struct msgbuf *);
void		 msgbuf_clear(struct msgbuf *);
void		 msgbuf_concat(struct msgbuf *, struct ibufqueue *);
void		 ibuf_close(struct msgbuf *, struct ibuf *);
uint32_t	 msgbuf_queuelen(struct msgbuf *);
struct ibuf	*msgbuf_get(struct msgbuf *);
int		 msgbuf_read(int, struct msgbuf *);
int		 msgbuf_write(int, struct msgbuf *);
int		 ibuf_read(int, struct msgbuf *);
int		 ibuf_write(int, struct msgbuf *);

#endif
