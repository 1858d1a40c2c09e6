/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What operators want done by tcpserverctl(8): the engine heard it and
 * checked who asks, the parent does it and answers.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "parent.h"
#include "configure.h"

#define KILL_AFTER_S	5
#define FLAGS_STOPPED	(SERVICE_PAUSED | SERVICE_DRAINED)

static void
order_text(const char *line, void *arg)
{
	const struct control_order	*order = arg;

	log_warnx("%s", line);
	if (parent_engine() != NULL)
		(void)channel_send(parent_engine(), IMSG_ENGINE_CONTROL_TEXT,
		    order->client, -1, line, strlen(line));
}

static void
order_done(const struct control_order *order, int error)
{
	struct control_answer	answer;

	memset(&answer, 0, sizeof(answer));
	answer.error = error;
	if (parent_engine() != NULL)
		(void)channel_send(parent_engine(), IMSG_ENGINE_CONTROL_DONE,
		    order->client, -1, &answer, sizeof(answer));
}

/*
 * Ending a session
 */

/*
 * The pid is the engine's word, and we may be root: only what the kernel
 * says is a child of ours, but is no process of our own.
 */
static int
child_signal(pid_t pid, int sig)
{
	siginfo_t	si;

	if (pid <= 1 || process_by_pid(pid) != NULL ||
	    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == -1)
		return (-1);
	return (kill(pid, sig));
}

/* Its launcher is dead: it is ours to wait for, where the system lets us. */
static int
orphan_signal(const struct session_note *note, int sig)
{
	struct service	*sv;
	struct orphan	*o;

	TAILQ_FOREACH(sv, &config.services, entry)
		TAILQ_FOREACH(o, &sv->orphans, entry)
			if (o->note.id == note->id && o->note.pid == note->pid)
				return (child_signal(note->pid, sig));
	return (-1);
}

static void
orphan_timeout(int fd, short event, void *arg)
{
	struct session_note	*note = arg;

	(void)orphan_signal(note, SIGKILL);
	free(note);
}

static void
orphan_kill(const struct session_note *note)
{
	struct timeval		 tv = { KILL_AFTER_S, 0 };
	struct session_note	*copy;

	if (orphan_signal(note, SIGTERM) == -1 ||
	    (copy = malloc(sizeof(*copy))) == NULL)
		return;
	*copy = *note;
	if (event_once(-1, EV_TIMEOUT, orphan_timeout, copy, &tv) == -1)
		free(copy);
}

/* The launcher that has it ends it. */
static void
order_kill(const struct control_order *order)
{
	struct session_note	 note;
	struct service		*sv = service_find(order->service);
	struct process		*p;

	memset(&note, 0, sizeof(note));
	note.id = order->session;
	note.pid = order->pid;
	for (p = process_next(NULL); p != NULL; p = process_next(p))
		if (sv != NULL && p->owner == sv && p->ready)
			(void)channel_send(&p->ch, IMSG_LAUNCHER_KILL, 0, -1,
			    &note, sizeof(note));
	orphan_kill(&note);
	order_done(order, 0);
}

/*
 * Pausing and draining: the configuration is applied again, with the
 * services' flags as they are then.
 */

static int
order_is_about(const struct control_order *order, const struct service *sv)
{
	return (!(sv->settings.flags & SERVICE_REMOVED) &&
	    (order->service == CONTROL_ALL_SERVICES ||
	    order->service == sv->number));
}

/* How many services it is about. */
static unsigned int
flags_change(const struct control_order *order, uint32_t set)
{
	struct service	*sv;
	unsigned int	 n = 0;

	TAILQ_FOREACH(sv, &config.services, entry)
		if (order_is_about(order, sv)) {
			sv->flags_before = sv->settings.flags;
			sv->settings.flags &= ~(uint32_t)FLAGS_STOPPED;
			sv->settings.flags |= set;
			n++;
		}
	return (n);
}

static void
flags_restore(const struct control_order *order)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &config.services, entry)
		if (order_is_about(order, sv))
			sv->settings.flags = sv->flags_before;
}

static void
order_flags(const struct control_order *order, uint32_t set)
{
	struct control_order	copy = *order;
	int			error;

	if (flags_change(order, set) == 0 &&
	    order->service != CONTROL_ALL_SERVICES) {
		order_text("that service is configured no more", &copy);
		order_done(order, 1);
		return;
	}
	error = configure_again(order_text, &copy);
	if (error != 0)
		flags_restore(order);
	order_done(order, error == 0 ? 0 : 1);
}

static void
order_reload(const struct control_order *order)
{
	struct control_order	copy = *order;

	order_done(order, daemon_reload(order_text, &copy) == 0 ? 0 : 1);
}

static void
order_log(const struct control_order *order)
{
	configure_setup.log_verbose = order->value != 0;
	parent_setup_tell();
	order_done(order, 0);
}

void
order_carry_out(const struct control_order *order)
{
	if (processes_stopping)
		return;
	switch (order->deed) {
	case CONTROL_RELOAD:
		order_reload(order);
		break;
	case CONTROL_KILL:
		order_kill(order);
		break;
	case CONTROL_PAUSE:
		order_flags(order, SERVICE_PAUSED);
		break;
	case CONTROL_DRAIN:
		order_flags(order, SERVICE_DRAINED);
		break;
	case CONTROL_CONTINUE:
		order_flags(order, 0);
		break;
	case CONTROL_LOG:
		order_log(order);
		break;
	default:
		order_done(order, 1);
	}
}
