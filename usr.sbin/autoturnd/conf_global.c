/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The directives of autoturnd.conf that are about no spool.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf_build.h"

/* Where a mailer is looked for when none is named, in this order. */
static const struct {
	enum mailer_kind	 kind;
	const char		*path;
} mailers[] = {
	{ MAILER_SENDMAIL,	"/usr/sbin/sendmail" },
	{ MAILER_SENDMAIL,	"/usr/lib/sendmail" },
	{ MAILER_QMAIL,		"/var/qmail/bin/qmail-queue" }
};

void
build_control(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path, const struct conf_word *group)
{
	struct autoturnd_conf	*c = b->conf;

	if (build_once(b, ONCE_CONTROL, at) == -1)
		return;
	(void)conf_word_socket(b->lexer, "control socket", path, 1,
	    &c->control_path);
	if (group != NULL)
		(void)conf_word_group(b->lexer, "control socket: group",
		    group, &c->control_group, &c->control_gid);
}

void
build_restricted(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path)
{
	if (build_once(b, ONCE_RESTRICTED, at) == 0)
		(void)conf_word_socket(b->lexer, "restricted control socket",
		    path, 1, &b->conf->restricted_path);
}

/* The socket is tcpserverd's to make: it may not be there yet. */
void
build_events(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path)
{
	if (build_once(b, ONCE_EVENTS, at) == -1)
		return;
	if (path != NULL) {
		(void)conf_word_socket(b->lexer, "events", path, 0,
		    &b->conf->event_path);
		return;
	}
	free(b->conf->event_path);
	b->conf->event_path = NULL;
}

void
build_hostname(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *name)
{
	if (build_once(b, ONCE_HOSTNAME, at) == -1)
		return;
	if (!build_host_valid(name->text, sizeof(b->hostname)))
		conf_word_error(b->lexer, name, "hostname: \"%s\": not the "
		    "name of a host", name->text);
	else
		strlcpy(b->hostname, name->text, sizeof(b->hostname));
}

/* user@host; what else RFC 5321 would allow nobody's postmaster is called. */
int
build_mailbox_valid(const char *mailbox)
{
	const char	*at = strrchr(mailbox, '@');
	size_t		 i;

	for (i = 0; mailbox[i] != '\0'; i++)
		if (!isgraph((unsigned char)mailbox[i]) ||
		    strchr("<>()[]\\,;:\"", mailbox[i]) != NULL)
			return (0);
	return (i < MAILBOX_SIZE && at != NULL && at != mailbox &&
	    strchr(mailbox, '@') == at &&
	    build_host_valid(at + 1, HOSTNAME_SIZE));
}

void
build_postmaster(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *mailbox)
{
	if (build_once(b, ONCE_POSTMASTER, at) == -1)
		return;
	if (!build_mailbox_valid(mailbox->text))
		conf_word_error(b->lexer, mailbox, "postmaster: \"%s\": not "
		    "of the form user@host", mailbox->text);
	else
		strlcpy(b->postmaster, mailbox->text, sizeof(b->postmaster));
}

/* 0, or the reason why that program will not do. */
static int
program_check(const char *path)
{
	struct stat	st;

	if (stat(path, &st) == -1)
		return (errno);
	if (S_ISDIR(st.st_mode))
		return (EISDIR);
	if (!S_ISREG(st.st_mode) ||
	    (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		return (EACCES);
	return (0);
}

static void
mailer_set(struct conf_build *b, enum mailer_kind kind, const char *path)
{
	b->conf->mailer.kind = kind;
	strlcpy(b->conf->mailer.path, path, sizeof(b->conf->mailer.path));
}

void
build_reports(struct conf_build *b, const struct conf_word *at,
    enum mailer_kind kind, const struct conf_word *path)
{
	int	error;

	if (build_once(b, ONCE_REPORTS, at) == -1)
		return;
	if (path->text[0] != '/')
		conf_word_error(b->lexer, path, "reports: \"%s\": not an "
		    "absolute path", path->text);
	else if (strlen(path->text) >= sizeof(b->conf->mailer.path))
		conf_word_error(b->lexer, path, "reports: %s",
		    strerror(ENAMETOOLONG));
	else if ((error = program_check(path->text)) != 0)
		conf_word_error(b->lexer, path, "reports: \"%s\": %s",
		    path->text, strerror(error));
	else
		mailer_set(b, kind, path->text);
}

void
build_state(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path)
{
	size_t	len = build_path_length(path->text);

	if (build_once(b, ONCE_STATE, at) == -1)
		return;
	if (path->text[0] != '/' || len < 2)
		conf_word_error(b->lexer, path, "state: \"%s\": not an "
		    "absolute path of a directory", path->text);
	else if (len >= PATH_MAX - NAME_MAX)
		conf_word_error(b->lexer, path, "state: %s",
		    strerror(ENAMETOOLONG));
	else if (conf_word_copy(b->lexer, path, &b->conf->state_path,
	    path->text) == 0)
		b->conf->state_path[len] = '\0';
}

void
build_log_facility(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *name)
{
	int	facility;

	if (build_once(b, ONCE_LOG_FACILITY, at) == -1)
		return;
	if ((facility = conf_facility_find(name->text)) == -1)
		conf_word_error(b->lexer, name, "log facility: \"%s\": syslog "
		    "has no such facility", name->text);
	else
		b->conf->log_facility = facility;
}

void
build_log_format(struct conf_build *b, const struct conf_word *at, int json)
{
	if (build_once(b, ONCE_LOG_FORMAT, at) == 0)
		b->conf->log_json = json;
}

/*
 * What was not said
 */

/*
 * Customers' servers refuse who greets them with half a name, and a report
 * from postmaster@vm has nowhere to be answered to.
 */
static void
hostname_default(struct conf_build *b, const struct conf_word *whole)
{
	char	name[HOSTNAME_SIZE];

	if (gethostname(name, sizeof(name)) == -1)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	if (!build_host_valid(name, sizeof(name)) ||
	    strchr(name, '.') == NULL)
		conf_word_error(b->lexer, whole, "hostname: this host calls "
		    "itself \"%s\", which is no full name of a host: give "
		    "one, as in: hostname mail.example.org", name);
	else
		strlcpy(b->hostname, name, sizeof(b->hostname));
}

static void
postmaster_default(struct conf_build *b)
{
	snprintf(b->postmaster, sizeof(b->postmaster), "%s@%s",
	    POSTMASTER_DEFAULT, b->hostname);
}

static void
mailer_default(struct conf_build *b, const struct conf_word *whole)
{
	size_t	i;

	for (i = 0; i < nitems(mailers); i++)
		if (program_check(mailers[i].path) == 0) {
			mailer_set(b, mailers[i].kind, mailers[i].path);
			return;
		}
	conf_word_error(b->lexer, whole, "reports: none of %s, %s and %s is "
	    "here: name the program that takes them, as in: reports by "
	    "sendmail \"/usr/local/sbin/sendmail\"", mailers[0].path,
	    mailers[1].path, mailers[2].path);
}

static void
sockets_check(struct conf_build *b, const struct conf_word *whole)
{
	const char	*paths[3];
	size_t		 i, k;

	paths[0] = b->conf->control_path;
	paths[1] = b->conf->restricted_path;
	paths[2] = b->conf->event_path;
	for (i = 0; i < nitems(paths); i++)
		for (k = 0; k < i; k++)
			if (paths[i] != NULL && paths[k] != NULL &&
			    strcmp(paths[i], paths[k]) == 0) {
				conf_word_error(b->lexer, whole, "control "
				    "socket, restricted control socket and "
				    "events: two have the same path");
				return;
			}
}

void
build_global_finish(struct conf_build *b)
{
	struct conf_word	whole;

	memset(&whole, 0, sizeof(whole));
	whole.file = b->conf->path;
	if (!build_given(&b->file, ONCE_HOSTNAME))
		hostname_default(b, &whole);
	if (!build_given(&b->file, ONCE_POSTMASTER))
		postmaster_default(b);
	if (!build_given(&b->file, ONCE_REPORTS))
		mailer_default(b, &whole);
	sockets_check(b, &whole);
}
