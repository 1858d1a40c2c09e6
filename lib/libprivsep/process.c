/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The parent's children: started by re-execution, told who they are,
 * watched, and started again when they die, ever slower, without end.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"

#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	10000
/* So long it must live to count as healthy again. */
#define HEALTHY_MS	10000
/* A child that asks without reading is heard no more until it reads. */
#define QUEUE_MAX	64

static TAILQ_HEAD(, process)	processes = TAILQ_HEAD_INITIALIZER(processes);
static uint32_t			process_number;

static const struct process_frame *frame;

int	processes_running;
int	processes_stopping;

void
process_init(const struct process_frame *f)
{
	frame = f;
}

static void
process_timer(int fd, short event, void *arg)
{
	if (!processes_stopping)
		process_start(arg);
}

struct process *
process_new(unsigned int kind, void *owner)
{
	struct process	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	p->kind = kind;
	p->owner = owner;
	p->backoff_ms = BACKOFF_MIN_MS;
	evtimer_set(&p->timer, process_timer, p);
	TAILQ_INSERT_TAIL(&processes, p, entry);
	return (p);
}

struct process *
process_by_pid(pid_t pid)
{
	struct process	*p;

	TAILQ_FOREACH(p, &processes, entry)
		if (p->pid == pid)
			return (p);
	return (NULL);
}

struct process *
process_next(struct process *p)
{
	return (p == NULL ? TAILQ_FIRST(&processes) : TAILQ_NEXT(p, entry));
}

static void
process_start_later(struct process *p)
{
	struct timeval	tv;

	tv.tv_sec = p->backoff_ms / 1000;
	tv.tv_usec = p->backoff_ms % 1000 * 1000;
	evtimer_add(&p->timer, &tv);
	p->backoff_ms *= 2;
	if (p->backoff_ms > BACKOFF_MAX_MS)
		p->backoff_ms = BACKOFF_MAX_MS;
}

/* The channel's end is the first sign of a death; SIGCHLD the last. */
static void
process_lost(struct channel *ch)
{
	struct process	*p = ch->arg;

	/* A process that we refuse to hear must not go on. */
	process_kill(p);
}

static int
process_greeted(struct process *p, struct imsg *imsg)
{
	char	why[256];

	if (privsep_hello_check(imsg, why, sizeof(why)) == -1) {
		log_warnx("%s: %s", frame->name(p), why);
		return (-1);
	}
	p->greeted = 1;
	if (frame->greeted != NULL)
		frame->greeted(p);
	return (0);
}

/* Returns -1 to end the process. */
static int
process_dispatch(struct channel *ch, struct imsg *imsg)
{
	struct process	*p = ch->arg;

	if (!p->greeted)
		return (process_greeted(p, imsg));
	if (frame->dispatch(p, imsg) == 0)
		return (0);
	log_warnx("%s: message %u not understood, ending it", frame->name(p),
	    imsg_get_type(imsg));
	return (-1);
}

static void
process_greet(struct process *p)
{
	struct privsep_hello	hello;

	frame->identity(p, &hello);
	if (channel_send(&p->ch, IMSG_PRIVSEP_HELLO, 0, -1, &hello,
	    sizeof(hello)) == -1)
		log_warn("hello to the %s", frame->name(p));
}

void
process_start(struct process *p)
{
	int	fd;

	p->ready = p->greeted = 0;
	p->started_ms = clock_ms();
	p->number = ++process_number;
	if ((p->pid = frame->exec(p, &fd)) == -1) {
		p->pid = 0;
		log_warn("unable to start the %s", frame->name(p));
		/* Who started us is told before anything was served. */
		if (processes_running)
			process_start_later(p);
		else
			frame->unable();
		return;
	}
	if (channel_init(&p->ch, fd, process_dispatch, process_lost, p) == -1) {
		log_warn("channel of the %s", frame->name(p));
		close(fd);
		process_kill(p);
		return;
	}
	p->ch.queue_max = QUEUE_MAX;
	process_greet(p);
	frame->configure(p);
}

void
process_kill(struct process *p)
{
	if (p->pid != 0)
		kill(p->pid, SIGKILL);
}

static void
process_free(struct process *p)
{
	evtimer_del(&p->timer);
	TAILQ_REMOVE(&processes, p, entry);
	free(p);
}

void
process_retire(struct process *p)
{
	p->retired = 1;
	if (p->pid == 0)
		process_free(p);
	else
		process_kill(p);
}

void
process_resign(struct process *p, uint32_t type)
{
	p->retired = 1;
	if (p->pid == 0)
		process_free(p);
	else
		(void)channel_send(&p->ch, type, 0, -1, NULL, 0);
}

void
process_replace(struct process *p)
{
	p->replaced = 1;
	process_kill(p);
}

static void
death_log(const struct process *p, int status, const char *then)
{
	if (WIFSIGNALED(status))
		log_warnx("%s %d: died of signal %d%s", frame->name(p),
		    (int)p->pid, WTERMSIG(status), then);
	else
		log_warnx("%s %d: exited with %d%s", frame->name(p),
		    (int)p->pid, WEXITSTATUS(status), then);
}

/* With any other status it has told why itself. */
static int
death_silent(int status)
{
	return (WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

void
process_ended(struct process *p, int status)
{
	int	again = (p->was_ready || processes_running) && !p->retired &&
		    !processes_stopping;

	if (again && !p->replaced)
		death_log(p, status, ", starting another");
	else if (death_silent(status) && !p->retired && !processes_stopping)
		death_log(p, status, "");
	channel_close(&p->ch);
	p->pid = 0;
	p->ready = p->greeted = 0;
	if (clock_ms() - p->started_ms >= HEALTHY_MS)
		p->backoff_ms = BACKOFF_MIN_MS;
	if (again && p->replaced)
		process_start(p);
	else if (again)
		process_start_later(p);
	p->replaced = 0;
	frame->ended(p, status);
	if (p->retired)
		process_free(p);
}
