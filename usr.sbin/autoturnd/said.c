/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autoturnd.h"
#include "said.h"

#define PATH_SIZE	(MAILDIR_NAME_SIZE + MESSAGE_NAME_SIZE + 1)

struct said {
	RB_ENTRY(said)		 entry;
	TAILQ_ENTRY(said)	 age;
	char			*text;
	char			 path[];
};

RB_HEAD(said_tree, said);

static struct said_tree		tree = RB_INITIALIZER(&tree);
static TAILQ_HEAD(, said)	ages = TAILQ_HEAD_INITIALIZER(ages);
static size_t			count;

static int
said_order(const struct said *a, const struct said *b)
{
	return (strcmp(a->path, b->path));
}

RB_PROTOTYPE(said_tree, said, entry, said_order);
RB_GENERATE(said_tree, said, entry, said_order);

static struct said *
said_get(const char *maildir, const char *name)
{
	struct said	*s = RB_ROOT(&tree);
	char		 path[PATH_SIZE];
	int		 order;

	(void)snprintf(path, sizeof(path), "%s/%s", maildir, name);
	while (s != NULL && (order = strcmp(path, s->path)) != 0)
		s = order < 0 ? RB_LEFT(s, entry) : RB_RIGHT(s, entry);
	return (s);
}

static void
said_free(struct said *s)
{
	RB_REMOVE(said_tree, &tree, s);
	TAILQ_REMOVE(&ages, s, age);
	count--;
	free(s->text);
	free(s);
}

const char *
said_find(const char *maildir, const char *name)
{
	struct said	*s = said_get(maildir, name);

	return (s == NULL ? NULL : s->text);
}

void
said_forget(const char *maildir, const char *name)
{
	struct said	*s;

	if (count > 0 && (s = said_get(maildir, name)) != NULL)
		said_free(s);
}

void
said_note(const char *maildir, const char *name, const char *text)
{
	struct said	*s;
	size_t		 len = strlen(maildir) + strlen(name) + 2;

	said_forget(maildir, name);
	if (len > PATH_SIZE)
		return;
	if (count == SAID_MAX)
		said_free(TAILQ_FIRST(&ages));
	if ((s = malloc(sizeof(*s) + len)) == NULL)
		return;
	if ((s->text = strndup(text, SAID_TEXT_SIZE - 1)) == NULL) {
		free(s);
		return;
	}
	(void)snprintf(s->path, len, "%s/%s", maildir, name);
	RB_INSERT(said_tree, &tree, s);
	TAILQ_INSERT_TAIL(&ages, s, age);
	count++;
}
