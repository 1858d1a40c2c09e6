/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The parent: holds the configuration, the listening sockets and the queues
 * between engine and launchers; starts the processes, restarts those that
 * die, opens the rules for the engine, and ends everything when told to.
 *
 * It runs as root (or whoever started it) and is reached by its children's
 * messages and by signals only; it never reads a byte that a client sent.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "sandbox.h"

/* So long a process may take to leave before it is killed. */
#define STOP_ENGINE_MS		2000
#define STOP_LAUNCHERS_MS	5000
/* So long a launcher may take to say which sessions it has. */
#define SYNC_ANSWER_S		5

struct parent_config	config = {
	.services = TAILQ_HEAD_INITIALIZER(config.services),
	.sockets = { -1, -1, -1 }
};

static struct process	*engine;
static struct event	 chld_ev, term_ev, stop_ev;
static int		 exit_code;

/*
 * Counts made exact
 */

/* The launchers of a service, also those that retire. */
static struct process *
launcher_next(const struct service *sv, struct process *p)
{
	do
		p = process_next(p);
	while (p != NULL && (p->kind != PROCESS_LAUNCHER || p->owner != sv));
	return (p);
}

static int
service_ready(const struct service *sv)
{
	struct process	*p = NULL;

	while ((p = launcher_next(sv, p)) != NULL)
		if (!p->ready && !p->retired)
			return (0);
	return (engine->ready);
}

/*
 * After the start and after a death the engine must hear from every
 * launcher which sessions there are; it is asked first, so that it counts
 * the right answers.
 */
static void
service_sync(struct service *sv)
{
	struct sync_order	 order;
	struct process		*p = NULL;

	if (!sv->sync_needed || !service_ready(sv))
		return;
	sv->sync_needed = 0;
	order.number = ++sv->sync_number;
	order.launchers = 0;
	while ((p = launcher_next(sv, p)) != NULL)
		if (p->ready) {
			p->asked = order.number;
			order.launchers++;
		}
	(void)channel_send(&engine->ch, IMSG_ENGINE_SYNC, sv->number, -1,
	    &order, sizeof(order));
}

static void
services_sync(void)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &config.services, entry)
		service_sync(sv);
}

/*
 * A launcher that was stopped, or wedged by a program of its own user, must
 * not keep its service from accepting: its programs live on without it.
 */
static void
sync_timeout(int fd, short event, void *arg)
{
	struct service	*sv = arg;
	struct process	*p = NULL;

	while ((p = launcher_next(sv, p)) != NULL) {
		if (p->pid == 0 || !p->ready || p->asked != sv->sync_number ||
		    p->answered == sv->sync_number)
			continue;
		log_warnx("launcher %d: no answer for %d s, killing it",
		    (int)p->pid, SYNC_ANSWER_S);
		process_kill(p);
	}
}

/* A launcher that was added meanwhile is not asked: nobody waits for it. */
static int
launchers_sync(struct service *sv, struct imsg *imsg)
{
	struct timeval		 tv = { SYNC_ANSWER_S, 0 };
	struct sync_order	 order;
	struct process		*p = NULL;

	if (imsg_get_data(imsg, &order, sizeof(order)) == -1 ||
	    order.number > sv->sync_number || order.number <= sv->sync_told)
		return (-1);
	if (order.number < sv->sync_number)
		return (0);		/* another one is under way */
	sv->sync_told = order.number;
	while ((p = launcher_next(sv, p)) != NULL)
		if (p->asked == order.number)
			(void)channel_send(&p->ch, IMSG_LAUNCHER_SYNC,
			    order.number, -1, NULL, 0);
	evtimer_del(&sv->sync_timer);
	evtimer_add(&sv->sync_timer, &tv);
	return (0);
}

/*
 * Processes
 */

static void
launcher_add(struct service *sv)
{
	struct process	*p;
	long		 cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (sv->launchers_len == LAUNCHERS_MAX ||
	    (cores > 0 && sv->launchers_len >= (unsigned long)cores + 2) ||
	    (p = process_new(PROCESS_LAUNCHER, sv)) == NULL)
		return;
	sv->launchers_len++;
	process_start(p);
}

/* One at a time: the last one is to help before the next is asked for. */
static int
launcher_wanted(struct service *sv)
{
	/* What it has to start may have been taken away since. */
	if (!processes_stopping && sv->launch.argv != NULL &&
	    service_ready(sv))
		launcher_add(sv);
	return (0);
}

static void
engine_setup_tell(struct channel *ch)
{
	if (config.setup != NULL)
		(void)channel_send(ch, IMSG_ENGINE_SETUP, 0, -1, config.setup,
		    sizeof(*config.setup));
}

/* Of each, or that there is none any more. */
static void
engine_sockets_tell(struct channel *ch)
{
	int	i, fd;

	if (config.setup == NULL)
		return;
	for (i = 0; i < (int)nitems(config.sockets); i++) {
		if (config.sockets[i] == -1)
			fd = -1;
		else if ((fd = fcntl(config.sockets[i], F_DUPFD_CLOEXEC,
		    0)) == -1) {
			log_warn("control socket");
			continue;
		}
		if (channel_send(ch, IMSG_ENGINE_SOCKET, i, fd, NULL,
		    0) == -1 && fd != -1)
			close(fd);
	}
}

/*
 * Changes while we run
 */

struct channel *
parent_engine(void)
{
	return (engine != NULL && engine->pid != 0 && engine->ch.open ?
	    &engine->ch : NULL);
}

void
parent_setup_tell(void)
{
	if (parent_engine() != NULL)
		engine_setup_tell(&engine->ch);
}

void
parent_sockets_tell(void)
{
	if (parent_engine() != NULL)
		engine_sockets_tell(&engine->ch);
}

void
parent_tell_service(struct service *sv)
{
	if (parent_engine() != NULL)
		service_tell_engine(sv, &engine->ch);
}

void
parent_configured(void)
{
	if (parent_engine() != NULL)
		(void)channel_send(&engine->ch, IMSG_ENGINE_CONFIGURED, 0, -1,
		    NULL, 0);
	services_sync();
}

void
parent_service_start(struct service *sv)
{
	if (!evtimer_initialized(&sv->sync_timer))
		evtimer_set(&sv->sync_timer, sync_timeout, sv);
	if (sv->launch.argv != NULL)
		launcher_add(sv);
}

void
parent_service_retire(struct service *sv, uint32_t how)
{
	struct process	*p, *next;

	for (p = launcher_next(sv, NULL); p != NULL; p = next) {
		next = launcher_next(sv, p);
		if (!p->retired)
			process_resign(p, how);
	}
	sv->launchers_len = 0;
}

/* Its sessions are counted as long as there are any. */
void
parent_service_gone(struct service *sv)
{
	if (!(sv->settings.flags & SERVICE_REMOVED) ||
	    launcher_next(sv, NULL) != NULL || !TAILQ_EMPTY(&sv->orphans))
		return;
	if (parent_engine() != NULL)
		(void)channel_send(&engine->ch, IMSG_ENGINE_SERVICE_GONE,
		    sv->number, -1, NULL, 0);
	service_free(sv);
}

static void
services_gone(void)
{
	struct service	*sv, *next;

	for (sv = TAILQ_FIRST(&config.services); sv != NULL; sv = next) {
		next = TAILQ_NEXT(sv, entry);
		parent_service_gone(sv);
	}
}

static void
parent_configure(struct process *p)
{
	struct service	*sv;

	switch (p->kind) {
	case PROCESS_ENGINE:
		engine_setup_tell(&p->ch);
		engine_sockets_tell(&p->ch);
		TAILQ_FOREACH(sv, &config.services, entry)
			service_tell_engine(sv, &p->ch);
		(void)channel_send(&p->ch, IMSG_ENGINE_CONFIGURED, 0, -1,
		    NULL, 0);
		break;
	case PROCESS_LAUNCHER:
		service_tell_launcher(p->owner, p);
		break;
	case PROCESS_RESOLVER:
		break;
	}
}

static void
everything_ready(void)
{
	struct service	*sv;

	if (processes_running || processes_stopping)
		return;
	TAILQ_FOREACH(sv, &config.services, entry)
		if (!service_ready(sv))
			return;
	processes_running = 1;
	config.started();
}

static int
process_ready(struct process *p)
{
	if (p->ready)
		return (-1);
	p->ready = p->was_ready = 1;
	if (p->kind == PROCESS_ENGINE)
		resolver_meets_engine(engine);
	if (p->kind == PROCESS_LAUNCHER)
		service_sync(p->owner);
	else
		services_sync();
	everything_ready();
	return (0);
}

static void
process_greeted(struct process *p)
{
	if (p->kind != PROCESS_RESOLVER)
		return;
	p->ready = p->was_ready = 1;
	resolver_meets_engine(engine);
}

/* There can not be more of them than sessions. */
static int
orphan_note(struct service *sv, struct imsg *imsg)
{
	struct session_note	note;

	if (imsg_get_data(imsg, &note, sizeof(note)) == -1 || note.pid <= 1 ||
	    sv->orphans_len >= sv->sessions_high)
		return (-1);
	service_orphan_add(sv, &note);
	return (0);
}

/* The daemon may have taken them away while it asked. */
static int
rules_wanted(struct service *sv, struct channel *ch)
{
	if (!(sv->settings.flags & SERVICE_RULES) && config.setup == NULL)
		return (-1);
	if (sv->rules_text)
		(void)rules_text_recheck(sv);
	service_rules_send(sv, ch);
	return (0);
}

static int
resolver_wanted(struct imsg *imsg)
{
	uint32_t	number;

	if (imsg_get_data(imsg, &number, sizeof(number)) == -1)
		return (-1);
	resolver_useless(number);
	return (0);
}

/*
 * With the sign of life goes what has become of the files we read: a client
 * that comes to a quiet service meets what their paths lead to now.
 */
static int
alive_tell(struct channel *ch)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &config.services, entry)
		service_rules_recheck(sv, ch);
	resolver_recheck();
	(void)channel_send(ch, IMSG_ENGINE_ALIVE, 0, -1, NULL, 0);
	return (0);
}

static int
control_wanted(struct imsg *imsg)
{
	struct control_order	order;

	if (config.control == NULL ||
	    imsg_get_data(imsg, &order, sizeof(order)) == -1)
		return (-1);
	config.control(&order);
	return (0);
}

static int
log_wanted(void)
{
	if (config.log_wanted == NULL)
		return (-1);
	config.log_wanted();
	return (0);
}

/* What is about a service; it may have been removed since it was said. */
static int
engine_dispatch_service(struct process *p, struct imsg *imsg)
{
	struct service	*sv = service_find(imsg_get_id(imsg));
	uint32_t	 type = imsg_get_type(imsg);
	int		 empty = imsg_get_len(imsg) == 0;

	if (sv == NULL)
		return (service_existed(imsg_get_id(imsg)) ? 0 : -1);
	if (type == IMSG_PARENT_RULES_WANTED && empty)
		return (rules_wanted(sv, &p->ch));
	if (type == IMSG_PARENT_LAUNCHER_WANTED && empty)
		return (launcher_wanted(sv));
	if (type == IMSG_PARENT_SYNCING)
		return (launchers_sync(sv, imsg));
	if (type == IMSG_PARENT_ORPHAN)
		return (orphan_note(sv, imsg));
	return (-1);
}

static int
parent_dispatch_engine(struct process *p, struct imsg *imsg)
{
	int	empty = imsg_get_len(imsg) == 0 && imsg_get_id(imsg) == 0;

	switch (imsg_get_type(imsg)) {
	case IMSG_PARENT_READY:
		return (empty ? process_ready(p) : -1);
	case IMSG_PARENT_ALIVE_WANTED:
		return (empty ? alive_tell(&p->ch) : -1);
	case IMSG_PARENT_RESOLVER_WANTED:
		return (resolver_wanted(imsg));
	case IMSG_PARENT_CONTROL:
		return (control_wanted(imsg));
	case IMSG_PARENT_LOG_WANTED:
		return (empty ? log_wanted() : -1);
	}
	return (engine_dispatch_service(p, imsg));
}

static int
launcher_synced(struct process *p, uint32_t number)
{
	const struct service	*sv = p->owner;

	if (number > sv->sync_number)
		return (-1);
	p->answered = number;
	return (0);
}

static int
parent_dispatch_launcher(struct process *p, struct imsg *imsg)
{
	if (imsg_get_len(imsg) != 0)
		return (-1);
	switch (imsg_get_type(imsg)) {
	case IMSG_PARENT_READY:
		return (process_ready(p));
	case IMSG_PARENT_SYNCED:
		return (launcher_synced(p, imsg_get_id(imsg)));
	}
	return (-1);
}

/* The resolver speaks to those who ask it. */
static int
parent_dispatch(struct process *p, struct imsg *imsg)
{
	if (p->kind == PROCESS_ENGINE)
		return (parent_dispatch_engine(p, imsg));
	return (p->kind == PROCESS_LAUNCHER ?
	    parent_dispatch_launcher(p, imsg) : -1);
}

/*
 * Deaths
 */

static void
program_ended(pid_t pid, int status)
{
	struct session_note	note;

	service_orphan_gone(pid);
	if (engine == NULL || !engine->ready)
		return;
	memset(&note, 0, sizeof(note));
	note.pid = pid;
	note.status = status;
	(void)channel_send(&engine->ch, IMSG_ENGINE_REAPED, 0, -1, &note,
	    sizeof(note));
}

static void
chld_event(int sig, short event, void *arg)
{
	struct process	*p;
	pid_t		 pid;
	int		 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if ((p = process_by_pid(pid)) != NULL)
			process_ended(p, status);
		else
			program_ended(pid, status);
	}
	if (engine == NULL || processes_stopping)
		return;
	services_sync();
	services_gone();
}

/*
 * Stop: first the engine, so that no start comes any more, then the
 * launchers, which still start what was accepted; resolver last.
 */
static int
kind_running(enum process_kind kind)
{
	struct process	*p;

	for (p = process_next(NULL); p != NULL; p = process_next(p))
		if (p->kind == kind && p->pid != 0)
			return (1);
	return (0);
}

static void
kind_kill(enum process_kind kind)
{
	struct process	*p;

	for (p = process_next(NULL); p != NULL; p = process_next(p))
		if (p->kind == kind)
			process_kill(p);
}

static void
stop_timer(unsigned int ms)
{
	struct timeval	tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	evtimer_add(&stop_ev, &tv);
}

static void
stop_timeout(int fd, short event, void *arg)
{
	if (kind_running(PROCESS_ENGINE))
		kind_kill(PROCESS_ENGINE);
	else
		kind_kill(PROCESS_LAUNCHER);
}

static void
launchers_stop(void)
{
	struct process	*p;

	for (p = process_next(NULL); p != NULL; p = process_next(p))
		if (p->kind == PROCESS_LAUNCHER && p->pid != 0)
			(void)channel_send(&p->ch, IMSG_LAUNCHER_STOP, 0, -1,
			    NULL, 0);
	stop_timer(STOP_LAUNCHERS_MS);
}

static void
stop_advance(void)
{
	if (kind_running(PROCESS_ENGINE))
		return;
	if (processes_stopping == 1) {
		processes_stopping = 2;
		launchers_stop();
		kind_kill(PROCESS_RESOLVER);
	}
	if (!kind_running(PROCESS_LAUNCHER) &&
	    !kind_running(PROCESS_RESOLVER))
		exit(exit_code);
}

void
parent_stop(int code)
{
	struct service	*sv;

	if (processes_stopping)
		return;
	processes_stopping = 1;
	exit_code = code;
	TAILQ_FOREACH(sv, &config.services, entry)
		service_listeners_close(sv);
	if (engine != NULL && engine->pid != 0)
		(void)channel_send(&engine->ch, IMSG_ENGINE_STOP, 0, -1,
		    NULL, 0);
	stop_timer(STOP_ENGINE_MS);
	stop_advance();
}

static void
term_event(int sig, short event, void *arg)
{
	parent_stop(0);
}

/* What it knew of its sessions has to be found out anew. */
static void
sync_want(const struct process *p)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &config.services, entry)
		if (p->kind == PROCESS_ENGINE || p->owner == sv)
			sv->sync_needed = 1;
}

/* The engine waits for an answer that will not come any more. */
static int
sync_owed(const struct process *p)
{
	const struct service	*sv = p->owner;

	return (p->kind == PROCESS_LAUNCHER &&
	    p->asked == sv->sync_number && p->asked != p->answered);
}

/*
 * A child that can't even start will not do better the second time: said so
 * before anything was served.  Later deaths are mended.
 */
static void
process_mourned(struct process *p, int status)
{
	if (processes_stopping) {
		stop_advance();
		return;
	}
	/* One that retired has told of all its sessions. */
	if (!p->retired || status != 0 || sync_owed(p))
		sync_want(p);
	if (!p->was_ready && !processes_running)
		parent_stop(UCSPI_EXIT_TEMPORARY);
}

static void
start_impossible(void)
{
	parent_stop(UCSPI_EXIT_TEMPORARY);
}

static const struct process_frame	frame = {
	.name = process_name,
	.exec = process_exec,
	.identity = process_identity,
	.configure = parent_configure,
	.greeted = process_greeted,
	.dispatch = parent_dispatch,
	.ended = process_mourned,
	.unable = start_impossible
};

/* Whoever started us may have blocked what we live by. */
static void
signals_unblock(void)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int
parent_file_same(const struct stat *a, const struct stat *b)
{
	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    timespeccmp(&a->st_mtim, &b->st_mtim, ==) &&
	    timespeccmp(&a->st_ctim, &b->st_ctim, ==));
}

void
parent_init(void)
{
	event_init();
	process_init(&frame);
	reaper_init(program_ended);
	signal_set(&chld_ev, SIGCHLD, chld_event, NULL);
	signal_set(&term_ev, SIGTERM, term_event, NULL);
	evtimer_set(&stop_ev, stop_timeout, NULL);
	if (signal_add(&chld_ev, NULL) == -1 ||
	    signal_add(&term_ev, NULL) == -1)
		fatalx("signal_add");
	signal(SIGPIPE, SIG_IGN);
	signals_unblock();
}

__dead void
parent_run(void)
{
	struct service	*sv;

	if (sandbox_parent() == -1)
		fatal("sandbox");
	if ((engine = process_new(PROCESS_ENGINE, NULL)) == NULL)
		fatal("engine");
	process_start(engine);
	TAILQ_FOREACH(sv, &config.services, entry)
		parent_service_start(sv);
	resolver_run(config.resolver_wanted);
	event_dispatch();
	fatalx("event_dispatch");
}
