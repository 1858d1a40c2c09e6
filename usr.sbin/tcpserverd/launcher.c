/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The launcher: starts the service's program for each client that the
 * engine let in, and tells how it ended.
 *
 * It holds the reading end of its service's start queue, the writing end of
 * its report queue, the log (descriptor 2), and for an instant one client's
 * socket.  It runs as the service's user, never reads from a client, has no
 * listening socket and no rules.  It shares its uid with the programs it
 * starts, so nobody trusts what it says beyond its own service.
 *
 * A session is a program that was started and not yet reaped.  It is told
 * of before it is reaped: if this process dies in between, the parent finds
 * the same end again, and the engine hears of it twice rather than never.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher.h"
#include "login.h"
#include "sandbox.h"

#define STARTS_PER_TURN		16	/* then see to what ended meanwhile */
#define KILL_AFTER_MS		5000	/* of a session that was told to end */

struct session {
	RB_ENTRY(session)	entry;
	pid_t			pid;
	int64_t			kill_ms;	/* then it is too late to leave
						 * by itself; 0: not told to */
	struct report_session	facts;
};

/* Reports that the queue would not take yet, oldest first. */
struct outgoing {
	TAILQ_ENTRY(outgoing)	entry;
	size_t			len;
	union {
		struct report		report;
		struct report_session	session;
	} u;
};

RB_HEAD(sessions, session);
TAILQ_HEAD(outgoings, outgoing);

static struct channel		parent;
static struct launcher_settings	settings;
static struct program		program;
static char			*argv_bytes, *environment_bytes;
static size_t			argv_got, environment_got;
static int			retired;	/* starts nothing any more */
static int			draining;	/* retires at the queue's end */
static struct sessions		sessions = RB_INITIALIZER(&sessions);
static struct outgoings		outgoings = TAILQ_HEAD_INITIALIZER(outgoings);
static struct event		starts_ev, reports_ev, chld_ev, kill_ev;
static int			starts_fd = -1, reports_fd = -1;

static int
session_compare(struct session *a, struct session *b)
{
	return (a->pid < b->pid ? -1 : a->pid > b->pid);
}

RB_PROTOTYPE(sessions, session, entry, session_compare)
RB_GENERATE(sessions, session, entry, session_compare)

static struct session *
session_find(pid_t pid)
{
	struct session	key;

	key.pid = pid;
	return (RB_FIND(sessions, &sessions, &key));
}

/*
 * Reports
 */

static int
report_write(const void *r, size_t len)
{
	ssize_t	n;

	do
		n = send(reports_fd, r, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return (n == (ssize_t)len ? 0 : -1);
}

static void
report_fill(struct report *r, uint32_t type, uint64_t id, pid_t pid,
    int status)
{
	memset(r, 0, sizeof(*r));
	r->type = type;
	r->launcher = settings.number;
	r->id = id;
	r->pid = pid;
	r->status = status;
	r->at_us = clock_us();
}

static void
report_queue(const void *r, size_t len)
{
	struct outgoing	*o;

	if (TAILQ_EMPTY(&outgoings) && report_write(r, len) == 0)
		return;
	if ((o = malloc(sizeof(*o))) == NULL)
		fatal("report");
	o->len = len;
	memcpy(&o->u, r, len);
	TAILQ_INSERT_TAIL(&outgoings, o, entry);
	event_add(&reports_ev, NULL);
}

static void
report_push(uint32_t type, uint64_t id, pid_t pid, int status)
{
	struct report	r;

	report_fill(&r, type, id, pid, status);
	report_queue(&r, sizeof(r));
}

static void
reports_flush(void)
{
	struct outgoing	*o;

	while ((o = TAILQ_FIRST(&outgoings)) != NULL) {
		if (report_write(&o->u, o->len) == -1) {
			event_add(&reports_ev, NULL);
			return;
		}
		TAILQ_REMOVE(&outgoings, o, entry);
		free(o);
	}
}

/*
 * Ends
 */

/* The raw wait status, as wait(2) would tell it. */
static int
status_raw(const siginfo_t *si)
{
	switch (si->si_code) {
	case CLD_EXITED:
		return ((si->si_status & 0xff) << 8);
	case CLD_DUMPED:
		return (si->si_status | 0x80);
	default:
		return (si->si_status);
	}
}

/* 0: the queue took it; -1: it will be tried again. */
static int
session_tell_end(const struct session *s, const siginfo_t *si)
{
	struct report	r;

	report_fill(&r, REPORT_ENDED, s->facts.report.id, s->pid,
	    status_raw(si));
	if (report_write(&r, sizeof(r)) == 0)
		return (0);
	event_add(&reports_ev, NULL);
	return (-1);
}

/*
 * What could not be told is not reaped: the kernel keeps it, in order, at no
 * cost of ours, and the parent finds it should we die.
 */
static void
sessions_reap(void)
{
	struct session	*s;
	siginfo_t	 si;
	int		 status;

	while (TAILQ_EMPTY(&outgoings)) {
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    si.si_pid == 0)
			return;
		if ((s = session_find(si.si_pid)) != NULL &&
		    session_tell_end(s, &si) == -1)
			return;
		if (waitpid(si.si_pid, &status, 0) == -1)
			return;
		if (s != NULL) {
			RB_REMOVE(sessions, &sessions, s);
			free(s);
		}
	}
}

static void
retired_leave(void)
{
	if (retired && RB_EMPTY(&sessions) && TAILQ_EMPTY(&outgoings))
		_exit(0);
}

static void
chld_event(int sig, short event, void *arg)
{
	sessions_reap();
	retired_leave();
}

static void
reports_event(int fd, short event, void *arg)
{
	reports_flush();
	sessions_reap();
	retired_leave();
}

/*
 * Starts
 */

/* What an engine that was started later wants to know of it. */
static void
session_remember(struct session *session, const struct start *s, pid_t pid)
{
	struct report_session	*f = &session->facts;

	session->pid = pid;
	session->kill_ms = 0;
	memset(f, 0, sizeof(*f));
	report_fill(&f->report, REPORT_SESSION, s->record->id, pid, 0);
	f->accepted_us = s->record->accepted_us;
	f->local_port = s->record->local_port;
	f->remote_port = s->record->remote_port;
	f->local = s->record->local;
	f->remote = s->record->remote;
	RB_INSERT(sessions, &sessions, session);
}

static void
session_start(const struct start *s)
{
	struct session		*session;
	struct start_note	 note;
	pid_t			 pid;

	if ((session = malloc(sizeof(*session))) == NULL) {
		report_push(REPORT_FAILED, s->record->id, 0, ENOMEM);
		return;
	}
	memset(&note, 0, sizeof(note));
	note.report.type = REPORT_STARTED;
	note.report.launcher = settings.number;
	note.report.id = s->record->id;
	/* Reports keep their order: none overtakes those that wait. */
	note.fd = TAILQ_EMPTY(&outgoings) ? reports_fd : -1;
	if ((pid = spawn_start(&program, s, &note)) == -1) {
		free(session);
		report_push(REPORT_FAILED, s->record->id, 0, errno);
		return;
	}
	if (note.report.pid == 0 || note.fd != -1)
		report_push(REPORT_STARTED, s->record->id, pid, 0);
	session_remember(session, s, pid);
}

/* Several in one message: the padding of CMSG_SPACE has room for another. */
static int
control_fd(struct cmsghdr *c, int fd)
{
	const unsigned char	*p = CMSG_DATA(c);
	const unsigned char	*end = (unsigned char *)c + c->cmsg_len;
	int			 another;

	for (; p + sizeof(another) <= end; p += sizeof(another)) {
		memcpy(&another, p, sizeof(another));
		if (fd == -1)
			fd = another;
		else
			close(another);
	}
	return (fd);
}

/* The one descriptor of a packet, or -1. */
static int
packet_fd(struct msghdr *msg)
{
	struct cmsghdr	*c;
	int		 fd = -1;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			fd = control_fd(c, fd);
	return (fd);
}

static ssize_t
packet_read(char *packet, size_t size, int *fd)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec	iov;
	struct msghdr	msg;
	ssize_t		n;

	iov.iov_base = packet;
	iov.iov_len = size;
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	do
		n = recvmsg(starts_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	*fd = n > 0 ? packet_fd(&msg) : -1;
	return (n);
}

/* What is in the queue is for those that come after us. */
static void
launcher_retire(void)
{
	if (retired || starts_fd == -1)
		return;
	retired = 1;
	event_del(&starts_ev);
	close(starts_fd);
	retired_leave();
}

/* Reads and starts one; returns 0 when the queue is empty. */
static int
start_next(void)
{
	static union {
		struct start_record	record;
		char			bytes[START_RECORD_MAX];
	} packet;
	struct start	s;
	ssize_t		n;

	n = packet_read(packet.bytes, sizeof(packet), &s.fd);
	if (n <= 0) {
		if (n == -1 && (errno == EMFILE || errno == ENFILE))
			log_warn("start queue");
		if (n == 0 && draining)
			launcher_retire();
		return (0);
	}
	if (start_parse(&s, packet.bytes, (size_t)n) == -1)
		fatal("start of %zd bytes from the engine", n);
	if (s.fd == -1)
		/* Its descriptor was lost on the way: we have too many. */
		report_push(REPORT_FAILED, s.record->id, 0, EMFILE);
	else {
		session_start(&s);
		close(s.fd);
	}
	return (1);
}

static void
starts_event(int fd, short event, void *arg)
{
	int	i;

	for (i = 0; i < STARTS_PER_TURN && start_next(); i++)
		continue;
}

static void
starts_drain(void)
{
	while (!retired && start_next())
		continue;
}

/*
 * What the parent says
 */

static void
sync_answer(uint32_t number)
{
	struct session	*s;

	starts_drain();
	RB_FOREACH(s, sessions, &sessions)
		report_queue(&s->facts, sizeof(s->facts));
	report_push(REPORT_SYNCED, number, 0, 0);
	(void)channel_send(&parent, IMSG_PARENT_SYNCED, number, -1, NULL, 0);
	sessions_reap();
}

static struct session *
session_by_id(uint64_t id)
{
	struct session	*s;

	RB_FOREACH(s, sessions, &sessions)
		if (s->facts.report.id == id)
			return (s);
	return (NULL);
}

static void
kill_timeout(int fd, short event, void *arg)
{
	struct session	*s;

	RB_FOREACH(s, sessions, &sessions)
		if (s->kill_ms != 0 && clock_ms() >= s->kill_ms)
			(void)kill(s->pid, SIGKILL);
}

/* By its unreaped pid, so that it can't be another's. */
static void
session_kill(struct imsg *imsg)
{
	struct timeval		 tv = { KILL_AFTER_MS / 1000, 10000 };
	struct session_note	 note;
	struct session		*s;

	if (imsg_get_data(imsg, &note, sizeof(note)) == -1)
		fatal("session to end");
	if ((s = session_by_id(note.id)) == NULL)
		return;
	(void)kill(s->pid, SIGTERM);
	s->kill_ms = clock_ms() + KILL_AFTER_MS;
	evtimer_del(&kill_ev);
	evtimer_add(&kill_ev, &tv);
}

static __dead void
launcher_leave(void)
{
	starts_drain();
	reports_flush();
	_exit(0);
}

static char *
bytes_new(size_t len)
{
	char	*bytes;

	if ((bytes = malloc(len + 1)) == NULL)
		fatal("settings");
	bytes[len] = '\0';
	return (bytes);
}

static void
settings_take(struct imsg *imsg)
{
	if (imsg_get_data(imsg, &settings, sizeof(settings)) == -1)
		fatal("settings");
	argv_bytes = bytes_new(settings.argv_len);
	environment_bytes = bytes_new(settings.environment_len);
	if ((program.argv = calloc(settings.argc + 1, sizeof(char *))) == NULL)
		fatal("argv");
	program.log_level = settings.log_level;
	program.classic = settings.classic != 0;
	program.settings = &settings;
	if (settings.directory[0] != '\0')
		program.directory = settings.directory;
}

/* They come in pieces: they may be longer than a message. */
static void
bytes_add(char *bytes, size_t *got, size_t size, struct imsg *imsg)
{
	size_t	len = imsg_get_len(imsg);

	if (bytes == NULL || len > size - *got ||
	    imsg_get_data(imsg, bytes + *got, len) == -1)
		fatalx("settings: %zu bytes too many", len);
	*got += len;
}

static void
rlimit_add(struct imsg *imsg)
{
	struct rlimit_note	*more;
	size_t			 n = program.rlimits_len;

	if ((more = reallocarray(program.rlimits, n + 1,
	    sizeof(*more))) == NULL ||
	    imsg_get_data(imsg, &more[n], sizeof(*more)) == -1)
		fatal("rlimit");
	program.rlimits = more;
	program.rlimits_len++;
}

static void
program_ready(void)
{
	char		*p = argv_bytes;
	uint32_t	 i;

	if (argv_bytes == NULL || argv_got != settings.argv_len ||
	    environment_got != settings.environment_len)
		fatalx("settings: incomplete");
	for (i = 0; i < settings.argc; i++, p += strlen(p) + 1)
		program.argv[i] = p;
	if (environment_init(&program, environment_bytes,
	    environment_got) == -1)
		fatal("environment");
	program.candidates = ucspi_path_candidates(program.argv[0],
	    environment_value(&program, "PATH"));
	if (program.candidates == NULL)
		fatal("path");
}

static void
launcher_ready(void)
{
	if (starts_fd == -1 || reports_fd == -1)
		fatalx("configured without its queues");
	program_ready();
	event_set(&reports_ev, reports_fd, EV_WRITE, reports_event, NULL);
	evtimer_set(&kill_ev, kill_timeout, NULL);
	event_set(&starts_ev, starts_fd, EV_READ | EV_PERSIST, starts_event,
	    NULL);
	if (event_add(&starts_ev, NULL) == -1)
		fatalx("event_add");
	if (channel_send(&parent, IMSG_PARENT_READY, 0, -1, NULL, 0) == -1)
		fatal("ready");
}

static int
launcher_dispatch_parent(struct channel *ch, struct imsg *imsg)
{
	switch (imsg_get_type(imsg)) {
	case IMSG_LAUNCHER_SERVICE:
		settings_take(imsg);
		break;
	case IMSG_LAUNCHER_ARGV:
		bytes_add(argv_bytes, &argv_got, settings.argv_len, imsg);
		break;
	case IMSG_LAUNCHER_ENVIRONMENT:
		bytes_add(environment_bytes, &environment_got,
		    settings.environment_len, imsg);
		break;
	case IMSG_LAUNCHER_RLIMIT:
		rlimit_add(imsg);
		break;
	case IMSG_LAUNCHER_RETIRE:
		launcher_retire();
		break;
	case IMSG_LAUNCHER_DRAIN:
		draining = 1;
		break;
	case IMSG_LAUNCHER_KILL:
		session_kill(imsg);
		break;
	case IMSG_LAUNCHER_STARTS:
		starts_fd = imsg_get_fd(imsg);
		break;
	case IMSG_LAUNCHER_REPORTS:
		reports_fd = imsg_get_fd(imsg);
		break;
	case IMSG_LAUNCHER_CONFIGURED:
		launcher_ready();
		break;
	case IMSG_LAUNCHER_SYNC:
		sync_answer(imsg_get_id(imsg));
		break;
	case IMSG_LAUNCHER_STOP:
		launcher_leave();
		break;
	default:
		fatalx("message %u from the parent", imsg_get_type(imsg));
	}
	return (0);
}

static void
launcher_lost_parent(struct channel *ch)
{
	if (starts_fd == -1 || reports_fd == -1)
		_exit(0);
	launcher_leave();
}

static void
launcher_signals(void)
{
	spawn_init();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal_set(&chld_ev, SIGCHLD, chld_event, NULL);
	if (signal_add(&chld_ev, NULL) == -1)
		fatalx("signal_add");
}

__dead void
launcher_main(void)
{
	struct privsep_hello	hello;

	log_init("tcpserver", "launcher", 0);
	privsep_hello_receive(&parent.ibuf, &hello);
	log_hello(&hello, "launcher");
	if (hello.login_class[0] != '\0' &&
	    login_class_apply(hello.login_class, hello.uid) == -1)
		fatal("login class %s", hello.login_class);
	privsep_drop(&hello);
	event_init();
	if (sandbox_launcher() == -1)
		fatal("sandbox");
	if (channel_adopt(&parent, launcher_dispatch_parent,
	    launcher_lost_parent, NULL) == -1)
		fatal("channel");
	launcher_signals();
	setproctitle("launcher");
	event_dispatch();
	fatalx("event_dispatch");
}
