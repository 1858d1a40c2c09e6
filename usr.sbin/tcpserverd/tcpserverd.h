/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What tcpserverd's processes say to each other.
 *
 * Parent and each child: imsg on PRIVSEP_FD.  Engine and launchers of a
 * service: two SOCK_SEQPACKET pairs, one that carries starts and one that
 * carries reports, each packet one record.  The parent keeps all four ends,
 * so that no death closes a channel or loses a waiting client.
 */
#ifndef TCPSERVERD_H
#define TCPSERVERD_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <limits.h>
#include <stdint.h>

#include "control_wire.h"
#include "logrecord.h"
#include "privsep.h"
#include "ucspi.h"

#define SERVICE_LISTENERS_MAX	256
#define LOCAL_NAME_SIZE		1025	/* as RESOLVER_NAME_SIZE */

/* Starts that were sent and not yet reported as started, at most. */
#define START_CREDIT		64
/* A start record with all it carries; a rule that needs more is refused. */
#define START_RECORD_MAX	32768
/* The parent's word that it is there is good for so long. */
#define ALIVE_MS		200
#define LAUNCHERS_MAX		4

enum imsg_type {
	/* parent -> engine; the imsg id is the service's number */
	IMSG_ENGINE_SERVICE = 100,	/* struct service_settings */
	IMSG_ENGINE_BANNER,		/* bytes */
	IMSG_ENGINE_LISTENER,		/* descriptor: a listening socket */
	IMSG_ENGINE_STARTS,		/* descriptor: where starts go */
	IMSG_ENGINE_REPORTS,		/* descriptor: where reports come */
	IMSG_ENGINE_RESOLVER,		/* descriptor: resolver's channel; the
					 * imsg id is the resolver's number */
	IMSG_ENGINE_ORPHAN,		/* struct session_note: the program of
					 * a dead launcher, still running */
	IMSG_ENGINE_CONFIGURED,		/* all of the above was said */
	IMSG_ENGINE_SYNC,		/* struct sync_order */
	IMSG_ENGINE_RULES,		/* struct rules_answer + descriptor */
	IMSG_ENGINE_REAPED,		/* struct session_note: its end */
	IMSG_ENGINE_ALIVE,		/* the parent is there */
	IMSG_ENGINE_STOP,		/* close, log what is left, leave */
	/* the daemon's */
	IMSG_ENGINE_SETUP,		/* struct engine_setup */
	IMSG_ENGINE_SOCKET,		/* descriptor: a listening socket of
					 * our own; id: enum control_kind;
					 * without: it is no more */
	IMSG_ENGINE_LISTENER_CLOSE,	/* uint32_t: listener's number */
	IMSG_ENGINE_SERVICE_GONE,	/* it has no session any more */
	IMSG_ENGINE_CONTROL_TEXT,	/* id: the control client's number;
					 * bytes of a line for it */
	IMSG_ENGINE_CONTROL_DONE,	/* id: its number; struct
					 * control_answer: the last */

	/* engine -> parent; id: service */
	IMSG_PARENT_READY = 200,	/* configured and confined */
	IMSG_PARENT_SYNCING,		/* struct sync_order: tell launchers */
	IMSG_PARENT_RULES_WANTED,
	IMSG_PARENT_ALIVE_WANTED,
	IMSG_PARENT_LAUNCHER_WANTED,	/* the queue does not empty */
	IMSG_PARENT_ORPHAN,		/* struct session_note: its launcher
					 * died; watch for its end */
	IMSG_PARENT_RESOLVER_WANTED,	/* uint32_t: the resolver of that
					 * number is of no use any more */
	IMSG_PARENT_CONTROL,		/* struct control_order */
	IMSG_PARENT_LOG_WANTED,		/* syslogd does not hear us */

	/* parent -> launcher */
	IMSG_LAUNCHER_SERVICE = 300,	/* struct launcher_settings */
	IMSG_LAUNCHER_ARGV,		/* bytes of the NUL-separated words */
	IMSG_LAUNCHER_STARTS,		/* descriptor */
	IMSG_LAUNCHER_REPORTS,		/* descriptor */
	IMSG_LAUNCHER_CONFIGURED,
	IMSG_LAUNCHER_SYNC,		/* imsg id: number of the sync; empty
					 * the queue, then list sessions */
	IMSG_LAUNCHER_STOP,		/* empty the queue, leave */
	IMSG_LAUNCHER_RETIRE,		/* start nothing any more, leave when
					 * no session is left */
	IMSG_LAUNCHER_DRAIN,		/* the same, when the queue has come
					 * to its end */
	IMSG_LAUNCHER_KILL,		/* struct session_note: end it */
	IMSG_LAUNCHER_ENVIRONMENT,	/* bytes of the NUL-ended words:
					 * "=NAME=VALUE" set, "-NAME" unset */
	IMSG_LAUNCHER_RLIMIT,		/* struct rlimit_note */
	/* launcher -> parent: IMSG_PARENT_READY, and */
	IMSG_PARENT_SYNCED		/* imsg id: number of the sync that
					 * was answered */
};

enum log_level {
	LOG_LEVEL_QUIET,		/* -q */
	LOG_LEVEL_ERRORS,		/* -Q */
	LOG_LEVEL_SESSIONS,		/* the daemon's: a line for each */
	LOG_LEVEL_VERBOSE		/* -v */
};

/* struct service_settings.flags */
#define SERVICE_RULES		0x001	/* there is a rules file */
#define SERVICE_RULES_OPTIONAL	0x002	/* -X: none allows everything */
#define SERVICE_REMOTE_NAME	0x004	/* -h */
#define SERVICE_PARANOID	0x008	/* -p */
#define SERVICE_IDENT		0x010	/* -r */
#define SERVICE_LOCAL_NAME	0x020	/* local_name is given (-l) */
#define SERVICE_IP_OPTIONS	0x040	/* -o: leave them */
#define SERVICE_NODELAY		0x080	/* -D */
#define SERVICE_CLASSIC		0x100	/* ucspi-tcp's log lines */
#define SERVICE_CLOSE		0x200	/* judged, told of, closed */
#define SERVICE_NOTIFY_CONNECT	0x400	/* autoturnd hears of it */
#define SERVICE_NOTIFY_END	0x800
#define SERVICE_PAUSED		0x1000	/* clients wait in the backlog */
#define SERVICE_DRAINED		0x2000	/* no listener: they are refused */
#define SERVICE_REMOVED		0x4000	/* is configured no more */

/* What the engine knows of a service. */
struct service_settings {
	char		name[SERVICE_NAME_SIZE];
	uint32_t	flags;
	uint32_t	log_level;
	uint64_t	sessions_max;
	uint32_t	ident_timeout_s;
	uint32_t	banner_len;
	uint32_t	log_facility;	/* LOG_DAEMON ... of syslog(3) */
	uint64_t	generation;	/* of the engine: session ids begin
					 * there */
	char		local_name[LOCAL_NAME_SIZE];
	char		rules_path[PATH_MAX];
};

/* What the daemon's engine knows that is about no service. */
struct engine_setup {
	uint32_t	log_json;
	uint32_t	log_facility;
	uint32_t	log_verbose;	/* tcpserverctl log verbose */
	uint32_t	event_uid;	/* beside root; UINT32_MAX: nobody */
	uint32_t	parent_pid;
	uint32_t	reloads;	/* that succeeded */
	int64_t		started_at;	/* time(3) of the parent's start */
	int64_t		loaded_at;	/* of the configuration */
	char		conf_path[PATH_MAX];
};

/* With the descriptor of IMSG_ENGINE_LISTENER. */
struct listener_note {
	uint32_t	number;		/* never used again */
	uint16_t	port;
	uint16_t	pad;
	struct netaddr	addr;
};

/* What a control client wants done that only the parent can. */
enum control_deed {
	CONTROL_RELOAD,
	CONTROL_KILL,			/* the session */
	CONTROL_PAUSE,			/* the service, or all */
	CONTROL_DRAIN,
	CONTROL_CONTINUE,
	CONTROL_LOG			/* value: log_verbose */
};

#define CONTROL_ALL_SERVICES	UINT32_MAX

struct control_order {
	uint32_t	client;
	uint32_t	deed;
	uint32_t	service;
	uint32_t	value;
	uint64_t	session;
	int32_t		pid;
	uint32_t	pad;
};

struct rlimit_note {
	int32_t		resource;
	uint32_t	pad;
	uint64_t	soft;		/* UINT64_MAX: no limit */
	uint64_t	hard;
};

/* What a launcher knows of it. */
struct launcher_settings {
	uint32_t	number;		/* of the launcher, never used again */
	uint32_t	log_level;
	uint32_t	argv_len;	/* bytes that follow in IMSG_..._ARGV */
	uint32_t	argc;
	uint32_t	classic;	/* the child writes its log lines */
	uint32_t	log_facility;
	uint32_t	log_json;
	uint32_t	environment_len;	/* in IMSG_..._ENVIRONMENT */
	char		name[SERVICE_NAME_SIZE];
	char		directory[PATH_MAX];	/* "": ours */
};

struct rules_answer {
	int32_t		error;		/* errno, or 0 and a descriptor */
	uint32_t	ask_always;	/* reached by a link: fstat(2) of the
					 * descriptor can't show a change */
};

/* All launchers of a service were told to sync; so many will answer. */
struct sync_order {
	uint32_t	number;
	uint32_t	launchers;
};

struct session_note {
	uint64_t	id;
	int32_t		pid;
	int32_t		status;
};

/*
 * Engine -> launchers, with the client's socket.  After it come local name,
 * remote name, info and variables ("NAME=VALUE"), each string with its NUL,
 * of the lengths given here (0: not there).
 */
struct start_record {
	uint64_t	id;
	uint32_t	pad;
	uint32_t	local_name_len;
	uint32_t	remote_name_len;
	uint32_t	info_len;
	uint32_t	variables_len;
	uint16_t	local_port;
	uint16_t	remote_port;
	struct netaddr	local;
	struct netaddr	remote;
	int64_t		accepted_us;	/* clock_us() */
};

enum report_type {
	REPORT_STARTED = 1,		/* the child itself, before exec */
	REPORT_ENDED,
	REPORT_FAILED,			/* status: errno; there is no child */
	REPORT_SESSION,			/* part of a sync: lives; struct
					 * report_session */
	REPORT_SYNCED			/* id: number of the sync */
};

/* Launchers -> engine. */
struct report {
	uint32_t	type;
	uint32_t	launcher;
	uint64_t	id;
	int32_t		pid;
	int32_t		status;
	int64_t		at_us;		/* clock_us() of what it tells */
};

/* What a launcher remembers for an engine that is new. */
struct report_session {
	struct report	report;		/* at_us: of its start */
	int64_t		accepted_us;
	uint32_t	pad;
	uint16_t	local_port;
	uint16_t	remote_port;
	struct netaddr	local;
	struct netaddr	remote;
};

/* classic.c: the face of ucspi-tcp's tcpserver. */
__dead void	classic_main(int, char **);

/* engine.c, launcher.c: the mains of the children. */
__dead void	engine_main(void);
__dead void	launcher_main(void);

/* logline.c: the classic log's wording, shared by engine and launcher. */

#define LOGLINE_SIZE		1024

/*
 * What the ok and deny lines say of a connection; names NULL: unknown.
 */
struct logline {
	const struct netaddr	*local;
	const struct netaddr	*remote;
	const char		*local_name;
	const char		*remote_name;
	const char		*info;
	uint16_t		 local_port;
	uint16_t		 remote_port;
};

/*
 * logline_peers writes "LOCALHOST:LOCALIP:LOCALPORT REMOTEHOST:REMOTEIP:
 * REMOTEINFO:REMOTEPORT" and LF into a buffer of LOGLINE_SIZE, each field
 * cut after 100 bytes, bytes a log must not see as "?"; returns the length.
 */
size_t	logline_peers(char *, const struct logline *);

/* sockopt_SYSTEM.c */

/*
 * sockopt_clear_ip_options: takes IP options off an accepted socket.  0, or
 * -1 where that can't be done and the client has some: drop it.
 */
int	sockopt_clear_ip_options(int, int);
/* sockopt_v6only: IPV6_V6ONLY of a socket that is not bound yet; or -1. */
int	sockopt_v6only(int, int);

#endif
