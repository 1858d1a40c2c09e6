/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What autoturnctl's files share.
 */
#ifndef AUTOTURNCTL_H
#define AUTOTURNCTL_H

#include <stdio.h>

#include "link.h"
#include "parser.h"
#include "text.h"
#include "view.h"

#define EXIT_FAILED	1		/* see autoturnctl(8) */

/* daemon.c: what the daemon's parent says, and the way to its queues. */

struct spool_link {
	char		*path;
	int		 open;		/* 0: its queue does not run just now */
	struct link	 link;
};

struct daemon_links {
	struct control_daemon	 daemon;
	struct spool_link	**spools;
	size_t			 count;
};

/*
 * daemon_connect: by the path of a control socket.  Fatal with a word if the
 * daemon is not there, is of another version or does not want us.
 */
void	daemon_connect(struct daemon_links *, const char *);

/*
 * How rows are shown: begin before the first of all spools, spool before the
 * first of each (of several: how many there are), end after the last.
 */
struct output {
	void	(*begin)(const struct command *, const struct daemon_links *);
	void	(*spool)(const struct command *, const struct spool_link *,
		    size_t);
	void	(*show)(const struct command *, const struct view *);
	void	(*end)(const struct command *);
};

extern const struct output	output_table;	/* table.c: for people */
extern const struct output	output_json;	/* object.c */
extern const struct output	output_metrics;	/* metrics.c: OpenMetrics */

#endif
