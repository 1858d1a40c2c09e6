/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The lines a daemon has for the operator: to standard error for people; for
 * JSON kept, and told in one document with the end.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stddef.h>

/*
 * answer_text: a line of the daemon's; json: it is kept.  answer_texts: how
 * many are.  answer_put: "done" and "messages", a whole document.
 * answer_messages: the latter alone, into one that is open.
 * answer_flush: standard output, or exit 1.
 */
void	answer_text(int, const void *, size_t);
size_t	answer_texts(void);
void	answer_put(int);
void	answer_messages(void);
void	answer_flush(void);

#endif
