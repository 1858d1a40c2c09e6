/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What tcpserverd.conf says, checked and resolved: what daemon.c makes the
 * running services from.  Nothing here is open, bound or started.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/resource.h>

#include <stdio.h>

#include "tcpserverd.h"

#define CONTROL_PATH_DEFAULT	RUNDIR "/tcpserverd.sock"
#define EVENT_USER_DEFAULT	"_autoturnd"
#define LISTEN_BACKLOG_DEFAULT	128
#define LISTEN_BACKLOG_MAX	65535
#define SESSIONS_DEFAULT	40
#define SESSIONS_MAX		1000000
#define IDENT_TIMEOUT_DEFAULT_S	26
#define IDENT_TIMEOUT_MAX_S	3600

/* "listen on HOST port PORT": one socket for each of its addresses. */
struct conf_listen {
	TAILQ_ENTRY(conf_listen) entry;
	char		*file;		/* where it stands */
	int		 line;
	char		*host;		/* as written: "*", an address, an
					 * interface or a group of them */
	int		 family;	/* AF_INET, AF_INET6, AF_UNSPEC: all */
	char		*port_word;	/* as written */
	uint16_t	 port;
	int		 backlog;
	struct netaddr	*addrs;		/* what host means now */
	unsigned int	 addrs_len;
};

/* "rlimit openfiles 64" */
struct conf_rlimit {
	TAILQ_ENTRY(conf_rlimit) entry;
	int		 resource;	/* RLIMIT_... */
	struct rlimit	 limit;
};

enum conf_rules_kind {
	CONF_RULES_NONE,
	CONF_RULES_CDB,			/* the name ends in ".cdb" */
	CONF_RULES_TEXT			/* compiled by us */
};

/* conf_service.notify */
#define CONF_NOTIFY_CONNECT	0x1
#define CONF_NOTIFY_END		0x2

TAILQ_HEAD(conf_listens, conf_listen);
TAILQ_HEAD(conf_rlimits, conf_rlimit);

struct conf_service {
	TAILQ_ENTRY(conf_service) entry;
	char		*file;
	int		 line;
	char		 name[SERVICE_NAME_SIZE];
	struct conf_listens	 listens;
	enum conf_rules_kind	 rules_kind;
	char		*rules;		/* absolute path */
	char		*user;		/* NULL: stay who we are */
	char		*group;		/* NULL: the user's */
	uid_t		 uid;		/* of user, or our own */
	gid_t		 gid;
	char		*login_class;
	char		*chroot_path;
	char		*directory;
	struct conf_rlimits	 rlimits;
	uint64_t	 sessions_max;
	char		**argv;		/* NULL with close */
	char		**env_set;	/* "NAME=VALUE", NULL-terminated;
					 * exec without a slash is looked for
					 * in the PATH given here, if any */
	char		**env_unset;	/* "NAME" */
	char		*banner;	/* NULL: none; bytes, with its CR LF */
	size_t		 banner_len;
	char		*local_name;	/* NULL: the address is the name */
	uint32_t	 flags;		/* SERVICE_...: all of them */
	uint32_t	 ident_timeout_s;
	uint32_t	 log_level;	/* LOG_LEVEL_..., not QUIET */
	int		 log_facility;	/* LOG_DAEMON ... of syslog(3) */
	int		 close;		/* no program: judged, told, closed */
	unsigned int	 notify;
};

TAILQ_HEAD(conf_services, conf_service);

struct daemon_conf {
	char		*path;		/* the file it came from */
	struct conf_services	 services;
	char		*control_path;	/* never NULL after a load */
	char		*control_group;	/* NULL: the daemon's own */
	gid_t		 control_gid;
	char		*restricted_path;	/* NULL: none */
	char		*event_path;	/* NULL: none */
	char		*event_user;	/* beside root; NULL: only root */
	uid_t		 event_uid;
	int		 log_facility;	/* of what is about no service */
	int		 log_json;
};

/* parse.y */

/*
 * daemon_conf_load: reads and checks a file: grammar, users, groups, ports,
 * interfaces, programs (within their chroot), rules readable.  defines:
 * "NAME=VALUE" words of -D, NULL-terminated.  Binds, locks and writes
 * nothing.  All errors of the file go to report, a line each ("file:line:
 * what: why"), warnings too (they begin with "warning: ").  NULL when there
 * was an error.
 * daemon_conf_free: NULL is ignored.
 */
struct daemon_conf	*daemon_conf_load(const char *, char *const [],
			    void (*)(const char *, void *), void *);
void			 daemon_conf_free(struct daemon_conf *);

/* conf_print.c */

/*
 * daemon_conf_print: every value, defaults as well, in a form that
 * daemon_conf_load reads as the same.
 */
void	daemon_conf_print(FILE *, const struct daemon_conf *);

#endif
