/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A configuration put in force.  First everything that can fail is done for
 * all of it and kept in plans: owners found, state directories made, rights
 * tried, sockets bound.  Only then is anything changed, and the queues told.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parent.h"
#include "spool.h"

struct plan {
	TAILQ_ENTRY(plan)	 entry;
	struct conf_spool	*conf;
	struct spool		*spool;		/* NULL: it is new */
	struct privsep_hello	 identity;
	char			 state_path[PATH_MAX];
	char			 poke_path[PATH_MAX];	/* "": none */
	int			 poke_fd;	/* -1: stays, or none */
};

TAILQ_HEAD(plans, plan);

void
configure_tell(parent_report *report, void *arg, const char *fmt, ...)
{
	char	line[2 * PATH_MAX + 512];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	report(line, arg);
}

/*
 * Plans: what can fail
 */

static struct spool *
spool_by_path(const char *path)
{
	struct spool	*sp;

	TAILQ_FOREACH(sp, &parent.spools, entry)
		if (strcmp(sp->path, path) == 0)
			return (sp);
	return (NULL);
}

/*
 * Without it new mail is found at the Maildir's turn: a name that is too long
 * for a socket is no reason not to start.
 */
static int
plan_poke(struct plan *pn, const char *state, parent_report *report,
    void *arg)
{
	const struct conf_spool	*cs = pn->conf;
	uid_t			 uid = geteuid() == 0 ? cs->uid : (uid_t)-1;

	if (spool_poke_path(state, cs->settings.path, pn->poke_path,
	    sizeof(pn->poke_path)) == -1)
		pn->poke_path[0] = '\0';
	if (pn->spool != NULL && pn->spool->poke.path != NULL &&
	    strcmp(pn->spool->poke.path, pn->poke_path) == 0)
		return (0);
	pn->poke_fd = named_open(pn->poke_path, SOCK_DGRAM, 0600, uid,
	    (gid_t)-1);
	if (pn->poke_fd != -1) {
		/* Who hears there can't speak to others, see sandbox.h. */
		(void)shutdown(pn->poke_fd, SHUT_WR);
		return (0);
	}
	if (errno == ENAMETOOLONG) {
		configure_tell(report, arg, "warning: %s:%d: spool \"%s\": "
		    "the name of its socket is too long, mail.autoturn will "
		    "not be heard: \"%s\"", cs->file, cs->line,
		    cs->settings.path, pn->poke_path);
		pn->poke_path[0] = '\0';
		return (0);
	}
	configure_tell(report, arg, "socket \"%s\": %s", pn->poke_path,
	    errno == EADDRINUSE ? "another daemon has it" : strerror(errno));
	return (-1);
}

static int
plan_fill(struct plan *pn, const char *state, parent_report *report,
    void *arg)
{
	struct conf_spool	*cs = pn->conf;

	if (spool_user_find(cs, report, arg) == -1 ||
	    spool_state_make(cs, state, report, arg) == -1)
		return (-1);
	identity_spool(&pn->identity, cs);
	if (spool_state_path(state, cs->settings.path, pn->state_path,
	    sizeof(pn->state_path)) == -1 ||
	    spool_prove(cs, &pn->identity, pn->state_path, report, arg) == -1)
		return (-1);
	return (plan_poke(pn, state, report, arg));
}

static int
plan_make(struct plans *plans, struct conf_spool *cs, const char *state,
    parent_report *report, void *arg)
{
	struct plan	*pn;

	if ((pn = calloc(1, sizeof(*pn))) == NULL) {
		configure_tell(report, arg, "spool \"%s\": %s",
		    cs->settings.path, strerror(errno));
		return (-1);
	}
	pn->conf = cs;
	pn->poke_fd = -1;
	pn->spool = spool_by_path(cs->settings.path);
	TAILQ_INSERT_TAIL(plans, pn, entry);
	return (plan_fill(pn, state, report, arg));
}

static int
plans_make(struct plans *plans, struct autoturnd_conf *conf,
    parent_report *report, void *arg)
{
	struct conf_spool	*cs;
	int			 bad = 0;

	TAILQ_FOREACH(cs, &conf->spools, entry)
		bad |= plan_make(plans, cs, conf->state_path, report, arg);
	return (bad);
}

static void
plans_free(struct plans *plans)
{
	struct plan	*pn;

	while ((pn = TAILQ_FIRST(plans)) != NULL) {
		TAILQ_REMOVE(plans, pn, entry);
		if (pn->poke_fd != -1) {
			close(pn->poke_fd);
			(void)unlink(pn->poke_path);
		}
		free(pn);
	}
}

/*
 * Changes: what can't fail
 */

static struct spool *
spool_new(const char *path)
{
	static uint32_t	 number;
	struct spool	*sp;

	if ((sp = calloc(1, sizeof(*sp))) == NULL ||
	    (sp->path = strdup(path)) == NULL)
		fatal("spool \"%s\"", path);
	sp->number = ++number;
	TAILQ_INSERT_TAIL(&parent.spools, sp, entry);
	return (sp);
}

static void
poke_take(struct spool *sp, struct plan *pn)
{
	if (pn->poke_fd == -1) {
		if (sp->poke.path != NULL && geteuid() == 0 &&
		    named_owner_change(&sp->poke, pn->conf->uid,
		    (gid_t)-1) == -1)
			log_warn("socket \"%s\"", sp->poke.path);
		return;
	}
	named_forget(&sp->poke);
	if (named_take(&sp->poke, pn->poke_path, pn->poke_fd,
	    geteuid() == 0 ? pn->conf->uid : (uid_t)-1, (gid_t)-1) == -1)
		fatal("socket \"%s\"", pn->poke_path);
	pn->poke_fd = -1;
}

/* Another user, or other books: that a queue can't become. */
static int
plan_renews(const struct plan *pn)
{
	return (memcmp(&pn->identity, &pn->spool->identity,
	    sizeof(pn->identity)) != 0 ||
	    strcmp(pn->state_path, pn->spool->state_path) != 0);
}

static void
plan_apply(struct plan *pn)
{
	struct spool	*sp = pn->spool;
	int		 renew = sp != NULL && plan_renews(pn);

	if (sp == NULL)
		sp = spool_new(pn->conf->settings.path);
	sp->conf = pn->conf;
	sp->identity = pn->identity;
	strlcpy(sp->state_path, pn->state_path, sizeof(sp->state_path));
	poke_take(sp, pn);
	if (parent.relay == NULL)
		return;			/* nothing runs yet */
	if (renew)
		parent_spool_leave(sp);
	else
		parent_spool_tell(sp);
	parent_spool_start(sp);
}

static void
spools_remove(const struct plans *plans)
{
	struct spool	*sp, *next;
	struct plan	*pn;

	for (sp = TAILQ_FIRST(&parent.spools); sp != NULL; sp = next) {
		next = TAILQ_NEXT(sp, entry);
		TAILQ_FOREACH(pn, plans, entry)
			if (strcmp(pn->conf->settings.path, sp->path) == 0)
				break;
		if (pn != NULL || sp->conf == NULL)
			continue;
		sp->conf = NULL;
		parent_spool_leave(sp);
	}
}

static int
text_same(const char *a, const char *b)
{
	return (a == NULL || b == NULL ? a == b : strcmp(a, b) == 0);
}

static void
plans_apply(struct plans *plans, struct autoturnd_conf *conf)
{
	struct autoturnd_conf	*before = parent.conf;
	struct plan		*pn;

	parent.conf = conf;
	spools_remove(plans);
	TAILQ_FOREACH(pn, plans, entry)
		plan_apply(pn);
	if (parent.relay != NULL)
		callers_listen();
	if (before != NULL && !text_same(before->event_path,
	    conf->event_path))
		tcpserverd_changed();
	if (parent.syslog)
		log_syslog(conf->log_facility);
	autoturnd_conf_free(before);
}

int
configure_apply(struct autoturnd_conf *conf, parent_report *report,
    void *arg)
{
	struct plans	plans = TAILQ_HEAD_INITIALIZER(plans);
	int		fds[PARENT_SOCKETS];

	if (plans_make(&plans, conf, report, arg) != 0) {
		plans_free(&plans);
		return (-1);
	}
	if (sockets_make(conf, fds, report, arg) == -1) {
		sockets_undo(conf, fds);
		plans_free(&plans);
		return (-1);
	}
	sockets_take(conf, fds);
	plans_apply(&plans, conf);
	plans_free(&plans);
	return (0);
}

int
configure_reload(parent_report *report, void *arg)
{
	struct autoturnd_conf	*conf;

	conf = autoturnd_conf_load(parent.conf_path, parent.defines, report,
	    arg);
	if (conf == NULL)
		return (-1);
	if (configure_apply(conf, report, arg) == -1) {
		autoturnd_conf_free(conf);
		return (-1);
	}
	parent.reloads++;
	parent.loaded_at = time(NULL);
	return (0);
}

void
pokes_end(void)
{
	struct spool	*sp;

	TAILQ_FOREACH(sp, &parent.spools, entry)
		named_forget(&sp->poke);
}
