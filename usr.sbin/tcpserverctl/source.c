/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Finds the line of a rules text that made a record, by making the records
 * of each line as tcprules(1) does.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules.h"
#include "tcpserverctl.h"

#define CDB_SUFFIX	".cdb"

struct wanted {
	const uint8_t	*key;
	size_t		 len;
};

/* errno EEXIST: that is the one. */
static int
key_compare(void *arg, const uint8_t *key, size_t len, const uint8_t *data,
    size_t data_len)
{
	const struct wanted	*w = arg;

	if (len != w->len || memcmp(key, w->key, len) != 0)
		return (0);
	errno = EEXIST;
	return (-1);
}

static long
line_find(FILE *f, const struct wanted *w)
{
	union { const struct wanted *c; void *v; } arg = { w };
	struct rules	 rules;
	char		*line = NULL;
	size_t		 size = 0;
	ssize_t		 len;
	long		 number = 0, found = 0;

	memset(&rules, 0, sizeof(rules));
	while (found == 0 && (len = getline(&line, &size, f)) != -1) {
		number++;
		if (rules_line(&rules, (uint8_t *)line,
		    rules_trim((uint8_t *)line, (size_t)len), key_compare,
		    arg.v) == RULES_SINK)
			found = number;
	}
	rules_free(&rules);
	free(line);
	return (found);
}

static FILE *
text_open(const char *path, struct stat *st)
{
	FILE	*f;
	int	 fd;

	/* The name came from the engine: touch nothing but a file. */
	if (stat(path, st) == -1 || !S_ISREG(st->st_mode) ||
	    (fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		return (NULL);
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
	    (f = fdopen(fd, "r")) != NULL)
		return (f);
	close(fd);
	return (NULL);
}

/* 0: that is not it. */
static int
source_try(struct source *src, const char *path, const char *suffix,
    const struct wanted *w, const struct stat *database)
{
	char		 name[PATH_MAX];
	struct stat	 st;
	FILE		*f;

	if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix) >=
	    sizeof(name) || (f = text_open(name, &st)) == NULL)
		return (0);
	strlcpy(src->path, name, sizeof(src->path));
	src->line = line_find(f, w);
	fclose(f);
	src->newer = database != NULL && st.st_mtime > database->st_mtime;
	return (1);
}

static int
is_database(const char *path)
{
	size_t	len = strlen(path), suffix = strlen(CDB_SUFFIX);

	return (len > suffix && strcmp(path + len - suffix, CDB_SUFFIX) == 0);
}

void
source_find(struct source *src, const char *rules, const uint8_t *key,
    size_t len)
{
	static const char	*const suffixes[] = { "", ".rules", ".txt" };
	struct wanted		 w = { key, len };
	struct stat		 st;
	char			 base[PATH_MAX];
	size_t			 i;

	memset(src, 0, sizeof(*src));
	if (!is_database(rules)) {
		(void)source_try(src, rules, "", &w, NULL);
		return;
	}
	if (stat(rules, &st) == -1)
		return;
	strlcpy(base, rules, sizeof(base));
	base[strlen(base) - strlen(CDB_SUFFIX)] = '\0';
	for (i = 0; i < nitems(suffixes); i++)
		if (source_try(src, base, suffixes[i], &w, &st))
			return;
}
