/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What launchers may report to the engine, in what order and about whom.
 * The input is a row of deeds of four octets:
 *
 *	octet 0		what: bits 0-2 deed, bit 3 which of two services
 *	octet 1		which session, of those that were or never were
 *	octet 2		a pid, few: they collide
 *	octet 3		the type of a report
 *
 * After each deed the tables and counts must agree with each other, and the
 * other service must be as it was.
 *
 * includes: usr.sbin/tcpserverd/session.c usr.sbin/tcpserverd/queue.c
 * functions: session_new session_by_id session_by_pid session_next
 * functions: session_from session_started session_free session_end id_compare
 * functions: pid_compare start_failed sync_end session_orphaned
 * functions: report_session report_running session_adoptable session_adopt
 * functions: session_runs session_learn report_dispatch report_ended
 * functions: report_failed report_synced report_refuse queue_read
 */
#include <stdlib.h>

/* The program has no library that its objects could come from. */
#include "../../usr.sbin/tcpserverd/session.c"
#include "../../usr.sbin/tcpserverd/queue.c"

#define SERVICES	2
#define GENERATION	((uint64_t)1 << 32)
#define SESSIONS_MAX	10

enum deed { DEED_START, DEED_REPORT, DEED_SYNC, DEED_REAPED, DEED_SYNCED };

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct channel		engine_parent;
static struct service	service[SERVICES];
static uint64_t		last_id[SERVICES];
static int		queues[2] = { -1, -1 };

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* The rest of the engine, as far as reports go. */

int
elog_flush(void)
{
	return (0);
}

int
channel_send(struct channel *ch, uint32_t type, uint32_t id, int fd,
    const void *data, size_t len)
{
	return (0);
}

void
client_drop(struct client *c, enum control_result result, const char *fmt,
    ...)
{
	abort();
}

void
client_free(struct client *c)
{
	abort();
}

void
tell_strange_end(const struct service *sv, const struct report *r)
{
}

void
tell_nonsense(const struct service *sv, const char *what, uint64_t number)
{
}

void
tell_started(const struct session *s)
{
	require(s->pid > 0);
}

void
tell_ended(const struct session *s, int status)
{
}

void
tell_failed(const struct session *s, int errnum)
{
	require(s->pid == 0);
}

int64_t
clock_us(void)
{
	return (1);
}

void
engine_turn(struct service *sv)
{
}

void
listeners_update(struct service *sv)
{
}

void
service_count_down(struct service *sv)
{
	require(sv->count > 0);
	sv->count--;
}

int64_t
clock_ms(void)
{
	return (1);
}

void
log_warnx(const char *fmt, ...)
{
}

__dead void
fatal(const char *fmt, ...)
{
	abort();
}

__dead void
fatalx(const char *fmt, ...)
{
	abort();
}

static void
service_begin(struct service *sv)
{
	memset(sv, 0, sizeof(*sv));
	RB_INIT(&sv->sessions);
	sv->starts_fd = queues[0];
	sv->reports_fd = queues[1];
	queue_init(sv);
	sv->settings.sessions_max = SESSIONS_MAX;
	sv->settings.generation = GENERATION;
	last_id[sv - service] = GENERATION;
	sv->syncing = 1;
}

static void
service_check(struct service *sv)
{
	struct session	*s;
	uint64_t	 sessions = 0;
	unsigned int	 unstarted = 0;

	for (s = session_next(sv, NULL); s != NULL; s = session_next(sv, s)) {
		require(s->service == sv);
		sessions++;
		if (s->pid == 0)
			unstarted++;
		else
			require(RB_FIND(sessions_by_pid, &by_pid, s) == s);
	}
	require(sessions == sv->count);
	require(unstarted == sv->unstarted);
	require(sv->count <= SESSIONS_MAX);
}

/* A client was let in. */
static void
deed_start(struct service *sv)
{
	if (sv->syncing || sv->count >= SESSIONS_MAX ||
	    sv->unstarted >= START_CREDIT)
		return;
	require(session_new(sv, ++last_id[sv - service], 0) != NULL);
	sv->count++;
}

static void
deed_report(struct service *sv, uint8_t which, uint8_t pid, uint8_t type)
{
	struct report_session	 session;
	struct report		*r = &session.report;

	memset(&session, 0, sizeof(session));
	r->type = type % 8;
	/* Before us, ours, or not yet there. */
	r->id = GENERATION - 20 + which % 64;
	r->pid = (pid_t)(pid % 16) - 2;
	if (r->type == REPORT_SYNCED)
		r->id = which % 4;
	if (r->type == REPORT_SESSION)
		report_session(sv, &session);
	else
		report_dispatch(sv, r);
}

static void
deed_reaped(uint8_t pid)
{
	struct session	*s;

	while (pid > 0 && (s = session_by_pid(pid % 16)) != NULL)
		session_end(s, 0);
}

static void
deed_sync(struct service *sv, uint8_t which)
{
	struct sync_order	order;

	order.number = sv->sync_number + 1;
	order.launchers = which % 3;
	queue_sync(sv, &order);
}

static void
deed_do(const uint8_t *d)
{
	struct service	*sv = &service[d[0] >> 3 & 1];
	struct service	*other = &service[!(d[0] >> 3 & 1)];
	uint64_t	 count = other->count;
	unsigned int	 unstarted = other->unstarted;

	switch (d[0] & 7) {
	case DEED_START:
		deed_start(sv);
		break;
	case DEED_SYNC:
		deed_sync(sv, d[1]);
		break;
	case DEED_REAPED:
		deed_reaped(d[2]);
		return;
	case DEED_SYNCED:
		deed_report(sv, (uint8_t)(sv->sync_number % 4), 0,
		    REPORT_SYNCED);
		break;
	default:
		deed_report(sv, d[1], d[2], d[3]);
		break;
	}
	require(other->count == count && other->unstarted == unstarted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_base	*base;
	struct session		*s;
	size_t			 i;
	int			 n;

	if (queues[0] == -1)
		require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, queues) == 0);
	require((base = event_init()) != NULL);
	for (n = 0; n < SERVICES; n++)
		service_begin(&service[n]);
	for (i = 0; i + 4 <= size && i < 4000; i += 4) {
		deed_do(data + i);
		for (n = 0; n < SERVICES; n++)
			service_check(&service[n]);
	}
	for (n = 0; n < SERVICES; n++)
		while ((s = session_next(&service[n], NULL)) != NULL)
			session_free(s);
	require(RB_EMPTY(&by_pid));
	for (n = 0; n < SERVICES; n++)
		event_del(&service[n].reports_ev);
	event_base_free(base);
	return (0);
}
