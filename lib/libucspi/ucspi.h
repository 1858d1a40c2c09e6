/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the UCSPI programs share: classic options and numbers, error texts,
 * path search, environment, addresses.  Behaviour is ucspi-tcp 0.88's, as
 * ucspi(7) describes it.
 */
#ifndef UCSPI_H
#define UCSPI_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

/* Exit codes of the UCSPI world. */
#define UCSPI_EXIT_USAGE	100	/* permanent: usage, denied */
#define UCSPI_EXIT_TEMPORARY	111	/* a system or network failure */

/* error.c */

/*
 * ucspi_strerror: the classic text of an errno value ("file does not
 * exist", ...); "unknown error" where 0.88 has none.  Static, never NULL,
 * async-signal-safe.
 */
const char	*ucspi_strerror(int);

/* scan.c */

/*
 * ucspi_scan_ulong: the longest run of decimal digits at the start of s;
 * the rest is ignored, no digits give 0, overflow wraps.
 */
unsigned long	 ucspi_scan_ulong(const char *);

/*
 * ucspi_port_find: port number of a word: all digits (or empty) is a
 * number modulo 65536, otherwise a tcp service name (getservbyname(3)).
 * Returns 0, or -1 when the name is unknown.  Host byte order.
 */
int		 ucspi_port_find(const char *, uint16_t *);

/* option.c */

struct ucspi_option {
	const char	*name;		/* argv[0] after the last slash */
	const char	*arg;		/* argument of the current letter */
	int		 ind;		/* first operand, once -1 came */
	/* private */
	char	       **argv;
	const char	*letters;
	const char	*cluster;
};

/*
 * ucspi_option_init: letters as for getopt(3), without its extensions.
 * ucspi_option_next: the next letter, -1 at the end, '?' after an error,
 * whose line ("NAME: illegal option -- X", "NAME: option requires an
 * argument -- X") it has then written to standard error.
 */
void		 ucspi_option_init(struct ucspi_option *, char **,
		    const char *);
int		 ucspi_option_next(struct ucspi_option *);

/* path.c */

/*
 * ucspi_path_candidates: the file names under which prog is to be tried,
 * in order, NULL-terminated, in one malloc(3)ed block: prog itself if it
 * has a slash, otherwise one per component of path (an empty component is
 * "."; a NULL path is "/bin:/usr/bin").  NULL when memory is out.
 *
 * ucspi_path_exec: tries execve(2) on each candidate by the classic rules
 * (does not exist: go on; access denied, permission denied, is a directory:
 * remember and go on; any other error: stop).  Returns only on failure, the
 * errno to report.  Async-signal-safe, allocates nothing: may be called
 * after vfork(2).
 *
 * ucspi_path_run: both, for prog along $PATH and with our own environment,
 * where nothing else is left to do.  Returns only on failure, the errno to
 * report.
 */
char	       **ucspi_path_candidates(const char *, const char *);
int		 ucspi_path_exec(char *const [], char *const [],
		    char *const []);
int		 ucspi_path_run(const char *, char *const []);

/* decimal.c */

/*
 * ucspi_decimal: the digits of n, at least width of them (at most
 * UCSPI_DECIMAL_SIZE, which is also what the longest number needs), without
 * a NUL.  Returns how many.
 */
#define UCSPI_DECIMAL_SIZE	20

size_t		 ucspi_decimal(char *, uint64_t, unsigned int);

/* env.c */

/*
 * An environment under edit: an array of "NAME=VALUE" pointers, always
 * NULL-terminated.  Strings put into it are borrowed, never freed here;
 * they must outlive it.
 */
struct ucspi_env {
	char	**list;
	size_t	  len;
	size_t	  size;
};

/*
 * ucspi_env_init: starts from a copy of the given array (may be NULL).
 * ucspi_env_put: "NAME=VALUE" replaces every entry of that name, else is
 * appended (an empty name is a name).
 * ucspi_env_append: the same for a name that is known not to be there.
 * ucspi_env_unset: removes every entry of that name.
 * ucspi_env_copy: makes dst hold what src holds, reusing dst's memory.
 * All but free return 0, or -1 with errno ENOMEM and nothing changed.
 */
int		 ucspi_env_init(struct ucspi_env *, char *const []);
int		 ucspi_env_put(struct ucspi_env *, char *);
int		 ucspi_env_append(struct ucspi_env *, char *);
void		 ucspi_env_unset(struct ucspi_env *, const char *);
int		 ucspi_env_copy(struct ucspi_env *, const struct ucspi_env *);
void		 ucspi_env_free(struct ucspi_env *);

/* netaddr.c */

/*
 * An address without a port, in a form that can be sent and compared:
 * unused bytes are zero.  IPv4-mapped IPv6 addresses become AF_INET.
 */
struct netaddr {
	uint8_t		family;		/* AF_INET, AF_INET6, AF_UNSPEC */
	uint8_t		pad[3];
	uint32_t	scope;		/* interface index of a scoped IPv6 */
	uint8_t		bytes[16];	/* network order; IPv4: first four */
};

#define NETADDR_TEXT_SIZE	46	/* INET6_ADDRSTRLEN: longest text */

/*
 * netaddr_from_sockaddr: fills address and port (host order) from a socket
 * address; -1 with errno EAFNOSUPPORT for other families.
 * netaddr_to_sockaddr: the reverse; returns the length to give to the
 * kernel.  family AF_INET6 for an AF_INET address gives the mapped form;
 * AF_UNSPEC keeps the address's own family.
 * netaddr_text: dotted quad or RFC 5952 text, without a scope; returns buf,
 * which holds NETADDR_TEXT_SIZE bytes.
 * netaddr_parse: the reverse for exact addresses: inet_pton(3) forms, IPv6
 * also in brackets, "%scope" not accepted; 0 or -1.
 * netaddr_scan: a dotted quad as the classic programs scan it: four numbers
 * of any length, each modulo 256.  Returns what follows it, or NULL.
 */
int		 netaddr_from_sockaddr(struct netaddr *, uint16_t *,
		    const struct sockaddr_storage *);
socklen_t	 netaddr_to_sockaddr(const struct netaddr *, uint16_t,
		    int, struct sockaddr_storage *);
char		*netaddr_text(const struct netaddr *, char *);
int		 netaddr_parse(struct netaddr *, const char *);
const char	*netaddr_scan(struct netaddr *, const char *);

#endif
