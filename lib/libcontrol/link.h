/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A client's end of a control socket (control_wire.h), blocking.  All of it
 * is for a program that can do nothing but say what is wrong and exit: 1.
 */
#ifndef LINK_H
#define LINK_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/time.h>

#include <stddef.h>
#include <stdint.h>

#include <imsg.h>

#include "compat.h"

struct link {
	struct imsgbuf	 ibuf;
	struct imsg	 imsg;		/* the last */
	int		 have;		/* it must be freed */
};

struct link_message {
	uint32_t	 type;
	const char	*data;
	size_t		 len;
};

/*
 * link_connect: to a socket by its path.  link_adopt: of a descriptor that
 * is connected, which becomes the link's.
 * link_allow_fds: messages may come with descriptors.
 * link_hello: says hello, of that version, and waits for the welcome.
 * link_ask: sends a message.
 * link_next: waits for what comes, so many seconds (0: for ever).  The
 * message is valid until the next call.  link_fd: the descriptor that came
 * with it, which is the caller's then, or -1.
 * link_string: takes the next string of a row, of that length with its NUL,
 * from the bytes that are left; NULL for length 0.  0, or -1: it is none.
 * link_refused: says why the daemon does not want us.
 */
void		link_connect(struct link *, const char *);
void		link_adopt(struct link *, int);
void		link_allow_fds(struct link *);
void		link_hello(struct link *, uint32_t);
void		link_ask(struct link *, uint32_t, const void *, size_t);
void		link_next(struct link *, struct link_message *, int);
int		link_fd(struct link *);
int		link_string(const char **, const char **, size_t *, uint32_t);
__dead void	link_refused(const struct link_message *);
void		link_close(struct link *);

#endif
