/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "autoturnctl check": slips in a spool, its Maildirs and their locks.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "local_check.h"
#include "conf_build.h"

#define LOCK_NAME	"seriallock"
#define SLIP_SIZE	4096

static const struct {
	const char	*name;
	unsigned int	 bit;
} parts[] = {
	{ "new",	MAILDIR_PART_NEW },
	{ "cur",	MAILDIR_PART_CUR },
	{ "tmp",	MAILDIR_PART_TMP }
};

void
check_slip(struct check *c, const char *fmt, ...)
{
	char	text[SLIP_SIZE];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	local_say(c->options->out, "%s", text);
	c->slips++;
}

/* Mail of one's own: nobody else writes there, and its owner does. */
void
check_owner(struct check *c, const char *path, const struct stat *st)
{
	char	user[64];

	if (st->st_uid != c->uid)
		check_slip(c, "%s: belongs to %s, not to %s: chown %s %s",
		    path, local_user_text(st->st_uid, user, sizeof(user)),
		    c->user, c->user, path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		check_slip(c, "%s: mode %04o: others can write there: chmod "
		    "go-w %s", path, (unsigned int)st->st_mode & 07777, path);
	if ((st->st_mode & S_IRWXU) != S_IRWXU)
		check_slip(c, "%s: mode %04o: %s himself can't do all there: "
		    "chmod u+rwx %s", path,
		    (unsigned int)st->st_mode & 07777, c->user, path);
}

/*
 * A customer
 */

static void
parts_check(struct check *c, const struct local_maildir *m,
    const char *path)
{
	struct stat	st;
	char		full[PATH_MAX];
	size_t		i;

	for (i = 0; i < nitems(parts); i++) {
		local_path(full, path, parts[i].name);
		if ((m->parts & parts[i].bit) == 0)
			check_slip(c, "%s: not there, or no directory: a "
			    "Maildir has new, cur and tmp: install -d -o %s "
			    "-m 700 %s", full, c->user, full);
		else if (lstat(full, &st) == 0)
			check_owner(c, full, &st);
	}
}

/* Who can't open it for appending never gets it. */
static void
lock_check(struct check *c, const char *maildir)
{
	struct stat	st;
	char		path[PATH_MAX], user[64];

	local_path(path, maildir, LOCK_NAME);
	if (lstat(path, &st) == -1)
		return;
	if (!S_ISREG(st.st_mode))
		check_slip(c, "%s: no regular file: nobody gets this lock: "
		    "remove it", path);
	else if (st.st_uid != c->uid)
		check_slip(c, "%s: belongs to %s: %s can't open it, so no run "
		    "gets the lock: chown %s %s", path,
		    local_user_text(st.st_uid, user, sizeof(user)), c->user,
		    c->user, path);
	else if ((st.st_mode & S_IWUSR) == 0)
		check_slip(c, "%s: mode %04o: %s can't open it, so no run "
		    "gets the lock: chmod 600 %s", path,
		    (unsigned int)st.st_mode & 07777, c->user, path);
}

static void
maildir_check(struct check *c, const struct suspect *s)
{
	struct local_maildir	 m;
	char			 path[PATH_MAX];

	local_path(path, c->path, s->maildir);
	if (local_maildir_read(&m, c->path, s->maildir) == -1) {
		check_slip(c, "%s: Maildir of customer %s: %s%s%s", path,
		    s->name, strerror(errno), errno == ENOENT ?
		    ": maildirmake it as " : "", errno == ENOENT ? c->user :
		    "");
		return;
	}
	check_owner(c, path, &m.st);
	parts_check(c, &m, path);
	lock_check(c, path);
	if ((m.parts & MAILDIR_PARTS) == MAILDIR_PARTS)
		check_messages(c, s);
	free(m.name);
}

static void
suspect_check(struct check *c, const struct suspect *s)
{
	if (c->name != NULL && strcmp(c->name, s->name) != 0)
		return;
	c->customers++;
	maildir_check(c, s);
	if (c->qmail.there)
		check_qmail_customer(c, s);
}

/*
 * A spool
 */

static void
configured_check(struct check *c)
{
	const struct conf_customer	*cc;
	struct suspect			 s;

	TAILQ_FOREACH(cc, &c->spool->customers, entry) {
		s.name = cc->settings.name;
		s.maildir = cc->settings.maildir;
		s.prefix = cc->settings.prefix;
		s.configured = cc;
		suspect_check(c, &s);
	}
}

/* A configured customer's Maildir, or a directory on the way to one. */
static int
name_is_taken(const struct check *c, const char *name)
{
	const struct conf_customer	*cc;
	size_t				 len = strlen(name);

	TAILQ_FOREACH(cc, &c->spool->customers, entry)
		if (strncmp(cc->settings.maildir, name, len) == 0 &&
		    (cc->settings.maildir[len] == '\0' ||
		    cc->settings.maildir[len] == '/'))
			return (1);
	return (0);
}

static void
stranger_check(struct check *c, const struct local_maildir *m,
    const char *canonical)
{
	if (c->name != NULL)
		return;
	if (canonical != NULL && strcmp(canonical, m->name) != 0)
		check_slip(c, "%s/%s: is no customer: his address is written "
		    "%s: rename it", c->path, m->name, canonical);
	else if (canonical != NULL)
		check_slip(c, "%s/%s: is no customer: the spool has "
		    "\"addresses off\"", c->path, m->name);
	else if (m->parts & MAILDIR_PART_NEW)
		check_slip(c, "%s/%s: a Maildir that no customer has", c->path,
		    m->name);
}

static void
directory_check(struct check *c, const struct local_maildir *m)
{
	struct netaddr	 addr;
	struct suspect	 s;
	char		 text[NETADDR_TEXT_SIZE], prefix[PREFIX_SIZE];

	if (name_is_taken(c, m->name))
		return;
	if (netaddr_parse(&addr, m->name) == -1) {
		stranger_check(c, m, NULL);
		return;
	}
	netaddr_text(&addr, text);
	if (strcmp(text, m->name) != 0 || !c->spool->settings.addresses) {
		stranger_check(c, m, text);
		return;
	}
	snprintf(prefix, sizeof(prefix), CONF_PREFIX_DEFAULT, m->name);
	s.name = s.maildir = m->name;
	s.prefix = prefix;
	s.configured = NULL;
	suspect_check(c, &s);
}

static void
spool_mode_check(struct check *c)
{
	struct stat	st;
	char		user[64];

	if (stat(c->path, &st) == -1)
		return;
	if (st.st_uid != 0 && st.st_uid != c->uid)
		check_slip(c, "%s: belongs to %s, who can put other Maildirs "
		    "there: chown root %s", c->path,
		    local_user_text(st.st_uid, user, sizeof(user)), c->path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		check_slip(c, "%s: mode %04o: others can put Maildirs there: "
		    "chmod go-w %s", c->path,
		    (unsigned int)st.st_mode & 07777, c->path);
}

/* As the daemon finds him; 0, or -1: then nothing can be judged. */
static int
spool_owner(struct check *c)
{
	int	rv;

	c->uid = c->spool->uid;
	c->gid = c->spool->gid;
	if (c->spool->user == NULL) {
		rv = local_maildirs_owner(&c->maildirs, &c->uid, &c->gid);
		if (rv != 0 || c->uid == 0) {
			check_slip(c, "%s: %s: say user in %s", c->path,
			    rv == -1 ? "no Maildir tells whose it is" :
			    rv == 1 ? "its Maildirs have several owners" :
			    "its Maildirs are root's", c->options->conf_path);
			return (-1);
		}
	}
	local_user_text(c->uid, c->user, sizeof(c->user));
	return (0);
}

static void
spool_look(struct check *c)
{
	size_t	i;

	if (spool_owner(c) == -1)
		return;
	if (c->name == NULL) {
		spool_mode_check(c);
		if (c->qmail.there)
			check_qmail(c);
	}
	configured_check(c);
	for (i = 0; i < c->maildirs.count; i++)
		directory_check(c, &c->maildirs.list[i]);
}

static int
spool_check(struct check *c, const struct conf_spool *spool)
{
	c->spool = spool;
	c->path = spool->settings.path;
	if (local_maildirs_read(&c->maildirs, c->path) == -1) {
		local_say(c->options->err, "%s: %s", c->path,
		    strerror(errno));
		return (-1);
	}
	spool_look(c);
	local_maildirs_free(&c->maildirs);
	return (0);
}

static int
spools_check(struct check *c, const struct autoturnd_conf *conf)
{
	const struct conf_spool	*s;

	TAILQ_FOREACH(s, &conf->spools, entry)
		if (spool_check(c, s) == -1)
			return (2);
	if (c->name != NULL && c->customers == 0) {
		local_say(c->options->err, "%s: no such customer", c->name);
		return (2);
	}
	return (c->slips > 0);
}

int
local_check(const struct local_options *o, const char *name)
{
	struct autoturnd_conf	*conf;
	struct check		 c;
	int			 rv = 2;

	memset(&c, 0, sizeof(c));
	c.options = o;
	c.name = name;
	if ((conf = local_conf_load(o)) == NULL)
		return (2);
	if (qmail_read(&c.qmail, o->qmail_dir) == -1)
		local_say(o->err, "%s: %s", o->qmail_dir, strerror(errno));
	else if (o->qmail_wanted && !c.qmail.there)
		local_say(o->err, "%s: no directory of qmail", o->qmail_dir);
	else
		rv = spools_check(&c, conf);
	qmail_free(&c.qmail);
	autoturnd_conf_free(conf);
	return (rv);
}
