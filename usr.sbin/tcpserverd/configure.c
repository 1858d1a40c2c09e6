/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The parent's services made what the configuration says.  First everything
 * that can fail is done for all of it and kept in plans: rules compiled,
 * ports bound.  Only then is anything changed, and the engine told.
 *
 * A service is known by its name from one configuration to the next; a
 * listener by its address and port, whichever service has it.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parent.h"
#include "configure.h"
#include "listenfds.h"

/* A socket that a service will listen on. */
struct plan_listener {
	TAILQ_ENTRY(plan_listener) entry;
	struct service		*owner;		/* has it now; NULL: nobody */
	struct listener		*listener;	/* with owner */
	int			 fd;		/* without */
	int			 backlog;
	struct netaddr		 addr;
	uint16_t		 asked;		/* port, 0: any */
	uint16_t		 port;
};

struct plan {
	TAILQ_ENTRY(plan)	 entry;
	const struct conf_service *conf;
	struct service		*sv;
	int			 is_new;	/* made for this plan */
	TAILQ_HEAD(, plan_listener) listeners;
	int			 rules_fd;	/* of text; -1: none */
	struct stat		 rules_st;
	struct rlimit_note	*rlimits;
	unsigned int		 rlimits_len;
	int			 starts[2];	/* its queue; -1: stays */
};

TAILQ_HEAD(plans, plan);

/* Who hears what is wrong. */
struct ear {
	configure_report	*report;
	void			*arg;
};

struct engine_setup		 configure_setup;
struct configure_options	 configure_options;

static struct daemon_conf	*current;
static struct plans		 plans;
/* Only what is listened on is to change. */
static int			 rules_stay;

static void	ear_tell(const struct ear *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static void
ear_tell(const struct ear *ear, const char *fmt, ...)
{
	char	line[PATH_MAX + 512];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ear->report(line, ear->arg);
}

/*
 * Plans: what can fail
 */

static struct service *
service_by_name(const char *name)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &config.services, entry)
		if (strcmp(sv->settings.name, name) == 0)
			return (sv);
	return (NULL);
}

static int
netaddr_same(const struct netaddr *a, const struct netaddr *b)
{
	size_t	len = a->family == AF_INET ? 4 : 16;

	return (a->family == b->family && a->scope == b->scope &&
	    memcmp(a->bytes, b->bytes, len) == 0);
}

/* By whichever service. */
static int
listener_wanted(const struct listener *l)
{
	const struct plan		*pn;
	const struct plan_listener	*pl;

	TAILQ_FOREACH(pn, &plans, entry)
		TAILQ_FOREACH(pl, &pn->listeners, entry)
			if (pl->listener == l)
				return (1);
	return (0);
}

/* A port that was given as 0 is the same only to the service that has it. */
static int
listener_fits(const struct listener *l, const struct service *owner,
    const struct plan *pn, const struct plan_listener *pl)
{
	return (l->asked == pl->asked &&
	    (pl->asked != 0 || owner == pn->sv) &&
	    netaddr_same(&l->note.addr, &pl->addr) && !listener_wanted(l));
}

/* Is it there already, whoever has it? */
static int
listener_find(const struct plan *pn, struct plan_listener *pl)
{
	struct service	*sv;
	struct listener	*l;

	TAILQ_FOREACH(sv, &config.services, entry)
		TAILQ_FOREACH(l, &sv->listeners, entry)
			if (listener_fits(l, sv, pn, pl)) {
				pl->owner = sv;
				pl->listener = l;
				pl->port = l->note.port;
				return (1);
			}
	return (0);
}

/* An inherited socket for :: may take IPv4 as well: still so in a reload. */
static int
socket_covers(const struct plan_listener *other)
{
	socklen_t	len = sizeof(int);
	int		v6only = 1, fd;

	fd = other->listener != NULL ? other->listener->fd : other->fd;
	return (fd >= 0 && getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
	    &len) == 0 && !v6only);
}

static int
listener_covered(const struct plan_listener *pl)
{
	static const struct netaddr	 any4 = { .family = AF_INET };
	static const struct netaddr	 any6 = { .family = AF_INET6 };
	const struct plan		*pn;
	const struct plan_listener	*other;

	if (!netaddr_same(&pl->addr, &any4))
		return (0);
	TAILQ_FOREACH(pn, &plans, entry)
		TAILQ_FOREACH(other, &pn->listeners, entry)
			if (other->port == pl->port &&
			    netaddr_same(&other->addr, &any6) &&
			    socket_covers(other))
				return (1);
	return (0);
}

static int
listener_make(struct plan_listener *pl, const struct conf_listen *cl,
    const struct ear *ear)
{
	char		 text[NETADDR_TEXT_SIZE];
	const char	*what = "listen";

	if (listener_covered(pl))
		return (0);
	pl->fd = listenfds_take(&pl->addr, pl->port);
	if (pl->fd == LISTENFDS_COVERED)
		return (0);
	if (pl->fd == -1)
		pl->fd = listen_open(&pl->addr, &pl->port, 1, &what);
	if (pl->fd != -1 && listen(pl->fd, pl->backlog) == 0)
		return (0);
	ear_tell(ear, "%s:%d: listen on %s port %s: unable to %s to %s: %s",
	    cl->file, cl->line, cl->host, cl->port_word, what,
	    netaddr_text(&pl->addr, text), strerror(errno));
	return (-1);
}

static int
plan_listener_add(struct plan *pn, const struct conf_listen *cl,
    const struct netaddr *addr, const struct ear *ear)
{
	struct plan_listener	*pl;

	if ((pl = calloc(1, sizeof(*pl))) == NULL) {
		ear_tell(ear, "listen: %s", strerror(errno));
		return (-1);
	}
	pl->fd = -1;
	pl->addr = *addr;
	pl->asked = pl->port = cl->port;
	pl->backlog = cl->backlog;
	TAILQ_INSERT_TAIL(&pn->listeners, pl, entry);
	if (listener_find(pn, pl))
		return (0);
	return (listener_make(pl, cl, ear));
}

/* IPv6 first: an inherited socket may serve both (listenfds.h). */
static int
plan_listeners(struct plan *pn, int family, const struct ear *ear)
{
	const struct conf_listen	*cl;
	unsigned int			 i;
	int				 bad = 0;

	if (pn->sv->settings.flags & SERVICE_DRAINED)
		return (0);
	TAILQ_FOREACH(cl, &pn->conf->listens, entry)
		for (i = 0; i < cl->addrs_len; i++)
			if (cl->addrs[i].family == family)
				bad |= plan_listener_add(pn, cl,
				    &cl->addrs[i], ear);
	return (bad);
}

/* A database was looked at with the rest of the file. */
static int
plan_rules(struct plan *pn, const struct ear *ear)
{
	const struct conf_service	*cs = pn->conf;

	if (rules_stay || cs->rules_kind != CONF_RULES_TEXT)
		return (0);
	if ((cs->flags & SERVICE_RULES_OPTIONAL) &&
	    access(cs->rules, F_OK) == -1 && errno == ENOENT)
		return (0);
	pn->rules_fd = rules_compile(cs->rules, &pn->rules_st, ear->report,
	    ear->arg);
	return (pn->rules_fd == -1 ? -1 : 0);
}

static int
plan_rlimits(struct plan *pn, const struct ear *ear)
{
	const struct conf_rlimit	*cr;
	struct rlimit_note		*r;
	size_t				 n = 0;

	TAILQ_FOREACH(cr, &pn->conf->rlimits, entry)
		n++;
	if (n == 0)
		return (0);
	if ((pn->rlimits = calloc(n, sizeof(*pn->rlimits))) == NULL) {
		ear_tell(ear, "rlimit: %s", strerror(errno));
		return (-1);
	}
	TAILQ_FOREACH(cr, &pn->conf->rlimits, entry) {
		r = &pn->rlimits[pn->rlimits_len++];
		r->resource = cr->resource;
		r->soft = cr->limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX :
		    cr->limit.rlim_cur;
		r->hard = cr->limit.rlim_max == RLIM_INFINITY ? UINT64_MAX :
		    cr->limit.rlim_max;
	}
	return (0);
}

/*
 * Programs of another user: those of the one before must not get at the
 * clients that come from now on.
 */
static int
plan_starts(struct plan *pn, const struct ear *ear)
{
	struct privsep_hello	identity;

	if (pn->is_new)
		return (0);
	identity_configured(&identity, pn->conf);
	if (memcmp(&identity, &pn->sv->launch.identity,
	    sizeof(identity)) == 0)
		return (0);
	if (service_starts_open(pn->starts) == 0)
		return (0);
	ear_tell(ear, "service %s: start queue: %s", pn->conf->name,
	    strerror(errno));
	pn->starts[0] = pn->starts[1] = -1;
	return (-1);
}

static struct plan *
plan_new(const struct conf_service *cs)
{
	struct plan	*pn;

	if ((pn = calloc(1, sizeof(*pn))) == NULL)
		return (NULL);
	pn->conf = cs;
	pn->rules_fd = pn->starts[0] = pn->starts[1] = -1;
	TAILQ_INIT(&pn->listeners);
	pn->sv = service_by_name(cs->name);
	pn->is_new = pn->sv == NULL;
	if (pn->is_new && (pn->sv = service_new(cs->name)) == NULL) {
		free(pn);
		return (NULL);
	}
	TAILQ_INSERT_TAIL(&plans, pn, entry);
	return (pn);
}

static int
plan_make(const struct conf_service *cs, const struct ear *ear)
{
	struct plan	*pn;

	if ((pn = plan_new(cs)) == NULL) {
		ear_tell(ear, "service %s: %s", cs->name, strerror(errno));
		return (-1);
	}
	return (plan_rules(pn, ear) | plan_rlimits(pn, ear) |
	    plan_starts(pn, ear) |
	    plan_listeners(pn, AF_INET6, ear) |
	    plan_listeners(pn, AF_INET, ear));
}

static int
plans_make(const struct daemon_conf *conf, const struct ear *ear)
{
	const struct conf_service	*cs;
	int				 bad = 0;

	TAILQ_INIT(&plans);
	TAILQ_FOREACH(cs, &conf->services, entry)
		bad |= plan_make(cs, ear);
	return (bad);
}

static void
plan_free(struct plan *pn)
{
	struct plan_listener	*pl;

	while ((pl = TAILQ_FIRST(&pn->listeners)) != NULL) {
		TAILQ_REMOVE(&pn->listeners, pl, entry);
		if (pl->fd >= 0)
			close(pl->fd);
		free(pl);
	}
	if (pn->rules_fd != -1)
		close(pn->rules_fd);
	if (pn->starts[0] != -1) {
		close(pn->starts[0]);
		close(pn->starts[1]);
	}
	if (pn->is_new)
		service_free(pn->sv);
	free(pn->rlimits);
	TAILQ_REMOVE(&plans, pn, entry);
	free(pn);
}

static void
plans_free(void)
{
	struct plan	*pn;

	while ((pn = TAILQ_FIRST(&plans)) != NULL)
		plan_free(pn);
}

/*
 * Changes: what can't fail
 */

static int
words_same(char *const *a, char *const *b)
{
	size_t	i;

	if (a == NULL || b == NULL)
		return (a == b);
	for (i = 0; a[i] != NULL && b[i] != NULL; i++)
		if (strcmp(a[i], b[i]) != 0)
			return (0);
	return (a[i] == b[i]);
}

static int
text_same(const char *a, const char *b)
{
	return (a == NULL || b == NULL ? a == b : strcmp(a, b) == 0);
}

static int
launch_same(const struct launch *a, const struct launch *b)
{
	return (memcmp(&a->identity, &b->identity, sizeof(a->identity)) == 0 &&
	    words_same(a->argv, b->argv) &&
	    words_same(a->env_set, b->env_set) &&
	    words_same(a->env_unset, b->env_unset) &&
	    a->rlimits_len == b->rlimits_len &&
	    (a->rlimits_len == 0 || memcmp(a->rlimits, b->rlimits,
	    a->rlimits_len * sizeof(*a->rlimits)) == 0) &&
	    text_same(a->directory, b->directory) &&
	    a->log_json == b->log_json);
}

/* Launchers log, too, and are never told of a change. */
static int
log_same(const struct service *sv, const struct conf_service *cs)
{
	return (sv->settings.log_level == cs->log_level &&
	    sv->settings.log_facility == (uint32_t)cs->log_facility);
}

static void
launch_fill(struct launch *la, struct plan *pn)
{
	const struct conf_service	*cs = pn->conf;

	memset(la, 0, sizeof(*la));
	identity_configured(&la->identity, cs);
	la->argv = cs->argv;
	la->env_set = cs->env_set;
	la->env_unset = cs->env_unset;
	la->directory = cs->directory;
	la->log_json = configure_setup.log_json;
	la->rlimits = pn->rlimits;
	la->rlimits_len = pn->rlimits_len;
	pn->rlimits = NULL;
}

static void
free_rlimits(struct service *sv)
{
	union { const struct rlimit_note *c; void *v; } u;

	u.c = sv->launch.rlimits;
	free(u.v);
	sv->launch.rlimits = NULL;
	sv->launch.rlimits_len = 0;
}

static uint32_t
settings_flags(const struct service *sv, const struct conf_service *cs)
{
	uint32_t	flags;

	flags = cs->flags | SERVICE_LOCAL_NAME;
	flags |= sv->settings.flags & (SERVICE_PAUSED | SERVICE_DRAINED);
	if (cs->rules_kind != CONF_RULES_NONE)
		flags |= SERVICE_RULES;
	if (cs->close)
		flags |= SERVICE_CLOSE;
	if (cs->notify & CONF_NOTIFY_CONNECT)
		flags |= SERVICE_NOTIFY_CONNECT;
	if (cs->notify & CONF_NOTIFY_END)
		flags |= SERVICE_NOTIFY_END;
	return (flags);
}

static void
settings_fill(struct service *sv, const struct conf_service *cs)
{
	struct service_settings	*set = &sv->settings;

	set->flags = settings_flags(sv, cs);
	set->log_level = cs->log_level;
	set->log_facility = (uint32_t)cs->log_facility;
	set->sessions_max = cs->sessions_max;
	if (sv->sessions_high < cs->sessions_max)
		sv->sessions_high = cs->sessions_max;
	set->ident_timeout_s = cs->ident_timeout_s;
	set->banner_len = (uint32_t)cs->banner_len;
	sv->banner = cs->banner;
	/* Their lengths were checked with the rest of the file. */
	memset(set->local_name, 0, sizeof(set->local_name));
	if (cs->local_name != NULL)
		strlcpy(set->local_name, cs->local_name,
		    sizeof(set->local_name));
	memset(set->rules_path, 0, sizeof(set->rules_path));
	if (cs->rules != NULL)
		strlcpy(set->rules_path, cs->rules, sizeof(set->rules_path));
}

static void
listener_gone(struct service *sv, struct listener *l)
{
	if (parent_engine() != NULL)
		(void)channel_send(parent_engine(),
		    IMSG_ENGINE_LISTENER_CLOSE, sv->number, -1,
		    &l->note.number, sizeof(l->note.number));
	service_listener_free(sv, l);
}

static void
listener_give(struct service *sv, int fd, const struct plan_listener *pl)
{
	struct listener	*l;

	l = service_listener_add(sv, fd, pl->backlog, &pl->addr, pl->port);
	l->asked = pl->asked;
}

/* From a service that had it; its clients in the backlog come along. */
static void
listener_move(struct service *to, struct plan_listener *pl)
{
	struct listener	*l = pl->listener;
	int		 fd = l->fd;

	l->fd = -1;
	listener_gone(pl->owner, l);
	listener_give(to, fd, pl);
}

static void
plan_listener_take(struct service *sv, struct plan_listener *pl)
{
	if (pl->listener == NULL && pl->fd >= 0)
		listener_give(sv, pl->fd, pl);
	else if (pl->listener != NULL && pl->owner != sv)
		listener_move(sv, pl);
	else if (pl->listener != NULL && pl->listener->backlog != pl->backlog &&
	    listen(pl->listener->fd, pl->backlog) == 0)
		pl->listener->backlog = pl->backlog;
	pl->fd = -1;
}

static void
listeners_take(struct service *sv, struct plan *pn)
{
	struct plan_listener	*pl;
	struct listener		*l, *next;

	for (l = TAILQ_FIRST(&sv->listeners); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (!listener_wanted(l))
			listener_gone(sv, l);
	}
	TAILQ_FOREACH(pl, &pn->listeners, entry)
		plan_listener_take(sv, pl);
}

static void
rules_take(struct service *sv, struct plan *pn)
{
	if (rules_stay)
		return;
	if (sv->rules_fd != -1)
		close(sv->rules_fd);
	sv->rules_fd = pn->rules_fd;
	sv->rules_text = pn->conf->rules_kind == CONF_RULES_TEXT;
	sv->rules_st = pn->rules_st;
	pn->rules_fd = -1;
}

/* A new database from text is not told of by its path. */
static void
rules_tell(struct service *sv)
{
	if (sv->rules_text && !rules_stay && parent_engine() != NULL)
		service_rules_send(sv, parent_engine());
}

/* Who was let in before is started by those who were there before. */
static void
launchers_take(struct service *sv, struct plan *pn)
{
	if (pn->starts[0] == -1)
		parent_service_retire(sv, IMSG_LAUNCHER_RETIRE);
	else {
		parent_service_retire(sv, IMSG_LAUNCHER_DRAIN);
		service_starts_renew(sv, pn->starts);
		pn->starts[0] = pn->starts[1] = -1;
	}
	parent_service_start(sv);
}

static void
plan_apply(struct plan *pn)
{
	struct launch	 launch;
	struct service	*sv = pn->sv;
	int		 is_new = pn->is_new, same;

	/* From here on it stays. */
	pn->is_new = 0;
	launch_fill(&launch, pn);
	same = !is_new && launch_same(&launch, &sv->launch) &&
	    log_same(sv, pn->conf);
	free_rlimits(sv);
	sv->launch = launch;
	settings_fill(sv, pn->conf);
	listeners_take(sv, pn);
	rules_take(sv, pn);
	if (!processes_running)
		return;
	if (is_new)
		parent_tell_service(sv);
	else if (parent_engine() != NULL)
		service_settings_tell(sv, parent_engine());
	rules_tell(sv);
	if (!same)
		launchers_take(sv, pn);
}

/* Its sessions go on, counted and told of. */
static void
service_remove(struct service *sv)
{
	struct listener	*l;

	/* Should it come back, nobody has paused it. */
	sv->settings.flags |= SERVICE_REMOVED;
	sv->settings.flags &= ~(uint32_t)(SERVICE_RULES | SERVICE_PAUSED |
	    SERVICE_DRAINED);
	sv->settings.banner_len = 0;
	sv->banner = NULL;
	while ((l = TAILQ_FIRST(&sv->listeners)) != NULL)
		listener_gone(sv, l);
	free_rlimits(sv);
	memset(&sv->launch, 0, sizeof(sv->launch));
	parent_service_retire(sv, IMSG_LAUNCHER_RETIRE);
	if (parent_engine() != NULL)
		service_settings_tell(sv, parent_engine());
	parent_service_gone(sv);
}

static void
services_remove(void)
{
	struct service	*sv, *next;
	struct plan	*pn;

	for (sv = TAILQ_FIRST(&config.services); sv != NULL; sv = next) {
		next = TAILQ_NEXT(sv, entry);
		TAILQ_FOREACH(pn, &plans, entry)
			if (pn->sv == sv)
				break;
		if (pn == NULL && !(sv->settings.flags & SERVICE_REMOVED))
			service_remove(sv);
	}
}

static void
setup_fill(const struct daemon_conf *conf)
{
	struct engine_setup	*set = &configure_setup;

	if (current != NULL && conf != current) {
		set->reloads++;
		set->loaded_at = time(NULL);
	}
	set->log_json = conf->log_json != 0;
	set->log_facility = (uint32_t)conf->log_facility;
	set->event_uid = conf->event_user != NULL ? conf->event_uid :
	    UINT32_MAX;
	strlcpy(set->conf_path, conf->path, sizeof(set->conf_path));
}

/* All of it was asked of names, and the engine looks nothing else up. */
static int
resolver_needed(void)
{
	const struct service	*sv;

	TAILQ_FOREACH(sv, &config.services, entry)
		if (sv->settings.flags &
		    (SERVICE_REMOTE_NAME | SERVICE_IDENT))
			return (1);
	return (0);
}

static void
plans_apply(struct daemon_conf *conf)
{
	struct plan	*pn;

	setup_fill(conf);
	TAILQ_FOREACH(pn, &plans, entry)
		plan_apply(pn);
	services_remove();
	config.resolver_wanted = resolver_needed();
	if (!processes_running)
		return;
	parent_setup_tell();
	parent_sockets_tell();
	parent_configured();
	resolver_run(config.resolver_wanted);
}

int
configure_apply(struct daemon_conf *conf, configure_report *report,
    void *arg)
{
	struct ear	ear = { report, arg };
	int		fds[SOCKET_EVENT + 1];

	if (plans_make(conf, &ear) != 0) {
		plans_free();
		return (-1);
	}
	if (sockets_make(conf, fds, report, arg) == -1) {
		sockets_undo(conf, fds);
		plans_free();
		return (-1);
	}
	sockets_take(conf, fds);
	plans_apply(conf);
	plans_free();
	if (current != conf)
		daemon_conf_free(current);
	current = conf;
	return (0);
}

int
configure_reload(configure_report *report, void *arg)
{
	struct daemon_conf	*conf;

	conf = daemon_conf_load(configure_options.conf_path,
	    configure_options.defines, report, arg);
	if (conf == NULL)
		return (-1);
	if (configure_apply(conf, report, arg) == -1) {
		daemon_conf_free(conf);
		return (-1);
	}
	return (0);
}

/* Rules that are broken just now are no reason not to drain a service. */
int
configure_again(configure_report *report, void *arg)
{
	int	error;

	rules_stay = 1;
	error = configure_apply(current, report, arg);
	rules_stay = 0;
	return (error);
}
