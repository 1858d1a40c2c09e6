/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#ifndef TCPCLIENT_H
#define TCPCLIENT_H

#include "compat.h"
#include "ucspi.h"
#include "ucspi_connect.h"
#include "ucspi_name.h"

/* The command line, as it was understood. */
struct client {
	const char	*host;
	uint16_t	 port;
	char		**program;
	int		 want;		/* NAME_WANT_, 0: neither -4 nor -6 */
	int		 nodelay;
	int		 remote_name;	/* -h */
	int		 ident;		/* -r */
	unsigned long	 ident_timeout_s;
	const char	*local_name;	/* -l, or NULL: look it up */
	struct netaddr	 local;		/* -i, or AF_UNSPEC */
	uint16_t	 local_port;
	unsigned long	 first_s;
	unsigned long	 second_s;
};

/* What the program is told about the connection; NULL: unset. */
struct description {
	struct ident_pair	 pair;
	const char		*local_name;
	const char		*remote_name;
	const char		*info;
};

/* tcpclient.c */

enum log_level {
	LOG_QUIET,
	LOG_ERRORS,
	LOG_VERBOSE
};

/*
 * log_line: writes "tcpclient: " and the rest, if the level asked for by
 * the command line is at least the one given.
 * die: the same as "fatal", with an errno's classic text unless it is 0;
 * exits 111.
 */
void		 log_line(enum log_level, const char *, ...)
		    __attribute__((__format__(__printf__, 2, 3)));
__dead void	 die(int, const char *, ...)
		    __attribute__((__format__(__printf__, 2, 3)));

/* host.c */

/*
 * host_addresses: the addresses of the host word in the order they are to
 * be tried; returns how many.  Exits when there is none.
 * host_local: reads the argument of -i; 0, or -1 if it is no address.
 */
unsigned int	 host_addresses(const struct client *, struct netaddr *,
		    unsigned int);
int		 host_local(struct netaddr *, const char *);

/*
 * host_names: whom to ask for names; made at the first call.  NULL with
 * errno.  host_names_done frees it.
 */
struct name_waiter	*host_names(void);
void			 host_names_done(void);

/* describe.c */

/*
 * describe_connection: finds out what is to be said about the connection.
 * Writes the "connected" line on the way, as soon as the local name is
 * known.
 * describe_environment: puts it into an environment made from environ.
 * Both exit on failure.
 */
void	describe_connection(struct description *, const struct client *, int,
	    const struct netaddr *);
void	describe_environment(struct ucspi_env *, const struct description *);

#endif
