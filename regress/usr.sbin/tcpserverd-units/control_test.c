/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A real engine's control and event sockets, with a parent that the test
 * plays: clients of other versions, that say nonsense, that do not read,
 * that are too many, may cost themselves, never the engine.
 */
#include "process.h"

#include <sys/un.h>

#include "control.h"

#define GENERATION	((uint64_t)5 << 32)

struct peer {
	int		fd;
	struct imsgbuf	ibuf;
	struct imsg	imsg;
	int		have;
};

static uint16_t			port;
static char			paths[3][64];
static struct engine_setup	setup;

static void
path_address(struct sockaddr_un *sun, int kind)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	strlcpy(sun->sun_path, paths[kind], sizeof(sun->sun_path));
}

static void
socket_give(int kind, const char *name)
{
	struct sockaddr_un	sun;
	int			fd;

	strlcpy(paths[kind], name, sizeof(paths[kind]));
	path_address(&sun, kind);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	ATF_REQUIRE(listen(fd, 64) == 0);
	say_fd(IMSG_ENGINE_SOCKET, kind, fd, NULL, 0);
}

static void
service_give(uint32_t id, const char *name, uint32_t flags)
{
	struct service_settings	set;
	struct listener_note	note;

	memset(&set, 0, sizeof(set));
	strlcpy(set.name, name, sizeof(set.name));
	set.flags = SERVICE_LOCAL_NAME | flags;
	set.sessions_max = 1000;
	set.generation = GENERATION;
	strlcpy(set.local_name, "here", sizeof(set.local_name));
	strlcpy(set.rules_path, "/no/such.cdb", sizeof(set.rules_path));
	say(IMSG_ENGINE_SERVICE, id, &set, sizeof(set));
	memset(&note, 0, sizeof(note));
	note.number = id;
	say_fd(IMSG_ENGINE_LISTENER, id, listener_open(&port), &note,
	    sizeof(note));
	fd_give(IMSG_ENGINE_STARTS, id, tp_.starts[0], NULL, 0);
	fd_give(IMSG_ENGINE_REPORTS, id, tp_.reports[0], NULL, 0);
}

static void
report(uint32_t type, uint64_t id, pid_t pid, int status)
{
	struct report	r;

	memset(&r, 0, sizeof(r));
	r.type = type;
	r.id = id;
	r.pid = pid;
	r.status = status;
	r.at_us = clock_us();
	ATF_REQUIRE(send(tp_.reports[1], &r, sizeof(r), MSG_NOSIGNAL) ==
	    sizeof(r));
}

/* An engine with one service that accepts, and all three sockets. */
static void
begin(uint32_t flags)
{
	struct sync_order	order = { 1, 1 };

	process_begin("engine");
	hear_word(IMSG_PRIVSEP_HELLO);
	memset(&setup, 0, sizeof(setup));
	setup.event_uid = getuid();
	setup.parent_pid = (uint32_t)getpid();
	setup.reloads = 3;
	setup.started_at = 1000000000;
	strlcpy(setup.conf_path, "/etc/test.conf", sizeof(setup.conf_path));
	say(IMSG_ENGINE_SETUP, 0, &setup, sizeof(setup));
	socket_give(SOCKET_CONTROL, "control");
	socket_give(SOCKET_RESTRICTED, "restricted");
	socket_give(SOCKET_EVENT, "event");
	service_give(0, "first", flags);
	say(IMSG_ENGINE_CONFIGURED, 0, NULL, 0);
	hear_word(IMSG_PARENT_READY);
	say(IMSG_ENGINE_SYNC, 0, &order, sizeof(order));
	hear_word(IMSG_PARENT_SYNCING);
	report(REPORT_SYNCED, 1, 0, 0);
}

/*
 * Clients of the control sockets
 */

static void
peer_open(struct peer *p, int kind)
{
	struct sockaddr_un	sun;

	memset(p, 0, sizeof(*p));
	path_address(&sun, kind);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(p->fd != -1);
	ATF_REQUIRE(connect(p->fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == 0);
	ATF_REQUIRE(imsgbuf_init(&p->ibuf, p->fd) == 0);
}

static void
peer_close(struct peer *p)
{
	if (p->have)
		imsg_free(&p->imsg);
	imsgbuf_clear(&p->ibuf);
	close(p->fd);
}

static void
peer_say(struct peer *p, uint32_t type, const void *data, size_t len)
{
	ATF_REQUIRE(imsg_compose(&p->ibuf, type, 0, 0, -1, data, len) == 1);
	if (imsgbuf_flush(&p->ibuf) == -1)
		ATF_REQUIRE(errno == EPIPE);
}

/* The type of what comes, 0: it hung up. */
static uint32_t
peer_hear(struct peer *p)
{
	struct pollfd	pfd = { .fd = p->fd, .events = POLLIN };
	struct imsg	imsg;
	int64_t		end = clock_ms() + WAIT_MS;
	int		n;

	if (p->have)
		imsg_free(&p->imsg);
	p->have = 0;
	while ((n = imsgbuf_get(&p->ibuf, &p->imsg)) == 0) {
		if (clock_ms() > end)
			fail("nothing came on a control socket");
		if (hear_once(&imsg, 0) == 1)
			fail("the parent was told %u", imsg_get_type(&imsg));
		if (poll(&pfd, 1, 20) == 1 && imsgbuf_read(&p->ibuf) != 1)
			return (0);
	}
	ATF_REQUIRE(n == 1);
	p->have = 1;
	return (imsg_get_type(&p->imsg));
}

static void
peer_expect(struct peer *p, uint32_t type)
{
	uint32_t	got = peer_hear(p);

	if (got != type)
		fail("message %u, not %u", got, type);
}

static void
peer_take(struct peer *p, void *data, size_t len)
{
	ATF_REQUIRE_MSG(imsg_get_len(&p->imsg) == len, "%zu bytes, not %zu",
	    imsg_get_len(&p->imsg), len);
	ATF_REQUIRE(imsg_get_data(&p->imsg, data, len) == 0);
}

static int
peer_end(struct peer *p)
{
	struct control_answer	answer;

	peer_expect(p, IMSG_CTL_END);
	peer_take(p, &answer, sizeof(answer));
	return (answer.error);
}

static const char *
peer_text(struct peer *p, uint32_t type)
{
	static char	text[1024];
	size_t		len;

	peer_expect(p, type);
	len = imsg_get_len(&p->imsg);
	ATF_REQUIRE(len > 0 && len < sizeof(text));
	ATF_REQUIRE(imsg_get_data(&p->imsg, text, len) == 0);
	text[len] = '\0';
	return (text);
}

static void
peer_welcome(struct peer *p, int kind)
{
	uint32_t	version = CONTROL_VERSION, said[2];

	peer_open(p, kind);
	peer_say(p, IMSG_CTL_HELLO, &version, sizeof(version));
	peer_expect(p, IMSG_CTL_WELCOME);
	peer_take(p, said, sizeof(said));
	ATF_CHECK_EQ(CONTROL_VERSION, said[0]);
	ATF_CHECK_EQ((uint32_t)kind, said[1]);
}

static void
peer_ask(struct peer *p, uint32_t type, const char *service,
    uint64_t session)
{
	struct control_request	req;

	memset(&req, 0, sizeof(req));
	strlcpy(req.service, service, sizeof(req.service));
	req.session = session;
	peer_say(p, type, &req, sizeof(req));
}

/* The engine still answers whoever asks properly. */
static void
engine_check(void)
{
	struct control_status	st;
	struct peer		p;

	alive_check();
	peer_welcome(&p, SOCKET_CONTROL);
	peer_ask(&p, IMSG_CTL_STATUS, "", 0);
	peer_expect(&p, IMSG_CTL_ROW);
	peer_take(&p, &st, sizeof(st));
	ATF_CHECK_EQ(0, peer_end(&p));
	ATF_CHECK_EQ(ROW_STATUS, st.row);
	ATF_CHECK_EQ((uint32_t)tp_.pid, st.engine_pid);
	ATF_CHECK_EQ(setup.parent_pid, st.parent_pid);
	ATF_CHECK_EQ(3, st.reloads);
	ATF_CHECK_STREQ("/etc/test.conf", st.conf_path);
	ATF_CHECK(strncmp(st.sandbox, "none", 4) != 0);
	peer_close(&p);
}

/*
 * Clients of the service
 */

static uint64_t
session_begin(pid_t pid)
{
	struct start_record	r;
	int			fd = client_open(port);

	r = start_wait_from(tp_.starts[1]);
	/* It is a launcher's by now, whose clients we do not count. */
	close(fd);
	if (pid != 0)
		report(REPORT_STARTED, r.id, pid, 0);
	return (r.id);
}

static void
sessions_expect(struct peer *p, const char *service, uint64_t wanted)
{
	struct control_session	s;
	uint64_t		n = 0, last = 0;
	uint32_t		type;

	peer_ask(p, IMSG_CTL_SESSIONS, service, 0);
	while ((type = peer_hear(p)) == IMSG_CTL_ROW) {
		ATF_REQUIRE(imsg_get_len(&p->imsg) >= sizeof(s));
		ATF_REQUIRE(imsg_get_buf(&p->imsg, &s, sizeof(s)) == 0);
		ATF_CHECK_EQ(ROW_SESSION, s.row);
		ATF_CHECK(s.id > last);
		ATF_CHECK_STREQ("first", s.service);
		ATF_CHECK_EQ(AF_INET, s.remote.family);
		ATF_CHECK_EQ(port, s.local_port);
		ATF_CHECK(s.age_us >= 0);
		last = s.id;
		n++;
	}
	ATF_REQUIRE_EQ(IMSG_CTL_END, type);
	ATF_CHECK_EQ_MSG(wanted, n, "%llu sessions",
	    (unsigned long long)n);
}

static void
event_take(struct peer *p, struct control_event *ev)
{
	peer_expect(p, IMSG_CTL_EVENT);
	ATF_REQUIRE(imsg_get_len(&p->imsg) >= sizeof(*ev));
	ATF_REQUIRE(imsg_get_buf(&p->imsg, ev, sizeof(*ev)) == 0);
}

/*
 * Cases
 */

ATF_TC_WITHOUT_HEAD(status);
ATF_TC_BODY(status, tc)
{
	begin(0);
	engine_check();
	process_end();
}

ATF_TC_WITHOUT_HEAD(versions);
ATF_TC_BODY(versions, tc)
{
	uint32_t	versions[] = { 0, CONTROL_VERSION + 1, UINT32_MAX };
	char		more[64];
	struct peer	p;
	size_t		i;

	begin(0);
	for (i = 0; i < nitems(versions); i++) {
		peer_open(&p, SOCKET_CONTROL);
		/* A later version may say more in its first message. */
		memset(more, 'x', sizeof(more));
		memcpy(more, &versions[i], sizeof(versions[i]));
		peer_say(&p, IMSG_CTL_HELLO, more, sizeof(more));
		ATF_CHECK(strstr(peer_text(&p, IMSG_CTL_REFUSED),
		    "this daemon speaks version 1") != NULL);
		peer_ask(&p, IMSG_CTL_STATUS, "", 0);
		hear_nothing(20);
		peer_close(&p);
	}
	engine_check();
	process_end();
}

/* What is no conversation ends it. */
ATF_TC_WITHOUT_HEAD(nonsense);
ATF_TC_BODY(nonsense, tc)
{
	static const uint32_t	types[] = {
		0, 1, IMSG_CTL_STATUS - 2, IMSG_CTL_CHECK + 1,
		IMSG_CTL_WELCOME, IMSG_CTL_END, IMSG_PARENT_CONTROL,
		IMSG_ENGINE_STOP, UINT32_MAX
	};
	char			junk[512];
	struct peer		p;
	size_t			i;

	begin(0);
	memset(junk, 0xa5, sizeof(junk));
	/* No hello first. */
	peer_open(&p, SOCKET_CONTROL);
	peer_ask(&p, IMSG_CTL_STATUS, "", 0);
	ATF_CHECK_EQ(0, peer_hear(&p));
	peer_close(&p);
	/* One that is too short. */
	peer_open(&p, SOCKET_CONTROL);
	peer_say(&p, IMSG_CTL_HELLO, junk, 3);
	ATF_CHECK_EQ(0, peer_hear(&p));
	peer_close(&p);
	/* No message at all. */
	peer_open(&p, SOCKET_CONTROL);
	ATF_REQUIRE(write(p.fd, junk, sizeof(junk)) == sizeof(junk));
	ATF_CHECK_EQ(0, peer_hear(&p));
	peer_close(&p);
	for (i = 0; i < nitems(types); i++) {
		peer_welcome(&p, SOCKET_CONTROL);
		peer_ask(&p, types[i], "", 0);
		ATF_CHECK_EQ(0, peer_hear(&p));
		peer_close(&p);
	}
	/* Wrong lengths. */
	for (i = 1; i < sizeof(struct control_request) + 8; i++) {
		if (i == sizeof(struct control_request))
			continue;
		peer_welcome(&p, SOCKET_CONTROL);
		peer_say(&p, IMSG_CTL_SESSIONS, junk, i);
		ATF_CHECK_EQ(0, peer_hear(&p));
		peer_close(&p);
	}
	peer_welcome(&p, SOCKET_CONTROL);
	peer_say(&p, IMSG_CTL_CHECK, junk, sizeof(junk));
	ATF_CHECK_EQ(0, peer_hear(&p));
	peer_close(&p);
	/* A name without an end is one that nobody has. */
	peer_welcome(&p, SOCKET_CONTROL);
	peer_say(&p, IMSG_CTL_SERVICES, junk, sizeof(struct control_request));
	(void)peer_text(&p, IMSG_CTL_TEXT);
	ATF_CHECK_EQ(ENOENT, peer_end(&p));
	peer_close(&p);
	engine_check();
	process_end();
}

ATF_TC_WITHOUT_HEAD(looking_only);
ATF_TC_BODY(looking_only, tc)
{
	static const uint32_t	orders[] = {
		IMSG_CTL_KILL, IMSG_CTL_RELOAD, IMSG_CTL_PAUSE,
		IMSG_CTL_DRAIN, IMSG_CTL_CONTINUE, IMSG_CTL_LOG
	};
	struct peer		p;
	size_t			i;

	begin(0);
	peer_welcome(&p, SOCKET_RESTRICTED);
	for (i = 0; i < nitems(orders); i++) {
		peer_ask(&p, orders[i], "", 0);
		ATF_CHECK_STREQ("this socket is for looking only",
		    peer_text(&p, IMSG_CTL_TEXT));
		ATF_CHECK_EQ(EPERM, peer_end(&p));
	}
	hear_nothing(50);
	sessions_expect(&p, "", 0);
	peer_close(&p);
	engine_check();
	process_end();
}

/* Orders go to the parent, its lines come back, each to who asked. */
ATF_TC_WITHOUT_HEAD(orders);
ATF_TC_BODY(orders, tc)
{
	struct control_order	order[2];
	struct control_answer	answer = { 1 };
	struct imsg		imsg;
	struct peer		p[2];
	uint64_t		id;

	begin(0);
	id = session_begin(4711);
	peer_welcome(&p[0], SOCKET_CONTROL);
	peer_welcome(&p[1], SOCKET_CONTROL);
	peer_ask(&p[0], IMSG_CTL_RELOAD, "", 0);
	hear(IMSG_PARENT_CONTROL, &imsg);
	ATF_REQUIRE(imsg_get_data(&imsg, &order[0], sizeof(order[0])) == 0);
	imsg_free(&imsg);
	ATF_CHECK_EQ(CONTROL_RELOAD, order[0].deed);
	peer_ask(&p[1], IMSG_CTL_KILL, "", id);
	hear(IMSG_PARENT_CONTROL, &imsg);
	ATF_REQUIRE(imsg_get_data(&imsg, &order[1], sizeof(order[1])) == 0);
	imsg_free(&imsg);
	ATF_CHECK_EQ(CONTROL_KILL, order[1].deed);
	ATF_CHECK(order[1].session == id && order[1].pid == 4711);
	ATF_CHECK_EQ(0, order[1].service);
	ATF_CHECK(order[0].client != order[1].client);
	say(IMSG_ENGINE_CONTROL_TEXT, order[0].client, "no: why", 7);
	say(IMSG_ENGINE_CONTROL_TEXT, order[1].client, "dying", 5);
	say(IMSG_ENGINE_CONTROL_TEXT, 4711, "nobody's", 8);
	say(IMSG_ENGINE_CONTROL_DONE, order[0].client, &answer,
	    sizeof(answer));
	answer.error = 0;
	say(IMSG_ENGINE_CONTROL_DONE, order[1].client, &answer,
	    sizeof(answer));
	/* Twice, and for somebody who is not there. */
	say(IMSG_ENGINE_CONTROL_DONE, order[1].client, &answer,
	    sizeof(answer));
	say(IMSG_ENGINE_CONTROL_DONE, 4711, &answer, sizeof(answer));
	ATF_CHECK_STREQ("no: why", peer_text(&p[0], IMSG_CTL_TEXT));
	ATF_CHECK_EQ(1, peer_end(&p[0]));
	ATF_CHECK_STREQ("dying", peer_text(&p[1], IMSG_CTL_TEXT));
	ATF_CHECK_EQ(0, peer_end(&p[1]));
	/* What can't be is said at once. */
	peer_ask(&p[0], IMSG_CTL_KILL, "", id + 99);
	(void)peer_text(&p[0], IMSG_CTL_TEXT);
	ATF_CHECK_EQ(ESRCH, peer_end(&p[0]));
	peer_ask(&p[0], IMSG_CTL_DRAIN, "second", 0);
	ATF_CHECK_STREQ("service second: there is none of that name",
	    peer_text(&p[0], IMSG_CTL_TEXT));
	ATF_CHECK_EQ(ENOENT, peer_end(&p[0]));
	/* One order at a time. */
	peer_ask(&p[0], IMSG_CTL_PAUSE, "first", 0);
	hear(IMSG_PARENT_CONTROL, &imsg);
	imsg_free(&imsg);
	peer_ask(&p[0], IMSG_CTL_PAUSE, "first", 0);
	ATF_CHECK_EQ(0, peer_hear(&p[0]));
	peer_close(&p[0]);
	peer_close(&p[1]);
	engine_check();
	process_end();
}

ATF_TC_WITHOUT_HEAD(sessions);
ATF_TC_BODY(sessions, tc)
{
	struct control_stats	st;
	struct peer		p;
	uint64_t		id = 0;
	int			i;

	begin(0);
	for (i = 0; i < 300; i++)
		id = session_begin(1000 + i);
	peer_welcome(&p, SOCKET_RESTRICTED);
	sessions_expect(&p, "", 300);
	sessions_expect(&p, "first", 300);
	report(REPORT_ENDED, id, 1299, 256);
	for (i = 0; i < 200; i++) {
		peer_ask(&p, IMSG_CTL_SESSION, "", id);
		if (peer_hear(&p) == IMSG_CTL_TEXT)
			break;
		ATF_CHECK_EQ(0, peer_end(&p));
	}
	ATF_CHECK_EQ(ESRCH, peer_end(&p));
	sessions_expect(&p, "", 299);
	peer_ask(&p, IMSG_CTL_STATS, "", 0);
	peer_expect(&p, IMSG_CTL_ROW);
	peer_expect(&p, IMSG_CTL_ROW);
	peer_take(&p, &st, sizeof(st));
	ATF_CHECK_EQ(0, peer_end(&p));
	ATF_CHECK_EQ(300, st.stats.accepted);
	ATF_CHECK_EQ(300, st.stats.results[RESULT_ALLOWED_DEFAULT]);
	ATF_CHECK_EQ(1, st.stats.endings[ENDING_FAILURE]);
	ATF_CHECK_EQ(300, st.stats.delays.count);
	ATF_CHECK_EQ(1, st.stats.sessions.count);
	ATF_CHECK_EQ(299, st.sessions);
	peer_close(&p);
	process_end();
}

/* It asks for much and reads nothing: it waits, and nobody else. */
ATF_TC_WITHOUT_HEAD(does_not_read);
ATF_TC_BODY(does_not_read, tc)
{
	struct control_request	req;
	struct peer		p[8], q;
	int			i, k;

	begin(0);
	for (i = 0; i < 500; i++)
		(void)session_begin(1000 + i);
	memset(&req, 0, sizeof(req));
	for (k = 0; k < 7; k++) {
		peer_welcome(&p[k], SOCKET_CONTROL);
		peer_ask(&p[k], IMSG_CTL_SESSIONS, "", 0);
	}
	/* Many small questions, no answer read. */
	peer_welcome(&p[7], SOCKET_RESTRICTED);
	ATF_REQUIRE(fcntl(p[7].fd, F_SETFL, O_NONBLOCK) == 0);
	for (i = 0; i < 5000; i++)
		ATF_REQUIRE(imsg_compose(&p[7].ibuf, IMSG_CTL_STATUS, 0, 0,
		    -1, &req, sizeof(req)) == 1);
	for (i = 0; i < 50; i++) {
		(void)imsgbuf_write(&p[7].ibuf);
		hear_nothing(1);
	}
	engine_check();
	peer_welcome(&q, SOCKET_RESTRICTED);
	sessions_expect(&q, "", 500);
	peer_close(&q);
	/* The last place on that socket is free, one more is turned away. */
	peer_welcome(&q, SOCKET_CONTROL);
	{
		struct peer	r;

		peer_open(&r, SOCKET_CONTROL);
		ATF_CHECK(strstr(peer_text(&r, IMSG_CTL_REFUSED),
		    "too many clients") != NULL);
		ATF_CHECK_EQ(0, peer_hear(&r));
		peer_close(&r);
	}
	for (k = 0; k < 8; k++)
		peer_close(&p[k]);
	peer_close(&q);
	/* Where there is a place, so that the others are seen to be free. */
	peer_welcome(&q, SOCKET_EVENT);
	peer_close(&q);
	engine_check();
	process_end();
}

ATF_TC_WITHOUT_HEAD(events);
ATF_TC_BODY(events, tc)
{
	struct control_event	ev;
	struct peer		p, m;
	uint64_t		id[2];

	begin(SERVICE_NOTIFY_END);
	peer_welcome(&p, SOCKET_EVENT);
	peer_welcome(&m, SOCKET_RESTRICTED);
	peer_ask(&m, IMSG_CTL_MONITOR, "", 0);
	engine_check();			/* by then it has heard that */
	id[0] = session_begin(4711);
	event_take(&m, &ev);
	ATF_CHECK(ev.sequence == 1 && ev.kind == EVENT_CONNECT);
	ATF_CHECK(ev.id == id[0] && ev.pid == 4711);
	report(REPORT_ENDED, id[0], 4711, 9);
	event_take(&m, &ev);
	ATF_CHECK(ev.sequence == 2 && ev.kind == EVENT_END);
	id[1] = session_begin(0);
	report(REPORT_FAILED, id[1], 0, EAGAIN);
	event_take(&m, &ev);
	ATF_CHECK(ev.sequence == 3 && ev.kind == EVENT_REFUSED);
	ATF_CHECK_EQ(RESULT_FAILED_FORK, ev.result);
	/* autoturnd hears what was asked for only. */
	event_take(&p, &ev);
	ATF_CHECK(ev.sequence == 1 && ev.kind == EVENT_END);
	ATF_CHECK(ev.id == id[0] && ev.status == 9 && ev.age_us >= 0);
	ATF_CHECK_STREQ("first", ev.service);
	ATF_CHECK(ev.at_us > (int64_t)1700000000 * 1000000);
	ATF_CHECK_EQ(port, ev.local_port);
	/* It says nothing there; a word too many ends it. */
	peer_ask(&p, IMSG_CTL_STATUS, "", 0);
	ATF_CHECK_EQ(0, peer_hear(&p));
	peer_close(&p);
	peer_close(&m);
	engine_check();
	process_end();
}

/* Closed on purpose: they have come and gone. */
ATF_TC_WITHOUT_HEAD(events_of_closed);
ATF_TC_BODY(events_of_closed, tc)
{
	struct control_event	ev[2];
	struct peer		p;
	int			fd;

	begin(SERVICE_CLOSE | SERVICE_NOTIFY_CONNECT | SERVICE_NOTIFY_END);
	peer_welcome(&p, SOCKET_EVENT);
	fd = client_open(port);
	event_take(&p, &ev[0]);
	event_take(&p, &ev[1]);
	ATF_CHECK(ev[0].kind == EVENT_CONNECT && ev[1].kind == EVENT_END);
	ATF_CHECK(ev[0].sequence == 1 && ev[1].sequence == 2);
	ATF_CHECK(ev[0].id == ev[1].id && ev[0].pid == 0);
	ATF_CHECK_EQ(RESULT_CLOSED_DEFAULT, ev[0].result);
	close(fd);
	peer_close(&p);
	process_end();
}

/* A listener that sleeps: it is told what it missed, in its place. */
ATF_TC_WITHOUT_HEAD(gap);
ATF_TC_BODY(gap, tc)
{
	struct control_event	ev;
	struct control_gap	gap;
	struct peer		p, q;
	uint64_t		id, expected = 1, lost = 0, gaps = 0;
	uint32_t		type;
	int			i;

	begin(SERVICE_NOTIFY_CONNECT | SERVICE_NOTIFY_END);
	peer_welcome(&p, SOCKET_EVENT);
	peer_welcome(&q, SOCKET_EVENT);
	for (i = 0; i < 4000; i++) {
		id = session_begin(1000);
		report(REPORT_ENDED, id, 1000, 0);
		/* The one that reads misses nothing. */
		event_take(&q, &ev);
		ATF_CHECK_EQ((uint64_t)i * 2 + 1, ev.sequence);
		event_take(&q, &ev);
	}
	while (expected <= 8000) {
		type = peer_hear(&p);
		if (type == IMSG_CTL_GAP) {
			peer_take(&p, &gap, sizeof(gap));
			ATF_REQUIRE_EQ(expected, gap.first);
			expected += gap.count;
			lost += gap.count;
			gaps++;
			continue;
		}
		ATF_REQUIRE_EQ(IMSG_CTL_EVENT, type);
		ATF_REQUIRE(imsg_get_buf(&p.imsg, &ev, sizeof(ev)) == 0);
		ATF_REQUIRE_EQ(expected, ev.sequence);
		expected++;
	}
	ATF_CHECK_EQ(8001, expected);
	ATF_CHECK(gaps > 0 && lost > 0);
	/* And it hears again. */
	id = session_begin(1000);
	event_take(&p, &ev);
	ATF_CHECK_EQ(8001, ev.sequence);
	ATF_CHECK_EQ(id, ev.id);
	peer_close(&p);
	peer_close(&q);
	engine_check();
	process_end();
}

/* Who may hear of it is not for the modes alone to say. */
ATF_TC(event_user);
ATF_TC_HEAD(event_user, tc)
{
	atf_tc_set_md_var(tc, "require.user", "unprivileged");
}
ATF_TC_BODY(event_user, tc)
{
	struct peer	p;

	begin(0);
	peer_welcome(&p, SOCKET_EVENT);
	setup.event_uid = getuid() + 1;
	say(IMSG_ENGINE_SETUP, 0, &setup, sizeof(setup));
	socket_give(SOCKET_EVENT, "event2");
	ATF_CHECK_EQ(0, peer_hear(&p));
	peer_close(&p);
	peer_open(&p, SOCKET_EVENT);
	ATF_CHECK(strstr(peer_text(&p, IMSG_CTL_REFUSED),
	    "for root and the event user") != NULL);
	peer_close(&p);
	setup.event_uid = UINT32_MAX;
	say(IMSG_ENGINE_SETUP, 0, &setup, sizeof(setup));
	engine_check();
	peer_open(&p, SOCKET_EVENT);
	(void)peer_text(&p, IMSG_CTL_REFUSED);
	peer_close(&p);
	process_end();
}

/* The rules that a client would meet are asked for first. */
ATF_TC_WITHOUT_HEAD(check_without_rules);
ATF_TC_BODY(check_without_rules, tc)
{
	struct control_check	chk;
	struct control_verdict	v;
	struct rules_answer	rules;
	struct peer		p;
	struct imsg		imsg;

	begin(SERVICE_RULES);
	memset(&chk, 0, sizeof(chk));
	strlcpy(chk.service, "first", sizeof(chk.service));
	ATF_REQUIRE(netaddr_parse(&chk.client, "192.0.2.1") == 0);
	peer_welcome(&p, SOCKET_RESTRICTED);
	peer_say(&p, IMSG_CTL_CHECK, &chk, sizeof(chk));
	hear(IMSG_PARENT_RULES_WANTED, &imsg);
	imsg_free(&imsg);
	memset(&rules, 0, sizeof(rules));
	rules.error = EACCES;
	say(IMSG_ENGINE_RULES, 0, &rules, sizeof(rules));
	peer_expect(&p, IMSG_CTL_ROW);
	peer_take(&p, &v, sizeof(v));
	ATF_CHECK_EQ(0, peer_end(&p));
	ATF_CHECK_EQ(RESULT_DROPPED_RULES, v.result);
	ATF_CHECK_EQ(EACCES, v.error);
	/* Neither a service nor an address. */
	chk.client.family = 77;
	peer_say(&p, IMSG_CTL_CHECK, &chk, sizeof(chk));
	hear(IMSG_PARENT_RULES_WANTED, &imsg);
	imsg_free(&imsg);
	say(IMSG_ENGINE_RULES, 0, &rules, sizeof(rules));
	(void)peer_text(&p, IMSG_CTL_TEXT);
	ATF_CHECK_EQ(EINVAL, peer_end(&p));
	memset(chk.service, 'x', sizeof(chk.service));
	peer_say(&p, IMSG_CTL_CHECK, &chk, sizeof(chk));
	(void)peer_text(&p, IMSG_CTL_TEXT);
	ATF_CHECK_EQ(ENOENT, peer_end(&p));
	peer_close(&p);
	engine_check();
	process_end();
}

/* Sockets are replaced with a reload, and clients stay; or they go. */
ATF_TC_WITHOUT_HEAD(sockets);
ATF_TC_BODY(sockets, tc)
{
	struct sockaddr_un	sun;
	struct peer		p, restricted, event;
	int			fd;

	begin(0);
	peer_welcome(&p, SOCKET_CONTROL);
	peer_welcome(&restricted, SOCKET_RESTRICTED);
	peer_welcome(&event, SOCKET_EVENT);
	socket_give(SOCKET_CONTROL, "control2");
	socket_give(SOCKET_EVENT, "event2");
	engine_check();
	sessions_expect(&p, "", 0);
	say(IMSG_ENGINE_SOCKET, SOCKET_RESTRICTED, NULL, 0);
	ATF_CHECK_EQ(0, peer_hear(&restricted));
	path_address(&sun, SOCKET_RESTRICTED);
	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_CHECK(connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1);
	close(fd);
	engine_check();
	ATF_CHECK(poll(&(struct pollfd){ event.fd, POLLIN, 0 }, 1, 0) == 0);
	say(IMSG_ENGINE_SOCKET, SOCKET_EVENT, NULL, 0);
	ATF_CHECK_EQ(0, peer_hear(&event));
	sessions_expect(&p, "", 0);
	peer_close(&p);
	peer_close(&restricted);
	peer_close(&event);
	process_end();
}

/* Who ordered the reload that took his socket away still hears of it. */
ATF_TC_WITHOUT_HEAD(own_socket_gone);
ATF_TC_BODY(own_socket_gone, tc)
{
	struct control_answer	answer = { 0 };
	struct control_order	order;
	struct imsg		imsg;
	struct peer		p, idle;

	begin(0);
	peer_welcome(&p, SOCKET_CONTROL);
	peer_welcome(&idle, SOCKET_CONTROL);
	peer_ask(&p, IMSG_CTL_RELOAD, "", 0);
	hear(IMSG_PARENT_CONTROL, &imsg);
	ATF_REQUIRE(imsg_get_data(&imsg, &order, sizeof(order)) == 0);
	imsg_free(&imsg);
	say(IMSG_ENGINE_SOCKET, SOCKET_CONTROL, NULL, 0);
	ATF_CHECK_EQ(0, peer_hear(&idle));
	say(IMSG_ENGINE_CONTROL_DONE, order.client, &answer, sizeof(answer));
	ATF_CHECK_EQ(0, peer_end(&p));
	peer_ask(&p, IMSG_CTL_STATUS, "", 0);
	ATF_CHECK_EQ(0, peer_hear(&p));
	peer_close(&p);
	peer_close(&idle);
	process_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, status);
	ATF_TP_ADD_TC(tp, versions);
	ATF_TP_ADD_TC(tp, nonsense);
	ATF_TP_ADD_TC(tp, looking_only);
	ATF_TP_ADD_TC(tp, orders);
	ATF_TP_ADD_TC(tp, sessions);
	ATF_TP_ADD_TC(tp, does_not_read);
	ATF_TP_ADD_TC(tp, events);
	ATF_TP_ADD_TC(tp, events_of_closed);
	ATF_TP_ADD_TC(tp, gap);
	ATF_TP_ADD_TC(tp, event_user);
	ATF_TP_ADD_TC(tp, check_without_rules);
	ATF_TP_ADD_TC(tp, sockets);
	ATF_TP_ADD_TC(tp, own_socket_gone);
	return (atf_no_error());
}
