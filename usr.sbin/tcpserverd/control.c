/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The engine's own sockets: operators ask and order on the control sockets,
 * autoturnd hears on the event socket.  The parent binds them and decides by
 * their modes who may connect.  What only the parent can do is passed on to
 * it, and its lines are passed back.
 *
 * A client is a local user, not a friend: there are few at a time, each has
 * bounded memory here, nobody waits for one, and nothing it sends is
 * believed.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_engine.h"

/* Of each socket: who may look can't keep those out who may act. */
#define CONTROL_CLIENTS_MAX	8
#define CONTROL_SOCKETS		3
/* Messages that wait for a client before its next request is heard. */
#define CONTROL_WAITING_MAX	64
#define CONTROL_ROWS_PER_TURN	64
#define CONTROL_ACCEPTS_PER_TURN	16
#define CONTROL_ACCEPT_PAUSE_MS	250
/* So long it may take to ask, or to read a row of its answer. */
#define CONTROL_TIMEOUT_S	30

struct control_socket {
	int			open;
	int			fd;
	struct event		ev;
	struct event		pause;
	struct control_client	clients[CONTROL_CLIENTS_MAX];
};

static struct control_socket	sockets[CONTROL_SOCKETS];
static uint32_t			last_number;

static void	socket_event(int, short, void *);

unsigned int
control_clients(int events)
{
	unsigned int	i, k, n = 0;

	for (k = 0; k < CONTROL_SOCKETS; k++)
		for (i = 0; i < CONTROL_CLIENTS_MAX; i++)
			if (sockets[k].clients[i].state != CONTROL_FREE &&
			    (k == SOCKET_EVENT) == (events != 0))
				n++;
	return (n);
}

static struct control_client *
peer_find(uint32_t number)
{
	struct control_client	*c;
	unsigned int		 i, k;

	for (k = 0; k < CONTROL_SOCKETS; k++)
		for (i = 0; i < CONTROL_CLIENTS_MAX; i++) {
			c = &sockets[k].clients[i];
			if (c->state != CONTROL_FREE && c->number == number)
				return (c);
		}
	return (NULL);
}

static void
peer_deadline(struct control_client *c)
{
	struct timeval	tv = { CONTROL_TIMEOUT_S, 0 };

	evtimer_del(&c->deadline);
	evtimer_add(&c->deadline, &tv);
}

static void
peer_state(struct control_client *c, enum control_state state)
{
	c->state = state;
	if (state == CONTROL_PARENT || state == CONTROL_EVENTS)
		evtimer_del(&c->deadline);
	else
		peer_deadline(c);
}

static void
peer_close(struct control_client *c)
{
	if (c->state == CONTROL_EVENTS)
		events_unsubscribe(&c->subscriber);
	evtimer_del(&c->deadline);
	evtimer_del(&c->again);
	channel_close(&c->ch);
	c->state = CONTROL_FREE;
}

static void
deadline_event(int fd, short event, void *arg)
{
	peer_close(arg);
}

/*
 * Answers
 */

int
control_send(struct control_client *c, uint32_t type, const void *data,
    size_t len)
{
	return (channel_send(&c->ch, type, 0, -1, data, len));
}

void
control_say(struct control_client *c, const char *fmt, ...)
{
	char	line[1024];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	(void)control_send(c, IMSG_CTL_TEXT, line, strlen(line));
}

void
control_end(struct control_client *c, int errnum)
{
	struct control_answer	answer;

	answer.error = errnum;
	peer_state(c, CONTROL_IDLE);
	(void)control_send(c, IMSG_CTL_END, &answer, sizeof(answer));
}

static void
peer_refuse(struct control_client *c, const char *why)
{
	peer_state(c, CONTROL_GOODBYE);
	(void)control_send(c, IMSG_CTL_REFUSED, why, strlen(why));
}

/* As many rows as it takes now, but others have their turn, too. */
static void
rows_send(struct control_client *c)
{
	struct timeval	tv = { 0, 0 };
	int		i, n;

	peer_deadline(c);
	for (i = 0; i < CONTROL_ROWS_PER_TURN; i++) {
		if (imsgbuf_queuelen(&c->ch.ibuf) > 0)
			return;			/* until it has read that */
		if ((n = show_next(c)) != 1) {
			control_end(c, n == -1 ? errno : 0);
			return;
		}
	}
	evtimer_add(&c->again, &tv);
}

static void
again_event(int fd, short event, void *arg)
{
	struct control_client	*c = arg;

	if (c->state == CONTROL_ROWS)
		rows_send(c);
}

static void
control_drained(struct channel *ch)
{
	struct control_client	*c = ch->arg;

	if (c->state == CONTROL_EVENTS)
		events_drained(&c->subscriber);
	if (c->state == CONTROL_ROWS)
		rows_send(c);
}

/*
 * Requests
 */

struct service *
asked_service(struct control_client *c, const char *name)
{
	struct service	*sv;

	if ((sv = service_named(name)) == NULL) {
		control_say(c, "service %s: there is none of that name", name);
		errno = ENOENT;
	}
	return (sv);
}

struct session *
asked_session(struct control_client *c, uint64_t id)
{
	struct service	*sv;
	struct session	*s;

	for (sv = service_next(NULL); sv != NULL; sv = service_next(sv))
		if ((s = session_by_id(sv, id)) != NULL)
			return (s);
	control_say(c, "session %llu: there is none of that number",
	    (unsigned long long)id);
	errno = ESRCH;
	return (NULL);
}

static void
show(struct control_client *c, uint32_t what,
    const struct control_request *req)
{
	int	errnum;

	if ((errnum = show_begin(c, what, req)) != 0) {
		control_end(c, errnum);
		return;
	}
	peer_state(c, CONTROL_ROWS);
	rows_send(c);
}

static void
monitor(struct control_client *c)
{
	peer_state(c, CONTROL_EVENTS);
	events_subscribe(&c->subscriber, &c->ch, 1);
}

/* Which of them is named in the order; 0 or an errno. */
static int
order_service(struct control_client *c, const char *name,
    struct control_order *order)
{
	struct service	*sv;

	if (name[0] == '\0')
		return (0);
	if ((sv = asked_service(c, name)) == NULL)
		return (errno);
	order->service = sv->number;
	return (0);
}

static int
order_session(struct control_client *c, uint64_t id,
    struct control_order *order)
{
	struct session	*s;

	if ((s = asked_session(c, id)) == NULL)
		return (errno);
	if (s->pid == 0) {
		control_say(c, "session %llu: its program has not been "
		    "started yet", (unsigned long long)id);
		return (EAGAIN);
	}
	order->service = s->service->number;
	order->session = id;
	order->pid = s->pid;
	return (0);
}

static int
order_fill(struct control_client *c, uint32_t what,
    const struct control_request *req, struct control_order *order)
{
	memset(order, 0, sizeof(*order));
	order->client = c->number;
	order->service = CONTROL_ALL_SERVICES;
	switch (what) {
	case IMSG_CTL_KILL:
		order->deed = CONTROL_KILL;
		return (order_session(c, req->session, order));
	case IMSG_CTL_PAUSE:
		order->deed = CONTROL_PAUSE;
		return (order_service(c, req->service, order));
	case IMSG_CTL_DRAIN:
		order->deed = CONTROL_DRAIN;
		return (order_service(c, req->service, order));
	case IMSG_CTL_CONTINUE:
		order->deed = CONTROL_CONTINUE;
		return (order_service(c, req->service, order));
	case IMSG_CTL_LOG:
		order->deed = CONTROL_LOG;
		order->value = req->value != 0;
		return (0);
	default:
		order->deed = CONTROL_RELOAD;
		return (0);
	}
}

static void
order_pass(struct control_client *c, uint32_t what,
    const struct control_request *req)
{
	struct control_order	order;
	int			errnum;

	if (c->kind != SOCKET_CONTROL) {
		control_say(c, "this socket is for looking only");
		control_end(c, EPERM);
		return;
	}
	if ((errnum = order_fill(c, what, req, &order)) == 0 &&
	    channel_send(&engine_parent, IMSG_PARENT_CONTROL, 0, -1, &order,
	    sizeof(order)) == -1)
		errnum = errno;
	if (errnum != 0)
		control_end(c, errnum);
	else
		peer_state(c, CONTROL_PARENT);
}

static void
check_begin(struct control_client *c)
{
	struct control_check	*chk = &c->check;
	struct service		*sv;

	chk->service[sizeof(chk->service) - 1] = '\0';
	chk->host[sizeof(chk->host) - 1] = '\0';
	chk->info[sizeof(chk->info) - 1] = '\0';
	if ((sv = asked_service(c, chk->service)) == NULL) {
		control_end(c, errno);
		return;
	}
	c->checked = sv->number;
	switch (rules_want(sv)) {
	case 1:
		check_answer(c, sv, 0);
		break;
	case 0:
		peer_state(c, CONTROL_RULES);
		break;
	default:
		check_answer(c, sv, errno);
		break;
	}
}

void
control_rules_known(struct service *sv, int errnum)
{
	struct control_client	*c;
	unsigned int		 i, k;

	for (k = 0; k < CONTROL_SOCKETS; k++)
		for (i = 0; i < CONTROL_CLIENTS_MAX; i++) {
			c = &sockets[k].clients[i];
			if (c->state == CONTROL_RULES &&
			    c->checked == sv->number)
				check_answer(c, sv, errnum);
		}
}

/* -1: that is no request. */
static int
request_take(struct control_client *c, struct imsg *imsg)
{
	struct control_request	req;
	uint32_t		what = imsg_get_type(imsg);

	memset(&req, 0, sizeof(req));
	if (what == IMSG_CTL_CHECK) {
		if (imsg_get_data(imsg, &c->check, sizeof(c->check)) == -1)
			return (-1);
		check_begin(c);
		return (0);
	}
	if (what < IMSG_CTL_STATUS || what > IMSG_CTL_LOG ||
	    (imsg_get_len(imsg) != 0 &&
	    imsg_get_data(imsg, &req, sizeof(req)) == -1))
		return (-1);
	req.service[sizeof(req.service) - 1] = '\0';
	if (what == IMSG_CTL_MONITOR)
		monitor(c);
	else if (what >= IMSG_CTL_KILL)
		order_pass(c, what, &req);
	else
		show(c, what, &req);
	return (0);
}

static int
hello_take(struct control_client *c, struct imsg *imsg)
{
	uint32_t	theirs, ours[2] = { CONTROL_VERSION, c->kind };
	char		why[128];

	if (imsg_get_type(imsg) != IMSG_CTL_HELLO ||
	    imsg_get_buf(imsg, &theirs, sizeof(theirs)) == -1)
		return (-1);
	if (theirs != CONTROL_VERSION) {
		snprintf(why, sizeof(why), "you speak version %u of the "
		    "protocol, this daemon speaks version %d", theirs,
		    CONTROL_VERSION);
		peer_refuse(c, why);
		return (0);
	}
	peer_state(c, CONTROL_IDLE);
	if (control_send(c, IMSG_CTL_WELCOME, ours, sizeof(ours)) == -1)
		return (-1);
	if (c->kind == SOCKET_EVENT) {
		peer_state(c, CONTROL_EVENTS);
		events_subscribe(&c->subscriber, &c->ch, 0);
	}
	return (0);
}

static int
engine_dispatch_control(struct channel *ch, struct imsg *imsg)
{
	struct control_client	*c = ch->arg;

	switch (c->state) {
	case CONTROL_HELLO:
		return (hello_take(c, imsg));
	case CONTROL_IDLE:
		return (request_take(c, imsg));
	case CONTROL_GOODBYE:
		return (0);
	default:
		return (-1);
	}
}

static void
engine_lost_control(struct channel *ch)
{
	peer_close(ch->arg);
}

/*
 * Connections
 */

static struct control_client *
peer_free_slot(struct control_socket *sock)
{
	unsigned int	i;

	for (i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (sock->clients[i].state == CONTROL_FREE)
			return (&sock->clients[i]);
	return (NULL);
}

/* Takes fd. */
static void
peer_begin(struct control_client *c, enum control_kind kind, int fd)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->number = ++last_number;
	evtimer_set(&c->deadline, deadline_event, c);
	evtimer_set(&c->again, again_event, c);
	if (channel_init(&c->ch, fd, engine_dispatch_control,
	    engine_lost_control, c) == -1) {
		close(fd);
		return;
	}
	c->ch.queue_max = CONTROL_WAITING_MAX;
	c->ch.drained = control_drained;
	peer_state(c, CONTROL_HELLO);
}

/* With a word in passing, which an empty socket always takes. */
static void
peer_turn_away(int fd, const char *why)
{
	struct imsgbuf	ibuf;

	if (imsgbuf_init(&ibuf, fd) == 0) {
		if (imsg_compose(&ibuf, IMSG_CTL_REFUSED, 0, 0, -1, why,
		    strlen(why)) == 1)
			(void)imsgbuf_write(&ibuf);
		imsgbuf_clear(&ibuf);
	}
	close(fd);
}

/* The parent's modes let in more than one user and root: we look closer. */
static int
peer_may_hear(int fd)
{
	uid_t	uid;
	gid_t	gid;

	if (getpeereid(fd, &uid, &gid) == -1) {
		log_warn("event socket: who is it");
		return (0);
	}
	if (uid == 0 || (engine_setup.event_uid != UINT32_MAX &&
	    uid == engine_setup.event_uid))
		return (1);
	log_warnx("event socket: uid %u may not listen", (unsigned int)uid);
	return (0);
}

static void
peer_accepted(struct control_socket *sock, int fd)
{
	enum control_kind	 kind = (enum control_kind)(sock - sockets);
	struct control_client	*c;

	if (kind == SOCKET_EVENT && !peer_may_hear(fd))
		peer_turn_away(fd, "events are for root and the event user");
	else if ((c = peer_free_slot(sock)) == NULL)
		peer_turn_away(fd, "there are too many clients on this "
		    "socket, try again later");
	else
		peer_begin(c, kind, fd);
}

static void
pause_event(int fd, short event, void *arg)
{
	struct control_socket	*sock = arg;

	if (sock->open)
		event_add(&sock->ev, NULL);
}

/* The sessions' descriptors come first. */
static void
socket_pause(struct control_socket *sock)
{
	struct timeval	tv = { 0, CONTROL_ACCEPT_PAUSE_MS * 1000 };

	event_del(&sock->ev);
	evtimer_add(&sock->pause, &tv);
}

static void
socket_event(int listener, short event, void *arg)
{
	struct control_socket	*sock = arg;
	int			 fd, i;

	for (i = 0; i < CONTROL_ACCEPTS_PER_TURN; i++) {
		fd = accept4(listener, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS)
				socket_pause(sock);
			return;
		}
		peer_accepted(sock, fd);
	}
}

static void
socket_close(struct control_socket *sock)
{
	if (!sock->open)
		return;
	event_del(&sock->ev);
	evtimer_del(&sock->pause);
	close(sock->fd);
	sock->open = 0;
}

void
control_socket(int fd, uint32_t kind)
{
	struct control_socket	*sock;
	int			 flags;

	if (kind >= CONTROL_SOCKETS)
		fatalx("socket %u", kind);
	sock = &sockets[kind];
	socket_close(sock);
	if (fd == -1)
		return;
	/* Who hangs up before we accept must not stop us. */
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		fatal("control socket");
	sock->fd = fd;
	sock->open = 1;
	event_set(&sock->ev, fd, EV_READ | EV_PERSIST, socket_event, sock);
	evtimer_set(&sock->pause, pause_event, sock);
	if (event_add(&sock->ev, NULL) == -1)
		fatalx("event_add");
}

/*
 * What the parent says
 */

void
control_text(struct imsg *imsg)
{
	struct control_client	*c = peer_find(imsg_get_id(imsg));
	char			 text[4096];
	size_t			 len = imsg_get_len(imsg);

	if (c == NULL || c->state != CONTROL_PARENT || len == 0)
		return;
	if (len > sizeof(text))
		len = sizeof(text);
	if (imsg_get_buf(imsg, text, len) == -1)
		fatal("control text");
	(void)control_send(c, IMSG_CTL_TEXT, text, len);
}

void
control_done(struct imsg *imsg)
{
	struct control_client	*c = peer_find(imsg_get_id(imsg));
	struct control_answer	 answer;

	if (imsg_get_data(imsg, &answer, sizeof(answer)) == -1)
		fatal("control answer");
	if (c != NULL && c->state == CONTROL_PARENT)
		control_end(c, answer.error);
}
