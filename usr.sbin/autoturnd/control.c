/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Those who ask and order with autoturnctl(8).  The parent hands them over
 * one by one, and says who came by the restricted socket.  What only the
 * parent can do is passed on to it, and its lines are passed back.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control_queue.h"

/* Of each socket: who may look can't keep those out who may act. */
#define CLIENTS_MAX	8
#define KINDS		2

static struct control_client	clients[KINDS][CLIENTS_MAX];
static uint32_t			last_number;

uint32_t
control_clients(void)
{
	uint32_t	n = 0;
	int		i, k;

	for (k = 0; k < KINDS; k++)
		for (i = 0; i < CLIENTS_MAX; i++)
			n += clients[k][i].peer.state != PEER_FREE;
	return (n);
}

static struct control_client *
client_find(uint32_t number)
{
	struct control_client	*c;
	int			 i, k;

	for (k = 0; k < KINDS; k++)
		for (i = 0; i < CLIENTS_MAX; i++) {
			c = &clients[k][i];
			if (c->peer.state != PEER_FREE &&
			    c->peer.number == number)
				return (c);
		}
	return (NULL);
}

struct customer *
control_customer_named(struct control_client *c)
{
	struct customer	*found;

	found = customer_look_for(c->request.customer);
	if (found == NULL) {
		peer_say(&c->peer, "customer %s: there is none of that name",
		    c->request.customer);
		errno = ENOENT;
	}
	return (found);
}

static void
show(struct control_client *c)
{
	int	errnum;

	if ((errnum = show_begin(c)) != 0)
		peer_end(&c->peer, errnum);
	else
		peer_rows(&c->peer);
}

static void
order(struct control_client *c)
{
	if (c->peer.kind == SOCKET_CONTROL) {
		order_begin(c);
		return;
	}
	peer_say(&c->peer, "this socket is for looking only");
	peer_end(&c->peer, EPERM);
}

static int
text_ends(const char *text, size_t size)
{
	return (memchr(text, '\0', size) != NULL);
}

static int
request_take(struct peer *p, struct imsg *imsg)
{
	struct control_client	*c = (struct control_client *)p;
	struct control_request	*req = &c->request;

	c->what = imsg_get_type(imsg);
	memset(req, 0, sizeof(*req));
	if (c->what < IMSG_CTL_STATUS || c->what >= IMSG_CTL_REQUESTS_END ||
	    (imsg_get_len(imsg) != 0 &&
	    imsg_get_data(imsg, req, sizeof(*req)) == -1) ||
	    !text_ends(req->customer, sizeof(req->customer)) ||
	    !text_ends(req->message, sizeof(req->message)))
		return (-1);
	show_end(c);
	if (c->what >= IMSG_CTL_RUN)
		order(c);
	else
		show(c);
	return (0);
}

static int
client_next(struct peer *p)
{
	struct control_client	*c = (struct control_client *)p;

	return (c->what >= IMSG_CTL_RUN ? order_next(c) : show_next(p));
}

static void
client_closed(struct peer *p)
{
	show_end((struct control_client *)p);
}

static const struct peer_calls	calls = {
	.version = CONTROL_VERSION,
	.request = request_take,
	.next = client_next,
	.closed = client_closed
};

void
control_add(int fd, int restricted)
{
	struct control_client	*c = clients[restricted != 0];
	int			 i;

	for (i = 0; i < CLIENTS_MAX && c[i].peer.state != PEER_FREE; i++)
		;
	if (i == CLIENTS_MAX)
		peer_turn_away(fd, "there are too many clients on this "
		    "socket, try again later");
	else
		peer_begin(&c[i].peer, &calls, restricted ?
		    SOCKET_RESTRICTED : SOCKET_CONTROL, ++last_number, fd);
}

/*
 * What the parent says of a reload
 */

static void
reload_text(struct control_client *c, struct imsg *imsg)
{
	char	text[4096];
	size_t	len = imsg_get_len(imsg);

	if (len > sizeof(text))
		len = sizeof(text);
	if (len > 0 && imsg_get_buf(imsg, text, len) == 0)
		(void)peer_send(&c->peer, IMSG_CTL_TEXT, text, len);
}

static void
reload_done(struct control_client *c, struct imsg *imsg)
{
	int32_t	error;

	if (imsg_get_data(imsg, &error, sizeof(error)) == -1)
		fatalx("end of a reload of %zu bytes", imsg_get_len(imsg));
	peer_end(&c->peer, error);
}

int
control_dispatch_parent(struct imsg *imsg)
{
	struct control_client	*c = client_find(imsg_get_id(imsg));

	if (c == NULL || c->peer.state != PEER_ORDER)
		return (0);		/* it has gone meanwhile */
	if (imsg_get_type(imsg) == IMSG_QUEUE_RELOAD_TEXT)
		reload_text(c, imsg);
	else
		reload_done(c, imsg);
	return (0);
}
