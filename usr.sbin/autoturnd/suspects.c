/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Messages with which a connection ended, over more runs than one: a server
 * may die of a message each time, and those behind it must get through.
 *
 * What is decided: a connection can end for a hundred reasons, so the first
 * time the message is only moved behind all others, and sent with nothing
 * else open, so that it is known who is to blame; of several such the one
 * with which the fewest connections ended goes first.  Only where the same
 * connection took or refused others before is the end counted against it;
 * after SUSPECT_STRIKES_MAX such runs it goes to quarantine.  One that waits
 * alone stands in nobody's way: it is tried until it is too old, and then
 * its sender is told.  All of this is in memory: a restart begins anew.
 */
#include <sys/types.h>
#include <sys/tree.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define SUSPECTS_MAX	10000
#define PATH_SIZE	(MAILDIR_NAME_SIZE + MESSAGE_NAME_SIZE + 1)

struct suspect {
	RB_ENTRY(suspect)	 entry;
	unsigned int		 losses;
	unsigned int		 strikes;
	char			 path[];
};

RB_HEAD(suspects, suspect);

static struct suspects	suspects = RB_INITIALIZER(&suspects);
static size_t		count;

static int
suspect_order(const struct suspect *a, const struct suspect *b)
{
	return (strcmp(a->path, b->path));
}

RB_PROTOTYPE(suspects, suspect, entry, suspect_order);
RB_GENERATE(suspects, suspect, entry, suspect_order);

static struct suspect *
suspect_find(const char *maildir, const char *name)
{
	struct suspect	*s = RB_ROOT(&suspects);
	char		 path[PATH_SIZE];
	int		 order;

	if (s == NULL)
		return (NULL);
	(void)snprintf(path, sizeof(path), "%s/%s", maildir, name);
	while (s != NULL && (order = strcmp(path, s->path)) != 0)
		s = order < 0 ? RB_LEFT(s, entry) : RB_RIGHT(s, entry);
	return (s);
}

static void
suspect_free(struct suspect *s)
{
	RB_REMOVE(suspects, &suspects, s);
	count--;
	free(s);
}

unsigned int
suspect_losses(const char *maildir, const char *name)
{
	struct suspect	*s = suspect_find(maildir, name);

	return (s == NULL ? 0 : s->losses);
}

void
suspect_note(const char *maildir, const char *name)
{
	struct suspect	*s;
	size_t		 len = strlen(maildir) + strlen(name) + 2;

	if ((s = suspect_find(maildir, name)) != NULL) {
		s->losses++;
		return;
	}
	if (count == SUSPECTS_MAX)
		suspect_free(RB_ROOT(&suspects));
	if ((s = malloc(sizeof(*s) + len)) == NULL)
		return;
	s->losses = 1;
	s->strikes = 0;
	(void)snprintf(s->path, len, "%s/%s", maildir, name);
	RB_INSERT(suspects, &suspects, s);
	count++;
}

unsigned int
suspect_strike(const char *maildir, const char *name)
{
	struct suspect	*s = suspect_find(maildir, name);

	return (s == NULL ? 0 : ++s->strikes);
}

void
suspect_clear(const char *maildir, const char *name)
{
	struct suspect	*s;

	if ((s = suspect_find(maildir, name)) != NULL)
		suspect_free(s);
}
