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

void
tell_refused(const struct client *c, enum outcome outcome, const char *why)
{
	classic_refused(c, outcome, why);
	stats_refused(c, outcome);
	event_refused(c, outcome);
}

/* The classic lines of a start are the child's own. */
void
tell_started(const struct session *s)
{
	stats_started(s);
	event_started(s);
}

void
tell_ended(const struct session *s, int status)
{
	if (level(s->service) == LOG_LEVEL_VERBOSE)
		elog_line("tcpserver: end %d status %d", (int)s->pid, status);
	stats_ended(s, status);
	event_ended(s, status);
}

void
tell_failed(const struct session *s, int errnum)
{
	if (level(s->service) != LOG_LEVEL_QUIET)
		elog_line("tcpserver: warning: dropping connection, "
		    "unable to fork: %s", ucspi_strerror(errnum));
	stats_failed(s, errnum);
	event_failed(s, errnum);
}
