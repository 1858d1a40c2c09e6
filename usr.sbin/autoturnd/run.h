/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the files of a run share: run.c has its beginning, its end and what
 * others say to it, run_send.c what goes out, run_result.c what comes back.
 */
#ifndef RUN_H
#define RUN_H

#include "books.h"
#include "queue.h"

#define RUN_REPLY_SIZE	512	/* of what is kept for the eyes */

/* A message that is sent, or will be once the journal has it. */
struct mail {
	TAILQ_ENTRY(mail) entry;
	uint64_t	 number;
	int		 fd;		/* -1: relay has it */
	uint64_t	 size;
	time_t		 mtime;
	char		 name[];
};

TAILQ_HEAD(mails, mail);

enum run_state {
	RUN_BLOCKED,			/* the journal can't be written */
	RUN_CONNECTS,
	RUN_SENDS,
	RUN_FINISHES,			/* nothing more is sent: QUIT */
	RUN_ABORTS,
	RUN_FAILED			/* before it could begin */
};

struct run {
	TAILQ_ENTRY(run)	 entry;
	struct customer		*customer;
	uint64_t		 number;
	enum run_state		 state;
	enum reason		 reason;
	int64_t			 started_ms;
	struct event		 timer;		/* patience with others */
	struct lock		*lock;
	int			 dirfd;		/* his Maildir */

	struct maildir_list	 list;
	size_t			 next;		/* of the list */
	size_t			 suspects;	/* from there on: singly */
	unsigned int		 looks;
	struct names		 skipped;	/* not again in this run */

	struct mails		 mails;		/* open, in order */
	struct mails		 taken;		/* answered, to be removed */
	uint32_t		 open;
	uint64_t		 sent;
	uint64_t		 answered;	/* by the server, either way */
	uint64_t		 untried;	/* the first, its number; 0 */
	char			*untried_name;
	int			 lost;		/* a suspect was found */
	int			 ending;	/* relay will say so next */
	int			 stopped;	/* send no more: see why */
	int			 more;		/* messages_max was met */

	uint64_t		 accepted;
	uint64_t		 accepted_bytes;
	uint64_t		 deferred;
	uint64_t		 refused;
	char			 reply[RUN_REPLY_SIZE];	/* the last text */
};

/* run.c */
void	run_stop(struct run *, const char *);	/* no more is sent: why */
void	run_connect(struct run *);
struct run *run_first(void);
void	customer_reply(struct customer *, const char *);
int	message_expire(struct customer *, const char *, time_t);
int	message_quarantine(struct customer *, const char *, uint64_t, time_t,
	    const char *);

/*
 * run_send.c
 * run_look: the list, anew; what is too old goes back.  How many messages
 * there are to send, or -1 with errno.
 * run_advance: tops the window up, looks again or finishes.
 * run_withdraw: a message that relay was not given.
 * run_flush: at the end of this turn of the loop what was taken is removed.
 * run_commit: before that there is a commit, and what waits for it leaves.
 * run_remove_taken: the last of these, now.
 */
ssize_t	run_look(struct run *);
void	run_advance(struct run *);
void	run_withdraw(struct run *, struct mail *);
void	run_flush(void);
void	run_commit(void);
void	run_remove_taken(struct run *);
void	mail_free(struct run *, struct mail *);
int	run_remove(struct run *, const char *);
void	run_skip(struct run *, const char *);

/*
 * run_result.c
 * run_result: what relay says of a message; -1: that can't be true.
 * run_unanswered: the end, with this message open.
 * run_blame: what to do about the message that a connection ended with.
 */
int	run_result(struct run *, const struct run_result *, const char *);
void	run_unanswered(struct run *, struct mail *);
void	run_blame(struct run *, int);

/*
 * suspects.c: messages with which a connection ended.  They are sent after all
 * others, each alone; those that end it again, while others were answered, are
 * counted.  suspect_losses: connections that ended with it, 0: it is none.
 * suspect_note: another one.  suspect_strike: how often it was to blame, after
 * once more.  suspect_clear: it was answered.
 */
#define SUSPECT_STRIKES_MAX	3

unsigned int suspect_losses(const char *, const char *);
void	suspect_note(const char *, const char *);
unsigned int suspect_strike(const char *, const char *);
void	suspect_clear(const char *, const char *);

#endif
