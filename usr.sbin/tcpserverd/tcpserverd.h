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

#include "privsep.h"
#include "ucspi.h"

#define SERVICE_NAME_SIZE	32
#define SERVICE_LISTENERS_MAX	16
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

	/* parent -> launcher */
	IMSG_LAUNCHER_SERVICE = 300,	/* struct launcher_settings */
	IMSG_LAUNCHER_ARGV,		/* bytes of the NUL-separated words */
	IMSG_LAUNCHER_STARTS,		/* descriptor */
	IMSG_LAUNCHER_REPORTS,		/* descriptor */
	IMSG_LAUNCHER_CONFIGURED,
	IMSG_LAUNCHER_SYNC,		/* imsg id: number of the sync; empty
					 * the queue, then list sessions */
	IMSG_LAUNCHER_STOP,		/* empty the queue, leave */
	/* launcher -> parent: IMSG_PARENT_READY, and */
	IMSG_PARENT_SYNCED		/* imsg id: number of the sync that
					 * was answered */
};

enum log_level {
	LOG_LEVEL_QUIET,		/* -q */
	LOG_LEVEL_ERRORS,		/* -Q */
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

/* What the engine knows of a service. */
struct service_settings {
	char		name[SERVICE_NAME_SIZE];
	uint32_t	flags;
	uint32_t	log_level;
	uint64_t	sessions_max;
	uint32_t	ident_timeout_s;
	uint32_t	banner_len;
	uint64_t	generation;	/* of the engine: session ids begin
					 * there */
	char		local_name[LOCAL_NAME_SIZE];
	char		rules_path[PATH_MAX];
};

/* What a launcher knows of it. */
struct launcher_settings {
	uint32_t	number;		/* of the launcher, never used again */
	uint32_t	log_level;
	uint32_t	argv_len;	/* bytes that follow in IMSG_..._ARGV */
	uint32_t	argc;
	char		name[SERVICE_NAME_SIZE];
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
};

enum report_type {
	REPORT_STARTED = 1,		/* the child itself, before exec */
	REPORT_ENDED,
	REPORT_FAILED,			/* status: errno; there is no child */
	REPORT_SESSION,			/* part of a sync: lives */
	REPORT_SYNCED			/* id: number of the sync */
};

/* Launchers -> engine. */
struct report {
	uint32_t	type;
	uint32_t	launcher;
	uint64_t	id;
	int32_t		pid;
	int32_t		status;
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

#endif
