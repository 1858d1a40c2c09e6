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
/* autoturnd comes once for each of its spools. */
#define CONTROL_LISTENERS_MAX	64
#define CONTROL_SOCKETS		3
#define CONTROL_ACCEPTS_PER_TURN	16
#define CONTROL_ACCEPT_PAUSE_MS	250

struct control_socket {
	int			open;
	int			fd;
	struct event		ev;
	struct event		pause;
	struct control_client	*clients;
	unsigned int		clients_max;
};

static struct control_client	operators[CONTROL_CLIENTS_MAX];
static struct control_client	lookers[CONTROL_CLIENTS_MAX];
static struct control_client	listeners[CONTROL_LISTENERS_MAX];
static struct control_socket	sockets[CONTROL_SOCKETS] = {
	[SOCKET_CONTROL] = {
		.clients = operators,
		.clients_max = nitems(operators)
	},
	[SOCKET_RESTRICTED] = {
		.clients = lookers,
		.clients_max = nitems(lookers)
	},
	[SOCKET_EVENT] = {
		.clients = listeners,
		.clients_max = nitems(listeners)
	}
};
static uint32_t			last_number;

static void	socket_event(int, short, void *);

unsigned int
control_clients(int events)
{
	unsigned int	i, k, n = 0;

	for (k = 0; k < CONTROL_SOCKETS; k++)
		for (i = 0; i < sockets[k].clients_max; i++)
			if (sockets[k].clients[i].peer.state != PEER_FREE &&
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
		for (i = 0; i < sockets[k].clients_max; i++) {
			c = &sockets[k].clients[i];
			if (c->peer.state != PEER_FREE &&
			    c->peer.number == number)
				return (c);
		}
	return (NULL);
}

static void
client_closed(struct peer *p)
{
	struct control_client	*c = (struct control_client *)p;

	if (p->state == PEER_LISTENS)
		events_unsubscribe(&c->subscriber);
}

static void
client_drained(struct peer *p)
{
	events_drained(&((struct control_client *)p)->subscriber);
}

/*
 * Requests
 */

struct service *
asked_service(struct control_client *c, const char *name)
{
	struct service	*sv;

	if ((sv = service_named(name)) == NULL) {
		peer_say(&c->peer, "service %s: there is none of that name",
		    name);
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
	peer_say(&c->peer, "session %llu: there is none of that number",
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
		peer_end(&c->peer, errnum);
		return;
	}
	peer_rows(&c->peer);
}

static void
monitor(struct control_client *c)
{
	peer_turn(&c->peer, PEER_LISTENS);
	events_subscribe(&c->subscriber, &c->peer.ch, 1);
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
		peer_say(&c->peer, "session %llu: its program has not been "
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
	order->client = c->peer.number;
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

	if (c->peer.kind != SOCKET_CONTROL) {
		peer_say(&c->peer, "this socket is for looking only");
		peer_end(&c->peer, EPERM);
		return;
	}
	if ((errnum = order_fill(c, what, req, &order)) == 0 &&
	    channel_send(&engine_parent, IMSG_PARENT_CONTROL, 0, -1, &order,
	    sizeof(order)) == -1)
		errnum = errno;
	if (errnum != 0)
		peer_end(&c->peer, errnum);
	else
		peer_turn(&c->peer, PEER_ORDER);
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
		peer_end(&c->peer, errno);
		return;
	}
	c->checked = sv->number;
	switch (rules_want(sv)) {
	case 1:
		check_answer(c, sv, 0);
		break;
	case 0:
		peer_turn(&c->peer, PEER_BUSY);
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
		for (i = 0; i < sockets[k].clients_max; i++) {
			c = &sockets[k].clients[i];
			if (c->peer.state == PEER_BUSY &&
			    c->checked == sv->number)
				check_answer(c, sv, errnum);
		}
}

/* -1: that is no request. */
static int
request_take(struct peer *p, struct imsg *imsg)
{
	struct control_client	*c = (struct control_client *)p;
	struct control_request	req;
	uint32_t		what = imsg_get_type(imsg);

	/* What it ordered has taken its socket away. */
	if (!sockets[p->kind].open)
		return (-1);
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

static void
client_welcomed(struct peer *p)
{
	struct control_client	*c = (struct control_client *)p;

	if (p->kind != SOCKET_EVENT)
		return;
	peer_turn(p, PEER_LISTENS);
	events_subscribe(&c->subscriber, &p->ch, 0);
}

static const struct peer_calls	client_calls = {
	.version = CONTROL_VERSION,
	.request = request_take,
	.next = show_next,
	.welcomed = client_welcomed,
	.drained = client_drained,
	.closed = client_closed
};

/*
 * Connections
 */

static struct control_client *
peer_free_slot(struct control_socket *sock)
{
	unsigned int	i;

	for (i = 0; i < sock->clients_max; i++)
		if (sock->clients[i].peer.state == PEER_FREE)
			return (&sock->clients[i]);
	return (NULL);
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
		peer_begin(&c->peer, &client_calls, kind, ++last_number, fd);
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

/* What waits for the parent may wait for the end of this very reload. */
static void
socket_clients_end(struct control_socket *sock)
{
	struct peer	*p;
	unsigned int	 i;

	for (i = 0; i < sock->clients_max; i++) {
		p = &sock->clients[i].peer;
		if (p->state != PEER_FREE && p->state != PEER_ORDER)
			peer_close(p);
	}
}

/* The event user may be another one now. */
static void
socket_clients_recheck(struct control_socket *sock)
{
	struct peer	*p;
	unsigned int	 i;

	for (i = 0; i < sock->clients_max; i++) {
		p = &sock->clients[i].peer;
		if (p->state != PEER_FREE && !peer_may_hear(p->ch.ibuf.fd))
			peer_close(p);
	}
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
	if (fd == -1) {
		socket_clients_end(sock);
		return;
	}
	if (kind == SOCKET_EVENT)
		socket_clients_recheck(sock);
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

	if (c == NULL || c->peer.state != PEER_ORDER || len == 0)
		return;
	if (len > sizeof(text))
		len = sizeof(text);
	if (imsg_get_buf(imsg, text, len) == -1)
		fatal("control text");
	(void)peer_send(&c->peer, IMSG_CTL_TEXT, text, len);
}

void
control_done(struct imsg *imsg)
{
	struct control_client	*c = peer_find(imsg_get_id(imsg));
	struct control_answer	 answer;

	if (imsg_get_data(imsg, &answer, sizeof(answer)) == -1)
		fatal("control answer");
	if (c != NULL && c->peer.state == PEER_ORDER)
		peer_end(&c->peer, answer.error);
}
