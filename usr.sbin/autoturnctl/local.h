/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What autoturnctl does without the daemon: the work that the recipe makes
 * for each customer.  Nothing here speaks to anybody but the file system.
 */
#ifndef LOCAL_H
#define LOCAL_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stdio.h>

#define QMAIL_DIR_DEFAULT	"/var/qmail"

struct autoturnd_conf;
struct conf_spool;
struct conf_customer;

struct local_options {
	const char	*conf_path;	/* autoturnd.conf */
	const char	*qmail_dir;
	int		 qmail_wanted;	/* it was named: it must be there */
	FILE		*out;
	FILE		*err;
};

/*
 * local_import: prints an autoturnd.conf for a spool of the classic recipe,
 * whose customers it finds in its Maildirs, its .qmail files and qmail's
 * control files.  To err goes a line "FILE: what: why" for each thing that
 * could not be carried over.  Writes no file.  Returns 0; 1: something was
 * not carried over; 2: there is no such spool.
 * local_add: makes the Maildir of a new customer (name, address, domain; of
 * the spool of that path, or NULL: of the only one) with the spool's owner,
 * and prints what is left to do.  Returns 0, or 1 after it has said to err
 * why nothing was made.
 * local_check: prints a line "WHAT: why: what to do" for each slip that it
 * can see in all of a configuration, or about the customer of that name.
 * Returns 0: none; 1: some; 2 after it has said to err why it can't look.
 */
int	local_import(const struct local_options *, const char *);
int	local_add(const struct local_options *, const char *, const char *,
	    const char *, const char *);
int	local_check(const struct local_options *, const char *);

/*
 * local_conf.c: the configuration, NULL after its errors were told.
 * local_spool_find: by path, NULL: the only one; NULL after an error.
 */
struct autoturnd_conf	*local_conf_load(const struct local_options *);
struct conf_spool	*local_spool_find(const struct local_options *,
			    const struct autoturnd_conf *, const char *);

/*
 * local_path: DIRECTORY/NAME, in a buffer of PATH_MAX bytes, which is
 * returned; what does not fit names nothing that is there.
 * local_say: a line, with what can't be printed made visible.
 */
char	*local_path(char *, const char *, const char *);
void	local_say(FILE *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * local_maildir.c: the directories of a spool that could be Maildirs, in the
 * order of their names; no links, no names that begin with a dot.
 */
#define MAILDIR_PART_NEW	0x1
#define MAILDIR_PART_CUR	0x2
#define MAILDIR_PART_TMP	0x4
#define MAILDIR_PARTS		0x7

struct local_maildir {
	char		*name;
	struct stat	 st;
	unsigned int	 parts;		/* of those, directories */
};

struct local_maildirs {
	struct local_maildir	*list;
	size_t			 count;
};

/*
 * local_maildirs_read: 0, or -1 with errno.
 * local_maildir_read: one, by its name below the directory; likewise.
 * local_maildirs_owner: whose those are that have a new/, as the daemon finds
 * it: 0; -1: nobody's, for there are none; 1: several users'.
 * local_same_directory: do both paths lead to it?
 * local_user_text: his name, or his number; at least 32 bytes.
 */
int	local_maildirs_read(struct local_maildirs *, const char *);
void	local_maildirs_free(struct local_maildirs *);
int	local_maildir_read(struct local_maildir *, const char *, const char *);
int	local_maildirs_owner(const struct local_maildirs *, uid_t *, gid_t *);
int	local_same_directory(const char *, const char *);
const char	*local_user_text(uid_t, char *, size_t);
const char	*local_group_text(gid_t, char *, size_t);

#endif
