/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The words of a command, as autoturnctl(8) lists them.
 */
#ifndef PARSER_H
#define PARSER_H

#include <stdio.h>

enum action {
	ACTION_NONE,
	ACTION_ADD,
	ACTION_CHECK,
	ACTION_EXPIRE,
	ACTION_EXPLAIN,
	ACTION_HOLD,
	ACTION_IMPORT,
	ACTION_PAUSE,
	ACTION_RELEASE,
	ACTION_RELOAD,
	ACTION_RESUME,
	ACTION_RUN,
	ACTION_SHOW_CUSTOMERS,
	ACTION_SHOW_METRICS,
	ACTION_SHOW_QUARANTINE,
	ACTION_SHOW_QUEUE,
	ACTION_SHOW_RUNS,
	ACTION_SHOW_STATUS
};

/* Strings are the caller's; NULL: not given. */
struct command {
	enum action	 action;
	const char	*customer;
	const char	*message;
	const char	*spool;
	const char	*address;
	const char	*domain;
};

/*
 * command_parse: reads the words (NULL-terminated) into the command.  0, or
 * -1 after it has said on the stream what is wrong and which words would be
 * valid.
 */
int	command_parse(struct command *, char *const [], FILE *);

#endif
