/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The engine's tables of sessions: by id, one for each service, for the
 * reports; by pid for the ends that the parent finds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static struct sessions_by_pid	by_pid = RB_INITIALIZER(&by_pid);

static int
id_compare(struct session *a, struct session *b)
{
	return (a->id < b->id ? -1 : a->id > b->id);
}

/*
 * A pid alone would let the launcher of one service take another's place in
 * the table, by a lie.
 */
static int
pid_compare(struct session *a, struct session *b)
{
	if (a->pid != b->pid)
		return (a->pid < b->pid ? -1 : 1);
	if (a->service != b->service)
		return (a->service < b->service ? -1 : 1);
	return (id_compare(a, b));
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
	if (RB_INSERT(sessions_by_id, &sv->sessions, s) != NULL) {
		free(s);
		errno = EEXIST;
		return (NULL);
	}
	sv->sessions_len++;
	sv->unstarted++;
	if (pid != 0)
		session_started(s, pid);
	return (s);
}

struct session *
session_by_id(struct service *sv, uint64_t id)
{
	struct session	key;

	key.id = id;
	return (RB_FIND(sessions_by_id, &sv->sessions, &key));
}

struct session *
session_by_pid(pid_t pid)
{
	struct session	key, *s;

	key.pid = pid;
	key.service = NULL;
	key.id = 0;
	s = RB_NFIND(sessions_by_pid, &by_pid, &key);
	return (s != NULL && s->pid == pid ? s : NULL);
}

struct session *
session_next(struct service *sv, struct session *s)
{
	return (s == NULL ? RB_MIN(sessions_by_id, &sv->sessions) :
	    RB_NEXT(sessions_by_id, &sv->sessions, s));
}

struct session *
session_from(struct service *sv, uint64_t id)
{
	struct session	key;

	key.id = id;
	return (RB_NFIND(sessions_by_id, &sv->sessions, &key));
}

void
session_started(struct session *s, pid_t pid)
{
	if (s->pid != 0 || pid <= 0)
		return;
	s->pid = pid;
	s->service->unstarted--;
	RB_INSERT(sessions_by_pid, &by_pid, s);
}

void
session_free(struct session *s)
{
	RB_REMOVE(sessions_by_id, &s->service->sessions, s);
	s->service->sessions_len--;
	if (s->pid != 0)
		RB_REMOVE(sessions_by_pid, &by_pid, s);
	else
		s->service->unstarted--;
	free(s->local_name);
	free(s->remote_name);
	free(s->info);
	free(s->rule);
	free(s);
}

void
session_end(struct session *s, int status)
{
	struct service	*sv = s->service;

	tell_ended(s, status);
	session_free(s);
	service_count_down(sv);
}
