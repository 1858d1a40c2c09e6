/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Messages, as autoturnctl(8) shows them: their envelopes are read for that,
 * and only then; the text of a message is not.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control_queue.h"
#include "head.h"
#include "said.h"

struct row {
	struct control_message	 m;
	const char		*reply;
	int			 has_head;	/* the one below */
};

/* Large: one at a time. */
static struct head	head;

const char *
message_base(const char *name)
{
	const char	*slash = strrchr(name, '/');

	return (slash == NULL ? name : slash + 1);
}

static void
head_read(struct row *row, int fd, const char *prefix)
{
	static char	buf[HEAD_BYTES_MAX];
	size_t		len = 0;
	ssize_t		n;

	while (len < sizeof(buf) &&
	    (n = read(fd, buf + len, sizeof(buf) - len)) > 0)
		len += (size_t)n;
	row->has_head = head_parse(&head, buf, len, prefix) != HEAD_BAD;
}

/* As many as there is room for. */
static size_t
recipients_add(struct row *row, char *buf, size_t len)
{
	size_t	i, n, at = len;

	row->m.recipients = (uint32_t)(head.nrecipients + head.others);
	for (i = 0; i < head.nrecipients; i++) {
		n = strlen(head.recipients[i]) + 1;
		if (at - len + n > CONTROL_RECIPIENTS_SIZE)
			break;
		memcpy(buf + at, head.recipients[i], n);
		at += n;
	}
	row->m.recipients_len = (uint32_t)(at - len);
	return (at);
}

static int
row_send(struct control_client *c, struct row *row, const char *name)
{
	char	buf[sizeof(row->m) + CONTROL_STRINGS_MAX];
	char	reply[CONTROL_REPLY_SIZE];
	size_t	len = sizeof(row->m);

	len = row_string(buf, len, &row->m.name_len, name);
	if (row->has_head) {
		len = row_string(buf, len, &row->m.sender_len, head.sender);
		len = recipients_add(row, buf, len);
	}
	if (row->reply != NULL) {
		(void)strlcpy(reply, row->reply, sizeof(reply));
		len = row_string(buf, len, &row->m.reply_len, reply);
	}
	memcpy(buf, &row->m, sizeof(row->m));
	return (peer_row(&c->peer, buf, len) == -1 ? -1 : 1);
}

static void
row_begin(struct row *row, const struct customer *cu, const struct stat *st)
{
	memset(row, 0, sizeof(*row));
	row->m.row = ROW_MESSAGE;
	(void)strlcpy(row->m.customer, cu->name, sizeof(row->m.customer));
	row->m.size = (uint64_t)st->st_size;
	row->m.queued_at = st->st_mtime;
}

/*
 * Those that wait
 */

struct returning {
	const char	*name;
	char		 text[CONTROL_REPLY_SIZE];
};

static void
returning_visit(const struct return_entry *entry, void *arg)
{
	struct returning	*r = arg;

	if (entry->warning || strcmp(entry->name, r->name) != 0)
		return;
	if (entry->why[0] != '\0')
		(void)snprintf(r->text, sizeof(r->text), "%s; the mailer: %s",
		    entry->text, entry->why);
	else
		(void)strlcpy(r->text, entry->text, sizeof(r->text));
}

/* Only of one message: each is a walk over all of them. */
static const char *
returning_text(const struct control_client *c, const struct customer *cu,
    const char *name)
{
	static struct returning	r;

	if (c->what != IMSG_CTL_EXPLAIN)
		return (NULL);
	r.name = name;
	r.text[0] = '\0';
	return_walk(cu, returning_visit, &r);
	return (r.text);
}

static void
row_state(struct control_client *c, struct row *row, struct customer *cu,
    const char *name, const struct stat *st)
{
	row->reply = said_find(cu->maildir, name);
	if (return_pending(cu, name)) {
		row->m.state = MESSAGE_RETURNING;
		row->reply = returning_text(c, cu, name);
	} else if (journal_status(cu->maildir, name, st) == 0)
		row->m.state = cu->run != NULL ? MESSAGE_SENT :
		    MESSAGE_DOUBTFUL;
	else if (row->reply != NULL)
		row->m.state = MESSAGE_DEFERRED;
	else
		row->m.state = MESSAGE_WAITING;
}

/* Below the spool; neither a symbolic link's, nor waiting for a FIFO. */
static int
message_open(const struct customer *cu, const char *name, struct stat *st)
{
	char	path[MAILDIR_NAME_SIZE + MESSAGE_NAME_SIZE];

	if (snprintf(path, sizeof(path), "%s/%s", cu->maildir, name) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (maildir_open(queue.spool_fd, path, st));
}

int
message_row(struct control_client *c, struct customer *cu, const char *name)
{
	struct row	row;
	struct stat	st;
	int		fd;

	if ((fd = message_open(cu, name, &st)) == -1)
		return (0);
	row_begin(&row, cu, &st);
	if (cu->delivery->lifetime_s != 0)
		row.m.expires_at = row.m.queued_at +
		    (int64_t)cu->delivery->lifetime_s;
	row_state(c, &row, cu, name, &st);
	head_read(&row, fd, cu->prefix);
	close(fd);
	return (row_send(c, &row, name));
}

/*
 * Those in quarantine
 */

struct quarantined {
	int	found;
	int64_t	since;
	char	reason[CONTROL_REPLY_SIZE];
};

static void
quarantined_visit(const struct quarantine_entry *entry, void *arg)
{
	struct quarantined	*q = arg;

	q->found = 1;
	q->since = entry->since;
	(void)strlcpy(q->reason, entry->reason, sizeof(q->reason));
}

int
quarantine_row(struct control_client *c, struct customer *cu,
    const char *name)
{
	struct quarantined	q;
	struct row		row;
	struct stat		st;
	char			path[MESSAGE_NAME_SIZE];
	int			fd;

	q.found = 0;
	(void)snprintf(path, sizeof(path), "quarantine/%s", name);
	if (quarantine_find(cu, name, quarantined_visit, &q) == -1 ||
	    !q.found || (fd = message_open(cu, path, &st)) == -1)
		return (0);
	row_begin(&row, cu, &st);
	row.m.state = MESSAGE_QUARANTINED;
	row.m.since = q.since;
	row.reply = q.reason;
	head_read(&row, fd, cu->prefix);
	close(fd);
	return (row_send(c, &row, name));
}
