/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the launcher's files share.
 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <string.h>

#include "tcpserverd.h"

/* What a launcher catches (CHLD) or ignores; a program gets them back. */
#define LAUNCHER_SIGNALS	{ SIGCHLD, SIGPIPE, SIGTERM, SIGINT, SIGHUP }

/* What is started, fixed once configured. */
struct program {
	char		**argv;
	char		**candidates;	/* file names to try (path search) */
	struct ucspi_env  base;		/* inherited, stale variables gone */
	uint32_t	  log_level;
	int		  classic;	/* the child writes its log lines */
	const struct launcher_settings *settings;
	const char	 *directory;	/* NULL: ours */
	struct rlimit_note *rlimits;
	unsigned int	  rlimits_len;
};

/* A start as it came off the queue: the strings point into the packet. */
struct start {
	struct start_record	*record;
	const char		*local_name;	/* NULL: not known */
	const char		*remote_name;
	const char		*info;
	char			*variables;	/* NUL-terminated strings */
	int			 fd;		/* the client */
};

/* How the child tells that it is there. */
struct start_note {
	int		fd;		/* -1: the launcher will tell */
	struct report	report;
};

/* Returns what follows it.  The child of vfork(2) writes with it. */
static inline char *
text_append(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return (p + len);
}

/* start.c */

/*
 * start_parse: checks a packet and lays a struct start over it.  0, or -1
 * with errno EBADMSG.  The packet must stay as long as the start.
 */
int	start_parse(struct start *, char *, size_t);

/* environment.c */

/*
 * environment_init: the inherited environment without what tcpserver sets,
 * changed by words "=NAME=VALUE" (set) and "-NAME" (unset), NUL-ended, of so
 * many bytes, which must stay.
 * environment_value: of a variable of that environment, or NULL.
 * environment_build: the environment of one program: PROTO, TCP* (TCP6* for
 * IPv6 clients) and the rule's variables over the base.  Valid until the
 * next call.  NULL when memory is out.
 */
const char *environment_value(const struct program *, const char *);
int	environment_init(struct program *, char *, size_t);
char  **environment_build(const struct program *, const struct start *);

/* spawn.c */

/*
 * spawn_init: remembers what was ignored when we were started, for the
 * programs; before LAUNCHER_SIGNALS are changed.
 * spawn_start: starts the program on the client's socket.  Returns its pid
 * or -1 with errno (no process was made).  note->fd is -1 afterwards when
 * the report still has to be sent.
 */
void	spawn_init(void);
pid_t	spawn_start(const struct program *, const struct start *,
	    struct start_note *);

#endif
