/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the parent's files share.
 */
#ifndef PARENT_H
#define PARENT_H

#include "tcpserverd.h"

struct resolver_host;
struct resolver_addresses;

enum process_kind {
	PROCESS_ENGINE,
	PROCESS_LAUNCHER,
	PROCESS_RESOLVER
};

/* A child of ours, running or waiting to be started again. */
struct process {
	enum process_kind	 kind;
	pid_t			 pid;		/* 0: not running */
	int			 greeted;	/* its hello was right */
	int			 ready;
	int			 was_ready;	/* once, so restart it */
	int			 retired;	/* don't */
	int			 replaced;	/* ended by us: at once */
	struct channel		 ch;
	struct event		 timer;		/* to the next start */
	int64_t			 started_ms;
	unsigned int		 backoff_ms;
	struct service		*service;	/* of a launcher */
	uint32_t		 number;	/* of this run, never reused */
	uint32_t		 synced;	/* last sync it answered */
};

/* A program whose launcher died: we are told of its end, we tell on. */
struct orphan {
	TAILQ_ENTRY(orphan)	 entry;
	struct session_note	 note;
};

/* A service as configured; what the children need goes to them. */
struct service {
	TAILQ_ENTRY(service)	 entry;
	uint32_t		 number;
	struct service_settings	 settings;
	char			*banner;
	char			**argv;
	uid_t			 uid;		/* opens the rules, if set */
	gid_t			 gid;
	struct privsep_hello	 identity;	/* the launchers' */
	int			 listeners[SERVICE_LISTENERS_MAX];
	unsigned int		 listeners_len;
	int			 starts[2];	/* engine's, launchers' end */
	int			 reports[2];
	struct process		*launchers[LAUNCHERS_MAX];
	unsigned int		 launchers_len;
	/* what the engine was last told of the rules */
	int			 rules_error;	/* -1: nothing yet */
	dev_t			 rules_dev;
	ino_t			 rules_ino;

	uint32_t		 sync_number;
	uint32_t		 sync_told;	/* the launchers were */
	unsigned int		 sync_launchers;	/* so many of them */
	int			 sync_needed;	/* someone died */
	struct event		 sync_timer;
	TAILQ_HEAD(, orphan)	 orphans;
	uint64_t		 orphans_len;
};

TAILQ_HEAD(services, service);

/* All of the running configuration. */
struct parent_config {
	struct services	 services;
	char		*exe_path;	/* ours, for engine and launchers */
	struct privsep_hello	 identity;	/* engine's and resolver's */
	int		 resolver_wanted;
	void		(*started)(void);	/* everything is ready */
	int		 running;	/* it was once */
};

extern struct parent_config	config;

/* parent.c */

/*
 * parent_init: the event loop, signals and deaths; before anything else.
 * parent_run: starts the processes, then serves until told to stop.
 * parent_stop: ends every process, then exits with code.
 */
void		parent_init(void);
__dead void	parent_run(void);
void		parent_stop(int);

/*
 * For process.c: tells a process that was just started what it needs; hears
 * what it says; sees to what its death leaves.
 */
void		parent_configure(struct process *);
int		parent_dispatch(struct channel *, struct imsg *);
void		parent_process_ended(struct process *);

/* parent_resolver.c */

/*
 * parent_resolve: asks the resolver for the addresses of a host word;
 * starts it if need be.  0, or -1 when there is no resolver to ask.
 * resolver_run: from now on there is one, or there is none any more.
 * resolver_meets_engine: gives them a channel; each time one of them is new.
 * resolver_recheck: a new resolver if the files it read have changed.
 * resolver_useless: the engine says so of the one of that number.
 */
int		parent_resolve(const struct resolver_host *,
		    struct resolver_addresses *);
void		resolver_run(int);
void		resolver_useless(uint32_t);
void		resolver_meets_engine(struct process *);
void		resolver_recheck(void);

/* process.c */

/*
 * process_new: none runs yet; NULL when there are too many.
 * process_start: runs it; if that fails, tries again later, ever slower.
 * process_ended: it was reaped, with this status.
 * process_retire: it is not needed any more, and not started again.
 * process_replace: it ends, another is started at once.
 */

struct process	*process_new(enum process_kind, struct service *);
void		 process_start(struct process *);
void		 process_ended(struct process *, int);
void		 process_kill(struct process *);
void		 process_retire(struct process *);
void		 process_replace(struct process *);
struct process	*process_by_pid(pid_t);
struct process	*process_next(struct process *);
const char	*process_name(const struct process *);
extern int	 processes_stopping;

/* service.c */

/*
 * service_new: a service with its two queues made; fatal when it can't be.
 * service_rules_send: opens the rules for the engine, or says why not.
 * service_rules_recheck: the same if the path leads elsewhere than last time.
 */
struct service	*service_new(const char *);
struct service	*service_find(uint32_t);
void		 service_tell_engine(struct service *, struct channel *);
void		 service_tell_launcher(struct service *, struct process *);
void		 service_rules_send(struct service *, struct channel *);
void		 service_rules_recheck(struct service *, struct channel *);
void		 service_orphan_add(struct service *,
		    const struct session_note *);
void		 service_orphan_gone(pid_t);

/* identity.c */

/*
 * identity_find: who the engine is to be: _tcpserverd, else the service's
 * own uid and gid, else nobody; nothing to change unless we are root.
 * identity_service: who a service's launcher is to be.
 */
void	identity_find(struct privsep_hello *, const struct service *);
void	identity_service(struct service *, int, gid_t, int, uid_t);

/* listen.c */

/*
 * listen_open: binds a socket to addr:port (*port 0: any, then filled
 * in).  v6only as IPV6_V6ONLY.  Returns the socket, or -1 with errno and
 * what failed ("create socket", "bind", ...) in *what.
 */
int	listen_open(const struct netaddr *, uint16_t *, int, const char **);

/* reaper_SYSTEM.c */

/*
 * reaper_init: the programs of a launcher that dies become ours to wait
 * for, where the system can do that.
 * reaper_watch: where it can't, tell of the end of this one by calling the
 * function with pid and status 0.  Everywhere: if it is gone already, tell
 * of it at once.
 */
void	reaper_init(void (*)(pid_t, int));
void	reaper_watch(pid_t);

#endif
