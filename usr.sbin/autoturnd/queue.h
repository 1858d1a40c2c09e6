/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the queue's files share.  A queue holds one spool, as its user: it
 * decides which customer's mail is sent when, reads and removes messages,
 * and keeps the books.  It never speaks to a customer.
 *
 * Triggers of every kind end in customer_trigger(): a customer has at most
 * one job, which waits for its time, then for a place, then is a run.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/tree.h>

#include <stdint.h>
#include <time.h>

#include "autoturnd.h"
#include "maildir.h"

struct run;

/* Why there is a job; of two the one further down is kept and shown. */
enum reason {
	REASON_NONE,
	REASON_SCAN,			/* it was the Maildir's turn */
	REASON_MAIL,			/* mail.autoturn, or a watch, says so */
	REASON_RETRY,			/* the last run failed */
	REASON_GAP,			/* we may have missed him */
	REASON_SESSION,			/* a session of his began or ended */
	REASON_OPERATOR,		/* autoturnctl run */
	REASON_MAX
};

/* control_names.c */
extern const char *const	reason_names[REASON_MAX];

enum job_state {
	JOB_NONE,
	JOB_WAITS,			/* until due_ms */
	JOB_READY,			/* for a place: concurrency */
	JOB_RUNS
};

/*
 * First come, first served, in each line for itself: who fails and has not
 * shown up since must not keep those waiting who are there.
 */
enum job_line {
	LINE_HERE,
	LINE_HOPE,			/* his last run failed */
	LINE_HELD,			/* until the operator lets him go */
	JOB_LINES
};

/* customer.flags */
#define CUSTOMER_IMPLICIT	0x01	/* named after his address */
#define CUSTOMER_HELD		0x02	/* by the operator */
#define CUSTOMER_GONE		0x04	/* not configured any more; forgotten
					 * once no run needs him */
#define CUSTOMER_LOCKED		0x08	/* another program has his lock */
#define CUSTOMER_AGAIN		0x10	/* triggered while he had a run */
#define CUSTOMER_MET		0x20	/* by customer.c: he is still there */
#define CUSTOMER_SETTLED	0x40	/* by look.c: the mtimes below can be
					 * relied on */
#define CUSTOMER_TROUBLE	0x80	/* by look.c: his Maildir can't be
					 * read, which was told */
#define CUSTOMER_DETACHED	0x100	/* gone, and by no name there */

/*
 * There may be tens of thousands: what is the same for many is shared, what
 * is known of single messages is not here.
 */
struct customer {
	RB_ENTRY(customer)	 by_name;
	RB_ENTRY(customer)	 by_due;	/* while JOB_WAITS */
	TAILQ_ENTRY(customer)	 ready;		/* while JOB_READY */
	char			*name;
	char			*maildir;	/* below the spool */
	char			*prefix;
	const struct delivery_settings *delivery; /* own or the spool's */
	struct customer_place	*places;	/* as configured */
	uint32_t		 flags;

	enum job_state		 job;
	enum job_line		 line;		/* while JOB_READY */
	enum reason		 reason;
	enum reason		 again;		/* with CUSTOMER_AGAIN */
	int64_t			 mail_ms;	/* REASON_MAIL, the last; 0 */
	int64_t			 due_ms;	/* monotonic */
	struct run		*run;		/* while JOB_RUNS */
	int64_t			 started_ms;	/* the last run; 0: none yet */
	int64_t			 begun_ms;	/* the last look for one */
	int64_t			 retry_ms;	/* not before, while failures */
	uint32_t		 failures;	/* runs in a row */
	struct watched		*watched;	/* look.c; NULL: not watched */

	/* as the last look found it */
	uint64_t		 waiting;	/* messages */
	uint64_t		 bytes;
	time_t			 oldest;	/* their mtime; 0: none */
	uint64_t		 quarantined;
	time_t			 looked_at;
	int64_t			 read_ms;	/* as then, monotonic */
	struct timespec		 new_mtime;	/* of new/ at that look */
	struct timespec		 cur_mtime;
	time_t			 expiry_at;	/* the next look is due since a
						 * message gets too old, or its
						 * sender is to be told; 0 */

	/* kept over restarts, state.c; times since the epoch */
	time_t			 seen_at;	/* he showed up */
	time_t			 delivered_at;
	uint64_t		 delivered;	/* messages, ever */
	uint64_t		 delivered_bytes;
	uint64_t		 returned;	/* messages sent back */
	time_t			 tried_at;
	char			*reply;		/* the last, or our own */
};

/* Whoever comes from this address is he, or mail for this domain his. */
struct customer_place {
	struct customer_place	*next;
	struct customer_address	 address;	/* AF_UNSPEC: a domain */
	char			 domain[];
};

RB_HEAD(customers, customer);
TAILQ_HEAD(customer_list, customer);

struct queue {
	struct spool_settings	 spool;
	struct customers	 customers;
	int			 spool_fd;	/* its directory */
	int			 state_fd;	/* ours */
	struct channel		 parent;
	struct channel		 relay;		/* .open: there is one */
	struct channel		 mailer;
	uint32_t		 running;	/* runs */
	int			 paused;	/* all of it, by the operator */
	int			 stopping;
	/* counters for metrics, since the start */
	uint64_t		 triggers[REASON_MAX];
	uint64_t		 strangers;	/* triggers by nobody's */
	uint64_t		 runs_ok;
	uint64_t		 runs_failed;
	uint64_t		 accepted;	/* messages */
	uint64_t		 accepted_bytes;
	uint64_t		 deferred;
	uint64_t		 refused;
	uint64_t		 expired;
	uint64_t		 returned;	/* reports that were taken */
	uint64_t		 warned;	/* delay notices */
	uint64_t		 quarantined;
	uint64_t		 repeated;	/* sent once already */
};

extern struct queue	queue;

/*
 * queue.c: main, what the parent says, the end.  queue_sandbox: what is in
 * force, as sandbox_backend() says it.
 */

extern const char	*queue_sandbox;

void		 queue_stop_advance(void);	/* a run has ended: may we? */

/*
 * customer.c: who there is.
 * customer_find: by name; customer_find_address: who comes from there, the
 * longest prefix; customer_find_domain; customer_find_maildir: whose it is.
 * NULL: nobody.  customer_next: in the order of names, NULL for the first;
 * customer_after: the first with a name after this one.
 * customer_came: somebody connected from this address: a trigger for who it
 * is; 0, or -1: nobody of ours.  Two can be meant: a customer with this very
 * address and a directory named after it, where older mail may wait.
 * customers_replace: the configuration that was just told; those who were
 * known keep what is known of them.
 * customers_look: directories of the spool that were made or removed, where
 * addresses are customers.  customer_look_for: one of that name, which may
 * be anything, and may just have been made: NULL, or the customer.
 * customer_forget: schedule.c's: one who is gone has no run any more.
 */
struct customer	*customer_find(const char *);
struct customer	*customer_find_address(const struct netaddr *);
struct customer	*customer_find_domain(const char *);
struct customer	*customer_find_maildir(const char *);
struct customer	*customer_next(struct customer *);
struct customer	*customer_after(const char *);
int		 customer_came(const struct netaddr *);
void		 customers_replace(void);
void		 customers_look(void);
struct customer	*customer_look_for(const char *);
void		 customer_forget(struct customer *);
int		 customer_dispatch(struct imsg *);	/* IMSG_QUEUE_CUSTOMER,
							 * ADDRESS, DOMAIN */

/*
 * schedule.c: when.  Its clock is clock_ms() alone: time(3) may jump.
 * customer_trigger: there is a reason to look at him and send what waits, as
 * soon as interval and retry let it: a reason from REASON_GAP on does not
 * wait for a retry, REASON_OPERATOR for nothing.  During a run exactly one
 * more look follows it.
 * customer_run_ended: by run.c, which has freed the run.  failed: he could
 * not be reached, or refused to talk, or something is left for a later try.
 * more: messages_max was met, others wait: to the end of the line.
 * customer_due: when his job is due as time(3), 0: no job; for the eyes.
 * customer_unschedule: he has no job any more; not during a run.
 * schedule_start: fills free places; called by the loop after each of these;
 * begins nothing while there is no relay.
 * schedule_settings: retry times may be shorter now.
 * schedule_ready: how many wait for a place.
 * schedule_tick: those whose time has come, at this time, are ready;
 * schedule_next: when that is to be called next, -1: no time.
 */
#define MAIL_DELAY_MS	1000		/* new mail seldom comes alone */
#define BEGIN_GAP_MS	1000		/* between two looks for a run */

void		 customer_trigger(struct customer *, enum reason);
void		 customer_run_ended(struct customer *, int, int);
void		 customer_hold(struct customer *, int);
time_t		 customer_due(const struct customer *);
void		 customer_unschedule(struct customer *);
void		 schedule_pause(int);
void		 schedule_start(void);
void		 schedule_init(void);
void		 schedule_settings(void);
uint32_t	 schedule_ready(void);
void		 schedule_tick(int64_t);
int64_t		 schedule_next(void);

/*
 * look.c: what waits.  customer_look counts and finds out what has expired,
 * without a message being opened unless one has; returns 1 if something waits
 * that a run could send.  The rotating scan, watch_SYSTEM.c and poke.c call it
 * or customer_trigger().
 * look_all: everybody is looked at in the next seconds, and triggered by this
 * reason if something waits.
 * look_seen: he showed up: his Maildir is one of those worth watching.
 * look_forget: he is about to be freed, or has another Maildir.
 * look_init: the rotating scan and the watches begin; after the sandbox.
 * look_settings: the spool's settings have changed.
 * look_watched: for watch_init(): something came to him.
 * look_tick: what is to be looked at by this time; look_next: when to call it
 * again; both for the clock's owner.
 */
int		 customer_look(struct customer *);
void		 look_all(enum reason);
void		 look_seen(struct customer *);
void		 look_forget(struct customer *);
void		 look_init(void);
void		 look_settings(void);
void		 look_watched(const char *);
void		 look_tick(int64_t);
int64_t		 look_next(void);

/*
 * events.c: tcpserverd's events, from a socket that is connected to it; a
 * connection that was there is closed.  events_connected: there is one.
 * poke.c: mail.autoturn's datagrams, see poke.h.
 */
void		 events_open(int);
int		 events_connected(void);
void		 poke_open(int);

/*
 * watch_SYSTEM.c: a change in the Maildir's new/ calls the function with his
 * name.  watch_init, before the sandbox, returns how many at most can be
 * watched (the smaller of what is wanted and what the system gives), 0 where
 * there are none; a second call is for another number that is wanted.
 * watch_add: by name and Maildir, below the current directory: 0, or -1 with
 * errno.  watch_remove is harmless without one.  watch_holds: there is still
 * one; it ends with the directory.
 */
int		 watch_init(int, void (*)(const char *));
int		 watch_add(const char *, const char *);
void		 watch_remove(const char *);
int		 watch_holds(const char *);

/*
 * run.c: one run of one customer, from his lock to its end: connection,
 * messages within the window, results, another look until dry, QUIT.
 * run_init: opens journal and state, settles what the last life left; once,
 * before the first run, the customers being known.  0, or -1: state_fd can't
 * be written, which is logged; it is tried again by itself.
 * run_begin: 0, or -1 if there is none to be (nothing waits, his lock is
 * another's: flags say so), and then customer_run_ended is not called; else
 * it is called exactly once, from the loop, never from within run_begin.
 * There must be a relay.  run.c counts queue.running, sets customer.run,
 * tried_at and reply; with queue.stopping or queue.paused, and while he is
 * held, a run sends no more and ends as soon as all is answered.
 * run_expire: without a connection: what is too old goes back, whose sender
 * is to be told of a delay is told; for look.c, when expiry_at has come.  0,
 * -1: his lock is another's.  Does nothing during a run, which does it too.
 * run_abort: operator or configuration want its end now.
 */
struct run_facts {
	uint64_t	 number;
	const char	*doing;		/* "connects", "sends", ... static */
	int64_t		 started_ms;
	uint32_t	 open;		/* sent and not answered */
	uint64_t	 accepted;
	uint64_t	 accepted_bytes;
	uint64_t	 deferred;
	uint64_t	 refused;
};

int		 run_init(void);
int		 run_begin(struct customer *);
int		 run_expire(struct customer *);
void		 run_abort(struct run *);
void		 run_show(const struct run *, struct run_facts *);
int		 run_dispatch_parent(struct imsg *);	/* CONNECT_FAILED */
int		 run_dispatch_relay(struct channel *, struct imsg *);
void		 run_relay_lost(struct channel *);

/*
 * age.c: the time by which messages get old.  After the clock has jumped
 * forward by more than AGE_JUMP_S it is believed AGE_DOUBT_S later only:
 * what a wrong clock sends back can't be taken back.
 */
#define AGE_JUMP_S	3600
#define AGE_DOUBT_S	3600

time_t		 age_now(void);
time_t		 age_at(time_t, int64_t);	/* of these clocks */

/*
 * lock.c: MAILDIR/seriallock, as setlock(1) takes it; counted, so that all of
 * a queue that works in a Maildir shares it.  lock_take: NULL with errno,
 * EAGAIN: it is another program's.
 */
struct lock;

struct lock	*lock_take(const char *);
void		 lock_release(struct lock *);

/*
 * journal.c: what was sent and has no answer yet, what was answered but may
 * be there again after a power cut, and whose sender was told of a delay.
 * One file in state_fd.  A message is who has its name, inode and mtime.
 * journal_open: reads what the last life left; calls the function for each
 * message that was without an answer and for each that had one.
 * journal_sent, journal_answered, journal_warned: noted, not yet on disk.
 * Of answers only K (it was taken) and D (its report was) are kept, for a
 * message that is there again; any other means that nobody has it.
 * journal_commit: fdatasync(2): before the messages leave.  -1 with errno:
 * nothing must be sent; what was noted is kept, call it again later.
 * journal_status: what is known of a message: -1 nothing, 0 sent without an
 * answer, K, D.  journal_is_warned: 1 or 0.
 * journal_unanswered: walks over those of a customer (NULL: all).
 * journal_trouble: why nothing can be sent, static; NULL: all is well.
 */
struct journal_entry {
	const char	*maildir;
	const char	*name;		/* "new/..." */
	uint64_t	 ino;
	int64_t		 mtime;
	int		 status;	/* 0: no answer */
};

int		 journal_open(void (*)(const struct journal_entry *, void *),
		    void *);
void		 journal_close(void);
int		 journal_sent(const char *, const char *, const struct stat *);
void		 journal_answered(const char *, const char *, int);
int		 journal_warned(const char *, const char *,
		    const struct stat *);
int		 journal_commit(void);
int		 journal_status(const char *, const char *,
		    const struct stat *);
int		 journal_is_warned(const char *, const char *,
		    const struct stat *);
void		 journal_unanswered(const struct customer *,
		    void (*)(const struct journal_entry *, void *), void *);
const char	*journal_trouble(void);

/*
 * state.c: what is kept of customers, in a text file replaced by rename(2)
 * after fsync(2), some seconds after a change and at the end.
 * state_open: reads it (run_init).
 * state_apply: a customer that was just made gets what is known of him.
 * state_keep: one that is about to be freed: it is remembered.
 */
int		 state_open(void);
void		 state_apply(struct customer *);
void		 state_keep(const struct customer *);
void		 state_changed(void);
int		 state_save(void);

/*
 * quarantine.c: a message that can't be read or sent goes to the directory
 * quarantine of its Maildir, with NAME.reason beside it; back to new/ again.
 * quarantine_put: by Maildir, name ("new/..."), reason.  All: 0, or -1 with
 * errno.  quarantine_release: name without a directory.  quarantine_find:
 * calls the function for that one, if it is there.
 */
struct quarantine_entry {
	const char	*name;
	const char	*reason;
	time_t		 since;
	uint64_t	 size;
};

int		 quarantine_put(const char *, const char *, const char *);
int		 quarantine_release(struct customer *, const char *);
int		 quarantine_find(struct customer *, const char *,
		    void (*)(const struct quarantine_entry *, void *), void *);
int		 quarantine_walk(struct customer *,
		    void (*)(const struct quarantine_entry *, void *), void *);

/*
 * returns.c: reports to senders by the mailer, one at a time each spool; the
 * message is removed when its report was taken.
 * return_message: for good: text as relay told it, or our own; expired: it
 * was tried for too long.  return_warn: one notice of a delay.  0, or -1 with
 * errno ENOMEM.
 * return_pending: its report is to be made: nothing else is done with it.
 * return_walk: over those of a customer (NULL: all); why is what the mailer
 * said last, or "".
 * return_mailer_ready: there is a (new) mailer.
 */
struct return_entry {
	const char	*maildir;
	const char	*name;
	const char	*text;
	const char	*why;
	int		 warning;	/* a notice of a delay only */
	uint32_t	 tries;
};

int		 return_message(struct customer *, const char *, const char *,
		    int);
int		 return_warn(struct customer *, const char *);
int		 return_pending(const struct customer *, const char *);
void		 return_walk(const struct customer *,
		    void (*)(const struct return_entry *, void *), void *);
size_t		 return_count(void);
int		 return_dispatch(struct channel *, struct imsg *);
void		 return_mailer_ready(void);
void		 return_mailer_lost(struct channel *);

/*
 * control.c: autoturnctl's clients.  control_init: now is when the queue was
 * started, for the eyes.
 */
void		 control_init(void);
void		 control_add(int, int);
int		 control_dispatch_parent(struct imsg *);	/* RELOAD_... */

/*
 * messagelog.c: the log lines of messages, key=value or JSON: customer (may be
 * NULL), Maildir, name, size, mtime, what became of it, what was said.
 * message_unusable: a file that can't be sent is named, once.
 */
void		 message_log(const char *, const char *, const char *,
		    uint64_t, time_t, const char *, const char *);
void		 message_unusable(const char *, const char *, const char *);

#endif
