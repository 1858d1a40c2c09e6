/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Values as words, for people: what strangers wrote reaches no terminal as
 * it is.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

#define SAFE_BYTES_MAX	8192		/* what is longer is cut */
#define SAFE_SIZE	(4 * SAFE_BYTES_MAX + 1)
#define TIME_SIZE	32
#define AGE_SIZE	32

/*
 * safe: the text with what a terminal must not see as vis(3) writes it, in
 * static memory that the fourth call after this one uses again; NULL gives
 * "-".  safe_bytes: of bytes without an end.  safe_buffer: such memory,
 * SAFE_SIZE bytes, for texts of a like kind.
 * time_text: local time of seconds since the epoch; "-" for 0.
 * age_text: "17 s", "3 min", "2 h", "5 d" of seconds; "-" below 0.
 */
const char	*safe(const char *);
const char	*safe_bytes(const void *, size_t);
char		*safe_buffer(void);
const char	*time_text(int64_t, char *);
const char	*age_text(int64_t, char *);

#endif
