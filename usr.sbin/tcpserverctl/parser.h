/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The words of a command, as tcpserverctl(8) lists them.  A keyword may be
 * cut short as long as it can be no other one.
 */
#ifndef PARSER_H
#define PARSER_H

#include <stdint.h>
#include <stdio.h>

#include "tcpserverd.h"

enum action {
	ACTION_NONE,
	ACTION_CHECK,
	ACTION_CONTINUE,
	ACTION_DRAIN,
	ACTION_IMPORT,
	ACTION_KILL,
	ACTION_LOG_BRIEF,
	ACTION_LOG_VERBOSE,
	ACTION_MONITOR,
	ACTION_PAUSE,
	ACTION_RELOAD,
	ACTION_SHOW_METRICS,
	ACTION_SHOW_RULES,
	ACTION_SHOW_SERVICES,
	ACTION_SHOW_SESSION,
	ACTION_SHOW_SESSIONS,
	ACTION_SHOW_STATS,
	ACTION_SHOW_STATUS
};

struct command {
	enum action	 action;
	char		 service[SERVICE_NAME_SIZE];	/* "": all */
	uint64_t	 session;
	struct netaddr	 address;
	const char	*host;			/* NULL: not given */
	const char	*info;
	const char	*file;
};

/*
 * command_parse: reads the words (NULL-terminated) into the command; strings
 * stay the caller's.  0, or -1 after it has said on the stream what is wrong
 * and which words would be valid.
 */
int	command_parse(struct command *, char *const [], FILE *);

#endif
