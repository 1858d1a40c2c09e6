/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the queue shows of itself, its customers and their mail, piece by
 * piece: there may be tens of thousands of each, and they change meanwhile.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control_queue.h"
#include "listing.h"

#define CUSTOMERS_PER_PIECE	16	/* that are passed over */

static time_t	began_at;

void
show_end(struct control_client *c)
{
	listing_free(c->listing);
	c->listing = NULL;
	c->begun = c->last = c->listed = 0;
	c->customer[0] = '\0';
	c->found = 0;
}

int
show_begin(struct control_client *c)
{
	struct customer	*cu;

	if (c->what == IMSG_CTL_EXPLAIN && c->request.message[0] == '\0')
		return (EINVAL);
	if (c->request.customer[0] == '\0')
		return (0);
	if ((cu = control_customer_named(c)) == NULL)
		return (errno);
	(void)strlcpy(c->customer, cu->name, sizeof(c->customer));
	/* One can be asked after more closely. */
	if (cu->run == NULL && (c->what == IMSG_CTL_CUSTOMERS ||
	    c->what == IMSG_CTL_EXPLAIN))
		(void)customer_look(cu);
	return (0);
}

struct customer *
customer_following(struct control_client *c)
{
	struct customer	*cu;

	if (c->last)
		return (NULL);
	if (c->request.customer[0] != '\0') {
		c->last = 1;
		return (customer_find(c->customer));
	}
	if ((cu = customer_after(c->customer)) == NULL)
		c->last = 1;
	else
		(void)strlcpy(c->customer, cu->name, sizeof(c->customer));
	return (cu);
}

/*
 * The spool
 */

static void
spool_customers(struct control_spool *row)
{
	struct customer	*cu = NULL;

	while ((cu = customer_next(cu)) != NULL) {
		row->customers++;
		row->held += (cu->flags & CUSTOMER_HELD) != 0;
		row->customers_waiting += cu->waiting > 0;
		row->waiting += cu->waiting;
		row->bytes += cu->bytes;
		row->in_quarantine += cu->quarantined;
		if (cu->oldest != 0 &&
		    (row->oldest == 0 || cu->oldest < row->oldest))
			row->oldest = cu->oldest;
	}
}

static void
spool_counters(struct control_spool *row)
{
	memcpy(row->triggers, queue.triggers, sizeof(row->triggers));
	row->strangers = queue.strangers;
	row->runs_ok = queue.runs_ok;
	row->runs_failed = queue.runs_failed;
	row->accepted = queue.accepted;
	row->accepted_bytes = queue.accepted_bytes;
	row->deferred = queue.deferred;
	row->refused = queue.refused;
	row->expired = queue.expired;
	row->returned = queue.returned;
	row->warned = queue.warned;
	row->quarantined = queue.quarantined;
	row->repeated = queue.repeated;
}

static int
spool_row(struct control_client *c)
{
	struct control_spool	row;
	const char		*trouble = journal_trouble();

	memset(&row, 0, sizeof(row));
	row.row = ROW_SPOOL;
	row.queue_pid = (uint32_t)getpid();
	row.paused = queue.paused != 0;
	row.stopping = queue.stopping != 0;
	row.relay = queue.relay.open != 0;
	row.mailer = queue.mailer.open != 0;
	row.events = events_connected() != 0;
	row.concurrency = queue.spool.concurrency;
	row.running = queue.running;
	row.ready = schedule_ready();
	row.control_clients = control_clients();
	row.now = time(NULL);
	row.started_at = began_at;
	(void)strlcpy(row.sandbox, queue_sandbox, sizeof(row.sandbox));
	if (trouble != NULL)
		(void)strlcpy(row.trouble, trouble, sizeof(row.trouble));
	spool_customers(&row);
	spool_counters(&row);
	return (peer_row(&c->peer, &row, sizeof(row)) == -1 ? -1 : 1);
}

static int
status_next(struct control_client *c)
{
	if (c->begun)
		return (0);
	c->begun = 1;
	return (spool_row(c));
}

/*
 * Customers
 */

static enum control_why
why_waits(const struct customer *cu)
{
	if (cu->reason < REASON_GAP && cu->failures > 0)
		return (WHY_RETRY);
	if (cu->started_ms != 0 && clock_ms() < cu->started_ms +
	    (int64_t)cu->delivery->interval_s * 1000)
		return (WHY_INTERVAL);
	return (WHY_SOON);
}

/* What stands in the way of all of them comes first. */
static enum control_why
customer_why(const struct customer *cu)
{
	if (cu->job == JOB_RUNS)
		return (WHY_RUNNING);
	if (cu->flags & CUSTOMER_TROUBLE)
		return (WHY_MAILDIR);
	if (cu->waiting == 0)
		return (WHY_NOTHING);
	if (queue.stopping)
		return (WHY_STOPPING);
	if (cu->flags & CUSTOMER_HELD)
		return (WHY_HELD);
	if (queue.paused)
		return (WHY_PAUSED);
	if (journal_trouble() != NULL)
		return (WHY_JOURNAL);
	if (!queue.relay.open)
		return (WHY_RELAY);
	if (cu->flags & CUSTOMER_LOCKED)
		return (WHY_LOCKED);
	if (cu->job == JOB_READY)
		return (WHY_PLACE);
	if (cu->job == JOB_WAITS)
		return (why_waits(cu));
	return (cu->failures > 0 ? WHY_TRIGGER : WHY_SOON);
}

static uint32_t
customer_flags(const struct customer *cu)
{
	uint32_t	flags = 0;

	if (cu->flags & CUSTOMER_IMPLICIT)
		flags |= CONTROL_IMPLICIT;
	if (cu->flags & CUSTOMER_HELD)
		flags |= CONTROL_HELD;
	if (cu->flags & CUSTOMER_GONE)
		flags |= CONTROL_GONE;
	return (flags);
}

static void
customer_fill(struct control_customer *row, const struct customer *cu)
{
	memset(row, 0, sizeof(*row));
	row->row = ROW_CUSTOMER;
	row->flags = customer_flags(cu);
	row->why = customer_why(cu);
	row->reason = cu->job == JOB_NONE ? REASON_NONE : cu->reason;
	row->failures = cu->failures;
	row->waiting = cu->waiting;
	row->bytes = cu->bytes;
	row->oldest = cu->waiting == 0 ? 0 : cu->oldest;
	row->quarantined = cu->quarantined;
	row->looked_at = cu->looked_at;
	row->seen_at = cu->seen_at;
	row->tried_at = cu->tried_at;
	if (row->why == WHY_RETRY || row->why == WHY_INTERVAL ||
	    row->why == WHY_LOCKED || row->why == WHY_SOON)
		row->next_at = customer_due(cu);
	row->delivered_at = cu->delivered_at;
	row->delivered = cu->delivered;
	row->delivered_bytes = cu->delivered_bytes;
	row->returned = cu->returned;
	row->lifetime_s = cu->delivery->lifetime_s;
	row->retry_s = cu->delivery->retry_s;
	(void)strlcpy(row->name, cu->name, sizeof(row->name));
	(void)strlcpy(row->maildir, cu->maildir, sizeof(row->maildir));
}

static int
customer_row(struct control_client *c, const struct customer *cu)
{
	struct control_customer	row;
	char			buf[sizeof(row) + CONTROL_REPLY_SIZE];
	char			reply[CONTROL_REPLY_SIZE];
	size_t			len = sizeof(row);

	customer_fill(&row, cu);
	if (cu->reply != NULL && cu->reply[0] != '\0') {
		(void)strlcpy(reply, cu->reply, sizeof(reply));
		len = row_string(buf, len, &row.reply_len, reply);
	}
	memcpy(buf, &row, sizeof(row));
	return (peer_row(&c->peer, buf, len) == -1 ? -1 : 1);
}

static int
customers_next(struct control_client *c)
{
	struct customer	*cu;

	if (c->what == IMSG_CTL_STATS && !c->begun) {
		c->begun = 1;
		return (spool_row(c));
	}
	if ((cu = customer_following(c)) == NULL)
		return (0);
	return (customer_row(c, cu));
}

/*
 * Runs
 */

static int
run_row(struct control_client *c, const struct customer *cu)
{
	struct control_run	row;
	struct run_facts	facts;

	run_show(cu->run, &facts);
	memset(&row, 0, sizeof(row));
	row.row = ROW_RUN;
	row.run = facts.number;
	row.reason = cu->reason;
	(void)strlcpy(row.customer, cu->name, sizeof(row.customer));
	(void)strlcpy(row.doing, facts.doing, sizeof(row.doing));
	row.started_at = time(NULL) - (clock_ms() - facts.started_ms) / 1000;
	row.open = facts.open;
	row.accepted = facts.accepted;
	row.accepted_bytes = facts.accepted_bytes;
	row.deferred = facts.deferred;
	row.refused = facts.refused;
	return (peer_row(&c->peer, &row, sizeof(row)) == -1 ? -1 : 1);
}

static int
runs_next(struct control_client *c)
{
	struct customer	*cu;
	int		 i;

	for (i = 0; i < CUSTOMERS_PER_PIECE; i++) {
		if ((cu = customer_following(c)) == NULL)
			return (0);
		if (cu->run != NULL)
			return (run_row(c, cu));
	}
	return (1);
}

/*
 * Messages
 */

static void
listing_begin(struct control_client *c, struct customer *cu)
{
	c->listed = 0;
	c->listing = listing_new(queue.spool_fd, cu->maildir,
	    c->what == IMSG_CTL_QUARANTINE);
	if (c->listing == NULL && errno != ENOENT)
		peer_say(&c->peer, "customer %s: Maildir %s: %s", cu->name,
		    cu->maildir, strerror(errno));
}

static void
listing_end(struct control_client *c, const struct customer *cu)
{
	size_t	more = listing_more(c->listing);

	if (more > 0)
		peer_say(&c->peer, "customer %s: %zu more messages are not "
		    "shown", cu->name, more);
	listing_free(c->listing);
	c->listing = NULL;
}

static void
listing_advance(struct control_client *c, const struct customer *cu)
{
	int	n;

	if ((n = listing_read(c->listing)) == -1)
		peer_say(&c->peer, "customer %s: Maildir %s: %s", cu->name,
		    cu->maildir, strerror(errno));
	if (n == 0)
		c->listed = 1;
}

static int
messages_next(struct control_client *c)
{
	struct customer	*cu;
	const char	*name;

	if (c->listing == NULL) {
		if ((cu = customer_following(c)) == NULL)
			return (0);
		listing_begin(c, cu);
		return (1);
	}
	if ((cu = customer_find(c->customer)) == NULL) {
		listing_free(c->listing);
		c->listing = NULL;
		return (1);
	}
	if (!c->listed) {
		listing_advance(c, cu);
		return (1);
	}
	if ((name = listing_next(c->listing)) == NULL) {
		listing_end(c, cu);
		return (1);
	}
	if (c->what == IMSG_CTL_QUARANTINE)
		return (quarantine_row(c, cu, message_base(name)) == -1 ?
		    -1 : 1);
	return (message_row(c, cu, name) == -1 ? -1 : 1);
}

/*
 * One message
 */

static int
message_is_there(const struct customer *cu, const char *directory,
    const char *base)
{
	struct stat	st;
	char		path[MAILDIR_NAME_SIZE + MESSAGE_NAME_SIZE];

	if (snprintf(path, sizeof(path), "%s/%s%s", cu->maildir, directory,
	    base) >= (int)sizeof(path))
		return (0);
	return (fstatat(queue.spool_fd, path, &st, AT_SYMLINK_NOFOLLOW) ==
	    0 && S_ISREG(st.st_mode));
}

int
message_find(const struct customer *cu, const char *given, char *name)
{
	static const char *const	directories[] = {
		"new/", "cur/", "quarantine/"
	};
	const char			*base = message_base(given);
	size_t				 i;

	if (base[0] == '\0' || base[0] == '.')
		return (-1);
	for (i = 0; i < nitems(directories); i++)
		if (message_is_there(cu, directories[i], base)) {
			(void)snprintf(name, MESSAGE_NAME_SIZE, "%s%s",
			    directories[i], base);
			return (i == nitems(directories) - 1);
		}
	return (-1);
}

static int
explain(struct control_client *c, struct customer *cu, const char *name,
    int quarantined)
{
	c->found++;
	if (customer_row(c, cu) == -1)
		return (-1);
	if (cu->run != NULL && run_row(c, cu) == -1)
		return (-1);
	if (quarantined)
		return (quarantine_row(c, cu, message_base(name)));
	return (message_row(c, cu, name));
}

static int
explain_next(struct control_client *c)
{
	struct customer	*cu;
	char		 name[MESSAGE_NAME_SIZE];
	int		 i, where;

	for (i = 0; i < CUSTOMERS_PER_PIECE; i++) {
		if ((cu = customer_following(c)) == NULL)
			break;
		if ((where = message_find(cu, c->request.message,
		    name)) != -1)
			return (explain(c, cu, name, where) == -1 ? -1 : 1);
	}
	if (cu != NULL)
		return (1);
	if (c->found > 0)
		return (0);
	peer_say(&c->peer, "message %s: there is none of that name",
	    c->request.message);
	errno = ENOENT;
	return (-1);
}

int
show_next(struct peer *p)
{
	struct control_client	*c = (struct control_client *)p;

	switch (c->what) {
	case IMSG_CTL_STATUS:
		return (status_next(c));
	case IMSG_CTL_RUNS:
		return (runs_next(c));
	case IMSG_CTL_QUEUE:
	case IMSG_CTL_QUARANTINE:
		return (messages_next(c));
	case IMSG_CTL_EXPLAIN:
		return (explain_next(c));
	default:
		return (customers_next(c));
	}
}

void
control_init(void)
{
	began_at = time(NULL);
}
