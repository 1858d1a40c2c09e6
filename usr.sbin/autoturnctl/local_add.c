/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "autoturnctl add NAME ADDRESS DOMAIN": a new customer's Maildir, and what
 * is to be written elsewhere for him.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf_build.h"
#include "local.h"
#include "qmail.h"

#define MAILDIR_MODE	0700

static const char *const	parts[] = { "tmp", "new", "cur" };

/* All that is known of him. */
struct addition {
	const struct local_options *options;
	struct autoturnd_conf	*conf;
	struct conf_spool	*spool;
	struct qmail		 qmail;
	const char		*name;
	const char		*domain;
	struct customer_address	 address;
	char			 prefix[PREFIX_SIZE];
	uid_t			 uid;
	gid_t			 gid;
};

/*
 * May he be?
 */

static int
customer_is_like(const struct addition *a, const struct conf_customer *c,
    const char **what)
{
	const struct conf_address	*address;
	const struct conf_domain	*domain;

	*what = "that name";
	if (strcmp(c->settings.name, a->name) == 0)
		return (1);
	*what = "that Maildir";
	if (strcmp(c->settings.maildir, a->name) == 0)
		return (1);
	*what = "that domain";
	TAILQ_FOREACH(domain, &c->domains, entry)
		if (strcasecmp(domain->name, a->domain) == 0)
			return (1);
	*what = "that address";
	TAILQ_FOREACH(address, &c->addresses, entry)
		if (memcmp(&address->a, &a->address,
		    sizeof(a->address)) == 0)
			return (1);
	return (0);
}

static int
customer_is_new(const struct addition *a)
{
	const struct conf_customer	*c;
	const char			*what;

	TAILQ_FOREACH(c, &a->spool->customers, entry)
		if (customer_is_like(a, c, &what)) {
			local_say(a->options->err, "%s: customer %s has %s, "
			    "see %s:%d", a->name, c->settings.name, what,
			    c->file, c->line);
			return (0);
		}
	return (1);
}

static int
words_check(struct addition *a, const char *address)
{
	FILE		*err = a->options->err;
	const char	*why;

	if ((why = conf_name_why(a->name)) != NULL)
		local_say(err, "%s: %s", a->name, why);
	else if ((why = conf_network_parse(&a->address, address)) != NULL)
		local_say(err, "%s: %s", address, why);
	else if (a->address.prefixlen !=
	    conf_address_bits(&a->address.addr))
		local_say(err, "%s: a network: give the one address where his "
		    "mail goes", address);
	else if (!build_host_valid(a->domain, DOMAIN_SIZE))
		local_say(err, "%s: not a domain", a->domain);
	else
		return (0);
	return (-1);
}

/* As the daemon finds him. */
static int
owner_find(struct addition *a)
{
	const char		*path = a->spool->settings.path;
	struct local_maildirs	 ms;
	struct passwd		*pw;
	int			 rv = 0;

	a->uid = a->spool->uid;
	a->gid = a->spool->gid;
	if (a->spool->user != NULL)
		return (0);
	if (local_maildirs_read(&ms, path) == -1) {
		local_say(a->options->err, "%s: %s", path, strerror(errno));
		return (-1);
	}
	if ((rv = local_maildirs_owner(&ms, &a->uid, &a->gid)) != 0 ||
	    a->uid == 0) {
		local_say(a->options->err, "%s: its Maildirs do not tell whose "
		    "it is: say user in %s", path, a->options->conf_path);
		rv = -1;
	} else if ((pw = getpwuid(a->uid)) != NULL)
		a->gid = pw->pw_gid;
	local_maildirs_free(&ms);
	return (rv);
}

/*
 * The Maildir
 */

/* A directory with that owner and mode, whatever our umask is. */
static int
directory_make(const struct addition *a, int parent, const char *name)
{
	int	fd, saved;

	if (mkdirat(parent, name, MAILDIR_MODE) == -1)
		return (-1);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd != -1 && fchmod(fd, MAILDIR_MODE) == 0 &&
	    ((geteuid() != 0 && a->uid == geteuid()) ||
	    fchown(fd, a->uid, a->gid) == 0))
		return (fd);
	saved = errno;
	if (fd != -1)
		close(fd);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
	errno = saved;
	return (-1);
}

static void
maildir_unmake(const struct addition *a, int spool, int maildir)
{
	size_t	i;
	int	saved = errno;

	for (i = 0; i < nitems(parts); i++)
		(void)unlinkat(maildir, parts[i], AT_REMOVEDIR);
	close(maildir);
	(void)unlinkat(spool, a->name, AT_REMOVEDIR);
	errno = saved;
}

static int
maildir_make_in(const struct addition *a, int spool)
{
	size_t	i;
	int	fd, maildir;

	if ((maildir = directory_make(a, spool, a->name)) == -1)
		return (-1);
	for (i = 0; i < nitems(parts); i++) {
		if ((fd = directory_make(a, maildir, parts[i])) == -1) {
			maildir_unmake(a, spool, maildir);
			return (-1);
		}
		close(fd);
	}
	close(maildir);
	return (0);
}

static int
maildir_make(const struct addition *a)
{
	const char	*path = a->spool->settings.path;
	int		 rv = -1, spool;

	spool = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool != -1) {
		rv = maildir_make_in(a, spool);
		close(spool);
	}
	if (rv == -1)
		local_say(a->options->err, "%s/%s: %s", path, a->name,
		    strerror(errno));
	return (rv);
}

/*
 * What is left to do
 */

/* The line that gives the spool all mail for customers' prefixes. */
static void
assign_print(const struct addition *a, FILE *f)
{
	const char	*dir = a->qmail.dir;
	struct stat	 st;
	char		 path[PATH_MAX], user[64];
	int		 append;

	local_path(path, dir, "users/append");
	append = stat(path, &st) == 0;
	fprintf(f, "\n# %s/users/%s%s:\n", dir, append ? "append" : "assign",
	    append ? "" : ", before the line with the dot");
	fprintf(f, "+autoturn-:%s:%lu:%lu:%s:-::\n",
	    local_user_text(a->uid, user, sizeof(user)),
	    (unsigned long)a->uid, (unsigned long)a->gid,
	    a->spool->settings.path);
	fprintf(f, "# then:\n");
	if (append)
		fprintf(f, "#\t%s/bin/qmail-pw2u </etc/passwd "
		    ">%s/users/assign &&\n", dir, dir);
	fprintf(f, "#\t%s/bin/qmail-newu\n", dir);
}

/* As qmail would deliver; where no assignment is yet, as with ours. */
static void
qmail_file_print(const struct addition *a, FILE *f,
    const struct qmail_assign *assign)
{
	static char		 local[] = "autoturn-", dash[] = "-";
	static char		 pre[] = "";
	struct qmail_assign	 ours;
	char			*name;

	memset(&ours, 0, sizeof(ours));
	ours.wildcard = 1;
	ours.local = local;
	ours.dash = dash;
	ours.pre = pre;
	name = qmail_file_name(assign == NULL ? &ours : assign, a->prefix);
	if (name == NULL)
		return;
	fprintf(f, "\n# %s/%s:\n./%s/\n# by:\n#\techo ./%s/ >%s/%s\n",
	    a->spool->settings.path, name, a->name, a->name,
	    a->spool->settings.path, name);
	free(name);
}

static void
qmail_print(const struct addition *a, FILE *f)
{
	const struct qmail		*q = &a->qmail;
	const struct qmail_assign	*assign;

	assign = qmail_assign_find(q, a->prefix);
	if (assign != NULL && !local_same_directory(assign->home,
	    a->spool->settings.path))
		assign = NULL;
	if (assign == NULL)
		assign_print(a, f);
	qmail_file_print(a, f, assign);
	fprintf(f, "\n# %s/control/virtualdomains, then: pkill -HUP -x "
	    "qmail-send\n%s:%.*s\n", q->dir, a->domain,
	    (int)strlen(a->prefix) - 1, a->prefix);
	if (q->rcpthosts_there && !qmail_list_has(q->rcpthosts, a->domain))
		fprintf(f, "\n# %s/control/rcpthosts:\n%s\n", q->dir,
		    a->domain);
}

static void
block_print(const struct addition *a, FILE *f)
{
	char	text[NETWORK_TEXT_SIZE];

	fprintf(f, "\n# %s, then: autoturnctl reload\ncustomer ",
	    a->options->conf_path);
	conf_print_name(f, a->name);
	fputs(" {\n", f);
	if (TAILQ_NEXT(TAILQ_FIRST(&a->conf->spools), entry) != NULL) {
		fputs("\tspool ", f);
		conf_print_string(f, a->spool->settings.path);
		fputc('\n', f);
	}
	fprintf(f, "\taddress %s\n\tdomain ",
	    conf_network_text(&a->address, text));
	conf_print_name(f, a->domain);
	fputs("\n}\n", f);
}

static void
addition_print(const struct addition *a)
{
	FILE	*f = a->options->out;
	char	 user[64], group[64];

	fprintf(f, "# made: %s/%s, %s:%s, mode 0700\n",
	    a->spool->settings.path, a->name,
	    local_user_text(a->uid, user, sizeof(user)),
	    local_group_text(a->gid, group, sizeof(group)));
	fprintf(f, "\n# DNS:\n%s.\tIN\tMX\t10 %s.\n", a->domain,
	    a->spool->settings.hostname);
	if (a->qmail.there)
		qmail_print(a, f);
	block_print(a, f);
}

static int
addition_make(struct addition *a, const char *path, const char *address)
{
	const struct local_options	*o = a->options;

	if ((a->conf = local_conf_load(o)) == NULL ||
	    (a->spool = local_spool_find(o, a->conf, path)) == NULL ||
	    words_check(a, address) == -1 || !customer_is_new(a) ||
	    owner_find(a) == -1)
		return (-1);
	if (qmail_read(&a->qmail, o->qmail_dir) == -1) {
		local_say(o->err, "%s: %s", o->qmail_dir, strerror(errno));
		return (-1);
	}
	if (o->qmail_wanted && !a->qmail.there) {
		local_say(o->err, "%s: no directory of qmail", o->qmail_dir);
		return (-1);
	}
	snprintf(a->prefix, sizeof(a->prefix), CONF_PREFIX_DEFAULT, a->name);
	return (maildir_make(a));
}

int
local_add(const struct local_options *o, const char *name,
    const char *address, const char *domain, const char *spool)
{
	struct addition	a;
	int		rv;

	memset(&a, 0, sizeof(a));
	a.options = o;
	a.name = name;
	a.domain = domain;
	if ((rv = addition_make(&a, spool, address)) == 0)
		addition_print(&a);
	qmail_free(&a.qmail);
	autoturnd_conf_free(a.conf);
	return (rv == 0 ? 0 : 1);
}
