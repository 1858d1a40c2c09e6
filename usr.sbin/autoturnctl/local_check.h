/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the files of "autoturnctl check" share.
 */
#ifndef LOCAL_CHECK_H
#define LOCAL_CHECK_H

#include "local.h"
#include "qmail.h"
#include "settings.h"

struct check {
	const struct local_options *options;
	const struct conf_spool	*spool;
	const char		*path;		/* of the spool */
	const char		*name;		/* only him; NULL: all */
	struct qmail		 qmail;
	struct local_maildirs	 maildirs;
	uid_t			 uid;		/* the spool's user */
	gid_t			 gid;
	char			 user[64];	/* by name */
	unsigned int		 customers;	/* looked at */
	unsigned int		 slips;
};

/* A customer, configured or of a directory named after an address. */
struct suspect {
	const char	*name;
	const char	*maildir;
	const char	*prefix;
	const struct conf_customer *configured;	/* NULL: the latter */
};

/*
 * check_slip: says one: what, why, what to do.
 * check_directory: owner and mode of one that is the user's alone.
 * check_messages: those that no rule will send, local_check_mail.c.
 * check_qmail, check_qmail_customer: whether qmail delivers to him,
 * local_check_qmail.c.
 */
void	check_slip(struct check *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	check_owner(struct check *, const char *, const struct stat *);
void	check_messages(struct check *, const struct suspect *);
void	check_qmail(struct check *);
void	check_qmail_customer(struct check *, const struct suspect *);

#endif
