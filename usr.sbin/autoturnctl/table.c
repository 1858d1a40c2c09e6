/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Rows for people.
 */
#include <sys/types.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "autoturnctl.h"

#define SIZE_SIZE	16

/* How long ago; "-" for never. */
static const char *
ago(int64_t at, char *buf)
{
	int64_t	now = time(NULL);

	if (at == 0)
		return ("-");
	return (age_text(now > at ? now - at : 0, buf));
}

/* In how long; "-" for never, "now". */
static const char *
until(int64_t at, char *buf)
{
	int64_t	now = time(NULL);

	if (at == 0)
		return ("-");
	return (at <= now ? "now" : age_text(at - now, buf));
}

/* "17", "3k", "12M", "5G" */
static const char *
size_text(uint64_t bytes, char *buf)
{
	static const char	units[] = "kMGTPE";
	const char		*unit = units;

	if (bytes < 10000) {
		snprintf(buf, SIZE_SIZE, "%" PRIu64, bytes);
		return (buf);
	}
	for (bytes /= 1024; bytes >= 10000; bytes /= 1024)
		unit++;
	snprintf(buf, SIZE_SIZE, "%" PRIu64 "%c", bytes, *unit);
	return (buf);
}

/*
 * Status
 */

static void
daemon_show(const struct control_daemon *d)
{
	char	buf[TIME_SIZE];

	printf("configuration     %s\n", safe(d->conf_path));
	printf("loaded            %s, %u reloads since the start\n",
	    time_text(d->loaded_at, buf), d->reloads);
	printf("parent            pid %u, since %s\n", d->parent_pid,
	    time_text(d->started_at, buf));
	printf("build             %s\n", safe(d->build));
}

static const char *
spool_state(const struct control_spool *s)
{
	if (s->stopping)
		return ("comes to its end");
	if (s->paused)
		return ("paused");
	if (s->trouble[0] != '\0')
		return ("sends nothing");
	return (s->relay ? "works" : "waits for its relay");
}

static void
spool_show(const struct view *v)
{
	const struct control_spool	*s = &v->u.spool;
	char				 buf[TIME_SIZE], size[SIZE_SIZE];

	printf("\nspool             %s\n", safe(v->spool));
	printf("state             %s\n", spool_state(s));
	if (s->trouble[0] != '\0')
		printf("trouble           %s\n", safe(s->trouble));
	printf("queue             pid %u, since %s\n", s->queue_pid,
	    time_text(s->started_at, buf));
	printf("sandbox           %s\n", safe(s->sandbox));
	printf("sessions          %s\n", s->events ?
	    "told by tcpserverd" : "not told: no tcpserverd");
	printf("mailer            %s\n", s->mailer ? "runs" :
	    "does not run just now");
	printf("customers         %" PRIu64 ", %u held\n", s->customers,
	    s->held);
	printf("waiting           %" PRIu64 " messages, %s bytes, for %"
	    PRIu64 " customers", s->waiting, size_text(s->bytes, size),
	    s->customers_waiting);
	if (s->oldest != 0)
		printf(", the oldest %s", ago(s->oldest, buf));
	printf("\nin quarantine     %" PRIu64 "\n", s->in_quarantine);
	printf("runs              %u of %u, %u wait for a place\n",
	    s->running, s->concurrency, s->ready);
	printf("delivered         %" PRIu64 ", %s bytes, since the queue's "
	    "start\n", s->accepted, size_text(s->accepted_bytes, size));
	if (s->repeated > 0)
		printf("repeated          %" PRIu64 " may have been "
		    "delivered twice\n", s->repeated);
}

/*
 * Customers
 */

static void
customers_show(const struct view *v)
{
	const struct control_customer	*c = &v->u.customer;
	char				 oldest[AGE_SIZE], seen[AGE_SIZE];
	char				 sent[AGE_SIZE], next[AGE_SIZE];
	char				 size[SIZE_SIZE];

	printf("%-24s %7" PRIu64 " %7s %7s %7s %7s %7s  %s\n", safe(c->name),
	    c->waiting, size_text(c->bytes, size), ago(c->oldest, oldest),
	    ago(c->seen_at, seen), ago(c->delivered_at, sent),
	    until(c->next_at, next), control_why_names[c->why]);
}

static void
customer_show(const struct view *v)
{
	const struct control_customer	*c = &v->u.customer;
	char				 buf[TIME_SIZE], age[AGE_SIZE];
	char				 size[SIZE_SIZE];

	printf("customer      %s%s%s\n", safe(c->name),
	    c->flags & CONTROL_HELD ? ", held" : "",
	    c->flags & CONTROL_GONE ? ", not configured any more" : "");
	printf("maildir       %s/%s\n", safe(v->spool), safe(c->maildir));
	printf("waiting       %" PRIu64 " messages, %s bytes, the oldest %s"
	    "\n", c->waiting, size_text(c->bytes, size), ago(c->oldest, age));
	printf("quarantine    %" PRIu64 "\n", c->quarantined);
	printf("why           %s\n", control_why_names[c->why]);
	printf("next try      %s", time_text(c->next_at, buf));
	if (c->next_at != 0)
		printf(", in %s", until(c->next_at, age));
	printf("\nlast try      %s, %u failed in a row\n",
	    time_text(c->tried_at, buf), c->failures);
	printf("last reply    %s\n", safe(v->reply));
	printf("last seen     %s\n", time_text(c->seen_at, buf));
	printf("delivered     %" PRIu64 " messages, %s bytes, the last %s\n",
	    c->delivered, size_text(c->delivered_bytes, size),
	    time_text(c->delivered_at, buf));
	printf("returned      %" PRIu64 " messages\n", c->returned);
	printf("looked at     %s\n", time_text(c->looked_at, buf));
}

/*
 * Messages
 */

static void
mailbox_show(const char *mailbox)
{
	if (mailbox == NULL)
		putchar('?');
	else
		printf("<%s>", safe(mailbox));
}

static void
recipients_show(const struct view *v)
{
	const char	*at = v->recipients, *end;
	unsigned int	 shown = 0;

	end = at == NULL ? NULL : at + v->u.message.recipients_len;
	for (; at < end; at += strlen(at) + 1) {
		putchar(' ');
		mailbox_show(at);
		shown++;
	}
	if (shown == 0)
		fputs(" ?", stdout);
	else if (v->u.message.recipients > shown)
		printf(" and %u more", v->u.message.recipients - shown);
}

static void
messages_show(const struct view *v)
{
	const struct control_message	*m = &v->u.message;
	char				 age[AGE_SIZE], size[SIZE_SIZE];
	int				 held;

	held = m->state == MESSAGE_QUARANTINED;
	printf("%-24s %7s %7s %-18s %s\n", safe(m->customer),
	    ago(held ? m->since : m->queued_at, age),
	    size_text(m->size, size), control_state_names[m->state],
	    safe(v->name));
	printf("%41s", "");
	mailbox_show(v->sender);
	fputs(" to", stdout);
	recipients_show(v);
	putchar('\n');
	if (v->reply != NULL && v->reply[0] != '\0')
		printf("%41s%s\n", "", safe(v->reply));
}

static const char *const	state_texts[MESSAGE_STATE_MAX] = {
	[MESSAGE_WAITING] = "waits",
	[MESSAGE_DEFERRED] = "waits again: it was not taken the last time",
	[MESSAGE_SENT] = "was sent just now and has no answer yet",
	[MESSAGE_DOUBTFUL] = "waits; it was sent before and there was no "
	    "answer, so the customer may have it already",
	[MESSAGE_RETURNING] = "goes back to its sender, as soon as the "
	    "report is taken",
	[MESSAGE_QUARANTINED] = "is in quarantine, until it is released"
};

static void
message_show(const struct view *v)
{
	const struct control_message	*m = &v->u.message;
	char				 buf[TIME_SIZE], age[AGE_SIZE];

	printf("message       %s\n", safe(v->name));
	printf("state         %s\n", state_texts[m->state]);
	fputs("from          ", stdout);
	mailbox_show(v->sender);
	fputs("\nto           ", stdout);
	recipients_show(v);
	printf("\nsize          %" PRIu64 " bytes\n", m->size);
	printf("queued        %s, %s ago\n", time_text(m->queued_at, buf),
	    ago(m->queued_at, age));
	if (m->since != 0)
		printf("quarantined   %s, %s ago\n", time_text(m->since, buf),
		    ago(m->since, age));
	else
		printf("expires       %s, in %s\n",
		    time_text(m->expires_at, buf), until(m->expires_at, age));
	printf("%s        %s\n", m->state == MESSAGE_QUARANTINED ?
	    "reason" : "reply ", safe(v->reply));
}

/*
 * Runs
 */

static void
runs_show(const struct view *v)
{
	const struct control_run	*r = &v->u.run;
	char				 age[AGE_SIZE];

	printf("%-24s %7s %-9s %5" PRIu64 " %9" PRIu64 " %8" PRIu64 " %7"
	    PRIu64 "  %s\n", safe(r->customer), ago(r->started_at, age),
	    reason_names[r->reason], r->open, r->accepted, r->deferred,
	    r->refused, safe(r->doing));
}

static void
run_show(const struct view *v)
{
	const struct control_run	*r = &v->u.run;
	char				 age[AGE_SIZE];

	printf("run           since %s, %s; %" PRIu64 " sent without an "
	    "answer, %" PRIu64 " taken, %" PRIu64 " put off, %" PRIu64
	    " refused\n", ago(r->started_at, age), safe(r->doing), r->open,
	    r->accepted, r->deferred, r->refused);
}

/*
 * All
 */

static void
table_begin(const struct command *c, const struct daemon_links *dl)
{
	switch (c->action) {
	case ACTION_SHOW_CUSTOMERS:
		if (c->customer == NULL)
			printf("%-24s %7s %7s %7s %7s %7s %7s  %s\n",
			    "CUSTOMER", "WAITING", "BYTES", "OLDEST", "SEEN",
			    "SENT", "NEXT", "WHY");
		break;
	case ACTION_SHOW_QUEUE:
	case ACTION_SHOW_QUARANTINE:
		printf("%-24s %7s %7s %-18s %s\n", "CUSTOMER", "AGE",
		    "BYTES", "STATE", "MESSAGE");
		break;
	case ACTION_SHOW_RUNS:
		printf("%-24s %7s %-9s %5s %9s %8s %7s  %s\n", "CUSTOMER",
		    "AGE", "REASON", "OPEN", "DELIVERED", "DEFERRED",
		    "REFUSED", "DOING");
		break;
	case ACTION_SHOW_STATUS:
		daemon_show(&dl->daemon);
		break;
	default:
		break;
	}
}

static void
table_spool(const struct command *c, const struct spool_link *sp,
    size_t count)
{
	if (count > 1 && c->customer == NULL &&
	    c->action != ACTION_SHOW_STATUS && c->action != ACTION_EXPLAIN)
		printf("%s:\n", safe(sp->path));
}

static void
explain_show(const struct view *v)
{
	static int	found;

	if (v->row == ROW_CUSTOMER && found++ > 0)
		putchar('\n');
	if (v->row == ROW_CUSTOMER)
		customer_show(v);
	else if (v->row == ROW_RUN)
		run_show(v);
	else
		message_show(v);
}

static void
table_show(const struct command *c, const struct view *v)
{
	if (c->action == ACTION_EXPLAIN)
		explain_show(v);
	else if (v->row == ROW_SPOOL)
		spool_show(v);
	else if (v->row == ROW_MESSAGE)
		messages_show(v);
	else if (v->row == ROW_RUN)
		runs_show(v);
	else if (c->customer != NULL)
		customer_show(v);
	else
		customers_show(v);
}

static void
table_end(const struct command *c)
{
}

const struct output output_table = {
	table_begin, table_spool, table_show, table_end
};
