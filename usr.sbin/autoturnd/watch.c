/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Which customers' Maildirs are watched, and under which of the system's
 * numbers.
 */
#include <sys/types.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "queue.h"
#include "watch.h"

struct watch {
	RB_ENTRY(watch)	 by_name;
	RB_ENTRY(watch)	 by_number;
	int		 number;
	char		 name[];
};

RB_HEAD(watch_names, watch);
RB_HEAD(watch_numbers, watch);

static struct watch_names	names = RB_INITIALIZER(&names);
static struct watch_numbers	numbers = RB_INITIALIZER(&numbers);
static void		(*called)(const char *);

static int
name_order(struct watch *a, struct watch *b)
{
	return (strcmp(a->name, b->name));
}

static int
number_order(struct watch *a, struct watch *b)
{
	return (a->number < b->number ? -1 : a->number > b->number);
}

RB_PROTOTYPE(watch_names, watch, by_name, name_order)
RB_GENERATE(watch_names, watch, by_name, name_order)
RB_PROTOTYPE(watch_numbers, watch, by_number, number_order)
RB_GENERATE(watch_numbers, watch, by_number, number_order)

static struct watch *
name_find(const char *name)
{
	struct watch	*w;
	int		 order;

	w = RB_ROOT(&names);
	while (w != NULL && (order = strcmp(name, w->name)) != 0)
		w = order < 0 ? RB_LEFT(w, by_name) : RB_RIGHT(w, by_name);
	return (w);
}

static struct watch *
number_find(int number)
{
	struct watch	key;

	key.number = number;
	return (RB_FIND(watch_numbers, &numbers, &key));
}

static void
watch_free(struct watch *w)
{
	RB_REMOVE(watch_names, &names, w);
	RB_REMOVE(watch_numbers, &numbers, w);
	free(w);
}

void
watch_changed(int number)
{
	struct watch	*w;

	if (number != -1) {
		if ((w = number_find(number)) != NULL)
			called(w->name);
		return;
	}
	RB_FOREACH(w, watch_names, &names)
		called(w->name);
}

void
watch_ended(int number)
{
	struct watch	*w;

	if ((w = number_find(number)) != NULL)
		watch_free(w);
}

int
watch_init(int wanted, void (*function)(const char *))
{
	int	max = watch_system_init();

	called = function;
	return (wanted < max ? wanted : max);
}

int
watch_add(const char *name, const char *maildir)
{
	struct watch	*w;

	watch_remove(name);
	if ((w = malloc(sizeof(*w) + strlen(name) + 1)) == NULL)
		return (-1);
	memcpy(w->name, name, strlen(name) + 1);
	if ((w->number = watch_system_add(maildir)) == -1) {
		free(w);
		return (-1);
	}
	/* One directory has one number, by whatever name. */
	watch_ended(w->number);
	RB_INSERT(watch_names, &names, w);
	RB_INSERT(watch_numbers, &numbers, w);
	return (0);
}

void
watch_remove(const char *name)
{
	struct watch	*w;

	if ((w = name_find(name)) == NULL)
		return;
	watch_system_remove(w->number);
	watch_free(w);
}

int
watch_holds(const char *name)
{
	return (name_find(name) != NULL);
}
