/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What clients of the engine's own sockets may say, in which order, reading
 * the answers or not, while sessions come and go and the parent answers.
 * The input is a row of deeds:
 *
 *	octet 0		the deed
 *	octet 1		which of the clients, services, sessions
 *	octet 2		a type of message, a socket, a length
 *	octet 3		how many octets follow that are its payload
 *
 * When all clients have left, the engine must have forgotten all of them.
 *
 * includes: lib/libcontrol/peer.c
 * includes: usr.sbin/tcpserverd/control.c
 * includes: usr.sbin/tcpserverd/control_check.c
 * includes: usr.sbin/tcpserverd/control_show.c
 * includes: usr.sbin/tcpserverd/events.c
 */
#include <sys/un.h>

#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "compile.h"

/* The program has no library that its objects could come from. */
#include "../../lib/libprivsep/channel.c"
#include "../../lib/libcontrol/peer.c"
#include "../../usr.sbin/tcpserverd/session.c"
#include "../../usr.sbin/tcpserverd/stats.c"
#include "../../usr.sbin/tcpserverd/events.c"
#include "../../usr.sbin/tcpserverd/control.c"
#include "../../usr.sbin/tcpserverd/control_check.c"
#include "../../usr.sbin/tcpserverd/control_names.c"
#include "../../usr.sbin/tcpserverd/control_show.c"

#define SERVICES	3
#define PEERS		20
#define DEEDS_MAX	400
#define SESSIONS_MAX	50

enum deed {
	DEED_CONNECT, DEED_HELLO, DEED_MESSAGE, DEED_BYTES, DEED_READ,
	DEED_CLOSE, DEED_PARENT, DEED_SESSION, DEED_END, DEED_REFUSE,
	DEED_RULES, DEED_SOCKET, DEED_CHECK, DEED_ORDER, DEED_FLOOD,
	DEED_CROWD, DEEDS
};

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct channel			engine_parent;
struct engine_setup		engine_setup;
int64_t				engine_began_at = 1;
const char			*engine_sandbox = "none";
const char			privsep_build[] = "build";

static struct event_base	*base;
static struct service		 service[SERVICES];
static struct sockaddr_un	 names[CONTROL_SOCKETS];
static socklen_t		 names_len[CONTROL_SOCKETS];
static int			 peers[PEERS];
static uint64_t			 last_id;
static int			 rules_answer;

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* The rest of the engine. */

struct service *
service_next(struct service *sv)
{
	if (sv == NULL)
		return (&service[0]);
	return (sv == &service[SERVICES - 1] ? NULL : sv + 1);
}

struct service *
service_named(const char *name)
{
	int	i;

	for (i = 0; i < SERVICES; i++)
		if (strcmp(service[i].settings.name, name) == 0)
			return (&service[i]);
	return (NULL);
}

int
service_accepts(const struct service *sv)
{
	return (1);
}

struct listener *
listener_next(struct service *sv, struct listener *l)
{
	static struct listener	one;

	one.fd = 0;
	return (l == NULL && sv == &service[0] ? &one : NULL);
}

int
rules_want(struct service *sv)
{
	if (rules_answer == -1)
		errno = EAGAIN;
	return (rules_answer);
}

void
tell_ended(const struct session *s, int status)
{
	stats_ended(s, status);
	event_ended(s, status);
}

void
service_count_down(struct service *sv)
{
	require(sv->count > 0);
	sv->count--;
}

int64_t
clock_us(void)
{
	return (1000000);
}

void
log_warn(const char *fmt, ...)
{
}

void
log_warnx(const char *fmt, ...)
{
}

__dead void
fatal(const char *fmt, ...)
{
	abort();
}

__dead void
fatalx(const char *fmt, ...)
{
	abort();
}

/* A socket that has a name which nobody else can have: Linux gives it. */
static void
socket_make(int kind)
{
	struct sockaddr_un	sun;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	require((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	require(bind(fd, (struct sockaddr *)&sun, sizeof(sun.sun_family)) ==
	    0);
	require(listen(fd, PEERS) == 0);
	names_len[kind] = sizeof(names[kind]);
	require(getsockname(fd, (struct sockaddr *)&names[kind],
	    &names_len[kind]) == 0);
	control_socket(fd, (uint32_t)kind);
}

static void
loop_run(void)
{
	int	i;

	for (i = 0; i < 3; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
liar_begin(int i, int kind)
{
	if (peers[i] != -1)
		return;
	peers[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	require(peers[i] != -1);
	if (connect(peers[i], (struct sockaddr *)&names[kind],
	    names_len[kind]) == 0)
		return;
	close(peers[i]);
	peers[i] = -1;
}

static void
liar_end(int i)
{
	if (peers[i] != -1)
		close(peers[i]);
	peers[i] = -1;
}

static void
liar_send(int i, const void *data, size_t len)
{
	if (peers[i] != -1)
		(void)!send(peers[i], data, len, MSG_NOSIGNAL);
}

static void
liar_read(int i)
{
	char	buf[65536];
	int	n;

	if (peers[i] == -1)
		return;
	for (n = 0; n < 50; n++) {
		if (recv(peers[i], buf, sizeof(buf), 0) <= 0)
			break;
		loop_run();
	}
}

/* A message of the length its type wants, as far as the input gives it. */
static void
liar_message(int i, uint8_t type, const uint8_t *data, size_t len)
{
	struct {
		struct imsg_hdr		hdr;
		char			payload[sizeof(struct control_check)];
	} m;
	size_t	size;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_CTL_HELLO + type % 20;
	size = m.hdr.type == IMSG_CTL_CHECK ? sizeof(struct control_check) :
	    sizeof(struct control_request);
	if (type >= 240)
		size = len;
	if (m.hdr.type == IMSG_CTL_HELLO)
		size = 4;
	m.hdr.len = (uint32_t)(sizeof(m.hdr) + size);
	memcpy(m.payload, data, len < size ? len : size);
	liar_send(i, &m, sizeof(m.hdr) + size);
}

static void
liar_hello(int i, uint32_t version)
{
	struct {
		struct imsg_hdr	hdr;
		uint32_t	version;
	} m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_CTL_HELLO;
	m.hdr.len = sizeof(m);
	m.version = version % 8 == 0 ? version : CONTROL_VERSION;
	liar_send(i, &m, sizeof(m));
}

/* The order that a person would give, of a service that there is. */
static void
liar_order(int i, uint8_t type)
{
	struct {
		struct imsg_hdr		hdr;
		struct control_request	req;
	} m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_CTL_HELLO + type % 20;
	m.hdr.len = sizeof(m);
	m.req.session = last_id;
	if (type & 0x20)
		strlcpy(m.req.service, service[type % SERVICES].settings.name,
		    sizeof(m.req.service));
	liar_send(i, &m, sizeof(m));
}

static void
liar_check(int i, uint8_t which)
{
	struct {
		struct imsg_hdr		hdr;
		struct control_check	chk;
	} m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_CTL_CHECK;
	m.hdr.len = (uint32_t)(offsetof(__typeof__(m), chk) + sizeof(m.chk));
	strlcpy(m.chk.service, service[which % SERVICES].settings.name,
	    sizeof(m.chk.service));
	m.chk.client.family = which & 8 ? AF_INET6 : AF_INET;
	m.chk.client.bytes[0] = which & 4 ? 10 : 11;
	m.chk.has_host = which & 16;
	liar_send(i, &m, m.hdr.len);
}

/* The parent's words: to the client of that number, whoever it is. */
static void
parent_say(uint32_t number, uint8_t what)
{
	struct control_answer	answer = { what };
	struct imsgbuf		ibuf[2];
	struct imsg		imsg;
	int			fds[2];

	require(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	require(imsgbuf_init(&ibuf[0], fds[0]) == 0);
	require(imsgbuf_init(&ibuf[1], fds[1]) == 0);
	if (what & 1)
		require(imsg_compose(&ibuf[0], 1, number, 0, -1, &answer,
		    sizeof(answer)) == 1);
	else
		require(imsg_compose(&ibuf[0], 0, number, 0, -1, "a line",
		    what % 7) == 1);
	require(imsgbuf_flush(&ibuf[0]) == 0);
	require(imsgbuf_read(&ibuf[1]) == 1);
	require(imsgbuf_get(&ibuf[1], &imsg) == 1);
	if (what & 1)
		control_done(&imsg);
	else
		control_text(&imsg);
	imsg_free(&imsg);
	imsgbuf_clear(&ibuf[0]);
	imsgbuf_clear(&ibuf[1]);
	close(fds[0]);
	close(fds[1]);
}

/*
 * Sessions
 */

static void
session_come(struct service *sv, uint8_t how)
{
	struct session	*s;

	if (sv->count >= SESSIONS_MAX)
		return;
	require((s = session_new(sv, ++last_id, 0)) != NULL);
	sv->count++;
	s->accepted_us = how % 3;
	if (how & 4)
		s->rule = strdup("a rule");
	if (how & 8)
		s->remote_name = strdup("name");
	if (how & 16) {
		session_started(s, how + 1);
		s->started_us = how;
		stats_started(s);
		event_started(s);
	}
}

static void
session_go(struct service *sv, uint8_t status)
{
	struct session	*s;

	if ((s = session_next(sv, NULL)) == NULL)
		return;
	if (s->pid != 0) {
		session_end(s, status);
		return;
	}
	stats_failed(s, status);
	event_failed(s, status);
	session_free(s);
	sv->count--;
}

static void
client_refuse(struct service *sv, uint8_t how)
{
	struct client	c;

	memset(&c, 0, sizeof(c));
	c.service = sv;
	c.dropped = RESULT_DROPPED_RULES;
	stats_refused(&c, (enum outcome)(how % 3));
	event_refused(&c, (enum outcome)(how % 3));
}

/* More than a socket holds, of answers or of events. */
static void
flood(int i, struct service *sv, uint8_t how)
{
	int	n;

	for (n = 0; n < (how & 1 ? 100 : 1200); n++)
		if (how & 1)
			liar_order(i, 1);
		else
			client_refuse(sv, how);
}

static void
deed_do(uint8_t deed, uint8_t which, uint8_t type, const uint8_t *data,
    size_t len)
{
	struct service	*sv = &service[which % SERVICES];
	int		 i = which % PEERS;

	switch (deed % DEEDS) {
	case DEED_CONNECT:
		liar_begin(i, type % CONTROL_SOCKETS);
		break;
	case DEED_HELLO:
		liar_begin(i, type % CONTROL_SOCKETS);
		liar_hello(i, len == 0 ? CONTROL_VERSION : data[0]);
		break;
	case DEED_MESSAGE:
		liar_message(i, type, data, len);
		break;
	case DEED_BYTES:
		liar_send(i, data, len);
		break;
	case DEED_READ:
		liar_read(i);
		break;
	case DEED_CLOSE:
		liar_end(i);
		break;
	case DEED_PARENT:
		parent_say(last_number - which % 4, type);
		break;
	case DEED_SESSION:
		session_come(sv, type);
		break;
	case DEED_END:
		session_go(sv, type);
		break;
	case DEED_REFUSE:
		client_refuse(sv, type);
		break;
	case DEED_RULES:
		control_rules_known(sv, type % 3);
		rules_answer = type % 3 - 1;
		break;
	case DEED_SOCKET:
		if (type & 1)
			control_socket(-1, which % CONTROL_SOCKETS);
		socket_make(which % CONTROL_SOCKETS);
		break;
	case DEED_CHECK:
		liar_check(i, type);
		break;
	case DEED_ORDER:
		liar_order(i, type);
		break;
	case DEED_FLOOD:
		flood(i, sv, type);
		break;
	case DEED_CROWD:
		for (i = 0; i < PEERS; i++)
			liar_begin(i, type % CONTROL_SOCKETS);
		break;
	}
	loop_run();
}

/* Rules for the last of the services. */
static struct access *
rules_make(void)
{
	static const char	 text[] = "10.:deny\n11.:allow,A=\"1\"\n"
				    "192.0.2.0/24:allow,B=\"2\"\n";
	struct compile_line	 line;
	struct access		*a;
	FILE			*f;
	int			 fds[2];

	require(pipe(fds) == 0 && (f = tmpfile()) != NULL);
	require(write(fds[1], text, sizeof(text) - 1) == sizeof(text) - 1);
	close(fds[1]);
	require(compile_rules(fds[0], fileno(f), &line) == COMPILE_DONE);
	close(fds[0]);
	require((a = access_open(fileno(f))) != NULL);
	fclose(f);
	return (a);
}

static void
begin(void)
{
	static struct access	*rules;
	int			 i;

	if (base == NULL) {
		rules = rules_make();
		require((base = event_init()) != NULL);
		for (i = 0; i < CONTROL_SOCKETS; i++)
			socket_make(i);
	}
	for (i = 0; i < PEERS; i++)
		peers[i] = -1;
	memset(service, 0, sizeof(service));
	for (i = 0; i < SERVICES; i++) {
		RB_INIT(&service[i].sessions);
		service[i].number = (uint32_t)i * 2;
		service[i].settings.name[0] = (char)('a' + i);
		service[i].settings.flags = i == 1 ? SERVICE_NOTIFY_CONNECT |
		    SERVICE_NOTIFY_END : 0;
		service[i].settings.sessions_max = SESSIONS_MAX;
	}
	service[SERVICES - 1].access = rules;
	service[SERVICES - 1].settings.flags = SERVICE_RULES;
	last_id = 0;
	rules_answer = 1;
	engine_setup.event_uid = getuid();
}

static void
end(void)
{
	struct session	*s;
	int		 i;

	for (i = 0; i < PEERS; i++)
		liar_end(i);
	for (i = 0; i < 20 && control_clients(0) + control_clients(1) > 0;
	    i++)
		loop_run();
	require(control_clients(0) + control_clients(1) == 0);
	require(TAILQ_EMPTY(&subscribers));
	for (i = 0; i < SERVICES; i++)
		while ((s = session_next(&service[i], NULL)) != NULL)
			session_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t	len;
	int	n;

	begin();
	for (n = 0; size >= 4 && n < DEEDS_MAX; n++) {
		len = data[3] < size - 4 ? data[3] : size - 4;
		deed_do(data[0], data[1], data[2], data + 4, len);
		data += 4 + len;
		size -= 4 + len;
	}
	end();
	return (0);
}
