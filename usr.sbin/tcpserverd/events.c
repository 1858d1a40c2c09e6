/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Starts and ends of sessions, told to those who listen: autoturnd on the
 * event socket, operators with "tcpserverctl monitor".  Nobody waits for a
 * listener: past a bound its events are lost, and it is told how many.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "control_engine.h"

/* So many messages wait for a listener, beside what its socket holds. */
#define EVENTS_WAITING_MAX	512

static TAILQ_HEAD(, subscriber)	subscribers =
    TAILQ_HEAD_INITIALIZER(subscribers);
static uint64_t			lost_total;

int64_t
epoch_us(int64_t us)
{
	struct timespec	ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 -
	    (clock_us() - us));
}

int64_t
age_us(int64_t accepted_us)
{
	int64_t	age = clock_us() - accepted_us;

	if (accepted_us == 0)
		return (-1);
	return (age < 0 ? 0 : age);
}

void
events_subscribe(struct subscriber *sub, struct channel *ch, int everything)
{
	memset(sub, 0, sizeof(*sub));
	sub->ch = ch;
	sub->everything = everything;
	TAILQ_INSERT_TAIL(&subscribers, sub, entry);
}

void
events_unsubscribe(struct subscriber *sub)
{
	TAILQ_REMOVE(&subscribers, sub, entry);
}

uint64_t
events_lost(void)
{
	return (lost_total);
}

static void
event_lose(struct subscriber *sub)
{
	if (sub->lost == 0)
		sub->lost_first = sub->sequence;
	sub->lost++;
	lost_total++;
}

/* 0, or -1: it still does not know. */
static int
gap_tell(struct subscriber *sub)
{
	struct control_gap	gap;

	if (sub->lost == 0)
		return (0);
	gap.first = sub->lost_first;
	gap.count = sub->lost;
	if (channel_send(sub->ch, IMSG_CTL_GAP, 0, -1, &gap,
	    sizeof(gap)) == -1)
		return (-1);
	sub->lost = 0;
	return (0);
}

void
events_drained(struct subscriber *sub)
{
	(void)gap_tell(sub);
}

/* Who has lost some is told so first, and only once it has read the rest. */
static int
subscriber_takes(struct subscriber *sub)
{
	uint32_t	waiting = imsgbuf_queuelen(&sub->ch->ibuf);

	if (sub->lost > 0)
		return (waiting == 0 && gap_tell(sub) == 0);
	return (waiting < EVENTS_WAITING_MAX);
}

static void
event_tell(struct subscriber *sub, char *row, size_t len)
{
	sub->sequence++;
	memcpy(row, &sub->sequence, sizeof(sub->sequence));
	if (!subscriber_takes(sub) || channel_send(sub->ch, IMSG_CTL_EVENT, 0,
	    -1, row, len) == -1)
		event_lose(sub);
}

static int
subscriber_wants(const struct subscriber *sub, const struct service *sv,
    uint32_t kind)
{
	if (sub->everything)
		return (1);
	if (kind == EVENT_CONNECT)
		return ((sv->settings.flags & SERVICE_NOTIFY_CONNECT) != 0);
	if (kind == EVENT_END)
		return ((sv->settings.flags & SERVICE_NOTIFY_END) != 0);
	return (0);
}

struct event_strings {
	const char	*local_name;
	const char	*remote_name;
	const char	*info;
	const char	*rule;
};

static void
event_send(struct control_event *ev, const struct service *sv,
    const struct event_strings *str)
{
	char			 row[sizeof(*ev) + CONTROL_STRINGS_MAX];
	struct subscriber	*sub;
	size_t			 len = sizeof(*ev);

	ev->at_us = epoch_us(clock_us());
	strlcpy(ev->service, sv->settings.name, sizeof(ev->service));
	len = row_string(row, len, &ev->local_name_len, str->local_name);
	len = row_string(row, len, &ev->remote_name_len, str->remote_name);
	len = row_string(row, len, &ev->info_len, str->info);
	len = row_string(row, len, &ev->rule_len, str->rule);
	memcpy(row, ev, sizeof(*ev));
	TAILQ_FOREACH(sub, &subscribers, entry)
		if (subscriber_wants(sub, sv, ev->kind))
			event_tell(sub, row, len);
}

static void
session_event(const struct session *s, uint32_t kind,
    enum control_result result, int status)
{
	struct event_strings	str = { s->local_name, s->remote_name,
				    s->info, s->rule };
	struct control_event	ev;

	if (TAILQ_EMPTY(&subscribers))
		return;
	memset(&ev, 0, sizeof(ev));
	ev.id = s->id;
	ev.kind = kind;
	ev.result = result;
	ev.pid = s->pid;
	ev.status = status;
	ev.age_us = age_us(s->accepted_us);
	ev.local = s->local;
	ev.remote = s->remote;
	ev.local_port = s->local_port;
	ev.remote_port = s->remote_port;
	event_send(&ev, s->service, &str);
}

static void
client_event(const struct client *c, uint32_t kind,
    enum control_result result)
{
	struct event_strings	str = { c->local_name, c->remote_name,
				    c->info, c->rule };
	struct control_event	ev;

	if (TAILQ_EMPTY(&subscribers))
		return;
	memset(&ev, 0, sizeof(ev));
	ev.id = c->id;
	ev.kind = kind;
	ev.result = result;
	ev.age_us = age_us(c->accepted_us);
	ev.local = c->local;
	ev.remote = c->remote;
	ev.local_port = c->local_port;
	ev.remote_port = c->remote_port;
	event_send(&ev, c->service, &str);
}

void
event_started(const struct session *s)
{
	session_event(s, EVENT_CONNECT, result_started(s), 0);
}

void
event_ended(const struct session *s, int status)
{
	session_event(s, EVENT_END, result_started(s), status);
}

void
event_failed(const struct session *s, int errnum)
{
	session_event(s, EVENT_REFUSED, result_failed(errnum), 0);
}

/* What a service only closes has come and gone. */
void
event_refused(const struct client *c, enum outcome outcome)
{
	enum control_result	result = result_refused(c, outcome);

	if (outcome != OUTCOME_CLOSED) {
		client_event(c, EVENT_REFUSED, result);
		return;
	}
	client_event(c, EVENT_CONNECT, result);
	client_event(c, EVENT_END, result);
}
