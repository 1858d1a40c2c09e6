/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the files of import share.
 */
#ifndef IMPORT_LOCAL_H
#define IMPORT_LOCAL_H

#include <sys/types.h>
#include <sys/queue.h>

#include <stdint.h>
#include <stdio.h>

/* Bytes that grow, and words that do; all zeros at first. */
struct import_text {
	char	*base;			/* NUL-terminated once it is not NULL */
	size_t	 len;
	size_t	 size;
};

/* A word of a script or of a table. */
struct import_word {
	char	*text;
	char	*unknown;		/* what in it could not be told, or
					 * NULL */
	int	 line;
};

struct import_words {
	struct import_word	*list;
	size_t			 len;
};

struct import_listen {
	TAILQ_ENTRY(import_listen)	 entry;
	char				*host;
	int				 family;
	char				*port;
	char				*backlog;	/* NULL: default */
};

TAILQ_HEAD(import_listens, import_listen);

enum import_lookup { IMPORT_LOOKUP_OFF, IMPORT_LOOKUP_ON,
    IMPORT_LOOKUP_PARANOID };

/* A service as it will be printed; NULL: the daemon's default. */
struct import_service {
	TAILQ_ENTRY(import_service)	 entry;
	char				*name;
	char				*file;
	int				 line;
	struct import_listens		 listens;
	char				*rules;
	int				 rules_optional;
	char				*user;
	char				*group;
	char				*login_class;
	char				*directory;
	char				*chroot_path;
	char				*sessions;
	char				*banner;
	char				*local_name;
	char				*facility;
	const char			*log;
	enum import_lookup		 lookup;
	int				 ident;
	char				*ident_timeout;
	char				*env_user;	/* of envuidgid */
	int				 nodelay;
	int				 ip_options;
	struct import_words		 rlimits;	/* "NAME VALUE" */
	struct import_words		 env_set;	/* "NAME=VALUE" */
	struct import_words		 env_unset;
	struct import_words		 argv;
	int				 useless;	/* print as a comment */
};

TAILQ_HEAD(import_services, import_service);

struct import_variable {
	TAILQ_ENTRY(import_variable)	 entry;
	char				*name;
	char				*value;		/* NULL: not known */
	int				 exported;
};

TAILQ_HEAD(import_variables, import_variable);

struct import {
	const char		*file;	/* that is being read */
	int			 line;
	FILE			*err;
	unsigned int		 problems;
	int			 failed;	/* memory is out */
	struct import_services	 services;
	/* what a script has said so far */
	struct import_variables	 variables;
	struct import_words	 limits;	/* of ulimit: "NAME VALUE" */
	char			*directory;
	char			*host;		/* inetd.conf's so far */
	unsigned int		 depth;		/* scripts within scripts */
	unsigned int		 files;		/* read by them */
	struct import_service	*piped;		/* whose output comes now */
};

/* import.c */

/*
 * import_problem: something is not carried over, at the line being read.
 * import_read: a whole file, to be freed; NULL with errno.
 */
void	 import_problem(struct import *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
char	*import_read(const char *);

/*
 * import_text.c: memory; when it is out, the import's failed is set, and
 * all go on with what they have.
 *
 * text_add, text_string: append.
 * string_set: a copy in the place of what was there.
 * words_add: a copy at the end.  words_drop: takes that one out.
 */
void	 text_add(struct import *, struct import_text *, char);
void	 text_string(struct import *, struct import_text *, const char *);
void	 string_set(struct import *, char **, const char *);
void	 words_add(struct import *, struct import_words *, const char *,
	    const char *);
void	 words_drop(struct import_words *, size_t);
void	 words_free(struct import_words *);

/* import_service.c */

/*
 * service_new: at the end of the list; NULL when memory is out.
 * service_user, service_group, service_rules, service_port_known: if this
 * host knows them, else with a problem told.
 * service_finish: name, program, what is taken: whatever makes it useless.
 * services_print, services_free: all of them.
 */
struct import_service	*service_new(struct import *);
void	 service_user(struct import *, struct import_service *, const char *);
void	 service_group(struct import *, struct import_service *,
	    const char *);
void	 service_rules(struct import *, struct import_service *,
	    const char *);
void	 service_listen(struct import *, struct import_service *,
	    const char *, int, const char *, const char *);
/* service_variable: NAME and VALUE, into the program's environment */
void	 service_variable(struct import *, struct import_service *,
	    const char *, const char *);
void	 service_finish(struct import *, struct import_service *);
/* service_drop: it was none after all */
void	 service_drop(struct import *, struct import_service *);
void	 services_free(struct import *);
/* import_print.c */
void	 services_print(const struct import *, FILE *);

/* import_limit.c */

/*
 * limit_softlimit, limit_ulimit: the option of that letter of softlimit(8)
 * or sh(1)'s ulimit, with its value as it is given there; adds "NAME VALUE".
 */
void	 limit_softlimit(struct import *, struct import_words *, int,
	    const char *);
void	 limit_ulimit(struct import *, struct import_words *, int,
	    const char *);

/* import_shell.c */

/*
 * shell_read: a script: each of its commands goes to command_read.
 * shell_split: one command's words; -1: it is more than one.
 */
void	 shell_read(struct import *, const char *);
int	 shell_split(struct import *, const char *, struct import_words *);

/* import_variable.c */
const char	*variable_value(struct import *, const char *);
void	 variable_set(struct import *, const char *, const char *);
void	 variable_export(struct import *, const char *);
/* the output of a command, to be freed; NULL: it can't be told */
char	*variable_substitute(struct import *, const char *);
void	 variables_free(struct import *);

/* import_command.c */

/* Options of a command among its words; all zeros but words and next. */
struct import_options {
	const struct import_words	*words;
	size_t				 next;	/* at last: first operand */
	const char			*letters; /* as for getopt(3) */
	const char			*cluster;
	const struct import_word	*arg;
	struct import_word		 rest;	/* of its own word */
};

/*
 * command_read: a command and its redirections.
 * option_next: the next letter; '?': none that it has; -1 at the end.
 * word_known: is it? Else a problem that begins with what.
 * word_base: the name of a program, without directory and "s6-".
 */
void		 command_read(struct import *, const struct import_words *,
		    const struct import_words *);
int		 option_next(struct import_options *);
int		 word_known(struct import *, const struct import_word *,
		    const char *);
const char	*word_base(const char *);

/* import_prefix.c */

/*
 * prefix_read: what stands before the tcpserver at that place on its line.
 * The place of what tcpserver's options follow, or -1: there is none here.
 */
ssize_t		 prefix_read(struct import *, const struct import_words *,
		    size_t, struct import_service *);

/* import_tcpserver.c: options and operands, from the word after it on */
void		 tcpserver_read(struct import *, const struct import_words *,
		    size_t, struct import_service *);
/*
 * host_resolve: a name becomes the address that it has today, which is told;
 * -1 after saying why not.
 */
int		 host_resolve(struct import *, const char *, int, char *,
		    size_t);

/* import_inetd.c */
int	 inetd_is(const char *);
void	 inetd_read(struct import *, const char *);

#endif
