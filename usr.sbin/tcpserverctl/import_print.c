/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What import found, as a tcpserverd.conf.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdarg.h>
#include <string.h>

#include "compat.h"
#include "conf.h"
#include "import_local.h"

/* Within a service, behind a "#" when that is of no use. */
static void
line_begin(FILE *f, const struct import_service *s, const char *what)
{
	fprintf(f, "%s\t%s", s->useless ? "#" : "", what);
}

static void
line_print(FILE *f, const struct import_service *s, const char *fmt, ...)
{
	va_list	ap;

	line_begin(f, s, "");
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fputc('\n', f);
}

static void
string_print(FILE *f, const char *s)
{
	fputc(' ', f);
	conf_print_string(f, s);
}

static void
word_print(FILE *f, const char *s)
{
	fputc(' ', f);
	conf_print_word(f, s);
}

/* A path or a text. */
static void
value_print(FILE *f, const struct import_service *s, const char *what,
    const char *value)
{
	if (value == NULL)
		return;
	line_begin(f, s, what);
	string_print(f, value);
	fputc('\n', f);
}

/* A name. */
static void
name_print(FILE *f, const struct import_service *s, const char *what,
    const char *name)
{
	if (name == NULL)
		return;
	line_begin(f, s, what);
	word_print(f, name);
	fputc('\n', f);
}

static void
listens_print(FILE *f, const struct import_service *s)
{
	const struct import_listen	*l;

	TAILQ_FOREACH(l, &s->listens, entry) {
		line_begin(f, s, "listen on");
		word_print(f, l->host);
		fprintf(f, "%s port", l->family == AF_INET ? " inet" :
		    l->family == AF_INET6 ? " inet6" : "");
		word_print(f, l->port);
		if (l->backlog != NULL)
			fprintf(f, " backlog %s", l->backlog);
		fputc('\n', f);
	}
}

static void
identity_print(FILE *f, const struct import_service *s)
{
	if (s->user == NULL)
		name_print(f, s, "group", s->group);
	else {
		line_begin(f, s, "user");
		word_print(f, s->user);
		if (s->group != NULL) {
			fputs(" group", f);
			word_print(f, s->group);
		}
		fputc('\n', f);
	}
	name_print(f, s, "login class", s->login_class);
	value_print(f, s, "chroot", s->chroot_path);
	value_print(f, s, "directory", s->directory);
}

static void
rules_print(FILE *f, const struct import_service *s)
{
	if (s->rules == NULL)
		return;
	line_begin(f, s, "rules");
	string_print(f, s->rules);
	fputs(s->rules_optional ? " optional\n" : "\n", f);
}

static void
lookups_print(FILE *f, const struct import_service *s)
{
	if (s->lookup == IMPORT_LOOKUP_ON)
		line_print(f, s, "lookup on");
	else if (s->lookup == IMPORT_LOOKUP_PARANOID)
		line_print(f, s, "lookup paranoid");
	if (s->ident)
		line_print(f, s, "ident on%s%s", s->ident_timeout == NULL ?
		    "" : " timeout ", s->ident_timeout == NULL ? "" :
		    s->ident_timeout);
	name_print(f, s, "local name", s->local_name);
}

static void
variable_print(FILE *f, const struct import_service *s, const char *v)
{
	size_t	n = strcspn(v, "=");

	line_begin(f, s, "environment set");
	fputc(' ', f);
	conf_print_bytes(f, v, n);
	string_print(f, v[n] == '=' ? v + n + 1 : "");
	fputc('\n', f);
}

static void
environment_print(FILE *f, const struct import_service *s)
{
	size_t	i;

	for (i = 0; i < s->env_set.len; i++)
		variable_print(f, s, s->env_set.list[i].text);
	for (i = 0; i < s->env_unset.len; i++)
		name_print(f, s, "environment unset",
		    s->env_unset.list[i].text);
}

static void
log_print(FILE *f, const struct import_service *s)
{
	if (s->log != NULL)
		line_print(f, s, "log %s", s->log);
	if (s->facility != NULL)
		line_print(f, s, "log facility %s", s->facility);
	if (s->nodelay)
		line_print(f, s, "option nodelay");
	if (s->ip_options)
		line_print(f, s, "option ipoptions");
}

static void
program_print(FILE *f, const struct import_service *s)
{
	size_t	i;

	if (s->argv.len == 0)
		return;
	line_begin(f, s, "exec");
	for (i = 0; i < s->argv.len; i++)
		string_print(f, s->argv.list[i].text);
	fputc('\n', f);
}

static void
service_print(FILE *f, const struct import_service *s)
{
	size_t	i;

	fputs("\n#", f);
	string_print(f, s->file);
	fprintf(f, ", line %d\n%sservice", s->line, s->useless ? "#" : "");
	word_print(f, s->name);
	fputs(" {\n", f);
	listens_print(f, s);
	rules_print(f, s);
	identity_print(f, s);
	for (i = 0; i < s->rlimits.len; i++)
		line_print(f, s, "rlimit %s", s->rlimits.list[i].text);
	name_print(f, s, "sessions", s->sessions);
	value_print(f, s, "banner", s->banner);
	lookups_print(f, s);
	log_print(f, s);
	environment_print(f, s);
	program_print(f, s);
	fprintf(f, "%s}\n", s->useless ? "#" : "");
}

void
services_print(const struct import *im, FILE *f)
{
	const struct import_service	*s;

	fprintf(f, "# Made by tcpserverctl import.  Look it over, see "
	    "tcpserverd.conf(5).\n");
	TAILQ_FOREACH(s, &im->services, entry)
		service_print(f, s);
}
