/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "autoturnctl check": whether qmail delivers customers' mail to their
 * Maildirs.  What it takes: a line of virtualdomains makes a local part of an
 * address, users/assign says whose that is, a .qmail file where it goes.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "local_check.h"

/*
 * Once
 */

/* Of the directory that qmail-local works in. */
static void
home_check(struct check *c)
{
	struct stat	st;

	if (stat(c->path, &st) == 0 && (st.st_mode & S_ISVTX))
		check_slip(c, "%s: mode %04o: while its sticky bit is set, "
		    "qmail puts all mail off: chmod -t %s", c->path,
		    (unsigned int)st.st_mode & 07777, c->path);
}

void
check_qmail(struct check *c)
{
	const struct qmail	*q = &c->qmail;

	home_check(c);
	if (!q->assign_there)
		return;
	if (q->assign_bad != 0)
		check_slip(c, "%s/users/assign:%d: not a line of "
		    "qmail-users(5): qmail-newu will refuse it", q->dir,
		    q->assign_bad);
	if (!q->assign_ended)
		check_slip(c, "%s/users/assign: does not end in a line with a "
		    "dot: qmail-newu will refuse it", q->dir);
	if (q->cdb_old)
		check_slip(c, "%s/users/cdb: older than users/assign: "
		    "%s/bin/qmail-newu", q->dir, q->dir);
}

/*
 * .qmail files
 */

/* Is it, from the spool, the customer's Maildir? */
static int
path_is_his(const struct check *c, const char *path, const char *maildir)
{
	size_t	len = strlen(c->path);
	char	name[MAILDIR_NAME_SIZE + 2];

	if (path[0] == '/') {
		if (strncmp(path, c->path, len) != 0 || path[len] != '/')
			return (0);
		path += len + 1;
	} else
		while (strncmp(path, "./", 2) == 0)
			path += 2;
	snprintf(name, sizeof(name), "%s/", maildir);
	return (strcmp(path, name) == 0);
}

static void
delivery_check(struct check *c, const struct suspect *s, const char *path,
    const struct qmail_file *f)
{
	switch (f->first) {
	case QMAIL_NOTHING:
		check_slip(c, "%s: has no line that delivers: echo ./%s/ >%s",
		    path, s->maildir, path);
		break;
	case QMAIL_MBOX:
		check_slip(c, "%s: \"%s\" has no final slash, so that qmail "
		    "takes it for an mbox: echo ./%s/ >%s", path, f->path,
		    s->maildir, path);
		break;
	case QMAIL_MAILDIR:
		if (!path_is_his(c, f->path, s->maildir))
			check_slip(c, "%s: \"%s\" is not the Maildir of "
			    "customer %s: echo ./%s/ >%s", path, f->path,
			    s->name, s->maildir, path);
		break;
	default:
		check_slip(c, "%s: delivers by a program or an address, not "
		    "to ./%s/", path, s->maildir);
		break;
	}
}

static void
file_check(struct check *c, const struct suspect *s, const char *path)
{
	struct qmail_file	f;

	if (qmail_file_read(&f, path) == -1) {
		check_slip(c, "%s: %s", path, strerror(errno));
		return;
	}
	if (f.st.st_mode & (S_IWGRP | S_IWOTH))
		check_slip(c, "%s: mode %04o: others can write it: chmod go-w "
		    "%s", path, (unsigned int)f.st.st_mode & 07777, path);
	if ((f.st.st_mode & S_IROTH) == 0 && f.st.st_uid != c->uid)
		check_slip(c, "%s: mode %04o: %s can't read it: chmod a+r %s",
		    path, (unsigned int)f.st.st_mode & 07777, c->user, path);
	delivery_check(c, s, path, &f);
	qmail_file_free(&f);
}

/* How he who wrote it will have spelt it. */
static int
slip_found(struct check *c, const struct suspect *s, const char *wanted,
    const char *tail)
{
	char		path[PATH_MAX];
	struct stat	st;

	snprintf(path, sizeof(path), "%s/.qmail-%s%s", c->path, tail,
	    "default");
	if (strcmp(path, wanted) == 0 || lstat(path, &st) == -1)
		return (0);
	check_slip(c, "%s: qmail looks for %s, %s: mv %s %s", path,
	    strrchr(wanted, '/') + 1, strcasecmp(path, wanted) == 0 ?
	    "with small letters" : "with colons for dots", path, wanted);
	return (1);
}

static void
missing_say(struct check *c, const struct suspect *s, const char *path,
    const struct qmail_assign *a)
{
	const char	*tail = s->prefix + strlen(a->local);
	char		 colons[PREFIX_SIZE], *p;

	strlcpy(colons, tail, sizeof(colons));
	for (p = colons; *p != '\0'; p++)
		if (*p == '.')
			*p = ':';
	if (slip_found(c, s, path, tail) || slip_found(c, s, path, colons))
		return;
	check_slip(c, "%s: is missing: echo ./%s/ >%s", path, s->maildir,
	    path);
}

static void
dot_qmail_check(struct check *c, const struct suspect *s,
    const struct qmail_assign *a)
{
	struct stat	 st;
	char		*name, path[PATH_MAX];

	if ((name = qmail_file_name(a, s->prefix)) == NULL)
		return;
	local_path(path, c->path, name);
	free(name);
	if (lstat(path, &st) == -1 && errno == ENOENT)
		missing_say(c, s, path, a);
	else
		file_check(c, s, path);
}

/*
 * users/assign
 */

static void
assign_check(struct check *c, const struct suspect *s)
{
	const struct qmail_assign	*a;
	const char			*dir = c->qmail.dir;

	a = qmail_assign_find(&c->qmail, s->prefix);
	if (a == NULL || !a->wildcard) {
		check_slip(c, "%s/users/assign: customer %s: no line is for "
		    "%s...: +autoturn-:%s:%lu:%lu:%s:-::", dir, s->name,
		    s->prefix, c->user, (unsigned long)c->uid,
		    (unsigned long)c->gid, c->path);
		return;
	}
	if (!local_same_directory(a->home, c->path)) {
		check_slip(c, "%s/users/assign:%d: customer %s: mail for %s... "
		    "goes to %s, not to %s", dir, a->line, s->name, s->prefix,
		    a->home, c->path);
		return;
	}
	if (a->uid != c->uid)
		check_slip(c, "%s/users/assign:%d: customer %s: delivers as "
		    "uid %lu, but %s is %lu", dir, a->line, s->name,
		    (unsigned long)a->uid, c->user, (unsigned long)c->uid);
	dot_qmail_check(c, s, a);
}

/*
 * Domains
 */

/* What virtualdomains puts before the address: qmail adds the dash. */
static int
prepend_is_his(const struct suspect *s, const char *prepend)
{
	size_t	len = strlen(prepend);

	return (len + 1 == strlen(s->prefix) &&
	    strncmp(s->prefix, prepend, len) == 0);
}

static int
prefix_len(const struct suspect *s)
{
	size_t	len = strlen(s->prefix);

	return ((int)(len > 0 && s->prefix[len - 1] == '-' ? len - 1 : len));
}

static void
virtual_check(struct check *c, const struct suspect *s, const char *domain)
{
	const struct qmail_domain	*d;
	const char			*dir = c->qmail.dir;

	d = qmail_domain_find(&c->qmail, domain);
	if (d == NULL)
		check_slip(c, "%s/control/virtualdomains: customer %s: no line "
		    "for his domain: %s:%.*s", dir, s->name, domain,
		    prefix_len(s), s->prefix);
	else if (!prepend_is_his(s, d->prepend))
		check_slip(c, "%s/control/virtualdomains:%d: customer %s: %s "
		    "makes recipients that begin with %s-, not with %s: "
		    "%s:%.*s", dir, d->line, s->name, d->name, d->prepend,
		    s->prefix, d->name, prefix_len(s), s->prefix);
}

static void
domain_check(struct check *c, const struct suspect *s, const char *domain)
{
	const char	*dir = c->qmail.dir;

	virtual_check(c, s, domain);
	if (qmail_list_has(c->qmail.locals, domain))
		check_slip(c, "%s/control/locals: customer %s: has %s, so that "
		    "virtualdomains is not asked for it: take it out", dir,
		    s->name, domain);
	if (c->qmail.rcpthosts_there &&
	    !qmail_list_has(c->qmail.rcpthosts, domain))
		check_slip(c, "%s/control/rcpthosts: customer %s: %s is not "
		    "there, so that qmail-smtpd refuses its mail: add it", dir,
		    s->name, domain);
}

/* Where he has told no domain: does any lead to him? */
static void
any_domain_check(struct check *c, const struct suspect *s)
{
	size_t	i;

	for (i = 0; i < c->qmail.ndomains; i++)
		if (prepend_is_his(s, c->qmail.domains[i].prepend))
			return;
	check_slip(c, "%s/control/virtualdomains: customer %s: no line leads "
	    "to %.*s", c->qmail.dir, s->name, prefix_len(s), s->prefix);
}

void
check_qmail_customer(struct check *c, const struct suspect *s)
{
	const struct conf_domain	*d;

	if (prefix_len(s) == (int)strlen(s->prefix)) {
		check_slip(c, "customer %s: prefix \"%s\" does not end in a "
		    "dash, which virtualdomains always puts there", s->name,
		    s->prefix);
		return;
	}
	assign_check(c, s);
	if (s->configured == NULL || TAILQ_EMPTY(&s->configured->domains)) {
		any_domain_check(c, s);
		return;
	}
	TAILQ_FOREACH(d, &s->configured->domains, entry)
		domain_check(c, s, d->name);
}
