/*
 * imsg on the event loop: what a peer can and can't do to us.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep.h"
#include "forked.h"

#define TYPE_NUMBER	7
#define TYPE_STOP	8
#define TYPE_CLOSE	9
#define LONELY_UID	471147

/* What happened to the channel under test. */
struct seen {
	unsigned int	dispatched;
	unsigned int	lost;
	unsigned int	last;		/* number */
	int		in_order;
	int		answer;		/* each message, with its number */
	int		fd;		/* that came, -1 */
	size_t		len;
};

static struct channel	ch;
static struct seen	seen;
static struct imsgbuf	peer;		/* the other end, blocking */
static int		sv[2];

static int
dispatch(struct channel *c, struct imsg *imsg)
{
	seen.dispatched++;
	seen.len = imsg_get_len(imsg);
	if (imsg_get_id(imsg) != seen.last + 1)
		seen.in_order = 0;
	seen.last = imsg_get_id(imsg);
	if (seen.fd == -1)
		seen.fd = imsg_get_fd(imsg);
	if (imsg_get_type(imsg) == TYPE_STOP)
		return (-1);
	if (imsg_get_type(imsg) == TYPE_CLOSE)
		channel_close(c);
	if (seen.answer)
		ATF_REQUIRE(channel_send(c, TYPE_NUMBER, seen.last, -1, NULL,
		    0) == 0);
	return (0);
}

static void
lost(struct channel *c)
{
	ATF_CHECK(!c->open);
	ATF_CHECK_EQ(-1, c->ibuf.fd);
	seen.lost++;
}

static void
begin(void)
{
	memset(&seen, 0, sizeof(seen));
	seen.in_order = 1;
	seen.fd = -1;
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	ATF_REQUIRE(event_init() != NULL);
	ATF_REQUIRE(imsgbuf_init(&peer, sv[1]) == 0);
	imsgbuf_allow_fdpass(&peer);
}

static void
begin_channel(void)
{
	begin();
	ATF_REQUIRE(channel_init(&ch, sv[0], dispatch, lost, NULL) == 0);
}

static void
peer_say(uint32_t type, uint32_t number)
{
	ATF_REQUIRE(imsg_compose(&peer, type, number, 0, -1, NULL, 0) == 1);
	ATF_REQUIRE(imsgbuf_flush(&peer) == 0);
}

static void
peer_leave(void)
{
	imsgbuf_clear(&peer);
	close(sv[1]);
}

/* The loop, until nothing is left that could be done at once. */
static void
loop_settle(void)
{
	struct timeval	tv = { 0, 30000 };
	int		i;

	for (i = 0; i < 2; i++) {
		ATF_REQUIRE(event_loopexit(&tv) == 0);
		ATF_REQUIRE(event_loop(0) != -1);
	}
}

ATF_TC_WITHOUT_HEAD(messages_in_order);
ATF_TC_BODY(messages_in_order, tc)
{
	uint32_t	i;

	begin_channel();
	for (i = 1; i <= 300; i++) {
		peer_say(TYPE_NUMBER, i);
		if (i % 50 == 0)
			loop_settle();
	}
	ATF_CHECK_EQ(300, seen.dispatched);
	ATF_CHECK(seen.in_order);
	ATF_CHECK_EQ(0, seen.lost);
	channel_close(&ch);
	ATF_CHECK_EQ(0, seen.lost);
	channel_close(&ch);
}

/*
 * A child reads its hello with blocking reads; what came in the same piece
 * is in memory, and no event tells of it.
 */
static void
adopt_with_leftover(void)
{
	struct imsg	imsg;

	begin();
	memset(&ch, 0, sizeof(ch));
	ATF_REQUIRE(imsgbuf_init(&ch.ibuf, sv[0]) == 0);
	peer_say(IMSG_PRIVSEP_HELLO, 0);
	peer_say(TYPE_NUMBER, 1);
	ATF_REQUIRE(imsgbuf_read(&ch.ibuf) == 1);
	ATF_REQUIRE(imsgbuf_get(&ch.ibuf, &imsg) == 1);
	imsg_free(&imsg);
	ATF_REQUIRE(channel_adopt(&ch, dispatch, lost, NULL) == 0);
}

ATF_TC_WITHOUT_HEAD(hello_and_more);
ATF_TC_BODY(hello_and_more, tc)
{
	adopt_with_leftover();
	loop_settle();
	ATF_CHECK_EQ(1, seen.dispatched);
}

ATF_TC_WITHOUT_HEAD(hello_and_more_while_sending);
ATF_TC_BODY(hello_and_more_while_sending, tc)
{
	static const char	big[8000];
	int			i;

	adopt_with_leftover();
	/* More than the socket takes: it is watched for another thing. */
	for (i = 0; i < 200; i++)
		ATF_REQUIRE(channel_send(&ch, TYPE_NUMBER, 0, -1, big,
		    sizeof(big)) == 0);
	loop_settle();
	ATF_CHECK_EQ(1, seen.dispatched);
}

ATF_TC_WITHOUT_HEAD(dispatch_ends_it);
ATF_TC_BODY(dispatch_ends_it, tc)
{
	char	c;

	begin_channel();
	peer_say(TYPE_NUMBER, 1);
	peer_say(TYPE_STOP, 2);
	peer_say(TYPE_NUMBER, 3);
	loop_settle();
	ATF_CHECK_EQ(2, seen.dispatched);
	ATF_CHECK_EQ(1, seen.lost);
	ATF_CHECK(read(sv[1], &c, 1) <= 0);
	ATF_CHECK_ERRNO(ENOTCONN, channel_send(&ch, TYPE_NUMBER, 0, -1, NULL,
	    0) == -1);
}

ATF_TC_WITHOUT_HEAD(dispatch_closes_it);
ATF_TC_BODY(dispatch_closes_it, tc)
{
	char	c;

	begin_channel();
	peer_say(TYPE_NUMBER, 1);
	peer_say(TYPE_CLOSE, 2);
	peer_say(TYPE_NUMBER, 3);
	loop_settle();
	ATF_CHECK_EQ(2, seen.dispatched);
	ATF_CHECK_EQ(0, seen.lost);
	ATF_CHECK(read(sv[1], &c, 1) <= 0);
}

ATF_TC_WITHOUT_HEAD(last_words);
ATF_TC_BODY(last_words, tc)
{
	begin_channel();
	peer_say(TYPE_NUMBER, 1);
	peer_say(TYPE_NUMBER, 2);
	peer_leave();
	loop_settle();
	ATF_CHECK_EQ(2, seen.dispatched);
	ATF_CHECK_EQ(1, seen.lost);
}

/* Its end is met while we write: what it said before still counts. */
ATF_TC_WITHOUT_HEAD(last_words_while_sending);
ATF_TC_BODY(last_words_while_sending, tc)
{
	begin_channel();
	peer_say(TYPE_NUMBER, 1);
	peer_say(TYPE_NUMBER, 2);
	peer_leave();
	ATF_CHECK_EQ(0, channel_send(&ch, TYPE_NUMBER, 0, -1, NULL, 0));
	ATF_CHECK_EQ_MSG(0, seen.lost, "lost from within channel_send");
	ATF_CHECK_EQ(0, channel_send(&ch, TYPE_NUMBER, 0, -1, NULL, 0));
	loop_settle();
	ATF_CHECK_EQ(2, seen.dispatched);
	ATF_CHECK_EQ(1, seen.lost);
}

/* It speaks on, but what we send it is refused. */
ATF_TC_WITHOUT_HEAD(peer_refuses_to_hear);
ATF_TC_BODY(peer_refuses_to_hear, tc)
{
	begin_channel();
	ATF_REQUIRE(shutdown(sv[1], SHUT_RD) == 0);
	ATF_CHECK_EQ(0, channel_send(&ch, TYPE_NUMBER, 0, -1, NULL, 0));
	loop_settle();
	ATF_CHECK_EQ(1, seen.lost);
}

ATF_TC_WITHOUT_HEAD(nonsense);
ATF_TC_BODY(nonsense, tc)
{
	begin_channel();
	peer_say(TYPE_NUMBER, 1);
	loop_settle();
	ATF_REQUIRE(write(sv[1], "GET / HTTP/1.0\r\n\r\n0123456789", 28) == 28);
	loop_settle();
	ATF_CHECK_EQ(1, seen.dispatched);
	ATF_CHECK_EQ(1, seen.lost);
}

/* Sends whole texts and reads them back, whatever the socket holds. */
ATF_TC_WITHOUT_HEAD(big_queue);
ATF_TC_BODY(big_queue, tc)
{
	static unsigned char	out[5000], in[5000];
	struct imsg		imsg;
	uint32_t		i, next = 0;
	int			n;

	begin_channel();
	ATF_REQUIRE(fcntl(sv[1], F_SETFL, O_NONBLOCK) == 0);
	for (i = 0; i < 1000; i++) {
		memset(out, (int)(i % 251), sizeof(out));
		ATF_REQUIRE(channel_send(&ch, TYPE_NUMBER, i, -1, out,
		    1 + i * 3) == 0);
	}
	while (next < 1000) {
		while ((n = imsgbuf_get(&peer, &imsg)) == 0) {
			ATF_REQUIRE(event_loop(EVLOOP_NONBLOCK) != -1);
			ATF_REQUIRE(imsgbuf_read(&peer) == 1);
		}
		ATF_REQUIRE_EQ(1, n);
		ATF_REQUIRE_EQ(next, imsg_get_id(&imsg));
		ATF_REQUIRE(imsg_get_data(&imsg, in, 1 + next * 3) == 0);
		memset(out, (int)(next % 251), sizeof(out));
		ATF_REQUIRE(memcmp(in, out, 1 + next * 3) == 0);
		imsg_free(&imsg);
		next++;
	}
	ATF_CHECK_EQ(0, imsgbuf_queuelen(&ch.ibuf));
}

#define REQUESTS	5000
#define REQUEST_BYTES	1000

/*
 * Asks and asks, and reads no answer: neither answers nor questions may pile
 * up.
 */
ATF_TC_WITHOUT_HEAD(asks_without_reading);
ATF_TC_BODY(asks_without_reading, tc)
{
	static char	bytes[REQUEST_BYTES];
	struct imsg	imsg;
	uint32_t	answers = 0, asked = 0, most = 0, left;
	int		n;

	begin_channel();
	ch.queue_max = 10;
	seen.answer = 1;
	ATF_REQUIRE(fcntl(sv[1], F_SETFL, O_NONBLOCK) == 0);
	for (asked = 0; asked < REQUESTS; asked++)
		ATF_REQUIRE(imsg_compose(&peer, TYPE_NUMBER, asked + 1, 0, -1,
		    bytes, sizeof(bytes)) == 1);
	/* Until neither side gets any further. */
	do {
		n = (int)seen.dispatched;
		left = imsgbuf_queuelen(&peer);
		ATF_REQUIRE(imsgbuf_write(&peer) == 0);
		loop_settle();
		if (imsgbuf_queuelen(&ch.ibuf) > most)
			most = imsgbuf_queuelen(&ch.ibuf);
	} while ((int)seen.dispatched > n || imsgbuf_queuelen(&peer) < left);
	ATF_CHECK_MSG(most <= 11, "%u answers wait", most);
	ATF_CHECK_MSG(most > 10, "%u wait, %u heard", most, seen.dispatched);
	/* What was not heard is still the peer's. */
	ATF_CHECK_MSG(imsgbuf_queuelen(&peer) > REQUESTS / 2, "only %u are "
	    "left", imsgbuf_queuelen(&peer));
	/* It reads at last: everything is answered, in order. */
	while (answers < REQUESTS) {
		while ((n = imsgbuf_get(&peer, &imsg)) == 0) {
			ATF_REQUIRE(imsgbuf_write(&peer) == 0);
			ATF_REQUIRE(event_loop(EVLOOP_NONBLOCK) != -1);
			ATF_REQUIRE(imsgbuf_read(&peer) == 1);
		}
		ATF_REQUIRE_EQ(1, n);
		ATF_REQUIRE_EQ(++answers, imsg_get_id(&imsg));
		imsg_free(&imsg);
	}
	ATF_CHECK(seen.in_order);
	ATF_CHECK_EQ(0, seen.lost);
}

/* One that is not heard any more has its end noticed all the same. */
ATF_TC_WITHOUT_HEAD(crowded_peer_dies);
ATF_TC_BODY(crowded_peer_dies, tc)
{
	int	i;

	begin_channel();
	ch.queue_max = 10;
	seen.answer = 1;
	ATF_REQUIRE(fcntl(sv[1], F_SETFL, O_NONBLOCK) == 0);
	for (i = 0; i < REQUESTS; i++)
		ATF_REQUIRE(imsg_compose(&peer, TYPE_NUMBER,
		    (uint32_t)i + 1, 0, -1, NULL, 0) == 1);
	for (i = 0; i < 20; i++) {
		ATF_REQUIRE(imsgbuf_write(&peer) == 0);
		loop_settle();
	}
	ATF_REQUIRE(imsgbuf_queuelen(&ch.ibuf) > 10);
	peer_leave();
	loop_settle();
	ATF_CHECK_EQ(1, seen.lost);
}

ATF_TC_WITHOUT_HEAD(sizes);
ATF_TC_BODY(sizes, tc)
{
	static const char	bytes[MAX_IMSGSIZE];
	static const size_t	sizes[] = { 0, 1, 15, 4096,
				    MAX_IMSGSIZE - IMSG_HEADER_SIZE };
	struct imsg		imsg;
	size_t			i;
	int			fd;

	begin_channel();
	for (i = 0; i < nitems(sizes); i++) {
		ATF_REQUIRE(channel_send(&ch, TYPE_NUMBER, 1, -1, bytes,
		    sizes[i]) == 0);
		while (imsgbuf_get(&peer, &imsg) == 0)
			ATF_REQUIRE(imsgbuf_read(&peer) == 1);
		ATF_CHECK_EQ(sizes[i], imsg_get_len(&imsg));
		imsg_free(&imsg);
	}
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	ATF_CHECK_ERRNO(ERANGE, channel_send(&ch, TYPE_NUMBER, 1, fd, bytes,
	    MAX_IMSGSIZE - IMSG_HEADER_SIZE + 1) == -1);
	ATF_CHECK_MSG(fcntl(fd, F_GETFD) != -1,
	    "took a descriptor it did not send");
	ATF_CHECK_EQ(0, imsgbuf_queuelen(&ch.ibuf));
}

static int
fd_count(void)
{
	int	fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return (n);
}

ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	struct stat	st;
	int		fd, before;
	uint32_t	i;

	begin_channel();
	loop_settle();
	before = fd_count();
	for (i = 1; i <= 20; i++) {
		ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
		ATF_REQUIRE(imsg_compose(&peer, TYPE_NUMBER, i, 0, fd, NULL,
		    0) == 1);
		ATF_REQUIRE(imsgbuf_flush(&peer) == 0);
	}
	loop_settle();
	ATF_CHECK_EQ(20, seen.dispatched);
	/* The first was claimed; nineteen were closed again. */
	ATF_CHECK(fstat(seen.fd, &st) == 0 && S_ISCHR(st.st_mode));
	ATF_CHECK(fcntl(seen.fd, F_GETFD) & FD_CLOEXEC);
	ATF_CHECK_EQ(before + 1, fd_count());
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE(channel_send(&ch, TYPE_NUMBER, 1, fd, NULL, 0) == 0);
	ATF_CHECK_EQ(-1, fcntl(fd, F_GETFD));
}

/*
 * Linux bounds how many descriptors one user may have on their way.
 */

#define FLIGHT_LIMIT	40

/* -1: the kernel refuses another one. */
static int
fd_fly(int through)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} control;
	char		byte = 0;
	struct iovec	iov = { &byte, 1 };
	struct msghdr	msg;
	struct cmsghdr	*c;
	int		fd = STDERR_FILENO;

	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return (sendmsg(through, &msg, MSG_DONTWAIT) == 1 ? 0 : -1);
}

/* How often the loop found something to do in that time. */
static unsigned int
loop_for(int64_t ms)
{
	int64_t		end = clock_ms() + ms;
	unsigned int	turns = 0;

	while (clock_ms() < end) {
		FORKED_REQUIRE(event_loop(EVLOOP_ONCE) != -1);
		turns++;
	}
	return (turns);
}

/* Other tests of this user may have some on their way as well. */
static void
flight_empty(void)
{
	int	fd;
	char	c;

	for (fd = 3; fd < FLIGHT_LIMIT; fd++)
		if (fd != sv[0] && fd != sv[1])
			while (recv(fd, &c, 1, MSG_DONTWAIT) == 1)
				continue;
}

static void
refused_descriptors(void *arg)
{
	struct rlimit	rl = { FLIGHT_LIMIT, FLIGHT_LIMIT };
	struct imsg	imsg;
	int		flight[2], i, fd;

	/* The kernel counts for the user: one that has nothing else to do. */
	if (getuid() == 0)
		FORKED_REQUIRE(setgid(LONELY_UID) == 0 &&
		    setuid(LONELY_UID) == 0);
	FORKED_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);
	FORKED_REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, flight) == 0 ||
	    errno == 0);
	for (i = 0; i < FLIGHT_LIMIT * 20 && fd_fly(flight[0]) == 0; i++)
		if (i % 8 == 7) {
			/* A datagram socket holds only so many. */
			FORKED_REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0,
			    flight) == 0);
		}
	if (errno != ETOOMANYREFS)
		_exit(97);
	begin_channel();
	FORKED_REQUIRE((fd = dup(STDERR_FILENO)) != -1);
	FORKED_REQUIRE(channel_send(&ch, TYPE_NUMBER, 1, fd, NULL, 0) == 0);
	FORKED_REQUIRE(imsgbuf_queuelen(&ch.ibuf) == 1);
	/*
	 * An ordinary user may have other processes, whose descriptors land
	 * now; then it went, which is no harm.
	 */
	FORKED_REQUIRE(loop_for(500) < 100);
	/* As soon as others have landed it goes. */
	flight_empty();
	for (i = 0; i < 500 && imsgbuf_queuelen(&ch.ibuf) > 0; i++)
		(void)loop_for(10);
	FORKED_REQUIRE(imsgbuf_read(&peer) == 1);
	FORKED_REQUIRE(imsgbuf_get(&peer, &imsg) == 1);
	FORKED_REQUIRE(imsg_get_fd(&imsg) != -1);
}

ATF_TC_WITHOUT_HEAD(descriptors_refused_for_a_while);
ATF_TC_BODY(descriptors_refused_for_a_while, tc)
{
	char	said[4096];
	int	status;

	status = forked(refused_descriptors, NULL, said, sizeof(said));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 97)
		atf_tc_skip("this system does not bound descriptors on "
		    "their way");
	ATF_CHECK_MSG(status == 0, "status %#x: %s", status, said);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, messages_in_order);
	ATF_TP_ADD_TC(tp, hello_and_more);
	ATF_TP_ADD_TC(tp, hello_and_more_while_sending);
	ATF_TP_ADD_TC(tp, dispatch_ends_it);
	ATF_TP_ADD_TC(tp, dispatch_closes_it);
	ATF_TP_ADD_TC(tp, last_words);
	ATF_TP_ADD_TC(tp, last_words_while_sending);
	ATF_TP_ADD_TC(tp, peer_refuses_to_hear);
	ATF_TP_ADD_TC(tp, nonsense);
	ATF_TP_ADD_TC(tp, big_queue);
	ATF_TP_ADD_TC(tp, asks_without_reading);
	ATF_TP_ADD_TC(tp, crowded_peer_dies);
	ATF_TP_ADD_TC(tp, sizes);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, descriptors_refused_for_a_while);
	return (atf_no_error());
}
