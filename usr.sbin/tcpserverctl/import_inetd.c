/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * inetd.conf(5) as the BSDs and Debian write it:
 *
 *	[host:]service stream tcp[46] nowait[...] user[:group] program name ...
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <ctype.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "import_local.h"
#include "../tcpserverd/conf_build.h"
#include "../tcpserverd/login.h"

enum field {
	FIELD_SERVICE, FIELD_TYPE, FIELD_PROTOCOL, FIELD_WAIT, FIELD_USER,
	FIELD_PROGRAM, FIELD_NAME
};

static int
type_is_known(const char *type)
{
	return (strcmp(type, "stream") == 0 || strcmp(type, "dgram") == 0 ||
	    strcmp(type, "raw") == 0 || strcmp(type, "rdm") == 0 ||
	    strcmp(type, "seqpacket") == 0);
}

/* "NAME stream ..." */
static int
line_is_entry(const char *line, size_t len)
{
	char	type[16];
	size_t	n = 0;

	if (len == 0 || line[0] == '#' || isspace((unsigned char)line[0]))
		return (0);
	while (n < len && !isspace((unsigned char)line[n]))
		n++;
	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	line += n;
	for (n = 0; n < sizeof(type) - 1 && isalpha((unsigned char)line[n]);
	    n++)
		type[n] = line[n];
	type[n] = '\0';
	return (type_is_known(type));
}

int
inetd_is(const char *text)
{
	size_t	len;

	for (;;) {
		len = strcspn(text, "\n");
		if (line_is_entry(text, len))
			return (1);
		text += len;
		if (*text++ == '\0')
			return (0);
	}
}

/* Fields end at blanks; quotes keep those of arguments. */
static void
fields_split(struct import *im, const char *line, struct import_words *words)
{
	struct import_text	t;
	char			quote = '\0';
	int			started = 0;

	memset(&t, 0, sizeof(t));
	for (;; line++) {
		if (*line == '\0' || (quote == '\0' &&
		    isspace((unsigned char)*line))) {
			if (started)
				words_add(im, words, t.len == 0 ? "" : t.base,
				    NULL);
			t.len = 0;
			started = 0;
			if (*line == '\0')
				break;
			continue;
		}
		started = 1;
		if (*line == quote)
			quote = '\0';
		else if (quote == '\0' && (*line == '"' || *line == '\''))
			quote = *line;
		else
			text_add(im, &t, *line);
	}
	free(t.base);
}

/*
 * Fields
 */

/* 0: tcp, of which families. */
static int
protocol_read(struct import *im, const char *protocol, int *family)
{
	if (strcmp(protocol, "tcp") == 0 || strcmp(protocol, "tcp4") == 0)
		*family = AF_INET;
	else if (strcmp(protocol, "tcp6") == 0)
		*family = AF_INET6;
	else if (strcmp(protocol, "tcp46") == 0 ||
	    strcmp(protocol, "tcp64") == 0)
		*family = AF_UNSPEC;
	else {
		import_problem(im, "%s: only tcp services are the daemon's",
		    protocol);
		return (-1);
	}
	return (0);
}

/* FreeBSD's "nowait/children/per-minute/...", others' "nowait.per-minute". */
static int
wait_read(struct import *im, struct import_service *s, const char *wait)
{
	char	*number, *end;

	if (strncmp(wait, "nowait", 6) != 0) {
		import_problem(im, "%s: the daemon accepts each client itself",
		    wait);
		return (-1);
	}
	wait += 6;
	if (*wait == '/') {
		if ((number = strdup(wait + 1)) == NULL) {
			im->failed = 1;
			return (-1);
		}
		if ((end = strchr(number, '/')) != NULL)
			*end = '\0';
		if (strcmp(number, "0") != 0)
			string_set(im, &s->sessions, number);
		wait = end == NULL ? "" : wait + 1 + (end - number);
		free(number);
	}
	if (*wait != '\0')
		import_problem(im, "nowait...%s: the rate of clients is not "
		    "limited", wait);
	return (0);
}

static void
class_read(struct import *im, struct import_service *s, const char *class)
{
	const char	*why;

	if ((why = login_class_check(class)) == NULL)
		string_set(im, &s->login_class, class);
	else
		import_problem(im, "login class %s: %s", class, why);
}

/* "user", "user:group", "user.group", each with "/class". */
static void
user_read(struct import *im, struct import_service *s, const char *field)
{
	char	*user, *class, *group;

	if ((user = strdup(field)) == NULL) {
		im->failed = 1;
		return;
	}
	if ((class = strchr(user, '/')) != NULL)
		*class++ = '\0';
	/* A dot may be part of a user's name. */
	if ((group = strchr(user, ':')) == NULL && getpwnam(user) == NULL)
		group = strchr(user, '.');
	if (group != NULL)
		*group++ = '\0';
	service_user(im, s, user);
	if (group != NULL)
		service_group(im, s, group);
	if (class != NULL)
		class_read(im, s, class);
	free(user);
}

static void
host_listen(struct import *im, struct import_service *s, const char *host,
    const char *port, int family)
{
	struct netaddr	addr;
	char		text[NI_MAXHOST];

	if (host[0] == '\0' || strcmp(host, "*") == 0)
		service_listen(im, s, "*", family, port, NULL);
	else if (netaddr_parse(&addr, host) == 0)
		service_listen(im, s, host, AF_UNSPEC, port, NULL);
	else if (host_resolve(im, host, family, text, sizeof(text)) == 0)
		service_listen(im, s, text, AF_UNSPEC, port, NULL);
	else
		s->useless = 1;
}

/* "[host:]service"; an IPv6 address stands in brackets. */
static void
listen_read(struct import *im, struct import_service *s, const char *field,
    int family)
{
	const char	*colon = strrchr(field, ':');
	char		*host;

	if (colon != NULL)
		host = strndup(field, (size_t)(colon - field));
	else
		host = strdup(im->host == NULL ? "*" : im->host);
	if (host == NULL) {
		im->failed = 1;
		return;
	}
	host_listen(im, s, host, colon == NULL ? field : colon + 1, family);
	free(host);
}

/* tcpd's program is the real one's name. */
static void
program_read(struct import *im, struct import_service *s,
    const struct import_words *fields)
{
	const char	*program = fields->list[FIELD_PROGRAM].text;
	const char	*name = fields->len > FIELD_NAME ?
			    fields->list[FIELD_NAME].text : program;
	size_t		 i;

	if (strcmp(word_base(program), "tcpd") == 0 && program != name) {
		import_problem(im, "tcpd: hosts_access(5) is not carried over: "
		    "write rules, see tcprules(5)");
		program = name;
	}
	words_add(im, &s->argv, program, NULL);
	if (strcmp(word_base(program), word_base(name)) != 0)
		import_problem(im, "\"%s\" as the name of %s: the program "
		    "gets its own", name, program);
	for (i = FIELD_NAME + 1; i < fields->len; i++)
		words_add(im, &s->argv, fields->list[i].text, NULL);
}

/*
 * Entries
 */

static int
strings_equal(const char *a, const char *b)
{
	return (a == NULL || b == NULL ? a == b : strcmp(a, b) == 0);
}

static int
programs_equal(const struct import_service *a, const struct import_service *b)
{
	size_t	i;

	if (a->argv.len != b->argv.len || a->useless != b->useless ||
	    !strings_equal(a->user, b->user) ||
	    !strings_equal(a->group, b->group) ||
	    !strings_equal(a->sessions, b->sessions))
		return (0);
	for (i = 0; i < a->argv.len; i++)
		if (strcmp(a->argv.list[i].text, b->argv.list[i].text) != 0)
			return (0);
	return (1);
}

/* "tcp" and "tcp6" of the same are one service here. */
static int
entry_join(struct import *im, struct import_service *s)
{
	struct import_service	*other;
	struct import_listen	*l = TAILQ_FIRST(&s->listens), *first;

	TAILQ_FOREACH(other, &im->services, entry) {
		first = TAILQ_FIRST(&other->listens);
		if (other == s || l == NULL || first == NULL || s->useless ||
		    !programs_equal(other, s) ||
		    strcmp(first->port, l->port) != 0 ||
		    first->family == l->family)
			continue;
		TAILQ_REMOVE(&s->listens, l, entry);
		TAILQ_INSERT_TAIL(&other->listens, l, entry);
		service_drop(im, s);
		return (1);
	}
	return (0);
}

static void
entry_add(struct import *im, const struct import_words *fields, int family)
{
	struct import_service	*s;

	if ((s = service_new(im)) == NULL)
		return;
	if (wait_read(im, s, fields->list[FIELD_WAIT].text) == -1) {
		service_drop(im, s);
		return;
	}
	listen_read(im, s, fields->list[FIELD_SERVICE].text, family);
	user_read(im, s, fields->list[FIELD_USER].text);
	program_read(im, s, fields);
	if (!entry_join(im, s))
		service_finish(im, s);
}

static void
entry_read(struct import *im, const struct import_words *fields)
{
	const char	*service = fields->list[FIELD_SERVICE].text;
	int		 family;

	if (fields->len <= FIELD_PROGRAM) {
		import_problem(im, "%s: too few fields", service);
		return;
	}
	if (strcmp(fields->list[FIELD_TYPE].text, "stream") != 0)
		import_problem(im, "%s: %s: only stream services are the "
		    "daemon's", service, fields->list[FIELD_TYPE].text);
	else if (strncmp(service, "tcpmux/", 7) == 0)
		import_problem(im, "%s: the daemon has no tcpmux", service);
	else if (strcmp(fields->list[FIELD_PROGRAM].text, "internal") == 0)
		import_problem(im, "%s: internal: the daemon has no services "
		    "of its own", service);
	else if (protocol_read(im, fields->list[FIELD_PROTOCOL].text,
	    &family) == 0)
		entry_add(im, fields, family);
}

/* With the lines after it that begin with a blank. */
static size_t
entry_length(const char *text)
{
	size_t	n = strcspn(text, "\n");

	while (text[n] == '\n' && (text[n + 1] == ' ' || text[n + 1] == '\t'))
		n += 1 + strcspn(text + n + 1, "\n");
	return (n);
}

/* "host:" alone is for the lines after it. */
static void
host_set(struct import *im, const char *text)
{
	string_set(im, &im->host, text);
	if (im->host != NULL)
		im->host[strlen(im->host) - 1] = '\0';
}

static void
line_read(struct import *im, const char *text, size_t len)
{
	struct import_words	 fields;
	char			*line;

	memset(&fields, 0, sizeof(fields));
	if (len == 0 || text[0] == '#')
		return;
	if ((line = strndup(text, len)) == NULL) {
		im->failed = 1;
		return;
	}
	fields_split(im, line, &fields);
	if (fields.len == 1 && strlen(fields.list[0].text) > 1 &&
	    fields.list[0].text[strlen(fields.list[0].text) - 1] == ':')
		host_set(im, fields.list[0].text);
	else if (fields.len > 0)
		entry_read(im, &fields);
	words_free(&fields);
	free(line);
}

void
inetd_read(struct import *im, const char *text)
{
	size_t	i, len;

	for (im->line = 1; *text != '\0'; im->line++) {
		/* Of a comment the next line is no part. */
		len = *text == '#' ? strcspn(text, "\n") : entry_length(text);
		line_read(im, text, len);
		for (i = 0; i < len; i++)
			im->line += text[i] == '\n';
		text += len;
		if (*text == '\n')
			text++;
	}
}
