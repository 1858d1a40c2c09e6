/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What becomes of clients and sessions, told to the log, to the counters and
 * to who listens for events.
 */
#include <stdio.h>
#include <string.h>

#include "engine.h"

/*
 * A client that is turned away has no process.  In the log it is told apart
 * by a number above any pid of our systems.
 */
#define REFUSED_NUMBER_MIN	10000000
#define REFUSED_NUMBER_MAX	2000000000

#define STATUS_DENIED	(UCSPI_EXIT_USAGE << 8)		/* exit 100 */
#define STATUS_DROPPED	(UCSPI_EXIT_TEMPORARY << 8)	/* exit 111 */

static uint32_t	refused_number = REFUSED_NUMBER_MIN;

static uint32_t
refused_number_next(void)
{
	if (refused_number == REFUSED_NUMBER_MAX)
		refused_number = REFUSED_NUMBER_MIN;
	return (refused_number++);
}

static int
level(const struct service *sv)
{
	return ((int)sv->settings.log_level);
}

static void
deny_line(const struct client *c, uint32_t number)
{
	char		line[LOGLINE_SIZE + 64];
	struct logline	l;
	size_t		len;

	l.local = &c->local;
	l.remote = &c->remote;
	l.local_name = c->local_name;
	l.remote_name = c->remote_name;
	l.info = c->info;
	l.local_port = c->local_port;
	l.remote_port = c->remote_port;
	len = (size_t)snprintf(line, 64, "tcpserver: deny %u ", number);
	len += logline_peers(line + len, &l);
	elog_bytes(line, len);
}

static void
classic_refused(const struct client *c, enum outcome outcome,
    const char *why)
{
	const struct service	*sv = c->service;
	char			 text[NETADDR_TEXT_SIZE];
	uint32_t		 number = refused_number_next();
	int			 verbose = level(sv) == LOG_LEVEL_VERBOSE;

	if (verbose)
		elog_line("tcpserver: pid %u from %s", number,
		    netaddr_text(&c->remote, text));
	if (verbose && outcome == OUTCOME_DENIED)
		deny_line(c, number);
	if (outcome == OUTCOME_DROPPED && level(sv) != LOG_LEVEL_QUIET)
		elog_line("tcpserver: warning: dropping connection, %s", why);
	if (verbose)
		elog_line("tcpserver: end %u status %d", number,
		    outcome == OUTCOME_DENIED ? STATUS_DENIED :
		    STATUS_DROPPED);
}

static int
is_classic(const struct service *sv)
{
	return ((sv->settings.flags & SERVICE_CLASSIC) != 0);
}

void
tell_refused(const struct client *c, enum outcome outcome, const char *why)
{
	if (is_classic(c->service))
		classic_refused(c, outcome, why);
	else
		log_refused(c, outcome, why);
	stats_refused(c, outcome);
	event_refused(c, outcome);
}

/* The classic lines of a start are the child's own. */
void
tell_started(const struct session *s)
{
	if (!is_classic(s->service))
		log_started(s);
	stats_started(s);
	event_started(s);
}

static void
classic_ended(const struct service *sv, pid_t pid, int status)
{
	if (level(sv) == LOG_LEVEL_VERBOSE)
		elog_line("tcpserver: end %d status %d", (int)pid, status);
}

void
tell_ended(const struct session *s, int status)
{
	if (is_classic(s->service))
		classic_ended(s->service, s->pid, status);
	else
		log_ended(s, status);
	stats_ended(s, status);
	event_ended(s, status);
}

static void
classic_failed(const struct service *sv, int errnum)
{
	if (level(sv) != LOG_LEVEL_QUIET)
		elog_line("tcpserver: warning: dropping connection, "
		    "unable to fork: %s", ucspi_strerror(errnum));
}

void
tell_failed(const struct session *s, int errnum)
{
	if (is_classic(s->service))
		classic_failed(s->service, errnum);
	else
		log_failed(s, errnum);
	stats_failed(s, errnum);
	event_failed(s, errnum);
}

void
tell_strange_end(const struct service *sv, const struct report *r)
{
	if (is_classic(sv))
		classic_ended(sv, r->pid, r->status);
	else
		log_strange_end(sv, r);
}

void
tell_nonsense(const struct service *sv, const char *what, uint64_t number)
{
	if (is_classic(sv))
		elog_line("tcpserver: warning: launcher: report of %s %llu "
		    "not understood", what, (unsigned long long)number);
	else
		log_nonsense(sv, what, number);
}
