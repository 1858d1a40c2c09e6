/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What autoturnd's processes say to each other, all by imsg:
 *
 *	parent - queue, parent - relay, parent - mailer	on PRIVSEP_FD
 *	queue - relay, queue - mailer		socket pairs the parent makes, a
 *					new one each time either end is new
 *
 * There is one queue and one mailer for each spool, one relay for all.  A
 * spool has a number that is never used again while the parent runs; so has
 * a run within its queue.  Strings in structs end in a NUL, what is unused
 * is zero.
 */
#ifndef AUTOTURND_H
#define AUTOTURND_H

#include <sys/types.h>

#include <limits.h>
#include <stdint.h>

#include "privsep.h"
#include "ucspi.h"

#define CUSTOMER_NAME_SIZE	64
#define MAILDIR_NAME_SIZE	256	/* below the spool */
#define MESSAGE_NAME_SIZE	300	/* "new/..." */
#define PREFIX_SIZE		256
#define HOSTNAME_SIZE		256
#define MAILBOX_SIZE		1024
#define DOMAIN_SIZE		256
#define TEXT_SIZE		8192	/* of what is said of a message */

#define WINDOW_MAX		100
#define CONCURRENCY_MAX		1000

enum imsg_type {
	/* any child -> parent */
	IMSG_PARENT_READY = 100,	/* open, confined, configured */
	IMSG_PARENT_LOG_WANTED,		/* syslogd does not hear us */
	/* queue -> parent */
	IMSG_PARENT_CONNECT,		/* struct connect_order */
	IMSG_PARENT_EVENTS_WANTED,	/* there is no way to tcpserverd (any
					 * more): try, and again until it is
					 * there, ever slower */
	IMSG_PARENT_RELOAD_WANTED,	/* a control client asks; the imsg id
					 * is its number in this queue */

	/* parent -> queue; the first three before anything is opened */
	IMSG_QUEUE_SPOOL = 200,		/* struct spool_settings */
	IMSG_QUEUE_CUSTOMER,		/* struct customer_settings */
	IMSG_QUEUE_ADDRESS,		/* struct customer_address, of the
					 * customer told last */
	IMSG_QUEUE_DOMAIN,		/* bytes of a name, of the same */
	IMSG_QUEUE_CONFIGURED,		/* all of the above was said: it
					 * replaces what was known before */
	IMSG_QUEUE_RELAY,		/* descriptor */
	IMSG_QUEUE_MAILER,		/* descriptor */
	IMSG_QUEUE_EVENTS,		/* descriptor: connected to tcpserverd's
					 * event socket, nothing said yet;
					 * none: there are to be no events */
	IMSG_QUEUE_POKE,		/* descriptor: a datagram socket */
	IMSG_QUEUE_CONTROL,		/* descriptor: a control client; id: 1
					 * where it may only look */
	IMSG_QUEUE_CONNECT_FAILED,	/* struct connect_failure */
	IMSG_QUEUE_RELOAD_TEXT,		/* id as asked; bytes of a line */
	IMSG_QUEUE_RELOAD_DONE,		/* id as asked; int32_t: 0 or errno */
	IMSG_QUEUE_STOP,		/* begin nothing, let runs end within
					 * STOP_RUNS_MS, then leave */

	/* parent -> relay */
	IMSG_RELAY_QUEUE = 300,		/* descriptor; id: the spool's number */
	IMSG_RELAY_RUN,			/* struct run_order + descriptor: a
					 * connection that was just made */

	/* queue -> relay */
	IMSG_RELAY_MESSAGE = 400,	/* struct run_message + descriptor */
	IMSG_RELAY_FINISH,		/* uint64_t: run; no more messages */
	IMSG_RELAY_ABORT,		/* uint64_t: run; close at once */

	/* relay -> queue */
	IMSG_RUN_STARTED = 500,		/* uint64_t: run; send messages */
	IMSG_RUN_RESULT,		/* struct run_result, text_len bytes */
	IMSG_RUN_END,			/* struct run_end, text_len bytes; the
					 * last of this run.  A message without
					 * a result may have been taken */

	/* parent -> mailer */
	IMSG_MAILER_SETUP = 600,	/* struct mailer_settings */
	IMSG_MAILER_QUEUE,		/* descriptor */
	/* queue -> mailer */
	IMSG_MAILER_REPORT,		/* struct mailer_report + descriptor of
					 * the whole report, at its beginning */
	/* mailer -> queue */
	IMSG_MAILER_DONE		/* struct mailer_answer */
};

#define STOP_RUNS_MS		5000

/*
 * What a run of deliveries goes by.  Times in seconds; 0 is never where a
 * directive of autoturnd.conf(5) has such a word.
 */
struct delivery_settings {
	uint32_t	protocol;	/* PROTOCOL_... */
	uint32_t	port;
	uint32_t	window;		/* sent and not answered, at most */
	uint32_t	hops_max;	/* Received lines */
	uint64_t	messages_max;	/* in one run; 0: all */
	uint64_t	lifetime_s;	/* then it goes back */
	uint64_t	warn_s;		/* then its sender is told; 0: never */
	uint64_t	interval_s;	/* between the starts of two runs */
	uint64_t	retry_s;	/* after a failure; 0: only when the
					 * customer shows up */
	uint64_t	retry_max_s;	/* to which that doubles */
	char		helo[HOSTNAME_SIZE];
};

#define PROTOCOL_SMTP	0
#define PROTOCOL_QMTP	1

struct spool_settings {
	uint32_t	number;
	uint32_t	addresses;	/* a directory that is named after an
					 * address is a customer */
	uint32_t	concurrency;	/* runs at a time */
	uint32_t	watches;	/* directories watched, at most */
	uint64_t	scan_s;		/* each Maildir is looked at so often */
	uint32_t	log_json;
	uint32_t	pad;
	char		path[PATH_MAX];
	char		state_path[PATH_MAX];	/* ours, 0700, exists */
	char		hostname[HOSTNAME_SIZE];
	char		postmaster[MAILBOX_SIZE];
	struct delivery_settings	defaults;
};

/* One that is named in the configuration. */
struct customer_settings {
	char		name[CUSTOMER_NAME_SIZE];
	char		maildir[MAILDIR_NAME_SIZE];
	char		prefix[PREFIX_SIZE];	/* "": none is stripped */
	struct netaddr	relay;		/* where his mail goes */
	struct delivery_settings	delivery;
};

/* Who comes from there is this customer; the longest prefix wins. */
struct customer_address {
	struct netaddr	addr;
	uint32_t	prefixlen;
};

/*
 * The parent knows where: it looks the customer up by name in the spool; one
 * that is not configured must be a directory of the spool, named after his
 * address, where addresses are customers.  Answered by IMSG_RELAY_RUN to the
 * relay, or IMSG_QUEUE_CONNECT_FAILED.
 */
struct connect_order {
	uint64_t	run;
	char		customer[CUSTOMER_NAME_SIZE];
};

struct connect_failure {
	uint64_t	run;
	int32_t		error;		/* errno */
	uint32_t	pad;
};

struct run_order {
	uint64_t	run;
	uint32_t	spool;
	uint32_t	protocol;
	uint32_t	hops_max;
	uint32_t	pad;
	char		helo[HOSTNAME_SIZE];
	char		prefix[PREFIX_SIZE];
	char		peer[NETADDR_TEXT_SIZE + 8];	/* for texts */
};

struct run_message {
	uint64_t	run;
	uint64_t	number;		/* the queue's, of this message */
};

/* What relay says beside the three of delivery.h. */
#define RUN_QUARANTINE	'Q'	/* its head can't be read, or is another's */
#define RUN_UNTRIED	'U'	/* the connection ended before it was begun:
				 * nobody can have it (DELIVERY_UNTRIED) */

/*
 * As struct delivery_event; then text_len bytes without NUL, less than
 * TEXT_SIZE: one line of printable ASCII as delivery_event_text() makes it,
 * which report.h reads, with run_order.peer as who said it.
 */
struct run_result {
	uint64_t	run;
	uint64_t	number;
	int32_t		code;
	uint32_t	status;		/* K, Z, D, Q, U */
	uint32_t	said;
	uint32_t	text_len;
	char		enhanced[12];
	uint32_t	pad;
};

struct run_end {
	uint64_t	run;
	uint64_t	last;		/* message that relay was given: those
					 * with a higher number came too late,
					 * nobody can have them; 0: none */
	uint32_t	status;		/* K or Z */
	uint32_t	said;
	int32_t		code;
	uint32_t	text_len;
};

enum mailer_kind {
	MAILER_SENDMAIL,		/* PATH -i -f SENDER -- RECIPIENT */
	MAILER_QMAIL			/* qmail-queue: message on 0, envelope
					 * on 1 */
};

struct mailer_settings {
	uint32_t	kind;
	uint32_t	timeout_s;
	char		path[PATH_MAX];
};

struct mailer_report {
	uint64_t	number;
	char		sender[MAILBOX_SIZE];	/* "": the null sender */
	char		recipient[MAILBOX_SIZE];
};

struct mailer_answer {
	uint64_t	number;
	int32_t		error;		/* 0: it was taken */
	char		why[256];
	uint32_t	pad;
};

/* The mains of the children: autoturnd -P ROLE. */
__dead void	queue_main(void);
__dead void	relay_main(void);
__dead void	mailer_main(void);

#endif
