/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What became of each message so far.  A tree: with twenty thousand that
 * failed, each scan asks for all of them.
 */
#include <sys/types.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "maildirserial.h"

struct message {
	RB_ENTRY(message)	 entry;
	time_t			 mtime;
	enum message_state	 state;
	char			 name[];
};

RB_HEAD(messages, message);

static int	message_order(const struct message *, const struct message *);

static struct messages	messages = RB_INITIALIZER(&messages);

RB_PROTOTYPE(messages, message, entry, message_order);
RB_GENERATE(messages, message, entry, message_order);

static int
message_order(const struct message *a, const struct message *b)
{
	return (strcmp(a->name, b->name));
}

struct message *
messages_find(const char *name)
{
	struct message	*m = RB_ROOT(&messages);
	int		 order;

	while (m != NULL && (order = strcmp(name, m->name)) != 0)
		m = order < 0 ? RB_LEFT(m, entry) : RB_RIGHT(m, entry);
	return (m);
}

struct message *
messages_set(const char *name, time_t mtime, enum message_state state)
{
	struct message	*m;
	size_t		 len;

	if ((m = messages_find(name)) == NULL) {
		len = strlen(name) + 1;
		if ((m = malloc(sizeof(*m) + len)) == NULL)
			return (NULL);
		memcpy(m->name, name, len);
		RB_INSERT(messages, &messages, m);
	}
	m->mtime = mtime;
	m->state = state;
	return (m);
}

void
messages_forget(struct message *m)
{
	RB_REMOVE(messages, &messages, m);
	free(m);
}

const char *
message_name(const struct message *m)
{
	return (m->name);
}

time_t
message_mtime(const struct message *m)
{
	return (m->mtime);
}

enum message_state
message_state(const struct message *m)
{
	return (m->state);
}
