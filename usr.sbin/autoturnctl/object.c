/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Rows as JSON.  The keys are promised by autoturnctl(8): they may become
 * more, but none goes or changes.
 */
#include <string.h>

#include "answer.h"
#include "autoturnctl.h"
#include "json.h"

#define SECOND_US	INT64_C(1000000)

static int	found_open;		/* of explain: waits for its message */

static void
time_put(const char *key, int64_t at)
{
	json_time(key, at * SECOND_US);
}

static void
daemon_put(const struct control_daemon *d)
{
	json_text("build", d->build);
	json_text("configuration", d->conf_path);
	json_number("parent_pid", d->parent_pid);
	time_put("started_at", d->started_at);
	time_put("loaded_at", d->loaded_at);
	json_number("reloads", d->reloads);
}

static void
triggers_put(const struct control_spool *s)
{
	unsigned int	i;

	json_object("triggers");
	for (i = 1; i < CONTROL_REASONS; i++)
		json_number(reason_names[i], s->triggers[i]);
	json_end();
}

static void
spool_counters(const struct control_spool *s)
{
	triggers_put(s);
	json_number("strangers", s->strangers);
	json_number("runs_ok", s->runs_ok);
	json_number("runs_failed", s->runs_failed);
	json_number("accepted", s->accepted);
	json_number("accepted_bytes", s->accepted_bytes);
	json_number("deferred", s->deferred);
	json_number("refused", s->refused);
	json_number("expired", s->expired);
	json_number("returned", s->returned);
	json_number("warned", s->warned);
	json_number("quarantined", s->quarantined);
	json_number("repeated", s->repeated);
}

static void
spool_put(const struct view *v)
{
	const struct control_spool	*s = &v->u.spool;

	json_object(NULL);
	json_text("spool", v->spool);
	json_number("queue_pid", s->queue_pid);
	time_put("started_at", s->started_at);
	json_bool("paused", s->paused != 0);
	json_bool("stopping", s->stopping != 0);
	json_text("trouble", s->trouble[0] == '\0' ? NULL : s->trouble);
	json_bool("relay", s->relay != 0);
	json_bool("mailer", s->mailer != 0);
	json_bool("events", s->events != 0);
	json_text("sandbox", s->sandbox);
	json_number("concurrency", s->concurrency);
	json_number("runs", s->running);
	json_number("ready", s->ready);
	json_number("customers", s->customers);
	json_number("customers_held", s->held);
	json_number("customers_waiting", s->customers_waiting);
	json_number("waiting", s->waiting);
	json_number("waiting_bytes", s->bytes);
	time_put("oldest_at", s->oldest);
	json_number("in_quarantine", s->in_quarantine);
	json_number("control_clients", s->control_clients);
	spool_counters(s);
	json_end();
}

static void
customer_members(const struct view *v)
{
	const struct control_customer	*c = &v->u.customer;

	json_text("spool", v->spool);
	json_text("customer", c->name);
	json_text("maildir", c->maildir);
	json_bool("implicit", (c->flags & CONTROL_IMPLICIT) != 0);
	json_bool("held", (c->flags & CONTROL_HELD) != 0);
	json_bool("gone", (c->flags & CONTROL_GONE) != 0);
	json_text("why", control_why_names[c->why]);
	json_text("reason", c->reason == 0 ? NULL : reason_names[c->reason]);
	json_number("waiting", c->waiting);
	json_number("waiting_bytes", c->bytes);
	time_put("oldest_at", c->oldest);
	json_number("in_quarantine", c->quarantined);
	time_put("looked_at", c->looked_at);
	time_put("seen_at", c->seen_at);
	time_put("tried_at", c->tried_at);
	time_put("next_at", c->next_at);
	json_number("failures", c->failures);
	json_text("reply", v->reply);
	time_put("delivered_at", c->delivered_at);
	json_number("delivered", c->delivered);
	json_number("delivered_bytes", c->delivered_bytes);
	json_number("returned", c->returned);
	json_number("lifetime", c->lifetime_s);
}

static void
recipients_put(const struct view *v)
{
	const char	*at = v->recipients, *end;

	json_array("recipients");
	end = at == NULL ? NULL : at + v->u.message.recipients_len;
	for (; at < end; at += strlen(at) + 1)
		json_text(NULL, at);
	json_end();
	json_number("recipients_count", v->u.message.recipients);
}

static void
message_members(const struct view *v)
{
	const struct control_message	*m = &v->u.message;

	json_text("spool", v->spool);
	json_text("customer", m->customer);
	json_text("message", v->name);
	json_text("state", control_state_names[m->state]);
	json_number("size", m->size);
	time_put("queued_at", m->queued_at);
	time_put("expires_at", m->expires_at);
	time_put("quarantined_at", m->since);
	json_text("sender", v->sender);
	recipients_put(v);
	json_text("reply", v->reply);
}

static void
run_members(const struct view *v)
{
	const struct control_run	*r = &v->u.run;

	json_text("spool", v->spool);
	json_text("customer", r->customer);
	json_number("run", r->run);
	json_text("reason", reason_names[r->reason]);
	json_text("doing", r->doing);
	time_put("started_at", r->started_at);
	json_number("open", r->open);
	json_number("accepted", r->accepted);
	json_number("accepted_bytes", r->accepted_bytes);
	json_number("deferred", r->deferred);
	json_number("refused", r->refused);
}

/* A customer, his run while he has one, and the message: one element. */
static void
found_put(const struct view *v)
{
	if (v->row == ROW_CUSTOMER) {
		if (found_open)
			json_end();
		json_object(NULL);
		found_open = 1;
		json_object("customer");
		customer_members(v);
	} else if (v->row == ROW_RUN) {
		json_object("run");
		run_members(v);
	} else {
		json_object("message");
		message_members(v);
	}
	json_end();
}

static void
object_begin(const struct command *c, const struct daemon_links *dl)
{
	json_object(NULL);
	switch (c->action) {
	case ACTION_SHOW_CUSTOMERS:
		json_array("customers");
		break;
	case ACTION_SHOW_RUNS:
		json_array("runs");
		break;
	case ACTION_EXPLAIN:
		json_array("found");
		break;
	case ACTION_SHOW_QUARANTINE:
		json_array("quarantine");
		break;
	case ACTION_SHOW_STATUS:
		daemon_put(&dl->daemon);
		json_array("spools");
		break;
	default:
		json_array("queue");
		break;
	}
}

static void
object_spool(const struct command *c, const struct spool_link *sp,
    size_t count)
{
}

static void
object_show(const struct command *c, const struct view *v)
{
	if (c->action == ACTION_EXPLAIN) {
		found_put(v);
		return;
	}
	if (v->row == ROW_SPOOL) {
		spool_put(v);
		return;
	}
	json_object(NULL);
	if (v->row == ROW_CUSTOMER)
		customer_members(v);
	else if (v->row == ROW_RUN)
		run_members(v);
	else
		message_members(v);
	json_end();
}

static void
object_end(const struct command *c)
{
	if (found_open)
		json_end();
	json_end();
	answer_messages();
	json_done();
}

const struct output output_json = {
	object_begin, object_spool, object_show, object_end
};
