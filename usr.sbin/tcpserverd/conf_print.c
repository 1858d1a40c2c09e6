/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A configuration as text again: every value, in one form, that is read as
 * the same.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdio.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

/* A word of the grammar that is meant as a name stands in quotes. */
static void
word_print(FILE *f, const char *s)
{
	if (conf_word_is_key(s))
		conf_print_string(f, s);
	else
		conf_print_word(f, s);
}

static void
path_line(FILE *f, const char *what, const char *path)
{
	if (path == NULL)
		return;
	fprintf(f, "\t%s ", what);
	conf_print_string(f, path);
	fputc('\n', f);
}

static void
word_line(FILE *f, const char *what, const char *word)
{
	if (word == NULL)
		return;
	fprintf(f, "\t%s ", what);
	word_print(f, word);
	fputc('\n', f);
}

static void
listen_print(FILE *f, const struct conf_listen *l)
{
	fputs("\tlisten on ", f);
	word_print(f, l->host);
	if (l->family == AF_INET)
		fputs(" inet", f);
	else if (l->family == AF_INET6)
		fputs(" inet6", f);
	fprintf(f, " port %u backlog %d\n", l->port, l->backlog);
}

static void
identity_print(FILE *f, const struct conf_service *s)
{
	if (s->user != NULL) {
		fputs("\tuser ", f);
		word_print(f, s->user);
	}
	if (s->group != NULL) {
		fputs(s->user != NULL ? " group " : "\tgroup ", f);
		word_print(f, s->group);
	}
	if (s->user != NULL || s->group != NULL)
		fputc('\n', f);
	word_line(f, "login class", s->login_class);
	path_line(f, "chroot", s->chroot_path);
	path_line(f, "directory", s->directory);
}

static void
limit_print(FILE *f, rlim_t limit)
{
	if (limit == RLIM_INFINITY)
		fputs(" unlimited", f);
	else
		fprintf(f, " %llu", (unsigned long long)limit);
}

static void
rlimit_print(FILE *f, const struct conf_rlimit *r)
{
	fprintf(f, "\trlimit %s", conf_rlimit_name(r->resource));
	limit_print(f, r->limit.rlim_cur);
	limit_print(f, r->limit.rlim_max);
	fputc('\n', f);
}

static void
variable_print(FILE *f, const char *variable)
{
	size_t	len = strcspn(variable, "=");
	char	name[CONF_WORD_MAX + 1];

	snprintf(name, sizeof(name), "%.*s", (int)len, variable);
	fputs("\tenvironment set ", f);
	word_print(f, name);
	fputc(' ', f);
	conf_print_string(f, variable + len + 1);
	fputc('\n', f);
}

static void
environment_print(FILE *f, const struct conf_service *s)
{
	char	**p;

	for (p = s->env_set; *p != NULL; p++)
		variable_print(f, *p);
	for (p = s->env_unset; *p != NULL; p++)
		word_line(f, "environment unset", *p);
}

static void
lookups_print(FILE *f, const struct conf_service *s)
{
	const char	*lookup = "off";

	if (s->flags & SERVICE_PARANOID)
		lookup = "paranoid";
	else if (s->flags & SERVICE_REMOTE_NAME)
		lookup = "on";
	fprintf(f, "\tlookup %s\n", lookup);
	if (s->flags & SERVICE_IDENT)
		fprintf(f, "\tident on timeout %u\n", s->ident_timeout_s);
	else
		fputs("\tident off\n", f);
	word_line(f, "local name", s->local_name);
}

static void
log_print(FILE *f, const struct conf_service *s)
{
	const char	*level = "sessions";

	if (s->log_level == LOG_LEVEL_ERRORS)
		level = "brief";
	else if (s->log_level == LOG_LEVEL_VERBOSE)
		level = "verbose";
	fprintf(f, "\tlog %s\n\tlog facility %s\n", level,
	    conf_facility_name(s->log_facility));
}

static void
program_print(FILE *f, const struct conf_service *s)
{
	size_t	i;

	if (s->close) {
		fputs("\tclose\n", f);
		return;
	}
	fputs("\texec", f);
	for (i = 0; s->argv[i] != NULL; i++) {
		fputc(' ', f);
		conf_print_string(f, s->argv[i]);
	}
	fputc('\n', f);
}

static void
rules_print(FILE *f, const struct conf_service *s)
{
	if (s->rules == NULL)
		return;
	fputs("\trules ", f);
	conf_print_string(f, s->rules);
	fputs(s->flags & SERVICE_RULES_OPTIONAL ? " optional\n" : "\n", f);
}

static void
service_print(FILE *f, const struct conf_service *s)
{
	const struct conf_listen	*l;
	const struct conf_rlimit	*r;

	fputs("\nservice ", f);
	word_print(f, s->name);
	fputs(" {\n", f);
	TAILQ_FOREACH(l, &s->listens, entry)
		listen_print(f, l);
	rules_print(f, s);
	identity_print(f, s);
	TAILQ_FOREACH(r, &s->rlimits, entry)
		rlimit_print(f, r);
	fprintf(f, "\tsessions %llu\n", (unsigned long long)s->sessions_max);
	path_line(f, "banner", s->banner);
	lookups_print(f, s);
	log_print(f, s);
	if (s->flags & SERVICE_NODELAY)
		fputs("\toption nodelay\n", f);
	if (s->flags & SERVICE_IP_OPTIONS)
		fputs("\toption ipoptions\n", f);
	if (s->notify & CONF_NOTIFY_CONNECT)
		fputs("\tnotify autoturn on connect\n", f);
	if (s->notify & CONF_NOTIFY_END)
		fputs("\tnotify autoturn on end\n", f);
	environment_print(f, s);
	program_print(f, s);
	fputs("}\n", f);
}

static void
socket_print(FILE *f, const char *what, const char *path, const char *who,
    const char *name)
{
	if (path == NULL)
		return;
	fprintf(f, "%s socket ", what);
	conf_print_string(f, path);
	if (name != NULL) {
		fprintf(f, " %s ", who);
		word_print(f, name);
	}
	fputc('\n', f);
}

void
daemon_conf_print(FILE *f, const struct daemon_conf *c)
{
	const struct conf_service	*s;

	socket_print(f, "control", c->control_path, "group", c->control_group);
	socket_print(f, "restricted control", c->restricted_path, NULL, NULL);
	socket_print(f, "event", c->event_path, "user", c->event_user);
	fprintf(f, "log facility %s\nlog format %s\n",
	    conf_facility_name(c->log_facility), c->log_json ? "json" :
	    "text");
	TAILQ_FOREACH(s, &c->services, entry)
		service_print(f, s);
}
