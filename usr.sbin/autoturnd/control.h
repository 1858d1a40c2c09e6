/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What autoturnd and autoturnctl(8) say to each other, in two steps.
 *
 * Who connects to a control socket hears from the parent, which reads
 * nothing, IMSG_CTL_DAEMON, for each spool IMSG_CTL_SPOOL with a descriptor,
 * and IMSG_CTL_SPOOLS_END; or IMSG_CTL_REFUSED.  Then the parent hangs up.
 * The first number of IMSG_CTL_DAEMON is the version, in every version to
 * come.
 *
 * Each descriptor is a channel to the queue of one spool, which is spoken to
 * as control_wire.h tells.  There are no descriptors in it.
 */
#ifndef AUTOTURND_CONTROL_H
#define AUTOTURND_CONTROL_H

#include <limits.h>
#include <stdint.h>

#include "autoturnd.h"
#include "control_wire.h"

#define CONTROL_VERSION		1
/* Rows with strings, without their struct. */
#define CONTROL_STRINGS_MAX	8192
/* One reply in a row, its NUL included; what is longer is cut. */
#define CONTROL_REPLY_SIZE	1024
/* Recipients in a row; others are counted. */
#define CONTROL_RECIPIENTS_SIZE	4096

enum control_type {
	/* parent -> client */
	IMSG_CTL_DAEMON = 900,		/* struct control_daemon */
	IMSG_CTL_SPOOL,			/* bytes of its path, no NUL +
					 * descriptor; none: its queue does
					 * not run just now */
	IMSG_CTL_SPOOLS_END,		/* no data */

	/* client -> queue: struct control_request, or nothing */
	IMSG_CTL_STATUS = IMSG_CTL_HELLO + 1,	/* struct control_spool */
	IMSG_CTL_CUSTOMERS,		/* struct control_customer: all, or
					 * the one that is named */
	IMSG_CTL_QUEUE,			/* struct control_message: all
					 * customers', or one's */
	IMSG_CTL_RUNS,			/* struct control_run */
	IMSG_CTL_QUARANTINE,		/* struct control_message */
	IMSG_CTL_STATS,			/* control_spool, control_customer */
	IMSG_CTL_EXPLAIN,		/* of the customers (or the one that
					 * is named) who have the message:
					 * control_customer, control_message,
					 * control_run while he has one */
	/* the following not on the restricted socket */
	IMSG_CTL_RUN,			/* customer, address or domain;
					 * "": everybody */
	IMSG_CTL_HOLD,			/* customer */
	IMSG_CTL_RELEASE,		/* customer; with a message: back from
					 * quarantine */
	IMSG_CTL_PAUSE,			/* the spool */
	IMSG_CTL_RESUME,
	IMSG_CTL_EXPIRE,		/* customer; message, "": all of his */
	IMSG_CTL_RELOAD,
	IMSG_CTL_REQUESTS_END
};

struct control_daemon {
	uint32_t	version;
	uint32_t	parent_pid;
	uint32_t	spools;		/* that follow */
	uint32_t	reloads;
	int64_t		started_at;	/* time(3) */
	int64_t		loaded_at;	/* the configuration */
	char		build[PRIVSEP_BUILD_SIZE];
	char		conf_path[PATH_MAX];
};

struct control_request {
	char		customer[DOMAIN_SIZE];
	char		message[MESSAGE_NAME_SIZE];
};

enum control_row {
	ROW_SPOOL = 1,
	ROW_CUSTOMER,
	ROW_MESSAGE,
	ROW_RUN
};

/* enum reason of queue.h; its names are in control_names.c, too. */
#define CONTROL_REASONS		7

extern const char *const	reason_names[CONTROL_REASONS];

/* A spool and its queue; what is counted, since the queue was started. */
struct control_spool {
	uint32_t	row;
	uint32_t	queue_pid;
	uint32_t	paused;
	uint32_t	stopping;
	uint32_t	relay;		/* there is one */
	uint32_t	mailer;
	uint32_t	events;		/* tcpserverd tells us of sessions */
	uint32_t	concurrency;
	uint32_t	running;	/* runs */
	uint32_t	ready;		/* runs that wait for a place */
	uint32_t	held;		/* customers */
	uint32_t	control_clients;
	int64_t		now;		/* time(3) */
	int64_t		started_at;	/* the queue */
	uint64_t	customers;
	uint64_t	customers_waiting;	/* for whom mail waits */
	uint64_t	waiting;	/* messages */
	uint64_t	bytes;
	int64_t		oldest;		/* time(3); 0: none */
	uint64_t	in_quarantine;
	uint64_t	triggers[CONTROL_REASONS];
	uint64_t	strangers;
	uint64_t	runs_ok;
	uint64_t	runs_failed;
	uint64_t	accepted;
	uint64_t	accepted_bytes;
	uint64_t	deferred;
	uint64_t	refused;
	uint64_t	expired;
	uint64_t	returned;
	uint64_t	warned;
	uint64_t	quarantined;
	uint64_t	repeated;
	char		sandbox[64];
	char		trouble[256];	/* why nothing is sent; "": all is
					 * well */
};

/* Why nothing is on its way to a customer; names in control_names.c. */
enum control_why {
	WHY_NOTHING,			/* nothing waits */
	WHY_RUNNING,
	WHY_HELD,
	WHY_PAUSED,			/* his spool is */
	WHY_STOPPING,			/* the daemon ends */
	WHY_LOCKED,			/* another program has his lock */
	WHY_RELAY,			/* the relay does not run just now */
	WHY_JOURNAL,			/* the state can't be written */
	WHY_MAILDIR,			/* his Maildir can't be read */
	WHY_PLACE,			/* others' runs take all places */
	WHY_INTERVAL,			/* his last run was just now */
	WHY_RETRY,			/* the last run failed: back-off */
	WHY_TRIGGER,			/* he must show up */
	WHY_SOON,			/* his run begins in a moment */
	WHY_MAX
};

extern const char *const	control_why_names[WHY_MAX];

/* control_customer.flags */
#define CONTROL_IMPLICIT	0x01	/* named after his address */
#define CONTROL_HELD		0x02
#define CONTROL_GONE		0x04	/* not configured any more */

/* Then the last reply with its NUL; length 0: none.  Times as time(3). */
struct control_customer {
	uint32_t	row;
	uint32_t	flags;
	uint32_t	why;		/* enum control_why */
	uint32_t	reason;		/* enum reason of his job */
	uint32_t	failures;	/* runs in a row */
	uint32_t	reply_len;
	uint64_t	waiting;
	uint64_t	bytes;
	int64_t		oldest;
	uint64_t	quarantined;
	int64_t		looked_at;
	int64_t		seen_at;
	int64_t		tried_at;
	int64_t		next_at;	/* 0: no try is due */
	int64_t		delivered_at;
	uint64_t	delivered;
	uint64_t	delivered_bytes;
	uint64_t	returned;
	char		name[CUSTOMER_NAME_SIZE];
	char		maildir[MAILDIR_NAME_SIZE];
	uint64_t	lifetime_s;
	uint64_t	retry_s;	/* 0: only when he shows up */
};

enum control_message_state {
	MESSAGE_WAITING,
	MESSAGE_DEFERRED,		/* waits again: see the reply */
	MESSAGE_SENT,			/* sent, not answered yet */
	MESSAGE_DOUBTFUL,		/* was sent and not answered by an
					 * earlier run: he may have it */
	MESSAGE_RETURNING,		/* its report is on its way */
	MESSAGE_QUARANTINED,		/* see the reply */
	MESSAGE_STATE_MAX
};

extern const char *const	control_state_names[MESSAGE_STATE_MAX];

/* Then name, sender, recipients, reply, each with its NUL; length 0: not
 * known.  Recipients are strings one after the other. */
struct control_message {
	uint32_t	row;
	uint32_t	state;		/* enum control_message_state */
	char		customer[CUSTOMER_NAME_SIZE];
	uint64_t	size;
	int64_t		queued_at;
	int64_t		since;		/* in quarantine */
	int64_t		expires_at;	/* 0: never */
	uint32_t	recipients;	/* all of them */
	uint32_t	name_len;
	uint32_t	sender_len;
	uint32_t	recipients_len;
	uint32_t	reply_len;
	uint32_t	pad;
};

struct control_run {
	uint32_t	row;
	uint32_t	reason;		/* enum reason */
	uint64_t	run;
	char		customer[CUSTOMER_NAME_SIZE];
	char		doing[32];	/* a few words */
	int64_t		started_at;
	uint64_t	open;		/* sent, not answered */
	uint64_t	accepted;
	uint64_t	accepted_bytes;
	uint64_t	deferred;
	uint64_t	refused;
};

#endif
