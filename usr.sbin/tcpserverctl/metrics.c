/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Counters as OpenMetrics 1.0 text: all samples of one metric stand
 * together, so rows are collected first.
 */
#include <err.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "tcpserverctl.h"

#define SECOND_US	1000000.0

static struct control_status	 status;
static struct control_stats	*rows;
static size_t			 rows_len;

static void
numbers_add(uint64_t *to, const uint64_t *from, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		to[i] += from[i];
}

static void
histogram_merge(struct histogram *to, const struct histogram *from)
{
	numbers_add(to->buckets, from->buckets, HISTOGRAM_BUCKETS);
	to->count += from->count;
	to->sum_us += from->sum_us;
}

/* A service that was removed may live beside its successor for a while. */
static void
stats_merge(struct control_stats *to, const struct control_stats *from)
{
	to->connections += from->connections;
	to->sessions += from->sessions;
	to->sessions_max = from->sessions_max;
	to->stats.accepted += from->stats.accepted;
	numbers_add(to->stats.results, from->stats.results, RESULT_MAX);
	numbers_add(to->stats.endings, from->stats.endings, ENDING_MAX);
	histogram_merge(&to->stats.sessions, &from->stats.sessions);
	histogram_merge(&to->stats.delays, &from->stats.delays);
}

static void
metrics_show(const struct command *c, const struct view *v)
{
	struct control_stats	*more;
	size_t			 i;

	if (v->row == ROW_STATUS)
		status = v->u.status;
	if (v->row != ROW_STATS)
		return;
	for (i = 0; i < rows_len; i++)
		if (strcmp(rows[i].service, v->u.stats.service) == 0) {
			stats_merge(&rows[i], &v->u.stats);
			return;
		}
	more = reallocarray(rows, rows_len + 1, sizeof(*rows));
	if (more == NULL)
		err(EXIT_FAILED, "metrics");
	rows = more;
	rows[rows_len++] = v->u.stats;
}

static void
sample_begin(const char *name, const char *service)
{
	metrics_name(name);
	putchar('{');
	metrics_label("service", service);
}

static void
daemon_print(void)
{
	metrics_family("build", "info", NULL, "Which daemon this is.");
	metrics_name("build_info");
	putchar('{');
	metrics_label("build", status.build);
	putchar(',');
	metrics_label("sandbox", status.sandbox);
	fputs("} 1\n", stdout);
	metrics_simple("start_time_seconds", "gauge", "seconds", "",
	    "When the daemon was started.", status.started_at);
	metrics_simple("engine_start_time_seconds", "gauge", "seconds", "",
	    "When its engine was started, which counts from 0.",
	    status.engine_started_at);
	metrics_simple("configuration_time_seconds", "gauge", "seconds", "",
	    "When the configuration in force was loaded.", status.loaded_at);
	metrics_simple("reloads", "counter", NULL, "_total",
	    "Reloads of the configuration that succeeded.", status.reloads);
	metrics_simple("events_lost", "counter", NULL, "_total",
	    "Events that a listener did not read in time.",
	    (int64_t)status.events_lost);
}

/* One number of each service, which is at that offset of its row. */
static void
numbers_print(const char *name, const char *type, const char *suffix,
    const char *help, size_t offset)
{
	char		sample[64];
	uint64_t	number;
	size_t		i;

	metrics_family(name, type, NULL, help);
	snprintf(sample, sizeof(sample), "%s%s", name, suffix);
	for (i = 0; i < rows_len; i++) {
		memcpy(&number, (const char *)&rows[i] + offset,
		    sizeof(number));
		sample_begin(sample, rows[i].service);
		printf("} %" PRIu64 "\n", number);
	}
}

static void
services_print(void)
{
	numbers_print("open_connections", "gauge", "",
	    "Clients and sessions that count against the limit.",
	    offsetof(struct control_stats, connections));
	numbers_print("open_sessions", "gauge", "", "Sessions of now.",
	    offsetof(struct control_stats, sessions));
	numbers_print("sessions_limit", "gauge", "",
	    "So many connections at a time are allowed.",
	    offsetof(struct control_stats, sessions_max));
	numbers_print("accepted", "counter", "_total",
	    "Connections accepted.",
	    offsetof(struct control_stats, stats.accepted));
}

static void
sessions_print(void)
{
	unsigned int	k;
	size_t		i;

	metrics_family("sessions", "counter", NULL,
	    "What has become of connections, and why.");
	for (i = 0; i < rows_len; i++)
		for (k = 0; k < RESULT_MAX; k++) {
			sample_begin("sessions_total", rows[i].service);
			printf(",verdict=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
			    control_names[k].verdict, control_names[k].reason,
			    rows[i].stats.results[k]);
		}
	metrics_family("sessions_ended", "counter", NULL,
	    "Sessions that ended, by how their program did.");
	for (i = 0; i < rows_len; i++)
		for (k = 0; k < ENDING_MAX; k++) {
			sample_begin("sessions_ended_total", rows[i].service);
			printf(",ending=\"%s\"} %" PRIu64 "\n",
			    ending_names[k], rows[i].stats.endings[k]);
		}
}

/* A bound is written as a canonical number: "0.01", "1.0", "60.0". */
static void
bound_print(unsigned int i, const uint64_t *bounds)
{
	char	text[32];

	if (i == HISTOGRAM_BUCKETS - 1) {
		fputs(",le=\"+Inf\"", stdout);
		return;
	}
	snprintf(text, sizeof(text), "%.10g", (double)bounds[i] / SECOND_US);
	if (strpbrk(text, ".e") == NULL)
		strlcat(text, ".0", sizeof(text));
	printf(",le=\"%s\"", text);
}

static void
histogram_print(const char *name, const char *service,
    const struct histogram *h, const uint64_t *bounds)
{
	char		text[64];
	uint64_t	sum = 0;
	unsigned int	i;

	snprintf(text, sizeof(text), "%s_bucket", name);
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		sum += h->buckets[i];
		sample_begin(text, service);
		bound_print(i, bounds);
		printf("} %" PRIu64 "\n", sum);
	}
	snprintf(text, sizeof(text), "%s_count", name);
	sample_begin(text, service);
	printf("} %" PRIu64 "\n", h->count);
	snprintf(text, sizeof(text), "%s_sum", name);
	sample_begin(text, service);
	printf("} %.6f\n", (double)h->sum_us / SECOND_US);
}

static void
histograms_print(void)
{
	size_t	i;

	metrics_family("session_seconds", "histogram", "seconds",
	    "From accept to the end of the session.");
	for (i = 0; i < rows_len; i++)
		histogram_print("session_seconds", rows[i].service,
		    &rows[i].stats.sessions, histogram_session_us);
	metrics_family("accept_to_exec_seconds", "histogram", "seconds",
	    "From accept to the start of the program.");
	for (i = 0; i < rows_len; i++)
		histogram_print("accept_to_exec_seconds", rows[i].service,
		    &rows[i].stats.delays, histogram_delay_us);
}

static void
metrics_begin(const struct command *c)
{
}

static void
metrics_end(const struct command *c)
{
	metrics_init("tcpserverd");
	daemon_print();
	services_print();
	sessions_print();
	histograms_print();
	metrics_done();
}

const struct output output_metrics = {
	metrics_begin, metrics_show, metrics_end
};
