/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the files of autoturnd's parent share.
 */
#ifndef PARENT_H
#define PARENT_H

#include <sys/types.h>
#include <sys/queue.h>

#include <time.h>

#include "named.h"
#include "process.h"
#include "settings.h"

typedef void parent_report(const char *, void *);

/* process.kind; the owner of a queue and of a mailer is their spool. */
enum process_kind {
	PROCESS_RELAY,
	PROCESS_QUEUE,
	PROCESS_MAILER
};

enum parent_socket {
	PARENT_CONTROL,			/* operators: everything */
	PARENT_RESTRICTED,		/* looking only */
	PARENT_SOCKETS
};

/*
 * A spool that has processes.  It is known by its path from one
 * configuration to the next.
 */
struct spool {
	TAILQ_ENTRY(spool)	 entry;
	uint32_t		 number;	/* never used again */
	char			*path;
	struct conf_spool	*conf;		/* in force; NULL: removed, its
						 * runs come to their end */
	struct privsep_hello	 identity;	/* queue's and mailer's */
	char			 state_path[PATH_MAX];
	struct process		*queue;		/* NULL: none is to be */
	struct process		*leaving;	/* a queue that was told to */
	struct process		*mailer;
	struct named		 poke;
	struct event		 leave_timer;
	unsigned int		 connects;	/* orders not answered yet */
	/* the way to tcpserverd */
	int			 events_wanted;
	int			 events_told;	/* the log knows it fails */
	unsigned int		 events_ms;	/* until the next try */
	int64_t			 events_at_ms;	/* wanted last */
	struct event		 events_timer;
};

TAILQ_HEAD(spools, spool);

/* What is in force. */
struct parent {
	struct spools		 spools;
	struct autoturnd_conf	*conf;
	struct process		*relay;
	struct named		 sockets[PARENT_SOCKETS];
	struct event		 socket_events[PARENT_SOCKETS];
	char			*exe_path;	/* ours, for the children */
	int			 syslog;	/* descriptor 2 leads there */
	int			 verbose;	/* -v: log connections */
	void			(*started)(void);	/* all are ready */
	time_t			 started_at;
	time_t			 loaded_at;
	uint32_t		 reloads;
	/* what the command line said that reloading must keep */
	char			*conf_path;
	char			**defines;	/* of -D, NULL-terminated */
	char			*control_path;	/* of -s; NULL: the file's */
};

extern struct parent	parent;

/* daemon.c: main; reloads, and tells log and service manager of it. */
__dead void	daemon_main(int, char **);
int		daemon_reload(parent_report *, void *);

/*
 * configure.c: all of a configuration put in force or, after report was told
 * why, nothing (-1).  It is then the parent's; the one before is freed.
 * configure_reload: the same with the file read again.
 * pokes_end: the spools' sockets go, with their names.
 * configure_tell: an error, a line made as by printf(3).
 */
int	configure_apply(struct autoturnd_conf *, parent_report *, void *);
int	configure_reload(parent_report *, void *);
void	pokes_end(void);
void	configure_tell(parent_report *, void *, const char *, ...)
	    __attribute__((format(printf, 3, 4)));

/*
 * parent.c
 * parent_init: the event loop, signals and deaths; before anything else.
 * parent_run: starts the processes, then serves until told to stop.
 * parent_stop: ends every process, then exits with code.
 * parent_spool_start: its processes, once nothing of an earlier life of it
 * is left.
 * parent_spool_leave: its queue is told to leave; what follows it, if its
 * conf is not NULL, starts after that.
 * parent_spool_tell: what is configured of it, to its queue and mailer.
 */
void		parent_init(void);
__dead void	parent_run(void);
void		parent_stop(int);
void		parent_spool_start(struct spool *);
void		parent_spool_leave(struct spool *);
void		parent_spool_tell(struct spool *);
struct channel	*parent_queue(struct spool *);	/* NULL: none is ready */
struct channel	*parent_relay(void);

/*
 * spool.c: who a spool's processes are, and what they may do there.  Errors
 * go to report, and name the directory.  0, or -1.
 * spool_user_find: uid and gid of one whose user is not configured: the
 * owner of its Maildirs, who must be one and not root.
 * spool_state_make: the state directory, and the spool's below it.
 * spool_prove: a child that has this identity tries to open all there is of
 * the spool, and to write below the path, which NULL leaves out.
 * spool_address: a name that is an address as netaddr_text() writes it: 1.
 */
int	spool_user_find(struct conf_spool *, parent_report *, void *);
int	spool_state_make(const struct conf_spool *, const char *,
	    parent_report *, void *);
int	spool_prove(const struct conf_spool *, const struct privsep_hello *,
	    const char *, parent_report *, void *);
int	spool_address(const char *, struct netaddr *);

/* identity.c: who relay, queue and mailer are to be. */
void	identity_relay(struct privsep_hello *);
void	identity_spool(struct privsep_hello *, const struct conf_spool *);

/*
 * connect.c: connections to customers, for the relay.
 * connect_dispatch: a queue orders one; -1: it has no business to.
 * connects_cancel: of a spool whose queue is gone (nobody is told), or all,
 * since there is no relay (the queues are told).
 */
int	connect_dispatch(struct spool *, struct imsg *);
void	connects_cancel(struct spool *);
void	connects_fail(int);

/*
 * events.c is the queue's; the parent's side is tcpserverd.c: the way to its
 * event socket.
 * tcpserverd_wanted: by this spool's queue.
 * tcpserverd_changed: the configuration may have another path.
 * tcpserverd_forget: the spool is to be freed, or its queue is gone.
 */
void	tcpserverd_wanted(struct spool *);
void	tcpserverd_changed(void);
void	tcpserverd_forget(struct spool *);

/*
 * callers.c: who connects to a control socket is given the queues.
 * callers_listen: on the sockets of parent.sockets from now on.
 * callers_ignore: before they change.
 */
void	callers_listen(void);
void	callers_ignore(void);

/*
 * sockets.c: those of the configuration.
 * sockets_make: those not in force yet, in fds (-1: stays, or none); -1
 * after report was told: what was made is still to be undone.
 * sockets_take: they are in force now.
 * sockets_end: all go, with their names.
 */
int	sockets_make(const struct autoturnd_conf *, int *, parent_report *,
	    void *);
void	sockets_undo(const struct autoturnd_conf *, const int *);
void	sockets_take(const struct autoturnd_conf *, const int *);
void	sockets_end(void);

#endif
