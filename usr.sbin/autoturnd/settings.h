/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What autoturnd.conf says, checked and resolved.  Nothing here is open,
 * bound or started.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <sys/types.h>
#include <sys/queue.h>

#include <stdio.h>

#include "autoturnd.h"

#define CONF_PATH		SYSCONFDIR "/autoturnd.conf"
#define CONTROL_PATH_DEFAULT	RUNDIR "/autoturnd.sock"
#define EVENT_PATH_DEFAULT	RUNDIR "/tcpserverd.events"
#define STATE_PATH_DEFAULT	STATEDIR
#define POSTMASTER_DEFAULT	"postmaster"		/* @hostname */

#define LIFETIME_DEFAULT_S	(14 * 86400)	/* as maildirsmtp */
#define WARN_DEFAULT_S		0
#define INTERVAL_DEFAULT_S	10
#define RETRY_DEFAULT_S		300
#define RETRY_MAX_DEFAULT_S	(4 * 3600)
#define MESSAGES_DEFAULT	0
#define WINDOW_DEFAULT		16
#define HOPS_DEFAULT		50
#define CONCURRENCY_DEFAULT	20
#define SCAN_DEFAULT_S		600
#define WATCHES_DEFAULT		128
#define HELO_DEFAULT		NULL		/* hostname */
#define MAILER_TIMEOUT_S	300

struct conf_address {
	TAILQ_ENTRY(conf_address) entry;
	struct customer_address	 a;
};

struct conf_domain {
	TAILQ_ENTRY(conf_domain) entry;
	char			 name[DOMAIN_SIZE];	/* in small letters */
};

struct conf_customer {
	TAILQ_ENTRY(conf_customer) entry;
	char			*file;		/* where it stands */
	int			 line;
	struct conf_spool	*spool;
	struct customer_settings settings;
	TAILQ_HEAD(, conf_address) addresses;
	TAILQ_HEAD(, conf_domain) domains;
};

struct conf_spool {
	TAILQ_ENTRY(conf_spool)	 entry;
	char			*file;
	int			 line;
	char			*user;		/* NULL: the owner of its
						 * Maildirs, found by spool.c */
	char			*group;		/* NULL: the user's */
	uid_t			 uid;		/* of user; else (uid_t)-1 */
	gid_t			 gid;
	struct spool_settings	 settings;	/* number, state_path: later */
	TAILQ_HEAD(, conf_customer) customers;
};

struct autoturnd_conf {
	char			*path;		/* the file it came from */
	TAILQ_HEAD(, conf_spool) spools;	/* at least one */
	char			*control_path;
	char			*control_group;	/* NULL: the daemon's own */
	gid_t			 control_gid;
	char			*restricted_path;	/* NULL: none */
	char			*event_path;	/* NULL: "events off" */
	char			*state_path;
	struct mailer_settings	 mailer;
	int			 log_facility;	/* LOG_MAIL */
	int			 log_json;
};

/* parse.y and conf_*.c */

/*
 * autoturnd_conf_load: reads and checks a file: grammar, users, groups,
 * directories, the mailer's program.  defines: "NAME=VALUE" words of -D,
 * NULL-terminated.  Opens nothing but configuration, locks and writes
 * nothing.  All errors go to report, a line each ("file:line: what: why"),
 * warnings too ("warning: ...").  NULL when there was an error.
 * autoturnd_conf_free: NULL is ignored.
 * autoturnd_conf_print: every value, defaults as well, in a form that
 * autoturnd_conf_load reads as the same.
 */
struct autoturnd_conf	*autoturnd_conf_load(const char *, char *const [],
			    void (*)(const char *, void *), void *);
void			 autoturnd_conf_free(struct autoturnd_conf *);
void			 autoturnd_conf_print(FILE *,
			    const struct autoturnd_conf *);

#endif
