/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Framing with a header of one's own: two octets that count the rest.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include <imsg.h>

#include "imsg_peer.h"

#define HEADER_OCTETS	2
#define FRAME_MAX	1000

static struct ibuf *
frame_start(struct ibuf *hdr, void *arg, int *fd)
{
	struct ibuf	*msg;
	uint16_t	 len;

	/* Nobody but the caller's argument says what is allowed. */
	if (ibuf_get_n16(hdr, &len) == -1)
		return (NULL);
	if (len > *(size_t *)arg) {
		errno = E2BIG;
		return (NULL);
	}
	if ((msg = ibuf_open(HEADER_OCTETS + (size_t)len)) == NULL)
		return (NULL);
	if (*fd >= 0) {
		ibuf_fd_set(msg, *fd);
		*fd = -1;
	}
	return (msg);
}

/* A callback that promises less than it was shown. */
static struct ibuf *
frame_short(struct ibuf *hdr, void *arg, int *fd)
{
	return (ibuf_open(1));
}

static void
frame_queue(struct msgbuf *m, const char *text, int fd)
{
	struct ibuf	*buf;
	size_t		 len = strlen(text);

	ATF_REQUIRE((buf = ibuf_dynamic(0, HEADER_OCTETS + len)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_n16(buf, len));
	ATF_REQUIRE_EQ(0, ibuf_add(buf, text, len));
	ibuf_fd_set(buf, fd);
	ibuf_close(m, buf);
}

static void
frame_is(struct msgbuf *m, const char *text, ino_t ino)
{
	struct ibuf	*buf;
	uint16_t	 len;
	int		 fd;

	ATF_REQUIRE((buf = msgbuf_get(m)) != NULL);
	ATF_CHECK_EQ(0, ibuf_get_n16(buf, &len));
	ATF_CHECK_EQ(strlen(text), len);
	ATF_CHECK_EQ(len, ibuf_size(buf));
	ATF_CHECK_EQ(0, memcmp(text, ibuf_data(buf), len));
	fd = ibuf_fd_get(buf);
	ATF_CHECK_EQ(ino != 0, fd != -1);
	if (fd != -1) {
		ATF_CHECK_EQ(ino, fd_inode(fd));
		close(fd);
	}
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(new_reader_limits);
ATF_TC_BODY(new_reader_limits, tc)
{
	struct msgbuf	*m;
	size_t		 max = FRAME_MAX;

	ATF_CHECK_ERRNO(EINVAL, msgbuf_new_reader(0, frame_start, &max) ==
	    NULL);
	ATF_CHECK_ERRNO(EINVAL, msgbuf_new_reader(IBUF_READ_SIZE + 1,
	    frame_start, &max) == NULL);
	/* A queue for writing only. */
	ATF_REQUIRE((m = msgbuf_new()) != NULL);
	ATF_CHECK_ERRNO(EINVAL, ibuf_read(STDIN_FILENO, m) == -1);
	ATF_CHECK_ERRNO(EINVAL, msgbuf_read(STDIN_FILENO, m) == -1);
	ATF_CHECK(msgbuf_get(m) == NULL);
	ATF_CHECK_EQ(0, msgbuf_write(-1, m));
	ATF_CHECK_EQ(0, ibuf_write(-1, m));
	frame_queue(m, "x", -1);
	ATF_CHECK_ERRNO(EBADF, msgbuf_write(-1, m) == -1);
	ATF_CHECK_ERRNO(EBADF, ibuf_write(-1, m) == -1);
	ATF_CHECK_EQ(1, msgbuf_queuelen(m));
	msgbuf_free(m);
	msgbuf_free(NULL);
}

/* read(2) and writev(2): any kind of descriptor will do. */
ATF_TC_WITHOUT_HEAD(through_a_pipe);
ATF_TC_BODY(through_a_pipe, tc)
{
	struct msgbuf	*w, *r;
	size_t		 max = FRAME_MAX;
	ino_t		 ino;
	int		 before, p[2], i;

	before = fd_count();
	ATF_REQUIRE(pipe(p) != -1);
	fd_nonblock(p[0]);
	ATF_REQUIRE((w = msgbuf_new()) != NULL);
	ATF_REQUIRE((r = msgbuf_new_reader(HEADER_OCTETS, frame_start,
	    &max)) != NULL);
	ATF_CHECK_EQ(1, ibuf_read(p[0], r));
	frame_queue(w, "one", -1);
	frame_queue(w, "", -1);
	frame_queue(w, "three", fd_make(&ino));
	ATF_CHECK_EQ(3, msgbuf_queuelen(w));
	ATF_CHECK_EQ(0, ibuf_write(p[1], w));
	ATF_CHECK_EQ(0, msgbuf_queuelen(w));
	ATF_CHECK_EQ(before + 2, fd_count());
	ATF_CHECK_EQ(1, ibuf_read(p[0], r));
	frame_is(r, "one", 0);
	frame_is(r, "", 0);
	frame_is(r, "three", 0);
	ATF_CHECK(msgbuf_get(r) == NULL);

	/* More than go into one call. */
	for (i = 0; i < 1000; i++)
		frame_queue(w, "x", -1);
	while (msgbuf_queuelen(w) > 0)
		ATF_REQUIRE_EQ(0, ibuf_write(p[1], w));
	ATF_REQUIRE_EQ(1, ibuf_read(p[0], r));
	for (i = 0; i < 1000; i++)
		frame_is(r, "x", 0);
	close(p[1]);
	ATF_CHECK_EQ(0, ibuf_read(p[0], r));
	msgbuf_free(w);
	msgbuf_free(r);
	close(p[0]);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TC_WITHOUT_HEAD(descriptors_by_callback);
ATF_TC_BODY(descriptors_by_callback, tc)
{
	struct msgbuf	*w, *r;
	size_t		 max = FRAME_MAX;
	ino_t		 ino;
	int		 before, sp[2];

	before = fd_count();
	pair_make(sp);
	ATF_REQUIRE((w = msgbuf_new()) != NULL);
	ATF_REQUIRE((r = msgbuf_new_reader(HEADER_OCTETS, frame_start,
	    &max)) != NULL);
	frame_queue(w, "with", fd_make(&ino));
	frame_queue(w, "without", -1);
	ATF_CHECK_EQ(0, msgbuf_write(sp[0], w));
	ATF_CHECK_EQ(0, msgbuf_queuelen(w));
	ATF_CHECK_EQ(1, msgbuf_read(sp[1], r));
	frame_is(r, "with", ino);
	frame_is(r, "without", 0);
	msgbuf_free(w);
	msgbuf_free(r);
	close(sp[0]);
	close(sp[1]);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TC_WITHOUT_HEAD(callback_refuses);
ATF_TC_BODY(callback_refuses, tc)
{
	struct msgbuf	*r;
	size_t		 max = 3;
	int		 sp[2];

	pair_make(sp);
	ATF_REQUIRE((r = msgbuf_new_reader(HEADER_OCTETS, frame_start,
	    &max)) != NULL);
	raw_send(sp[0], "\0\003abc\0\004abcd", 11, NULL, 0);
	ATF_CHECK_ERRNO(E2BIG, msgbuf_read(sp[1], r) == -1);
	ATF_CHECK_ERRNO(E2BIG, ibuf_read(sp[1], r) == -1);
	frame_is(r, "abc", 0);
	ATF_CHECK(msgbuf_get(r) == NULL);
	/* A new beginning, if the caller knows of one. */
	msgbuf_clear(r);
	raw_send(sp[0], "\0\001z", 3, NULL, 0);
	ATF_CHECK_EQ(1, msgbuf_read(sp[1], r));
	frame_is(r, "z", 0);
	msgbuf_free(r);

	ATF_REQUIRE((r = msgbuf_new_reader(HEADER_OCTETS, frame_short,
	    NULL)) != NULL);
	raw_send(sp[0], "\0\0", 2, NULL, 0);
	ATF_CHECK_ERRNO(ERANGE, msgbuf_read(sp[1], r) == -1);
	msgbuf_free(r);
	close(sp[0]);
	close(sp[1]);
}

/* Everything goes: queued, received, begun, waiting. */
ATF_TC_WITHOUT_HEAD(clear);
ATF_TC_BODY(clear, tc)
{
	struct msgbuf	*m;
	size_t		 max = FRAME_MAX;
	ino_t		 ino;
	int		 before, sp[2], fd;

	before = fd_count();
	pair_make(sp);
	fd = fd_make(&ino);
	ATF_REQUIRE((m = msgbuf_new_reader(HEADER_OCTETS, frame_start,
	    &max)) != NULL);
	frame_queue(m, "queued", fd_make(&ino));
	raw_send(sp[0], "\0\001a", 3, &fd, 1);
	ATF_CHECK_EQ(1, msgbuf_read(sp[1], m));
	raw_send(sp[0], "\0\002b", 3, &fd, 1);
	ATF_CHECK_EQ(1, msgbuf_read(sp[1], m));
	raw_send(sp[0], "c\0", 2, NULL, 0);
	ATF_CHECK_EQ(1, msgbuf_read(sp[1], m));
	msgbuf_clear(m);
	ATF_CHECK_EQ(0, msgbuf_queuelen(m));
	ATF_CHECK(msgbuf_get(m) == NULL);
	ATF_CHECK_EQ(before + 3, fd_count());
	raw_send(sp[0], "\0\001d", 3, NULL, 0);
	ATF_CHECK_EQ(1, msgbuf_read(sp[1], m));
	frame_is(m, "d", 0);
	raw_send(sp[0], "\0", 1, &fd, 1);
	ATF_CHECK_EQ(1, msgbuf_read(sp[1], m));
	msgbuf_clear(m);
	raw_send(sp[0], "\0\001e", 3, NULL, 0);
	ATF_CHECK_EQ(1, msgbuf_read(sp[1], m));
	frame_is(m, "e", 0);
	msgbuf_free(m);
	close(sp[0]);
	close(sp[1]);
	close(fd);
	ATF_CHECK_EQ(before, fd_count());
}

/* A buffer of no octets in the queue neither blocks nor is sent. */
ATF_TC_WITHOUT_HEAD(empty_buffers);
ATF_TC_BODY(empty_buffers, tc)
{
	struct msgbuf	*w;
	struct ibuf	*buf;
	char		 got[8];
	int		 sp[2], i;

	pair_make(sp);
	ATF_REQUIRE((w = msgbuf_new()) != NULL);
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
		ibuf_close(w, buf);
		if (i == 1)
			frame_queue(w, "x", -1);
	}
	ATF_CHECK_EQ(4, msgbuf_queuelen(w));
	ATF_CHECK_EQ(0, msgbuf_write(sp[0], w));
	ATF_CHECK_EQ(0, msgbuf_queuelen(w));
	ATF_CHECK_EQ(3, read(sp[1], got, sizeof(got)));
	ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
	ibuf_close(w, buf);
	ATF_CHECK_EQ(0, msgbuf_write(sp[0], w));
	ATF_CHECK_EQ(0, msgbuf_queuelen(w));
	msgbuf_free(w);
	close(sp[0]);
	close(sp[1]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, new_reader_limits);
	ATF_TP_ADD_TC(tp, through_a_pipe);
	ATF_TP_ADD_TC(tp, descriptors_by_callback);
	ATF_TP_ADD_TC(tp, callback_refuses);
	ATF_TP_ADD_TC(tp, clear);
	ATF_TP_ADD_TC(tp, empty_buffers);
	return (atf_no_error());
}
