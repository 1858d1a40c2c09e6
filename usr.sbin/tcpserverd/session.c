/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The engine's table of sessions: by id for the reports, by pid for the
 * ends that the parent finds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static struct sessions_by_id	by_id = RB_INITIALIZER(&by_id);
static struct sessions_by_pid	by_pid = RB_INITIALIZER(&by_pid);

static int
id_compare(struct session *a, struct session *b)
{
	return (a->id < b->id ? -1 : a->id > b->id);
}

static int
pid_compare(struct session *a, struct session *b)
{
	return (a->pid < b->pid ? -1 : a->pid > b->pid);
}

RB_PROTOTYPE(sessions_by_id, session, by_id, id_compare)
RB_GENERATE(sessions_by_id, session, by_id, id_compare)
RB_PROTOTYPE(sessions_by_pid, session, by_pid, pid_compare)
RB_GENERATE(sessions_by_pid, session, by_pid, pid_compare)

/* Does not count: a client that becomes a session is counted already. */
struct session *
session_new(struct service *sv, uint64_t id, pid_t pid)
{
	struct session	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->service = sv;
	s->id = id;
	if (RB_INSERT(sessions_by_id, &by_id, s) != NULL) {
		free(s);
		errno = EEXIST;
		return (NULL);
	}
	sv->unstarted++;
	if (pid != 0)
		session_started(s, pid);
	return (s);
}

struct session *
session_by_id(uint64_t id)
{
	struct session	key;

	key.id = id;
	return (RB_FIND(sessions_by_id, &by_id, &key));
}

struct session *
session_by_pid(pid_t pid)
{
	struct session	key;

	key.pid = pid;
	return (RB_FIND(sessions_by_pid, &by_pid, &key));
}

/* All sessions, in the order of their ids; NULL gives the first. */
struct session *
session_next(struct session *s)
{
	return (s == NULL ? RB_MIN(sessions_by_id, &by_id) :
	    RB_NEXT(sessions_by_id, &by_id, s));
}

void
session_started(struct session *s, pid_t pid)
{
	if (s->pid != 0 || pid <= 0)
		return;
	s->pid = pid;
	s->service->unstarted--;
	if (RB_INSERT(sessions_by_pid, &by_pid, s) != NULL) {
		/* Only a launcher that lies can give a pid twice. */
		s->pid = 0;
		s->service->unstarted++;
	}
}

void
session_free(struct session *s)
{
	RB_REMOVE(sessions_by_id, &by_id, s);
	if (s->pid != 0)
		RB_REMOVE(sessions_by_pid, &by_pid, s);
	else
		s->service->unstarted--;
	free(s);
}

void
session_end(struct session *s, int status)
{
	struct service	*sv = s->service;

	if (sv->settings.log_level == LOG_LEVEL_VERBOSE)
		elog_line("tcpserver: end %d status %d", (int)s->pid, status);
	session_free(s);
	service_count_down(sv);
}
