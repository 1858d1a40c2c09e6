/*
 * Access rules: text -> cdb -> verdict.  See access(3), tcprules(5).
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>

struct access;			/* an opened rules database */

/* The client to be judged.  Everything is borrowed for the call. */
struct access_client {
	int		 family;	/* AF_INET, AF_INET6; AF_UNSPEC: text
					 * only, no CIDR */
	const uint8_t	*bytes;		/* the address, network order */
	const char	*ip;		/* its text: dotted quad, RFC 5952 */
	const char	*host;		/* NULL: unknown; may be empty */
	const char	*info;		/* NULL: unknown; may be empty */
};

#define ACCESS_KEY_SIZE	1600		/* longest key that is ever tried */

enum access_answer {
	ACCESS_DEFAULT,			/* no rule: allow, no changes */
	ACCESS_ALLOW,
	ACCESS_DENY
};

struct access_verdict {
	enum access_answer	 answer;
	size_t			 key_len;	/* of the rule that matched */
	uint8_t			 key[ACCESS_KEY_SIZE];
	const uint8_t		*data;		/* its data, in the database */
	size_t			 data_len;
};

/*
 * access_open: reads the database behind fd into private memory, so that
 * truncation or rewriting of the file can't hurt, and checks its header.
 * The caller keeps fd, whose file position is neither used nor changed.
 * Returns NULL with errno: EPROTO for a damaged file, EISDIR for a
 * directory, EINVAL for what else is no regular file, EFBIG for more than
 * a cdb file can hold, EAGAIN when the file kept changing while it was read.
 * access_lengths_learn: which prefix lengths the database's networks have
 * is in the file if tcprules wrote it from rules with networks; otherwise
 * every length is tried for every client until this call has walked over
 * all records.  Call it once after access_open; it returns at once when
 * there is nothing to learn, otherwise it takes some 10 ms for each million
 * records.  0, or -1 with errno EPROTO when the walk met damage: every
 * length is then still tried, and verdicts stay right.
 * access_changed: 1 when the file behind fd is no longer what access_open
 * read (size, modification or status change time, link count), or has no
 * name any more, else 0.  Give it the descriptor that access_open read: a
 * new file of that name is noticed by the old one's losing its link.
 * access_check: judges; 0, or -1 with errno EPROTO when the lookup met
 * damage: the caller must then drop the connection, never allow it.
 * access_variable: steps through the variables of a verdict: *pos starts at
 * 0; returns the next "NAME=VALUE" (NUL-terminated, in the database), or
 * NULL at the end.  What has no '=' and unknown data letters are skipped.
 * A denial ends the list: tcprules(1) writes it first.
 * access_close: frees it; verdicts point into it.  NULL is ignored.
 */
struct access	*access_open(int);
int		 access_lengths_learn(struct access *);
int		 access_changed(const struct access *, int);
int		 access_check(const struct access *,
		    const struct access_client *, struct access_verdict *);
const char	*access_variable(const struct access_verdict *, size_t *);
void		 access_close(struct access *);

#endif
