/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "listen on HOST port PORT" of tcpserverd.conf.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

#define PORT_MAX	65535
#define WHY_SIZE	256

void
build_port(struct conf_build *b, const struct conf_word *port)
{
	if (b->ports_len < nitems(b->ports))
		b->ports[b->ports_len] = *port;
	b->ports_len++;
}

static int
port_find(struct conf_build *b, const struct conf_word *w, uint16_t *port)
{
	struct servent	*se;
	int64_t		 n;

	if (w->text[strspn(w->text, "0123456789")] == '\0') {
		n = conf_word_number(b->lexer, "port", w, 0, PORT_MAX);
		if (n == -1)
			return (-1);
		*port = (uint16_t)n;
		return (0);
	}
	if ((se = getservbyname(w->text, "tcp")) == NULL) {
		conf_word_error(b->lexer, w, "port: \"%s\": no tcp service of "
		    "that name in services(5)", w->text);
		return (-1);
	}
	*port = ntohs((uint16_t)se->s_port);
	return (0);
}

/* Would both want the same?  All of a family's addresses are any of them. */
static int
addr_overlaps(const struct netaddr *a, const struct netaddr *b)
{
	static const uint8_t	any[sizeof(a->bytes)];

	if (a->family != b->family)
		return (0);
	if (memcmp(a->bytes, any, sizeof(any)) == 0 ||
	    memcmp(b->bytes, any, sizeof(any)) == 0)
		return (1);
	return (a->scope == b->scope &&
	    memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0);
}

static int
listen_overlaps(const struct conf_listen *a, const struct conf_listen *b)
{
	unsigned int	i, j;

	if (a->port != b->port || a->port == 0)
		return (0);
	for (i = 0; i < a->addrs_len; i++)
		for (j = 0; j < b->addrs_len; j++)
			if (addr_overlaps(&a->addrs[i], &b->addrs[j]))
				return (1);
	return (0);
}

static void
overlap_check(struct conf_build *b, const struct conf_listen *l,
    const struct conf_word *at)
{
	const struct conf_service	*s;
	const struct conf_listen	*other;

	TAILQ_FOREACH(s, &b->conf->services, entry)
		TAILQ_FOREACH(other, &s->listens, entry)
			if (listen_overlaps(l, other)) {
				conf_word_error(b->lexer, at, "listen on %s "
				    "port %s: service %s does so already in "
				    "%s:%d", l->host, l->port_word, s->name,
				    other->file, other->line);
				return;
			}
}

static void
sockets_count(struct conf_build *b, const struct conf_word *at)
{
	const struct conf_listen	*l;
	unsigned int			 n = 0;

	TAILQ_FOREACH(l, &b->service->listens, entry)
		n += l->addrs_len;
	if (n > SERVICE_LISTENERS_MAX)
		conf_word_error(b->lexer, at, "listen: %u sockets, more than "
		    "%d in one service", n, SERVICE_LISTENERS_MAX);
}

static int
addrs_copy(struct conf_listen *l, const struct netaddr *addrs, int n)
{
	if ((l->addrs = calloc((size_t)n, sizeof(*addrs))) == NULL)
		return (-1);
	memcpy(l->addrs, addrs, (size_t)n * sizeof(*addrs));
	l->addrs_len = (unsigned int)n;
	return (0);
}

/* The first word is where it stands. */
static struct conf_listen *
listen_new(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *host, const struct conf_word *port)
{
	struct conf_listen	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL) {
		conf_word_error(b->lexer, at, "%s", strerror(errno));
		return (NULL);
	}
	l->line = at->line;
	if (conf_word_copy(b->lexer, at, &l->file, at->file) == -1 ||
	    conf_word_copy(b->lexer, at, &l->host, host->text) == -1 ||
	    conf_word_copy(b->lexer, at, &l->port_word, port->text) == -1) {
		conf_listen_free(l);
		return (NULL);
	}
	return (l);
}

static void
listen_add(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *host, const struct conf_word *port,
    const struct conf_listen *like, int addrs_len)
{
	struct conf_listen	*l;

	if ((l = listen_new(b, at, host, port)) == NULL)
		return;
	l->family = like->family;
	l->backlog = like->backlog;
	if (port_find(b, port, &l->port) == -1) {
		conf_listen_free(l);
		return;
	}
	if (addrs_copy(l, like->addrs, addrs_len) == -1) {
		conf_word_error(b->lexer, at, "%s", strerror(errno));
		conf_listen_free(l);
		return;
	}
	overlap_check(b, l, port);
	TAILQ_INSERT_TAIL(&b->service->listens, l, entry);
}

static int
backlog_read(struct conf_build *b, const struct conf_word *w)
{
	if (w == NULL)
		return (LISTEN_BACKLOG_DEFAULT);
	return ((int)conf_word_number(b->lexer, "backlog", w, 1,
	    LISTEN_BACKLOG_MAX));
}

void
build_listen(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *host, int family, const struct conf_word *backlog)
{
	struct conf_listen	 like;
	char			 why[WHY_SIZE];
	unsigned int		 i, ports = b->ports_len;
	int			 n;

	b->listens = 1;
	b->ports_len = 0;
	memset(&like, 0, sizeof(like));
	like.family = family;
	like.backlog = backlog_read(b, backlog);
	if (ports > nitems(b->ports))
		conf_word_error(b->lexer, at, "listen on %s: more than %d "
		    "ports", host->text, SERVICE_LISTENERS_MAX);
	n = conf_host_find(host->text, family, &like.addrs, why, sizeof(why));
	if (n == -1) {
		conf_word_error(b->lexer, host, "listen on \"%s\": %s",
		    host->text, why);
		return;
	}
	for (i = 0; i < ports && i < nitems(b->ports); i++)
		listen_add(b, at, host, &b->ports[i], &like, n);
	free(like.addrs);
	sockets_count(b, at);
}
