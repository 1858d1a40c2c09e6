/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A message in a file, with what its head says.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <sys/types.h>
#include <sys/stat.h>

#include "head.h"

/* Some 34 kilobytes; must not be copied, see head.h. */
struct message_file {
	int			 fd;
	struct stat		 st;
	enum head_verdict	 verdict;
	struct head		 head;
	const char		*doing;	/* what failed: "open", "read" */
	const char		*why;	/* static */
	size_t			 len;
	char			 buf[HEAD_BYTES_MAX];	/* its first bytes */
};

/*
 * message_open: the file of a Maildir (maildir_open()), whose head is read
 * for recipients with this prefix (head_parse()).  0, the descriptor is the
 * caller's to close, and verdict says what there is; or -1 with errno, doing
 * and why, and fd is -1.
 * message_read: the same for an open file that is at fd, which stays open
 * whatever happens.  Its offset is neither used nor changed.
 */
int	message_open(struct message_file *, int, const char *, const char *);
int	message_read(struct message_file *, int, const char *);

/*
 * message_hops: how many Received fields the header has, of which the first
 * MESSAGE_HOPS_BYTES after start are looked at; or -1 with errno.
 */
#define MESSAGE_HOPS_BYTES	65536

int	message_hops(int, off_t);

#endif
