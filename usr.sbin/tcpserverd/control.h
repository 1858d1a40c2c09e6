/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the engine's own sockets speak: the two control sockets of
 * tcpserverctl(8) and the event socket of autoturnd(8).  The frame of it is
 * told in control_wire.h.  No descriptors are passed.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <limits.h>
#include <stdint.h>

#include "tcpserverd.h"

#define CONTROL_VERSION		TCPSERVERD_CONTROL_VERSION
/* Rows with strings, without their struct. */
#define CONTROL_STRINGS_MAX	5120

enum control_type {
	/* client -> engine */
	IMSG_CTL_STATUS = IMSG_CTL_HELLO + 1,	/* no data;
					 * struct control_status */
	/* struct control_request; for each service (of that name): */
	IMSG_CTL_SERVICES,		/* struct control_service, and a
					 * struct control_listener for each */
	IMSG_CTL_SESSIONS,		/* struct control_session */
	IMSG_CTL_SESSION,		/* the same for session */
	IMSG_CTL_RULES,			/* struct control_rules */
	IMSG_CTL_STATS,			/* control_status, control_stats */
	IMSG_CTL_MONITOR,		/* events without end */
	/* the following not on the restricted socket */
	IMSG_CTL_KILL,			/* session */
	IMSG_CTL_RELOAD,
	IMSG_CTL_PAUSE,			/* the service, "": all */
	IMSG_CTL_DRAIN,
	IMSG_CTL_CONTINUE,
	IMSG_CTL_LOG,			/* value: 0 brief, 1 verbose */
	/* on both */
	IMSG_CTL_CHECK			/* struct control_check;
					 * struct control_verdict */
};

struct control_request {
	uint64_t	session;
	uint32_t	value;
	char		service[SERVICE_NAME_SIZE];
	uint32_t	pad;
};

#define CONTROL_HOST_SIZE	1025
#define CONTROL_INFO_SIZE	258

struct control_check {
	char		service[SERVICE_NAME_SIZE];
	struct netaddr	client;
	uint32_t	has_host;
	uint32_t	has_info;
	char		host[CONTROL_HOST_SIZE];
	char		info[CONTROL_INFO_SIZE];
};

/* What has become of a connection; names in control_names.c. */
enum control_result {
	RESULT_ALLOWED_RULE,		/* its program runs */
	RESULT_ALLOWED_DEFAULT,		/* the same, no rule was for it */
	RESULT_CLOSED_RULE,		/* as the service wants it */
	RESULT_CLOSED_DEFAULT,
	RESULT_DENIED_RULE,
	RESULT_DROPPED_ADDRESS,		/* its local address is unknown */
	RESULT_DROPPED_BANNER,		/* it did not take the banner */
	RESULT_DROPPED_IP_OPTIONS,	/* which the system can't clear */
	RESULT_DROPPED_MEMORY,
	RESULT_DROPPED_RULES,		/* they can't be read */
	RESULT_DROPPED_START,		/* it can't be sent */
	RESULT_FAILED_FORK,		/* no process could be made */
	RESULT_FAILED_LOST,		/* its launcher died */
	RESULT_MAX
};

struct control_name {
	const char	*verdict;
	const char	*reason;
};

extern const struct control_name	control_names[RESULT_MAX];

/* How a session ended. */
enum control_ending {
	ENDING_SUCCESS,			/* exit 0 */
	ENDING_FAILURE,			/* another exit */
	ENDING_SIGNAL,
	ENDING_MAX
};

/* Upper bounds in microseconds; the last bucket has none. */
#define HISTOGRAM_BUCKETS	16

struct histogram {
	uint64_t	buckets[HISTOGRAM_BUCKETS];	/* not cumulative */
	uint64_t	count;
	uint64_t	sum_us;
};

extern const uint64_t	histogram_session_us[HISTOGRAM_BUCKETS - 1];
extern const uint64_t	histogram_delay_us[HISTOGRAM_BUCKETS - 1];

/* Of one service, since the engine met it; reload does not touch them. */
struct service_stats {
	int64_t		since;		/* time(3) */
	uint64_t	accepted;
	uint64_t	results[RESULT_MAX];
	uint64_t	endings[ENDING_MAX];
	struct histogram	sessions;	/* accept to end */
	struct histogram	delays;		/* accept to exec */
};

enum control_row {
	ROW_STATUS = 1,
	ROW_SERVICE,
	ROW_LISTENER,
	ROW_SESSION,
	ROW_RULES,
	ROW_STATS,
	ROW_VERDICT
};

struct control_status {
	uint32_t	row;
	uint32_t	parent_pid;
	uint32_t	engine_pid;
	uint32_t	log_verbose;
	uint32_t	reloads;
	uint32_t	services;
	int64_t		now;		/* time(3) */
	int64_t		started_at;	/* the parent */
	int64_t		engine_started_at;
	int64_t		loaded_at;	/* the configuration */
	uint64_t	sessions;
	uint64_t	events_lost;
	uint32_t	event_clients;
	uint32_t	control_clients;
	char		build[PRIVSEP_BUILD_SIZE];
	char		sandbox[64];
	char		conf_path[PATH_MAX];
};

struct control_service {
	uint32_t	row;
	uint32_t	flags;		/* SERVICE_... */
	char		name[SERVICE_NAME_SIZE];
	uint64_t	connections;	/* that count against the limit */
	uint64_t	sessions;	/* of them: handed to a launcher */
	uint64_t	unstarted;	/* of them: program not yet seen */
	uint64_t	sessions_max;
	uint32_t	listeners;	/* rows that follow */
	uint32_t	accepting;	/* 0: clients wait, now */
	char		rules_path[PATH_MAX];
};

struct control_listener {
	uint32_t	row;
	uint16_t	port;
	uint16_t	pad;
	struct netaddr	addr;
};

/*
 * Then local name, remote name, info, rule, each with its NUL; length 0: not
 * known.
 */
struct control_session {
	uint32_t	row;
	int32_t		pid;		/* 0: not started yet */
	uint64_t	id;
	int64_t		accepted_at_us;	/* since the epoch; 0: unknown */
	int64_t		started_at_us;
	int64_t		age_us;		/* since it was accepted; -1 */
	char		service[SERVICE_NAME_SIZE];
	struct netaddr	local;
	struct netaddr	remote;
	uint16_t	local_port;
	uint16_t	remote_port;
	uint32_t	local_name_len;
	uint32_t	remote_name_len;
	uint32_t	info_len;
	uint32_t	rule_len;
	uint32_t	pad;
};

struct control_rules {
	uint32_t	row;
	uint32_t	flags;		/* SERVICE_... */
	char		service[SERVICE_NAME_SIZE];
	int32_t		error;		/* errno of the last try */
	uint32_t	held;		/* a copy is in memory */
	uint32_t	ask_always;
	uint32_t	pad;
	uint64_t	reads;		/* so often they were read */
	int64_t		read_at;	/* time(3) of the last */
	int64_t		changed_at;	/* of the file that is held */
	uint64_t	size;
	char		path[PATH_MAX];
};

struct control_stats {
	uint32_t	row;
	uint32_t	flags;
	char		service[SERVICE_NAME_SIZE];
	uint64_t	connections;
	uint64_t	sessions;
	uint64_t	sessions_max;
	struct service_stats	stats;
};

/* Then the rule's key (not ended by NUL) and the variables. */
struct control_verdict {
	uint32_t	row;
	uint32_t	flags;		/* SERVICE_... */
	uint32_t	result;		/* enum control_result */
	int32_t		error;		/* why it would be dropped */
	uint64_t	connections;
	uint64_t	sessions_max;
	uint32_t	key_len;
	uint32_t	variables_len;	/* "NAME=VALUE" NUL ... */
	uint32_t	variables_cut;	/* there are more */
	uint32_t	pad;
	char		rules_path[PATH_MAX];
};

#endif
