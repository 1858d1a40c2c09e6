/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What waits in a Maildir.  A directory is a descriptor, so that a caller
 * needs no working directory; the time is an argument.  What can't be used
 * is told to the caller, by name, and is in no list.
 */
#ifndef MAILDIR_H
#define MAILDIR_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stddef.h>
#include <time.h>

#define MAILDIR_TMP_AGE_S	129600	/* 36 hours */
#define MAILDIR_AHEAD_S		60
/* As the time: all of them, whatever a clock has made of their times. */
#define MAILDIR_ANY_TIME	((time_t)1 << (sizeof(time_t) * 8 - 2))

struct maildir_file {
	const char	*name;		/* "new/..." or "cur/..." */
	time_t		 mtime;
};

struct maildir_block;

/* Zeroes before the first use. */
struct maildir_list {
	struct maildir_file	*files;
	size_t			 count;
	/* private */
	size_t			 size;
	struct maildir_block	*blocks;
};

/* Told of a file, or of "new" and "cur", and why it is not used; static. */
typedef void maildir_report(void *, const char *, const char *);

/*
 * maildir_scan: the regular files in new/ and cur/ of the Maildir dirfd that
 * were last modified before the second now, oldest first, those of the same
 * second by their names without the directory.  Names that begin with a dot
 * are passed over, and so are, without a word, files of this very second,
 * which an agent may still be at, or of the MAILDIR_AHEAD_S after it, as come
 * while a scan is on, and files that vanish meanwhile; told of are symbolic
 * links, directories, everything else that is no regular file, files of the
 * future beyond that, and what can't be looked at.  A missing or unreadable
 * cur/ is told of.  Replaces what the list held.  Returns 0, or -1 with
 * errno, and an empty list, if new/ can't be read or memory is out.
 */
int		 maildir_scan(struct maildir_list *, int, time_t,
		    maildir_report *, void *);
void		 maildir_list_free(struct maildir_list *);

/*
 * maildir_walk: calls visit for each regular file in new/ and cur/ of the
 * Maildir dirfd with its name there and lstat(2)'s answer, in no order and
 * whatever its times are; -1 from visit ends the walk.  Names that begin with
 * a dot are passed over; told of is what can't be used, as above.  Returns 0,
 * or -1 with errno if visit ended it or new/ can't be read.
 */
int		 maildir_walk(int, int (*)(void *, const char *,
		    const struct stat *), maildir_report *, void *);

/*
 * maildir_clean: removes from tmp/ what is no directory and has not been
 * read for more than MAILDIR_TMP_AGE_S, names that begin with a dot kept.  A
 * tmp/ that is a symbolic link is not followed, whenever it has become one:
 * nothing is removed anywhere else.  Told of is that, and what can't be
 * removed; a missing tmp/ is none of its business.
 */
void		 maildir_clean(int, time_t, maildir_report *, void *);

/*
 * maildir_open: a file of a Maildir for reading, close-on-exec, never through
 * a symbolic link and never waiting for the other end of a FIFO.  Fills st.
 * Returns a descriptor, or -1 with errno: EISDIR, ELOOP for a symbolic link,
 * EFTYPE's stand-in EINVAL for what is no regular file, or open(2)'s.
 */
int		 maildir_open(int, const char *, struct stat *);

/* maildir_why: the text of an errno value of maildir_open, static. */
const char	*maildir_why(int);

#endif
