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

#include "autoturnctl.h"
#include "metrics.h"

struct spool_row {
	char			*path;
	struct control_spool	 s;
};

/* There are many: only what is printed. */
struct customer_row {
	size_t		spool;
	char		name[CUSTOMER_NAME_SIZE];
	uint64_t	waiting;
	uint64_t	bytes;
	int64_t		oldest;
	int64_t		seen_at;
	uint64_t	delivered;
	uint64_t	quarantined;
	uint64_t	failures;
	uint64_t	held;
};

static struct control_daemon	 daemon_row;
static struct spool_row		*spools;
static size_t			 spools_len;
static struct customer_row	*customers;
static size_t			 customers_len;
static size_t			 customers_size;

static void *
grown(void *list, size_t count, size_t size)
{
	void	*more;

	if ((more = reallocarray(list, count, size)) == NULL)
		err(EXIT_FAILED, "metrics");
	return (more);
}

static void
spool_add(const struct view *v)
{
	spools = grown(spools, spools_len + 1, sizeof(*spools));
	spools[spools_len].s = v->u.spool;
	if ((spools[spools_len].path = strdup(v->spool)) == NULL)
		err(EXIT_FAILED, "metrics");
	spools_len++;
}

/* After its spool's row. */
static void
customer_add(const struct control_customer *c)
{
	struct customer_row	*row;

	if (spools_len == 0)
		errx(EXIT_FAILED, "the daemon's answer has no spool");
	if (customers_len == customers_size) {
		customers_size = customers_size == 0 ? 64 :
		    customers_size * 2;
		customers = grown(customers, customers_size,
		    sizeof(*customers));
	}
	row = &customers[customers_len++];
	memset(row, 0, sizeof(*row));
	row->spool = spools_len - 1;
	strlcpy(row->name, c->name, sizeof(row->name));
	row->waiting = c->waiting;
	row->bytes = c->bytes;
	row->oldest = c->oldest;
	row->seen_at = c->seen_at;
	row->delivered = c->delivered;
	row->quarantined = c->quarantined;
	row->failures = c->failures;
	row->held = (c->flags & CONTROL_HELD) != 0;
}

static void
metrics_show(const struct command *c, const struct view *v)
{
	if (v->row == ROW_SPOOL)
		spool_add(v);
	else if (v->row == ROW_CUSTOMER)
		customer_add(&v->u.customer);
}

/*
 * Spools
 */

static void
sample_begin(const char *name, const char *suffix, size_t spool)
{
	metrics_name(name);
	printf("%s{", suffix);
	metrics_label("spool", spools[spool].path);
}

struct number {
	const char	*name;
	const char	*type;
	const char	*unit;
	const char	*suffix;
	const char	*help;
	size_t		 offset;	/* of an uint64_t in its row */
};

#define COUNTER(name, unit, help, field) \
	{ name, "counter", unit, "_total", help, \
	    offsetof(struct control_spool, field) }
#define GAUGE(name, unit, help, field) \
	{ name, "gauge", unit, "", help, \
	    offsetof(struct control_spool, field) }

static const struct number	spool_numbers[] = {
	COUNTER("strangers", NULL, "Triggers by nobody's address.",
	    strangers),
	COUNTER("runs_succeeded", NULL, "Runs that left nothing for later.",
	    runs_ok),
	COUNTER("runs_failed", NULL, "Runs that failed or left something.",
	    runs_failed),
	COUNTER("messages_accepted", NULL,
	    "Messages that customers' servers took.", accepted),
	COUNTER("accepted_bytes", "bytes", "Their bytes.", accepted_bytes),
	COUNTER("messages_deferred", NULL,
	    "Times a message was put off for later.", deferred),
	COUNTER("messages_refused", NULL, "Messages refused for good.",
	    refused),
	COUNTER("messages_expired", NULL, "Messages that waited too long.",
	    expired),
	COUNTER("messages_returned", NULL,
	    "Reports to senders that were taken.", returned),
	COUNTER("messages_warned", NULL,
	    "Notices of a delay that were taken.", warned),
	COUNTER("messages_quarantined", NULL,
	    "Messages that went to quarantine.", quarantined),
	COUNTER("messages_repeated", NULL,
	    "Messages sent again that may have been delivered.", repeated),
	GAUGE("customers", NULL, "Customers there are.", customers),
	GAUGE("customers_waiting", NULL, "Those for whom mail waits.",
	    customers_waiting),
	GAUGE("waiting_messages", NULL, "Messages that wait.", waiting),
	GAUGE("waiting_bytes", "bytes", "Their bytes.", bytes),
	GAUGE("quarantine_messages", NULL, "Messages in quarantine.",
	    in_quarantine)
};

static uint64_t
number_get(const void *row, size_t offset)
{
	uint64_t	n;

	memcpy(&n, (const char *)row + offset, sizeof(n));
	return (n);
}

static void
spool_number_print(const struct number *n)
{
	size_t	i;

	metrics_family(n->name, n->type, n->unit, n->help);
	for (i = 0; i < spools_len; i++) {
		sample_begin(n->name, n->suffix, i);
		printf("} %" PRIu64 "\n", number_get(&spools[i].s,
		    n->offset));
	}
}

static void
triggers_print(void)
{
	size_t		i;
	unsigned int	k;

	metrics_family("triggers", "counter", NULL,
	    "Reasons to look after a customer.");
	for (i = 0; i < spools_len; i++)
		for (k = 1; k < CONTROL_REASONS; k++) {
			sample_begin("triggers", "_total", i);
			printf(",reason=\"%s\"} %" PRIu64 "\n",
			    reason_names[k], spools[i].s.triggers[k]);
		}
}

/* What is a smaller number in its row. */
static void
spool_flags_print(void)
{
	size_t	i;

	metrics_family("runs", "gauge", NULL, "Runs of now.");
	for (i = 0; i < spools_len; i++) {
		sample_begin("runs", "", i);
		printf("} %u\n", spools[i].s.running);
	}
	metrics_family("runs_limit", "gauge", NULL,
	    "So many runs at a time there may be.");
	for (i = 0; i < spools_len; i++) {
		sample_begin("runs_limit", "", i);
		printf("} %u\n", spools[i].s.concurrency);
	}
	metrics_family("paused", "gauge", NULL, "1: by the operator.");
	for (i = 0; i < spools_len; i++) {
		sample_begin("paused", "", i);
		printf("} %u\n", spools[i].s.paused);
	}
	metrics_family("events_connected", "gauge", NULL,
	    "1: tcpserverd tells of sessions.");
	for (i = 0; i < spools_len; i++) {
		sample_begin("events_connected", "", i);
		printf("} %u\n", spools[i].s.events);
	}
	metrics_family("queue_start_time_seconds", "gauge", "seconds",
	    "When the queue was started, which counts from 0.");
	for (i = 0; i < spools_len; i++) {
		sample_begin("queue_start_time_seconds", "", i);
		printf("} %" PRId64 "\n", spools[i].s.started_at);
	}
}

/*
 * Customers
 */

#define OF_CUSTOMER(name, unit, help, field) \
	{ name, "gauge", unit, "", help, \
	    offsetof(struct customer_row, field) }

static const struct number	customer_numbers[] = {
	OF_CUSTOMER("customer_waiting_messages", NULL,
	    "Messages that wait for a customer.", waiting),
	OF_CUSTOMER("customer_waiting_bytes", "bytes", "Their bytes.", bytes),
	OF_CUSTOMER("customer_oldest_time_seconds", "seconds",
	    "When the oldest of them was queued, 0: there is none.", oldest),
	OF_CUSTOMER("customer_seen_time_seconds", "seconds",
	    "When he last showed up, 0: never.", seen_at),
	OF_CUSTOMER("customer_failures", NULL,
	    "Runs that failed in a row.", failures),
	OF_CUSTOMER("customer_quarantine_messages", NULL,
	    "Messages in quarantine.", quarantined),
	OF_CUSTOMER("customer_held", NULL, "1: by the operator.", held),
	{ "customer_messages_accepted", "counter", NULL, "_total",
	    "Messages his server took, ever.",
	    offsetof(struct customer_row, delivered) }
};

static void
customer_number_print(const struct number *n)
{
	size_t	i;

	metrics_family(n->name, n->type, n->unit, n->help);
	for (i = 0; i < customers_len; i++) {
		sample_begin(n->name, n->suffix, customers[i].spool);
		putchar(',');
		metrics_label("customer", customers[i].name);
		printf("} %" PRIu64 "\n", number_get(&customers[i],
		    n->offset));
	}
}

static void
metrics_start(const struct command *c, const struct daemon_links *dl)
{
	daemon_row = dl->daemon;
}

static void
metrics_spool(const struct command *c, const struct spool_link *sp,
    size_t count)
{
}

static void
daemon_print(void)
{
	metrics_family("build", "info", NULL, "Which daemon this is.");
	metrics_name("build_info");
	putchar('{');
	metrics_label("build", daemon_row.build);
	puts("} 1");
	metrics_simple("start_time_seconds", "gauge", "seconds", "",
	    "When the daemon was started.", daemon_row.started_at);
	metrics_simple("configuration_time_seconds", "gauge", "seconds", "",
	    "When the configuration in force was loaded.",
	    daemon_row.loaded_at);
	metrics_simple("reloads", "counter", NULL, "_total",
	    "Reloads of the configuration that succeeded.",
	    daemon_row.reloads);
}

static void
metrics_end(const struct command *c)
{
	size_t	i;

	metrics_init("autoturnd");
	daemon_print();
	spool_flags_print();
	for (i = 0; i < nitems(spool_numbers); i++)
		spool_number_print(&spool_numbers[i]);
	triggers_print();
	for (i = 0; i < nitems(customer_numbers); i++)
		customer_number_print(&customer_numbers[i]);
	metrics_done();
}

const struct output output_metrics = {
	metrics_start, metrics_spool, metrics_show, metrics_end
};
