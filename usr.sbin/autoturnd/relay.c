/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The relay: delivers messages to customers' servers.
 *
 * It holds connections the parent made, message descriptors the queues gave
 * it, and the log (descriptor 2).  It runs chrooted as a user of its own and
 * can't open, connect or exec.  What reaches it are the words of servers and
 * the bytes of messages, both a stranger's, and what queues say, each of
 * which is heard as far as its own runs go and no further: who talks nonsense
 * loses its channel, who does not read is not served.  The queues believe
 * what it says of their messages.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay.h"
#include "sandbox.h"

/* So long a queue may leave what it is told unread. */
#define STALL_S		60
#define SHORT_LOG_MS	60000

static TAILQ_HEAD(, relay_queue)	queues = TAILQ_HEAD_INITIALIZER(queues);
static struct channel			parent;

void
relay_short(void)
{
	static int64_t	said_ms;
	int64_t		now_ms = clock_ms();

	if (said_ms != 0 && now_ms - said_ms < SHORT_LOG_MS)
		return;
	said_ms = now_ms;
	log_warnx("out of descriptors: messages wait; raise the limit of open "
	    "files, or lower window or concurrency");
}

static struct relay_queue *
queue_find(uint32_t spool)
{
	struct relay_queue	*q;

	TAILQ_FOREACH(q, &queues, entry)
		if (q->spool == spool)
			return (q);
	return (NULL);
}

static void
queue_free(struct relay_queue *q)
{
	runs_end(q);
	evtimer_del(&q->stall);
	channel_close(&q->ch);
	TAILQ_REMOVE(&queues, q, entry);
	free(q);
}

/*
 * The channel's own code is above us when it ends: it must find the struct
 * until it has returned.
 */
static void
queue_free_later(int fd, short event, void *arg)
{
	queue_free(arg);
}

static void
queue_lost(struct channel *ch)
{
	struct relay_queue	*q = ch->arg;
	struct timeval		 now = { 0, 0 };

	runs_end(q);
	evtimer_del(&q->stall);
	evtimer_set(&q->stall, queue_free_later, q);
	evtimer_add(&q->stall, &now);
}

/* When its channel does not hear it, either. */
int
queue_crowded(struct relay_queue *q)
{
	return (imsgbuf_queuelen(&q->ch.ibuf) > RELAY_QUEUE_MAX);
}

static void
queue_stalled(int fd, short event, void *arg)
{
	struct relay_queue	*q = arg;

	log_warnx("queue of spool %u does not read: its runs end", q->spool);
	queue_free(q);
}

/* The clock runs from the first moment there is too much, until all is read. */
void
queue_told(struct relay_queue *q)
{
	struct timeval	tv = { STALL_S, 0 };

	if (q->ch.open && queue_crowded(q) && !evtimer_pending(&q->stall, NULL))
		evtimer_add(&q->stall, &tv);
}

static void
queue_drained(struct channel *ch)
{
	struct relay_queue	*q = ch->arg;

	evtimer_del(&q->stall);
	runs_resume(q);
}

static int
message_take(struct relay_queue *q, struct imsg *imsg)
{
	struct run_message	message;

	if (imsg_get_data(imsg, &message, sizeof(message)) == -1)
		return (-1);
	return (run_message(q, &message, imsg_get_fd(imsg)));
}

static int
number_take(struct relay_queue *q, struct imsg *imsg,
    void (*take)(struct relay_queue *, uint64_t))
{
	uint64_t	run;

	if (imsg_get_data(imsg, &run, sizeof(run)) == -1)
		return (-1);
	take(q, run);
	return (0);
}

static int
queue_dispatch(struct channel *ch, struct imsg *imsg)
{
	struct relay_queue	*q = ch->arg;
	int			 rv = -1;

	switch (imsg_get_type(imsg)) {
	case IMSG_RELAY_MESSAGE:
		rv = message_take(q, imsg);
		break;
	case IMSG_RELAY_FINISH:
		rv = number_take(q, imsg, run_finish);
		break;
	case IMSG_RELAY_ABORT:
		rv = number_take(q, imsg, relay_run_abort);
		break;
	}
	if (rv == -1)
		log_warnx("queue of spool %u: message %u makes no sense: its "
		    "runs end", q->spool, imsg_get_type(imsg));
	return (rv);
}

/* A new queue for a spool: what the old one left to do is not done. */
static void
queue_add(uint32_t spool, int fd)
{
	struct relay_queue	*q;

	if ((q = queue_find(spool)) != NULL)
		queue_free(q);
	if (fd == -1) {
		relay_short();
		return;
	}
	if ((q = calloc(1, sizeof(*q))) == NULL)
		fatal("queue");
	q->spool = spool;
	RB_INIT(&q->runs);
	if (channel_init(&q->ch, fd, queue_dispatch, queue_lost, q) == -1)
		fatal("channel to the queue of spool %u", spool);
	q->ch.queue_max = RELAY_QUEUE_MAX;
	q->ch.drained = queue_drained;
	evtimer_set(&q->stall, queue_stalled, q);
	TAILQ_INSERT_TAIL(&queues, q, entry);
}

/* A connection for a queue that is gone is for nobody. */
static void
run_take(struct imsg *imsg)
{
	struct run_order	 order;
	struct relay_queue	*q;
	int			 fd = imsg_get_fd(imsg);

	if (imsg_get_data(imsg, &order, sizeof(order)) == -1)
		fatal("run");
	order.helo[sizeof(order.helo) - 1] = '\0';
	order.prefix[sizeof(order.prefix) - 1] = '\0';
	order.peer[sizeof(order.peer) - 1] = '\0';
	if ((q = queue_find(order.spool)) == NULL || !q->ch.open) {
		if (fd != -1)
			close(fd);
		return;
	}
	/* The number is the queue's. */
	if (relay_run_begin(q, &order, fd) == -1) {
		log_warnx("run %llu of spool %u can't be: there is one, or "
		    "there are too many", (unsigned long long)order.run,
		    order.spool);
		if (fd != -1)
			close(fd);
	}
}

static int
relay_dispatch_parent(struct channel *ch, struct imsg *imsg)
{
	switch (imsg_get_type(imsg)) {
	case IMSG_RELAY_QUEUE:
		queue_add(imsg_get_id(imsg), imsg_get_fd(imsg));
		break;
	case IMSG_RELAY_RUN:
		run_take(imsg);
		break;
	default:
		fatalx("message %u from the parent", imsg_get_type(imsg));
	}
	return (0);
}

/* Messages that were not answered are the queues' to account for. */
static void
relay_lost_parent(struct channel *ch)
{
	_exit(0);
}

static void
relay_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

__dead void
relay_main(void)
{
	struct privsep_hello	hello;

	log_init("autoturnd", "relay", 0);
	privsep_hello_receive(&parent.ibuf, &hello);
	log_hello(&hello, "relay");
	privsep_drop(&hello);
	event_init();
	setproctitle("relay");
	relay_signals();
	if (sandbox_relay() == -1)
		fatal("sandbox");
	if (channel_adopt(&parent, relay_dispatch_parent, relay_lost_parent,
	    NULL) == -1)
		fatal("channel");
	log_ask(&parent, IMSG_PARENT_LOG_WANTED);
	if (channel_send(&parent, IMSG_PARENT_READY, 0, -1, NULL, 0) == -1)
		fatal("ready");
	event_dispatch();
	fatalx("event_dispatch");
}
