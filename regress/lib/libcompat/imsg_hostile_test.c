/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The other end sends what it likes, in the pieces it likes, with the
 * descriptors it likes.  Nothing of that may cost us a descriptor, give a
 * message another's descriptor, or be taken for a message when it is none.
 */
#include <sys/types.h>
#include <sys/resource.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include <imsg.h>

#include "compat.h"
#include "imsg_peer.h"

/* A stream of messages and what it must come out as. */
#define STREAM_MESSAGES	6
#define STREAM_OCTETS	256

struct stream {
	unsigned char	octets[STREAM_OCTETS];
	size_t		len;
	size_t		start[STREAM_MESSAGES];
	size_t		payload[STREAM_MESSAGES];
	int		has_fd[STREAM_MESSAGES];
	ino_t		ino[STREAM_MESSAGES];
	int		fd[STREAM_MESSAGES];
	int		count;
};

static void
stream_add(struct stream *st, size_t payload, int has_fd)
{
	struct imsg_hdr	hdr;
	size_t		i, n = st->count++;

	hdr = raw_header(n + 100, IMSG_HEADER_SIZE + payload);
	if (has_fd) {
		hdr.len |= PEER_FD_MARK;
		st->fd[n] = fd_make(&st->ino[n]);
	}
	st->start[n] = st->len;
	st->payload[n] = payload;
	st->has_fd[n] = has_fd;
	ATF_REQUIRE(st->len + sizeof(hdr) + payload <= STREAM_OCTETS);
	memcpy(st->octets + st->len, &hdr, sizeof(hdr));
	st->len += sizeof(hdr);
	for (i = 0; i < payload; i++)
		st->octets[st->len++] = n * 31 + i;
}

/* Every order of with and without descriptor, payload and none. */
static void
stream_make(struct stream *st)
{
	memset(st, 0, sizeof(*st));
	stream_add(st, 0, 1);
	stream_add(st, 3, 1);
	stream_add(st, 0, 0);
	stream_add(st, 5, 1);
	stream_add(st, 1, 0);
	stream_add(st, 0, 1);
}

static void
stream_end(struct stream *st)
{
	int	i;

	for (i = 0; i < st->count; i++)
		if (st->has_fd[i])
			close(st->fd[i]);
}

/* Sends octets from..to; a descriptor goes with its message's first octet. */
static void
stream_send(struct stream *st, int s, size_t from, size_t to)
{
	size_t	next;
	int	i, with;

	while (from < to) {
		next = to;
		with = -1;
		for (i = 0; i < st->count; i++) {
			if (!st->has_fd[i])
				continue;
			if (st->start[i] == from)
				with = i;
			else if (st->start[i] > from && st->start[i] < next)
				next = st->start[i];
		}
		raw_send(s, st->octets + from, next - from,
		    with == -1 ? NULL : &st->fd[with], with != -1);
		from = next;
	}
}

static void
message_check(struct stream *st, struct imsg *imsg, int n)
{
	unsigned char	got[STREAM_OCTETS];
	int		fd;

	ATF_REQUIRE(n < st->count);
	ATF_REQUIRE_EQ((uint32_t)n + 100, imsg_get_type(imsg));
	ATF_REQUIRE_EQ(st->payload[n], imsg_get_len(imsg));
	if (st->payload[n] > 0) {
		ATF_REQUIRE_EQ(0, imsg_get_data(imsg, got, st->payload[n]));
		ATF_REQUIRE_EQ(0, memcmp(got, st->octets + st->start[n] +
		    IMSG_HEADER_SIZE, st->payload[n]));
	}
	fd = imsg_get_fd(imsg);
	ATF_REQUIRE_EQ(st->has_fd[n], fd != -1);
	if (fd != -1) {
		ATF_REQUIRE_EQ(st->ino[n], fd_inode(fd));
		close(fd);
	}
}

/* Reads until nothing more comes; what came is checked against the stream. */
static int
stream_receive(struct stream *st, struct imsgbuf *b, int got, int reads)
{
	struct imsg	imsg;
	int		n;

	while (reads-- > 0) {
		ATF_REQUIRE_EQ(1, imsgbuf_read(b));
		while ((n = imsgbuf_get(b, &imsg)) == 1) {
			message_check(st, &imsg, got++);
			imsg_free(&imsg);
		}
		ATF_REQUIRE_EQ(0, n);
	}
	return (got);
}

static void
receiver_make(struct imsgbuf *b, int sp[2], int fdpass)
{
	pair_make(sp);
	ATF_REQUIRE_EQ(0, imsgbuf_init(b, sp[1]));
	if (fdpass)
		imsgbuf_allow_fdpass(b);
}

static void
receiver_end(struct imsgbuf *b, int sp[2])
{
	imsgbuf_clear(b);
	close(sp[0]);
	close(sp[1]);
}

ATF_TC_WITHOUT_HEAD(split_everywhere);
ATF_TC_BODY(split_everywhere, tc)
{
	struct stream	st;
	struct imsgbuf	b;
	size_t		i, j;
	int		before = fd_count(), sp[2], got;

	stream_make(&st);
	receiver_make(&b, sp, 1);
	/* Two cuts, at every pair of places; a read after each piece. */
	for (i = 0; i <= st.len; i++) {
		for (j = i; j <= st.len; j++) {
			stream_send(&st, sp[0], 0, i);
			got = stream_receive(&st, &b, 0, 6);
			stream_send(&st, sp[0], i, j);
			got = stream_receive(&st, &b, got, 6);
			stream_send(&st, sp[0], j, st.len);
			got = stream_receive(&st, &b, got, 6);
			ATF_REQUIRE_EQ(st.count, got);
		}
	}
	receiver_end(&b, sp);
	stream_end(&st);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TC_WITHOUT_HEAD(split_unread);
ATF_TC_BODY(split_unread, tc)
{
	struct stream	st;
	struct imsgbuf	b;
	size_t		i, j;
	int		before = fd_count(), sp[2];

	stream_make(&st);
	receiver_make(&b, sp, 1);
	/* The same cuts, but everything waits before the first read. */
	for (i = 0; i <= st.len; i++) {
		for (j = i; j <= st.len; j++) {
			stream_send(&st, sp[0], 0, i);
			stream_send(&st, sp[0], i, j);
			stream_send(&st, sp[0], j, st.len);
			ATF_REQUIRE_EQ(st.count,
			    stream_receive(&st, &b, 0, 8));
		}
	}
	receiver_end(&b, sp);
	stream_end(&st);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TC_WITHOUT_HEAD(octet_by_octet);
ATF_TC_BODY(octet_by_octet, tc)
{
	struct stream	st;
	struct imsgbuf	b;
	size_t		i;
	int		before = fd_count(), sp[2], got = 0;

	stream_make(&st);
	receiver_make(&b, sp, 1);
	for (i = 0; i < st.len; i++) {
		stream_send(&st, sp[0], i, i + 1);
		got = stream_receive(&st, &b, got, 1);
	}
	ATF_CHECK_EQ(st.count, got);
	receiver_end(&b, sp);
	stream_end(&st);
	ATF_CHECK_EQ(before, fd_count());
}

/* The peer dies after each octet: no message is made of a part. */
ATF_TC_WITHOUT_HEAD(death_at_every_octet);
ATF_TC_BODY(death_at_every_octet, tc)
{
	struct stream	st;
	struct imsgbuf	b;
	size_t		i;
	int		before, sp[2], got, want, m;

	stream_make(&st);
	before = fd_count();
	for (i = 0; i <= st.len; i++) {
		receiver_make(&b, sp, 1);
		stream_send(&st, sp[0], 0, i);
		got = stream_receive(&st, &b, 0, 6);
		for (want = m = 0; m < st.count; m++)
			if (st.start[m] + IMSG_HEADER_SIZE + st.payload[m] <=
			    i)
				want++;
		ATF_REQUIRE_EQ(want, got);
		close(sp[0]);
		ATF_REQUIRE_EQ(0, imsgbuf_read(&b));
		imsgbuf_clear(&b);
		close(sp[1]);
		ATF_REQUIRE_EQ(before, fd_count());
	}
	stream_end(&st);
}

static void
refused(const void *data, size_t len, int fdpass, int error)
{
	struct imsgbuf	b;
	struct imsg	imsg;
	int		sp[2];

	receiver_make(&b, sp, fdpass);
	raw_send(sp[0], data, len, NULL, 0);
	ATF_CHECK_ERRNO(error, imsgbuf_read(&b) == -1);
	ATF_CHECK_EQ(0, imsgbuf_get(&b, &imsg));
	/* For good: what follows could be anything. */
	raw_send(sp[0], data, len, NULL, 0);
	ATF_CHECK_ERRNO(error, imsgbuf_read(&b) == -1);
	receiver_end(&b, sp);
}

ATF_TC_WITHOUT_HEAD(bad_lengths);
ATF_TC_BODY(bad_lengths, tc)
{
	const uint32_t	bad[] = { MAX_IMSGSIZE + 1, MAX_IMSGSIZE + 2, 0xffff,
			    0x10000, 0x7fffffff };
	struct imsg_hdr	hdr;
	uint32_t	i;
	int		fdpass;

	for (fdpass = 0; fdpass < 2; fdpass++) {
		for (i = 0; i < IMSG_HEADER_SIZE; i++) {
			hdr = raw_header(1, i);
			refused(&hdr, sizeof(hdr), fdpass, ERANGE);
		}
		for (i = 0; i < nitems(bad); i++) {
			hdr = raw_header(1, bad[i]);
			refused(&hdr, sizeof(hdr), fdpass, ERANGE);
		}
	}
	/* The mark does not hide a length. */
	hdr = raw_header(1, PEER_FD_MARK);
	refused(&hdr, sizeof(hdr), 1, ERANGE);
	hdr = raw_header(1, 0xffffffff);
	refused(&hdr, sizeof(hdr), 1, ERANGE);
	hdr = raw_header(1, PEER_FD_MARK | IMSG_HEADER_SIZE);
	refused(&hdr, sizeof(hdr), 0, EBADMSG);
}

ATF_TC_WITHOUT_HEAD(good_before_bad_is_kept);
ATF_TC_BODY(good_before_bad_is_kept, tc)
{
	struct imsg_hdr	hdr[3];
	struct imsgbuf	b;
	struct imsg	imsg;
	int		sp[2];

	hdr[0] = raw_header(1, IMSG_HEADER_SIZE);
	hdr[1] = raw_header(2, 3);
	hdr[2] = raw_header(3, IMSG_HEADER_SIZE);
	receiver_make(&b, sp, 0);
	raw_send(sp[0], hdr, sizeof(hdr), NULL, 0);
	ATF_CHECK_ERRNO(ERANGE, imsgbuf_read(&b) == -1);
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b, &imsg));
	ATF_CHECK_EQ(1, imsg_get_type(&imsg));
	imsg_free(&imsg);
	ATF_CHECK_EQ(0, imsgbuf_get(&b, &imsg));
	receiver_end(&b, sp);
}

/* The longest there may be, and as many of the shortest as one read takes. */
ATF_TC_WITHOUT_HEAD(extremes);
ATF_TC_BODY(extremes, tc)
{
	static unsigned char	octets[MAX_IMSGSIZE];
	static struct imsg_hdr	tiny[5000];
	struct imsg_hdr		hdr;
	struct imsgbuf		b;
	struct imsg		imsg;
	uint32_t		i, got = 0;
	int			sp[2], n;

	receiver_make(&b, sp, 0);
	hdr = raw_header(1, MAX_IMSGSIZE);
	memcpy(octets, &hdr, sizeof(hdr));
	raw_send(sp[0], octets, sizeof(octets), NULL, 0);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b, &imsg));
	ATF_CHECK_EQ(MAX_IMSGSIZE - IMSG_HEADER_SIZE, imsg_get_len(&imsg));
	imsg_free(&imsg);

	for (i = 0; i < nitems(tiny); i++)
		tiny[i] = raw_header(i, IMSG_HEADER_SIZE);
	raw_send(sp[0], tiny, sizeof(tiny), NULL, 0);
	while (got < nitems(tiny)) {
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		while ((n = imsgbuf_get(&b, &imsg)) == 1) {
			ATF_REQUIRE_EQ(got++, imsg_get_type(&imsg));
			imsg_free(&imsg);
		}
		ATF_REQUIRE_EQ(0, n);
	}
	receiver_end(&b, sp);
}

/* Attached where descriptors are off: the kernel drops it. */
ATF_TC_WITHOUT_HEAD(descriptor_not_wanted);
ATF_TC_BODY(descriptor_not_wanted, tc)
{
	struct imsg_hdr	hdr = raw_header(1, IMSG_HEADER_SIZE);
	struct imsgbuf	b;
	struct imsg	imsg;
	ino_t		ino;
	int		before, sp[2], fd = fd_make(&ino);

	receiver_make(&b, sp, 0);
	before = fd_count();
	raw_send(sp[0], &hdr, sizeof(hdr), &fd, 1);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b, &imsg));
	ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
	imsg_free(&imsg);
	ATF_CHECK_EQ(before, fd_count());
	receiver_end(&b, sp);
	close(fd);
}

/* A descriptor that no header asks for, then one that is asked for. */
ATF_TC_WITHOUT_HEAD(descriptor_without_mark);
ATF_TC_BODY(descriptor_without_mark, tc)
{
	struct imsg_hdr	hdr = raw_header(1, IMSG_HEADER_SIZE);
	struct imsg_hdr	marked = raw_header(2, IMSG_HEADER_SIZE |
			    PEER_FD_MARK);
	struct imsgbuf	b;
	struct imsg	imsg;
	ino_t		ino[2];
	int		before, sp[2], fd[2], got;

	fd[0] = fd_make(&ino[0]);
	fd[1] = fd_make(&ino[1]);
	receiver_make(&b, sp, 1);
	before = fd_count();
	raw_send(sp[0], &hdr, sizeof(hdr), &fd[0], 1);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b, &imsg));
	ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
	imsg_free(&imsg);
	ATF_CHECK_EQ(before, fd_count());

	raw_send(sp[0], &marked, sizeof(marked), &fd[1], 1);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b, &imsg));
	ATF_REQUIRE((got = imsg_get_fd(&imsg)) != -1);
	ATF_CHECK_EQ(ino[1], fd_inode(got));
	close(got);
	imsg_free(&imsg);
	ATF_CHECK_EQ(before, fd_count());
	receiver_end(&b, sp);
	close(fd[0]);
	close(fd[1]);
}

/* Attached to a payload: nobody's. */
ATF_TC_WITHOUT_HEAD(descriptor_in_payload);
ATF_TC_BODY(descriptor_in_payload, tc)
{
	struct imsg_hdr	hdr = raw_header(1, IMSG_HEADER_SIZE + 100);
	struct imsg_hdr	marked = raw_header(2, IMSG_HEADER_SIZE |
			    PEER_FD_MARK);
	struct imsgbuf	b;
	struct imsg	imsg;
	ino_t		ino;
	int		before, sp[2], fd = fd_make(&ino), i;

	receiver_make(&b, sp, 1);
	before = fd_count();
	raw_send(sp[0], &hdr, sizeof(hdr), NULL, 0);
	for (i = 0; i < 100; i++) {
		raw_send(sp[0], "x", 1, &fd, 1);
		if (i % 3 == 0)
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_REQUIRE_EQ(before, fd_count());
	}
	for (i = 0; i < 100; i++)
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b, &imsg));
	ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
	imsg_free(&imsg);
	ATF_CHECK_EQ(before, fd_count());

	/* Nor has the next message, which says it has one, one of those. */
	raw_send(sp[0], &marked, sizeof(marked), NULL, 0);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b, &imsg));
	ATF_CHECK_EQ(2, imsg_get_type(&imsg));
	ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
	imsg_free(&imsg);
	receiver_end(&b, sp);
	close(fd);
}

/* Several with one octet: refused, and none of them stays. */
ATF_TC_WITHOUT_HEAD(descriptors_in_a_bundle);
ATF_TC_BODY(descriptors_in_a_bundle, tc)
{
	struct imsg_hdr	hdr = raw_header(1, IMSG_HEADER_SIZE | PEER_FD_MARK);
	struct imsgbuf	b;
	struct imsg	imsg;
	ino_t		ino;
	int		before, sp[2], fd[253];
	size_t		i, n;

	fd[0] = fd_make(&ino);
	for (i = 1; i < nitems(fd); i++)
		fd[i] = fd[0];
	for (n = 2; n <= nitems(fd); n += n < 5 ? 1 : 62) {
		receiver_make(&b, sp, 1);
		before = fd_count();
		raw_send(sp[0], &hdr, sizeof(hdr), fd, n);
		ATF_CHECK_ERRNO(EBADMSG, imsgbuf_read(&b) == -1);
		ATF_CHECK_EQ(before, fd_count());
		raw_send(sp[0], &hdr, sizeof(hdr), fd, 1);
		ATF_CHECK_ERRNO(EBADMSG, imsgbuf_read(&b) == -1);
		ATF_CHECK_EQ(0, imsgbuf_get(&b, &imsg));
		ATF_CHECK_EQ(before, fd_count());
		receiver_end(&b, sp);
	}
	close(fd[0]);
}

/* One with each octet of a header. */
ATF_TC_WITHOUT_HEAD(descriptors_piled_on_a_header);
ATF_TC_BODY(descriptors_piled_on_a_header, tc)
{
	struct imsg_hdr	 hdr = raw_header(1, IMSG_HEADER_SIZE | PEER_FD_MARK);
	struct imsgbuf	 b;
	ino_t		 ino;
	int		 before, sp[2], fd = fd_make(&ino), rv = 1, error = 0;
	size_t		 i;

	receiver_make(&b, sp, 1);
	before = fd_count();
	for (i = 0; i < sizeof(hdr) - 1 && rv == 1; i++) {
		raw_send(sp[0], (const unsigned char *)&hdr + i, 1, &fd, 1);
		rv = imsgbuf_read(&b);
		error = errno;
		/* The first is waited with; a second is too many. */
		ATF_REQUIRE_EQ(i == 0 ? 1 : -1, rv);
		ATF_REQUIRE_EQ(i == 0 ? before + 1 : before, fd_count());
	}
	ATF_CHECK_EQ(EBADMSG, error);
	receiver_end(&b, sp);
	close(fd);
}

/* Cleared between a descriptor and the rest of its header. */
ATF_TC_WITHOUT_HEAD(clear_with_a_waiting_descriptor);
ATF_TC_BODY(clear_with_a_waiting_descriptor, tc)
{
	struct imsg_hdr	hdr = raw_header(1, (IMSG_HEADER_SIZE + 10) |
			    PEER_FD_MARK);
	struct imsgbuf	b;
	ino_t		ino;
	int		before, sp[2], fd = fd_make(&ino), whole;

	before = fd_count();
	for (whole = 0; whole < 2; whole++) {
		receiver_make(&b, sp, 1);
		raw_send(sp[0], &hdr, whole ? sizeof(hdr) : 5, &fd, 1);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_CHECK_EQ(before + 3, fd_count());
		receiver_end(&b, sp);
		ATF_CHECK_EQ(before, fd_count());
	}
	close(fd);
}

/* Opens descriptors until no slot is free any more. */
static void
slots_take(int *filler, int *filled, int max)
{
	struct rlimit	rl;
	int		fd;

	ATF_REQUIRE(getrlimit(RLIMIT_NOFILE, &rl) != -1);
	if (rl.rlim_cur > (rlim_t)max)
		rl.rlim_cur = max;
	ATF_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) != -1);
	*filled = 0;
	while ((fd = dup(STDOUT_FILENO)) != -1)
		filler[(*filled)++] = fd;
	ATF_REQUIRE_EQ(EMFILE, errno);
}

/*
 * Descriptors run out at the receiver.  The messages come all the same and
 * in order, those with a lost descriptor have none, and as soon as there is
 * a slot again each has its own.
 */
ATF_TC_WITHOUT_HEAD(exhaustion);
ATF_TC_BODY(exhaustion, tc)
{
	struct imsg_hdr	hdr[2];
	struct imsgbuf	b;
	struct imsg	imsg;
	ino_t		ino[8];
	int		filler[128], filled, before, sp[2], fd[8], got, i;

	for (i = 0; i < 8; i++)
		fd[i] = fd_make(&ino[i]);
	receiver_make(&b, sp, 1);
	before = fd_count();
	slots_take(filler, &filled, nitems(filler));
	for (i = 0; i < 8; i++) {
		/* One without, one with a descriptor, in one piece. */
		hdr[0] = raw_header(100 + i, IMSG_HEADER_SIZE);
		hdr[1] = raw_header(i, IMSG_HEADER_SIZE | PEER_FD_MARK);
		raw_send(sp[0], &hdr[0], sizeof(hdr[0]), NULL, 0);
		raw_send(sp[0], &hdr[1], sizeof(hdr[1]), &fd[i], 1);
		/* From the fifth on there is room. */
		if (i == 4)
			close(filler[--filled]);
		while (imsgbuf_get(&b, &imsg) == 0)
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_CHECK_EQ((uint32_t)(100 + i), imsg_get_type(&imsg));
		ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
		imsg_free(&imsg);
		while (imsgbuf_get(&b, &imsg) == 0)
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_CHECK_EQ((uint32_t)i, imsg_get_type(&imsg));
		got = imsg_get_fd(&imsg);
		ATF_CHECK_EQ(i >= 4, got != -1);
		if (got != -1) {
			ATF_CHECK_EQ(ino[i], fd_inode(got));
			close(got);
		}
		imsg_free(&imsg);
	}
	while (filled > 0)
		close(filler[--filled]);
	ATF_CHECK_EQ(before, fd_count());
	receiver_end(&b, sp);
	for (i = 0; i < 8; i++)
		close(fd[i]);
}

/*
 * The descriptor of a message whose header is still incomplete is lost; the
 * rest of the header comes together with the next message and its own.
 */
ATF_TC_WITHOUT_HEAD(exhaustion_within_a_header);
ATF_TC_BODY(exhaustion_within_a_header, tc)
{
	struct imsg_hdr		 hdr[2];
	const unsigned char	*first = (const unsigned char *)&hdr[0];
	struct imsgbuf		 b;
	struct imsg		 imsg;
	ino_t			 ino[2];
	int			 filler[128], filled, sp[2], fd[2], got;
	size_t			 cut;

	fd[0] = fd_make(&ino[0]);
	fd[1] = fd_make(&ino[1]);
	hdr[0] = raw_header(1, IMSG_HEADER_SIZE | PEER_FD_MARK);
	hdr[1] = raw_header(2, IMSG_HEADER_SIZE | PEER_FD_MARK);
	receiver_make(&b, sp, 1);
	for (cut = 1; cut < IMSG_HEADER_SIZE; cut++) {
		slots_take(filler, &filled, nitems(filler));
		raw_send(sp[0], first, cut, &fd[0], 1);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		while (filled > 0)
			close(filler[--filled]);
		raw_send(sp[0], first + cut, IMSG_HEADER_SIZE - cut, NULL, 0);
		raw_send(sp[0], &hdr[1], sizeof(hdr[1]), &fd[1], 1);

		while (imsgbuf_get(&b, &imsg) == 0)
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_CHECK_EQ(1, imsg_get_type(&imsg));
		ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
		imsg_free(&imsg);
		while (imsgbuf_get(&b, &imsg) == 0)
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_CHECK_EQ(2, imsg_get_type(&imsg));
		ATF_REQUIRE((got = imsg_get_fd(&imsg)) != -1);
		ATF_CHECK_EQ(ino[1], fd_inode(got));
		close(got);
		imsg_free(&imsg);
	}
	receiver_end(&b, sp);
	close(fd[0]);
	close(fd[1]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, split_everywhere);
	ATF_TP_ADD_TC(tp, split_unread);
	ATF_TP_ADD_TC(tp, octet_by_octet);
	ATF_TP_ADD_TC(tp, death_at_every_octet);
	ATF_TP_ADD_TC(tp, bad_lengths);
	ATF_TP_ADD_TC(tp, good_before_bad_is_kept);
	ATF_TP_ADD_TC(tp, extremes);
	ATF_TP_ADD_TC(tp, descriptor_not_wanted);
	ATF_TP_ADD_TC(tp, descriptor_without_mark);
	ATF_TP_ADD_TC(tp, descriptor_in_payload);
	ATF_TP_ADD_TC(tp, descriptors_in_a_bundle);
	ATF_TP_ADD_TC(tp, descriptors_piled_on_a_header);
	ATF_TP_ADD_TC(tp, clear_with_a_waiting_descriptor);
	ATF_TP_ADD_TC(tp, exhaustion);
	ATF_TP_ADD_TC(tp, exhaustion_within_a_header);
	return (atf_no_error());
}
