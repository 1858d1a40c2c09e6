/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a confined process tries, shared by denied_test.c and the system.h of
 * each system.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <limits.h>

enum {
	ROLE_ENGINE		= 0x1,
	ROLE_RESOLVER		= 0x2,
	ROLE_CONVERSATION	= 0x4,
	ROLE_QUEUE		= 0x8,
	ROLE_RELAY		= 0x10,
	ROLE_CALLED		= ROLE_ENGINE | ROLE_CONVERSATION | ROLE_QUEUE |
				    ROLE_RELAY,
	ROLE_ALL		= ROLE_CALLED | ROLE_RESOLVER,
	ROLE_FILELESS		= ROLE_ALL & ~ROLE_QUEUE
};

/* Everything a role might have been given before it was confined. */
struct fixture {
	pid_t			parent;
	int			directory;
	int			file;		/* open for reading, writing */
	int			program;	/* a file that can be executed */
	int			spool;		/* the queue's two */
	int			state;
	char			spool_path[PATH_MAX];
	char			state_path[PATH_MAX];
	int			tcp;		/* a socket, not connected */
	int			udp;
	int			bound;		/* a socket with a port */
	int			listener;
	int			unix_stream;	/* not connected */
	struct sockaddr_in	where;		/* where somebody listens */
};

/* Returns -1 with errno when refused; anything else is a success. */
typedef int attempt_fn(const struct fixture *);

/* Who can do it without a sandbox: the attempt is worth nothing otherwise. */
enum attempt_need {
	NEED_NOTHING,
	NEED_ROOT,
	NEED_LUCK		/* kernels and containers differ */
};

struct attempt {
	const char		*name;
	attempt_fn		*try;
	int			 roles;		/* which may not do it */
	enum attempt_need	 need;
};

#endif
