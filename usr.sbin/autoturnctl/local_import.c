/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "autoturnctl import DIR": an autoturnd.conf for a spool of the classic
 * recipe.  Mail is followed on the way that qmail takes it: a line of
 * virtualdomains, users/assign, a .qmail file, a Maildir.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf_build.h"
#include "local.h"
#include "qmail.h"

#define PROBLEM_SIZE	4096

/* What a line of virtualdomains leads to. */
struct way {
	const struct qmail_domain *domain;
	char			 prefix[PREFIX_SIZE];
	char			*file;		/* .qmail-... */
	char			 maildir[MAILDIR_NAME_SIZE]; /* "": none */
};

struct import {
	const struct local_options *options;
	char			 dir[PATH_MAX];
	struct qmail		 qmail;
	struct local_maildirs	 maildirs;
	struct way		*ways;
	size_t			 nways;
	unsigned int		 problems;
};

static void
problem(struct import *im, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
problem(struct import *im, const char *fmt, ...)
{
	char	text[PROBLEM_SIZE];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	local_say(im->options->err, "%s", text);
	im->problems++;
}

/*
 * Ways
 */

/* The Maildir that a path of a .qmail file means, if it is one of ours. */
static void
maildir_name(const struct import *im, const char *path, char *name,
    size_t size)
{
	size_t	len = strlen(im->dir);

	name[0] = '\0';
	if (strncmp(path, im->dir, len) == 0 && path[len] == '/')
		path += len + 1;
	else if (path[0] == '/')
		return;
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	len = build_path_length(path);
	if (len < size && strcspn(path, "/") == len) {
		memcpy(name, path, len);
		name[len] = '\0';
	}
}

static void
file_follow(struct import *im, struct way *w)
{
	struct qmail_file	f;
	char			path[PATH_MAX];

	local_path(path, im->dir, w->file);
	if (qmail_file_read(&f, path) == -1) {
		problem(im, "%s: %s: mail for %s is not delivered", path,
		    strerror(errno), w->domain->name);
		return;
	}
	if (f.path != NULL)
		maildir_name(im, f.path, w->maildir, sizeof(w->maildir));
	if (f.first == QMAIL_MBOX)
		problem(im, "%s: \"%s\" has no final slash: qmail delivers to "
		    "an mbox, not to a Maildir", path, f.path);
	else if (w->maildir[0] == '\0')
		problem(im, "%s: mail for %s does not go to a Maildir of %s",
		    path, w->domain->name, im->dir);
	else if (f.lines > 1)
		problem(im, "%s: other deliveries, %u, stay qmail's", path,
		    f.lines - 1);
	qmail_file_free(&f);
}

static int
way_add(struct import *im, const struct qmail_domain *d)
{
	const struct qmail_assign	*a;
	struct way			*grown, *w;
	char				 prefix[PREFIX_SIZE];

	snprintf(prefix, sizeof(prefix), "%s-", d->prepend);
	a = qmail_assign_find(&im->qmail, prefix);
	if (a == NULL || !a->wildcard ||
	    !local_same_directory(a->home, im->dir))
		return (0);
	grown = reallocarray(im->ways, im->nways + 1, sizeof(*grown));
	if (grown == NULL)
		return (-1);
	im->ways = grown;
	w = &grown[im->nways++];
	memset(w, 0, sizeof(*w));
	w->domain = d;
	strlcpy(w->prefix, prefix, sizeof(w->prefix));
	if ((w->file = qmail_file_name(a, w->prefix)) == NULL)
		return (-1);
	file_follow(im, w);
	return (0);
}

static int
ways_find(struct import *im)
{
	size_t	i;

	for (i = 0; i < im->qmail.ndomains; i++)
		if (way_add(im, &im->qmail.domains[i]) == -1)
			return (-1);
	return (0);
}

static int
file_is_known(const struct import *im, const char *name)
{
	size_t	i;

	for (i = 0; i < im->nways; i++)
		if (strcmp(im->ways[i].file, name) == 0)
			return (1);
	return (0);
}

/* .qmail files that no line of virtualdomains leads to. */
static void
files_look(struct import *im)
{
	struct dirent	*entry;
	DIR		*dir;

	if ((dir = opendir(im->dir)) == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, ".qmail", 6) == 0 &&
		    !file_is_known(im, entry->d_name))
			problem(im, "%s/%s: no virtual domain leads to it",
			    im->dir, entry->d_name);
	closedir(dir);
}

/*
 * The file's head
 */

static void
hostname_print(struct import *im, FILE *f)
{
	char		 host[HOSTNAME_SIZE];
	const char	*name = im->qmail.me;

	if (name == NULL) {
		if (gethostname(host, sizeof(host)) == -1)
			host[0] = '\0';
		host[sizeof(host) - 1] = '\0';
		name = host;
	}
	if (build_host_valid(name, HOSTNAME_SIZE) &&
	    strchr(name, '.') != NULL) {
		fputs("hostname ", f);
		conf_print_word(f, name);
		fputc('\n', f);
	} else {
		problem(im, "%s/control/me: no full name of this host is "
		    "known", im->qmail.dir);
		fputs("# hostname mail.example.org\n", f);
	}
}

/* Who gets double bounces. */
static void
postmaster_print(struct import *im, FILE *f)
{
	char	*to, *host, mailbox[MAILBOX_SIZE];

	to = qmail_control_line(&im->qmail, "doublebounceto");
	host = qmail_control_line(&im->qmail, "doublebouncehost");
	if (to != NULL || host != NULL) {
		snprintf(mailbox, sizeof(mailbox), "%s@%s", to != NULL ? to :
		    "postmaster", host != NULL ? host : im->qmail.me != NULL ?
		    im->qmail.me : "");
		if (build_mailbox_valid(mailbox)) {
			fputs("postmaster ", f);
			conf_print_string(f, mailbox);
			fputc('\n', f);
		} else
			problem(im, "%s/control/doublebounceto: %s is no "
			    "mailbox", im->qmail.dir, mailbox);
	}
	free(to);
	free(host);
}

static void
reports_print(struct import *im, FILE *f)
{
	char	path[PATH_MAX];

	local_path(path, im->qmail.dir, "bin/qmail-queue");
	if (access(path, X_OK) == 0) {
		fputs("reports by qmail ", f);
		conf_print_string(f, path);
		fputc('\n', f);
	}
}

/* What has no counterpart. */
static void
control_look(struct import *im)
{
	static const char *const	names[] = {
		"bouncefrom", "bouncehost"
	};
	char				*value;
	size_t				 i;

	for (i = 0; i < nitems(names); i++) {
		value = qmail_control_line(&im->qmail, names[i]);
		if (value != NULL)
			problem(im, "%s/control/%s: \"%s\": reports are from "
			    "MAILER-DAEMON at the hostname", im->qmail.dir,
			    names[i], value);
		free(value);
	}
}

static void
spool_print(struct import *im, FILE *f)
{
	uid_t	uid;
	gid_t	gid;
	char	user[64];
	int	rv;

	fputs("spool ", f);
	conf_print_string(f, im->dir);
	rv = local_maildirs_owner(&im->maildirs, &uid, &gid);
	if (rv == 0 && uid != 0) {
		fputs(" user ", f);
		conf_print_name(f, local_user_text(uid, user, sizeof(user)));
	} else
		problem(im, "%s: %s: say user", im->dir, rv == 0 ?
		    "its Maildirs are root's" :
		    "its Maildirs have several owners");
	fputc('\n', f);
}

/*
 * Customers
 */

/* The address that a prefix of the recipe names. */
static int
prefix_address(const char *prefix, struct netaddr *addr)
{
	char	text[PREFIX_SIZE];
	size_t	len = strlen(prefix);

	if (strncmp(prefix, "autoturn-", 9) != 0 || len < 11)
		return (-1);
	strlcpy(text, prefix + 9, sizeof(text));
	text[len - 10] = '\0';
	return (netaddr_parse(addr, text));
}

static const struct way *
way_first(const struct import *im, const char *maildir)
{
	size_t	i;

	for (i = 0; i < im->nways; i++)
		if (strcmp(im->ways[i].maildir, maildir) == 0)
			return (&im->ways[i]);
	return (NULL);
}

/* A line for each domain that is one. */
static void
domains_print(struct import *im, FILE *f, const struct way *first,
    const char *hash)
{
	const struct way	*w;
	size_t			 i;

	for (i = 0; first != NULL && i < im->nways; i++) {
		w = &im->ways[i];
		if (strcmp(w->maildir, first->maildir) != 0)
			continue;
		if (strcmp(w->prefix, first->prefix) != 0)
			problem(im, "%s/control/virtualdomains:%d: %s: its "
			    "mail is in \"%s\" too, but begins with %s, not "
			    "with %s: it would not be sent", im->qmail.dir,
			    w->domain->line, w->domain->name, w->maildir,
			    w->prefix, first->prefix);
		else if (!build_host_valid(w->domain->name, DOMAIN_SIZE))
			problem(im, "%s/control/virtualdomains:%d: \"%s\" is "
			    "no domain to name: its mail is sent all the same",
			    im->qmail.dir, w->domain->line, w->domain->name);
		else {
			fprintf(f, "%s\tdomain ", hash);
			conf_print_name(f, w->domain->name);
			fputc('\n', f);
		}
	}
}

/* One with an address, by that name; a Maildir that is called otherwise. */
static void
customer_print(struct import *im, FILE *f, const char *name,
    const struct netaddr *addr, const struct local_maildir *m,
    const struct way *w)
{
	char	prefix[PREFIX_SIZE], text[NETADDR_TEXT_SIZE];

	fputs("\ncustomer ", f);
	conf_print_name(f, name);
	fprintf(f, " {\n\taddress %s\n", netaddr_text(addr, text));
	domains_print(im, f, w, "");
	snprintf(prefix, sizeof(prefix), CONF_PREFIX_DEFAULT, name);
	if (w != NULL && strcmp(w->prefix, prefix) != 0) {
		fputs("\tprefix ", f);
		conf_print_string(f, w->prefix);
		fputc('\n', f);
	}
	if (strcmp(m->name, name) != 0) {
		fputs("\tmaildir ", f);
		conf_print_string(f, m->name);
		fputc('\n', f);
	}
	fputs("}\n", f);
}

/* Whose address is not known is for a human to complete. */
static void
customer_comment(struct import *im, FILE *f, const struct local_maildir *m,
    const struct way *w)
{
	problem(im, "%s/%s: its customer's address is not known: complete his "
	    "block", im->dir, m->name);
	fputs("\n# customer ", f);
	conf_print_name(f, m->name);
	fputs(" {\n#\taddress ...\n", f);
	domains_print(im, f, w, "#");
	if (w != NULL) {
		fputs("#\tprefix ", f);
		conf_print_string(f, w->prefix);
		fputc('\n', f);
	}
	fputs("# }\n", f);
}

static int
parts_are_whole(struct import *im, const struct local_maildir *m)
{
	if ((m->parts & MAILDIR_PART_NEW) == 0)
		return (0);
	if (m->parts != MAILDIR_PARTS)
		problem(im, "%s/%s: a Maildir without %s", im->dir, m->name,
		    m->parts & MAILDIR_PART_CUR ? "tmp" : "cur");
	return (1);
}

static void
maildir_import(struct import *im, FILE *f, const struct local_maildir *m)
{
	const struct way	*w = way_first(im, m->name);
	struct netaddr		 addr;
	char			 text[NETADDR_TEXT_SIZE];

	if (!parts_are_whole(im, m))
		return;
	if (w == NULL && im->qmail.there)
		problem(im, "%s/%s: qmail delivers no mail there", im->dir,
		    m->name);
	if (netaddr_parse(&addr, m->name) == 0 && w == NULL &&
	    strcmp(netaddr_text(&addr, text), m->name) == 0)
		fprintf(f, "\n# %s: a customer, by its name\n", m->name);
	else if (netaddr_parse(&addr, m->name) == 0)
		customer_print(im, f, netaddr_text(&addr, text), &addr, m, w);
	else if (conf_name_why(m->name) != NULL)
		problem(im, "%s/%s: not a name: %s", im->dir, m->name,
		    conf_name_why(m->name));
	else if (w != NULL && prefix_address(w->prefix, &addr) == 0)
		customer_print(im, f, m->name, &addr, m, w);
	else
		customer_comment(im, f, m, w);
}

/*
 * All of it
 */

static void
config_print(struct import *im)
{
	FILE	*f = im->options->out;
	size_t	 i;

	fprintf(f, "# %s, as autoturnctl import found it\n", im->dir);
	hostname_print(im, f);
	postmaster_print(im, f);
	reports_print(im, f);
	spool_print(im, f);
	for (i = 0; i < im->maildirs.count; i++)
		maildir_import(im, f, &im->maildirs.list[i]);
	control_look(im);
	if (im->qmail.there)
		files_look(im);
}

static int
maildirs_any(const struct local_maildirs *ms)
{
	size_t	i;

	for (i = 0; i < ms->count; i++)
		if (ms->list[i].parts & MAILDIR_PART_NEW)
			return (1);
	return (0);
}

/* As it was written, which is how others will write it. */
static int
dir_take(struct import *im, const char *dir)
{
	if (dir[0] != '/')
		return (realpath(dir, im->dir) == NULL ? -1 : 0);
	if (strlcpy(im->dir, dir, sizeof(im->dir)) >= sizeof(im->dir)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	im->dir[build_path_length(im->dir)] = '\0';
	return (0);
}

/* 0, or -1 after it was said why nothing can be imported. */
static int
import_read(struct import *im, const char *dir)
{
	const struct local_options	*o = im->options;

	if (dir_take(im, dir) == -1 ||
	    local_maildirs_read(&im->maildirs, im->dir) == -1)
		local_say(o->err, "%s: %s", dir, strerror(errno));
	else if (!maildirs_any(&im->maildirs))
		local_say(o->err, "%s: there is no Maildir in it", dir);
	else if (qmail_read(&im->qmail, o->qmail_dir) == -1)
		local_say(o->err, "%s: %s", o->qmail_dir, strerror(errno));
	else if (o->qmail_wanted && !im->qmail.there)
		local_say(o->err, "%s: no directory of qmail", o->qmail_dir);
	else if (ways_find(im) == -1)
		local_say(o->err, "%s: %s", dir, strerror(errno));
	else
		return (0);
	return (-1);
}

static void
import_free(struct import *im)
{
	size_t	i;

	for (i = 0; i < im->nways; i++)
		free(im->ways[i].file);
	free(im->ways);
	local_maildirs_free(&im->maildirs);
	qmail_free(&im->qmail);
}

int
local_import(const struct local_options *o, const char *dir)
{
	struct import	im;
	int		rv = 2;

	memset(&im, 0, sizeof(im));
	im.options = o;
	if (import_read(&im, dir) == 0) {
		config_print(&im);
		rv = im.problems > 0;
	}
	import_free(&im);
	return (rv);
}
