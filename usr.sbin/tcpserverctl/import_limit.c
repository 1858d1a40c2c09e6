/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Limits of softlimit(8) and ulimit as the daemon's.
 */
#include <sys/types.h>
#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "import_local.h"
#include "../tcpserverd/conf_build.h"

#define LIMIT_SIZE	64

/* A letter's limit, and by how much its unit is more than one. */
struct letter {
	int		 letter;
	const char	*name;
	unsigned int	 unit;
};

static const struct letter	softlimit_letters[] = {
	{ 'a', "vmemoryuse", 1 },
	{ 'c', "coredumpsize", 1 },
	{ 'd', "datasize", 1 },
	{ 'f', "filesize", 1 },
	{ 'l', "memorylocked", 1 },
	{ 'o', "openfiles", 1 },
	{ 'p', "maxproc", 1 },
	{ 'r', "memoryuse", 1 },
	{ 's', "stacksize", 1 },
	{ 't', "cputime", 1 }
};

/* Blocks of sh(1) are 512 bytes; bash's -c and -f are not. */
static const struct letter	ulimit_letters[] = {
	{ 'c', "coredumpsize", 512 },
	{ 'd', "datasize", 1024 },
	{ 'f', "filesize", 512 },
	{ 'l', "memorylocked", 1024 },
	{ 'm', "memoryuse", 1024 },
	{ 'n', "openfiles", 1 },
	{ 's', "stacksize", 1024 },
	{ 't', "cputime", 1 },
	{ 'u', "maxproc", 1 },
	{ 'v', "vmemoryuse", 1024 }
};

/* A limit is given once: the last word is the one that counts. */
static void
limit_forget(struct import_words *list, const char *name)
{
	size_t	i, len = strlen(name);

	for (i = 0; i < list->len; i++)
		if (strncmp(list->list[i].text, name, len) == 0 &&
		    list->list[i].text[len] == ' ') {
			words_drop(list, i);
			return;
		}
}

static void
limit_add(struct import *im, struct import_words *list,
    const struct letter *l, const char *value)
{
	char			text[LIMIT_SIZE];
	unsigned long long	n;

	if (conf_rlimit_find(l->name) == NULL) {
		import_problem(im, "%s %s: this system has no such limit",
		    l->name, value);
		return;
	}
	if (strcmp(value, "unlimited") == 0)
		snprintf(text, sizeof(text), "%s unlimited", l->name);
	else {
		if (value[0] == '\0' || strlen(value) > 15 ||
		    value[strspn(value, "0123456789")] != '\0') {
			import_problem(im, "%s %s: not a number", l->name,
			    value);
			return;
		}
		n = strtoull(value, NULL, 10) * l->unit;
		snprintf(text, sizeof(text), "%s %llu", l->name, n);
	}
	limit_forget(list, l->name);
	words_add(im, list, text, NULL);
}

static const struct letter *
letter_find(const struct letter *letters, size_t n, int letter)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (letters[i].letter == letter)
			return (&letters[i]);
	return (NULL);
}

/* -m is -d, -s, -l and -a at once: what of them this system has. */
static void
limit_memory(struct import *im, struct import_words *list, const char *value)
{
	static const char	letters[] = "dsla";
	const struct letter	*l;
	const char		*p;

	for (p = letters; *p != '\0'; p++) {
		l = letter_find(softlimit_letters, nitems(softlimit_letters),
		    *p);
		if (l != NULL && conf_rlimit_find(l->name) != NULL)
			limit_add(im, list, l, value);
	}
}

void
limit_softlimit(struct import *im, struct import_words *list, int letter,
    const char *value)
{
	const struct letter	*l;

	if (letter == 'm') {
		limit_memory(im, list, value);
		return;
	}
	l = letter_find(softlimit_letters, nitems(softlimit_letters), letter);
	if (l != NULL)
		limit_add(im, list, l, value);
}

void
limit_ulimit(struct import *im, struct import_words *list, int letter,
    const char *value)
{
	const struct letter	*l;

	l = letter_find(ulimit_letters, nitems(ulimit_letters), letter);
	if (l != NULL)
		limit_add(im, list, l, value);
}
