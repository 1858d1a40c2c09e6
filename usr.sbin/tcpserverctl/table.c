/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Rows for people.
 */
#include <sys/types.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tcpserverctl.h"

#define SECOND_US	INT64_C(1000000)

static unsigned int	listeners_shown;	/* of the last service */

static void
status_show(const struct control_status *st)
{
	char	buf[TIME_SIZE];

	printf("configuration     %s\n", safe(st->conf_path));
	printf("loaded            %s, %u reloads since the start\n",
	    time_text(st->loaded_at, buf), st->reloads);
	printf("parent            pid %u, since %s\n", st->parent_pid,
	    time_text(st->started_at, buf));
	printf("engine            pid %u, since %s\n", st->engine_pid,
	    time_text(st->engine_started_at, buf));
	printf("sandbox           %s\n", safe(st->sandbox));
	printf("log               %s\n", st->log_verbose ? "verbose" :
	    "brief");
	printf("services          %u\n", st->services);
	printf("sessions          %" PRIu64 "\n", st->sessions);
	printf("event listeners   %u, %" PRIu64 " events lost\n",
	    st->event_clients, st->events_lost);
	printf("build             %s\n", safe(st->build));
}

static void
service_show(const struct control_service *sv)
{
	printf("%-16s %-8s %8" PRIu64 " %8" PRIu64 "  ", safe(sv->name),
	    service_state(sv), sv->connections, sv->sessions_max);
	listeners_shown = 0;
	if (sv->listeners == 0)
		puts("-");
}

static void
listener_show(const struct control_listener *l)
{
	if (listeners_shown++ > 0)
		printf("%*s", 16 + 1 + 8 + 1 + 8 + 1 + 8 + 2, "");
	puts(endpoint_text(&l->addr, l->port));
}

static const char *
age_us_text(int64_t us, char *buf)
{
	return (age_text(us < 0 ? -1 : us / SECOND_US, buf));
}

static const char *
pid_text(int32_t pid, char *buf, size_t size)
{
	if (pid <= 0)
		return ("-");
	snprintf(buf, size, "%d", pid);
	return (buf);
}

static void
sessions_show(const struct view *v)
{
	const struct control_session	*s = &v->u.session;
	char				 age[AGE_SIZE], pid[16];

	printf("%-17" PRIu64 " %-16s %7s %7s  %-24s", s->id, safe(s->service),
	    pid_text(s->pid, pid, sizeof(pid)), age_us_text(s->age_us, age),
	    endpoint_text(&s->remote, s->remote_port));
	if (v->remote_name != NULL)
		printf(" %s", safe(v->remote_name));
	putchar('\n');
}

static void
session_show(const struct view *v)
{
	const struct control_session	*s = &v->u.session;
	char				 buf[TIME_SIZE], age[AGE_SIZE];
	char				 pid[16];

	printf("session     %" PRIu64 "\n", s->id);
	printf("service     %s\n", safe(s->service));
	printf("program     pid %s\n", pid_text(s->pid, pid, sizeof(pid)));
	printf("from        %s\n", endpoint_text(&s->remote, s->remote_port));
	printf("name        %s\n", safe(v->remote_name));
	printf("ident       %s\n", safe(v->info));
	printf("to          %s\n", endpoint_text(&s->local, s->local_port));
	printf("local name  %s\n", safe(v->local_name));
	printf("rule        %s\n", safe(v->rule));
	printf("accepted    %s, %s ago\n", time_text(s->accepted_at_us /
	    SECOND_US, buf), age_us_text(s->age_us, age));
	printf("started     %s\n", time_text(s->started_at_us / SECOND_US,
	    buf));
}

static void
rules_show(const struct control_rules *r)
{
	char	buf[TIME_SIZE];

	printf("%-16s ", safe(r->service));
	if (!(r->flags & SERVICE_RULES)) {
		puts("none: everybody is let in");
		return;
	}
	printf("%s\n%17s", safe(r->path), "");
	if (r->error != 0)
		printf("not readable: %s; ", strerror(r->error));
	if (!r->held) {
		puts(r->reads == 0 && r->error == 0 ?
		    "not read yet: the first client will have it read" :
		    "none held");
		return;
	}
	printf("%" PRIu64 " bytes of %s, ", r->size, time_text(r->changed_at,
	    buf));
	printf("read %s, %" PRIu64 " times\n", time_text(r->read_at, buf),
	    r->reads);
}

/* The bound of the bucket where so many percent are reached; -1: above. */
static int64_t
quantile_us(const struct histogram *h, const uint64_t *bounds,
    unsigned int percent)
{
	uint64_t	seen = 0;
	unsigned int	i;

	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += h->buckets[i];
		if (seen * 100 >= h->count * percent)
			return ((int64_t)bounds[i]);
	}
	return (-1);
}

static void
bound_show(unsigned int percent, int64_t us)
{
	printf(", %u%% ", percent);
	if (us == -1)
		fputs("longer than any bound", stdout);
	else if (us < 1000)
		printf("within %" PRId64 " us", us);
	else if (us < SECOND_US)
		printf("within %g ms", (double)us / 1000);
	else
		printf("within %g s", (double)us / SECOND_US);
}

static void
histogram_show(const char *what, const struct histogram *h,
    const uint64_t *bounds)
{
	if (h->count == 0)
		return;
	printf("  %-24s mean %.3f s", what,
	    (double)h->sum_us / (double)h->count / SECOND_US);
	bound_show(50, quantile_us(h, bounds, 50));
	bound_show(99, quantile_us(h, bounds, 99));
	putchar('\n');
}

static void
stats_show(const struct control_stats *s)
{
	char		what[48], buf[TIME_SIZE];
	unsigned int	i;

	printf("%s, since %s\n", safe(s->service),
	    time_text(s->stats.since, buf));
	printf("  %-24s %" PRIu64 " of %" PRIu64 "\n", "connections now",
	    s->connections, s->sessions_max);
	printf("  %-24s %" PRIu64 "\n", "accepted", s->stats.accepted);
	for (i = 0; i < RESULT_MAX; i++) {
		if (s->stats.results[i] == 0)
			continue;
		snprintf(what, sizeof(what), "%s, %s",
		    control_names[i].verdict, control_names[i].reason);
		printf("  %-24s %" PRIu64 "\n", what, s->stats.results[i]);
	}
	for (i = 0; i < ENDING_MAX; i++) {
		if (s->stats.endings[i] == 0)
			continue;
		snprintf(what, sizeof(what), "ended, %s", ending_names[i]);
		printf("  %-24s %" PRIu64 "\n", what, s->stats.endings[i]);
	}
	histogram_show("duration", &s->stats.sessions, histogram_session_us);
	histogram_show("accept to exec", &s->stats.delays,
	    histogram_delay_us);
}

static void
rule_show(const struct control_verdict *r, const struct view *v)
{
	struct source	src;

	printf("by rule     %s\n", r->key_len == 0 ?
	    "the last one, for everybody" : key_text(v->key, r->key_len));
	source_find(&src, r->rules_path, v->key, r->key_len);
	if (src.path[0] == '\0')
		printf("in          %s\n", safe(r->rules_path));
	else if (src.line == 0)
		printf("in          %s, but no line of %s gives this rule\n",
		    safe(r->rules_path), safe(src.path));
	else
		printf("in          %s:%ld\n", safe(src.path), src.line);
	if (src.newer)
		printf("warning     %s is newer than the database in force\n",
		    safe(src.path));
}

static void
variables_show(const struct view *v)
{
	const struct control_verdict	*r = &v->u.verdict;
	const char			*var, *end;

	end = v->variables == NULL ? NULL : v->variables + r->variables_len;
	for (var = v->variables; var < end; var += strlen(var) + 1)
		printf("sets        %s\n", safe(var));
	if (r->variables_cut)
		puts("sets        more than is shown here");
}

static void
verdict_show(const struct command *c, const struct view *v)
{
	const struct control_verdict	*r = &v->u.verdict;
	const struct control_name	*name = &control_names[r->result];

	printf("verdict     %s\n", name->verdict);
	if (r->error != 0)
		printf("because     rules %s: %s\n", safe(r->rules_path),
		    strerror(r->error));
	else if (!(r->flags & SERVICE_RULES))
		puts("because     the service has no rules");
	else if (strcmp(name->reason, "default") == 0)
		printf("because     no rule of %s is for it\n",
		    safe(r->rules_path));
	else
		rule_show(r, v);
	variables_show(v);
	if (r->connections >= r->sessions_max)
		printf("note        it would wait: %" PRIu64 " of %" PRIu64
		    " sessions are taken\n", r->connections, r->sessions_max);
	if ((r->flags & SERVICE_REMOTE_NAME) && c->host == NULL)
		puts("note        the service looks up names: rules for a "
		    "host were not tried, give one");
	if ((r->flags & SERVICE_IDENT) && c->info == NULL)
		puts("note        the service asks ident: rules for a user "
		    "were not tried, give one");
}

static void
event_show(const struct view *v)
{
	const struct control_event	*ev = &v->u.event;
	char				 buf[TIME_SIZE], what[32];

	if (ev->kind == EVENT_CONNECT)
		strlcpy(what, "connect", sizeof(what));
	else if (ev->kind == EVENT_END)
		ending_text(ev->status, what, sizeof(what));
	else
		snprintf(what, sizeof(what), "%s (%s)",
		    control_names[ev->result].verdict,
		    control_names[ev->result].reason);
	printf("%s %-16s %" PRIu64 " %s %s", time_text(ev->at_us / SECOND_US,
	    buf), safe(ev->service), ev->id,
	    endpoint_text(&ev->remote, ev->remote_port), what);
	if (v->remote_name != NULL)
		printf(" name %s", safe(v->remote_name));
	if (v->rule != NULL)
		printf(" rule %s", safe(v->rule));
	if (ev->kind == EVENT_END && ev->age_us >= 0)
		printf(" after %.3f s", (double)ev->age_us / SECOND_US);
	putchar('\n');
}

static void
table_begin(const struct command *c)
{
	if (c->action == ACTION_SHOW_SERVICES)
		printf("%-16s %-8s %8s %8s  %s\n", "SERVICE", "STATE",
		    "SESSIONS", "LIMIT", "LISTENS ON");
	if (c->action == ACTION_SHOW_SESSIONS)
		printf("%-17s %-16s %7s %7s  %-24s %s\n", "ID", "SERVICE",
		    "PID", "AGE", "FROM", "NAME");
	if (c->action == ACTION_SHOW_RULES)
		printf("%-16s %s\n", "SERVICE", "RULES");
}

static void
row_show(const struct command *c, const struct view *v)
{
	switch (v->row) {
	case ROW_STATUS:
		if (c->action == ACTION_SHOW_STATUS)
			status_show(&v->u.status);
		break;
	case ROW_SERVICE:
		service_show(&v->u.service);
		break;
	case ROW_LISTENER:
		listener_show(&v->u.listener);
		break;
	case ROW_SESSION:
		if (c->action == ACTION_SHOW_SESSION)
			session_show(v);
		else
			sessions_show(v);
		break;
	case ROW_RULES:
		rules_show(&v->u.rules);
		break;
	case ROW_STATS:
		stats_show(&v->u.stats);
		break;
	case ROW_VERDICT:
		verdict_show(c, v);
		break;
	}
}

static void
table_show(const struct command *c, const struct view *v)
{
	if (v->type == IMSG_CTL_EVENT)
		event_show(v);
	else if (v->type == IMSG_CTL_GAP)
		printf("%" PRIu64 " events lost: not read in time\n",
		    v->u.gap.count);
	else
		row_show(c, v);
}

static void
table_end(const struct command *c)
{
}

const struct output output_table = { table_begin, table_show, table_end };
