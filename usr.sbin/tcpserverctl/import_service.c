/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A service that import found, and what this host knows of what it names:
 * the daemon would refuse the rest.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "import_local.h"
#include "ucspi.h"
#include "../tcpserverd/conf_build.h"

struct import_service *
service_new(struct import *im)
{
	struct import_service	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		im->failed = 1;
		return (NULL);
	}
	TAILQ_INIT(&s->listens);
	string_set(im, &s->file, im->file);
	s->line = im->line;
	TAILQ_INSERT_TAIL(&im->services, s, entry);
	return (s);
}

static void
listens_free(struct import_listens *listens)
{
	struct import_listen	*l;

	while ((l = TAILQ_FIRST(listens)) != NULL) {
		TAILQ_REMOVE(listens, l, entry);
		free(l->host);
		free(l->port);
		free(l->backlog);
		free(l);
	}
}

void
service_drop(struct import *im, struct import_service *s)
{
	char	**members[] = { &s->name, &s->file, &s->rules, &s->user,
		    &s->group, &s->login_class, &s->directory,
		    &s->chroot_path, &s->sessions, &s->banner,
		    &s->local_name, &s->facility, &s->ident_timeout,
		    &s->env_user };
	size_t	i;

	TAILQ_REMOVE(&im->services, s, entry);
	listens_free(&s->listens);
	for (i = 0; i < nitems(members); i++)
		free(*members[i]);
	words_free(&s->rlimits);
	words_free(&s->env_set);
	words_free(&s->env_unset);
	words_free(&s->argv);
	free(s);
}

void
services_free(struct import *im)
{
	struct import_service	*s;

	while ((s = TAILQ_FIRST(&im->services)) != NULL)
		service_drop(im, s);
}

/*
 * What a service names
 */

static int
text_is_number(const char *s)
{
	return (s[0] != '\0' && s[strspn(s, "0123456789")] == '\0');
}

void
service_user(struct import *im, struct import_service *s, const char *name)
{
	if (getpwnam(name) != NULL || text_is_number(name))
		string_set(im, &s->user, name);
	else {
		/* It would have other rights. */
		import_problem(im, "user \"%s\": not known on this host", name);
		s->useless = 1;
	}
}

void
service_group(struct import *im, struct import_service *s, const char *name)
{
	if (getgrnam(name) != NULL || text_is_number(name))
		string_set(im, &s->group, name);
	else {
		import_problem(im, "group \"%s\": not known on this host",
		    name);
		s->useless = 1;
	}
}

void
service_rules(struct import *im, struct import_service *s, const char *path)
{
	size_t	len = strlen(path);

	string_set(im, &s->rules, path);
	if (len > 4 && strcmp(path + len - 4, ".cdb") == 0 && path[0] == '/')
		return;
	import_problem(im, "rules \"%s\": %s", path, path[0] != '/' ?
	    "not an absolute path" :
	    "a database's name must end in \".cdb\" for the daemon");
	s->useless = 1;
}

void
service_variable(struct import *im, struct import_service *s,
    const char *name, const char *value)
{
	struct import_text	t;

	memset(&t, 0, sizeof(t));
	text_string(im, &t, name);
	text_add(im, &t, '=');
	text_string(im, &t, value);
	if (t.base != NULL)
		words_add(im, &s->env_set, t.base, NULL);
	free(t.base);
}

static int
port_is_known(const char *port)
{
	if (text_is_number(port))
		return (strlen(port) < 6 && atoi(port) < 65536);
	return (getservbyname(port, "tcp") != NULL);
}

void
service_listen(struct import *im, struct import_service *s, const char *host,
    int family, const char *port, const char *backlog)
{
	struct import_listen	*l;

	if (!port_is_known(port)) {
		import_problem(im, "port \"%s\": not known on this host",
		    port);
		s->useless = 1;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		im->failed = 1;
		return;
	}
	string_set(im, &l->host, host);
	string_set(im, &l->port, port);
	if (backlog != NULL)
		string_set(im, &l->backlog, backlog);
	l->family = family;
	TAILQ_INSERT_TAIL(&s->listens, l, entry);
}

/*
 * The whole of it
 */

/* BASE is the first of that name, BASE-2 the second; 0: of another. */
static int
name_number(const char *name, const char *base)
{
	size_t	len = strlen(base);
	long	n;

	if (strncmp(name, base, len) != 0)
		return (0);
	if (name[len] == '\0')
		return (1);
	name += len + 1;
	if (name[-1] != '-' || name[strspn(name, "0123456789")] != '\0')
		return (0);
	n = strtol(name, NULL, 10);
	return (n >= 2 && n < INT_MAX ? (int)n : 0);
}

/* The highest number of that name there is. */
static int
names_highest(const struct import *im, const struct import_service *s,
    const char *base)
{
	const struct import_service	*other;
	int				 n, highest = 0;

	TAILQ_FOREACH(other, &im->services, entry) {
		if (other == s || other->name == NULL)
			continue;
		if ((n = name_number(other->name, base)) > highest)
			highest = n;
	}
	return (highest);
}

/* A port's name, or the program's: at most so many bytes that a number of
 * its own finds room behind them. */
static void
name_make(struct import *im, struct import_service *s)
{
	const struct import_listen	*l = TAILQ_FIRST(&s->listens);
	const char			*from = "service";
	char				 base[20], name[SERVICE_NAME_SIZE];
	size_t				 n = 0;
	int				 highest;

	if (l != NULL && !text_is_number(l->port))
		from = l->port;
	else if (s->argv.len > 0)
		from = word_base(s->argv.list[0].text);
	for (; *from != '\0' && n < sizeof(base) - 1; from++)
		if (isalnum((unsigned char)*from) || (n > 0 &&
		    strchr("-_.", *from) != NULL))
			base[n++] = *from;
	base[n] = '\0';
	if (n == 0)
		strlcpy(base, "service", sizeof(base));
	if ((highest = names_highest(im, s, base)) == 0)
		strlcpy(name, base, sizeof(name));
	else
		snprintf(name, sizeof(name), "%s-%d", base, highest + 1);
	string_set(im, &s->name, name);
}

static const char *
path_variable(const struct import_service *s)
{
	size_t	i;

	for (i = 0; i < s->env_set.len; i++)
		if (strncmp(s->env_set.list[i].text, "PATH=", 5) == 0)
			return (s->env_set.list[i].text + 5);
	return (getenv("PATH"));
}

static int
program_is_here(const struct import_service *s)
{
	struct stat	 st;
	char		**names, path[PATH_MAX];
	int		 i, found = 0;

	names = ucspi_path_candidates(s->argv.list[0].text, path_variable(s));
	for (i = 0; names != NULL && names[i] != NULL; i++) {
		snprintf(path, sizeof(path), "%s%s%s",
		    s->chroot_path == NULL ? "" : s->chroot_path,
		    names[i][0] == '/' ? "" : "/", names[i]);
		found |= stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    (st.st_mode & S_IXOTH) != 0;
	}
	free(names);
	return (found);
}

/* Within the other root, if there is one. */
static void
directory_check(struct import *im, const char *what, const char *root,
    char **path)
{
	struct stat	st;
	char		full[PATH_MAX];

	if (*path == NULL)
		return;
	snprintf(full, sizeof(full), "%s%s", root == NULL ? "" : root, *path);
	if ((*path)[0] == '/' && stat(full, &st) == 0 && S_ISDIR(st.st_mode))
		return;
	import_problem(im, "%s \"%s\": no directory of this host", what, *path);
	free(*path);
	*path = NULL;
}

/* A program that was to be locked up does not run free. */
static void
chroot_check(struct import *im, struct import_service *s)
{
	if (s->chroot_path == NULL)
		return;
	directory_check(im, "chroot", NULL, &s->chroot_path);
	if (s->chroot_path == NULL)
		s->useless = 1;
}

static void
words_length_check(struct import *im, struct import_service *s,
    const struct import_words *words)
{
	size_t	i;

	for (i = 0; i < words->len; i++)
		if (strlen(words->list[i].text) > CONF_WORD_MAX) {
			import_problem(im, "a word is longer than %d bytes",
			    CONF_WORD_MAX);
			s->useless = 1;
		}
}

/* A number that is in no user database needs its group. */
static void
user_check(struct import *im, struct import_service *s)
{
	if (s->user == NULL || s->group != NULL || getpwnam(s->user) != NULL ||
	    getpwuid((uid_t)strtoul(s->user, NULL, 10)) != NULL)
		return;
	import_problem(im, "user %s: not known on this host, and has no group",
	    s->user);
	s->useless = 1;
}

static void
program_check(struct import *im, struct import_service *s)
{
	if (s->argv.len == 0 || s->useless)
		return;
	if (!program_is_here(s)) {
		import_problem(im, "program \"%s\": not on this host, or not "
		    "for everybody to run", s->argv.list[0].text);
		s->useless = 1;
	}
}

static void
rules_check(struct import *im, struct import_service *s)
{
	int	fd;

	if (s->rules == NULL || s->useless)
		return;
	fd = open(s->rules, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1)
		close(fd);
	else if (errno != ENOENT || !s->rules_optional) {
		import_problem(im, "rules \"%s\": %s", s->rules,
		    strerror(errno));
		s->useless = 1;
	}
}

/* The daemon's bounds; what is outside of them stays as it is there. */
static void
number_check(struct import *im, const char *what, char **value, long low,
    long high)
{
	long	n;

	if (*value == NULL)
		return;
	n = text_is_number(*value) && strlen(*value) < 10 ?
	    strtol(*value, NULL, 10) : -1;
	if (n >= low && n <= high)
		return;
	import_problem(im, "%s \"%s\": not from %ld to %ld", what, *value, low,
	    high);
	free(*value);
	*value = NULL;
}

/* The daemon sets it for each connection, or it has no name at all. */
static int
variable_is_refused(const char *v)
{
	return (conf_variable_is_ours(v) || v[0] == '\0' || v[0] == '=');
}

/* The same variable before: the later one is what the program gets. */
static int
variable_is_later(const struct import_words *words, size_t i,
    const char *name, size_t len)
{
	for (; i < words->len; i++)
		if (strncmp(words->list[i].text, name, len) == 0 &&
		    (words->list[i].text[len] == '=' ||
		    words->list[i].text[len] == '\0'))
			return (1);
	return (0);
}

static void
environment_check(struct import_service *s)
{
	const char	*v;
	size_t		 i = 0, len;

	while (i < s->env_set.len) {
		v = s->env_set.list[i].text;
		len = strcspn(v, "=");
		if (variable_is_refused(v) ||
		    variable_is_later(&s->env_set, i + 1, v, len) ||
		    variable_is_later(&s->env_unset, 0, v, len))
			words_drop(&s->env_set, i);
		else
			i++;
	}
	for (i = 0; i < s->env_unset.len;) {
		v = s->env_unset.list[i].text;
		if (variable_is_refused(v) ||
		    variable_is_later(&s->env_unset, i + 1, v, strlen(v)))
			words_drop(&s->env_unset, i);
		else
			i++;
	}
}

static void
local_name_check(struct import *im, struct import_service *s)
{
	size_t	i;

	if (s->local_name == NULL)
		return;
	for (i = 0; isgraph((unsigned char)s->local_name[i]); i++)
		continue;
	if (i > 0 && s->local_name[i] == '\0' && i < LOCAL_NAME_SIZE)
		return;
	import_problem(im, "local name \"%s\": not a name", s->local_name);
	free(s->local_name);
	s->local_name = NULL;
}

static int
listens_overlap(const struct import_listen *a, const struct import_listen *b)
{
	int	any = strcmp(a->host, "*") == 0 || strcmp(b->host, "*") == 0;

	if (strcmp(a->port, b->port) != 0 || strcmp(a->port, "0") == 0)
		return (0);
	if (a->family != b->family && a->family != AF_UNSPEC &&
	    b->family != AF_UNSPEC)
		return (0);
	return (any || strcmp(a->host, b->host) == 0);
}

/* The branches of an "if" often start the same in two ways. */
static void
overlap_check(struct import *im, struct import_service *s)
{
	const struct import_service	*other;
	const struct import_listen	*a, *b;

	TAILQ_FOREACH(other, &im->services, entry) {
		if (other == s || other->useless)
			continue;
		TAILQ_FOREACH(a, &other->listens, entry)
			TAILQ_FOREACH(b, &s->listens, entry)
				if (listens_overlap(a, b) && !s->useless) {
					import_problem(im, "host and port: "
					    "taken by %s:%d", other->file,
					    other->line);
					s->useless = 1;
				}
	}
}

static void
listens_check(struct import *im, struct import_service *s)
{
	struct import_listen	*l;

	TAILQ_FOREACH(l, &s->listens, entry)
		number_check(im, "backlog", &l->backlog, 1,
		    LISTEN_BACKLOG_MAX);
}

void
service_finish(struct import *im, struct import_service *s)
{
	name_make(im, s);
	number_check(im, "sessions", &s->sessions, 1, SESSIONS_MAX);
	number_check(im, "ident timeout", &s->ident_timeout, 1,
	    IDENT_TIMEOUT_MAX_S);
	listens_check(im, s);
	local_name_check(im, s);
	environment_check(s);
	words_length_check(im, s, &s->env_set);
	words_length_check(im, s, &s->env_unset);
	words_length_check(im, s, &s->argv);
	user_check(im, s);
	chroot_check(im, s);
	directory_check(im, "directory", s->chroot_path, &s->directory);
	program_check(im, s);
	rules_check(im, s);
	overlap_check(im, s);
}
