/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A parent's children: started by re-execution, told who they are, watched,
 * and started again when they die, ever slower, without end.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>
#include <sys/queue.h>

#include <stdint.h>

#include "privsep.h"

/* A child, running or waiting to be started again. */
struct process {
	TAILQ_ENTRY(process)	 entry;
	unsigned int		 kind;		/* the daemon's */
	void			*owner;		/* the daemon's */
	pid_t			 pid;		/* 0: not running */
	int			 greeted;	/* its hello was right */
	int			 ready;		/* for the daemon to set, */
	int			 was_ready;	/* once, so restart it */
	int			 retired;	/* don't */
	int			 replaced;	/* ended by us: at once */
	struct channel		 ch;		/* its arg is the process */
	struct event		 timer;		/* to the next start */
	int64_t			 started_ms;
	unsigned int		 backoff_ms;
	uint32_t		 number;	/* of this run, never reused */
	/* the daemon's: the last question that it is asked and answered */
	uint32_t		 asked;
	uint32_t		 answered;
};

/*
 * What differs between daemons.
 * name: for the log; may be static, until the next call.
 * exec: starts its program, as privsep_exec().
 * identity: who it is to be; all of the struct.
 * configure: it was just started: tells it what it needs.
 * greeted: its hello was right (NULL: nobody wants to know).
 * dispatch: a message after the hello; -1 where it said what it has no
 * business to say: it is ended, which the log says.
 * ended: it was reaped, with this status of waitpid(2); if it had retired it
 * is freed afterwards.
 * unable: no process can be made, before processes_running was set: who
 * started us is to be told.
 */
struct process_frame {
	const char	*(*name)(const struct process *);
	pid_t		 (*exec)(const struct process *, int *);
	void		 (*identity)(const struct process *,
			    struct privsep_hello *);
	void		 (*configure)(struct process *);
	void		 (*greeted)(struct process *);
	int		 (*dispatch)(struct process *, struct imsg *);
	void		 (*ended)(struct process *, int);
	void		 (*unable)(void);
};

/*
 * The daemon sets them: everything was ready once, so that deaths are mended
 * from now on; no process is started any more.
 */
extern int	 processes_running;
extern int	 processes_stopping;

/*
 * process_init: before all others; the struct is not copied.
 * process_new: none runs yet; NULL when there is no memory.
 * process_start: runs it; if that fails, tries again later, ever slower.
 * process_ended: it was reaped, with this status.
 * process_retire: it is not needed any more, and not started again.
 * process_resign: the same, but it is told so by a message of this type and
 * leaves when its work is done.
 * process_replace: it ends, another is started at once.
 * process_kill: SIGKILL, if it runs.
 * process_by_pid: NULL: none of ours.
 * process_next: in the order of process_new; NULL: the first.
 */
void		 process_init(const struct process_frame *);
struct process	*process_new(unsigned int, void *);
void		 process_start(struct process *);
void		 process_ended(struct process *, int);
void		 process_kill(struct process *);
void		 process_retire(struct process *);
void		 process_resign(struct process *, uint32_t);
void		 process_replace(struct process *);
struct process	*process_by_pid(pid_t);
struct process	*process_next(struct process *);

#endif
