/*
 * tcpserverd's events, from one that speaks well and from liars.
 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "control_wire.h"
#include "stubs.h"

static struct imsgbuf	server;		/* the liar's end */
static int		server_fd = -1;
static struct channel	parent_channel;	/* hears what is wanted */
static int		came;
static struct netaddr	came_last;
static int		gaps;
static int		wanted;

int
customer_came(const struct netaddr *addr)
{
	came++;
	came_last = *addr;
	return (addr->bytes[3] == 99 ? -1 : 0);
}

void
look_all(enum reason reason)
{
	ATF_CHECK_EQ(reason, REASON_GAP);
	gaps++;
}

static void
non_blocking(int fd)
{
	ATF_REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) != -1);
}

static int
parent_dispatch(struct channel *ch, struct imsg *imsg)
{
	ATF_CHECK_EQ(imsg_get_type(imsg), IMSG_PARENT_EVENTS_WANTED);
	wanted++;
	return (0);
}

static int
queue_dispatch(struct channel *ch, struct imsg *imsg)
{
	return (0);
}

static void
world(void)
{
	int	sv[2];

	event_init();
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ATF_REQUIRE_EQ(channel_init(&queue.parent, sv[0], queue_dispatch,
	    NULL, NULL), 0);
	ATF_REQUIRE_EQ(channel_init(&parent_channel, sv[1], parent_dispatch,
	    NULL, NULL), 0);
}

static void
server_close(void)
{
	if (server_fd == -1)
		return;
	imsgbuf_clear(&server);
	close(server_fd);
	server_fd = -1;
}

/* A new connection, nothing said yet. */
static void
connected(void)
{
	int	sv[2];

	server_close();
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	server_fd = sv[1];
	non_blocking(server_fd);
	ATF_REQUIRE_EQ(imsgbuf_init(&server, server_fd), 0);
	events_open(sv[0]);
}

static void
loop(void)
{
	struct timespec	ts = { 0, 1000 * 1000 };

	/* A channel looks again at once, by a timer of no time. */
	event_loop(EVLOOP_NONBLOCK);
	nanosleep(&ts, NULL);
	event_loop(EVLOOP_NONBLOCK);
}

static void
say(uint32_t type, const void *data, size_t len)
{
	ATF_REQUIRE_EQ(imsg_compose(&server, type, 0, 0, -1, data, len), 1);
	ATF_REQUIRE_EQ(imsgbuf_write(&server), 0);
	loop();
}

static void
hear_hello(void)
{
	struct imsg	imsg;
	uint32_t	version;
	int		n;

	loop();
	while ((n = imsgbuf_get(&server, &imsg)) == 0) {
		ATF_REQUIRE_EQ(imsgbuf_read(&server), 1);
		loop();
	}
	ATF_REQUIRE_EQ(n, 1);
	ATF_CHECK_EQ(imsg_get_type(&imsg), IMSG_CTL_HELLO);
	ATF_REQUIRE_EQ(imsg_get_data(&imsg, &version, sizeof(version)), 0);
	ATF_CHECK_EQ(version, TCPSERVERD_CONTROL_VERSION);
	imsg_free(&imsg);
}

static void
say_welcome(uint32_t version, uint32_t kind)
{
	uint32_t	words[2] = { version, kind };

	say(IMSG_CTL_WELCOME, words, sizeof(words));
}

static void
welcomed(void)
{
	connected();
	hear_hello();
	say_welcome(TCPSERVERD_CONTROL_VERSION, SOCKET_EVENT);
}

static void
event_make(struct control_event *ev, uint64_t sequence, uint32_t kind)
{
	memset(ev, 0, sizeof(*ev));
	ev->sequence = sequence;
	ev->kind = kind;
	ev->remote.family = AF_INET;
	memcpy(ev->remote.bytes, "\300\0\002\007", 4);
	strlcpy(ev->service, "hello", sizeof(ev->service));
}

static void
say_event(uint64_t sequence, uint32_t kind)
{
	struct control_event	ev;

	event_make(&ev, sequence, kind);
	say(IMSG_CTL_EVENT, &ev, sizeof(ev));
}

/* Closed, as its end shows. */
static int
is_closed(void)
{
	char	c;
	ssize_t	n;

	loop();
	while ((n = recv(server_fd, &c, 1, 0)) == 1)
		;
	return (n == 0 || (n == -1 && errno == ECONNRESET));
}

ATF_TC_WITHOUT_HEAD(sessions);
ATF_TC_BODY(sessions, tc)
{
	char			 row[sizeof(struct control_event) + 32];
	struct control_event	 ev;

	world();
	connected();
	ATF_CHECK(!events_connected());
	hear_hello();
	say_welcome(TCPSERVERD_CONTROL_VERSION, SOCKET_EVENT);
	ATF_CHECK(events_connected());
	/* What happened before is not known. */
	ATF_CHECK_EQ(gaps, 1);
	say_event(1, EVENT_CONNECT);
	say_event(2, EVENT_END);
	ATF_CHECK_EQ(came, 2);
	ATF_CHECK_EQ(came_last.bytes[3], 7);
	ATF_CHECK_EQ(queue.strangers, 0);
	/* With strings; of a stranger. */
	event_make(&ev, 3, EVENT_CONNECT);
	ev.remote.bytes[3] = 99;
	ev.remote_name_len = 6;
	ev.rule_len = 4;
	memcpy(row, &ev, sizeof(ev));
	memcpy(row + sizeof(ev), "a.xyz\0" "192.", 10);
	say(IMSG_CTL_EVENT, row, sizeof(ev) + 10);
	ATF_CHECK_EQ(came, 3);
	ATF_CHECK_EQ(queue.strangers, 1);
	ATF_CHECK_EQ(gaps, 1);
	ATF_CHECK(events_connected());
}

ATF_TC_WITHOUT_HEAD(gaps_are_found);
ATF_TC_BODY(gaps_are_found, tc)
{
	struct control_gap	gap = { 2, 3 };

	world();
	welcomed();
	say_event(1, EVENT_CONNECT);
	say(IMSG_CTL_GAP, &gap, sizeof(gap));
	ATF_CHECK_EQ(gaps, 2);
	say_event(5, EVENT_CONNECT);
	ATF_CHECK_EQ(gaps, 2);
	/* A number that is missing without a word. */
	say_event(9, EVENT_CONNECT);
	ATF_CHECK_EQ(gaps, 3);
	ATF_CHECK_EQ(came, 3);
	/* A gap that begins later, too. */
	gap.first = 12;
	say(IMSG_CTL_GAP, &gap, sizeof(gap));
	ATF_CHECK_EQ(gaps, 4);
	say_event(15, EVENT_CONNECT);
	ATF_CHECK_EQ(gaps, 4);
	ATF_CHECK_EQ(came, 4);
	/* tcpserverd was restarted. */
	server_close();
	loop();
	ATF_CHECK(!events_connected());
	while (wanted == 0)
		event_loop(EVLOOP_ONCE);
	welcomed();
	ATF_CHECK_EQ(gaps, 5);
	say_event(1, EVENT_CONNECT);
	ATF_CHECK_EQ(came, 5);
	ATF_CHECK_EQ(wanted, 1);
}

static void
check_ended(const char *what)
{
	ATF_CHECK_MSG(is_closed(), "%s: not closed", what);
	ATF_CHECK_MSG(!events_connected(), "%s: connected", what);
}

ATF_TC_WITHOUT_HEAD(liars);
ATF_TC_BODY(liars, tc)
{
	struct control_event	ev;
	struct control_gap	gap;
	char			row[16384 - IMSG_HEADER_SIZE];

	world();
	connected();
	say_event(1, EVENT_CONNECT);
	check_ended("no welcome");
	connected();
	say_welcome(TCPSERVERD_CONTROL_VERSION + 1, SOCKET_EVENT);
	check_ended("another version");
	connected();
	say_welcome(TCPSERVERD_CONTROL_VERSION, SOCKET_CONTROL);
	check_ended("another socket");
	connected();
	say(IMSG_CTL_WELCOME, "xy", 2);
	check_ended("a short welcome");
	connected();
	say(IMSG_CTL_REFUSED, "no\033[31m\n\n", 9);
	check_ended("refused");
	connected();
	memset(row, 'x', sizeof(row));
	say(IMSG_CTL_REFUSED, row, sizeof(row));
	check_ended("refused at length");
	connected();
	say(IMSG_CTL_REFUSED, NULL, 0);
	check_ended("refused without a word");
	ATF_CHECK_EQ(gaps, 0);

	welcomed();
	say_welcome(TCPSERVERD_CONTROL_VERSION, SOCKET_EVENT);
	check_ended("welcome again");
	welcomed();
	say(IMSG_CTL_END, NULL, 0);
	check_ended("an unknown message");
	welcomed();
	say_event(1, EVENT_REFUSED);
	check_ended("a kind that is not told");
	welcomed();
	say_event(1, EVENT_CONNECT);
	say_event(1, EVENT_CONNECT);
	check_ended("the same number");
	welcomed();
	say_event(0, EVENT_CONNECT);
	check_ended("number 0");
	ATF_CHECK_EQ(came, 1);

	welcomed();
	event_make(&ev, 1, EVENT_CONNECT);
	say(IMSG_CTL_EVENT, &ev, sizeof(ev) - 1);
	check_ended("a short event");
	welcomed();
	say(IMSG_CTL_EVENT, NULL, 0);
	check_ended("an empty event");
	welcomed();
	memcpy(row, &ev, sizeof(ev));
	say(IMSG_CTL_EVENT, row, sizeof(ev) + 1);
	check_ended("an event with a rest");
	welcomed();
	ev.info_len = 5;
	say(IMSG_CTL_EVENT, &ev, sizeof(ev));
	check_ended("an event without its strings");
	welcomed();
	ev.info_len = ev.rule_len = 0x80000000U;
	say(IMSG_CTL_EVENT, &ev, sizeof(ev));
	check_ended("lengths that overflow");
	welcomed();
	event_make(&ev, 1, EVENT_CONNECT);
	ev.info_len = sizeof(row) - sizeof(ev);
	memcpy(row, &ev, sizeof(ev));
	say(IMSG_CTL_EVENT, row, sizeof(row));
	check_ended("strings too long");

	welcomed();
	gap.first = 1;
	gap.count = 0;
	say(IMSG_CTL_GAP, &gap, sizeof(gap));
	check_ended("a gap of none");
	welcomed();
	gap.first = 2;
	gap.count = UINT64_MAX;
	say(IMSG_CTL_GAP, &gap, sizeof(gap));
	check_ended("a gap without end");
	welcomed();
	gap.first = 0;
	gap.count = 1;
	say(IMSG_CTL_GAP, &gap, sizeof(gap));
	check_ended("a gap in what was told");
	ATF_CHECK_EQ(came, 1);
	/* None of them spoilt anything. */
	welcomed();
	say_event(1, EVENT_CONNECT);
	ATF_CHECK_EQ(came, 2);
}

/* An event whose number is the last there can be. */
ATF_TC_WITHOUT_HEAD(numbers_end);
ATF_TC_BODY(numbers_end, tc)
{
	world();
	welcomed();
	say_event(UINT64_MAX, EVENT_CONNECT);
	ATF_CHECK_EQ(came, 1);
	ATF_CHECK_EQ(gaps, 2);
	say_event(1, EVENT_CONNECT);
	check_ended("after the last number");
}

static void
say_bytes(const char *bytes, size_t len)
{
	(void)send(server_fd, bytes, len, MSG_NOSIGNAL);
	loop();
}

/* A good conversation, cut anywhere, or with a byte of it changed. */
ATF_TC_WITHOUT_HEAD(bytes);
ATF_TC_BODY(bytes, tc)
{
	struct control_event	ev;
	struct imsgbuf		ibuf;
	uint32_t		words[2] = { TCPSERVERD_CONTROL_VERSION,
				    SOCKET_EVENT };
	char			good[2048], bad[2048];
	size_t			i;
	ssize_t			len;
	int			sv[2];

	world();
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ATF_REQUIRE_EQ(imsgbuf_init(&ibuf, sv[0]), 0);
	event_make(&ev, 1, EVENT_CONNECT);
	imsg_compose(&ibuf, IMSG_CTL_WELCOME, 0, 0, -1, words, sizeof(words));
	imsg_compose(&ibuf, IMSG_CTL_EVENT, 0, 0, -1, &ev, sizeof(ev));
	ATF_REQUIRE_EQ(imsgbuf_flush(&ibuf), 0);
	ATF_REQUIRE((len = recv(sv[1], good, sizeof(good), 0)) > 0);
	for (i = 0; i < (size_t)len; i++) {
		connected();
		say_bytes(good, i);
		ATF_CHECK_EQ(came, 0);
		server_close();
		loop();
		ATF_CHECK(!events_connected());
	}
	for (i = 0; i < (size_t)len; i++) {
		memcpy(bad, good, (size_t)len);
		bad[i] ^= (char)0xff;
		connected();
		say_bytes(bad, (size_t)len);
	}
	came = 0;
	connected();
	say_bytes(good, (size_t)len);
	ATF_CHECK_EQ(came, 1);
	ATF_CHECK(events_connected());
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	struct control_event	ev;
	int			i;

	world();
	welcomed();
	for (i = 1; i <= 20000; i++) {
		event_make(&ev, (uint64_t)i, EVENT_CONNECT);
		ATF_REQUIRE_EQ(imsg_compose(&server, IMSG_CTL_EVENT, 0, 0, -1,
		    &ev, sizeof(ev)), 1);
		while (imsgbuf_queuelen(&server) > 100) {
			ATF_REQUIRE_EQ(imsgbuf_write(&server), 0);
			event_loop(EVLOOP_NONBLOCK);
		}
	}
	while (came < 20000) {
		ATF_REQUIRE_EQ(imsgbuf_write(&server), 0);
		event_loop(EVLOOP_NONBLOCK);
	}
	ATF_CHECK_EQ(gaps, 1);
}

static int64_t
real_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Who hangs up each time is asked ever slower: 100, 200, 400, 800 ms. */
ATF_TC_WITHOUT_HEAD(not_too_eager);
ATF_TC_BODY(not_too_eager, tc)
{
	int64_t	began = real_ms();
	int	i;

	world();
	for (i = 1; i <= 4; i++) {
		connected();
		server_close();
		while (wanted < i)
			event_loop(EVLOOP_ONCE);
	}
	/* libevent's clock may be a little ahead. */
	ATF_CHECK(real_ms() - began >= 1500 - 4 * 10);
	ATF_CHECK_EQ(wanted, 4);
}

/* The parent gives another one: the old one is closed, nobody asked. */
ATF_TC_WITHOUT_HEAD(another_connection);
ATF_TC_BODY(another_connection, tc)
{
	int	old;

	world();
	welcomed();
	old = dup(server_fd);
	welcomed();
	ATF_CHECK_EQ(gaps, 2);
	ATF_CHECK(events_connected());
	server_fd = old;
	ATF_CHECK(is_closed());
	ATF_CHECK_EQ(wanted, 0);
}

/* There are to be none any more: nothing is asked for either. */
ATF_TC_WITHOUT_HEAD(events_off);
ATF_TC_BODY(events_off, tc)
{
	int	i;

	world();
	welcomed();
	events_open(-1);
	ATF_CHECK(!events_connected());
	ATF_CHECK(is_closed());
	/* Nor what was to be asked for. */
	connected();
	server_close();
	loop();
	events_open(-1);
	for (i = 0; i < 300; i++)
		loop();
	ATF_CHECK_EQ(wanted, 0);
	welcomed();
	ATF_CHECK(events_connected());
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sessions);
	ATF_TP_ADD_TC(tp, gaps_are_found);
	ATF_TP_ADD_TC(tp, liars);
	ATF_TP_ADD_TC(tp, numbers_end);
	ATF_TP_ADD_TC(tp, bytes);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, not_too_eager);
	ATF_TP_ADD_TC(tp, another_connection);
	ATF_TP_ADD_TC(tp, events_off);

	return (atf_no_error());
}
