/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a qmail site says of mail for customers: users/assign, the control
 * files and .qmail files; see qmail-users(5), qmail-send(8), dot-qmail(5).
 */
#ifndef QMAIL_H
#define QMAIL_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stdio.h>

/* "+autoturn-:qmaild:82:81:/var/qmail/autoturn:-::", or with "=". */
struct qmail_assign {
	int		 line;
	int		 wildcard;
	char		*local;		/* in small letters */
	char		*user;
	uid_t		 uid;
	gid_t		 gid;
	char		*home;
	char		*dash;
	char		*pre;
};

/* "acme.example:autoturn-acme" */
struct qmail_domain {
	int		 line;
	char		*name;		/* in small letters */
	char		*prepend;
};

struct qmail {
	const char	*dir;
	int		 there;		/* users or control is */
	struct qmail_assign *assigns;
	size_t		 nassigns;
	int		 assign_there;
	int		 assign_ended;	/* by the line "." */
	int		 assign_bad;	/* the first line that is none, or 0 */
	int		 cdb_old;	/* not there, or older than its text */
	struct qmail_domain *domains;
	size_t		 ndomains;
	char		**locals;	/* NULL-terminated */
	char		**rcpthosts;
	int		 rcpthosts_there;
	char		*me;		/* NULL: not known */
};

/*
 * qmail_read: what is there of all that; the directory's name must live as
 * long.  0, or -1 with errno: something is there and can't be read.
 * qmail_assign_find: who gets that local part: the longest that fits.
 * qmail_domain_find: the line of virtualdomains that counts for that domain:
 * its own, or a wildcard's, which begins with a dot.
 * qmail_list_has: is the domain in such a list, or a wildcard of it?
 * qmail_control_line: the first line of a control file, malloc(3)ed, NULL
 * if there is none.
 */
int	 qmail_read(struct qmail *, const char *);
void	 qmail_free(struct qmail *);
const struct qmail_assign	*qmail_assign_find(const struct qmail *,
				    const char *);
const struct qmail_domain	*qmail_domain_find(const struct qmail *,
				    const char *);
int	 qmail_list_has(char *const [], const char *);
char	*qmail_control_line(const struct qmail *, const char *);

/*
 * qmail_file_name: the name of the .qmail file for all mail of a local part
 * that begins so (and ends in "-"), by that assignment: dots are colons, and
 * letters small.
 */
char	*qmail_file_name(const struct qmail_assign *, const char *);

/* What a .qmail file says. */
enum qmail_delivery {
	QMAIL_NOTHING,			/* no line that delivers */
	QMAIL_MAILDIR,
	QMAIL_MBOX,			/* a path without its final slash */
	QMAIL_PROGRAM,
	QMAIL_FORWARD
};

struct qmail_file {
	struct stat	 st;
	enum qmail_delivery	 first;	/* of several, the first Maildir */
	unsigned int	 lines;		/* that deliver */
	char		*path;		/* of a Maildir or mbox, as written */
};

/* qmail_file_read: 0, or -1 with errno. */
int	 qmail_file_read(struct qmail_file *, const char *);
void	 qmail_file_free(struct qmail_file *);

#endif
