/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Rows as JSON.  The keys are those of tcpserverd's log where both say the
 * same, and are promised by tcpserverctl(8): they may become more, but none
 * goes or changes.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "tcpserverctl.h"

#define SECOND_US	INT64_C(1000000)

static int	listeners_left;		/* of the service that is open */

static void
address_put(const char *key, const struct netaddr *addr)
{
	char	ip[NETADDR_TEXT_SIZE];

	if (addr->family == AF_INET || addr->family == AF_INET6)
		json_text(key, netaddr_text(addr, ip));
	else
		json_null(key);
}

static void
port_put(const char *key, const struct netaddr *addr, uint16_t port)
{
	if (addr->family == AF_INET || addr->family == AF_INET6)
		json_number(key, port);
	else
		json_null(key);
}

static void
pid_put(int32_t pid)
{
	if (pid > 0)
		json_number("pid", (uint64_t)pid);
	else
		json_null("pid");
}

static void
peers_put(const struct view *v, const struct netaddr *remote,
    uint16_t remote_port, const struct netaddr *local, uint16_t local_port)
{
	address_put("remote_ip", remote);
	port_put("remote_port", remote, remote_port);
	json_text("remote_name", v->remote_name);
	json_text("ident", v->info);
	address_put("local_ip", local);
	port_put("local_port", local, local_port);
	json_text("local_name", v->local_name);
	json_text("rule", v->rule);
}

static void
status_members(const struct control_status *st)
{
	json_text("build", st->build);
	json_text("configuration", st->conf_path);
	json_number("parent_pid", st->parent_pid);
	json_number("engine_pid", st->engine_pid);
	json_text("sandbox", st->sandbox);
	json_text("log", st->log_verbose ? "verbose" : "brief");
	json_time("time", st->now * SECOND_US);
	json_time("started_at", st->started_at * SECOND_US);
	json_time("engine_started_at", st->engine_started_at * SECOND_US);
	json_time("loaded_at", st->loaded_at * SECOND_US);
	json_number("reloads", st->reloads);
	json_number("services", st->services);
	json_number("sessions", st->sessions);
	json_number("control_clients", st->control_clients);
	json_number("event_clients", st->event_clients);
	json_number("events_lost", st->events_lost);
}

static void
service_end(void)
{
	json_end();			/* listeners */
	json_end();
}

static void
service_put(const struct control_service *sv)
{
	json_object(NULL);
	json_text("service", sv->name);
	json_text("state", service_state(sv));
	json_bool("close", (sv->flags & SERVICE_CLOSE) != 0);
	json_number("connections", sv->connections);
	json_number("sessions", sv->sessions);
	json_number("unstarted", sv->unstarted);
	json_number("limit", sv->sessions_max);
	json_text("rules", sv->flags & SERVICE_RULES ? sv->rules_path : NULL);
	json_array("listeners");
	listeners_left = (int)sv->listeners;
	if (listeners_left == 0)
		service_end();
}

static void
listener_put(const struct control_listener *l)
{
	json_object(NULL);
	address_put("ip", &l->addr);
	json_number("port", l->port);
	json_end();
	if (--listeners_left == 0)
		service_end();
}

static void
session_put(const struct view *v)
{
	const struct control_session	*s = &v->u.session;

	json_object(NULL);
	json_text("service", s->service);
	json_number("id", s->id);
	peers_put(v, &s->remote, s->remote_port, &s->local, s->local_port);
	pid_put(s->pid);
	json_time("accepted_at", s->accepted_at_us);
	json_time("started_at", s->started_at_us);
	json_ms("duration_ms", s->age_us);
	json_end();
}

static void
rules_put(const struct control_rules *r)
{
	int	used = (r->flags & SERVICE_RULES) != 0;

	json_object(NULL);
	json_text("service", r->service);
	json_text("rules", used ? r->path : NULL);
	json_bool("held", r->held != 0);
	json_text("error", r->error == 0 ? NULL : strerror(r->error));
	json_number("reads", r->reads);
	json_time("read_at", r->read_at * SECOND_US);
	json_time("changed_at", r->changed_at * SECOND_US);
	json_number("bytes", r->size);
	json_end();
}

static void
results_put(const struct service_stats *st)
{
	unsigned int	i;

	json_array("results");
	for (i = 0; i < RESULT_MAX; i++) {
		json_object(NULL);
		json_text("verdict", control_names[i].verdict);
		json_text("reason", control_names[i].reason);
		json_number("count", st->results[i]);
		json_end();
	}
	json_end();
}

static void
endings_put(const struct service_stats *st)
{
	unsigned int	i;

	json_object("ended");
	for (i = 0; i < ENDING_MAX; i++)
		json_number(ending_names[i], st->endings[i]);
	json_end();
}

/* Buckets as they are; the last has no bound. */
static void
histogram_put(const char *key, const struct histogram *h,
    const uint64_t *bounds)
{
	unsigned int	i;

	json_object(key);
	json_number("count", h->count);
	json_ms("sum_ms", (int64_t)h->sum_us);
	json_array("buckets");
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		json_object(NULL);
		json_ms("up_to_ms", i < HISTOGRAM_BUCKETS - 1 ?
		    (int64_t)bounds[i] : -1);
		json_number("count", h->buckets[i]);
		json_end();
	}
	json_end();
	json_end();
}

static void
stats_put(const struct control_stats *s)
{
	json_object(NULL);
	json_text("service", s->service);
	json_time("since", s->stats.since * SECOND_US);
	json_number("connections", s->connections);
	json_number("sessions", s->sessions);
	json_number("limit", s->sessions_max);
	json_number("accepted", s->stats.accepted);
	results_put(&s->stats);
	endings_put(&s->stats);
	histogram_put("duration", &s->stats.sessions, histogram_session_us);
	histogram_put("wait", &s->stats.delays, histogram_delay_us);
	json_end();
}

static int
verdict_is_rules(const struct control_verdict *r)
{
	return (r->result == RESULT_ALLOWED_RULE ||
	    r->result == RESULT_DENIED_RULE ||
	    r->result == RESULT_CLOSED_RULE);
}

static void
source_put(const struct control_verdict *r, const struct view *v)
{
	struct source	src;

	memset(&src, 0, sizeof(src));
	if (verdict_is_rules(r))
		source_find(&src, r->rules_path, v->key, r->key_len);
	json_text("file", src.path[0] == '\0' ? NULL : src.path);
	if (src.line > 0)
		json_number("line", (uint64_t)src.line);
	else
		json_null("line");
}

static void
verdict_put(const struct command *c, const struct view *v)
{
	const struct control_verdict	*r = &v->u.verdict;
	const char			*var, *end;

	json_object(NULL);
	json_text("service", c->service);
	address_put("remote_ip", &c->address);
	json_text("remote_name", c->host);
	json_text("ident", c->info);
	json_text("verdict", control_names[r->result].verdict);
	json_text("reason", control_names[r->result].reason);
	json_text("error", r->error == 0 ? NULL : strerror(r->error));
	json_text("rules", r->flags & SERVICE_RULES ? r->rules_path : NULL);
	json_text("rule", verdict_is_rules(r) ?
	    key_text(v->key, r->key_len) : NULL);
	source_put(r, v);
	json_array("variables");
	end = v->variables == NULL ? NULL : v->variables + r->variables_len;
	for (var = v->variables; var < end; var += strlen(var) + 1)
		json_text(NULL, var);
	json_end();
	json_bool("full", r->connections >= r->sessions_max);
	json_end();
}

/* By value: some systems' macros take its address. */
static void
status_put(int known, int status)
{
	if (known && WIFEXITED(status))
		json_number("exit", (uint64_t)WEXITSTATUS(status));
	else
		json_null("exit");
	if (known && WIFSIGNALED(status))
		json_number("signal", (uint64_t)WTERMSIG(status));
	else
		json_null("signal");
}

static void
event_put(const struct view *v)
{
	const struct control_event	*ev = &v->u.event;
	int				 ended = ev->kind == EVENT_END;

	json_object(NULL);
	json_time("time", ev->at_us);
	json_text("event", ev->kind == EVENT_CONNECT ? "connect" :
	    ended ? "end" : "refused");
	json_number("sequence", ev->sequence);
	json_text("service", ev->service);
	json_number("id", ev->id);
	json_text("verdict", control_names[ev->result].verdict);
	json_text("reason", control_names[ev->result].reason);
	peers_put(v, &ev->remote, ev->remote_port, &ev->local,
	    ev->local_port);
	pid_put(ev->pid);
	status_put(ended && ev->pid > 0, ev->status);
	json_ms("duration_ms", ev->age_us);
	json_done();
}

static void
gap_put(const struct control_gap *gap)
{
	json_object(NULL);
	json_text("event", "gap");
	json_number("sequence", gap->first);
	json_number("lost", gap->count);
	json_done();
}

static void
object_begin(const struct command *c)
{
	switch (c->action) {
	case ACTION_SHOW_SERVICES:
	case ACTION_SHOW_STATS:
		json_object(NULL);
		json_array("services");
		break;
	case ACTION_SHOW_SESSIONS:
		json_object(NULL);
		json_array("sessions");
		break;
	case ACTION_SHOW_RULES:
		json_object(NULL);
		json_array("rules");
		break;
	default:
		break;
	}
}

static void
row_put(const struct command *c, const struct view *v)
{
	switch (v->row) {
	case ROW_STATUS:
		if (c->action != ACTION_SHOW_STATUS)
			break;
		json_object(NULL);
		status_members(&v->u.status);
		json_end();
		break;
	case ROW_SERVICE:
		service_put(&v->u.service);
		break;
	case ROW_LISTENER:
		listener_put(&v->u.listener);
		break;
	case ROW_SESSION:
		session_put(v);
		break;
	case ROW_RULES:
		rules_put(&v->u.rules);
		break;
	case ROW_STATS:
		stats_put(&v->u.stats);
		break;
	case ROW_VERDICT:
		verdict_put(c, v);
		break;
	}
}

static void
object_show(const struct command *c, const struct view *v)
{
	if (v->type == IMSG_CTL_EVENT)
		event_put(v);
	else if (v->type == IMSG_CTL_GAP)
		gap_put(&v->u.gap);
	else
		row_put(c, v);
}

static void
object_end(const struct command *c)
{
	json_done();
}

const struct output output_json = { object_begin, object_show, object_end };
