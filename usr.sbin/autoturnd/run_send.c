/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What goes out in a run: which messages, how many at a time, and none before
 * the journal has it.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"
#include "said.h"

#define LOOKS_MAX	100	/* in one run: then it is another's turn */
#define RETRY_MS	5000	/* a journal that can't be written */

static struct event	flush_timer;
static int		flush_due, flush_ms;
static int		commit_due;	/* messages wait for it, or runs */

static void	flush_tick(int, short, void *);

/*
 * The list
 */

static void
list_report(void *arg, const char *name, const char *why)
{
	struct run	*run = arg;

	message_unusable(run->customer->maildir, name, why);
}

static int
file_is_expired(const struct run *run, const struct maildir_file *file)
{
	uint64_t	lifetime_s = run->customer->delivery->lifetime_s;

	return (lifetime_s != 0 &&
	    age_now() - file->mtime > (time_t)lifetime_s);
}

/* 1: it goes back, or its report is being made already. */
static int
file_is_returned(struct run *run, const struct maildir_file *file)
{
	struct customer	*c = run->customer;

	if (return_pending(c, file->name))
		return (1);
	if (!file_is_expired(run, file))
		return (0);
	return (message_expire(c, file->name, file->mtime) == 0);
}

/* Whether it is to be sent at all in this run. */
static int
file_is_wanted(struct run *run, const struct maildir_file *file)
{
	return (!names_has(&run->skipped, file->name) &&
	    !file_is_returned(run, file));
}

static unsigned int
file_losses(const struct run *run, const struct maildir_file *file)
{
	return (suspect_losses(run->customer->maildir, file->name));
}

struct suspect_file {
	struct maildir_file	file;
	unsigned int		losses;
};

static int
suspect_file_order(const void *one, const void *other)
{
	const struct suspect_file	*a = one, *b = other;

	return (a->losses < b->losses ? -1 : a->losses > b->losses);
}

/* The suspects to the end; those with the same losses stay in order. */
static void
suspects_last(struct run *run, struct suspect_file *late, size_t nlate)
{
	struct maildir_list	*list = &run->list;
	size_t			 i;

	if (nlate > 1)
		(void)mergesort(late, nlate, sizeof(*late),
		    suspect_file_order);
	run->suspects = list->count;
	for (i = 0; i < nlate; i++)
		list->files[list->count++] = late[i].file;
}

/* Keeps what is wanted, in order. */
static int
list_choose(struct run *run)
{
	struct maildir_list	*list = &run->list;
	struct suspect_file	*late = NULL, *more;
	size_t			 i, kept = 0, nlate = 0;
	unsigned int		 losses;

	for (i = 0; i < list->count; i++) {
		if (!file_is_wanted(run, &list->files[i]))
			continue;
		if ((losses = file_losses(run, &list->files[i])) == 0) {
			list->files[kept++] = list->files[i];
			continue;
		}
		more = reallocarray(late, nlate + 1, sizeof(*late));
		if (more == NULL) {
			free(late);
			return (-1);
		}
		late = more;
		late[nlate].file = list->files[i];
		late[nlate++].losses = losses;
	}
	list->count = kept;
	suspects_last(run, late, nlate);
	free(late);
	return (0);
}

ssize_t
run_look(struct run *run)
{
	if (maildir_scan(&run->list, run->dirfd, MAILDIR_ANY_TIME,
	    list_report, run) == -1)
		return (-1);
	run->next = 0;
	run->looks++;
	if (list_choose(run) == -1)
		return (-1);
	return ((ssize_t)run->list.count);
}

/* The suspects come when all others were answered, one at a time. */
static const struct maildir_file *
list_next(struct run *run)
{
	const struct maildir_file	*file;

	while (run->next < run->list.count) {
		if (run->next >= run->suspects && run->open > 0)
			return (NULL);
		file = &run->list.files[run->next++];
		if (!names_has(&run->skipped, file->name))
			return (file);
	}
	return (NULL);
}

void
run_skip(struct run *run, const char *name)
{
	/* Without memory for that there is none to go on with. */
	if (names_add(&run->skipped, name) == -1)
		run_stop(run, "out of memory");
}

/*
 * One message
 */

void
mail_free(struct run *run, struct mail *mail)
{
	TAILQ_REMOVE(&run->mails, mail, entry);
	run->open--;
	if (mail->fd != -1)
		close(mail->fd);
	free(mail);
}

void
run_withdraw(struct run *run, struct mail *mail)
{
	journal_answered(run->customer->maildir, mail->name, RUN_UNTRIED);
	mail_free(run, mail);
}

/* What the server has must go, or it would get it again and again. */
int
run_remove(struct run *run, const char *name)
{
	said_forget(run->customer->maildir, name);
	if (unlinkat(run->dirfd, name, 0) == 0 || errno == ENOENT)
		return (0);
	log_warn("unable to remove %s/%s/%s, which needs not be sent again; "
	    "nothing more is sent to %s", queue.spool.path,
	    run->customer->maildir, name, run->customer->name);
	run_skip(run, name);
	run_stop(run, "what was sent can't be removed");
	return (-1);
}

void
run_remove_taken(struct run *run)
{
	struct mail	*mail;

	while ((mail = TAILQ_FIRST(&run->taken)) != NULL) {
		TAILQ_REMOVE(&run->taken, mail, entry);
		(void)run_remove(run, mail->name);
		free(mail);
	}
}

static struct mail *
mail_add(struct run *run, const char *name, int fd, const struct stat *st)
{
	struct mail	*mail;
	size_t		 len = strlen(name) + 1;

	if ((mail = malloc(sizeof(*mail) + len)) == NULL)
		return (NULL);
	memcpy(mail->name, name, len);
	mail->number = ++run->sent;
	mail->fd = fd;
	mail->size = (uint64_t)st->st_size;
	mail->mtime = st->st_mtime;
	TAILQ_INSERT_TAIL(&run->mails, mail, entry);
	run->open++;
	return (mail);
}

static int
error_is_the_files(int error)
{
	return (error == EINVAL || error == EISDIR || error == ELOOP ||
	    error == EACCES || error == EPERM || error == ENXIO);
}

/* A file that can't be opened: its own fault, or ours for now. */
static void
mail_unopened(struct run *run, const char *name)
{
	int	error = errno;

	if (error == ENOENT)
		return;
	run_skip(run, name);
	if (error_is_the_files(error)) {
		message_unusable(run->customer->maildir, name,
		    maildir_why(error));
		return;
	}
	run->deferred++;
	run_stop(run, ucspi_strerror(error));
}

/* It may be there already: the last time nobody heard. */
static void
mail_repeated(const struct run *run, const char *name, const struct stat *st)
{
	queue.repeated++;
	message_log(run->customer->name, run->customer->maildir, name,
	    (uint64_t)st->st_size, st->st_mtime, "repeated",
	    "was sent before without an answer");
}

static int
mail_note(struct run *run, const char *name, int fd, const struct stat *st,
    int status)
{
	if (journal_sent(run->customer->maildir, name, st) == -1)
		return (-1);
	if (mail_add(run, name, fd, st) == NULL) {
		journal_answered(run->customer->maildir, name, RUN_UNTRIED);
		return (-1);
	}
	if (status == 0)
		mail_repeated(run, name, st);
	return (0);
}

static void
mail_take(struct run *run, const char *name)
{
	struct stat	st;
	int		fd, status;

	if (strlen(name) >= MESSAGE_NAME_SIZE) {
		run_skip(run, name);
		message_unusable(run->customer->maildir, name,
		    "its name is too long");
		return;
	}
	if ((fd = maildir_open(run->dirfd, name, &st)) == -1) {
		mail_unopened(run, name);
		return;
	}
	status = journal_status(run->customer->maildir, name, &st);
	if (status > 0) {
		/* He has it, and it could not be removed then. */
		close(fd);
		(void)run_remove(run, name);
		return;
	}
	if (mail_note(run, name, fd, &st, status) == -1) {
		close(fd);
		run_skip(run, name);
		run_stop(run, "out of memory");
	}
}

/*
 * All of them
 */

static int
run_may_send(struct run *run)
{
	const struct customer	*c = run->customer;
	uint64_t		 max = c->delivery->messages_max;

	if (run->stopped || queue.stopping || (c->flags & CUSTOMER_GONE))
		return (0);
	if (queue.paused || (c->flags & CUSTOMER_HELD)) {
		/* He has a job until the operator lets him go. */
		run->more = 1;
		return (0);
	}
	if (max != 0 && run->sent >= max) {
		run->more = 1;
		return (0);
	}
	return (1);
}

static void
window_fill(struct run *run)
{
	const struct maildir_file	*file;
	uint64_t			 sent = run->sent;

	if (run->open > run->customer->delivery->window / 2)
		return;
	while (run->open < run->customer->delivery->window &&
	    run_may_send(run) && (file = list_next(run)) != NULL) {
		if (!return_pending(run->customer, file->name))
			mail_take(run, file->name);
	}
	if (run->sent > sent)
		run_commit();
}

/* Something came while the others were sent? */
static int
run_look_again(struct run *run)
{
	ssize_t	n;

	run_remove_taken(run);
	if (!run_may_send(run))
		return (0);
	if (run->looks == LOOKS_MAX) {
		run->more = 1;
		return (0);
	}
	if ((n = run_look(run)) == -1)
		run_stop(run, ucspi_strerror(errno));
	return (n > 0);
}

static void
run_finish(struct run *run)
{
	run->state = RUN_FINISHES;
	(void)channel_send(&queue.relay, IMSG_RELAY_FINISH, 0, -1,
	    &run->number, sizeof(run->number));
}

void
run_advance(struct run *run)
{
	if (run->state != RUN_SENDS || run->ending)
		return;
	do
		window_fill(run);
	while (run->open == 0 && run_look_again(run));
	if (run->open == 0)
		run_finish(run);
}

/*
 * After a commit
 */

/* A relay that is gone is told of soon; till then it stays to be sent. */
static void
mail_send(struct run *run, struct mail *mail)
{
	struct run_message	message;

	memset(&message, 0, sizeof(message));
	message.run = run->number;
	message.number = mail->number;
	if (channel_send(&queue.relay, IMSG_RELAY_MESSAGE, 0, mail->fd,
	    &message, sizeof(message)) == 0)
		mail->fd = -1;
}

static void
run_released(struct run *run)
{
	struct mail	*mail;

	if (run->state == RUN_BLOCKED) {
		run_connect(run);
		return;
	}
	if (run->state != RUN_SENDS || run->ending)
		return;
	TAILQ_FOREACH(mail, &run->mails, entry) {
		if (mail->fd != -1)
			mail_send(run, mail);
	}
}

static void
flush_wait(int ms)
{
	struct timeval	tv;

	if (flush_due && ms >= flush_ms)
		return;
	flush_ms = ms;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	if (!evtimer_initialized(&flush_timer))
		evtimer_set(&flush_timer, flush_tick, NULL);
	if (evtimer_add(&flush_timer, &tv) == -1)
		fatalx("evtimer_add");
	flush_due = 1;
}

static void
runs_released(void)
{
	struct run	*run;

	commit_due = 0;
	for (run = run_first(); run != NULL; run = TAILQ_NEXT(run, entry))
		run_released(run);
}

static void
flush_tick(int fd, short event, void *arg)
{
	struct run	*run;
	int		 failed;

	flush_due = 0;
	failed = commit_due && journal_commit() == -1;
	if (!failed)
		runs_released();
	for (run = run_first(); run != NULL; run = TAILQ_NEXT(run, entry))
		run_remove_taken(run);
	if (failed)
		flush_wait(RETRY_MS);
}

void
run_flush(void)
{
	flush_wait(0);
}

void
run_commit(void)
{
	commit_due = 1;
	flush_wait(journal_trouble() == NULL ? 0 : RETRY_MS);
}
