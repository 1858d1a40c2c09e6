/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Names and ident of a client, asked of the resolver process.  A client
 * that waits for them holds up nobody else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "../../libexec/tcpserverd-resolver/resolver.h"

/*
 * The resolver answers within its own bounds (see there); should it not,
 * the client goes on with what is known: nothing.
 */
#define LOOKUP_TIMEOUT_S	300
/* So many resolvers are asked for one client. */
#define LOOKUP_TRIES_MAX	4

static struct channel	resolver;
static uint32_t		resolver_number;
static uint32_t		last_lookup;
static struct clients	waiting = TAILQ_HEAD_INITIALIZER(waiting);
static unsigned int	waiting_len;

static uint32_t
lookup_what(const struct client *c)
{
	uint32_t	flags = c->service->settings.flags, what = 0;

	if (!(flags & SERVICE_LOCAL_NAME))
		what |= RESOLVER_LOCAL_NAME;
	if (flags & SERVICE_REMOTE_NAME)
		what |= RESOLVER_REMOTE_NAME;
	if ((flags & SERVICE_REMOTE_NAME) && (flags & SERVICE_PARANOID))
		what |= RESOLVER_PARANOID;
	if (flags & SERVICE_IDENT)
		what |= RESOLVER_IDENT;
	return (what);
}

int
lookup_needed(const struct client *c)
{
	return (lookup_what(c) != 0);
}

/* Past its bound the resolver would answer without having looked. */
int
lookup_room(void)
{
	return (waiting_len < RESOLVER_PENDING_MAX);
}

static void
lookup_send(struct client *c)
{
	struct resolver_lookup	q;

	memset(&q, 0, sizeof(q));
	c->asked++;
	q.what = lookup_what(c);
	q.ident_timeout_s = c->service->settings.ident_timeout_s;
	q.local = c->local;
	q.remote = c->remote;
	q.local_port = c->local_port;
	q.remote_port = c->remote_port;
	/* Not sent: it will be, when there is a resolver again. */
	(void)channel_send(&resolver, IMSG_RESOLVER_LOOKUP, c->lookup, -1, &q,
	    sizeof(q));
}

static void
lookup_end(struct client *c)
{
	TAILQ_REMOVE(&waiting, c, entry);
	waiting_len--;
	if (c->timed)
		event_del(&c->ev);
	c->timed = 0;
	client_advance(c);
}

static void
lookup_timeout(int fd, short event, void *arg)
{
	struct client	*c = arg;
	struct service	*sv = c->service;

	c->timed = 0;
	(void)channel_send(&resolver, IMSG_RESOLVER_CANCEL, c->lookup, -1,
	    NULL, 0);
	lookup_end(c);
	engine_turn(sv);
}

void
lookup_begin(struct client *c)
{
	struct timeval	tv = { LOOKUP_TIMEOUT_S, 0 };

	c->lookup = ++last_lookup;
	TAILQ_INSERT_TAIL(&waiting, c, entry);
	waiting_len++;
	evtimer_set(&c->ev, lookup_timeout, c);
	evtimer_add(&c->ev, &tv);
	c->timed = 1;
	lookup_send(c);
}

static struct client *
lookup_find(uint32_t id)
{
	struct client	*c;

	TAILQ_FOREACH(c, &waiting, entry)
		if (c->lookup == id)
			return (c);
	return (NULL);
}

/* The resolver reads what strangers send: its strings end where we say. */
static char *
text_take(uint32_t found, char *text, size_t size)
{
	if (!found)
		return (NULL);
	text[size - 1] = '\0';
	return (strdup(text));
}

/* A name has the form that ucspi(7) promises, whoever speaks. */
static char *
name_take(uint32_t found, char *text, size_t size)
{
	char	*name = text_take(found, text, size);

	if (name != NULL && name[strspn(name,
	    "abcdefghijklmnopqrstuvwxyz0123456789-_.\\")] != '\0') {
		free(name);
		return (NULL);
	}
	return (name);
}

static void
lookup_found(struct client *c, struct resolver_found *f)
{
	struct service	*sv = c->service;
	uint32_t	 found = f->found & lookup_what(c);

	if (found & RESOLVER_LOCAL_NAME)
		c->local_name = name_take(found, f->local_name,
		    sizeof(f->local_name));
	c->remote_name = name_take(found & RESOLVER_REMOTE_NAME,
	    f->remote_name, sizeof(f->remote_name));
	c->info = text_take(found & RESOLVER_IDENT, f->info,
	    sizeof(f->info));
	lookup_end(c);
	engine_turn(sv);
}

static int
engine_dispatch_resolver(struct channel *ch, struct imsg *imsg)
{
	struct resolver_found	 f;
	struct client		*c;

	if (imsg_get_type(imsg) != IMSG_RESOLVER_FOUND ||
	    imsg_get_data(imsg, &f, sizeof(f)) == -1) {
		log_warnx("resolver: message %u not understood",
		    imsg_get_type(imsg));
		return (-1);
	}
	if ((c = lookup_find(imsg_get_id(imsg))) != NULL)
		lookup_found(c, &f);
	return (0);
}

/*
 * It died, it speaks nonsense, it does not want to speak to us: all the same,
 * we need another one.  If it died, the parent knows already.
 */
static void
engine_lost_resolver(struct channel *ch)
{
	(void)channel_send(&engine_parent, IMSG_PARENT_RESOLVER_WANTED, 0, -1,
	    &resolver_number, sizeof(resolver_number));
}

/*
 * Should a client's answer be what ends resolvers, it is not asked for for
 * ever: others wait with it.
 */
static void
lookups_repeat(void)
{
	struct client	*c, *next;

	for (c = TAILQ_FIRST(&waiting); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (c->asked < LOOKUP_TRIES_MAX)
			lookup_send(c);
		else
			lookup_end(c);
	}
	engine_turn(NULL);
}

/* A new resolver, the first or one after a death: ask it all again. */
void
lookup_resolver(int fd, uint32_t number)
{
	channel_close(&resolver);
	resolver_number = number;
	if (channel_init(&resolver, fd, engine_dispatch_resolver,
	    engine_lost_resolver, NULL) == -1) {
		/* The descriptor was lost on its way: we have too many. */
		log_warn("resolver's channel");
		if (fd != -1)
			close(fd);
		engine_lost_resolver(&resolver);
		return;
	}
	lookups_repeat();
}
