/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Names and addresses as the classic programs figure them out: which DNS
 * servers, how a host word is qualified, what counts as an answer.  The
 * packets travel by c-ares; what is in them is read here.
 *
 * Reading files and asking the network are apart: name_config_load() before
 * chroot(2) and sandbox, name_pool_new() as well (c-ares may want random
 * bytes from a file once); after that no file is opened.
 */
#ifndef UCSPI_NAME_H
#define UCSPI_NAME_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "ucspi.h"

#define NAME_WIRE_SIZE		256	/* 255 bytes, RFC 1035 section 3.1 */
/* 255 bytes on the wire, each at most a backslash and three digits. */
#define NAME_TEXT_SIZE		1025
#define NAME_ADDRS_MAX		256	/* addresses kept of one answer */
#define NAME_TXT_SIZE		4096	/* bytes kept of TXT answers, NUL */
#define NAME_SERVERS_MAX	16

/* Record types, RFC 1035 section 3.2.2 and RFC 3596. */
#define NAME_TYPE_A		1
#define NAME_TYPE_CNAME		5
#define NAME_TYPE_PTR		12
#define NAME_TYPE_TXT		16
#define NAME_TYPE_AAAA		28

/* name_config.c */

/* Where a configuration comes from; a NULL member is not there. */
struct name_source {
	const char	*cache_ip;	/* $DNSCACHEIP */
	const char	*rewrite_file;	/* $DNSREWRITEFILE */
	const char	*local_domain;	/* $LOCALDOMAIN */
	const char	*resolv_file;	/* /etc/resolv.conf */
	const char	*host_name;	/* gethostname(3) */
};

/*
 * What was read.  A file that could not be read (other than by not being
 * there) leaves its errno: everything that would have needed it then fails
 * with that.
 */
struct name_config {
	struct netaddr	 servers[NAME_SERVERS_MAX];
	unsigned int	 server_count;
	int		 servers_error;
	char		*rules;		/* each with its NUL, in a row */
	size_t		 rules_len;
	int		 rules_error;
};

/*
 * name_config_load: from the environment and the system's files.
 * name_config_read: from the given places.
 * Both return 0, or -1 with errno ENOMEM.
 */
int	name_config_load(struct name_config *);
int	name_config_read(struct name_config *, const struct name_source *);
void	name_config_free(struct name_config *);

/* name_qualify.c */

struct name_candidates {
	char		*name;		/* the name after the last rule */
	char		*text;		/* the candidate last given out */
	const char	*next;		/* in name; NULL at the end */
	size_t		 head_len;
	int		 plain;		/* name has no '+' */
};

/*
 * name_qualify: prepares the names under which word is to be looked up,
 * in order.  0, or -1 with errno (ENOMEM, or config's rules_error).
 * name_candidate_next: the next one, valid until the next call; NULL at
 * the end.
 * name_literal: an address (or several) in name itself: digits, dots and
 * brackets the classic way, or an IPv6 address.  Returns how many were
 * stored, perhaps 0; -1 if name is not such a word.
 */
int		 name_qualify(struct name_candidates *,
		    const struct name_config *, const char *);
const char	*name_candidate_next(struct name_candidates *);
void		 name_candidates_free(struct name_candidates *);
int		 name_literal(const char *, struct netaddr *, unsigned int);

/* name_wire.c */

/*
 * Names on the wire are length-prefixed labels up to and including the
 * empty one, at most 255 bytes, uncompressed.
 *
 * name_wire_from_text: dotted text; a backslash takes up to three octal
 * digits or makes the next byte literal; empty labels vanish.  Returns the
 * length, or -1 with errno EPROTO: a label over 63 bytes, a name over 255.
 * name_wire_from_addr: the name that holds an address's PTR record.
 * name_wire_to_text: lower-cased, bytes other than letters, digits, '-' and
 * '_' as backslash and three octal digits, no final dot; the root is ".".
 * The text holds NAME_TEXT_SIZE bytes.
 * name_wire_equal: the same name, whatever its letters' case.
 */
int	name_wire_from_text(uint8_t *, const char *);
int	name_wire_from_addr(uint8_t *, const struct netaddr *);
void	name_wire_to_text(char *, const uint8_t *);
int	name_wire_equal(const uint8_t *, const uint8_t *);
size_t	name_wire_len(const uint8_t *);

/* name_answer.c */

struct name_answer {
	int		error;		/* 0, or errno: no answer was had */
	unsigned int	count;		/* addresses, or strings of TXT */
	struct netaddr	addr[NAME_ADDRS_MAX];
	char		name[NAME_TEXT_SIZE];	/* PTR; "" when there is none */
	char		text[NAME_TXT_SIZE];	/* TXT: all strings, joined */
	size_t		text_len;
};

/*
 * name_answer_read: what a DNS message (untrusted) answers to a question
 * for a name and type in class IN.  NXDOMAIN and "no data" are success with
 * nothing in it.  error is EPROTO for a message that breaks its own bounds
 * or answers another question, EAGAIN for SERVFAIL and its kin.  CNAMEs are
 * followed within the message.
 */
void	name_answer_read(struct name_answer *, const uint8_t *, size_t,
	    const uint8_t *, uint16_t);

/* name_query.c */

/*
 * A pool of c-ares channels.  A channel's source port lives as long as it
 * has a question open, so idle channels are preferred: where the load
 * allows, each question gets a port of its own.
 *
 * The driver is whoever runs the loop:
 * watch: call name_pool_ready() when the descriptor is readable or writable,
 * as wanted; neither means forget it, it is about to be closed.
 * timer: call name_pool_expired() for that channel after so many
 * milliseconds, instead of any time set before; -1 is never.
 */
struct name_pool;

struct name_driver {
	void	(*watch)(void *, unsigned int, int, int, int);
	void	(*timer)(void *, unsigned int, int);
	void	 *arg;
};

/*
 * name_pool_new: with that many channels.  NULL with errno.
 * name_pool_free: forgets all questions without a word to who asked.  Not
 * to be called from done.
 * name_pool_pending: questions that c-ares still works on, cancelled ones
 * included.
 */
struct name_pool	*name_pool_new(const struct name_config *,
			    unsigned int, const struct name_driver *);
void			 name_pool_free(struct name_pool *);
unsigned int		 name_pool_pending(const struct name_pool *);
void			 name_pool_ready(struct name_pool *, unsigned int,
			    int, int, int);
void			 name_pool_expired(struct name_pool *, unsigned int);

/*
 * One question, in memory of the asker's, zeroed before its first use.
 * done is called exactly once per start unless cancelled, perhaps before
 * start returns; the query may be started again or freed from there.
 */
struct name_query {
	void			(*done)(struct name_query *,
				    const struct name_answer *);
	void			 *arg;
	struct name_flight	 *flight;	/* private */
};

/*
 * name_query_wire, _text, _ptr: ask for records of a name in one of three
 * forms.  The wire name is copied.
 * name_query_cancel: forget it; allowed when nothing is under way.
 */
void	name_query_wire(struct name_pool *, struct name_query *,
	    const uint8_t *, uint16_t);
void	name_query_text(struct name_pool *, struct name_query *,
	    const char *, uint16_t);
void	name_query_ptr(struct name_pool *, struct name_query *,
	    const struct netaddr *);
void	name_query_cancel(struct name_query *);

/* name_host.c */

/*
 * A host word: qualified, read as an address or looked up, under each
 * candidate in turn until one has an address.  IPv4 first; each family's
 * addresses in random order.  As name_query: zeroed before first use, done
 * once per start unless cancelled, perhaps before start returns.
 */
#define NAME_WANT_V4		0x1
#define NAME_WANT_V6		0x2

struct name_host {
	/* errno or 0, addresses (valid during the call), how many */
	void	(*done)(struct name_host *, int, const struct netaddr *,
		    unsigned int);
	void	 *arg;
	/* private */
	struct name_pool	*pool;
	struct name_candidates	 candidates;
	struct name_query	 v4;
	struct name_query	 v6;
	struct netaddr		 addr[NAME_ADDRS_MAX];
	struct netaddr		 addr6[NAME_ADDRS_MAX];
	unsigned int		 count;
	unsigned int		 count6;
	unsigned int		 waiting;
	int			 want;
	int			 error;
};

void	name_host_start(struct name_host *, struct name_pool *,
	    const struct name_config *, const char *, int);
void	name_host_cancel(struct name_host *);

/* name_wait.c */

/*
 * The same for programs that have nothing else to do meanwhile.
 *
 * name_waiter_new: NULL with errno.  config must outlive it.
 * name_wait_host: returns how many addresses were stored, -1 with errno.
 * name_wait_query: 0 or -1 with errno, the answer in any case.
 * name_wait_ptr: the name of an address, "" when it has none; 0 or -1.
 */
struct name_waiter;

struct name_waiter	*name_waiter_new(const struct name_config *);
void			 name_waiter_free(struct name_waiter *);
int			 name_wait_host(struct name_waiter *, const char *,
			    int, struct netaddr *, unsigned int);
int			 name_wait_query(struct name_waiter *, const char *,
			    uint16_t, struct name_answer *);
int			 name_wait_ptr(struct name_waiter *,
			    const struct netaddr *, char *);

#endif
