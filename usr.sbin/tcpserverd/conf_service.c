/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The directives within a service of tcpserverd.conf, each as it is read,
 * and what can be said of a service when its end was reached.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf_build.h"
#include "login.h"

static struct conf_service *
service_alloc(void)
{
	struct conf_service	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	TAILQ_INIT(&s->listens);
	TAILQ_INIT(&s->rlimits);
	s->env_set = calloc(1, sizeof(*s->env_set));
	s->env_unset = calloc(1, sizeof(*s->env_unset));
	if (s->env_set == NULL || s->env_unset == NULL) {
		free(s->env_set);
		free(s->env_unset);
		free(s);
		return (NULL);
	}
	s->uid = geteuid();
	s->gid = getegid();
	s->sessions_max = SESSIONS_DEFAULT;
	s->ident_timeout_s = IDENT_TIMEOUT_DEFAULT_S;
	s->log_level = LOG_LEVEL_SESSIONS;
	s->log_facility = -1;
	return (s);
}

static int
name_is_valid(const char *name)
{
	size_t	i;

	for (i = 0; name[i] != '\0'; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    (i == 0 || strchr("-_.", name[i]) == NULL))
			return (0);
	return (i > 0 && i < SERVICE_NAME_SIZE);
}

static void
name_check(struct conf_build *b, const struct conf_word *name)
{
	const struct conf_service	*s;

	if (!name_is_valid(name->text))
		conf_word_error(b->lexer, name, "service \"%s\": a name is 1 "
		    "to %d letters, digits, \"-\", \"_\", \".\", the first a "
		    "letter or digit", name->text, SERVICE_NAME_SIZE - 1);
	TAILQ_FOREACH(s, &b->conf->services, entry)
		if (strcmp(s->name, name->text) == 0)
			conf_word_error(b->lexer, name, "service %s: the name "
			    "is taken in %s:%d", name->text, s->file, s->line);
}

/* What was given once at the top may be given once again here. */
static void
once_forget(struct conf_build *b, int first, int last)
{
	memset(&b->once[first], 0,
	    (size_t)(last - first + 1) * sizeof(b->once[0]));
}

static __dead void
out_of_memory(struct conf_build *b)
{
	b->report("out of memory", b->arg);
	exit(1);
}

void
build_service_begin(struct conf_build *b, const struct conf_word *name)
{
	struct conf_service	*s;

	b->name = *name;
	b->errors = conf_errors(b->lexer);
	b->listens = b->rlimits = b->environment = 0;
	b->global_facility = b->once[ONCE_LOG_FACILITY];
	once_forget(b, 0, ONCE_LOG_FACILITY);
	name_check(b, name);
	if ((s = service_alloc()) == NULL ||
	    (s->file = strdup(name->file)) == NULL)
		out_of_memory(b);
	s->line = name->line;
	strlcpy(s->name, name->text, sizeof(s->name));
	TAILQ_INSERT_TAIL(&b->conf->services, s, entry);
	b->service = s;
}

/*
 * The end of a service
 */

static int
given(const struct conf_build *b, enum conf_once what)
{
	return (b->once[what].file != NULL);
}

/* What only a program has use for. */
static void
close_check(struct conf_build *b)
{
	static const enum conf_once	useless[] = {
		ONCE_EXEC, ONCE_CHROOT, ONCE_LOGIN, ONCE_DIRECTORY
	};
	size_t				i;

	for (i = 0; i < nitems(useless); i++)
		if (given(b, useless[i]))
			conf_word_error(b->lexer, &b->once[useless[i]], "%s: "
			    "of no use with close, which runs no program",
			    build_once_word(useless[i]));
	if (b->rlimits)
		conf_word_error(b->lexer, &b->once[ONCE_CLOSE], "close: runs "
		    "no program: rlimit is of no use");
	if (b->environment)
		conf_word_error(b->lexer, &b->once[ONCE_CLOSE], "close: runs "
		    "no program: environment is of no use");
}

/* 0, or -1 after an error. */
static int
directory_check(struct conf_build *b, enum conf_once what, const char *root,
    const char *path)
{
	struct stat	 st;
	const char	*word = build_once_word(what);

	if (path == NULL)
		return (0);
	if (conf_path_stat(root, path, &st) == -1)
		conf_word_error(b->lexer, &b->once[what], "%s \"%s\": %s%s%s",
		    word, path, strerror(errno), root == NULL ? "" : " within ",
		    root == NULL ? "" : root);
	else if (!S_ISDIR(st.st_mode))
		conf_word_error(b->lexer, &b->once[what], "%s \"%s\": not a "
		    "directory", word, path);
	else
		return (0);
	return (-1);
}

/* Each only where the one before it is there to be looked into. */
static void
program_check(struct conf_build *b)
{
	const struct conf_service	*s = b->service;

	if (given(b, ONCE_CHROOT) && s->chroot_path == NULL)
		return;
	if (directory_check(b, ONCE_CHROOT, NULL, s->chroot_path) == -1)
		return;
	(void)directory_check(b, ONCE_DIRECTORY, s->chroot_path,
	    s->directory);
	if (s->argv != NULL && s->argv[0][0] != '\0')
		build_program_check(b);
}

/* What is missing: not to be said where something could not be read. */
static void
missing_check(struct conf_build *b)
{
	if (conf_errors(b->lexer) != b->errors)
		return;
	if (!b->listens)
		conf_word_error(b->lexer, &b->name, "service %s: listens "
		    "nowhere", b->service->name);
	if (!given(b, ONCE_EXEC) && !given(b, ONCE_CLOSE))
		conf_word_error(b->lexer, &b->name, "service %s: neither exec "
		    "nor close", b->service->name);
}

void
build_service_end(struct conf_build *b)
{
	struct conf_service	*s = b->service;

	missing_check(b);
	if (s->close)
		close_check(b);
	else
		program_check(b);
	b->once[ONCE_LOG_FACILITY] = b->global_facility;
	b->service = NULL;
}

/*
 * Directives
 */

/* 0 for an absolute path. */
static int
absolute_set(struct conf_build *b, const char *what,
    const struct conf_word *path, char **member)
{
	if (path->text[0] != '/') {
		conf_word_error(b->lexer, path, "%s \"%s\": not an absolute "
		    "path", what, path->text);
		return (-1);
	}
	if (strlen(path->text) >= PATH_MAX) {
		conf_word_error(b->lexer, path, "%s: longer than %d bytes",
		    what, PATH_MAX - 1);
		return (-1);
	}
	return (conf_word_copy(b->lexer, path, member, path->text));
}

/* Beside the file that names it, as with include. */
static char *
beside(const struct conf_word *path)
{
	char	dir[PATH_MAX], real[PATH_MAX], *full;

	if (path->text[0] == '/')
		return (strdup(path->text));
	strlcpy(dir, path->file, sizeof(dir));
	if (realpath(dirname(dir), real) == NULL)
		return (NULL);
	if (asprintf(&full, "%s/%s", strcmp(real, "/") == 0 ? "" : real,
	    path->text) == -1)
		return (NULL);
	return (full);
}

static int
ends_in(const char *text, const char *end)
{
	size_t	len = strlen(text), end_len = strlen(end);

	return (len > end_len && strcmp(text + len - end_len, end) == 0);
}

void
build_rules(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path, int optional)
{
	struct conf_service	*s = b->service;

	if (build_once(b, ONCE_RULES, at) == -1)
		return;
	if ((s->rules = beside(path)) == NULL || path->text[0] == '\0' ||
	    strlen(s->rules) >= PATH_MAX) {
		conf_word_error(b->lexer, path, "rules \"%s\": %s", path->text,
		    s->rules == NULL ? strerror(errno) : path->text[0] == '\0' ?
		    "no file" : strerror(ENAMETOOLONG));
		return;
	}
	s->rules_kind = ends_in(s->rules, ".cdb") ? CONF_RULES_CDB :
	    CONF_RULES_TEXT;
	s->flags |= SERVICE_RULES | (optional ? SERVICE_RULES_OPTIONAL : 0);
	build_rules_check(b, path);
}

static void
group_set(struct conf_build *b, const struct conf_word *group)
{
	struct conf_service	*s = b->service;

	(void)conf_word_group(b->lexer, "group", group, &s->group, &s->gid);
}

void
build_user(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *user, const struct conf_word *group)
{
	struct conf_service	*s = b->service;
	int			 has_gid = 1;

	if (build_once(b, ONCE_USER, at) == -1)
		return;
	if (user != NULL && conf_user_find(user->text, &s->uid, &s->gid,
	    &has_gid) == -1)
		conf_word_error(b->lexer, user, "user \"%s\": unknown",
		    user->text);
	else if (user != NULL)
		(void)conf_word_copy(b->lexer, user, &s->user, user->text);
	if (group != NULL)
		group_set(b, group);
	else if (!has_gid)
		conf_word_error(b->lexer, user, "user %s: in no user database, "
		    "so its group must be given", user->text);
}

void
build_chroot(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path)
{
	if (build_once(b, ONCE_CHROOT, at) == 0)
		(void)absolute_set(b, "chroot", path,
		    &b->service->chroot_path);
}

void
build_login_class(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *name)
{
	const char	*why;

	if (build_once(b, ONCE_LOGIN, at) == -1)
		return;
	if ((why = login_class_check(name->text)) != NULL)
		conf_word_error(b->lexer, name, "login class \"%s\": %s",
		    name->text, why);
	else
		(void)conf_word_copy(b->lexer, name,
		    &b->service->login_class, name->text);
}

void
build_directory(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path)
{
	if (build_once(b, ONCE_DIRECTORY, at) == 0)
		(void)absolute_set(b, "directory", path,
		    &b->service->directory);
}

void
build_sessions(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *number)
{
	int64_t	n;

	if (build_once(b, ONCE_SESSIONS, at) == 0 &&
	    (n = conf_word_number(b->lexer, "sessions", number, 1,
	    SESSIONS_MAX)) != -1)
		b->service->sessions_max = (uint64_t)n;
}

void
build_exec(struct conf_build *b, const struct conf_word *at)
{
	/* The second program's words would be the first one's arguments. */
	b->exec_again = build_once(b, ONCE_EXEC, at) == -1;
}

void
build_exec_arg(struct conf_build *b, const struct conf_word *arg)
{
	if (b->exec_again)
		return;
	if (b->service->argv == NULL && arg->text[0] == '\0')
		conf_word_error(b->lexer, arg, "exec: no program");
	(void)build_list_add(b, arg, &b->service->argv, arg->text);
}

/*
 * Environment
 */

static int
variable_is_in(char **list, const char *name)
{
	size_t	len = strlen(name);

	for (; *list != NULL; list++)
		if (strncmp(*list, name, len) == 0 &&
		    ((*list)[len] == '=' || (*list)[len] == '\0'))
			return (1);
	return (0);
}

static int
variable_check(struct conf_build *b, const struct conf_word *name)
{
	const struct conf_service	*s = b->service;

	b->environment = 1;
	if (name->text[0] == '\0' || strchr(name->text, '=') != NULL)
		conf_word_error(b->lexer, name, "environment: \"%s\": not a "
		    "name", name->text);
	else if (conf_variable_is_ours(name->text))
		conf_word_error(b->lexer, name, "environment: %s tells of the "
		    "connection and is set for each", name->text);
	else if (variable_is_in(s->env_set, name->text) ||
	    variable_is_in(s->env_unset, name->text))
		conf_word_error(b->lexer, name, "environment: %s: given "
		    "already", name->text);
	else
		return (0);
	return (-1);
}

void
build_env_set(struct conf_build *b, const struct conf_word *name,
    const struct conf_word *value)
{
	char	*both;

	if (variable_check(b, name) == -1)
		return;
	if (asprintf(&both, "%s=%s", name->text, value->text) == -1) {
		conf_word_error(b->lexer, name, "%s", strerror(errno));
		return;
	}
	(void)build_list_add(b, name, &b->service->env_set, both);
	free(both);
}

void
build_env_unset(struct conf_build *b, const struct conf_word *name)
{
	if (variable_check(b, name) == 0)
		(void)build_list_add(b, name, &b->service->env_unset,
		    name->text);
}

void
build_banner(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *text)
{
	struct conf_service	*s = b->service;

	if (build_once(b, ONCE_BANNER, at) == -1 ||
	    conf_word_copy(b->lexer, text, &s->banner, text->text) == -1)
		return;
	s->banner_len = strlen(text->text);
	if (s->banner_len == 0)
		conf_word_error(b->lexer, text, "banner: is empty");
}

void
build_local_name(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *name)
{
	size_t	i;

	if (build_once(b, ONCE_LOCAL_NAME, at) == -1)
		return;
	for (i = 0; isgraph((unsigned char)name->text[i]); i++)
		continue;
	if (i == 0 || name->text[i] != '\0' || i >= LOCAL_NAME_SIZE) {
		conf_word_error(b->lexer, name, "local name: \"%s\": not 1 to "
		    "%d printable characters", name->text, LOCAL_NAME_SIZE - 1);
		return;
	}
	b->service->flags |= SERVICE_LOCAL_NAME;
	(void)conf_word_copy(b->lexer, name, &b->service->local_name,
	    name->text);
}

void
build_lookup(struct conf_build *b, const struct conf_word *at, uint32_t flags)
{
	if (build_once(b, ONCE_LOOKUP, at) == 0)
		b->service->flags |= flags;
}

void
build_ident(struct conf_build *b, const struct conf_word *at, int on,
    const struct conf_word *timeout)
{
	int64_t	n;

	if (build_once(b, ONCE_IDENT, at) == -1 || !on)
		return;
	b->service->flags |= SERVICE_IDENT;
	if (timeout != NULL && (n = conf_word_number(b->lexer, "ident timeout",
	    timeout, 1, IDENT_TIMEOUT_MAX_S)) != -1)
		b->service->ident_timeout_s = (uint32_t)n;
}

void
build_log_level(struct conf_build *b, const struct conf_word *at,
    uint32_t level)
{
	if (build_once(b, ONCE_LOG_LEVEL, at) == 0)
		b->service->log_level = level;
}

void
build_close(struct conf_build *b, const struct conf_word *at)
{
	if (build_once(b, ONCE_CLOSE, at) == 0)
		b->service->close = 1;
}
