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
static struct services	services = TAILQ_HEAD_INITIALIZER(services);

static struct service *
service_find(uint32_t number)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &services, entry)
		if (sv->number == number)
			return (sv);
	fatalx("no service %u", number);
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
		if (strcmp(sv->settings.name, name) == 0)
			return (sv);
	return (NULL);
}

static void
service_turn(struct service *sv)
{
	rules_judge(sv);
	queue_send(sv);
	(void)elog_flush();
	listeners_update(sv);
}

void
engine_turn(struct service *sv)
{
	if (sv != NULL) {
		service_turn(sv);
		return;
	}
	TAILQ_FOREACH(sv, &services, entry)
		service_turn(sv);
}

/*
 * What the parent says
 */

static void
service_new(struct imsg *imsg)
{
	struct service	*sv;

	if ((sv = calloc(1, sizeof(*sv))) == NULL ||
	    imsg_get_data(imsg, &sv->settings, sizeof(sv->settings)) == -1)
		fatal("settings");
	sv->number = imsg_get_id(imsg);
	sv->starts_fd = sv->reports_fd = -1;
	sv->last_id = sv->settings.generation;
	sv->syncing = 1;
	RB_INIT(&sv->sessions);
	stats_init(sv);
	TAILQ_INSERT_TAIL(&services, sv, entry);
}

/* Comes in pieces: a banner may be longer than a message. */
static void
service_banner(struct service *sv, struct imsg *imsg)
{
	size_t	len = imsg_get_len(imsg);

	if (sv->banner == NULL &&
	    (sv->banner = malloc(sv->settings.banner_len)) == NULL)
		fatal("banner");
	if (len > sv->settings.banner_len - sv->banner_got ||
	    imsg_get_data(imsg, sv->banner + sv->banner_got, len) == -1)
		fatalx("banner: %zu bytes too many", len);
	sv->banner_got += len;
}

static void
service_listener(struct service *sv, int fd)
{
	if (fd == -1 || sv->listeners_len == SERVICE_LISTENERS_MAX)
		fatalx("listener of %s", sv->settings.name);
	sv->listeners[sv->listeners_len++].fd = fd;
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
services_ready(void)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &services, entry) {
		if (sv->starts_fd == -1 || sv->reports_fd == -1 ||
		    sv->banner_got != sv->settings.banner_len)
			fatalx("%s: incomplete", sv->settings.name);
		rules_init(sv);
		queue_init(sv);
		listeners_init(sv);
	}
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
		service_new(imsg);
		break;
	case IMSG_ENGINE_BANNER:
		service_banner(service_find(id), imsg);
		break;
	case IMSG_ENGINE_LISTENER:
		service_listener(service_find(id), imsg_get_fd(imsg));
		break;
	case IMSG_ENGINE_STARTS:
		service_find(id)->starts_fd = imsg_get_fd(imsg);
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
	elog_init(hello.flags & PRIVSEP_QUIET);
	if (sandbox_engine() == -1)
		fatal("sandbox");
	if (channel_adopt(&engine_parent, engine_dispatch_parent,
	    engine_lost_parent, NULL) == -1)
		fatal("channel");
	event_dispatch();
	fatalx("event_dispatch");
}
