/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * One run of one customer, from his lock to its end.  The parent connects,
 * relay speaks; any of them, and the customer's server, may be gone or stall
 * at any time: each run has one end, whatever happens.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "delivery.h"
#include "logrecord.h"
#include "run.h"
#include "said.h"

#define CONNECT_PATIENCE_MS	150000	/* the parent's own is 60 s */
#define ABORT_PATIENCE_MS	10000
#define EXPIRED_TEXT		"it could not be delivered in time"

static TAILQ_HEAD(, run)	runs = TAILQ_HEAD_INITIALIZER(runs);
static uint64_t			number;		/* of the last run */

struct run *
run_first(void)
{
	return (TAILQ_FIRST(&runs));
}

static struct run *
run_find(uint64_t n)
{
	struct run	*run;

	TAILQ_FOREACH(run, &runs, entry) {
		if (run->number == n)
			return (run);
	}
	return (NULL);
}

/* The first line, for the eyes. */
void
customer_reply(struct customer *c, const char *text)
{
	char	line[RUN_REPLY_SIZE], *copy;

	(void)strlcpy(line, text, sizeof(line));
	line[strcspn(line, "\n")] = '\0';
	if (c->reply != NULL && strcmp(c->reply, line) == 0)
		return;
	if ((copy = strdup(line)) == NULL)
		return;
	free(c->reply);
	c->reply = copy;
}

/*
 * The end
 */

static void
run_log(const struct run *run, int failed)
{
	struct logrecord	r;

	logrecord_begin(&r, (int)queue.spool.log_json, "run");
	logrecord_text(&r, "customer", run->customer->name);
	logrecord_number(&r, "run", run->number);
	logrecord_text(&r, "reason", reason_names[run->reason]);
	logrecord_number(&r, "messages", run->accepted);
	logrecord_number(&r, "bytes", run->accepted_bytes);
	logrecord_number(&r, "deferred", run->deferred);
	logrecord_number(&r, "refused", run->refused);
	logrecord_ms(&r, "ms", (clock_ms() - run->started_ms) * 1000);
	logrecord_text(&r, "result", failed ? "failed" : "ok");
	logrecord_text(&r, "reply", run->reply);
	logrecord_end(&r);
	logrecord_log(&r, failed ? LOG_WARNING : LOG_INFO);
}

static void
run_free(struct run *run)
{
	evtimer_del(&run->timer);
	TAILQ_REMOVE(&runs, run, entry);
	names_clear(&run->skipped);
	maildir_list_free(&run->list);
	lock_release(run->lock);
	if (run->dirfd != -1)
		close(run->dirfd);
	free(run->untried_name);
	free(run);
}

/* The one end of each run. */
static void
run_end(struct run *run, int failed)
{
	struct customer	*c = run->customer;
	struct mail	*mail, *next;
	int		 more = run->more;

	run_remove_taken(run);
	TAILQ_FOREACH_SAFE(mail, &run->mails, entry, next)
		run_unanswered(run, mail);
	failed = failed || run->deferred > 0 || run->stopped;
	customer_reply(c, run->reply);
	run_log(run, failed);
	if (failed)
		queue.runs_failed++;
	else
		queue.runs_ok++;
	c->run = NULL;
	queue.running--;
	run_free(run);
	state_changed();
	/* What came and went meanwhile is no more than a guess. */
	if (!queue.stopping)
		(void)customer_look(c);
	customer_run_ended(c, failed, more);
	queue_stop_advance();
}

static void
run_fail(struct run *run, const char *why)
{
	(void)strlcpy(run->reply, why, sizeof(run->reply));
	run_end(run, 1);
}

void
run_stop(struct run *run, const char *why)
{
	if (run->stopped)
		return;
	run->stopped = 1;
	(void)strlcpy(run->reply, why, sizeof(run->reply));
}

static void
run_timeout(int fd, short event, void *arg)
{
	struct run	*run = arg;

	if (run->state == RUN_FAILED || run->state == RUN_ABORTS)
		run_end(run, 1);
	else
		run_fail(run, "no connection was made");
}

static void
run_patience(struct run *run, int ms)
{
	struct timeval	tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	if (evtimer_add(&run->timer, &tv) == -1)
		fatalx("evtimer_add");
}

/*
 * The beginning
 */

static struct run *
run_new(struct customer *c)
{
	struct run	*run;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		return (NULL);
	run->customer = c;
	run->reason = c->reason;
	run->started_ms = clock_ms();
	run->dirfd = -1;
	run->number = ++number;
	TAILQ_INIT(&run->mails);
	TAILQ_INIT(&run->taken);
	evtimer_set(&run->timer, run_timeout, run);
	TAILQ_INSERT_TAIL(&runs, run, entry);
	return (run);
}

/* What can't be used is told of at the end of a run: it is tried again. */
static int
run_doomed(struct run *run, const char *doing, int error)
{
	(void)snprintf(run->reply, sizeof(run->reply), "unable to %s: %s",
	    doing, ucspi_strerror(error));
	run->state = RUN_FAILED;
	run_patience(run, 0);
	return (0);
}

static void
clean_report(void *arg, const char *name, const char *why)
{
	const struct customer	*c = arg;

	message_unusable(c->maildir, name, why);
}

/* 1: there is something to send, -1: not now, 0: it can't be used. */
static int
run_prepare(struct run *run)
{
	struct customer	*c = run->customer;
	ssize_t		 n;

	c->flags &= ~CUSTOMER_LOCKED;
	if ((run->lock = lock_take(c->maildir)) == NULL) {
		if (errno == EAGAIN)
			c->flags |= CUSTOMER_LOCKED;
		if (errno == EAGAIN || errno == ENOENT)
			return (-1);
		return (run_doomed(run, "lock his Maildir", errno));
	}
	run->dirfd = openat(queue.spool_fd, c->maildir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run->dirfd == -1)
		return (run_doomed(run, "open his Maildir", errno));
	maildir_clean(run->dirfd, time(NULL), clean_report, c);
	if ((n = run_look(run)) == -1)
		return (run_doomed(run, "read his Maildir", errno));
	return (n == 0 ? -1 : 1);
}

void
run_connect(struct run *run)
{
	struct connect_order	order;

	memset(&order, 0, sizeof(order));
	order.run = run->number;
	(void)strlcpy(order.customer, run->customer->name,
	    sizeof(order.customer));
	run->state = RUN_CONNECTS;
	run_patience(run, CONNECT_PATIENCE_MS);
	(void)channel_send(&queue.parent, IMSG_PARENT_CONNECT, 0, -1, &order,
	    sizeof(order));
}

int
run_begin(struct customer *c)
{
	struct run	*run;
	int		 ready;

	if (!queue.relay.open || (run = run_new(c)) == NULL)
		return (-1);
	if ((ready = run_prepare(run)) == -1) {
		run_free(run);
		return (-1);
	}
	c->run = run;
	c->tried_at = time(NULL);
	queue.running++;
	if (ready == 0)
		return (0);
	/* The journal is asked before he is called. */
	run->state = RUN_BLOCKED;
	if (journal_trouble() != NULL) {
		(void)snprintf(run->reply, sizeof(run->reply),
		    "the journal can't be written: %s", journal_trouble());
		run_commit();
	} else
		run_connect(run);
	return (0);
}

void
run_abort(struct run *run)
{
	struct mail	*mail, *next;

	if (run->state == RUN_ABORTS)
		return;
	if (run->state != RUN_SENDS && run->state != RUN_FINISHES) {
		run_fail(run, "ended by the operator");
		return;
	}
	run_stop(run, "ended by the operator");
	run->state = RUN_ABORTS;
	TAILQ_FOREACH_SAFE(mail, &run->mails, entry, next) {
		if (mail->fd != -1)
			run_withdraw(run, mail);
	}
	run_patience(run, ABORT_PATIENCE_MS);
	(void)channel_send(&queue.relay, IMSG_RELAY_ABORT, 0, -1,
	    &run->number, sizeof(run->number));
}

void
run_show(const struct run *run, struct run_facts *facts)
{
	static const char *const	doing[] = {
		[RUN_BLOCKED] = "waits for the journal",
		[RUN_CONNECTS] = "connects",
		[RUN_SENDS] = "sends",
		[RUN_FINISHES] = "says goodbye",
		[RUN_ABORTS] = "is ended",
		[RUN_FAILED] = "has failed"
	};

	facts->number = run->number;
	facts->doing = doing[run->state];
	facts->started_ms = run->started_ms;
	facts->open = run->open;
	facts->accepted = run->accepted;
	facts->accepted_bytes = run->accepted_bytes;
	facts->deferred = run->deferred;
	facts->refused = run->refused;
}

/*
 * What the parent and relay say
 */

int
run_dispatch_parent(struct imsg *imsg)
{
	struct connect_failure	failure;
	struct run		*run;
	char			 why[RUN_REPLY_SIZE];

	if (imsg_get_data(imsg, &failure, sizeof(failure)) == -1)
		return (-1);
	run = run_find(failure.run);
	if (run == NULL || run->state != RUN_CONNECTS)
		return (0);
	(void)snprintf(why, sizeof(why), "unable to connect: %s",
	    ucspi_strerror(failure.error));
	run_fail(run, why);
	return (0);
}

/* He is through: a run that ended meanwhile is of no use any more. */
static int
relay_started(struct channel *ch, struct imsg *imsg)
{
	struct run	*run;
	uint64_t	 n;

	if (imsg_get_data(imsg, &n, sizeof(n)) == -1 || n > number)
		return (-1);
	if ((run = run_find(n)) == NULL) {
		(void)channel_send(ch, IMSG_RELAY_ABORT, 0, -1, &n,
		    sizeof(n));
		return (0);
	}
	if (run->state != RUN_CONNECTS)
		return (-1);
	evtimer_del(&run->timer);
	run->state = RUN_SENDS;
	run_advance(run);
	return (0);
}

/* Text after a struct: -1 if that is not what there is. */
static int
text_get(struct imsg *imsg, char *text, uint32_t len)
{
	if (len >= TEXT_SIZE || imsg_get_len(imsg) != len ||
	    (len > 0 && imsg_get_buf(imsg, text, len) == -1))
		return (-1);
	text[len] = '\0';
	return (0);
}

/* Of a run that ended here first there may be more to come. */
static int
relay_result(struct imsg *imsg)
{
	struct run_result	result;
	struct run		*run;
	char			text[TEXT_SIZE];

	if (imsg_get_buf(imsg, &result, sizeof(result)) == -1 ||
	    text_get(imsg, text, result.text_len) == -1 ||
	    result.run > number)
		return (-1);
	result.enhanced[sizeof(result.enhanced) - 1] = '\0';
	if ((run = run_find(result.run)) == NULL)
		return (0);
	if (run->state < RUN_SENDS || run->state == RUN_FAILED ||
	    run_result(run, &result, text) == -1)
		return (-1);
	run_advance(run);
	return (0);
}

/* They were on their way when the run had ended there already. */
static void
run_withdraw_later(struct run *run, uint64_t last)
{
	struct mail	*mail, *next;

	TAILQ_FOREACH_SAFE(mail, &run->mails, entry, next) {
		if (mail->number > last)
			run_withdraw(run, mail);
	}
}

static int
relay_end(struct imsg *imsg)
{
	struct run_end	 end;
	struct run	*run;
	char		 text[TEXT_SIZE];
	int		 failed;

	if (imsg_get_buf(imsg, &end, sizeof(end)) == -1 ||
	    text_get(imsg, text, end.text_len) == -1 || end.run > number)
		return (-1);
	if ((run = run_find(end.run)) == NULL)
		return (0);
	if (run->state == RUN_BLOCKED || run->state == RUN_FAILED)
		return (-1);
	failed = end.status != DELIVERY_ACCEPTED;
	run_withdraw_later(run, end.last);
	if (failed && !run->stopped)
		(void)strlcpy(run->reply, text, sizeof(run->reply));
	if (failed && run->state != RUN_ABORTS)
		run_blame(run, (int)end.said);
	run_end(run, failed);
	return (0);
}

int
run_dispatch_relay(struct channel *ch, struct imsg *imsg)
{
	int	result = -1;

	switch (imsg_get_type(imsg)) {
	case IMSG_RUN_STARTED:
		result = relay_started(ch, imsg);
		break;
	case IMSG_RUN_RESULT:
		result = relay_result(imsg);
		break;
	case IMSG_RUN_END:
		result = relay_end(imsg);
		break;
	}
	if (result == -1)
		log_warnx("relay says what can't be (%u): no more is heard "
		    "from it", imsg_get_type(imsg));
	return (result);
}

/* Runs that begin meanwhile are those of another relay. */
void
run_relay_lost(struct channel *ch)
{
	struct run	*run;
	uint64_t	 last = number;

	log_warnx("relay is gone: %u runs end", queue.running);
	while ((run = TAILQ_FIRST(&runs)) != NULL && run->number <= last)
		run_fail(run, "relay is gone");
}

/*
 * Without a connection
 */

/* He has it, or its sender was told: it only could not be removed. */
static int
message_is_settled(const struct customer *c, const char *name)
{
	struct stat	st;
	char		path[MAILDIR_NAME_SIZE + MESSAGE_NAME_SIZE];
	int		len;

	len = snprintf(path, sizeof(path), "%s/%s", c->maildir, name);
	return (len > 0 && (size_t)len < sizeof(path) &&
	    fstatat(queue.spool_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    journal_status(c->maildir, name, &st) > 0);
}

int
message_expire(struct customer *c, const char *name, time_t mtime)
{
	const char	*text = said_find(c->maildir, name);

	if (message_is_settled(c, name)) {
		errno = EALREADY;
		return (-1);
	}
	if (text == NULL)
		text = c->reply != NULL && *c->reply != '\0' ? c->reply :
		    EXPIRED_TEXT;
	if (return_message(c, name, text, 1) == -1)
		return (-1);
	queue.expired++;
	message_log(c->name, c->maildir, name, 0, mtime, "expired", text);
	return (0);
}

int
message_quarantine(struct customer *c, const char *name, uint64_t size,
    time_t mtime, const char *why)
{
	if (quarantine_put(c->maildir, name, why) == -1) {
		log_warn("unable to put %s/%s/%s into quarantine",
		    queue.spool.path, c->maildir, name);
		return (-1);
	}
	said_forget(c->maildir, name);
	queue.quarantined++;
	c->quarantined++;
	message_log(c->name, c->maildir, name, size, mtime, "quarantined",
	    why);
	return (0);
}

static int
file_is_old(const struct maildir_file *file, uint64_t seconds)
{
	return (seconds != 0 && age_now() - file->mtime > (time_t)seconds);
}

static void
file_age(struct customer *c, int dirfd, const struct maildir_file *file)
{
	struct stat	st;

	if (return_pending(c, file->name))
		return;
	if (file_is_old(file, c->delivery->lifetime_s))
		(void)message_expire(c, file->name, file->mtime);
	else if (file_is_old(file, c->delivery->warn_s) &&
	    fstatat(dirfd, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !journal_is_warned(c->maildir, file->name, &st))
		(void)return_warn(c, file->name);
}

static int
maildir_age(struct customer *c)
{
	struct maildir_list	list;
	size_t			i;
	int			dirfd, result;

	dirfd = openat(queue.spool_fd, c->maildir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd == -1)
		return (-1);
	memset(&list, 0, sizeof(list));
	result = maildir_scan(&list, dirfd, MAILDIR_ANY_TIME, clean_report,
	    c);
	for (i = 0; result == 0 && i < list.count; i++)
		file_age(c, dirfd, &list.files[i]);
	maildir_list_free(&list);
	close(dirfd);
	return (result);
}

int
run_expire(struct customer *c)
{
	struct lock	*lock;
	int		 result;

	if (c->run != NULL)
		return (0);
	if ((lock = lock_take(c->maildir)) == NULL) {
		if (errno == EAGAIN)
			c->flags |= CUSTOMER_LOCKED;
		return (-1);
	}
	c->flags &= ~CUSTOMER_LOCKED;
	result = maildir_age(c);
	lock_release(lock);
	return (result);
}

/*
 * What the last life left
 */

/* He has it, or its sender was told, but it did not leave the disk. */
static void
left_remove(const struct journal_entry *e)
{
	char	path[MAILDIR_NAME_SIZE + MESSAGE_NAME_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", e->maildir, e->name);
	if (unlinkat(queue.spool_fd, path, 0) == -1 && errno != ENOENT) {
		log_warn("unable to remove %s/%s, which was %s before",
		    queue.spool.path, path, e->status == DELIVERY_ACCEPTED ?
		    "delivered" : "returned");
		return;
	}
	message_log(NULL, e->maildir, e->name, 0, (time_t)e->mtime, "removed",
	    e->status == DELIVERY_ACCEPTED ? "was delivered before" :
	    "was returned before");
}

static void
left_visit(const struct journal_entry *e, void *arg)
{
	struct stat	st;
	char		path[MAILDIR_NAME_SIZE + MESSAGE_NAME_SIZE];
	int		len;

	len = snprintf(path, sizeof(path), "%s/%s", e->maildir, e->name);
	if (len < 0 || (size_t)len >= sizeof(path) ||
	    fstatat(queue.spool_fd, path, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (uint64_t)st.st_ino != e->ino || (int64_t)st.st_mtime != e->mtime)
		return;
	if (e->status != 0)
		left_remove(e);
	else
		message_log(NULL, e->maildir, e->name, (uint64_t)st.st_size,
		    st.st_mtime, "unanswered", "was sent before; it will be "
		    "sent again and may arrive twice");
}

int
run_init(void)
{
	int	state, result;

	state = state_open();
	if ((result = journal_open(left_visit, NULL)) == -1)
		run_commit();
	return (state == -1 || result == -1 ? -1 : 0);
}
