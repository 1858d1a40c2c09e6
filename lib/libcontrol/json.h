/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Writes JSON (RFC 8259) to standard output, piece by piece: commas, quotes
 * and the order of brackets are seen to here.
 */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>

/*
 * A key is NULL within an array and at the top.  Texts are bytes of any
 * kind: what is no printable ASCII is written as vis(3) does (with
 * VIS_CSTYLE, VIS_OCTAL, VIS_TAB, VIS_NL), then as JSON has it, so that the
 * document is ASCII and the bytes can be had back.
 * json_text: NULL becomes null; json_bytes: a text with a length.
 * json_time: RFC 3339 of microseconds since the epoch; 0: null.
 * json_ms: microseconds as milliseconds; below 0: null.
 * json_done: a line's end after a whole document.
 */
void	json_object(const char *);
void	json_array(const char *);
void	json_end(void);
void	json_text(const char *, const char *);
void	json_bytes(const char *, const void *, size_t);
void	json_number(const char *, uint64_t);
void	json_null(const char *);
void	json_bool(const char *, int);
void	json_time(const char *, int64_t);
void	json_ms(const char *, int64_t);
void	json_done(void);

#endif
