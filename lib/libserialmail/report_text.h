/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Strangers' text in reports: private to the library.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdio.h>
#include <time.h>

/*
 * report_date: RFC 5322 3.3, in UTC.
 * report_paragraph: the lines of a text, none empty, bytes other than
 * printable ASCII as "?", at most REPORT_TEXT_BYTES_MAX of them.
 * report_field: one header field, NAME with its colon, folded, likewise.
 * report_reply: the reply in a text, or NULL: what follows "HOST said: ", or,
 * where the text has several replies, each after "<recipient>: ", the
 * recipient's.  *hostlen is the length of HOST, which the text begins with.
 */
void		 report_date(FILE *, time_t);
void		 report_paragraph(FILE *, const char *);
void		 report_field(FILE *, const char *, const char *);
const char	*report_reply(const char *, const char *, size_t *);

#endif
