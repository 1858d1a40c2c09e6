/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the engine's files share.
 *
 * A connection begins as a client (accepted, not yet judged or started) and
 * becomes a session when its start leaves for a launcher.  Both count
 * against the service's limit.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "access.h"
#include "control.h"
#include "tcpserverd.h"

struct service;
struct resolver_found;

/* A session: a start that left, a program that runs. */
struct session {
	RB_ENTRY(session)	 by_id;
	RB_ENTRY(session)	 by_pid;	/* once it is known */
	struct service		*service;
	uint64_t		 id;
	pid_t			 pid;		/* 0: not reported yet */
	uint32_t		 sync;		/* last sync that saw it */
	int			 lost;		/* its launcher has died */
	int64_t			 accepted_us;
	int64_t			 started_us;	/* 0: not yet */
	struct netaddr		 local;
	struct netaddr		 remote;
	uint16_t		 local_port;
	uint16_t		 remote_port;
	/* The daemon's only, and unknown to an engine that is new. */
	char			*local_name;	/* NULL: unknown */
	char			*remote_name;
	char			*info;
	char			*rule;		/* its key; NULL: none */
};

enum client_state {
	CLIENT_BANNER,			/* it has not taken all of it */
	CLIENT_LOOKUP,			/* the resolver works */
	CLIENT_JUDGE,			/* waits for the rules */
	CLIENT_START			/* waits for room in the start queue */
};

/* A client: everything known of it until it is started or turned away. */
struct client {
	TAILQ_ENTRY(client)	 entry;		/* in the queue of its state */
	struct service		*service;
	uint64_t		 id;
	int			 fd;
	uint32_t		 lookup;	/* number of the question */
	unsigned int		 asked;		/* so many times */
	enum client_state	 state;
	struct banner		*banner;	/* NULL: none */
	size_t			 banner_sent;
	struct event		 ev;		/* banner or lookup, with */
	int			 timed;		/* its time; added */
	struct netaddr		 local;
	struct netaddr		 remote;
	uint16_t		 local_port;
	uint16_t		 remote_port;
	int64_t			 accepted_us;
	char			*local_name;	/* NULL: unknown */
	char			*remote_name;
	char			*info;
	char			*rule;		/* the daemon's only */
	enum control_result	 dropped;	/* why, if it is */
	char			*variables;	/* "NAME=VALUE" NUL ... */
	size_t			 variables_len;
};

TAILQ_HEAD(clients, client);
RB_HEAD(sessions_by_id, session);
RB_HEAD(sessions_by_pid, session);

struct listener {
	TAILQ_ENTRY(listener)	 entry;
	int			 fd;
	struct listener_note	 note;
	struct event		 ev;
	int			 watched;
	struct service		*service;
};

TAILQ_HEAD(listeners, listener);

/* Clients that are being sent it keep it when the service gets another. */
struct banner {
	unsigned int		 refs;
	size_t			 len;
	size_t			 got;		/* of it, from the parent */
	char			*bytes;
};

struct service {
	TAILQ_ENTRY(service)	 entry;
	uint32_t		 number;
	struct service_settings	 settings;
	struct banner		*banner;	/* NULL: none */
	struct listeners	 listeners;
	int			 ready;		/* all of it was told */
	int			 gone;		/* free it when it is empty */
	uint64_t		 count;		/* clients and sessions */
	struct sessions_by_id	 sessions;
	uint64_t		 sessions_len;
	unsigned int		 unstarted;	/* sessions without a pid */
	struct clients		 judging;
	struct clients		 starting;

	/* rules.c */
	struct access		*access;	/* NULL: none held */
	int			 rules_fd;
	int			 rules_ask_always;
	int			 rules_waiting;	/* the parent was asked */
	struct event		 rules_timer;
	int			 rules_error;	/* errno of the last try */
	uint64_t		 rules_reads;
	int64_t			 rules_read_at;	/* time(3) */

	/* queue.c */
	int			 starts_fd;
	int			 reports_fd;
	struct event		 starts_ev;
	struct event		 reports_ev;
	struct event		 starts_timer;
	struct event		 lost_timer;
	struct event		 slow_timer;
	int			 starts_blocked;
	unsigned int		 starts_crowded;
	uint64_t		 starts_answered; /* started or failed */
	uint64_t		 slow_answered;	/* when it was looked last */
	int64_t			 refused_ms;	/* last nonsense told of */
	uint32_t		 sync_number;
	uint32_t		 sync_expected;
	uint32_t		 sync_answers;
	int			 syncing;

	/* stats.c */
	struct service_stats	 stats;
};

extern struct channel		engine_parent;
extern struct engine_setup	engine_setup;	/* zeros with the classic */
extern int64_t			engine_began_at;	/* time(3) */
extern const char		*engine_sandbox;

/* banner.c */

/*
 * banner_set: the service gets a banner of so many bytes (0: none), which
 * banner_add then brings in pieces: 0, or -1 for more than that.
 * banner_hold, banner_release: a client's, both take NULL.
 */
int		 banner_set(struct service *, size_t);
int		 banner_add(struct service *, struct imsg *);
int		 banner_complete(const struct service *);
struct banner	*banner_hold(struct banner *);
void		 banner_release(struct banner *);

/* engine.c */

/* Ends what a turn of the loop left open: judging, starting, the log. */
void		 engine_turn(struct service *);
/*
 * service_next: in the order of their numbers; NULL gives the first.
 * service_named: NULL if there is none of that name.
 */
struct service	*service_next(struct service *);
struct service	*service_named(const char *);

/* accept.c */

/*
 * listeners_update: accepts when everything needed is there, and only then;
 * to be called when any of it may have changed.
 * alive_heard: the parent answered.
 */
void	listener_add(struct service *, int, const struct listener_note *);
/* What waits in its backlog still gets in. */
void	listener_close(struct service *, uint32_t);
void	listeners_update(struct service *);
void	listeners_close(struct service *);
int	service_accepts(const struct service *);
/* One after the other; NULL gives the first. */
struct listener	*listener_next(struct service *, struct listener *);
void	alive_heard(void);
void	service_count_up(struct service *);
void	service_count_down(struct service *);

/* client.c */

/*
 * client_new: a client that was accepted on fd, which is then its own; -1
 * with errno when there is no memory, fd stays the caller's.
 */
int		 client_new(struct service *, int, struct netaddr *,
		    uint16_t);
/* The next thing that is to be done for it. */
void		 client_advance(struct client *);
/* Let in, but the service has no program. */
void		 client_close(struct client *);
/* Turned away: by a rule, or because something failed (what: why). */
void		 client_deny(struct client *);
void		 client_drop(struct client *, enum control_result,
		    const char *, ...) __attribute__((format(printf, 3, 4)));
/* Its start left, or it is gone; the descriptor is closed. */
void		 client_free(struct client *);

/* lookup.c */

int	lookup_needed(const struct client *);
int	lookup_room(void);
void	lookup_begin(struct client *);
/* The parent gives us a channel to the resolver of that number. */
void	lookup_resolver(int, uint32_t);

/* rules.c */

void	rules_init(struct service *);
/* The service's rules may be other ones now, or none. */
void	rules_forget(struct service *);
/* Judges all that wait, if the rules are known to be fresh. */
void	rules_judge(struct service *);
void	rules_answered(struct service *, struct imsg *);
/*
 * rules_want: 1: there need not be any rules; 0: the parent was asked whether
 * those at hand are fresh, control_rules_known() will be called; -1 and errno.
 */
int	rules_want(struct service *);

/* queue.c */

void	queue_init(struct service *);
/* Starts go to that descriptor from now on. */
void	queue_renew(struct service *, int);
void	queue_close(struct service *);
/* Sends starts as long as there are credit and room. */
void	queue_send(struct service *);
/* Hears reports, not more than so many. */
void	queue_read(struct service *, unsigned int);
/* More than the kernel holds in one queue. */
#define REPORTS_ALL	8192
void	queue_sync(struct service *, const struct sync_order *);

/* session.c */

/*
 * session_by_id: among those of one service: another's are not its to name.
 * session_by_pid: one with that pid, of any service.  Launchers may lie:
 * there may be others.
 * session_next: all of a service, in the order of their ids; NULL gives the
 * first.
 * session_from: the first of a service with that id or a higher one.
 */
struct session	*session_new(struct service *, uint64_t, pid_t);
struct session	*session_by_id(struct service *, uint64_t);
struct session	*session_by_pid(pid_t);
struct session	*session_next(struct service *, struct session *);
struct session	*session_from(struct service *, uint64_t);
void		 session_started(struct session *, pid_t);
void		 session_free(struct session *);
/* Logs the end, counts down. */
void		 session_end(struct session *, int);

/*
 * tell.c: what has become of a client or session is told to all who want to
 * know: the log first.  To be called before the client or session is freed.
 */
enum outcome {
	OUTCOME_DENIED,			/* by a rule */
	OUTCOME_DROPPED,		/* something failed */
	OUTCOME_CLOSED			/* as the service wants it */
};

/*
 * tell_started: its program runs.
 * tell_ended: with this wait status.
 * tell_failed: of a start no process came (errno).
 * tell_refused: it got no program; why: of what was dropped.
 */
void	tell_started(const struct session *);
void	tell_ended(const struct session *, int);
void	tell_failed(const struct session *, int);
void	tell_refused(const struct client *, enum outcome, const char *);
/*
 * tell_strange_end: a program ended of which only this is known.
 * tell_nonsense: a launcher's report (of what, which) was not understood.
 */
void	tell_strange_end(const struct service *, const struct report *);
void	tell_nonsense(const struct service *, const char *, uint64_t);

/* stats.c: to be called by tell.c; what they count is in control.h. */

void			stats_init(struct service *);
void			stats_accepted(struct service *);
void			stats_started(const struct session *);
void			stats_ended(const struct session *, int);
void			stats_failed(const struct session *, int);
void			stats_refused(const struct client *, enum outcome);
enum control_result	result_started(const struct session *);
enum control_result	result_failed(int);
enum control_result	result_refused(const struct client *, enum outcome);

/*
 * events.c: to be called by tell.c; who listens hears of it.
 */
void	event_started(const struct session *);
void	event_ended(const struct session *, int);
void	event_failed(const struct session *, int);
void	event_refused(const struct client *, enum outcome);

/*
 * control.c
 *
 * control_socket: the parent gives us a socket to listen on; -1: that one is
 * no more, and its clients go.
 * control_text, control_done: what it has to say to a client, by number.
 * control_rules_known: a service's rules were read, or (errno) weren't.
 */
void	control_socket(int, uint32_t);
void	control_text(struct imsg *);
void	control_done(struct imsg *);
void	control_rules_known(struct service *, int);

/*
 * tell_daemon.c: the daemon's log lines, see LOG in tcpserverd(8); for
 * tell.c, which has the same functions without "log_".
 * log_setup: engine_setup has changed.
 */
void	log_setup(void);
void	log_started(const struct session *);
void	log_ended(const struct session *, int);
void	log_failed(const struct session *, int);
void	log_refused(const struct client *, enum outcome, const char *);
void	log_strange_end(const struct service *, const struct report *);
void	log_nonsense(const struct service *, const char *, uint64_t);

/*
 * elog.c: lines for the log, bounded, never ahead of a reader that stalls.
 *
 * elog_init: 1: log nothing.  After log_hello(), which says where to.
 * elog_daemon: a reader that stalls is no reason not to accept; the facility
 * is for what is about no service.
 * elog_line, elog_bytes: classic lines; bytes end with LF.
 * elog_record: a line of the daemon's; the priority includes a facility.
 */
void	elog_init(int);
void	elog_daemon(int);
void	elog_line(const char *, ...) __attribute__((format(printf, 1, 2)));
void	elog_bytes(const char *, size_t);
void	elog_record(int, const struct logrecord *);
/* 0: everything is written; 1: the reader does not take it now (stalled). */
int	elog_flush(void);
int	elog_stalled(void);

#endif
