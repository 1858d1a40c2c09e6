/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What becomes of clients and sessions, in the daemon's log: one line at the
 * end of each, as LOG in tcpserverd(8) describes it, and more or fewer by
 * the service's level.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <signal.h>
#include <string.h>
#include <syslog.h>

#include "engine.h"

/* All that a line says, in the order of the keys. */
struct facts {
	const struct service	*service;
	uint64_t		 id;
	int			 result;	/* enum control_result; -1 */
	const char		*error;
	const struct netaddr	*local;
	const struct netaddr	*remote;
	uint16_t		 local_port;
	uint16_t		 remote_port;
	const char		*local_name;
	const char		*remote_name;
	const char		*info;
	const char		*rule;
	pid_t			 pid;		/* 0: none */
	int			 status;	/* of wait(2); -1: none */
	int64_t			 wait_us;	/* -1: not known */
	int64_t			 duration_us;
};

void
log_setup(void)
{
	elog_daemon((int)engine_setup.log_facility);
}

/* Is a line of this level wanted?  log_verbose raises all. */
static int
is_wanted(const struct service *sv, enum log_level level)
{
	return (engine_setup.log_verbose || sv->settings.log_level >= level);
}

static void
address_add(struct logrecord *r, const char *key, const struct netaddr *addr)
{
	char	text[NETADDR_TEXT_SIZE];

	if (addr == NULL || addr->family == AF_UNSPEC)
		logrecord_unknown(r, key);
	else
		logrecord_text(r, key, netaddr_text(addr, text));
}

static void
number_add(struct logrecord *r, const char *key, int64_t n)
{
	if (n < 0)
		logrecord_unknown(r, key);
	else
		logrecord_number(r, key, (uint64_t)n);
}

static int
port_known(const struct netaddr *addr, uint16_t port)
{
	return (addr == NULL || addr->family == AF_UNSPEC ? -1 : port);
}

/* Either of both: what a wait status of nobody knows where says is nothing. */
static void
status_add(struct logrecord *r, int status)
{
	int	known = status != -1;

	number_add(r, "exit", known && WIFEXITED(status) ?
	    WEXITSTATUS(status) : -1);
	number_add(r, "signal", known && WIFSIGNALED(status) ?
	    WTERMSIG(status) : -1);
}

/* The words that tcpserverctl(8) and the counters have for it. */
static void
result_add(struct logrecord *r, int result)
{
	int	known = result != -1;

	logrecord_text(r, "verdict", known ? control_names[result].verdict :
	    "allowed");
	logrecord_text(r, "reason", known ? control_names[result].reason :
	    NULL);
}

static void
facts_log(const char *event, int priority, const struct facts *f)
{
	struct logrecord	r;

	logrecord_begin(&r, (int)engine_setup.log_json, event);
	logrecord_text(&r, "service", f->service->settings.name);
	logrecord_number(&r, "id", f->id);
	result_add(&r, f->result);
	logrecord_text(&r, "error", f->error);
	address_add(&r, "remote_ip", f->remote);
	number_add(&r, "remote_port", port_known(f->remote, f->remote_port));
	logrecord_text(&r, "remote_name", f->remote_name);
	logrecord_text(&r, "ident", f->info);
	address_add(&r, "local_ip", f->local);
	number_add(&r, "local_port", port_known(f->local, f->local_port));
	logrecord_text(&r, "local_name", f->local_name);
	logrecord_text(&r, "rule", f->rule);
	number_add(&r, "pid", f->pid > 0 ? f->pid : -1);
	status_add(&r, f->status);
	logrecord_ms(&r, "wait_ms", f->wait_us);
	logrecord_ms(&r, "duration_ms", f->duration_us);
	logrecord_end(&r);
	elog_record((int)f->service->settings.log_facility | priority, &r);
}

static void
facts_init(struct facts *f, const struct service *sv, uint64_t id)
{
	memset(f, 0, sizeof(*f));
	f->service = sv;
	f->id = id;
	f->result = f->status = -1;
	f->wait_us = f->duration_us = -1;
}

/*
 * Sessions
 */

/* What a launcher says of the time is believed where it can be true. */
static void
session_times(struct facts *f, const struct session *s)
{
	int64_t	now = clock_us();

	if (s->accepted_us <= 0 || s->accepted_us > now)
		return;
	f->duration_us = now - s->accepted_us;
	if (s->started_us >= s->accepted_us && s->started_us <= now)
		f->wait_us = s->started_us - s->accepted_us;
}

static void
session_facts(struct facts *f, const struct session *s)
{
	facts_init(f, s->service, s->id);
	/* What another engine let in: by which rule is not known any more. */
	if (s->id >= s->service->settings.generation)
		f->result = (int)result_started(s);
	f->local = &s->local;
	f->remote = &s->remote;
	f->local_port = s->local_port;
	f->remote_port = s->remote_port;
	f->local_name = s->local_name;
	f->remote_name = s->remote_name;
	f->info = s->info;
	f->rule = s->rule;
	f->pid = s->pid;
	session_times(f, s);
}

void
log_started(const struct session *s)
{
	struct facts	f;

	if (!is_wanted(s->service, LOG_LEVEL_VERBOSE))
		return;
	session_facts(&f, s);
	f.duration_us = -1;
	facts_log("start", LOG_INFO, &f);
}

/*
 * A crash is a failure; an exit status is between the program and its
 * client, and PIPE is how many end when that hangs up.
 */
static int
status_failed(int status)
{
	return (WIFSIGNALED(status) && WTERMSIG(status) != SIGPIPE);
}

void
log_ended(const struct session *s, int status)
{
	struct facts	f;

	if (!is_wanted(s->service, status_failed(status) ?
	    LOG_LEVEL_ERRORS : LOG_LEVEL_SESSIONS))
		return;
	session_facts(&f, s);
	f.status = status;
	facts_log("end", LOG_INFO, &f);
}

void
log_failed(const struct session *s, int errnum)
{
	struct facts	f;

	if (!is_wanted(s->service, LOG_LEVEL_ERRORS))
		return;
	session_facts(&f, s);
	f.result = (int)result_failed(errnum);
	f.error = ucspi_strerror(errnum);
	facts_log("end", LOG_WARNING, &f);
}

void
log_strange_end(const struct service *sv, const struct report *r)
{
	struct facts	f;

	if (!is_wanted(sv, LOG_LEVEL_SESSIONS))
		return;
	facts_init(&f, sv, r->id);
	f.pid = r->pid;
	f.status = r->status;
	facts_log("end", LOG_INFO, &f);
}

/*
 * Clients
 */

static void
client_facts(struct facts *f, const struct client *c)
{
	facts_init(f, c->service, c->id);
	f->local = &c->local;
	f->remote = &c->remote;
	f->local_port = c->local_port;
	f->remote_port = c->remote_port;
	f->local_name = c->local_name;
	f->remote_name = c->remote_name;
	f->info = c->info;
	f->rule = c->rule;
	f->duration_us = clock_us() - c->accepted_us;
}

void
log_refused(const struct client *c, enum outcome outcome, const char *why)
{
	int		dropped = outcome == OUTCOME_DROPPED;
	struct facts	f;

	if (!is_wanted(c->service, dropped ? LOG_LEVEL_ERRORS :
	    LOG_LEVEL_SESSIONS))
		return;
	client_facts(&f, c);
	f.result = (int)result_refused(c, outcome);
	f.error = why;
	facts_log("end", dropped ? LOG_WARNING : LOG_INFO, &f);
}

/*
 * Processes of ours
 */

void
log_nonsense(const struct service *sv, const char *what, uint64_t number)
{
	struct logrecord	r;

	logrecord_begin(&r, (int)engine_setup.log_json, "warning");
	logrecord_text(&r, "service", sv->settings.name);
	logrecord_text(&r, "process", "launcher");
	logrecord_text(&r, "error", "report not understood");
	logrecord_number(&r, what, number);
	logrecord_end(&r);
	elog_record((int)sv->settings.log_facility | LOG_WARNING, &r);
}
