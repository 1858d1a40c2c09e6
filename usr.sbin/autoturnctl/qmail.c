/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reading the files of a qmail site.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf.h"
#include "qmail.h"

#define FILE_SIZE_MAX	(16 * 1024 * 1024)
#define ASSIGN_FIELDS	8	/* what follows the last colon is nothing */

/* A file's text, which must have no NUL; NULL with errno. */
static char *
text_read(const char *path, struct stat *st)
{
	char	*text = NULL;
	size_t	 len;
	int	 fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if (fstat(fd, st) == 0) {
		len = (size_t)st->st_size;
		if (!S_ISREG(st->st_mode))
			errno = EINVAL;
		else if (st->st_size > FILE_SIZE_MAX)
			errno = EFBIG;
		else if ((text = conf_read(fd, &len)) != NULL)
			text[len] = '\0';
	}
	close(fd);
	return (text);
}

static char *
dir_text(const struct qmail *q, const char *name, struct stat *st)
{
	char	path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", q->dir, name) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return (NULL);
	}
	return (text_read(path, st));
}

/* Blanks at the end of a line count for nothing in all these files. */
static void
line_trim(char *line)
{
	size_t	len = strlen(line);

	while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
		line[--len] = '\0';
}

static void
text_lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

/*
 * Calls take for each line, with its number and arg; 0, or -1 with errno.
 * What is not there has no lines.
 */
static int
lines_read(struct qmail *q, const char *name,
    int (*take)(struct qmail *, char *, int, void *), void *arg)
{
	struct stat	 st;
	char		*text, *next, *line;
	int		 n = 0, rv = 0;

	if ((text = dir_text(q, name, &st)) == NULL)
		return (errno == ENOENT || errno == ENOTDIR ? 0 : -1);
	next = text;
	while (rv == 0 && (line = strsep(&next, "\n")) != NULL) {
		line_trim(line);
		rv = take(q, line, ++n, arg);
	}
	free(text);
	return (rv);
}

/*
 * users/assign
 */

static int
id_read(const char *text, unsigned int *id)
{
	unsigned long	n;

	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0' ||
	    strlen(text) > 10 || (n = strtoul(text, NULL, 10)) >= UINT_MAX)
		return (-1);
	*id = (unsigned int)n;
	return (0);
}

static int
fields_copy(struct qmail_assign *a, char **field)
{
	a->local = strdup(field[0] + 1);
	a->user = strdup(field[1]);
	a->home = strdup(field[4]);
	a->dash = strdup(field[5]);
	a->pre = strdup(field[6]);
	if (a->local == NULL || a->user == NULL || a->home == NULL ||
	    a->dash == NULL || a->pre == NULL)
		return (-1);
	text_lower(a->local);
	return (0);
}

static int
assign_add(struct qmail *q, char **field, unsigned int uid, unsigned int gid,
    int line)
{
	struct qmail_assign	*a;

	a = reallocarray(q->assigns, q->nassigns + 1, sizeof(*a));
	if (a == NULL)
		return (-1);
	q->assigns = a;
	a += q->nassigns++;
	memset(a, 0, sizeof(*a));
	a->line = line;
	a->wildcard = field[0][0] == '+';
	a->uid = uid;
	a->gid = gid;
	return (fields_copy(a, field));
}

static int
assign_take(struct qmail *q, char *line, int n, void *arg)
{
	char		*field[ASSIGN_FIELDS], *rest = line;
	unsigned int	 uid, gid;
	int		 i;

	q->assign_there = 1;
	if (q->assign_ended || line[0] == '\0')
		return (0);
	if (strcmp(line, ".") == 0) {
		q->assign_ended = 1;
		return (0);
	}
	for (i = 0; i < ASSIGN_FIELDS; i++)
		field[i] = strsep(&rest, ":");
	if ((line[0] == '+' || line[0] == '=') &&
	    field[ASSIGN_FIELDS - 1] != NULL && id_read(field[2], &uid) == 0 &&
	    id_read(field[3], &gid) == 0)
		return (assign_add(q, field, uid, gid, n));
	if (q->assign_bad == 0)
		q->assign_bad = n;
	return (0);
}

static void
cdb_look(struct qmail *q)
{
	struct stat	text, db;
	char		path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/users/assign", q->dir);
	if (stat(path, &text) == -1)
		return;
	snprintf(path, sizeof(path), "%s/users/cdb", q->dir);
	q->cdb_old = stat(path, &db) == -1 || db.st_mtime < text.st_mtime;
}

/* An exact one counts before all wildcards, of those the longest. */
const struct qmail_assign *
qmail_assign_find(const struct qmail *q, const char *local)
{
	const struct qmail_assign	*a, *best = NULL;
	size_t				 i;

	for (i = 0; i < q->nassigns; i++) {
		a = &q->assigns[i];
		if (!a->wildcard && strcasecmp(a->local, local) == 0)
			return (a);
		if (a->wildcard && strncasecmp(a->local, local,
		    strlen(a->local)) == 0 && (best == NULL ||
		    strlen(a->local) > strlen(best->local)))
			best = a;
	}
	return (best);
}

/*
 * Control files
 */

static int
domain_take(struct qmail *q, char *line, int n, void *arg)
{
	struct qmail_domain	*d;
	char			*colon;

	if (line[0] == '#' || (colon = strchr(line, ':')) == NULL)
		return (0);
	d = reallocarray(q->domains, q->ndomains + 1, sizeof(*d));
	if (d == NULL)
		return (-1);
	q->domains = d;
	d += q->ndomains++;
	*colon = '\0';
	d->line = n;
	d->name = strdup(line);
	d->prepend = strdup(colon + 1);
	if (d->name == NULL || d->prepend == NULL)
		return (-1);
	text_lower(d->name);
	return (0);
}

static const struct qmail_domain *
domain_exact(const struct qmail *q, const char *name)
{
	size_t	i;

	for (i = 0; i < q->ndomains; i++)
		if (strcasecmp(q->domains[i].name, name) == 0)
			return (&q->domains[i]);
	return (NULL);
}

const struct qmail_domain *
qmail_domain_find(const struct qmail *q, const char *name)
{
	const struct qmail_domain	*d;

	d = domain_exact(q, name);
	while (d == NULL && (name = strchr(name + 1, '.')) != NULL)
		d = domain_exact(q, name);
	return (d);
}

static int
list_take(struct qmail *q, char *line, int n, void *arg)
{
	char	***list = arg, **grown;
	size_t	   count = 0;

	if (list == &q->rcpthosts)
		q->rcpthosts_there = 1;
	if (line[0] == '\0' || line[0] == '#')
		return (0);
	while (*list != NULL && (*list)[count] != NULL)
		count++;
	if ((grown = reallocarray(*list, count + 2, sizeof(*grown))) == NULL)
		return (-1);
	*list = grown;
	grown[count + 1] = NULL;
	grown[count] = strdup(line);
	return (grown[count] == NULL ? -1 : 0);
}

static int
list_has_exact(char *const list[], const char *name)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcasecmp(*list, name) == 0)
			return (1);
	return (0);
}

int
qmail_list_has(char *const list[], const char *name)
{
	int	has = list_has_exact(list, name);

	while (!has && (name = strchr(name + 1, '.')) != NULL)
		has = list_has_exact(list, name);
	return (has);
}

char *
qmail_control_line(const struct qmail *q, const char *name)
{
	struct stat	 st;
	char		 path[64], *text;

	snprintf(path, sizeof(path), "control/%s", name);
	if ((text = dir_text(q, path, &st)) == NULL)
		return (NULL);
	text[strcspn(text, "\n")] = '\0';
	line_trim(text);
	if (text[0] != '\0')
		return (text);
	free(text);
	return (NULL);
}

int
qmail_read(struct qmail *q, const char *dir)
{
	struct stat	st;
	char		path[PATH_MAX];

	memset(q, 0, sizeof(*q));
	q->dir = dir;
	snprintf(path, sizeof(path), "%s/control", dir);
	q->there = stat(path, &st) == 0;
	snprintf(path, sizeof(path), "%s/users", dir);
	q->there = q->there || stat(path, &st) == 0;
	if (lines_read(q, "users/assign", assign_take, NULL) == -1 ||
	    lines_read(q, "control/virtualdomains", domain_take, NULL) == -1 ||
	    lines_read(q, "control/locals", list_take, &q->locals) == -1 ||
	    lines_read(q, "control/rcpthosts", list_take,
	    &q->rcpthosts) == -1 ||
	    lines_read(q, "control/morercpthosts", list_take,
	    &q->rcpthosts) == -1)
		return (-1);
	cdb_look(q);
	q->me = qmail_control_line(q, "me");
	return (0);
}

static void
list_free(char **list)
{
	size_t	i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

void
qmail_free(struct qmail *q)
{
	size_t	i;

	for (i = 0; i < q->nassigns; i++) {
		free(q->assigns[i].local);
		free(q->assigns[i].user);
		free(q->assigns[i].home);
		free(q->assigns[i].dash);
		free(q->assigns[i].pre);
	}
	for (i = 0; i < q->ndomains; i++) {
		free(q->domains[i].name);
		free(q->domains[i].prepend);
	}
	free(q->assigns);
	free(q->domains);
	list_free(q->locals);
	list_free(q->rcpthosts);
	free(q->me);
	memset(q, 0, sizeof(*q));
}

/*
 * .qmail files
 */

char *
qmail_file_name(const struct qmail_assign *a, const char *prefix)
{
	const char	*rest = a->wildcard ? prefix + strlen(a->local) : "";
	char		*name, *p;

	if (asprintf(&name, ".qmail%s%s%sdefault", a->dash, a->pre, rest) ==
	    -1)
		return (NULL);
	text_lower(name);
	for (p = name + 1; *p != '\0'; p++)
		if (*p == '.')
			*p = ':';
	return (name);
}

static enum qmail_delivery
delivery_kind(const char *line)
{
	switch (line[0]) {
	case '\0':
	case '#':
		return (QMAIL_NOTHING);
	case '|':
		return (QMAIL_PROGRAM);
	case '.':
	case '/':
		return (line[strlen(line) - 1] == '/' ? QMAIL_MAILDIR :
		    QMAIL_MBOX);
	default:
		return (QMAIL_FORWARD);
	}
}

static int
delivery_take(struct qmail_file *f, const char *line)
{
	enum qmail_delivery	kind = delivery_kind(line);

	if (kind == QMAIL_NOTHING)
		return (0);
	f->lines++;
	if (f->first == QMAIL_MAILDIR ||
	    (f->first != QMAIL_NOTHING && kind != QMAIL_MAILDIR))
		return (0);
	f->first = kind;
	free(f->path);
	f->path = NULL;
	if (kind != QMAIL_MAILDIR && kind != QMAIL_MBOX)
		return (0);
	return ((f->path = strdup(line)) == NULL ? -1 : 0);
}

int
qmail_file_read(struct qmail_file *f, const char *path)
{
	char	*text, *next, *line;
	int	 rv = 0;

	memset(f, 0, sizeof(*f));
	if ((text = text_read(path, &f->st)) == NULL)
		return (-1);
	next = text;
	while (rv == 0 && (line = strsep(&next, "\n")) != NULL) {
		line_trim(line);
		rv = delivery_take(f, line);
	}
	free(text);
	return (rv);
}

void
qmail_file_free(struct qmail_file *f)
{
	free(f->path);
	f->path = NULL;
}
