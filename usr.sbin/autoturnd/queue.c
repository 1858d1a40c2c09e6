/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The queue of one spool: decides which customer's mail is sent when, hands
 * messages to the relay and reports to the mailer, removes what was taken.
 *
 * It holds the spool's directory and a state directory, and runs as the
 * spool's user; it is trusted with the mail.  Strangers reach it by the
 * addresses they come from, as tcpserverd tells them, and customers by what
 * they answered, as the relay tells it; it reads no message on its way out.
 * It can never use the network, exec, or open a file elsewhere.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue.h"
#include "sandbox.h"

struct queue		queue;
const char		*queue_sandbox = "none";
static int		configured;
static struct event	stop_timer;

/*
 * What the parent says
 */

static void
spool_text_check(const char *text, size_t size)
{
	if (memchr(text, '\0', size) == NULL)
		fatalx("the spool's settings: a text without end");
}

static void
spool_take(struct imsg *imsg)
{
	struct spool_settings	set;

	if (imsg_get_data(imsg, &set, sizeof(set)) == -1)
		fatalx("spool of %zu bytes", imsg_get_len(imsg));
	spool_text_check(set.path, sizeof(set.path));
	spool_text_check(set.state_path, sizeof(set.state_path));
	spool_text_check(set.hostname, sizeof(set.hostname));
	spool_text_check(set.postmaster, sizeof(set.postmaster));
	spool_text_check(set.defaults.helo, sizeof(set.defaults.helo));
	queue.spool = set;
}

/* A changed one, later: its directories stay. */
static void
spool_change(struct imsg *imsg)
{
	struct spool_settings	old = queue.spool;

	spool_take(imsg);
	if (strcmp(old.path, queue.spool.path) != 0 ||
	    strcmp(old.state_path, queue.spool.state_path) != 0)
		fatalx("spool %s became %s", old.path, queue.spool.path);
}

static void
queue_begin(void)
{
	if (run_init() == -1)
		log_warnx("spool %s: nothing is sent until its state "
		    "directory %s can be written", queue.spool.path,
		    queue.spool.state_path);
	schedule_init();
	look_init();
	control_init();
	if (channel_send(&queue.parent, IMSG_PARENT_READY, 0, -1, NULL,
	    0) == -1)
		fatal("ready");
}

static void
queue_configured(void)
{
	customers_replace();
	if (!configured)
		queue_begin();
	else {
		schedule_settings();
		look_settings();
	}
	configured = 1;
	schedule_start();
}

static int
fd_take(struct imsg *imsg, const char *what)
{
	int	fd = imsg_get_fd(imsg);

	if (fd == -1)
		fatalx("%s: no descriptor", what);
	return (fd);
}

static void
relay_lost(struct channel *ch)
{
	run_relay_lost(ch);
	schedule_start();
}

static int
relay_dispatch(struct channel *ch, struct imsg *imsg)
{
	return (run_dispatch_relay(ch, imsg));
}

static void
relay_set(int fd)
{
	if (queue.relay.open) {
		channel_close(&queue.relay);
		run_relay_lost(&queue.relay);
	}
	if (channel_init(&queue.relay, fd, relay_dispatch, relay_lost,
	    NULL) == -1)
		fatal("channel of the relay");
	schedule_start();
}

static void
mailer_set(int fd)
{
	if (queue.mailer.open) {
		channel_close(&queue.mailer);
		return_mailer_lost(&queue.mailer);
	}
	if (channel_init(&queue.mailer, fd, return_dispatch,
	    return_mailer_lost, NULL) == -1)
		fatal("channel of the mailer");
	return_mailer_ready();
}

/*
 * The end
 */

static __dead void
queue_leave(void)
{
	(void)journal_commit();
	(void)state_save();
	_exit(0);
}

void
queue_stop_advance(void)
{
	if (queue.stopping && queue.running == 0)
		queue_leave();
}

/* What was not answered until now stands in the journal. */
static void
queue_stop_now(int fd, short event, void *arg)
{
	queue_leave();
}

static void
queue_stop(void)
{
	struct timeval	tv = { STOP_RUNS_MS / 1000,
			    STOP_RUNS_MS % 1000 * 1000 };

	if (queue.stopping)
		return;
	queue.stopping = 1;
	queue_stop_advance();
	evtimer_set(&stop_timer, queue_stop_now, NULL);
	evtimer_add(&stop_timer, &tv);
}

static int
queue_dispatch_parent(struct channel *ch, struct imsg *imsg)
{
	uint32_t	id = imsg_get_id(imsg);

	switch (imsg_get_type(imsg)) {
	case IMSG_QUEUE_SPOOL:
		spool_change(imsg);
		break;
	case IMSG_QUEUE_CUSTOMER:
	case IMSG_QUEUE_ADDRESS:
	case IMSG_QUEUE_DOMAIN:
		(void)customer_dispatch(imsg);
		break;
	case IMSG_QUEUE_CONFIGURED:
		queue_configured();
		break;
	case IMSG_QUEUE_RELAY:
		relay_set(fd_take(imsg, "relay"));
		break;
	case IMSG_QUEUE_MAILER:
		mailer_set(fd_take(imsg, "mailer"));
		break;
	case IMSG_QUEUE_EVENTS:
		events_open(imsg_get_fd(imsg));
		break;
	case IMSG_QUEUE_POKE:
		poke_open(fd_take(imsg, "pokes"));
		break;
	case IMSG_QUEUE_CONTROL:
		control_add(fd_take(imsg, "control"), id == 1);
		break;
	case IMSG_QUEUE_CONNECT_FAILED:
		(void)run_dispatch_parent(imsg);
		break;
	case IMSG_QUEUE_RELOAD_TEXT:
	case IMSG_QUEUE_RELOAD_DONE:
		(void)control_dispatch_parent(imsg);
		break;
	case IMSG_QUEUE_STOP:
		queue_stop();
		break;
	default:
		fatalx("message %u from the parent", imsg_get_type(imsg));
	}
	return (0);
}

/* Its successor's queue must find the Maildirs free. */
static void
queue_lost_parent(struct channel *ch)
{
	queue_leave();
}

/*
 * The beginning
 */

static void
queue_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* Each message on its way to the relay is a descriptor, each lock too. */
static void
queue_limits(void)
{
	struct rlimit	rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

static void
spool_receive(void)
{
	struct imsgbuf	*ibuf = &queue.parent.ibuf;
	struct imsg	 imsg;
	int		 n;

	while ((n = imsgbuf_get(ibuf, &imsg)) == 0)
		if (imsgbuf_read(ibuf) != 1)
			_exit(0);
	if (n == -1 || imsg_get_type(&imsg) != IMSG_QUEUE_SPOOL)
		fatalx("the parent's first message is no spool");
	spool_take(&imsg);
	imsg_free(&imsg);
}

static int
directory_open(const char *path)
{
	int	fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		fatal("directory %s", path);
	return (fd);
}

/* With the rights of the spool's user, in the spool: watches name it so. */
static void
directories_open(void)
{
	queue.spool_fd = directory_open(queue.spool.path);
	queue.state_fd = directory_open(queue.spool.state_path);
	if (fchdir(queue.spool_fd) == -1)
		fatal("directory %s", queue.spool.path);
}

__dead void
queue_main(void)
{
	struct privsep_hello	hello;

	log_init("autoturnd", "queue", 0);
	privsep_hello_receive(&queue.parent.ibuf, &hello);
	log_hello(&hello, "queue");
	spool_receive();
	privsep_drop(&hello);
	umask(077);
	queue_signals();
	queue_limits();
	directories_open();
	setproctitle("queue %s", queue.spool.path);
	event_init();
	RB_INIT(&queue.customers);
	(void)watch_init((int)queue.spool.watches, look_watched);
	if (sandbox_queue(queue.spool_fd, queue.spool.path, queue.state_fd,
	    queue.spool.state_path) == -1)
		fatal("sandbox");
	queue_sandbox = sandbox_backend();
	if (channel_adopt(&queue.parent, queue_dispatch_parent,
	    queue_lost_parent, NULL) == -1)
		fatal("channel");
	log_ask(&queue.parent, IMSG_PARENT_LOG_WANTED);
	event_dispatch();
	fatalx("event_dispatch");
}
