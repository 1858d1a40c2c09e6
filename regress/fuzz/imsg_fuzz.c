/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The receiver of imsg against a peer that a stranger has taken over: the
 * input says what is sent, in which pieces, and with how many descriptors.
 *
 *	octet 0		bit 0: descriptors are allowed; bit 1: a maximum
 *			payload of 40 instead of 16368
 *	then pieces	length 1-255, number of descriptors (modulo 4),
 *			that many octets
 *
 * What comes out must be what a plain walk over the same octets finds, and
 * no descriptor may be left over.
 *
 * covers: lib/libcompat/imsg.c lib/libcompat/ibuf.c lib/libcompat/msgbuf.c
 * functions: imsgbuf_read imsgbuf_get imsg_free imsg_get_fd imsg_get_type
 * functions: imsg_get_id imsg_get_pid imsg_get_len imsg_get_data imsg_get_buf
 * functions: imsg_get_strbuf imsg_get_ibuf imsg_header_read imsg_from_ibuf
 * functions: imsg_forward ibuf_skip ibuf_get ibuf_get_ibuf ibuf_get_strbuf
 * functions: ibuf_fd_get ibuf_fd_set ibuf_read msgbuf_get msgbuf_read
 * functions: msgbuf_fd_drop msgbuf_fd_pop msgbuf_readable msgbuf_input
 * functions: msgbuf_parse ibuf_fill msgbuf_message_start msgbuf_fd_check
 * functions: msgbuf_recv_lossy msgbuf_recv msgbuf_control msgbuf_control_scan
 * functions: msgbuf_fd_push
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <imsg.h>

#define FUZZ_INPUT_MAX	16384		/* fits into the socket */
#define FUZZ_FD_SCAN	64		/* none of ours is above */
#define FUZZ_SMALL_MAX	40
#define FUZZ_FD_MARK	0x80000000U

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct stream {
	unsigned char	octets[FUZZ_INPUT_MAX];
	size_t		len;		/* sent */
	size_t		pos;		/* received as messages */
	uint32_t	max;		/* of a message */
	int		fdpass;
	int		failed;		/* a read has returned -1 */
};

static struct stream	stream;

static int
fd_count(void)
{
	int	fd, n = 0;

	for (fd = 0; fd < FUZZ_FD_SCAN; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return (n);
}

/* Returns -1 when the socket is full: a piece costs more than its octets. */
static int
piece_send(int s, const uint8_t *data, size_t len, size_t fds)
{
	union {
		struct cmsghdr	hdr;
		unsigned char	space[CMSG_SPACE(3 * sizeof(int))];
	}		 control;
	struct msghdr	 mh;
	struct iovec	 iov;
	struct cmsghdr	*cm;
	int		 out[3] = { s, s, s };

	memset(&mh, 0, sizeof(mh));
	memcpy(stream.octets + stream.len, data, len);
	iov.iov_base = stream.octets + stream.len;
	iov.iov_len = len;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	if (fds > 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(fds * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(fds * sizeof(int));
		memcpy(CMSG_DATA(cm), out, fds * sizeof(int));
	}
	if (sendmsg(s, &mh, MSG_NOSIGNAL) != (ssize_t)len) {
		if (errno != EAGAIN && errno != ETOOMANYREFS)
			err(1, "sendmsg");
		return (-1);
	}
	stream.len += len;
	return (0);
}

/* The message that the walk finds next, or nothing yet, or nonsense. */
static int
stream_next(struct imsg_hdr *hdr)
{
	size_t	left = stream.len - stream.pos;

	if (left < sizeof(*hdr))
		return (0);
	memcpy(hdr, stream.octets + stream.pos, sizeof(*hdr));
	if (hdr->len & FUZZ_FD_MARK && !stream.fdpass)
		return (-1);
	hdr->len &= ~FUZZ_FD_MARK;
	if (hdr->len < sizeof(*hdr) || hdr->len > stream.max)
		return (-1);
	return (hdr->len <= left);
}

/* Reads the payload in a way that its type chooses. */
static void
payload_read(struct imsg *imsg, unsigned char *got, size_t len)
{
	struct ibuf	rest;
	size_t		part = len / 2;

	switch (imsg_get_type(imsg) % 4) {
	case 0:
		if (imsg_get_data(imsg, got, len) == -1)
			abort();
		break;
	case 1:
		if (imsg_get_buf(imsg, got, part) == -1 ||
		    imsg_get_ibuf(imsg, &rest) == -1 ||
		    ibuf_get(&rest, got + part, len - part) == -1 ||
		    ibuf_skip(&rest, 1) == 0)
			abort();
		break;
	case 2:
		/* What has no NUL at its end gets one. */
		if (imsg_get_strbuf(imsg, (char *)got, len) == -1) {
			if (errno != EOVERFLOW || got[len - 1] != '\0')
				abort();
			got[len - 1] = ((unsigned char *)imsg->data)[len - 1];
		}
		break;
	case 3:
		memcpy(got, imsg->data, len);
		break;
	}
}

static void
message_check(struct imsgbuf *out, struct imsg *imsg)
{
	static unsigned char	 got[FUZZ_INPUT_MAX];
	struct imsg_hdr		 want;
	size_t			 len;
	int			 fd;

	if (stream_next(&want) != 1)
		abort();
	len = imsg_get_len(imsg);
	if (imsg_get_type(imsg) != want.type ||
	    imsg_get_id(imsg) != want.peerid ||
	    imsg_get_pid(imsg) != (pid_t)want.pid ||
	    len != want.len - IMSG_HEADER_SIZE)
		abort();
	if (imsg_get_data(imsg, got, len + 1) != -1)
		abort();
	if (imsg_get_id(imsg) % 2 == 0 && imsg_forward(out, imsg) == -1 &&
	    errno != ERANGE)
		abort();
	if (len > 0)
		payload_read(imsg, got, len);
	if (memcmp(got, stream.octets + stream.pos + IMSG_HEADER_SIZE, len)
	    != 0)
		abort();
	if (imsg_get_pid(imsg) % 2 == 0 && (fd = imsg_get_fd(imsg)) != -1) {
		if (!stream.fdpass)
			abort();
		close(fd);
	}
	stream.pos += want.len;
}

static void
receive(struct imsgbuf *in, struct imsgbuf *out)
{
	struct imsg	imsg;
	int		n;

	n = imsgbuf_read(in);
	if (n == 0 || (stream.failed && n != -1))
		abort();
	if (n == -1)
		stream.failed = 1;
	while ((n = imsgbuf_get(in, &imsg)) == 1) {
		message_check(out, &imsg);
		imsg_free(&imsg);
	}
	if (n == -1)
		abort();
}

/* Sends the pieces and reads after each; then once more for each. */
static void
pieces_run(struct imsgbuf *in, struct imsgbuf *out, int s,
    const uint8_t *data, size_t size)
{
	size_t	pieces = 0, len, fds;

	while (size > 2) {
		len = data[0];
		fds = data[1] % 4;
		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		if (len == 0)
			continue;
		while (piece_send(s, data, len, fds) == -1) {
			receive(in, out);
			if (stream.failed)
				return;
		}
		data += len;
		size -= len;
		pieces++;
		/* Every other piece waits for the next. */
		if (pieces % 2 == 0)
			receive(in, out);
	}
	while (pieces-- > 0)
		receive(in, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imsgbuf	in, out;
	struct imsg_hdr	hdr;
	int		sp[2], before;

	if (size < 1 || size > FUZZ_INPUT_MAX)
		return (0);
	before = fd_count();
	memset(&stream, 0, sizeof(stream));
	stream.fdpass = data[0] & 1;
	stream.max = MAX_IMSGSIZE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp) == -1)
		err(1, "socketpair");
	if (imsgbuf_init(&in, sp[0]) == -1 || imsgbuf_init(&out, -1) == -1)
		err(1, "imsgbuf_init");
	if (stream.fdpass)
		imsgbuf_allow_fdpass(&in);
	if (data[0] & 2) {
		if (imsgbuf_set_maxsize(&in, FUZZ_SMALL_MAX) == -1)
			abort();
		stream.max = FUZZ_SMALL_MAX + IMSG_HEADER_SIZE;
	}
	pieces_run(&in, &out, sp[1], data + 1, size - 1);
	/* Nothing whole may be left; nonsense must have been noticed. */
	if (!stream.failed && stream_next(&hdr) != 0)
		abort();
	imsgbuf_clear(&in);
	imsgbuf_clear(&out);
	close(sp[0]);
	close(sp[1]);
	if (fd_count() != before)
		abort();
	return (0);
}
