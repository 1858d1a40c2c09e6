/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Random traffic in both directions, held against a plain list of what was
 * sent.  The seed is printed; IMSG_SEED in the environment sets it.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include <imsg.h>

#include "imsg_peer.h"

#define STEPS		20000
#define QUEUE_MAX	64		/* sent and not received, a direction */
#define PAYLOAD_MAX	9000
#define SOCKBUF_OCTETS	8192		/* small: most writes are partial */

/* What was sent: the payload follows from its length and mark. */
struct sent {
	uint32_t	type;
	uint32_t	id;
	uint32_t	mark;
	size_t		len;
	pid_t		pid;
	int		has_fd;
	ino_t		ino;
};

struct direction {
	struct imsgbuf	*from;
	struct imsgbuf	*to;
	struct sent	 sent[QUEUE_MAX];
	int		 head;
	int		 count;
	uint32_t	 total;
	uint32_t	 with_fd;
};

static uint64_t	random_state;

/* Marsaglia's xorshift64: the same numbers on every system. */
static uint32_t
random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return ((random_state >> 32) % limit);
}

static void
payload_fill(unsigned char *p, const struct sent *s)
{
	size_t	i;

	for (i = 0; i < s->len; i++)
		p[i] = s->mark + i * 13;
}

static size_t
payload_length(void)
{
	switch (random_below(4)) {
	case 0:
		return (0);
	case 1:
		return (random_below(PAYLOAD_MAX + 1));
	default:
		return (random_below(40));
	}
}

static void
compose_parts(struct direction *d, struct sent *s, unsigned char *p, int fd)
{
	struct iovec	 iov[2];
	struct ibuf	*msg;
	size_t		 cut = random_below(s->len + 1);

	switch (random_below(3)) {
	case 0:
		iov[0].iov_base = p;
		iov[0].iov_len = cut;
		iov[1].iov_base = p + cut;
		iov[1].iov_len = s->len - cut;
		ATF_REQUIRE_EQ(1, imsg_composev(d->from, s->type, s->id,
		    s->pid, fd, iov, 2));
		break;
	case 1:
		ATF_REQUIRE((msg = imsg_create(d->from, s->type, s->id,
		    s->pid, cut)) != NULL);
		ATF_REQUIRE_EQ((int)cut, imsg_add(msg, p, cut));
		ATF_REQUIRE_EQ(0, ibuf_add(msg, p + cut, s->len - cut));
		ibuf_fd_set(msg, fd);
		imsg_close(d->from, msg);
		break;
	case 2:
		ATF_REQUIRE((msg = ibuf_dynamic(cut, PAYLOAD_MAX)) != NULL);
		ATF_REQUIRE_EQ(0, ibuf_add(msg, p, s->len));
		ibuf_fd_set(msg, fd);
		ATF_REQUIRE_EQ(1, imsg_compose_ibuf(d->from, s->type, s->id,
		    s->pid, msg));
		break;
	}
}

static void
step_compose(struct direction *d)
{
	unsigned char	 payload[PAYLOAD_MAX];
	struct sent	*s;
	int		 fd = -1;

	if (d->count == QUEUE_MAX)
		return;
	s = &d->sent[(d->head + d->count++) % QUEUE_MAX];
	memset(s, 0, sizeof(*s));
	s->type = random_below(UINT32_MAX);
	s->id = random_below(UINT32_MAX);
	s->mark = random_below(256);
	s->pid = 1 + random_below(100000);
	s->len = payload_length();
	s->has_fd = random_below(3) == 0;
	payload_fill(payload, s);
	if (s->has_fd) {
		fd = fd_make(&s->ino);
		d->with_fd++;
	}
	d->total++;
	if (random_below(2) == 0)
		ATF_REQUIRE_EQ(1, imsg_compose(d->from, s->type, s->id,
		    s->pid, fd, payload, s->len));
	else
		compose_parts(d, s, payload, fd);
}

static void
sent_check(struct direction *d, struct imsg *imsg)
{
	unsigned char	 want[PAYLOAD_MAX], got[PAYLOAD_MAX];
	struct sent	*s = &d->sent[d->head];
	int		 fd;

	ATF_REQUIRE(d->count > 0);
	d->head = (d->head + 1) % QUEUE_MAX;
	d->count--;
	ATF_REQUIRE_EQ(s->type, imsg_get_type(imsg));
	ATF_REQUIRE_EQ(s->id, imsg_get_id(imsg));
	ATF_REQUIRE_EQ(s->pid, imsg_get_pid(imsg));
	ATF_REQUIRE_EQ(s->len, imsg_get_len(imsg));
	payload_fill(want, s);
	if (s->len > 0) {
		ATF_REQUIRE_EQ(0, imsg_get_data(imsg, got, s->len));
		ATF_REQUIRE_EQ(0, memcmp(want, got, s->len));
	}
	/* Sometimes nobody claims it. */
	if (s->has_fd && random_below(4) == 0)
		return;
	fd = imsg_get_fd(imsg);
	ATF_REQUIRE_EQ(s->has_fd, fd != -1);
	if (fd != -1) {
		ATF_REQUIRE_EQ(s->ino, fd_inode(fd));
		close(fd);
	}
}

static void
step_get(struct direction *d)
{
	struct imsg	imsg;
	int		n;

	if ((n = imsgbuf_get(d->to, &imsg)) == 0)
		return;
	ATF_REQUIRE_EQ(1, n);
	sent_check(d, &imsg);
	imsg_free(&imsg);
}

static void
step(struct direction *d)
{
	switch (random_below(5)) {
	case 0:
		step_compose(d);
		break;
	case 1:
		ATF_REQUIRE_EQ(0, imsgbuf_write(d->from));
		break;
	case 2:
		ATF_REQUIRE_EQ(1, imsgbuf_read(d->to));
		break;
	default:
		step_get(d);
		break;
	}
}

static void
drain(struct direction *d)
{
	int	i;

	for (i = 0; d->count > 0 && i < 100000; i++) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(d->from));
		ATF_REQUIRE_EQ(1, imsgbuf_read(d->to));
		step_get(d);
	}
	ATF_CHECK_EQ(0, d->count);
	ATF_CHECK_EQ(0, imsgbuf_queuelen(d->from));
}

static uint64_t
seed_choose(void)
{
	const char	*s;
	uint64_t	 seed;

	if ((s = getenv("IMSG_SEED")) != NULL)
		seed = strtoull(s, NULL, 10);
	else
		seed = arc4random();
	/* Zero would only make zeros. */
	return (seed == 0 ? 1 : seed);
}

ATF_TC_WITHOUT_HEAD(random_streams);
ATF_TC_BODY(random_streams, tc)
{
	static struct direction	 to, fro;
	struct imsgbuf		 a, b;
	int			 octets = SOCKBUF_OCTETS, before, i;

	random_state = seed_choose();
	printf("IMSG_SEED=%llu\n", (unsigned long long)random_state);
	fflush(stdout);
	before = fd_count();
	channel_make(&a, &b, 1);
	ATF_REQUIRE(setsockopt(a.fd, SOL_SOCKET, SO_SNDBUF, &octets,
	    sizeof(octets)) != -1);
	ATF_REQUIRE(setsockopt(b.fd, SOL_SOCKET, SO_SNDBUF, &octets,
	    sizeof(octets)) != -1);
	to.from = fro.to = &a;
	to.to = fro.from = &b;
	for (i = 0; i < STEPS; i++)
		step(random_below(2) == 0 ? &to : &fro);
	drain(&to);
	drain(&fro);
	printf("%u messages, %u with a descriptor\n", to.total + fro.total,
	    to.with_fd + fro.with_fd);
	ATF_CHECK(to.total > STEPS / 100 && fro.total > STEPS / 100);
	channel_end(&a);
	channel_end(&b);
	ATF_CHECK_EQ(before, fd_count());
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, random_streams);
	return (atf_no_error());
}
