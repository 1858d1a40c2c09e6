/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Messages between two ends that both keep to the rules.
 */
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include <imsg.h>

#include "imsg_peer.h"

#define PAYLOAD_OCTETS	(MAX_IMSGSIZE - IMSG_HEADER_SIZE)

/* All that a has queued becomes readable at b. */
static void
transfer(struct imsgbuf *a, struct imsgbuf *b)
{
	while (imsgbuf_queuelen(a) > 0) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(a));
		ATF_REQUIRE_EQ(1, imsgbuf_read(b));
	}
	/* What came in more than one piece. */
	ATF_REQUIRE_EQ(1, imsgbuf_read(b));
}

static void
receive(struct imsgbuf *b, struct imsg *imsg)
{
	ATF_REQUIRE_EQ(1, imsgbuf_get(b, imsg));
}

static void
send_one(struct imsgbuf *a, struct imsgbuf *b, const void *data, size_t len,
    struct imsg *imsg)
{
	ATF_REQUIRE_EQ(1, imsg_compose(a, 1, 0, 0, -1, data, len));
	transfer(a, b);
	receive(b, imsg);
}

ATF_TC_WITHOUT_HEAD(accessors);
ATF_TC_BODY(accessors, tc)
{
	struct imsgbuf	a, b;
	struct imsg	imsg;
	int		value = 42, got = 0;

	channel_make(&a, &b, 0);
	ATF_CHECK_EQ(0, imsgbuf_get(&b, &imsg));
	ATF_CHECK_EQ(1, imsgbuf_read(&b));
	ATF_CHECK_EQ(0, imsgbuf_get(&b, &imsg));

	ATF_CHECK_EQ(1, imsg_compose(&a, 0xfffffffe, 7, 99, -1, &value,
	    sizeof(value)));
	ATF_CHECK_EQ(1, imsg_compose(&a, 0, 0xffffffff, 0, -1, NULL, 0));
	ATF_CHECK_EQ(2, imsgbuf_queuelen(&a));
	transfer(&a, &b);

	receive(&b, &imsg);
	ATF_CHECK_EQ(0xfffffffe, imsg_get_type(&imsg));
	ATF_CHECK_EQ(7, imsg_get_id(&imsg));
	ATF_CHECK_EQ(99, imsg_get_pid(&imsg));
	ATF_CHECK_EQ(sizeof(value), imsg_get_len(&imsg));
	ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
	ATF_CHECK_EQ(0, imsg_get_data(&imsg, &got, sizeof(got)));
	ATF_CHECK_EQ(value, got);
	ATF_CHECK_EQ(0, imsg_get_len(&imsg));
	ATF_CHECK_ERRNO(EBADMSG, imsg_get_data(&imsg, &got,
	    sizeof(got)) == -1);
	imsg_free(&imsg);

	receive(&b, &imsg);
	ATF_CHECK_EQ(0, imsg_get_type(&imsg));
	ATF_CHECK_EQ(0xffffffff, imsg_get_id(&imsg));
	ATF_CHECK_EQ(getpid(), imsg_get_pid(&imsg));
	ATF_CHECK_EQ(0, imsg_get_len(&imsg));
	imsg_free(&imsg);
	imsg_free(&imsg);
	ATF_CHECK_EQ(0, imsgbuf_get(&b, &imsg));
	channel_end(&a);
	channel_end(&b);
}

ATF_TC_WITHOUT_HEAD(get_data_wants_the_length);
ATF_TC_BODY(get_data_wants_the_length, tc)
{
	struct imsgbuf	a, b;
	struct imsg	imsg;
	char		got[16];

	channel_make(&a, &b, 0);
	send_one(&a, &b, "12345678", 8, &imsg);
	ATF_CHECK_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 7) == -1);
	ATF_CHECK_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 9) == -1);
	ATF_CHECK_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 0) == -1);
	ATF_CHECK_EQ(8, imsg_get_len(&imsg));
	ATF_CHECK_EQ(0, imsg_get_data(&imsg, got, 8));
	ATF_CHECK_EQ(0, memcmp("12345678", got, 8));
	imsg_free(&imsg);

	send_one(&a, &b, NULL, 0, &imsg);
	ATF_CHECK_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 0) == -1);
	ATF_CHECK_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 1) == -1);
	imsg_free(&imsg);
	channel_end(&a);
	channel_end(&b);
}

ATF_TC_WITHOUT_HEAD(reading_in_pieces);
ATF_TC_BODY(reading_in_pieces, tc)
{
	struct imsgbuf	a, b;
	struct imsg	imsg;
	struct ibuf	rest;
	uint32_t	n32;
	char		got[16];

	channel_make(&a, &b, 0);
	send_one(&a, &b, "AAname\0\0\1\2\3\4", 12, &imsg);
	ATF_CHECK_EQ(0, imsg_get_buf(&imsg, got, 2));
	ATF_CHECK_EQ(10, imsg_get_len(&imsg));
	ATF_CHECK_EQ(0, imsg_get_strbuf(&imsg, got, 6));
	ATF_CHECK_STREQ("name", got);
	ATF_CHECK_ERRNO(EBADMSG, imsg_get_buf(&imsg, got, 5) == -1);
	ATF_CHECK_EQ(0, imsg_get_ibuf(&imsg, &rest));
	ATF_CHECK_EQ(0, imsg_get_len(&imsg));
	ATF_CHECK_EQ(4, ibuf_size(&rest));
	ATF_CHECK_EQ(0, ibuf_get_n32(&rest, &n32));
	ATF_CHECK_EQ(0x01020304, n32);
	ATF_CHECK_ERRNO(EBADMSG, imsg_get_ibuf(&imsg, &rest) == -1);
	imsg_free(&imsg);

	send_one(&a, &b, "no end", 6, &imsg);
	memset(got, 'x', sizeof(got));
	ATF_CHECK_ERRNO(EOVERFLOW, imsg_get_strbuf(&imsg, got, 6) == -1);
	ATF_CHECK_STREQ("no en", got);
	imsg_free(&imsg);
	channel_end(&a);
	channel_end(&b);
}

static void
received_is(struct imsgbuf *b, uint32_t type, const char *want)
{
	struct imsg	imsg;
	char		got[64];

	receive(b, &imsg);
	ATF_CHECK_EQ(type, imsg_get_type(&imsg));
	ATF_CHECK_EQ(strlen(want), imsg_get_len(&imsg));
	ATF_CHECK_EQ(0, imsg_get_data(&imsg, got, strlen(want)));
	ATF_CHECK_EQ(0, memcmp(want, got, strlen(want)));
	imsg_free(&imsg);
}

ATF_TC_WITHOUT_HEAD(ways_to_compose);
ATF_TC_BODY(ways_to_compose, tc)
{
	struct imsgbuf	 a, b;
	struct imsg	 imsg;
	struct ibuf	*msg;
	struct iovec	 iov[3];
	char		 x[] = "abc", y[] = "defg";

	channel_make(&a, &b, 0);
	memset(iov, 0, sizeof(iov));
	iov[0].iov_base = x;
	iov[0].iov_len = 3;
	iov[2].iov_base = y;
	iov[2].iov_len = 4;
	ATF_CHECK_EQ(1, imsg_composev(&a, 1, 0, 0, -1, iov, 3));

	/* The length given is only a hint: 1 of 10, and 10 of 1. */
	ATF_REQUIRE((msg = imsg_create(&a, 2, 0, 0, 10)) != NULL);
	ATF_CHECK_EQ(1, imsg_add(msg, "x", 1));
	imsg_close(&a, msg);
	ATF_REQUIRE((msg = imsg_create(&a, 3, 0, 0, 1)) != NULL);
	ATF_CHECK_EQ(10, imsg_add(msg, "0123456789", 10));
	ATF_CHECK_EQ(0, imsg_add(msg, NULL, 0));
	ATF_CHECK_EQ(0, ibuf_add_n8(msg, 'z'));
	imsg_close(&a, msg);

	/* Only what is unread of the buffer is the payload. */
	ATF_REQUIRE((msg = ibuf_dynamic(1, 64)) != NULL);
	ATF_CHECK_EQ(0, ibuf_add(msg, "__buffer", 8));
	ATF_CHECK_EQ(0, ibuf_skip(msg, 2));
	ATF_CHECK_EQ(1, imsg_compose_ibuf(&a, 4, 0, 0, msg));

	ATF_CHECK_EQ(1, imsg_composev(&a, 5, 0, 0, -1, NULL, 0));
	ATF_CHECK_EQ(5, imsgbuf_queuelen(&a));
	transfer(&a, &b);
	received_is(&b, 1, "abcdefg");
	received_is(&b, 2, "x");
	received_is(&b, 3, "0123456789z");
	received_is(&b, 4, "buffer");
	receive(&b, &imsg);
	ATF_CHECK_EQ(5, imsg_get_type(&imsg));
	ATF_CHECK_EQ(0, imsg_get_len(&imsg));
	imsg_free(&imsg);
	channel_end(&a);
	channel_end(&b);
}

ATF_TC_WITHOUT_HEAD(imsg_get_returns_octets);
ATF_TC_BODY(imsg_get_returns_octets, tc)
{
	struct imsgbuf	a, b;
	struct imsg	imsg;

	channel_make(&a, &b, 0);
	ATF_CHECK_EQ(0, imsg_get(&b, &imsg));
	ATF_REQUIRE_EQ(1, imsg_compose(&a, 1, 0, 0, -1, "abc", 3));
	transfer(&a, &b);
	ATF_CHECK_EQ((ssize_t)IMSG_HEADER_SIZE + 3, imsg_get(&b, &imsg));
	imsg_free(&imsg);
	channel_end(&a);
	channel_end(&b);
}

ATF_TC_WITHOUT_HEAD(oversize_is_not_sent);
ATF_TC_BODY(oversize_is_not_sent, tc)
{
	static char	 octets[MAX_IMSGSIZE + 1];
	struct imsgbuf	 a, b;
	struct imsg	 imsg;
	struct ibuf	*msg;
	struct iovec	 iov[2];

	channel_make(&a, &b, 0);
	ATF_CHECK_ERRNO(ERANGE, imsg_compose(&a, 1, 0, 0, -1, octets,
	    PAYLOAD_OCTETS + 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, imsg_compose(&a, 1, 0, 0, -1, octets,
	    SIZE_MAX) == -1);
	ATF_CHECK_ERRNO(ERANGE, imsg_create(&a, 1, 0, 0,
	    PAYLOAD_OCTETS + 1) == NULL);
	ATF_REQUIRE((msg = imsg_create(&a, 1, 0, 0, 0)) != NULL);
	ATF_CHECK_EQ((int)PAYLOAD_OCTETS, imsg_add(msg, octets,
	    PAYLOAD_OCTETS));
	/* This frees: the sanitizer sees when it does not. */
	ATF_CHECK_ERRNO(ERANGE, imsg_add(msg, octets, 1) == -1);
	iov[0].iov_base = iov[1].iov_base = octets;
	iov[0].iov_len = PAYLOAD_OCTETS;
	iov[1].iov_len = 1;
	ATF_CHECK_ERRNO(ERANGE, imsg_composev(&a, 1, 0, 0, -1, iov,
	    2) == -1);
	ATF_REQUIRE((msg = ibuf_open(PAYLOAD_OCTETS + 1)) != NULL);
	ATF_CHECK_EQ(0, ibuf_add_zero(msg, PAYLOAD_OCTETS + 1));
	ATF_CHECK_ERRNO(ERANGE, imsg_compose_ibuf(&a, 1, 0, 0, msg) == -1);
	ATF_CHECK_EQ(0, imsgbuf_queuelen(&a));

	ATF_CHECK_EQ(1, imsg_compose(&a, 1, 0, 0, -1, octets,
	    PAYLOAD_OCTETS));
	transfer(&a, &b);
	receive(&b, &imsg);
	ATF_CHECK_EQ(PAYLOAD_OCTETS, imsg_get_len(&imsg));
	imsg_free(&imsg);
	channel_end(&a);
	channel_end(&b);
}

ATF_TC_WITHOUT_HEAD(set_maxsize);
ATF_TC_BODY(set_maxsize, tc)
{
	static char	 octets[100000];
	struct imsgbuf	 a, b;
	struct imsg	 imsg;
	struct ibuf	*msg;
	size_t		 i;

	channel_make(&a, &b, 0);
	ATF_CHECK_ERRNO(EINVAL, imsgbuf_set_maxsize(&a, UINT32_MAX) == -1);
	ATF_CHECK_ERRNO(EINVAL, imsgbuf_set_maxsize(&a,
	    0x80000000U - IMSG_HEADER_SIZE) == -1);
	ATF_CHECK_EQ(0, imsgbuf_set_maxsize(&a, sizeof(octets)));
	ATF_CHECK_EQ(0, imsgbuf_set_maxsize(&b, sizeof(octets)));
	for (i = 0; i < sizeof(octets); i++)
		octets[i] = i * 7 & 0xff;
	ATF_CHECK_ERRNO(ERANGE, imsg_compose(&a, 1, 0, 0, -1, octets,
	    sizeof(octets) + 1) == -1);
	ATF_CHECK_EQ(1, imsg_compose(&a, 1, 0, 0, -1, octets,
	    sizeof(octets)));
	transfer(&a, &b);
	receive(&b, &imsg);
	ATF_REQUIRE_EQ(sizeof(octets), imsg_get_len(&imsg));
	ATF_CHECK_EQ(0, memcmp(octets, imsg.data, sizeof(octets)));
	imsg_free(&imsg);

	ATF_REQUIRE((msg = imsg_create(&a, 1, 0, 0, 0)) != NULL);
	ATF_CHECK_EQ(0, imsg_set_maxsize(msg, 10));
	ATF_CHECK_ERRNO(ERANGE, imsg_set_maxsize(msg, 11) == -1);
	ATF_CHECK_ERRNO(ERANGE, imsg_set_maxsize(msg, SIZE_MAX) == -1);
	ATF_CHECK_EQ(10, imsg_add(msg, octets, 10));
	ATF_CHECK_ERRNO(ERANGE, imsg_set_maxsize(msg, 9) == -1);
	ATF_CHECK_ERRNO(ERANGE, imsg_add(msg, octets, 1) == -1);

	/* The receiver's limit counts, not the sender's. */
	ATF_CHECK_EQ(0, imsgbuf_set_maxsize(&b, 10));
	ATF_CHECK_EQ(1, imsg_compose(&a, 1, 0, 0, -1, octets, 10));
	ATF_CHECK_EQ(1, imsg_compose(&a, 2, 0, 0, -1, octets, 11));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
	ATF_CHECK_ERRNO(ERANGE, imsgbuf_read(&b) == -1);
	channel_end(&a);
	channel_end(&b);
}

ATF_TC_WITHOUT_HEAD(descriptor_passes);
ATF_TC_BODY(descriptor_passes, tc)
{
	struct imsgbuf	 a, b;
	struct imsg	 imsg;
	struct ibuf	*msg;
	struct iovec	 iov = { NULL, 0 };
	ino_t		 ino[4];
	int		 before = fd_count(), fd, i;

	channel_make(&a, &b, 1);
	ATF_CHECK_EQ(1, imsg_compose(&a, 0, 0, 0, fd_make(&ino[0]), "x", 1));
	ATF_CHECK_EQ(1, imsg_composev(&a, 1, 0, 0, fd_make(&ino[1]), &iov,
	    1));
	ATF_REQUIRE((msg = ibuf_dynamic(0, 10)) != NULL);
	ibuf_fd_set(msg, fd_make(&ino[2]));
	ATF_CHECK_EQ(1, imsg_compose_ibuf(&a, 2, 0, 0, msg));
	ATF_REQUIRE((msg = imsg_create(&a, 3, 0, 0, 0)) != NULL);
	ibuf_fd_set(msg, fd_make(&ino[3]));
	imsg_close(&a, msg);
	ATF_CHECK_EQ(before + 6, fd_count());

	for (i = 0; i < 4; i++) {
		/* One descriptor to a call, and it is closed here then. */
		ATF_CHECK_EQ((uint32_t)(4 - i), imsgbuf_queuelen(&a));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_CHECK_EQ(before + 5 - i, fd_count());
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		receive(&b, &imsg);
		ATF_CHECK_EQ((uint32_t)i, imsg_get_type(&imsg));
		ATF_REQUIRE((fd = imsg_get_fd(&imsg)) != -1);
		ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
		ATF_CHECK_EQ(ino[i], fd_inode(fd));
		ATF_CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		imsg_free(&imsg);
		ATF_CHECK_EQ(0, close(fd));
	}
	channel_end(&a);
	channel_end(&b);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TC_WITHOUT_HEAD(descriptors_are_off_by_default);
ATF_TC_BODY(descriptors_are_off_by_default, tc)
{
	struct imsgbuf	 a, b;
	struct imsg	 imsg;
	struct ibuf	*msg;
	ino_t		 ino;
	int		 before = fd_count(), fd = fd_make(&ino);

	channel_make(&a, &b, 0);
	ATF_CHECK_ERRNO(EINVAL, imsg_compose(&a, 1, 0, 0, fd, NULL, 0) == -1);
	ATF_CHECK_ERRNO(EINVAL, imsg_composev(&a, 1, 0, 0, fd, NULL, 0) == -1);
	ATF_CHECK_EQ(0, imsgbuf_queuelen(&a));
	/* Refused: still the caller's. */
	ATF_CHECK_EQ(ino, fd_inode(fd));
	ATF_REQUIRE((msg = ibuf_dynamic(0, 10)) != NULL);
	ibuf_fd_set(msg, fd);
	ATF_CHECK_ERRNO(EINVAL, imsg_compose_ibuf(&a, 1, 0, 0, msg) == -1);
	ATF_CHECK_EQ(before + 2, fd_count());

	ATF_REQUIRE((msg = imsg_create(&a, 2, 0, 0, 0)) != NULL);
	ibuf_fd_set(msg, fd_make(&ino));
	imsg_close(&a, msg);
	ATF_CHECK_EQ(before + 2, fd_count());
	transfer(&a, &b);
	receive(&b, &imsg);
	ATF_CHECK_EQ(2, imsg_get_type(&imsg));
	ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
	imsg_free(&imsg);
	channel_end(&a);
	channel_end(&b);
	ATF_CHECK_EQ(before, fd_count());
}

#define MANY	300

ATF_TC_WITHOUT_HEAD(many_descriptors);
ATF_TC_BODY(many_descriptors, tc)
{
	static ino_t	ino[MANY];
	struct imsgbuf	a, b;
	struct imsg	imsg;
	int		before = fd_count(), got = 0, fd, n, i;

	channel_make(&a, &b, 1);
	/* Two in three carry one; each knows which. */
	for (i = 0; i < MANY; i++) {
		fd = i % 3 == 0 ? -1 : fd_make(&ino[i]);
		ATF_REQUIRE_EQ(1, imsg_compose(&a, i, 0, 0, fd, &i,
		    sizeof(i)));
	}
	while (got < MANY) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		while ((n = imsgbuf_get(&b, &imsg)) == 1) {
			ATF_REQUIRE_EQ((uint32_t)got, imsg_get_type(&imsg));
			fd = imsg_get_fd(&imsg);
			if (got % 3 == 0)
				ATF_REQUIRE_EQ(-1, fd);
			else {
				ATF_REQUIRE_EQ(ino[got], fd_inode(fd));
				close(fd);
			}
			imsg_free(&imsg);
			got++;
		}
		ATF_REQUIRE_EQ(0, n);
	}
	channel_end(&a);
	channel_end(&b);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TC_WITHOUT_HEAD(unclaimed_descriptors_are_closed);
ATF_TC_BODY(unclaimed_descriptors_are_closed, tc)
{
	struct imsgbuf	a, b;
	struct imsg	imsg;
	ino_t		ino;
	int		before = fd_count(), i;

	channel_make(&a, &b, 1);
	for (i = 0; i < 4; i++)
		ATF_REQUIRE_EQ(1, imsg_compose(&a, i, 0, 0, fd_make(&ino),
		    NULL, 0));
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	}
	/* One of them read, two received, one not sent. */
	ATF_CHECK_EQ(before + 6, fd_count());
	receive(&b, &imsg);
	imsg_free(&imsg);
	ATF_CHECK_EQ(before + 5, fd_count());
	imsgbuf_clear(&b);
	ATF_CHECK_EQ(before + 3, fd_count());
	imsgbuf_clear(&a);
	ATF_CHECK_EQ(before + 2, fd_count());
	ATF_CHECK_EQ(0, close(a.fd));
	ATF_CHECK_EQ(0, close(b.fd));
}

ATF_TC_WITHOUT_HEAD(forward_drops_the_descriptor);
ATF_TC_BODY(forward_drops_the_descriptor, tc)
{
	struct imsgbuf	a, b, c, d;
	struct imsg	imsg, copy;
	ino_t		ino;
	int		before = fd_count(), fd, i;
	char		got[8];

	channel_make(&a, &b, 1);
	channel_make(&c, &d, 1);
	ATF_REQUIRE_EQ(1, imsg_compose(&a, 5, 6, 7, fd_make(&ino),
	    "payload", 8));
	transfer(&a, &b);
	receive(&b, &imsg);
	ATF_CHECK_EQ(1, imsg_forward(&c, &imsg));
	ATF_CHECK_EQ(0, imsg_get_data(&imsg, got, 8));
	/* Whole, and more than once, whatever was read of it. */
	ATF_CHECK_EQ(1, imsg_forward(&c, &imsg));
	ATF_REQUIRE((fd = imsg_get_fd(&imsg)) != -1);
	ATF_CHECK_EQ(ino, fd_inode(fd));
	close(fd);
	imsg_free(&imsg);

	transfer(&c, &d);
	for (i = 0; i < 2; i++) {
		receive(&d, &copy);
		ATF_CHECK_EQ(5, imsg_get_type(&copy));
		ATF_CHECK_EQ(6, imsg_get_id(&copy));
		ATF_CHECK_EQ(7, imsg_get_pid(&copy));
		ATF_CHECK_EQ(-1, imsg_get_fd(&copy));
		ATF_CHECK_EQ(0, imsg_get_data(&copy, got, 8));
		ATF_CHECK_STREQ("payload", got);
		imsg_free(&copy);
	}

	/* Nothing to carry, and a channel that takes less. */
	send_one(&a, &b, NULL, 0, &imsg);
	ATF_CHECK_EQ(1, imsg_forward(&c, &imsg));
	imsg_free(&imsg);
	send_one(&a, &b, "12345678", 8, &imsg);
	ATF_CHECK_EQ(0, imsgbuf_set_maxsize(&c, 7));
	ATF_CHECK_ERRNO(ERANGE, imsg_forward(&c, &imsg) == -1);
	imsg_free(&imsg);
	transfer(&c, &d);
	receive(&d, &copy);
	ATF_CHECK_EQ(0, imsg_get_len(&copy));
	imsg_free(&copy);
	ATF_CHECK_EQ(0, imsgbuf_get(&d, &copy));

	channel_end(&a);
	channel_end(&b);
	channel_end(&c);
	channel_end(&d);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TC_WITHOUT_HEAD(writes_are_batched);
ATF_TC_BODY(writes_are_batched, tc)
{
	const uint32_t	left[] = { 4, 2, 0 };
	struct imsgbuf	a, b;
	struct imsg	imsg;
	ino_t		ino;
	size_t		i;
	int		n;

	channel_make(&a, &b, 1);
	for (i = 0; i < 10; i++)
		ATF_REQUIRE_EQ(1, imsg_compose(&a, i, 0, 0, -1, "abc", 3));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
	ATF_CHECK_EQ(0, imsgbuf_queuelen(&a));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	for (i = 0; i < 10; i++) {
		receive(&b, &imsg);
		ATF_CHECK_EQ(i, imsg_get_type(&imsg));
		imsg_free(&imsg);
	}

	/* A descriptor starts a new call: plain, D plain, D plain. */
	for (i = 0; i < 5; i++)
		ATF_REQUIRE_EQ(1, imsg_compose(&a, i, 0, 0,
		    i % 2 == 0 ? -1 : fd_make(&ino), "abc", 3));
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_CHECK_EQ(left[i], imsgbuf_queuelen(&a));
	}
	for (i = 0; i < 5;) {
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		while ((n = imsgbuf_get(&b, &imsg)) == 1) {
			ATF_CHECK_EQ(i, imsg_get_type(&imsg));
			imsg_free(&imsg);
			i++;
		}
		ATF_REQUIRE_EQ(0, n);
	}
	channel_end(&a);
	channel_end(&b);
}

/* A message that leaves in parts takes its descriptor along once. */
ATF_TC_WITHOUT_HEAD(descriptor_goes_with_the_first_part);
ATF_TC_BODY(descriptor_goes_with_the_first_part, tc)
{
	static char	octets[100000];
	struct imsgbuf	a, b;
	struct imsg	imsg;
	ino_t		ino;
	int		before, fd, n, small = 4096, parts = 0;

	before = fd_count();
	channel_make(&a, &b, 1);
	ATF_REQUIRE(setsockopt(a.fd, SOL_SOCKET, SO_SNDBUF, &small,
	    sizeof(small)) != -1);
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&a, sizeof(octets)));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&b, sizeof(octets)));
	ATF_REQUIRE_EQ(1, imsg_compose(&a, 1, 0, 0, fd_make(&ino), octets,
	    sizeof(octets)));
	while ((n = imsgbuf_get(&b, &imsg)) == 0) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_REQUIRE_EQ(before + 2 + (parts > 0), fd_count());
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_REQUIRE_EQ(before + 3, fd_count());
		parts++;
	}
	ATF_REQUIRE_EQ(1, n);
	ATF_CHECK(parts > 2);
	ATF_REQUIRE((fd = imsg_get_fd(&imsg)) != -1);
	ATF_CHECK_EQ(ino, fd_inode(fd));
	close(fd);
	imsg_free(&imsg);
	channel_end(&a);
	channel_end(&b);
	ATF_CHECK_EQ(before, fd_count());
}

/* A reader that is slower than the writer: the queue grows, then drains. */
ATF_TC_WITHOUT_HEAD(watermarks);
ATF_TC_BODY(watermarks, tc)
{
	static char	octets[10000];
	struct imsgbuf	a, b;
	struct imsg	imsg;
	uint32_t	high, len, sent = 0, got = 0;
	int		n;

	channel_make(&a, &b, 0);
	/* Until the socket takes no more, and 50 on top. */
	do {
		ATF_REQUIRE_EQ(1, imsg_compose(&a, sent++, 0, 0, -1, octets,
		    sizeof(octets)));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_REQUIRE(sent < 100000);
	} while (imsgbuf_queuelen(&a) == 0);
	for (n = 0; n < 50; n++)
		ATF_REQUIRE_EQ(1, imsg_compose(&a, sent++, 0, 0, -1, octets,
		    sizeof(octets)));
	high = imsgbuf_queuelen(&a);
	ATF_CHECK_EQ(51, high);
	/* A full socket is no error and changes nothing. */
	for (n = 0; n < 5; n++)
		ATF_CHECK_EQ(0, imsgbuf_write(&a));
	ATF_CHECK_EQ(high, imsgbuf_queuelen(&a));

	while (got < sent) {
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		while ((n = imsgbuf_get(&b, &imsg)) == 1) {
			ATF_REQUIRE_EQ(got, imsg_get_type(&imsg));
			ATF_REQUIRE_EQ(sizeof(octets), imsg_get_len(&imsg));
			imsg_free(&imsg);
			got++;
		}
		ATF_REQUIRE_EQ(0, n);
		len = imsgbuf_queuelen(&a);
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_REQUIRE(imsgbuf_queuelen(&a) <= len);
	}
	ATF_CHECK_EQ(0, imsgbuf_queuelen(&a));
	channel_end(&a);
	channel_end(&b);
}

ATF_TC_WITHOUT_HEAD(peer_closes);
ATF_TC_BODY(peer_closes, tc)
{
	struct imsgbuf	a, b;
	struct imsg	imsg;

	channel_make(&a, &b, 0);
	ATF_REQUIRE_EQ(1, imsg_compose(&a, 1, 0, 0, -1, "last", 4));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
	channel_end(&a);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_CHECK_EQ(0, imsgbuf_read(&b));
	ATF_CHECK_EQ(0, imsgbuf_read(&b));
	/* It came before the end, so it is there after it. */
	receive(&b, &imsg);
	ATF_CHECK_EQ(4, imsg_get_len(&imsg));
	imsg_free(&imsg);
	ATF_CHECK_EQ(0, imsgbuf_get(&b, &imsg));

	/* No SIGPIPE: its default would end this test. */
	ATF_REQUIRE_EQ(1, imsg_compose(&b, 1, 0, 0, -1, "x", 1));
	ATF_CHECK_ERRNO(EPIPE, imsgbuf_write(&b) == -1);
	ATF_CHECK_ERRNO(EPIPE, imsgbuf_flush(&b) == -1);
	ATF_CHECK_EQ(1, imsgbuf_queuelen(&b));
	channel_end(&b);
}

/* Linux tells of such a death by ECONNRESET, the BSDs do not. */
ATF_TC_WITHOUT_HEAD(peer_dies_with_input_unread);
ATF_TC_BODY(peer_dies_with_input_unread, tc)
{
	struct imsgbuf	a, b;
	struct imsg	imsg;
	int		i;

	for (i = 0; i < 2; i++) {
		channel_make(&a, &b, i);
		ATF_REQUIRE_EQ(1, imsg_compose(&b, 1, 0, 0, -1, "unread", 6));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&b));
		ATF_REQUIRE_EQ(1, imsg_compose(&a, 1, 0, 0, -1, "last", 4));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		channel_end(&a);
		ATF_REQUIRE_EQ(1, imsg_compose(&b, 1, 0, 0, -1, "x", 1));
		ATF_CHECK_ERRNO(EPIPE, imsgbuf_write(&b) == -1);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		receive(&b, &imsg);
		imsg_free(&imsg);
		ATF_CHECK_EQ(0, imsgbuf_read(&b));
		channel_end(&b);

		/* The other way round: read first. */
		channel_make(&a, &b, i);
		ATF_REQUIRE_EQ(1, imsg_compose(&b, 1, 0, 0, -1, "unread", 6));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&b));
		channel_end(&a);
		ATF_CHECK_EQ(0, imsgbuf_read(&b));
		ATF_CHECK_EQ(0, imsgbuf_read(&b));
		channel_end(&b);
	}
}

ATF_TC_WITHOUT_HEAD(peer_is_killed);
ATF_TC_BODY(peer_is_killed, tc)
{
	struct imsgbuf	b;
	struct imsg	imsg;
	int		sp[2], status;
	pid_t		pid;

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) != -1);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		struct imsgbuf	a;

		close(sp[1]);
		if (imsgbuf_init(&a, sp[0]) == -1 ||
		    imsg_compose(&a, 1, 0, 0, -1, "hello", 5) == -1 ||
		    imsgbuf_flush(&a) == -1)
			_exit(1);
		for (;;)
			pause();
	}
	close(sp[0]);
	ATF_REQUIRE_EQ(0, imsgbuf_init(&b, sp[1]));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	receive(&b, &imsg);
	ATF_CHECK_EQ(pid, imsg_get_pid(&imsg));
	imsg_free(&imsg);
	ATF_REQUIRE(kill(pid, SIGKILL) != -1);
	ATF_CHECK_EQ(0, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	channel_end(&b);
}

/* The socket is full and non-blocking, and the reader a process. */
ATF_TC_WITHOUT_HEAD(flush_waits_for_the_reader);
ATF_TC_BODY(flush_waits_for_the_reader, tc)
{
	static char	octets[10000];
	struct imsgbuf	a, b;
	struct imsg	imsg;
	uint32_t	i, n = 500;
	pid_t		pid;
	int		status;

	channel_make(&a, &b, 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		imsgbuf_clear(&a);
		close(a.fd);
		if (fcntl(b.fd, F_SETFL, 0) == -1)
			_exit(1);
		for (i = 0; i < n;) {
			if (imsgbuf_read(&b) != 1)
				_exit(2);
			while (imsgbuf_get(&b, &imsg) == 1) {
				if (imsg_get_type(&imsg) != i++)
					_exit(3);
				imsg_free(&imsg);
			}
		}
		imsgbuf_clear(&b);
		_exit(0);
	}
	channel_end(&b);
	for (i = 0; i < n; i++)
		ATF_REQUIRE_EQ(1, imsg_compose(&a, i, 0, 0, -1, octets,
		    sizeof(octets)));
	ATF_CHECK_EQ(0, imsgbuf_flush(&a));
	ATF_CHECK_EQ(0, imsgbuf_queuelen(&a));
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK_EQ(0, status);
	channel_end(&a);
}

/* Queues so many messages of that length at a time, until it fails. */
static void
flush_until_death(struct imsgbuf *a, uint32_t count, size_t len)
{
	static char	octets[10000];
	uint32_t	i, n = 0;

	do {
		for (i = 0; i < count; i++)
			ATF_REQUIRE_EQ(1, imsg_compose(a, i, 0, 0, -1,
			    octets, len));
		ATF_REQUIRE(n++ < 1000000);
		errno = 0;
	} while (imsgbuf_flush(a) == 0);
	ATF_CHECK_EQ(EPIPE, errno);
	ATF_CHECK(imsgbuf_queuelen(a) > 0);
}

/* Until the other end fills no further, so most probably sleeps. */
static void
full_wait(int fd)
{
	int	now = 0, last;

	do {
		last = now;
		poll(NULL, 0, 5);
		if (ioctl(fd, FIONREAD, &now) == -1)
			_exit(1);
	} while (now == 0 || now != last);
}

/* The reader dies while the writer sleeps, in sendmsg(2) or in poll(2). */
ATF_TC_WITHOUT_HEAD(flush_to_a_dying_reader);
ATF_TC_BODY(flush_to_a_dying_reader, tc)
{
	struct imsgbuf	a, b;
	pid_t		pid;
	int		round, status;

	for (round = 0; round < 4; round++) {
		channel_make(&a, &b, 0);
		if (round & 1)
			ATF_REQUIRE(fcntl(a.fd, F_SETFL, 0) != -1);
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0) {
			close(a.fd);
			full_wait(b.fd);
			_exit(0);
		}
		channel_end(&b);
		/* In many parts, or each in one. */
		if (round & 2)
			flush_until_death(&a, 500, 10000);
		else
			flush_until_death(&a, 1, 1000);
		ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
		ATF_CHECK_EQ(0, status);
		channel_end(&a);
	}
}

static int	interrupt_pipe[2];

static void
interrupted(int signo)
{
	int	saved_errno = errno;
	ssize_t	n;

	n = write(interrupt_pipe[1], "", 1);
	(void)n;
	errno = saved_errno;
}

/* A signal handler without SA_RESTART, three times during one read. */
ATF_TC_WITHOUT_HEAD(interrupted_read_goes_on);
ATF_TC_BODY(interrupted_read_goes_on, tc)
{
	struct imsgbuf		a, b;
	struct imsg		imsg;
	struct sigaction	sa;
	struct itimerval	timer;
	pid_t			pid;
	char			octet;
	int			fdpass, i, status;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = interrupted;
	ATF_REQUIRE(sigaction(SIGALRM, &sa, NULL) != -1);
	for (fdpass = 0; fdpass < 2; fdpass++) {
		ATF_REQUIRE(pipe(interrupt_pipe) != -1);
		channel_make(&a, &b, fdpass);
		ATF_REQUIRE(fcntl(b.fd, F_SETFL, 0) != -1);
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0) {
			for (i = 0; i < 3; i++)
				if (read(interrupt_pipe[0], &octet, 1) != 1)
					_exit(1);
			if (imsg_compose(&a, 1, 0, 0, -1, NULL, 0) == -1 ||
			    imsgbuf_write(&a) == -1)
				_exit(2);
			_exit(0);
		}
		memset(&timer, 0, sizeof(timer));
		timer.it_interval.tv_usec = timer.it_value.tv_usec = 2000;
		ATF_REQUIRE(setitimer(ITIMER_REAL, &timer, NULL) != -1);
		ATF_CHECK_EQ(1, imsgbuf_read(&b));
		memset(&timer, 0, sizeof(timer));
		ATF_REQUIRE(setitimer(ITIMER_REAL, &timer, NULL) != -1);
		receive(&b, &imsg);
		imsg_free(&imsg);
		ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
		ATF_CHECK_EQ(0, status);
		channel_end(&a);
		channel_end(&b);
		close(interrupt_pipe[0]);
		close(interrupt_pipe[1]);
	}
}

ATF_TC_WITHOUT_HEAD(setting_aside);
ATF_TC_BODY(setting_aside, tc)
{
	struct ibufqueue	*q;
	struct ibuf		*buf;
	struct imsgbuf		 a, b;
	struct imsg		 imsg;
	ino_t			 ino[2];
	int			 before = fd_count(), fd, i;
	char			 got[4];

	channel_make(&a, &b, 1);
	ATF_REQUIRE((q = ibufq_new()) != NULL);
	ATF_CHECK_EQ(0, imsg_ibufq_pop(q, &imsg));
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE_EQ(1, imsg_compose(&a, i, 9, 8, fd_make(&ino[i]),
		    "data", 4));
		transfer(&a, &b);
		receive(&b, &imsg);
		ATF_CHECK_EQ(0, imsg_get_data(&imsg, got, 4));
		/* The first loses its descriptor before it is set aside. */
		if (i == 0)
			close(imsg_get_fd(&imsg));
		imsg_ibufq_push(q, &imsg);
		imsg_free(&imsg);
	}
	ATF_CHECK_EQ(2, ibufq_queuelen(q));
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE_EQ(1, imsg_ibufq_pop(q, &imsg));
		ATF_CHECK_EQ((uint32_t)i, imsg_get_type(&imsg));
		ATF_CHECK_EQ(9, imsg_get_id(&imsg));
		ATF_CHECK_EQ(8, imsg_get_pid(&imsg));
		ATF_CHECK_EQ(4, imsg_get_len(&imsg));
		ATF_CHECK_EQ(0, imsg_get_data(&imsg, got, 4));
		fd = imsg_get_fd(&imsg);
		ATF_CHECK_EQ(i == 0, fd == -1);
		if (fd != -1) {
			ATF_CHECK_EQ(ino[i], fd_inode(fd));
			close(fd);
		}
		imsg_free(&imsg);
	}

	/* What is in a queue and no message. */
	ATF_REQUIRE((buf = ibuf_open(40)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_zero(buf, 40));
	ibufq_push(q, buf);
	ATF_REQUIRE((buf = ibuf_open(3)) != NULL);
	ibufq_push(q, buf);
	ATF_CHECK_ERRNO(EBADMSG, imsg_ibufq_pop(q, &imsg) == -1);
	ATF_CHECK_ERRNO(EBADMSG, imsg_ibufq_pop(q, &imsg) == -1);
	ATF_CHECK_EQ(0, imsg_ibufq_pop(q, &imsg));
	ibufq_free(q);
	channel_end(&a);
	channel_end(&b);
	ATF_CHECK_EQ(before, fd_count());
}

/*
 * Received here, sent on from there, with the descriptor if it was not
 * taken; the next message has its own in either case.
 */
ATF_TC_WITHOUT_HEAD(set_aside_and_sent_on);
ATF_TC_BODY(set_aside_and_sent_on, tc)
{
	struct ibufqueue	*q;
	struct imsgbuf		 a, b;
	struct imsg		 imsg;
	ino_t			 ino[2];
	int			 before, fd, taken, i;

	before = fd_count();
	channel_make(&a, &b, 1);
	ATF_REQUIRE((q = ibufq_new()) != NULL);
	for (taken = 0; taken < 2; taken++) {
		ATF_REQUIRE_EQ(1, imsg_compose(&a, 0, 0, 0, fd_make(&ino[0]),
		    "x", 1));
		transfer(&a, &b);
		receive(&b, &imsg);
		if (taken)
			close(imsg_get_fd(&imsg));
		imsg_ibufq_push(q, &imsg);
		msgbuf_concat(a.w, q);
		ATF_CHECK_EQ(0, ibufq_queuelen(q));
		ATF_CHECK_EQ(1, imsgbuf_queuelen(&a));
		ATF_REQUIRE_EQ(1, imsg_compose(&a, 1, 0, 0, fd_make(&ino[1]),
		    NULL, 0));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&a));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		for (i = 0; i < 2; i++) {
			receive(&b, &imsg);
			ATF_CHECK_EQ((uint32_t)i, imsg_get_type(&imsg));
			fd = imsg_get_fd(&imsg);
			ATF_CHECK_EQ(i == 0 && taken, fd == -1);
			if (fd != -1) {
				ATF_CHECK_EQ(ino[i], fd_inode(fd));
				close(fd);
			}
			imsg_free(&imsg);
		}
	}
	ibufq_free(q);
	channel_end(&a);
	channel_end(&b);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, accessors);
	ATF_TP_ADD_TC(tp, get_data_wants_the_length);
	ATF_TP_ADD_TC(tp, reading_in_pieces);
	ATF_TP_ADD_TC(tp, ways_to_compose);
	ATF_TP_ADD_TC(tp, imsg_get_returns_octets);
	ATF_TP_ADD_TC(tp, oversize_is_not_sent);
	ATF_TP_ADD_TC(tp, set_maxsize);
	ATF_TP_ADD_TC(tp, descriptor_passes);
	ATF_TP_ADD_TC(tp, descriptors_are_off_by_default);
	ATF_TP_ADD_TC(tp, many_descriptors);
	ATF_TP_ADD_TC(tp, unclaimed_descriptors_are_closed);
	ATF_TP_ADD_TC(tp, forward_drops_the_descriptor);
	ATF_TP_ADD_TC(tp, writes_are_batched);
	ATF_TP_ADD_TC(tp, descriptor_goes_with_the_first_part);
	ATF_TP_ADD_TC(tp, watermarks);
	ATF_TP_ADD_TC(tp, peer_closes);
	ATF_TP_ADD_TC(tp, peer_dies_with_input_unread);
	ATF_TP_ADD_TC(tp, peer_is_killed);
	ATF_TP_ADD_TC(tp, flush_waits_for_the_reader);
	ATF_TP_ADD_TC(tp, flush_to_a_dying_reader);
	ATF_TP_ADD_TC(tp, interrupted_read_goes_on);
	ATF_TP_ADD_TC(tp, setting_aside);
	ATF_TP_ADD_TC(tp, set_aside_and_sent_on);
	return (atf_no_error());
}
