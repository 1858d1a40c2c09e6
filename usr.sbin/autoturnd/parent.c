/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * autoturnd's parent: holds the configuration, starts the processes and
 * gives each two that speak with one another a channel, anew whenever one of
 * them is new; ends everything when told to.
 *
 * It runs as root (or whoever started it) and is reached by its children's
 * messages and by signals only: it reads no mail, and nothing that a
 * customer or a client of its sockets sent.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "sandbox.h"

/* Runs end by themselves; then a queue has its books to write. */
#define STOP_QUEUES_MS	(STOP_RUNS_MS + 3000)

struct parent	parent = {
	.spools = TAILQ_HEAD_INITIALIZER(parent.spools)
};

static struct event	chld_ev, term_ev, stop_ev;
static int		exit_code;

/*
 * Children
 */

static const char *
child_role(const struct process *p)
{
	switch (p->kind) {
	case PROCESS_RELAY:
		return ("relay");
	case PROCESS_QUEUE:
		return ("queue");
	case PROCESS_MAILER:
		return ("mailer");
	}
	return ("?");
}

static const char *
child_name(const struct process *p)
{
	static char		 name[PATH_MAX + 16];
	const struct spool	*sp = p->owner;

	snprintf(name, sizeof(name), "%s%s%s", child_role(p),
	    sp == NULL ? "" : " of ", sp == NULL ? "" : sp->path);
	return (name);
}

static pid_t
child_exec(const struct process *p, int *fd)
{
	char	role[16], title[] = "autoturnd", option[] = "-P";
	char	*argv[] = { title, option, role, NULL };

	strlcpy(role, child_role(p), sizeof(role));
	return (privsep_exec(parent.exe_path, argv, fd));
}

static void
child_identity(const struct process *p, struct privsep_hello *hello)
{
	const struct spool	*sp = p->owner;

	if (sp == NULL) {
		identity_relay(hello);
		return;
	}
	*hello = sp->identity;
	if (parent.syslog) {
		hello->flags |= PRIVSEP_SYSLOG;
		hello->log_facility = (uint32_t)parent.conf->log_facility;
	}
}

static struct channel *
child_channel(struct process *p)
{
	return (p != NULL && p->ready && p->ch.open ? &p->ch : NULL);
}

struct channel *
parent_queue(struct spool *sp)
{
	return (child_channel(sp->queue));
}

struct channel *
parent_relay(void)
{
	return (child_channel(parent.relay));
}

/*
 * What they are told
 */

static void
customer_tell(struct channel *ch, const struct conf_customer *cc)
{
	const struct conf_address	*ca;
	const struct conf_domain	*cd;

	(void)channel_send(ch, IMSG_QUEUE_CUSTOMER, 0, -1, &cc->settings,
	    sizeof(cc->settings));
	TAILQ_FOREACH(ca, &cc->addresses, entry)
		(void)channel_send(ch, IMSG_QUEUE_ADDRESS, 0, -1, &ca->a,
		    sizeof(ca->a));
	TAILQ_FOREACH(cd, &cc->domains, entry)
		(void)channel_send(ch, IMSG_QUEUE_DOMAIN, 0, -1, cd->name,
		    strlen(cd->name));
}

static void
poke_tell(struct channel *ch, const struct spool *sp)
{
	int	fd;

	if (sp->poke.path == NULL)
		return;
	fd = fcntl(sp->poke.fd, F_DUPFD_CLOEXEC, 0);
	if (fd == -1 || channel_send(ch, IMSG_QUEUE_POKE, 0, fd, NULL,
	    0) == -1) {
		log_warn("socket \"%s\"", sp->poke.path);
		if (fd != -1)
			close(fd);
	}
}

static void
queue_tell(struct channel *ch, const struct spool *sp)
{
	static struct spool_settings	 settings;	/* large */
	const struct conf_customer	*cc;

	settings = sp->conf->settings;
	settings.number = sp->number;
	strlcpy(settings.state_path, sp->state_path,
	    sizeof(settings.state_path));
	(void)channel_send(ch, IMSG_QUEUE_SPOOL, 0, -1, &settings,
	    sizeof(settings));
	TAILQ_FOREACH(cc, &sp->conf->customers, entry)
		customer_tell(ch, cc);
	(void)channel_send(ch, IMSG_QUEUE_CONFIGURED, 0, -1, NULL, 0);
}

static void
mailer_tell(struct channel *ch)
{
	(void)channel_send(ch, IMSG_MAILER_SETUP, 0, -1, &parent.conf->mailer,
	    sizeof(parent.conf->mailer));
}

static void
child_configure(struct process *p)
{
	struct spool	*sp = p->owner;

	if (p->kind == PROCESS_QUEUE && sp->conf != NULL)
		queue_tell(&p->ch, sp);
	if (p->kind == PROCESS_MAILER)
		mailer_tell(&p->ch);
}

void
parent_spool_tell(struct spool *sp)
{
	if (sp->queue != NULL && sp->queue->pid != 0 && sp->queue->ch.open)
		queue_tell(&sp->queue->ch, sp);
	if (sp->mailer != NULL && sp->mailer->pid != 0 && sp->mailer->ch.open)
		mailer_tell(&sp->mailer->ch);
}

/*
 * Who speaks to whom
 */

static void
pair_send(struct process *p, uint32_t type, uint32_t id, int fd)
{
	if (channel_send(&p->ch, type, id, fd, NULL, 0) == 0)
		return;
	log_warn("channel for the %s", child_name(p));
	close(fd);
}

static void
pair_make(struct process *a, uint32_t type_a, uint32_t id, struct process *b,
    uint32_t type_b)
{
	int	sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    sv) == -1) {
		log_warn("channel for the %s", child_name(b));
		/* Without it nothing goes on: another try, ever slower. */
		process_kill(b);
		return;
	}
	pair_send(a, type_a, id, sv[0]);
	pair_send(b, type_b, 0, sv[1]);
}

static void
relay_meets_queue(struct spool *sp)
{
	if (parent_relay() != NULL && parent_queue(sp) != NULL)
		pair_make(parent.relay, IMSG_RELAY_QUEUE, sp->number,
		    sp->queue, IMSG_QUEUE_RELAY);
}

static void
mailer_meets_queue(struct spool *sp)
{
	if (child_channel(sp->mailer) != NULL && parent_queue(sp) != NULL)
		pair_make(sp->mailer, IMSG_MAILER_QUEUE, 0, sp->queue,
		    IMSG_QUEUE_MAILER);
}

static void
relay_meets_queues(void)
{
	struct spool	*sp;

	TAILQ_FOREACH(sp, &parent.spools, entry)
		relay_meets_queue(sp);
}

static void
introduce(struct process *p)
{
	switch (p->kind) {
	case PROCESS_RELAY:
		relay_meets_queues();
		break;
	case PROCESS_QUEUE:
		poke_tell(&p->ch, p->owner);
		relay_meets_queue(p->owner);
		mailer_meets_queue(p->owner);
		tcpserverd_wanted(p->owner);
		break;
	case PROCESS_MAILER:
		mailer_meets_queue(p->owner);
		break;
	}
}

/*
 * What they say
 */

static void
everything_ready(void)
{
	struct process	*p;

	if (processes_running || processes_stopping)
		return;
	for (p = process_next(NULL); p != NULL; p = process_next(p))
		if (!p->ready)
			return;
	processes_running = 1;
	callers_listen();
	parent.started();
}

static int
child_ready(struct process *p)
{
	if (p->ready)
		return (-1);
	p->ready = p->was_ready = 1;
	introduce(p);
	everything_ready();
	return (0);
}

struct reload_client {
	struct process	*queue;
	uint32_t	 id;
};

static void
reload_text(const char *line, void *arg)
{
	const struct reload_client	*rc = arg;

	log_warnx("%s", line);
	(void)channel_send(&rc->queue->ch, IMSG_QUEUE_RELOAD_TEXT, rc->id, -1,
	    line, strlen(line));
}

/* It may be told to leave by that: its client is answered all the same. */
static int
reload_wanted(struct process *p, uint32_t id)
{
	struct reload_client	 rc = { p, id };
	int32_t			 error;

	error = daemon_reload(reload_text, &rc) == 0 ? 0 : EINVAL;
	(void)channel_send(&p->ch, IMSG_QUEUE_RELOAD_DONE, id, -1, &error,
	    sizeof(error));
	return (0);
}

static int
queue_dispatch(struct process *p, struct imsg *imsg)
{
	int	empty = imsg_get_len(imsg) == 0;

	switch (imsg_get_type(imsg)) {
	case IMSG_PARENT_CONNECT:
		return (p->ready ? connect_dispatch(p->owner, imsg) : -1);
	case IMSG_PARENT_EVENTS_WANTED:
		if (!empty)
			return (-1);
		tcpserverd_wanted(p->owner);
		return (0);
	case IMSG_PARENT_RELOAD_WANTED:
		return (empty && p->ready ?
		    reload_wanted(p, imsg_get_id(imsg)) : -1);
	}
	return (-1);
}

/* Returns -1: it said what it has no business to say. */
static int
child_dispatch(struct process *p, struct imsg *imsg)
{
	int	empty = imsg_get_len(imsg) == 0;

	switch (imsg_get_type(imsg)) {
	case IMSG_PARENT_READY:
		return (empty ? child_ready(p) : -1);
	case IMSG_PARENT_LOG_WANTED:
		if (!empty || !parent.syslog)
			return (-1);
		(void)log_syslog_reopen();
		return (0);
	}
	return (p->kind == PROCESS_QUEUE ? queue_dispatch(p, imsg) : -1);
}

/*
 * Spools
 */

static struct process *
child_add(enum process_kind kind, struct spool *sp)
{
	struct process	*p;

	if ((p = process_new(kind, sp)) == NULL)
		fatal("%s", sp == NULL ? "relay" : sp->path);
	process_start(p);
	return (p);
}

/* Two queues of one spool would write in the same books. */
void
parent_spool_start(struct spool *sp)
{
	if (sp->leaving != NULL || sp->mailer != NULL)
		return;
	sp->mailer = child_add(PROCESS_MAILER, sp);
	sp->queue = child_add(PROCESS_QUEUE, sp);
}

static void
spool_free(struct spool *sp)
{
	named_forget(&sp->poke);
	TAILQ_REMOVE(&parent.spools, sp, entry);
	free(sp->path);
	free(sp);
}

/* Nothing of it runs any more. */
static void
spool_left(struct spool *sp)
{
	sp->mailer = NULL;
	if (processes_stopping)
		return;
	if (sp->conf != NULL)
		parent_spool_start(sp);
	else
		spool_free(sp);
}

static void
queue_left(struct spool *sp)
{
	struct process	*mailer = sp->mailer;
	int		 running = mailer->pid != 0;

	sp->leaving = NULL;
	evtimer_del(&sp->leave_timer);
	process_retire(mailer);
	if (!running)
		spool_left(sp);
}

static void
leave_timeout(int fd, short event, void *arg)
{
	struct spool	*sp = arg;

	log_warnx("%s: does not leave, killing it", child_name(sp->leaving));
	process_kill(sp->leaving);
}

void
parent_spool_leave(struct spool *sp)
{
	struct timeval	tv = { STOP_QUEUES_MS / 1000, 0 };
	struct process	*queue = sp->queue;
	int		 running = queue != NULL && queue->pid != 0;

	if (queue == NULL)
		return;
	tcpserverd_forget(sp);
	sp->queue = NULL;
	sp->leaving = queue;
	evtimer_set(&sp->leave_timer, leave_timeout, sp);
	evtimer_add(&sp->leave_timer, &tv);
	process_resign(queue, IMSG_QUEUE_STOP);
	if (!running)
		queue_left(sp);
	else if (!queue->was_ready)
		process_kill(queue);
}

/*
 * Deaths
 */

static void
chld_event(int sig, short event, void *arg)
{
	struct process	*p;
	pid_t		 pid;
	int		 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if ((p = process_by_pid(pid)) != NULL)
			process_ended(p, status);
}

/* What it was to do with them is left undone by it. */
static void
child_forget(struct process *p)
{
	struct spool	*sp = p->owner;

	switch (p->kind) {
	case PROCESS_RELAY:
		connects_fail(EAGAIN);
		break;
	case PROCESS_QUEUE:
		connects_cancel(sp);
		tcpserverd_forget(sp);
		break;
	}
}

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

/* First the queues, which let runs end; what they need goes after them. */
static void
stop_advance(void)
{
	if (kind_running(PROCESS_QUEUE))
		return;
	kind_kill(PROCESS_RELAY);
	kind_kill(PROCESS_MAILER);
	if (!kind_running(PROCESS_RELAY) && !kind_running(PROCESS_MAILER))
		exit(exit_code);
}

/*
 * A child that can't even start will not do better the second time: said so
 * before anything was served.  Later deaths are mended.
 */
static void
child_ended(struct process *p, int status)
{
	struct spool	*sp = p->owner;

	child_forget(p);
	if (processes_stopping)
		stop_advance();
	else if (p->retired && p->kind == PROCESS_QUEUE)
		queue_left(sp);
	else if (p->retired && p->kind == PROCESS_MAILER)
		spool_left(sp);
	else if (!p->was_ready && !processes_running)
		parent_stop(UCSPI_EXIT_TEMPORARY);
}

static void
stop_timeout(int fd, short event, void *arg)
{
	struct process	*p;

	for (p = process_next(NULL); p != NULL; p = process_next(p))
		if (p->kind == PROCESS_QUEUE && p->pid != 0)
			log_warnx("%s: does not leave, killing it",
			    child_name(p));
	kind_kill(PROCESS_QUEUE);
}

static void
queue_stop(struct process *p)
{
	if (p->ready && p->ch.open)
		(void)channel_send(&p->ch, IMSG_QUEUE_STOP, 0, -1, NULL, 0);
	else
		process_kill(p);
}

void
parent_stop(int code)
{
	struct timeval	 tv = { STOP_QUEUES_MS / 1000, 0 };
	struct process	*p;

	if (processes_stopping)
		return;
	processes_stopping = 1;
	exit_code = code;
	callers_ignore();
	for (p = process_next(NULL); p != NULL; p = process_next(p))
		if (p->kind == PROCESS_QUEUE)
			queue_stop(p);
	evtimer_add(&stop_ev, &tv);
	stop_advance();
}

static void
term_event(int sig, short event, void *arg)
{
	parent_stop(0);
}

static void
start_impossible(void)
{
	parent_stop(UCSPI_EXIT_TEMPORARY);
}

static const struct process_frame	frame = {
	.name = child_name,
	.exec = child_exec,
	.identity = child_identity,
	.configure = child_configure,
	.dispatch = child_dispatch,
	.ended = child_ended,
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

void
parent_init(void)
{
	event_init();
	process_init(&frame);
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
	struct spool	*sp;

	if (sandbox_parent() == -1)
		fatal("sandbox");
	parent.relay = child_add(PROCESS_RELAY, NULL);
	TAILQ_FOREACH(sp, &parent.spools, entry)
		parent_spool_start(sp);
	event_dispatch();
	fatalx("event_dispatch");
}
