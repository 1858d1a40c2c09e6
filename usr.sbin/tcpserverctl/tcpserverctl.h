/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What tcpserverctl's files share.
 */
#ifndef TCPSERVERCTL_H
#define TCPSERVERCTL_H

#include <stdio.h>

#include "parser.h"
#include "text.h"
#include "view.h"

/* Exit codes, see tcpserverctl(8). */
#define EXIT_FAILED	1
#define EXIT_AWAY	2		/* check: it would not be let in */

/*
 * How rows are shown: begin before the first, end after the last.  show is
 * called for rows, events and gaps.
 */
struct output {
	void	(*begin)(const struct command *);
	void	(*show)(const struct command *, const struct view *);
	void	(*end)(const struct command *);
};

extern const struct output	output_table;	/* table.c: for people */
extern const struct output	output_json;	/* object.c */
extern const struct output	output_metrics;	/* metrics.c: OpenMetrics */

/*
 * values.c: what all of them say in the same way.
 * service_state: one word for what a service does now.
 * ending_text: "exit 1", "signal 11" of a wait status.
 * endpoint_text: "192.0.2.1:25", "[2001:db8::1]:25"; static as safe.
 * key_text: a rule's key as rules spell it; static as safe.
 */
const char	*service_state(const struct control_service *);
void		 ending_text(int32_t, char *, size_t);
const char	*endpoint_text(const struct netaddr *, uint16_t);
const char	*key_text(const uint8_t *, size_t);
extern const char *const	ending_names[ENDING_MAX];

/* source.c */

/* Where the rule stands that a check found, as far as we can see it. */
struct source {
	char	path[PATH_MAX];		/* "": no text was found */
	long	line;			/* 0: none of its lines gives it */
	int	newer;			/* than the database */
};

/*
 * source_find: looks for the text that the rules (text, or a database made
 * from a text beside it) come from, and in it for the first line that gives
 * the key.
 */
void	source_find(struct source *, const char *, const uint8_t *, size_t);

#endif
