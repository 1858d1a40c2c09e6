/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Spools of autoturnd.conf: directories of Maildirs, each with its user.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

#define WATCHES_MAX	1000000
#define SCAN_MAX_S	86400

size_t
build_path_length(const char *path)
{
	size_t	len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return (len);
}

/*
 * Paths
 */

static void
spool_path_check(struct conf_build *b, const struct conf_word *path)
{
	struct stat	st;

	if (path->text[0] != '/' || build_path_length(path->text) < 2)
		conf_word_error(b->lexer, path, "spool \"%s\": not an "
		    "absolute path of a directory", path->text);
	else if (strlen(path->text) >= PATH_MAX - NAME_MAX)
		conf_word_error(b->lexer, path, "spool: %s",
		    strerror(ENAMETOOLONG));
	else if (stat(path->text, &st) == -1)
		conf_word_error(b->lexer, path, "spool \"%s\": %s",
		    path->text, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		conf_word_error(b->lexer, path, "spool \"%s\": not a "
		    "directory", path->text);
}

/* Is the one path the other, or below it? */
static int
path_is_within(const char *path, const char *outer)
{
	size_t	len = strlen(outer);

	return (strncmp(path, outer, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0'));
}

/* Where it will be: what is not there yet will be no link. */
static void
path_resolve(const char *path, char *real)
{
	char	head[PATH_MAX], *slash;

	strlcpy(head, path, sizeof(head));
	while (realpath(head, real) == NULL) {
		if ((slash = strrchr(head, '/')) == NULL || slash == head) {
			strlcpy(real, path, PATH_MAX);
			return;
		}
		*slash = '\0';
	}
	strlcat(real, path + strlen(head), PATH_MAX);
}

static void
spool_pair_check(struct conf_build *b, const struct conf_level *l,
    const char *path, const struct conf_level *other, const char *other_path)
{
	if (strcmp(path, other_path) == 0)
		conf_word_error(b->lexer, &l->name, "spool \"%s\": given "
		    "already in %s:%d", l->name.text, other->name.file,
		    other->name.line);
	else if (path_is_within(path, other_path) ||
	    path_is_within(other_path, path))
		conf_word_error(b->lexer, &l->name, "spool \"%s\": the spool "
		    "of %s:%d and this: one is within the other",
		    l->name.text, other->name.file, other->name.line);
}

/* By what the paths lead to, links and all; bad paths were told already. */
static void
spool_pairs_check(struct conf_build *b, const struct conf_level *l)
{
	const struct conf_level	*other;
	char			 path[PATH_MAX], other_path[PATH_MAX];

	if (realpath(l->spool->settings.path, path) == NULL)
		return;
	TAILQ_FOREACH(other, &b->spools, entry) {
		if (other == l)
			break;
		if (realpath(other->spool->settings.path, other_path) != NULL)
			spool_pair_check(b, l, path, other, other_path);
	}
	path_resolve(b->conf->state_path, other_path);
	if (path_is_within(path, other_path) ||
	    path_is_within(other_path, path))
		conf_word_error(b->lexer, &l->name, "spool \"%s\": the state "
		    "directory \"%s\" and this: one is within the other",
		    l->name.text, b->conf->state_path);
}

/*
 * Whose it is
 */

/* What is done as root can be done to root. */
static void
spool_root_check(struct conf_build *b, const struct conf_spool *s,
    const struct conf_word *user, const struct conf_word *group)
{
	if (s->uid == 0)
		conf_word_error(b->lexer, user, "spool: user \"%s\" is root, "
		    "who must not be the one", user->text);
	else if (s->gid == 0 && group != NULL)
		conf_word_error(b->lexer, group, "spool: group \"%s\" is "
		    "root's, which must not be the one", group->text);
	else if (s->gid == 0)
		conf_word_error(b->lexer, user, "spool: user \"%s\" is in "
		    "root's group: name another one, as in: user %s group "
		    "nofiles", user->text, user->text);
}

static void
spool_user(struct conf_build *b, struct conf_spool *s,
    const struct conf_word *user, const struct conf_word *group)
{
	unsigned int	errors = conf_errors(b->lexer);
	int		has_gid;

	if (conf_user_find(user->text, &s->uid, &s->gid, &has_gid) == -1) {
		conf_word_error(b->lexer, user, "spool: user \"%s\": unknown",
		    user->text);
		return;
	}
	(void)conf_word_copy(b->lexer, user, &s->user, user->text);
	if (group != NULL)
		(void)conf_word_group(b->lexer, "spool: group", group,
		    &s->group, &s->gid);
	else if (!has_gid)
		conf_word_error(b->lexer, user, "spool: user %s has no "
		    "group: name one", user->text);
	if (conf_errors(b->lexer) == errors)
		spool_root_check(b, s, user, group);
}

/*
 * Directives
 */

static void
spool_defaults(struct conf_spool *s)
{
	s->uid = (uid_t)-1;
	s->gid = (gid_t)-1;
	s->settings.addresses = 1;
	s->settings.concurrency = CONCURRENCY_DEFAULT;
	s->settings.watches = WATCHES_DEFAULT;
	s->settings.scan_s = SCAN_DEFAULT_S;
}

void
build_spool_begin(struct conf_build *b, const struct conf_word *path,
    const struct conf_word *user, const struct conf_word *group)
{
	struct conf_level	*l;
	struct conf_spool	*s;

	l = build_level_begin(b, &b->spools, path);
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->file = strdup(path->file)) == NULL)
		build_memory_out(b);
	TAILQ_INIT(&s->customers);
	TAILQ_INSERT_TAIL(&b->conf->spools, s, entry);
	l->spool = s;
	s->line = path->line;
	spool_defaults(s);
	spool_path_check(b, path);
	strlcpy(s->settings.path, path->text, sizeof(s->settings.path));
	if (strlen(path->text) < sizeof(s->settings.path))
		s->settings.path[build_path_length(path->text)] = '\0';
	if (user != NULL)
		spool_user(b, s, user, group);
}

void
build_addresses(struct conf_build *b, const struct conf_word *at, int on)
{
	if (build_once(b, ONCE_ADDRESSES, at) == 0)
		b->level->spool->settings.addresses = (uint32_t)on;
}

void
build_concurrency(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *number)
{
	int64_t	n;

	if (build_once(b, ONCE_CONCURRENCY, at) == 0 &&
	    (n = conf_word_number(b->lexer, "concurrency", number, 1,
	    CONCURRENCY_MAX)) != -1)
		b->level->spool->settings.concurrency = (uint32_t)n;
}

void
build_scan(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *time)
{
	int64_t	n = conf_time_parse(time->text);

	if (build_once(b, ONCE_SCAN, at) == -1)
		return;
	if (n < 1 || n > SCAN_MAX_S)
		conf_word_error(b->lexer, time, "scan: \"%s\": not a time "
		    "from 1s to 1d, such as 30s, 10m or 4h", time->text);
	else
		b->level->spool->settings.scan_s = (uint64_t)n;
}

void
build_watches(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *number)
{
	int64_t	n;

	if (build_once(b, ONCE_WATCHES, at) == 0 &&
	    (n = conf_word_number(b->lexer, "watches", number, 0,
	    WATCHES_MAX)) != -1)
		b->level->spool->settings.watches = (uint32_t)n;
}

static void
spool_finish(struct conf_build *b, struct conf_level *l)
{
	struct spool_settings	*s = &l->spool->settings;

	build_delivery_inherit(b, l, &b->file);
	s->defaults = l->delivery;
	s->log_json = (uint32_t)b->conf->log_json;
	memcpy(s->hostname, b->hostname, sizeof(s->hostname));
	memcpy(s->postmaster, b->postmaster, sizeof(s->postmaster));
	spool_pairs_check(b, l);
}

void
build_spools_finish(struct conf_build *b)
{
	struct conf_level	*l;
	struct conf_word	 whole;

	TAILQ_FOREACH(l, &b->spools, entry)
		spool_finish(b, l);
	/* One may be among what was not understood. */
	if (!TAILQ_EMPTY(&b->spools) || b->errors > 0)
		return;
	memset(&whole, 0, sizeof(whole));
	whole.file = b->conf->path;
	conf_word_error(b->lexer, &whole, "there is no spool: name one, as "
	    "in: spool \"/var/qmail/autoturn\"");
}
