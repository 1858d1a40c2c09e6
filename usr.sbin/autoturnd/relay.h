/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the relay's files share.
 */
#ifndef RELAY_H
#define RELAY_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include "autoturnd.h"

/* A larger message is not looked through while others wait. */
#define RELAY_MESSAGE_BYTES_MAX	((off_t)1 << 30)
/* Results and ends that wait for a queue, before its runs have to. */
#define RELAY_QUEUE_MAX		256

/*
 * A run that has told of no message for so long, and a second longer for each
 * RELAY_RATE_BYTES that its server was being sent, ends, however busy its
 * connection looks.  A variable for the tests.
 */
#define RELAY_RATE_BYTES	512
extern int64_t	relay_stall_ms;

struct relay_run;

RB_HEAD(relay_runs, relay_run);

/* A spool's queue, at the other end of its channel. */
struct relay_queue {
	TAILQ_ENTRY(relay_queue)	entry;
	struct channel			ch;
	uint32_t			spool;
	struct relay_runs		runs;
	uint32_t			running;
	struct event			stall;	/* it does not read */
};

/*
 * relay_run.c
 *
 * relay_run_begin: a connection and what is to be done with it; takes the
 * descriptor (-1: it was lost), and says IMSG_RUN_STARTED, or IMSG_RUN_END
 * why not.  0, or -1 if there is such a run, or are too many.
 * run_message, run_finish, relay_run_abort: what the queue wants of a run, by
 * its number; one that has ended is none of its mistakes.  run_message takes
 * the descriptor, -1 if it was lost on its way.  0, or -1 for what a queue
 * never asks for: then it is not ours.
 * runs_end: the queue is gone, its runs with it: connections are closed,
 * nothing is said.
 * runs_resume: it reads again.
 */
int	relay_run_begin(struct relay_queue *, const struct run_order *, int);
int	run_message(struct relay_queue *, const struct run_message *, int);
void	run_finish(struct relay_queue *, uint64_t);
void	relay_run_abort(struct relay_queue *, uint64_t);
void	runs_end(struct relay_queue *);
void	runs_resume(struct relay_queue *);

/* relay.c: what is said of a lack of descriptors, now and then only. */
void	relay_short(void);
/*
 * queue_crowded: a queue has as much to read as it may have: its runs wait.
 * queue_told: to be called after something was said to it.
 */
int	queue_crowded(struct relay_queue *);
void	queue_told(struct relay_queue *);

#endif
