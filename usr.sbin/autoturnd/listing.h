/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What is in a Maildir, read a piece at a time: the queue has more to do
 * while somebody looks at a hundred thousand messages.
 */
#ifndef LISTING_H
#define LISTING_H

#include <sys/types.h>

#include <stddef.h>
#include <time.h>

#define LISTING_MAX	200000		/* more are only counted */

struct listing;

/*
 * listing_new: of the Maildir, below the directory, its regular files in
 * new/ and cur/, or in quarantine/ only, where names that end in ".reason"
 * are no messages.  NULL with errno.
 * listing_read: the next piece: 1, 0: it is complete, oldest first; -1 with
 * errno: that is as complete as it gets.  A directory that is not there is
 * empty.
 * listing_next: a name ("new/..."), NULL: there are no more; when complete.
 * listing_more: how many are not listed.
 */
struct listing	*listing_new(int, const char *, int);
int		 listing_read(struct listing *);
const char	*listing_next(struct listing *);
size_t		 listing_more(const struct listing *);
void		 listing_free(struct listing *);

#endif
