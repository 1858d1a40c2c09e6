/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the files that make a struct autoturnd_conf from autoturnd.conf share.
 * Nothing of this is for anybody else: see settings.h.
 *
 * A directive is only noted when it is read, since what it means may depend
 * on others that follow: build_finish() hands settings down from the file to
 * its spools and from them to their customers.
 */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include "conf.h"
#include "reader.h"
#include "settings.h"

/* Blocks, as bits of struct conf_use. */
#define IN_FILE		CONF_USE_TOP
#define IN_SPOOL	CONF_USE_BLOCK
#define IN_CUSTOMER	(CONF_USE_BLOCK << 1)
#define IN_ALL		(IN_FILE | IN_SPOOL | IN_CUSTOMER)

/* What may be given once in a level; each has its word in conf_build.c. */
enum conf_once {
	/* the file's */
	ONCE_CONTROL, ONCE_RESTRICTED, ONCE_EVENTS, ONCE_HOSTNAME,
	ONCE_POSTMASTER, ONCE_REPORTS, ONCE_STATE, ONCE_LOG_FACILITY,
	ONCE_LOG_FORMAT,
	/* a spool's */
	ONCE_ADDRESSES, ONCE_CONCURRENCY, ONCE_SCAN, ONCE_WATCHES,
	/* a customer's */
	ONCE_SPOOL, ONCE_PREFIX, ONCE_MAILDIR, ONCE_RELAY,
	/* anybody's: conf_delivery.c hands them down */
	ONCE_PROTOCOL, ONCE_PORT, ONCE_HELO, ONCE_WINDOW, ONCE_HOPS,
	ONCE_MESSAGES, ONCE_LIFETIME, ONCE_WARN, ONCE_INTERVAL, ONCE_RETRY,
	ONCE_COUNT
};

/*
 * One of the places where directives are: the file, a spool, a customer.
 * What stands here is not yet complete, what it is made for is not checked.
 */
struct conf_level {
	TAILQ_ENTRY(conf_level)	 entry;
	struct conf_word	 name;
	/* file NULL: not given */
	struct conf_word	 once[ONCE_COUNT];
	struct delivery_settings delivery;
	struct conf_spool	*spool;		/* a customer's: at the end */
	struct conf_customer	*customer;	/* NULL: none */
	struct conf_word	 spool_path;	/* of a customer */
	int			 addresses_bad;	/* was told of */
};

TAILQ_HEAD(conf_levels, conf_level);

/* What two customers of one spool can't both have. */
enum conf_claim_kind {
	CLAIM_NAME, CLAIM_MAILDIR, CLAIM_ADDRESS, CLAIM_DOMAIN
};

struct conf_claim;
TAILQ_HEAD(conf_claims, conf_claim);

/* A configuration that is being made. */
struct conf_build {
	struct conf		*lexer;
	struct autoturnd_conf	*conf;
	struct conf_level	 file;
	struct conf_levels	 spools;
	struct conf_levels	 customers;
	struct conf_claims	 claims;
	struct conf_level	*level;		/* that is being read */
	unsigned int		 errors;	/* while it was read */
	char			 hostname[HOSTNAME_SIZE];
	char			 postmaster[MAILBOX_SIZE];
	void			(*report)(const char *, void *);
	void			*arg;
};

/* conf_build.c */

/*
 * build_once: notes that it was given in this level; -1 when it was before,
 * after saying so.  build_once_word: what it is called.
 * build_given: was it?
 * build_level_begin: a new one, at the end of that list; the program ends
 * when there is no memory.
 * build_host_valid: is it the name of a host, as SMTP wants them?
 * build_init: an empty configuration with its defaults; 0, or -1 with errno.
 * build_finish: what can be seen only when all was read.
 * build_end: gives back what only the reading needed.
 */
int	 build_once(struct conf_build *, enum conf_once,
	    const struct conf_word *);
const char	*build_once_word(enum conf_once);
int	 build_given(const struct conf_level *, enum conf_once);
struct conf_level	*build_level_begin(struct conf_build *,
	    struct conf_levels *, const struct conf_word *);
__dead void	 build_memory_out(struct conf_build *);
int	 build_host_valid(const char *, size_t);
int	 build_init(struct conf_build *);
void	 build_finish(struct conf_build *);
void	 build_end(struct conf_build *);

/* conf_global.c; the first word is the directive's own, others its values */
void	 build_control(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, const struct conf_word *);
void	 build_restricted(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_events(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_hostname(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_postmaster(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_reports(struct conf_build *, const struct conf_word *,
	    enum mailer_kind, const struct conf_word *);
void	 build_state(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_log_facility(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_log_format(struct conf_build *, const struct conf_word *, int);
void	 build_global_finish(struct conf_build *);
/* is it user@host, as a postmaster is written? */
int	 build_mailbox_valid(const char *);

/* conf_delivery.c: a value of NULL is never, or all */
void	 build_protocol(struct conf_build *, const struct conf_word *,
	    uint32_t);
void	 build_port(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_helo(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_window(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_hops(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_messages(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_lifetime(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_warn(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_interval(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_retry(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, const struct conf_word *);
/*
 * build_delivery_finish: what one who is in no other place has;
 * build_delivery_inherit: what was not given in a level is as in the outer
 * one, which is complete.
 */
void	 build_delivery_finish(struct conf_build *);
void	 build_delivery_inherit(struct conf_build *, struct conf_level *,
	    const struct conf_level *);

/* conf_spool.c */
void	 build_spool_begin(struct conf_build *, const struct conf_word *,
	    const struct conf_word *, const struct conf_word *);
void	 build_addresses(struct conf_build *, const struct conf_word *, int);
void	 build_concurrency(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_scan(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_watches(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_spools_finish(struct conf_build *);
/* a path without what says nothing: slashes at its end */
size_t	 build_path_length(const char *);

/*
 * conf_customer.c
 * CONF_PREFIX_DEFAULT: what his recipients begin with, by his name.
 * conf_name_why: why a customer can't be called so, or NULL.
 */
#define CONF_PREFIX_DEFAULT	"autoturn-%s-"
const char	*conf_name_why(const char *);
void	 build_customer_begin(struct conf_build *, const struct conf_word *);
void	 build_customer_spool(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_address(struct conf_build *, const struct conf_word *);
void	 build_domain(struct conf_build *, const struct conf_word *);
void	 build_prefix(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_maildir(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_relay(struct conf_build *, const struct conf_word *,
	    const struct conf_word *);
void	 build_customers_finish(struct conf_build *);

/*
 * conf_claim.c
 * build_claim: a customer has this, by that word.
 * build_claims_check: once all spools are known.
 */
void	 build_claim(struct conf_build *, const struct conf_level *,
	    enum conf_claim_kind, const char *, const struct conf_word *);
void	 build_claims_check(struct conf_build *);
void	 build_claims_free(struct conf_build *);

/* conf_free.c */
void	 conf_customer_free(struct conf_customer *);

/* conf_network.c: addresses and networks, "ADDRESS" or "ADDRESS/LENGTH" */

/*
 * conf_network_parse: NULL, or why it is none.
 * conf_network_text: the reverse; the length only where it says something.
 * conf_address_why: why nobody can be reached there, or NULL.
 */
#define NETWORK_TEXT_SIZE	(NETADDR_TEXT_SIZE + 4)
const char	*conf_network_parse(struct customer_address *, const char *);
char		*conf_network_text(const struct customer_address *, char *);
const char	*conf_address_why(const struct netaddr *);
unsigned int	 conf_address_bits(const struct netaddr *);

/* conf_time.c */

/*
 * conf_time_parse: "90s", "5m", "4h", "14d", "0": seconds, or -1.
 * conf_time_text: in the largest unit that it is a multiple of; returns the
 * buffer.
 */
int64_t	 conf_time_parse(const char *);
#define TIME_TEXT_SIZE	24
char	*conf_time_text(uint64_t, char *);

/* conf_print.c: a name; a word of the grammar stands in quotes */
void	 conf_print_name(FILE *, const char *);

/* parse.y: is it a word of the grammar? */
int	 conf_word_is_key(const char *);

#endif
