/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the files that make a struct daemon_conf from tcpserverd.conf share.
 * Nothing of this is for anybody else: see daemon.h.
 */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include <sys/stat.h>

#include "conf.h"
#include "daemon.h"
#include "reader.h"

/* What may be given once only; each has its word in conf_build.c. */
enum conf_once {
	ONCE_RULES, ONCE_USER, ONCE_CHROOT, ONCE_LOGIN, ONCE_DIRECTORY,
	ONCE_SESSIONS, ONCE_EXEC, ONCE_CLOSE, ONCE_BANNER, ONCE_LOCAL_NAME,
	ONCE_LOOKUP, ONCE_IDENT, ONCE_LOG_LEVEL, ONCE_LOG_FACILITY,
	ONCE_CONTROL, ONCE_RESTRICTED, ONCE_EVENT, ONCE_LOG_FORMAT,
	ONCE_COUNT
};

/* A configuration that is being made. */
struct conf_build {
	struct conf		*lexer;
	struct daemon_conf	*conf;
	struct conf_service	*service;	/* that is being read */
	struct conf_word	 name;		/* its own */
	unsigned int		 errors;	/* when it began */
	/* file NULL: not given */
	struct conf_word	 once[ONCE_COUNT];
	int			 listens;	/* were there any? */
	int			 rlimits;
	int			 environment;
	int			 exec_again;
	struct conf_word	 global_facility;
	struct conf_word	 ports[SERVICE_LISTENERS_MAX];
	unsigned int		 ports_len;	/* of this listen */
	void			(*report)(const char *, void *);
	void			*arg;
};

/* conf_build.c */

/*
 * build_once: notes that it was given; -1 when it was before, after saying
 * so.  build_once_word: what it is called.
 * build_list_add: a copy more at the end of a NULL-terminated list.
 */
int	 build_once(struct conf_build *, enum conf_once,
	    const struct conf_word *);
const char	*build_once_word(enum conf_once);
int	 build_list_add(struct conf_build *, const struct conf_word *, char ***,
	    const char *);

/*
 * build_init: an empty configuration with its defaults; 0, or -1 with errno.
 * build_finish: what can be seen only when all was read.
 */
int	 build_init(struct conf_build *);
void	 build_finish(struct conf_build *);

/* conf_global.c; the first word is the directive's own, others its values */
void	 build_control(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, const struct conf_word *);
void	 build_restricted(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_event(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, const struct conf_word *);
void	 build_log_format(struct conf_build *, const struct conf_word *, int);
void	 build_log_facility(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);

/* conf_names.c */

/*
 * conf_variable_is_ours: does it, as "NAME" or "NAME=VALUE", tell of the
 * connection?  Those are set for each: environment.c.
 */
int	 conf_variable_is_ours(const char *);

/* conf_service.c */
void	 build_service_begin(struct conf_build *, const struct conf_word *);
void	 build_service_end(struct conf_build *);
void	 build_rules(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, int);
void	 build_user(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, const struct conf_word *);
void	 build_chroot(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_login_class(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_directory(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_sessions(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_exec(struct conf_build *, const struct conf_word *);
void	 build_exec_arg(struct conf_build *, const struct conf_word *);
void	 build_env_set(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_env_unset(struct conf_build *, const struct conf_word *);
void	 build_banner(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_local_name(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_lookup(struct conf_build *, const struct conf_word *, uint32_t);
void	 build_ident(struct conf_build *, const struct conf_word *, int,
	    const struct conf_word *);
void	 build_log_level(struct conf_build *, const struct conf_word *,
	    uint32_t);
void	 build_close(struct conf_build *, const struct conf_word *);

/* conf_rlimit.c */
void	 build_rlimit(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, const struct conf_word *);

/* conf_rlimit_SYSTEM.c: the limits that do something here */
struct conf_rlimit_kind {
	const char	*name;		/* as in login.conf(5) */
	int		 resource;
	int		 sizes;		/* in bytes: k, m, g make sense */
};
extern const struct conf_rlimit_kind	conf_rlimit_kinds[];
extern const size_t			conf_rlimit_kinds_len;

/* conf_names.c: that of a name, the name of a number; NULL: there is none */
const struct conf_rlimit_kind	*conf_rlimit_find(const char *);
const char			*conf_rlimit_name(int);

/* conf_listen.c */
void	 build_port(struct conf_build *, const struct conf_word *);
void	 build_listen(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, int, const struct conf_word *);

/* conf_free.c */
void	 conf_listen_free(struct conf_listen *);

/* conf_host.c */

/*
 * conf_host_find: the addresses that the host of a "listen on" means now,
 * malloc(3)ed; their number, or -1 with why copied to the buffer.
 */
int	 conf_host_find(const char *, int, struct netaddr **, char *, size_t);

/* conf_ifgroup_SYSTEM.c */

/*
 * conf_ifgroup_has: is an interface in a group of them?  1, 0; -1: no such
 * group, or none on this system.
 */
int	 conf_ifgroup_has(const char *, const char *);

/* conf_path.c */

/*
 * conf_path_stat: stat(2) of an absolute path as a process within that root
 * (NULL: ours) sees it.  0, or -1 with errno.
 */
int	 conf_path_stat(const char *, const char *, struct stat *);

/* conf_program.c: the program, which is named, of the service that was read */
void	 build_program_check(struct conf_build *);

/* conf_rules.c: the rules that were given there */
void	 build_rules_check(struct conf_build *, const struct conf_word *);

/* parse.y: is it a word of the grammar? */
int	 conf_word_is_key(const char *);

#endif
