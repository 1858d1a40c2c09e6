/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What comes back in a run: the customer's server has a message, does not
 * want it now, or never; or nobody knows.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "delivery.h"
#include "run.h"
#include "said.h"

#define STATUS_LOST	"4.4.2"	/* of RFC 3463: in the midst of a message */
#define BLAME		"the connection ended each time it was sent"

static void
mail_log(const struct run *run, const struct mail *mail, const char *status,
    const char *text)
{
	message_log(run->customer->name, run->customer->maildir, mail->name,
	    mail->size, mail->mtime, status, text);
}

static void
mail_accepted(struct run *run, struct mail *mail, const char *text)
{
	struct customer	*c = run->customer;

	journal_answered(c->maildir, mail->name, DELIVERY_ACCEPTED);
	mail_log(run, mail, "delivered", text);
	run->accepted++;
	run->accepted_bytes += mail->size;
	queue.accepted++;
	queue.accepted_bytes += mail->size;
	c->delivered++;
	c->delivered_bytes += mail->size;
	c->delivered_at = time(NULL);
	if (c->waiting > 0)
		c->waiting--;
	c->bytes -= mail->size < c->bytes ? mail->size : c->bytes;
}

static void
mail_deferred(struct run *run, struct mail *mail, const char *text)
{
	mail_log(run, mail, "deferred", text);
	said_note(run->customer->maildir, mail->name, text);
	run->deferred++;
	queue.deferred++;
	run_skip(run, mail->name);
}

static void
mail_refused(struct run *run, struct mail *mail, const char *text)
{
	struct customer	*c = run->customer;

	journal_answered(c->maildir, mail->name, DELIVERY_TEMPORARY);
	mail_log(run, mail, "refused", text);
	run->refused++;
	queue.refused++;
	if (return_message(c, mail->name, text, 0) == -1) {
		run->deferred++;
		run_skip(run, mail->name);
	}
}

static void
mail_quarantine(struct run *run, struct mail *mail, const char *why)
{
	journal_answered(run->customer->maildir, mail->name,
	    RUN_QUARANTINE);
	if (message_quarantine(run->customer, mail->name, mail->size,
	    mail->mtime, why) == -1) {
		run->deferred++;
		run_skip(run, mail->name);
	}
}

/*
 * It was under way and nobody heard what became of it: the journal keeps it as
 * such.  A suspect is sent alone: after others were answered it is to blame.
 */
static void
mail_lost(struct run *run, struct mail *mail, const char *text)
{
	const char	*maildir = run->customer->maildir;
	unsigned int	 before = suspect_losses(maildir, mail->name);

	run->lost = run->ending = 1;
	suspect_note(maildir, mail->name);
	if (before == 0 || run->answered == 0 ||
	    suspect_strike(maildir, mail->name) < SUSPECT_STRIKES_MAX)
		return;
	suspect_clear(maildir, mail->name);
	log_warnx("%s/%s/%s: %s", queue.spool.path, maildir, mail->name,
	    BLAME);
	(void)message_quarantine(run->customer, mail->name, mail->size,
	    mail->mtime, BLAME);
}

static void
mail_temporary(struct run *run, struct mail *mail,
    const struct run_result *result, const char *text)
{
	mail_deferred(run, mail, text);
	if (result->said)
		journal_answered(run->customer->maildir, mail->name,
		    DELIVERY_TEMPORARY);
	if (strcmp(result->enhanced, STATUS_LOST) == 0)
		mail_lost(run, mail, text);
	else {
		run->answered++;
		suspect_clear(run->customer->maildir, mail->name);
	}
}

/* Nobody can have it.  The first of those may still be what ended it all. */
static void
mail_untried(struct run *run, struct mail *mail)
{
	run->ending = 1;
	journal_answered(run->customer->maildir, mail->name, RUN_UNTRIED);
	if (run->untried != 0 && run->untried < mail->number)
		return;
	free(run->untried_name);
	if ((run->untried_name = strdup(mail->name)) != NULL)
		run->untried = mail->number;
}

static void
mail_answered(struct run *run, struct mail *mail)
{
	run->answered++;
	suspect_clear(run->customer->maildir, mail->name);
}

static int
mail_result(struct run *run, struct mail *mail,
    const struct run_result *result, const char *text)
{
	switch (result->status) {
	case DELIVERY_ACCEPTED:
		mail_answered(run, mail);
		mail_accepted(run, mail, text);
		return (0);
	case DELIVERY_TEMPORARY:
		mail_temporary(run, mail, result, text);
		return (0);
	case DELIVERY_PERMANENT:
		mail_answered(run, mail);
		mail_refused(run, mail, text);
		return (0);
	case RUN_QUARANTINE:
		mail_quarantine(run, mail, text);
		return (0);
	case RUN_UNTRIED:
		mail_untried(run, mail);
		return (0);
	}
	return (-1);
}

static struct mail *
mail_find(struct run *run, uint64_t number)
{
	struct mail	*mail;

	TAILQ_FOREACH(mail, &run->mails, entry) {
		if (mail->number == number)
			return (mail);
	}
	return (NULL);
}

/* Those that wait to be sent come first: the file system may be slow. */
static void
mail_taken(struct run *run, struct mail *mail)
{
	TAILQ_REMOVE(&run->mails, mail, entry);
	TAILQ_INSERT_TAIL(&run->taken, mail, entry);
	run->open--;
	run_flush();
}

int
run_result(struct run *run, const struct run_result *result,
    const char *text)
{
	struct mail	*mail = mail_find(run, result->number);

	/* Not sent, or answered before. */
	if (mail == NULL || mail->fd != -1 ||
	    mail_result(run, mail, result, text) == -1)
		return (-1);
	if (result->status != RUN_UNTRIED && !run->stopped)
		(void)strlcpy(run->reply, text, sizeof(run->reply));
	if (result->status == DELIVERY_ACCEPTED)
		mail_taken(run, mail);
	else
		mail_free(run, mail);
	return (0);
}

void
run_unanswered(struct run *run, struct mail *mail)
{
	if (mail->fd != -1) {
		run_withdraw(run, mail);
		return;
	}
	mail_log(run, mail, "unanswered", run->reply);
	run->deferred++;
	mail_lost(run, mail, run->reply);
	mail_free(run, mail);
}

/*
 * A connection that ended without a word, while nothing was under way: the
 * message that was to be next may be why, by its envelope.
 */
void
run_blame(struct run *run, int said)
{
	const char	*maildir = run->customer->maildir;
	unsigned int	 before;

	if (said || run->lost || run->untried_name == NULL)
		return;
	before = suspect_losses(maildir, run->untried_name);
	suspect_note(maildir, run->untried_name);
	if (before == 0 || run->answered == 0 ||
	    suspect_strike(maildir, run->untried_name) < SUSPECT_STRIKES_MAX)
		return;
	suspect_clear(maildir, run->untried_name);
	(void)message_quarantine(run->customer, run->untried_name, 0, 0,
	    BLAME);
}
