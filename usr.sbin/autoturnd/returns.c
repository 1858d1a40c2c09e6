/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reports to senders, made here and given to the mailer one at a time.  A
 * message is removed when its report was taken, not before; until then it is
 * sent to nobody, and the report is tried again.  While one is made the
 * Maildir is locked, so that no other program sends what goes back.
 *
 * Nothing is thrown away: what came from the null sender is reported to the
 * postmaster, what is itself such a report, what can't be read, and what the
 * mailer refuses for days goes to quarantine.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "queue.h"
#include "said.h"
#include "report.h"
#include "run.h"

#define PROGRAM		"autoturnd"
#define FROM		"MAILER-DAEMON"
#define TWOFOLD_SENDER	"#@[]"		/* qmail's, of a double bounce */
#define REPORT_TMP	"report.tmp"
#define REPORT_LIMIT	(64 * 1024)	/* of the message, in its report */

#define BUSY_RETRY_MS	60000		/* another program has the lock */
#define DIED_RETRY_MS	10000		/* the mailer did */
#define RETRY_MS	60000		/* it failed; then twice that ... */
#define RETRY_MAX_MS	3600000
#define TRIES_MAX	78		/* three days of that */
#define WARN_TRIES_MAX	12

#define MANY		1000		/* reports that wait: then their */
#define MANY_TEXT_SIZE	512		/* texts are kept shorter */

struct ret {
	RB_ENTRY(ret)	 by_name;
	RB_ENTRY(ret)	 by_due;
	uint64_t	 number;
	int64_t		 due_ms;
	int		 warning;
	int		 expired;
	uint32_t	 tries;
	char		*customer;	/* his name: he may go */
	char		*maildir;
	char		*name;
	char		*prefix;
	char		*text;
	char		*why;		/* of the last failure */
};

RB_HEAD(ret_names, ret);
RB_HEAD(ret_dues, ret);

/* The one that is made. */
struct work {
	struct ret		*ret;	/* NULL: none is */
	int			 given;	/* the mailer has it */
	struct lock		*lock;
	int			 dirfd;
	struct message_file	 m;
};

static struct ret_names	names = RB_INITIALIZER(&names);
static struct ret_dues	dues = RB_INITIALIZER(&dues);
static size_t		count;
static uint64_t		number;
static struct work	work = { .dirfd = -1, .m.fd = -1 };
static struct event	timer;

static void	returns_start(void);

static int
ret_name_order(const struct ret *a, const struct ret *b)
{
	int	order;

	if ((order = strcmp(a->maildir, b->maildir)) != 0)
		return (order);
	if ((order = strcmp(a->name, b->name)) != 0)
		return (order);
	return (a->warning - b->warning);
}

static int
ret_due_order(const struct ret *a, const struct ret *b)
{
	if (a->due_ms != b->due_ms)
		return (a->due_ms < b->due_ms ? -1 : 1);
	return (a->number < b->number ? -1 : a->number > b->number);
}

RB_PROTOTYPE(ret_names, ret, by_name, ret_name_order);
RB_PROTOTYPE(ret_dues, ret, by_due, ret_due_order);
RB_GENERATE(ret_names, ret, by_name, ret_name_order);
RB_GENERATE(ret_dues, ret, by_due, ret_due_order);

/*
 * What waits
 */

static void
ret_free(struct ret *r)
{
	free(r->customer);
	free(r->maildir);
	free(r->name);
	free(r->prefix);
	free(r->text);
	free(r->why);
	free(r);
}

static void
ret_forget(struct ret *r)
{
	RB_REMOVE(ret_names, &names, r);
	RB_REMOVE(ret_dues, &dues, r);
	count--;
	ret_free(r);
}

static void
ret_later(struct ret *r, int64_t ms)
{
	RB_REMOVE(ret_dues, &dues, r);
	r->due_ms = clock_ms() + ms;
	RB_INSERT(ret_dues, &dues, r);
}

static struct ret *
ret_new(const struct customer *c, const char *name, const char *text)
{
	struct ret	*r;
	size_t		 size = count < MANY ? TEXT_SIZE : MANY_TEXT_SIZE;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	r->customer = strdup(c->name);
	r->maildir = strdup(c->maildir);
	r->name = strdup(name);
	r->prefix = strdup(c->prefix);
	r->text = strndup(text, size - 1);
	r->why = strdup("");
	if (r->customer == NULL || r->maildir == NULL || r->name == NULL ||
	    r->prefix == NULL || r->text == NULL || r->why == NULL) {
		ret_free(r);
		errno = ENOMEM;
		return (NULL);
	}
	return (r);
}

static int
ret_add(const struct customer *c, const char *name, const char *text,
    int warning, int expired)
{
	struct ret	*r;

	if ((r = ret_new(c, name, text)) == NULL)
		return (-1);
	r->warning = warning;
	r->expired = expired;
	r->number = ++number;
	r->due_ms = clock_ms();
	if (RB_INSERT(ret_names, &names, r) != NULL) {
		ret_free(r);
		return (0);
	}
	RB_INSERT(ret_dues, &dues, r);
	count++;
	returns_start();
	return (0);
}

int
return_message(struct customer *c, const char *name, const char *text,
    int expired)
{
	return (ret_add(c, name, text, 0, expired));
}

int
return_warn(struct customer *c, const char *name)
{
	const char	*text = c->reply != NULL && *c->reply != '\0' ?
			    c->reply : "it could not be delivered yet";

	return (ret_add(c, name, text, 1, 0));
}

int
return_pending(const struct customer *c, const char *name)
{
	struct ret	key;

	if (count == 0)
		return (0);
	key.maildir = c->maildir;
	key.name = (char *)(uintptr_t)name;
	key.warning = 0;
	return (RB_FIND(ret_names, &names, &key) != NULL);
}

size_t
return_count(void)
{
	return (count);
}

void
return_walk(const struct customer *c,
    void (*visit)(const struct return_entry *, void *), void *arg)
{
	struct return_entry	 shown;
	struct ret		*r;

	RB_FOREACH(r, ret_names, &names) {
		if (c != NULL && strcmp(c->maildir, r->maildir) != 0)
			continue;
		shown.maildir = r->maildir;
		shown.name = r->name;
		shown.text = r->text;
		shown.why = r->why;
		shown.warning = r->warning;
		shown.tries = r->tries;
		visit(&shown, arg);
	}
}

/*
 * The end of one
 */

static void
work_close(void)
{
	if (work.m.fd != -1)
		close(work.m.fd);
	if (work.dirfd != -1)
		close(work.dirfd);
	lock_release(work.lock);
	work.m.fd = work.dirfd = -1;
	work.lock = NULL;
	work.ret = NULL;
	work.given = 0;
}

static void
ret_log(const struct ret *r, const char *status, const char *text)
{
	message_log(r->customer, r->maildir, r->name,
	    (uint64_t)work.m.st.st_size, work.m.st.st_mtime, status, text);
}

static int64_t
ret_patience(const struct ret *r)
{
	int64_t	ms = RETRY_MS;
	uint32_t i;

	for (i = 1; i < r->tries && ms < RETRY_MAX_MS; i++)
		ms *= 2;
	return (ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

static void
ret_why(struct ret *r, const char *why)
{
	char	*copy;

	if ((copy = strdup(why)) == NULL)
		return;
	free(r->why);
	r->why = copy;
}

/* Not now; not for ever either. */
static void
work_put_off(const char *why, int64_t ms)
{
	struct ret	*r = work.ret;

	if (strcmp(r->why, why) != 0)
		log_warnx("unable to report %s/%s/%s to its sender: %s; it is "
		    "tried again", queue.spool.path, r->maildir, r->name,
		    why);
	ret_why(r, why);
	ret_later(r, ms);
	work_close();
}

static void
work_quarantine(const char *why)
{
	struct ret	*r = work.ret;

	if (quarantine_put(r->maildir, r->name, why) == -1) {
		work_put_off(ucspi_strerror(errno), RETRY_MAX_MS);
		return;
	}
	queue.quarantined++;
	ret_log(r, "quarantined", why);
	ret_forget(r);
	work_close();
}

/* Its sender will not be told. */
static void
work_drop_warning(void)
{
	(void)journal_warned(work.ret->maildir, work.ret->name, &work.m.st);
	ret_forget(work.ret);
	work_close();
}

static void
work_failed(const char *why)
{
	struct ret	*r = work.ret;
	char		 text[TEXT_SIZE];

	r->tries++;
	if (r->warning && r->tries >= WARN_TRIES_MAX)
		work_drop_warning();
	else if (!r->warning && r->tries >= TRIES_MAX) {
		(void)snprintf(text, sizeof(text), "its report can't be sent "
		    "(%s): %s", why, r->text);
		work_quarantine(text);
	} else
		work_put_off(why, ret_patience(r));
}

/* On disk before the message goes, or a power cut makes two reports. */
static void
work_remove(void)
{
	struct ret	*r = work.ret;

	if (journal_sent(r->maildir, r->name, &work.m.st) == 0)
		journal_answered(r->maildir, r->name, 'D');
	(void)journal_commit();
	said_forget(r->maildir, r->name);
	if (unlinkat(work.dirfd, r->name, 0) == -1 && errno != ENOENT)
		log_warn("unable to remove %s/%s/%s, whose sender was told",
		    queue.spool.path, r->maildir, r->name);
}

static void
returned_count(struct customer *c, uint64_t size)
{
	c->returned++;
	if (c->waiting > 0)
		c->waiting--;
	c->bytes -= size < c->bytes ? size : c->bytes;
	state_changed();
}

static void
work_done(void)
{
	struct ret	*r = work.ret;
	struct customer	*c = customer_find(r->customer);

	if (r->warning) {
		(void)journal_warned(r->maildir, r->name, &work.m.st);
		(void)journal_commit();
		queue.warned++;
		ret_log(r, "warned", r->text);
	} else {
		work_remove();
		queue.returned++;
		if (c != NULL)
			returned_count(c, (uint64_t)work.m.st.st_size);
		ret_log(r, "returned", r->text);
	}
	ret_forget(r);
	work_close();
}

/*
 * The making of one
 */

static int
report_tmp(void)
{
	int	fd;

	fd = openat(queue.state_fd, REPORT_TMP, O_RDWR | O_CREAT | O_TRUNC |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1)
		(void)unlinkat(queue.state_fd, REPORT_TMP, 0);
	return (fd);
}

static void
report_fill(struct report_case *what, const char *from)
{
	struct ret		*r = work.ret;
	struct head		*head = &work.m.head;
	const struct customer	*c = customer_find(r->customer);

	memset(what, 0, sizeof(*what));
	what->program = PROGRAM;
	what->host = queue.spool.hostname;
	what->from = from;
	what->twofold = *head->sender == '\0';
	what->to = what->twofold ? queue.spool.postmaster : head->sender;
	what->sender = head->sender;
	what->recipients = head->recipients;
	what->nrecipients = head->nrecipients;
	if (!r->expired && !r->warning)
		what->nrecipients = report_keep(r->text, head->recipients,
		    head->nrecipients);
	what->text = r->text;
	what->expired = r->expired;
	what->delayed = r->warning;
	what->now = time(NULL);
	what->arrival = work.m.st.st_mtime;
	if (r->warning && c != NULL && c->delivery->lifetime_s != 0)
		what->until = what->arrival +
		    (time_t)c->delivery->lifetime_s;
	what->size = work.m.st.st_size - (off_t)head->body;
	what->limit = REPORT_LIMIT;
}

static int
report_give(const struct report_case *what, int fd)
{
	struct mailer_report	report;

	memset(&report, 0, sizeof(report));
	report.number = work.ret->number;
	(void)strlcpy(report.recipient, what->to, sizeof(report.recipient));
	if (channel_send(&queue.mailer, IMSG_MAILER_REPORT, 0, fd, &report,
	    sizeof(report)) == -1)
		return (-1);
	work.given = 1;
	return (0);
}

static void
report_make(void)
{
	struct report_case	what;
	char			from[sizeof(FROM) + HOSTNAME_SIZE + 1];
	int			error = 0, fd;

	(void)snprintf(from, sizeof(from), FROM "@%s", queue.spool.hostname);
	report_fill(&what, from);
	if ((fd = report_tmp()) == -1) {
		work_put_off(ucspi_strerror(errno), RETRY_MS);
		return;
	}
	if (report_write(fd, REPORT_DSN, &what, work.m.fd,
	    (off_t)work.m.head.body) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1 || report_give(&what, fd) == -1)
		error = errno;
	if (error == 0)
		return;
	close(fd);
	work_put_off(ucspi_strerror(error), RETRY_MS);
}

static int
work_is_twofold(void)
{
	const struct message_file	*m = &work.m;

	if (strcmp(m->head.sender, TWOFOLD_SENDER) == 0)
		return (1);
	return (*m->head.sender == '\0' && report_is_twofold(m->buf +
	    m->head.body, m->len - m->head.body));
}

static void
work_judge(void)
{
	struct ret	*r = work.ret;
	char		 why[TEXT_SIZE];

	if (work.m.verdict != HEAD_OK)
		(void)snprintf(why, sizeof(why), "%s: %s",
		    work.m.verdict == HEAD_BAD ? work.m.head.why :
		    "it is for others", r->text);
	else if (work_is_twofold())
		(void)snprintf(why, sizeof(why), "it reports that a bounce "
		    "could not be delivered: %s", r->text);
	else if (r->warning && *work.m.head.sender == '\0') {
		work_drop_warning();
		return;
	} else {
		report_make();
		return;
	}
	if (r->warning)
		work_drop_warning();
	else
		work_quarantine(why);
}

static void
work_unopened(void)
{
	struct ret	*r = work.ret;

	if (errno == ENOENT) {
		log_info("%s/%s/%s is gone, so nothing is reported",
		    queue.spool.path, r->maildir, r->name);
		ret_forget(r);
		work_close();
		return;
	}
	work_failed(maildir_why(errno));
}

static void
work_begin(struct ret *r)
{
	work.ret = r;
	if ((work.lock = lock_take(r->maildir)) == NULL && errno != ENOENT) {
		work_put_off(errno == EAGAIN ?
		    "another program has the lock of the Maildir" :
		    ucspi_strerror(errno), BUSY_RETRY_MS);
		return;
	}
	work.dirfd = openat(queue.spool_fd, r->maildir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (work.dirfd == -1 ||
	    message_open(&work.m, work.dirfd, r->name, r->prefix) == -1)
		work_unopened();
	else
		work_judge();
}

/*
 * One after the other
 */

static void
returns_tick(int fd, short event, void *arg)
{
	struct ret	*r;

	if (work.ret != NULL || !queue.mailer.open)
		return;
	if ((r = RB_MIN(ret_dues, &dues)) == NULL)
		return;
	if (r->due_ms <= clock_ms())
		work_begin(r);
	if (work.ret == NULL)
		returns_start();
}

/* By the loop: never in the midst of who has something to report. */
static void
returns_start(void)
{
	struct timeval	tv = { 0, 0 };
	struct ret	*r;
	int64_t		 ms;

	if (work.ret != NULL || !queue.mailer.open ||
	    (r = RB_MIN(ret_dues, &dues)) == NULL)
		return;
	if ((ms = r->due_ms - clock_ms()) > 0) {
		tv.tv_sec = ms / 1000;
		tv.tv_usec = ms % 1000 * 1000;
	}
	if (!evtimer_initialized(&timer))
		evtimer_set(&timer, returns_tick, NULL);
	evtimer_add(&timer, &tv);
}

void
return_mailer_ready(void)
{
	returns_start();
}

void
return_mailer_lost(struct channel *ch)
{
	if (work.ret == NULL)
		return;
	work.ret->tries++;
	work_put_off("the mailer died", DIED_RETRY_MS);
}

int
return_dispatch(struct channel *ch, struct imsg *imsg)
{
	struct mailer_answer	answer;

	if (imsg_get_type(imsg) != IMSG_MAILER_DONE ||
	    imsg_get_data(imsg, &answer, sizeof(answer)) == -1 ||
	    !work.given || answer.number != work.ret->number) {
		log_warnx("the mailer says what can't be: no more is heard "
		    "from it");
		return (-1);
	}
	answer.why[sizeof(answer.why) - 1] = '\0';
	if (answer.error == 0)
		work_done();
	else
		work_failed(*answer.why != '\0' ? answer.why :
		    ucspi_strerror(answer.error));
	returns_start();
	return (0);
}
