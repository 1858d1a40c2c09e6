/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What was last said of messages that wait again: for the eyes, and for the
 * report when one gets too old.  In memory, so many at most; the oldest go
 * first, and a restart begins anew.
 */
#ifndef SAID_H
#define SAID_H

#define SAID_MAX	10000
#define SAID_TEXT_SIZE	512

/*
 * All by Maildir and name ("new/...").  said_note: replaces what was said.
 * said_find: valid until the next call of another of these; NULL: nothing.
 * said_forget: harmless where nothing was said.
 */
void		 said_note(const char *, const char *, const char *);
const char	*said_find(const char *, const char *);
void		 said_forget(const char *, const char *);

#endif
