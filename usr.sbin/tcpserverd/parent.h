/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the parent's files share.
 */
#ifndef PARENT_H
#define PARENT_H

#include <sys/stat.h>

#include "process.h"
#include "tcpserverd.h"

struct resolver_host;
struct resolver_addresses;

/* process.kind; the owner of a launcher is its service. */
enum process_kind {
	PROCESS_ENGINE,
	PROCESS_LAUNCHER,
	PROCESS_RESOLVER
};

/* A listening socket; the engine has a copy. */
struct listener {
	TAILQ_ENTRY(listener)	 entry;
	int			 fd;
	int			 backlog;
	uint16_t		 asked;		/* port: 0 got any */
	struct listener_note	 note;
};

TAILQ_HEAD(listeners, listener);

/* How the programs of a service are started. */
struct launch {
	struct privsep_hello	 identity;
	char			**argv;		/* NULL: none are */
	char			**env_set;	/* NULL: nothing */
	char			**env_unset;
	const struct rlimit_note *rlimits;
	unsigned int		 rlimits_len;
	const char		*directory;	/* NULL: ours */
	uint32_t		 log_json;
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
	const char		*banner;
	struct launch		 launch;
	uid_t			 uid;		/* opens the rules, if set */
	gid_t			 gid;
	struct listeners	 listeners;
	int			 starts[2];	/* engine's, launchers' end */
	int			 reports[2];
	unsigned int		 launchers_len;	/* that are not retired */
	/* rules that are text are compiled by us */
	int			 rules_text;
	int			 rules_fd;	/* the result; -1: none */
	struct stat		 rules_st;	/* what it was made from */
	uint32_t		 flags_before;	/* for orders.c */
	/* what the engine was last told of the rules */
	int			 rules_error;	/* -1: nothing yet */
	dev_t			 rules_dev;
	ino_t			 rules_ino;

	uint32_t		 sync_number;
	uint32_t		 sync_told;	/* the launchers were */
	int			 sync_needed;	/* someone died */
	struct event		 sync_timer;
	TAILQ_HEAD(, orphan)	 orphans;
	uint64_t		 orphans_len;
	uint64_t		 sessions_high;	/* sessions_max, highest */
};

TAILQ_HEAD(services, service);

/* All of the running configuration. */
struct parent_config {
	struct services	 services;
	char		*exe_path;	/* ours, for engine and launchers */
	struct privsep_hello	 identity;	/* engine's and resolver's */
	int		 resolver_wanted;
	void		(*started)(void);	/* everything is ready */

	/* the daemon's; NULL in the classic face */
	const struct engine_setup *setup;
	int		 syslog;	/* descriptor 2 leads there */
	int		 sockets[SOCKET_EVENT + 1];	/* -1: none */
	void		(*control)(const struct control_order *);
	void		(*log_wanted)(void);
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

/* A file that was looked at twice: the same, and nobody wrote to it? */
int		parent_file_same(const struct stat *, const struct stat *);

/*
 * For a change of the configuration: parent_tell_service gives the running
 * engine what it has to know of a service that is new or has changed;
 * parent_service_start starts the launcher of a service, if it needs one.
 * parent_setup_tell, parent_sockets_tell: what is about no service;
 * parent_configured: all is said.
 * parent_service_retire: those that it has start nothing any more, at once
 * (IMSG_LAUNCHER_RETIRE) or from the end of their queue on (..._DRAIN).
 * parent_service_gone: if nothing of a removed service is left, forgets it.
 * parent_engine: where the engine is told; NULL: there is none just now.
 */
void		parent_tell_service(struct service *);
void		parent_setup_tell(void);
void		parent_sockets_tell(void);
void		parent_configured(void);
void		parent_service_start(struct service *);
void		parent_service_retire(struct service *, uint32_t);
void		parent_service_gone(struct service *);
struct channel	*parent_engine(void);

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
 * process_exe_find: finds what engine and launchers are to run, ourselves,
 * by argv[0] where the system does not tell; before any of them is started.
 * The others are parent.c's, for the struct process_frame.
 */
void		 process_exe_find(const char *);
const char	*process_name(const struct process *);
pid_t		 process_exec(const struct process *, int *);
void		 process_identity(const struct process *,
		    struct privsep_hello *);

/* service.c */

/*
 * service_new: a service with its two queues made; NULL with errno.
 * service_free: nothing of it may run any more.
 * service_find: the one of that number, or NULL; service_existed: 1 if there
 * was ever one.
 * service_listener_add: takes fd, which listens on that address and port.
 * service_listener_free: closes its fd, unless that is -1: another service
 * has it now.
 * service_starts_open: another start queue; 0, or -1 and errno.
 * service_starts_renew: takes it; the one before has an end when engine and
 * launchers have come to it, and nobody who reads that one reads the new one.
 * service_tell_engine: all of it, to an engine that does not know it;
 * service_settings_tell: what may have changed, and its listeners, which an
 * engine that has them passes over.
 * service_rules_send: opens the rules for the engine, or says why not.
 * service_rules_recheck: the same if the path leads elsewhere than last time.
 * service_orphan_add: its launcher died, we watch for its end;
 * service_orphan_gone: it has ended.
 */
struct service	*service_new(const char *);
void		 service_free(struct service *);
struct service	*service_find(uint32_t);
int		 service_existed(uint32_t);
struct listener	*service_listener_add(struct service *, int, int,
		    const struct netaddr *, uint16_t);
void		 service_listener_free(struct service *, struct listener *);
void		 service_listeners_close(struct service *);
int		 service_starts_open(int [2]);
void		 service_starts_renew(struct service *, const int [2]);
void		 service_tell_engine(struct service *, struct channel *);
void		 service_settings_tell(struct service *, struct channel *);
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
 * (NULL: the daemon, which has many.)
 * identity_service, identity_configured: who a service's launcher is to be.
 */
void	identity_find(struct privsep_hello *, const struct service *);
void	identity_service(struct service *, int, gid_t, int, uid_t);
struct conf_service;
void	identity_configured(struct privsep_hello *,
	    const struct conf_service *);

/* rules_text.c */

/*
 * rules_compile: runs tcprules over a text file.  Returns a descriptor of
 * the database, which has no name any more, or -1 after report was told why,
 * a line at a time; what the text was then goes to the struct stat.
 * rules_text_recheck: compiles again if the text has changed; 1: there is a
 * new database; 0: all as before, also when the new text is no good, which
 * the log then says.
 */
int	rules_compile(const char *, struct stat *,
	    void (*)(const char *, void *), void *);
int	rules_text_recheck(struct service *);

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
