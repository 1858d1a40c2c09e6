/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the engine shows of itself, row by row: a table of sessions may be
 * longer than anybody's buffers, and changes while it is read.
 */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control_engine.h"

int
show_begin(struct control_client *c, uint32_t what,
    const struct control_request *req)
{
	struct control_cursor	*cur = &c->cursor;

	if (req->service[0] != '\0' &&
	    asked_service(c, req->service) == NULL)
		return (errno);
	memset(cur, 0, sizeof(*cur));
	cur->what = what;
	cur->session = what == IMSG_CTL_SESSION ? req->session : 0;
	strlcpy(cur->only, req->service, sizeof(cur->only));
	return (0);
}

/* Numbers are never used again, and services are in their order. */
static struct service *
cursor_service(const struct control_cursor *cur)
{
	struct service	*sv;

	for (sv = service_next(NULL); sv != NULL; sv = service_next(sv))
		if (sv->number >= cur->service && (cur->only[0] == '\0' ||
		    strcmp(cur->only, sv->settings.name) == 0))
			return (sv);
	return (NULL);
}

/*
 * Status
 */

static void
status_services(struct control_status *st)
{
	struct service	*sv;

	for (sv = service_next(NULL); sv != NULL; sv = service_next(sv)) {
		if (!(sv->settings.flags & SERVICE_REMOVED))
			st->services++;
		st->sessions += sv->sessions_len;
	}
}

static int
status_send(struct control_client *c)
{
	struct control_status	st;

	memset(&st, 0, sizeof(st));
	st.row = ROW_STATUS;
	st.parent_pid = engine_setup.parent_pid;
	st.engine_pid = (uint32_t)getpid();
	st.log_verbose = engine_setup.log_verbose;
	st.reloads = engine_setup.reloads;
	st.now = time(NULL);
	st.started_at = engine_setup.started_at;
	st.engine_started_at = engine_began_at;
	st.loaded_at = engine_setup.loaded_at;
	st.events_lost = events_lost();
	st.event_clients = control_clients(1);
	st.control_clients = control_clients(0);
	strlcpy(st.build, privsep_build, sizeof(st.build));
	strlcpy(st.sandbox, engine_sandbox, sizeof(st.sandbox));
	memcpy(st.conf_path, engine_setup.conf_path, sizeof(st.conf_path));
	st.conf_path[sizeof(st.conf_path) - 1] = '\0';
	status_services(&st);
	return (peer_row(&c->peer, &st, sizeof(st)));
}

/*
 * Services
 */

static int
listeners_send(struct control_client *c, struct service *sv)
{
	struct control_listener	 row;
	struct sockaddr_storage	 ss;
	struct listener		*l = NULL;
	socklen_t		 len;

	while ((l = listener_next(sv, l)) != NULL) {
		memset(&row, 0, sizeof(row));
		row.row = ROW_LISTENER;
		len = sizeof(ss);
		if (getsockname(l->fd, (struct sockaddr *)&ss, &len) == 0)
			(void)netaddr_from_sockaddr(&row.addr, &row.port, &ss);
		if (peer_row(&c->peer, &row, sizeof(row)) == -1)
			return (-1);
	}
	return (0);
}

static int
service_send(struct control_client *c, struct service *sv)
{
	struct control_service	 row;
	struct listener		*l = NULL;

	memset(&row, 0, sizeof(row));
	row.row = ROW_SERVICE;
	row.flags = sv->settings.flags;
	strlcpy(row.name, sv->settings.name, sizeof(row.name));
	row.connections = sv->count;
	row.sessions = sv->sessions_len;
	row.unstarted = sv->unstarted;
	row.sessions_max = sv->settings.sessions_max;
	while ((l = listener_next(sv, l)) != NULL)
		row.listeners++;
	row.accepting = row.listeners > 0 && service_accepts(sv);
	strlcpy(row.rules_path, sv->settings.rules_path,
	    sizeof(row.rules_path));
	if (peer_row(&c->peer, &row, sizeof(row)) == -1)
		return (-1);
	return (listeners_send(c, sv));
}

static int
rules_send(struct control_client *c, struct service *sv)
{
	struct control_rules	row;
	struct stat		st;

	memset(&row, 0, sizeof(row));
	row.row = ROW_RULES;
	row.flags = sv->settings.flags;
	strlcpy(row.service, sv->settings.name, sizeof(row.service));
	row.error = sv->rules_error;
	row.held = sv->access != NULL;
	row.ask_always = sv->rules_ask_always != 0;
	row.reads = sv->rules_reads;
	row.read_at = sv->rules_read_at;
	if (sv->access != NULL && fstat(sv->rules_fd, &st) == 0) {
		row.changed_at = st.st_mtime;
		row.size = (uint64_t)st.st_size;
	}
	strlcpy(row.path, sv->settings.rules_path, sizeof(row.path));
	return (peer_row(&c->peer, &row, sizeof(row)));
}

static int
stats_send(struct control_client *c, struct service *sv)
{
	struct control_stats	row;

	memset(&row, 0, sizeof(row));
	row.row = ROW_STATS;
	row.flags = sv->settings.flags;
	strlcpy(row.service, sv->settings.name, sizeof(row.service));
	row.connections = sv->count;
	row.sessions = sv->sessions_len;
	row.sessions_max = sv->settings.sessions_max;
	row.stats = sv->stats;
	return (peer_row(&c->peer, &row, sizeof(row)));
}

static int
service_rows(struct control_client *c, struct service *sv)
{
	switch (c->cursor.what) {
	case IMSG_CTL_SERVICES:
		return (service_send(c, sv));
	case IMSG_CTL_RULES:
		return (rules_send(c, sv));
	default:
		return (stats_send(c, sv));
	}
}

static int
services_next(struct control_client *c)
{
	struct control_cursor	*cur = &c->cursor;
	struct service		*sv;

	if (cur->what == IMSG_CTL_STATS && !cur->begun) {
		cur->begun = 1;
		return (status_send(c) == -1 ? -1 : 1);
	}
	if ((sv = cursor_service(cur)) == NULL)
		return (0);
	cur->service = sv->number + 1;
	return (service_rows(c, sv) == -1 ? -1 : 1);
}

/*
 * Sessions
 */

static void
session_times(struct control_session *row, const struct session *s)
{
	row->age_us = age_us(s->accepted_us);
	if (s->accepted_us != 0)
		row->accepted_at_us = epoch_us(s->accepted_us);
	if (s->started_us != 0)
		row->started_at_us = epoch_us(s->started_us);
}

static int
session_send(struct control_client *c, const struct session *s)
{
	char			buf[sizeof(struct control_session) +
				    CONTROL_STRINGS_MAX];
	struct control_session	row;
	size_t			len = sizeof(row);

	memset(&row, 0, sizeof(row));
	row.row = ROW_SESSION;
	row.pid = s->pid;
	row.id = s->id;
	session_times(&row, s);
	strlcpy(row.service, s->service->settings.name, sizeof(row.service));
	row.local = s->local;
	row.remote = s->remote;
	row.local_port = s->local_port;
	row.remote_port = s->remote_port;
	len = row_string(buf, len, &row.local_name_len, s->local_name);
	len = row_string(buf, len, &row.remote_name_len, s->remote_name);
	len = row_string(buf, len, &row.info_len, s->info);
	len = row_string(buf, len, &row.rule_len, s->rule);
	memcpy(buf, &row, sizeof(row));
	return (peer_row(&c->peer, buf, len));
}

static int
sessions_next(struct control_client *c)
{
	struct control_cursor	*cur = &c->cursor;
	struct service		*sv;
	struct session		*s;

	while ((sv = cursor_service(cur)) != NULL) {
		if ((s = session_from(sv, cur->session)) != NULL) {
			cur->session = s->id + 1;
			return (session_send(c, s) == -1 ? -1 : 1);
		}
		cur->session = 0;
		cur->service = sv->number + 1;
	}
	return (0);
}

static int
session_one(struct control_client *c)
{
	struct control_cursor	*cur = &c->cursor;
	struct session		*s;

	if (cur->begun)
		return (0);
	cur->begun = 1;
	if ((s = asked_session(c, cur->session)) == NULL ||
	    session_send(c, s) == -1)
		return (-1);
	return (1);
}

int
show_next(struct peer *p)
{
	struct control_client	*c = (struct control_client *)p;

	switch (c->cursor.what) {
	case IMSG_CTL_STATUS:
		if (c->cursor.begun)
			return (0);
		c->cursor.begun = 1;
		return (status_send(c) == -1 ? -1 : 1);
	case IMSG_CTL_SESSIONS:
		return (sessions_next(c));
	case IMSG_CTL_SESSION:
		return (session_one(c));
	default:
		return (services_next(c));
	}
}
