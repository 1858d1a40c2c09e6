/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The two queues between engine and launchers.  Starts go out with the
 * client's socket, at most START_CREDIT of them not yet reported as
 * started; reports come back.
 *
 * A sync makes the counts exact after a death: every launcher empties the
 * start queue, then tells which sessions it has.  A start that no report
 * followed by then was most likely lost with its launcher; but the child may
 * have been made already and wait for a processor to tell its pid, so it
 * keeps its place for a moment.
 */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define STARTS_PAUSE_MS		50	/* the kernel is short of something */
#define REPORTS_PER_TURN	256
/* So many sends in a row that found others waiting: more launchers. */
#define CROWDED_SENDS		16
/* So long without a word of any start that is out: another launcher. */
#define SLOW_START_S		2
#define LOST_START_MS		1000	/* so long is its report waited for */
#define REFUSED_LOG_MS		10000	/* nonsense is told of once in that */

static void	starts_event(int, short, void *);
static void	reports_event(int, short, void *);
static void	lost_event(int, short, void *);
static void	slow_event(int, short, void *);

void
queue_init(struct service *sv)
{
	TAILQ_INIT(&sv->starting);
	event_set(&sv->reports_ev, sv->reports_fd, EV_READ | EV_PERSIST,
	    reports_event, sv);
	if (event_add(&sv->reports_ev, NULL) == -1)
		fatalx("event_add");
	event_set(&sv->starts_ev, sv->starts_fd, EV_WRITE, starts_event, sv);
	evtimer_set(&sv->starts_timer, starts_event, sv);
	evtimer_set(&sv->lost_timer, lost_event, sv);
	evtimer_set(&sv->slow_timer, slow_event, sv);
}

void
queue_renew(struct service *sv, int fd)
{
	event_del(&sv->starts_ev);
	evtimer_del(&sv->starts_timer);
	close(sv->starts_fd);
	sv->starts_fd = fd;
	sv->starts_blocked = 0;
	event_set(&sv->starts_ev, fd, EV_WRITE, starts_event, sv);
}

void
queue_close(struct service *sv)
{
	event_del(&sv->reports_ev);
	event_del(&sv->starts_ev);
	evtimer_del(&sv->starts_timer);
	evtimer_del(&sv->lost_timer);
	evtimer_del(&sv->slow_timer);
	close(sv->reports_fd);
	close(sv->starts_fd);
}

/*
 * Starts
 */

static void
starts_event(int fd, short event, void *arg)
{
	struct service	*sv = arg;

	sv->starts_blocked = 0;
	engine_turn(sv);
}

/* Full: until it is written to again.  Short of descriptors: a little. */
static void
starts_wait(struct service *sv, int errnum)
{
	struct timeval	tv = { 0, STARTS_PAUSE_MS * 1000 };

	sv->starts_blocked = 1;
	if (errnum == EAGAIN || errnum == EWOULDBLOCK)
		event_add(&sv->starts_ev, NULL);
	else
		evtimer_add(&sv->starts_timer, &tv);
}

static void
string_add(struct iovec *iov, int *n, uint32_t *len, const char *s,
    size_t size)
{
	union { const char *c; void *v; } u = { s };

	*len = (uint32_t)size;
	if (size == 0)
		return;
	iov[*n].iov_base = u.v;
	iov[*n].iov_len = size;
	(*n)++;
}

static size_t
string_size(const char *s)
{
	return (s == NULL ? 0 : strlen(s) + 1);
}

/* Lays the record and its strings out for one sendmsg(2). */
static size_t
record_fill(struct start_record *r, struct iovec *iov, int *n,
    const struct client *c)
{
	memset(r, 0, sizeof(*r));
	r->id = c->id;
	r->local = c->local;
	r->remote = c->remote;
	r->local_port = c->local_port;
	r->remote_port = c->remote_port;
	r->accepted_us = c->accepted_us;
	iov[0].iov_base = r;
	iov[0].iov_len = sizeof(*r);
	*n = 1;
	string_add(iov, n, &r->local_name_len, c->local_name,
	    string_size(c->local_name));
	string_add(iov, n, &r->remote_name_len, c->remote_name,
	    string_size(c->remote_name));
	string_add(iov, n, &r->info_len, c->info, string_size(c->info));
	string_add(iov, n, &r->variables_len, c->variables, c->variables_len);
	return (sizeof(*r) + r->local_name_len + r->remote_name_len +
	    r->info_len + r->variables_len);
}

static int
record_send(const struct client *c)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct start_record	 r;
	struct iovec		 iov[5];
	struct msghdr		 msg;
	struct cmsghdr		*cmsg;
	ssize_t			 sent;
	int			 n;

	if (record_fill(&r, iov, &n, c) > START_RECORD_MAX) {
		errno = E2BIG;
		return (-1);
	}
	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	msg.msg_iov = iov;
	msg.msg_iovlen = n;
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(c->fd));
	memcpy(CMSG_DATA(cmsg), &c->fd, sizeof(c->fd));
	do
		sent = sendmsg(c->service->starts_fd, &msg,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	return (sent == -1 ? -1 : 0);
}

/* What can pass by waiting, against what would never. */
static int
error_passes(int errnum)
{
	return (errnum == EAGAIN || errnum == EWOULDBLOCK ||
	    errnum == ENOBUFS || errnum == ENOMEM || errnum == EMFILE ||
	    errnum == ENFILE || errnum == ETOOMANYREFS);
}

static void
launcher_want(struct service *sv)
{
	(void)channel_send(&engine_parent, IMSG_PARENT_LAUNCHER_WANTED,
	    sv->number, -1, NULL, 0);
}

/* A queue that does not empty: another launcher would use another core. */
static void
starts_crowd(struct service *sv)
{
	sv->starts_crowded = sv->unstarted > 2 ? sv->starts_crowded + 1 : 0;
	if (sv->starts_crowded < CROWDED_SENDS)
		return;
	sv->starts_crowded = 0;
	launcher_want(sv);
}

static void
slow_watch(struct service *sv)
{
	struct timeval	tv = { SLOW_START_S, 0 };

	sv->slow_answered = sv->starts_answered;
	evtimer_add(&sv->slow_timer, &tv);
}

/*
 * A launcher that was stopped, or hangs in a file system: however few wait
 * for it, another one can start them.
 */
static void
slow_event(int fd, short event, void *arg)
{
	struct service	*sv = arg;

	if (sv->unstarted == 0)
		return;
	/* After a death those that it took with it are out, too. */
	if (sv->starts_answered == sv->slow_answered && !sv->syncing &&
	    !evtimer_pending(&sv->lost_timer, NULL))
		launcher_want(sv);
	slow_watch(sv);
}

/* What the log and others want to know of it later moves over. */
static void
session_fill(struct session *s, struct client *c)
{
	s->accepted_us = c->accepted_us;
	s->local = c->local;
	s->remote = c->remote;
	s->local_port = c->local_port;
	s->remote_port = c->remote_port;
	if (c->service->settings.flags & SERVICE_CLASSIC)
		return;
	s->local_name = c->local_name;
	s->remote_name = c->remote_name;
	s->info = c->info;
	s->rule = c->rule;
	c->local_name = c->remote_name = c->info = c->rule = NULL;
}

/* 0: it left or was dropped; -1: it has to wait. */
static int
client_start(struct client *c)
{
	struct service	*sv = c->service;
	struct session	*s;

	if ((s = session_new(sv, c->id, 0)) == NULL) {
		starts_wait(sv, ENOMEM);
		return (-1);
	}
	if (record_send(c) == -1) {
		session_free(s);
		if (error_passes(errno)) {
			starts_wait(sv, errno);
			return (-1);
		}
		TAILQ_REMOVE(&sv->starting, c, entry);
		client_drop(c, RESULT_DROPPED_START, "unable to start: %s",
		    ucspi_strerror(errno));
		return (0);
	}
	TAILQ_REMOVE(&sv->starting, c, entry);
	session_fill(s, c);
	client_free(c);
	starts_crowd(sv);
	if (!evtimer_pending(&sv->slow_timer, NULL))
		slow_watch(sv);
	return (0);
}

void
queue_send(struct service *sv)
{
	struct client	*c;

	/* Its status line is to be ahead of what the program prints. */
	if (TAILQ_EMPTY(&sv->starting) || elog_flush() != 0)
		return;
	while (!sv->starts_blocked && !sv->syncing &&
	    sv->unstarted < START_CREDIT &&
	    (c = TAILQ_FIRST(&sv->starting)) != NULL)
		if (client_start(c) == -1)
			break;
}

/*
 * Reports
 */

static struct session *
session_adopt(struct service *sv, uint64_t id, pid_t pid)
{
	struct session	*s;

	if ((s = session_new(sv, id, pid)) != NULL)
		sv->count++;
	return (s);
}

/*
 * After a death of ours a report may be all that we hear of a session; that
 * is so until the first sync is over, of sessions that an engine before us
 * let in, within its limit.  Whoever says so at another time lies.
 */
static int
session_adoptable(const struct service *sv, const struct report *r)
{
	return (sv->syncing && r->id < sv->settings.generation &&
	    sv->count < sv->settings.sessions_max);
}

/* Its launcher died, it lives: the parent sees its end. */
static void
session_orphaned(const struct session *s)
{
	struct session_note	note;

	memset(&note, 0, sizeof(note));
	note.id = s->id;
	note.pid = s->pid;
	(void)channel_send(&engine_parent, IMSG_PARENT_ORPHAN,
	    s->service->number, -1, &note, sizeof(note));
}

/* A launcher shares its user with programs: don't let it fill the log. */
static void
report_refuse(struct service *sv, const char *what, uint64_t number)
{
	int64_t	now = clock_ms();

	if (sv->settings.log_level == LOG_LEVEL_QUIET ||
	    (sv->refused_ms != 0 && now - sv->refused_ms < REFUSED_LOG_MS))
		return;
	sv->refused_ms = now;
	tell_nonsense(sv, what, number);
}

/* A launcher may say what it likes: what can't be is not known (0). */
static int64_t
time_heard(int64_t at_us)
{
	return (at_us > 0 && at_us <= clock_us() ? at_us : 0);
}

/* Where the start left a gap: the engine is another one than then. */
static void
session_learn(struct session *s, const struct report_session *r)
{
	if (s->accepted_us != 0)
		return;
	s->accepted_us = time_heard(r->accepted_us);
	s->started_us = time_heard(r->report.at_us);
	s->local = r->local;
	s->remote = r->remote;
	s->local_port = r->local_port;
	s->remote_port = r->remote_port;
}

static void
session_runs(struct session *s, const struct report *r)
{
	int	first = s->pid == 0;

	session_started(s, r->pid);
	if (!first || s->pid == 0)
		return;
	s->service->starts_answered++;
	s->started_us = time_heard(r->at_us);
	tell_started(s);
}

/* NULL: refused. */
static struct session *
report_running(struct service *sv, const struct report *r)
{
	struct session	*s;

	if ((s = session_by_id(sv, r->id)) == NULL && r->pid > 0 &&
	    session_adoptable(sv, r))
		s = session_adopt(sv, r->id, r->pid);
	if (s == NULL || r->pid <= 0) {
		report_refuse(sv, "session", r->id);
		return (NULL);
	}
	session_runs(s, r);
	if (r->type == REPORT_SESSION)
		s->sync = sv->sync_number;
	else if (s->lost)
		session_orphaned(s);
	s->lost = 0;
	return (s);
}

static void
report_session(struct service *sv, const struct report_session *r)
{
	struct session	*s;

	if ((s = report_running(sv, &r->report)) != NULL)
		session_learn(s, r);
}

static void
report_ended(struct service *sv, const struct report *r)
{
	struct session	*s;

	if ((s = session_by_id(sv, r->id)) != NULL) {
		session_runs(s, r);
		session_end(s, r->status);
		return;
	}
	/* It ended between an engine that died and this one. */
	if (sv->syncing && r->id < sv->settings.generation)
		tell_strange_end(sv, r);
}

/* No process came of it: the client is gone, its place is free. */
static void
start_failed(struct session *s, int errnum)
{
	struct service	*sv = s->service;

	sv->starts_answered++;
	tell_failed(s, errnum);
	session_free(s);
	service_count_down(sv);
}

static void
report_failed(struct service *sv, const struct report *r)
{
	struct session	*s;

	if ((s = session_by_id(sv, r->id)) != NULL && s->pid == 0)
		start_failed(s, r->status);
}

static void
lost_event(int fd, short event, void *arg)
{
	struct service	*sv = arg;
	struct session	*s, *next;

	queue_read(sv, REPORTS_ALL);
	for (s = session_next(sv, NULL); s != NULL; s = next) {
		next = session_next(sv, s);
		if (s->lost && s->pid == 0)
			start_failed(s, ECONNABORTED);
	}
	engine_turn(sv);
}

static void
sync_end(struct service *sv)
{
	struct timeval		 tv;
	struct session		*s;
	int			 lost = 0;

	sv->syncing = 0;
	for (s = session_next(sv, NULL); s != NULL; s = session_next(sv, s)) {
		if (s->sync == sv->sync_number)
			continue;
		if (s->pid == 0) {
			s->lost = lost = 1;
			continue;
		}
		session_orphaned(s);
	}
	if (!lost)
		return;
	tv.tv_sec = LOST_START_MS / 1000;
	tv.tv_usec = LOST_START_MS % 1000 * 1000;
	evtimer_add(&sv->lost_timer, &tv);
}

static void
report_synced(struct service *sv, const struct report *r)
{
	if (!sv->syncing || r->id != sv->sync_number)
		return;
	if (++sv->sync_answers == sv->sync_expected)
		sync_end(sv);
}

void
queue_sync(struct service *sv, const struct sync_order *order)
{
	sv->sync_number = order->number;
	sv->sync_expected = order->launchers;
	sv->sync_answers = 0;
	sv->syncing = 1;
	listeners_update(sv);
	/* Only now may the parent tell the launchers: we count answers. */
	if (channel_send(&engine_parent, IMSG_PARENT_SYNCING, sv->number, -1,
	    order, sizeof(*order)) == -1)
		fatal("sync");
	if (order->launchers > 0)
		return;
	queue_read(sv, REPORTS_ALL);
	sync_end(sv);
	engine_turn(sv);
}

static void
report_dispatch(struct service *sv, const struct report *r)
{
	switch (r->type) {
	case REPORT_STARTED:
		(void)report_running(sv, r);
		break;
	case REPORT_ENDED:
		report_ended(sv, r);
		break;
	case REPORT_FAILED:
		report_failed(sv, r);
		break;
	case REPORT_SYNCED:
		report_synced(sv, r);
		break;
	default:
		report_refuse(sv, "type", r->type);
		break;
	}
}

void
queue_read(struct service *sv, unsigned int max)
{
	union {
		struct report		report;
		struct report_session	session;
	} r;
	ssize_t		n;
	unsigned int	i;

	for (i = 0; i < max; i++) {
		n = recv(sv->reports_fd, &r, sizeof(r), MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		/* 0: nobody can report any more, the parent is dead too. */
		if (n <= 0)
			return;
		if (n == sizeof(r.session) &&
		    r.report.type == REPORT_SESSION)
			report_session(sv, &r.session);
		else if (n == sizeof(r.report))
			report_dispatch(sv, &r.report);
		else
			report_refuse(sv, "length", (uint64_t)n);
	}
}

static void
reports_event(int fd, short event, void *arg)
{
	struct service	*sv = arg;

	queue_read(sv, REPORTS_PER_TURN);
	engine_turn(sv);
}
