/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A daemon's log lines for programs: keys and values.
 */
#ifndef LOGRECORD_H
#define LOGRECORD_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "privsep.h"

/* Has room for all that a session's line can hold. */
#define LOGRECORD_SIZE	1984

struct logrecord {
	size_t	len;
	int	json;
	char	buf[LOGRECORD_SIZE];
};

/*
 * logrecord_begin: a line of that event, JSON or text; with the time if it
 * is JSON.
 * logrecord_text, logrecord_number, logrecord_ms: a key, which is a plain
 * word, and its value: bytes of whoever, a number, microseconds given as
 * milliseconds with three decimals.  NULL and less than 0: not known, which
 * is null in JSON and not there in text, as logrecord_unknown.
 * logrecord_end: buf holds len bytes of a whole line, without LF or NUL.
 * logrecord_line: the same as the log has it, with its head and LF; returns
 * the length.  priority includes the facility.
 * logrecord_write: a line at once, past all that may wait; lost if that
 * can't be.
 * All are async-signal-safe.
 */
#define LOGRECORD_LINE_SIZE	(LOG_HEAD_SIZE + LOGRECORD_SIZE + 1)

void	logrecord_begin(struct logrecord *, int, const char *);
void	logrecord_text(struct logrecord *, const char *, const char *);
void	logrecord_number(struct logrecord *, const char *, uint64_t);
void	logrecord_ms(struct logrecord *, const char *, int64_t);
void	logrecord_unknown(struct logrecord *, const char *);
void	logrecord_end(struct logrecord *);
size_t	logrecord_line(const struct logrecord *, int, char *);
void	logrecord_write(const struct logrecord *, int);

/*
 * logrecord_log: a line with the priority, without the facility, that is
 * written as those of log_info() are: it waits for the log's reader as they
 * do, and is counted as lost as they are.
 */
void	logrecord_log(const struct logrecord *, int);

#endif
