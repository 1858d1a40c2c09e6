/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The engine: accepts clients, judges them by the rules, hands those that
 * are let in to the launchers, turns the others away, counts and logs.
 *
 * It holds the listening sockets, a copy of the rules, the writing end of
 * each service's start queue and the reading end of its report queue, a
 * channel to the resolver, the log.  It is trusted with the verdict over
 * every client and with the limits.  Strangers reach it only by their
 * address and the names others give them; it reads nothing they send.  It
 * can never open a file, exec, or connect.
 */
#include <sys/types.h>
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "sandbox.h"

TAILQ_HEAD(services, service);

struct channel		engine_parent;
struct engine_setup	engine_setup;
int64_t			engine_began_at;
const char		*engine_sandbox = "none";
static struct event	gone_timer;
static struct services	services = TAILQ_HEAD_INITIALIZER(services);

static struct service *
service_lookup(uint32_t number)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &services, entry)
		if (sv->number == number)
			return (sv);
	return (NULL);
}

static struct service *
service_find(uint32_t number)
{
	struct service	*sv;

	if ((sv = service_lookup(number)) == NULL)
		fatalx("no service %u", number);
	return (sv);
}

static void
service_free(struct service *sv)
{
	TAILQ_REMOVE(&services, sv, entry);
	listeners_close(sv);
	queue_close(sv);
	rules_forget(sv);
	evtimer_del(&sv->rules_timer);
	banner_release(sv->banner);
	free(sv);
}

struct service *
service_next(struct service *sv)
{
	return (sv == NULL ? TAILQ_FIRST(&services) : TAILQ_NEXT(sv, entry));
}

struct service *
service_named(const char *name)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &services, entry)
		if (!sv->gone && strcmp(sv->settings.name, name) == 0)
			return (sv);
	return (NULL);
}

static void
service_turn(struct service *sv)
{
	if (!sv->ready)
		return;
	rules_judge(sv);
	queue_send(sv);
	(void)elog_flush();
	listeners_update(sv);
}

/*
 * Not while one of its events may be under way; and a client of it may still
 * wait for its name.
 */
static void
services_free_gone(int fd, short event, void *arg)
{
	struct timeval	 tv = { 1, 0 };
	struct service	*sv, *next;
	int		 left = 0;

	for (sv = TAILQ_FIRST(&services); sv != NULL; sv = next) {
		next = TAILQ_NEXT(sv, entry);
		if (sv->gone && sv->count == 0)
			service_free(sv);
		else
			left |= sv->gone;
	}
	if (left)
		evtimer_add(&gone_timer, &tv);
}

void
engine_turn(struct service *sv)
{
	if (sv != NULL)
		service_turn(sv);
	else
		TAILQ_FOREACH(sv, &services, entry)
			service_turn(sv);
}

/*
 * What the parent says
 */

static struct service *
service_new(uint32_t number)
{
	struct service	*sv;

	if ((sv = calloc(1, sizeof(*sv))) == NULL)
		fatal("service");
	sv->number = number;
	sv->starts_fd = sv->reports_fd = -1;
	sv->syncing = 1;
	RB_INIT(&sv->sessions);
	stats_init(sv);
	TAILQ_INIT(&sv->listeners);
	TAILQ_INSERT_TAIL(&services, sv, entry);
	return (sv);
}

/* A service that we have changes under its sessions. */
static void
service_set(struct imsg *imsg)
{
	struct service_settings	 set;
	struct service		*sv = service_lookup(imsg_get_id(imsg));
	int			 rules;

	if (imsg_get_data(imsg, &set, sizeof(set)) == -1)
		fatalx("settings of %zu bytes", imsg_get_len(imsg));
	if (sv == NULL)
		sv = service_new(imsg_get_id(imsg));
	rules = (set.flags ^ sv->settings.flags) & SERVICE_RULES ||
	    strcmp(set.rules_path, sv->settings.rules_path) != 0;
	sv->settings = set;
	if (banner_set(sv, set.banner_len) == -1)
		fatal("banner");
	if (rules && sv->ready)
		rules_forget(sv);
}

static void
service_banner(struct service *sv, struct imsg *imsg)
{
	if (banner_add(sv, imsg) == -1)
		fatalx("banner: %zu bytes too many", imsg_get_len(imsg));
}

static void
service_listener(struct service *sv, struct imsg *imsg)
{
	struct listener_note	note;
	int			fd = imsg_get_fd(imsg);

	if (imsg_get_data(imsg, &note, sizeof(note)) == -1)
		fatal("listener of %s", sv->settings.name);
	if (fd == -1)
		fatalx("listener of %s", sv->settings.name);
	listener_add(sv, fd, &note);
}

static void
service_listener_close(struct service *sv, struct imsg *imsg)
{
	uint32_t	number;

	if (imsg_get_data(imsg, &number, sizeof(number)) == -1)
		fatal("listener of %s", sv->settings.name);
	listener_close(sv, number);
}

/* A service that runs goes over to another queue. */
static void
service_starts(struct service *sv, int fd)
{
	if (fd == -1)
		fatalx("start queue of %s", sv->settings.name);
	if (sv->ready)
		queue_renew(sv, fd);
	else
		sv->starts_fd = fd;
}

static void
service_orphan(struct service *sv, struct imsg *imsg)
{
	struct session_note	note;

	if (imsg_get_data(imsg, &note, sizeof(note)) == -1)
		fatal("orphan");
	if (session_new(sv, note.id, note.pid) != NULL)
		sv->count++;
}

static void
service_ready(struct service *sv)
{
	if (sv->starts_fd == -1 || sv->reports_fd == -1 ||
	    !banner_complete(sv))
		fatalx("%s: incomplete", sv->settings.name);
	if (sv->ready)
		return;
	rules_init(sv);
	queue_init(sv);
	sv->ready = 1;
}

/* At the start, and after each change of the configuration. */
static void
services_ready(void)
{
	static int	 told;
	struct service	*sv;

	TAILQ_FOREACH(sv, &services, entry)
		service_ready(sv);
	engine_turn(NULL);
	if (told)
		return;
	told = 1;
	if (channel_send(&engine_parent, IMSG_PARENT_READY, 0, -1, NULL,
	    0) == -1)
		fatal("ready");
}

static void
service_sync(struct service *sv, struct imsg *imsg)
{
	struct sync_order	order;

	if (imsg_get_data(imsg, &order, sizeof(order)) == -1)
		fatal("sync");
	queue_sync(sv, &order);
}

/* A program whose launcher died has ended: what it said comes first. */
static void
session_reaped(struct imsg *imsg)
{
	struct session_note	 note;
	struct session		*s;
	struct service		*sv;

	if (imsg_get_data(imsg, &note, sizeof(note)) == -1)
		fatal("reaped");
	TAILQ_FOREACH(sv, &services, entry)
		queue_read(sv, REPORTS_ALL);
	while (note.pid > 0 && (s = session_by_pid(note.pid)) != NULL)
		session_end(s, note.status);
	engine_turn(NULL);
}

/*
 * The parent knows of no process of it any more: what is left in our table
 * has no end that anybody could tell.
 */
static void
service_gone(struct service *sv)
{
	struct timeval	 tv = { 0, 0 };
	struct session	*s;

	queue_read(sv, REPORTS_ALL);
	while ((s = session_next(sv, NULL)) != NULL)
		session_end(s, 0);
	sv->gone = 1;
	evtimer_add(&gone_timer, &tv);
}

static __dead void
engine_leave(void)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &services, entry) {
		listeners_close(sv);
		rules_judge(sv);
		queue_send(sv);
	}
	(void)elog_flush();
	_exit(0);
}

static void
engine_set_up(struct imsg *imsg)
{
	if (imsg_get_data(imsg, &engine_setup, sizeof(engine_setup)) == -1)
		fatal("setup");
	log_setup();
}

static void
parent_alive(void)
{
	alive_heard();
	engine_turn(NULL);
}

static int
engine_dispatch_parent(struct channel *ch, struct imsg *imsg)
{
	uint32_t	id = imsg_get_id(imsg);

	switch (imsg_get_type(imsg)) {
	case IMSG_ENGINE_SERVICE:
		service_set(imsg);
		break;
	case IMSG_ENGINE_SERVICE_GONE:
		service_gone(service_find(id));
		break;
	case IMSG_ENGINE_BANNER:
		service_banner(service_find(id), imsg);
		break;
	case IMSG_ENGINE_LISTENER:
		service_listener(service_find(id), imsg);
		break;
	case IMSG_ENGINE_LISTENER_CLOSE:
		service_listener_close(service_find(id), imsg);
		break;
	case IMSG_ENGINE_STARTS:
		service_starts(service_find(id), imsg_get_fd(imsg));
		break;
	case IMSG_ENGINE_REPORTS:
		service_find(id)->reports_fd = imsg_get_fd(imsg);
		break;
	case IMSG_ENGINE_RESOLVER:
		lookup_resolver(imsg_get_fd(imsg), id);
		break;
	case IMSG_ENGINE_ORPHAN:
		service_orphan(service_find(id), imsg);
		break;
	case IMSG_ENGINE_CONFIGURED:
		services_ready();
		break;
	case IMSG_ENGINE_SYNC:
		service_sync(service_find(id), imsg);
		break;
	case IMSG_ENGINE_RULES:
		rules_answered(service_find(id), imsg);
		engine_turn(service_find(id));
		break;
	case IMSG_ENGINE_REAPED:
		session_reaped(imsg);
		break;
	case IMSG_ENGINE_ALIVE:
		parent_alive();
		break;
	case IMSG_ENGINE_SETUP:
		engine_set_up(imsg);
		break;
	case IMSG_ENGINE_SOCKET:
		control_socket(imsg_get_fd(imsg), id);
		break;
	case IMSG_ENGINE_CONTROL_TEXT:
		control_text(imsg);
		break;
	case IMSG_ENGINE_CONTROL_DONE:
		control_done(imsg);
		break;
	case IMSG_ENGINE_STOP:
		engine_leave();
	default:
		fatalx("message %u from the parent", imsg_get_type(imsg));
	}
	return (0);
}

/* Without its parent an engine must not hold the port. */
static void
engine_lost_parent(struct channel *ch)
{
	_exit(0);
}

/* The parent decides when we end: it closes the channel. */
static void
engine_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/*
 * Clients that wait for a look-up or a slow banner cost a descriptor each.
 * The programs' limit is another one: launchers start them.
 */
static void
engine_limits(void)
{
	struct rlimit	rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

__dead void
engine_main(void)
{
	struct privsep_hello	hello;

	log_init("tcpserver", "engine", 0);
	privsep_hello_receive(&engine_parent.ibuf, &hello);
	log_hello(&hello, "engine");
	privsep_drop(&hello);
	engine_signals();
	engine_limits();
	setproctitle("engine");
	event_init();
	engine_began_at = time(NULL);
	evtimer_set(&gone_timer, services_free_gone, NULL);
	elog_init(hello.flags & PRIVSEP_QUIET);
	if (sandbox_engine() == -1)
		fatal("sandbox");
	engine_sandbox = sandbox_backend();
	if (channel_adopt(&engine_parent, engine_dispatch_parent,
	    engine_lost_parent, NULL) == -1)
		fatal("channel");
	event_dispatch();
	fatalx("event_dispatch");
}
