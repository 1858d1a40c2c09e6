/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Sets of names: with twenty thousand refused messages each look asks for
 * all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "compat.h"

struct name {
	RB_ENTRY(name)	 entry;
	char		 text[];
};

static int
name_order(const struct name *a, const struct name *b)
{
	return (strcmp(a->text, b->text));
}

RB_PROTOTYPE(name_tree, name, entry, name_order);
RB_GENERATE(name_tree, name, entry, name_order);

static struct name *
name_find(const struct names *names, const char *text)
{
	struct name	*n = RB_ROOT(&names->tree);
	int		 order;

	while (n != NULL && (order = strcmp(text, n->text)) != 0)
		n = order < 0 ? RB_LEFT(n, entry) : RB_RIGHT(n, entry);
	return (n);
}

static void
name_free(struct names *names, struct name *n)
{
	RB_REMOVE(name_tree, &names->tree, n);
	names->count--;
	free(n);
}

int
names_add(struct names *names, const char *text)
{
	struct name	*n;
	size_t		 len = strlen(text) + 1;

	if (name_find(names, text) != NULL)
		return (0);
	if ((n = malloc(sizeof(*n) + len)) == NULL)
		return (-1);
	memcpy(n->text, text, len);
	RB_INSERT(name_tree, &names->tree, n);
	names->count++;
	return (1);
}

int
names_has(const struct names *names, const char *text)
{
	return (name_find(names, text) != NULL);
}

void
names_drop(struct names *names, const char *text)
{
	struct name	*n;

	if ((n = name_find(names, text)) != NULL)
		name_free(names, n);
}

void
names_clear(struct names *names)
{
	struct name	*n;

	while ((n = RB_ROOT(&names->tree)) != NULL)
		name_free(names, n);
}
