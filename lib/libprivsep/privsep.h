/*
 * The frame all our daemons' processes share: how a child is made, how it
 * learns who it is, how it gives up what it does not need, and how it
 * speaks to the others.  tcpserverd-privsep(7) draws the picture.
 */
#ifndef PRIVSEP_H
#define PRIVSEP_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/time.h>

#include <stdarg.h>
#include <stdint.h>
#include <event.h>
#include <imsg.h>

#include "compat.h"

/* The channel to the parent is this descriptor in every child. */
#define PRIVSEP_FD		3
#define PRIVSEP_PATH_SIZE	1024
#define PRIVSEP_NAME_SIZE	32
#define PRIVSEP_BUILD_SIZE	64
#define PRIVSEP_CLASS_SIZE	64
#define PRIVSEP_GROUPS_MAX	32

/* The first message on every channel between parent and child. */
#define IMSG_PRIVSEP_HELLO	1

/* What privsep_hello.flags says (ORed). */
#define PRIVSEP_SET_GID		0x01	/* groups become gid, and groups */
#define PRIVSEP_SET_UID		0x02
#define PRIVSEP_NO_GROUPS	0x04	/* drop supplementary groups */
#define PRIVSEP_CHROOT		0x08
#define PRIVSEP_QUIET		0x10	/* log nothing */
#define PRIVSEP_IF_ALLOWED	0x20	/* as far as this uid 0 may: in a
					 * container it is often no root */
#define PRIVSEP_SYSLOG		0x40	/* descriptor 2 is syslogd's */

/*
 * Sent by the parent before anything else: who the child is to be.  The
 * child answers with its own, of which only build matters.
 */
struct privsep_hello {
	char		build[PRIVSEP_BUILD_SIZE];
	char		name[PRIVSEP_NAME_SIZE];	/* for the log */
	char		chroot_path[PRIVSEP_PATH_SIZE];
	uint32_t	flags;
	uint32_t	uid;
	uint32_t	gid;
	uint32_t	groups_len;	/* beside gid; 0: none */
	uint32_t	groups[PRIVSEP_GROUPS_MAX];
	/* For a child that knows how; "": ours. */
	char		login_class[PRIVSEP_CLASS_SIZE];
	uint32_t	log_facility;	/* LOG_DAEMON ... with PRIVSEP_SYSLOG */
};

/* build.c: identifies this build; programs of one build have the same. */
extern const char privsep_build[];

/* hello.c */

/*
 * privsep_hello_receive: child side, blocking, first thing in its main:
 * reads the parent's hello from PRIVSEP_FD and answers it.  Exits with a
 * message when the parent is of another build or not there.
 * privsep_hello_check: parent side: is the message the hello of a child of
 * this build?  0, or -1 with why copied to the buffer.
 */
void	privsep_hello_receive(struct imsgbuf *, struct privsep_hello *);
int	privsep_hello_check(struct imsg *, char *, size_t);

/*
 * privsep_drop: chroot, groups, gid, uid as hello says, in that order, and
 * the proof that there is no way back.  Fatal on any failure, but that with
 * PRIVSEP_IF_ALLOWED a step that the kernel forbids (EPERM, EINVAL) is left
 * out: for an identity that nobody asked for.
 */
void	privsep_drop(const struct privsep_hello *);

/* child.c */

/*
 * privsep_exec: starts path with argv, PRIVSEP_FD one end of a new channel,
 * 0 and 1 on nothing, 2 as it is, everything else closed, no signal blocked,
 * none ignored that was not when the parent was started.  Returns the pid
 * and the parent's end (non-blocking) in *fd, or -1 with errno.
 */
pid_t	privsep_exec(const char *, char *const [], int *);

/*
 * privsep_fds_open: makes sure that 0, 1 and 2 are open, on /dev/null or,
 * where there is none, on a pipe that nobody else holds.
 * privsep_fds_nothing: puts 0 and 1 there, for a process whose caller may
 * wait for the end of its output.  0, or -1 with errno.
 * privsep_fd_nothing: a new descriptor of that kind, or -1.
 */
int	privsep_fds_open(void);
int	privsep_fds_nothing(void);
int	privsep_fd_nothing(void);

/* exe_SYSTEM.c */

/*
 * privsep_exe_path: the absolute path of the running program, found once at
 * start, for re-execution; argv0 is the fall-back where the system does
 * not tell.  0, or -1 when it can't be found.
 */
int	privsep_exe_path(const char *, char *, size_t);
/* For the per-system files: by a slash in argv0, else by $PATH. */
int	privsep_exe_search(const char *, char *, size_t);

/* channel.c */

/*
 * imsg joined with libevent: one channel, one peer.  dispatch is called for
 * each message (it need not free it) and returns -1 to end the channel;
 * lost is called once when the channel ended, after it was closed: by the
 * peer, by an error, or by dispatch.  Neither may free the channel.
 * queue_max, to be set after channel_init, is for a peer that is not trusted
 * to read what it asks for: while more messages than that wait for it, it is
 * not heard (0: no bound).  One side of a channel only, or both may wait for
 * each other.  drained, to be set in the same way, is called when everything
 * that had to wait for the peer was taken (NULL: nobody wants to know).
 */
struct channel {
	struct imsgbuf	  ibuf;
	struct event	  ev;
	struct event	  again;
	short		  events;
	int		  open;
	int		  paused;
	int		  broken;	/* a message found no memory */
	uint32_t	  queue_max;
	int		(*dispatch)(struct channel *, struct imsg *);
	void		(*lost)(struct channel *);
	void		(*drained)(struct channel *);
	void		 *arg;
};

/*
 * channel_init: takes fd, which becomes non-blocking.  channel_adopt does
 * the same with ch->ibuf as it is, for a child whose hello came by it
 * (privsep_hello_receive(&ch->ibuf, ...)).  0, or -1 with errno.
 * channel_send: queues a message; fd (-1: none) is ours to close after
 * success only.  0, or -1 with errno.  data's length is for imsg(3).  That
 * the peer is gone is told by lost, later; so is the end of a channel that a
 * message got lost on, since there was no memory for it.
 * channel_break: it ends as if the peer had gone, later: what was to be sent
 * can't be.
 * channel_close: at once, without calling lost; harmless on one that is
 * closed, or all zeros.
 */
int	channel_init(struct channel *, int,
	    int (*)(struct channel *, struct imsg *),
	    void (*)(struct channel *), void *);
int	channel_adopt(struct channel *,
	    int (*)(struct channel *, struct imsg *),
	    void (*)(struct channel *), void *);
int	channel_send(struct channel *, uint32_t, uint32_t, int, const void *,
	    size_t);
void	channel_break(struct channel *);
void	channel_close(struct channel *);

/* log.c */

/*
 * log_init: name is the word before each line ("tcpserver"), role the
 * process (NULL: the parent).  quiet: log nothing.  Lines go to descriptor 2.
 * log_hello: the same as a child's hello orders it, syslogd included.
 * log_syslog: from now on lines go to syslogd, as "<PRI>name[pid]: " of this
 * facility (LOG_DAEMON ...); a parent that is not heard connects again.
 * log_ask: a child's: the parent is asked by this message, without data, to
 * connect again when syslogd is not heard any more.  A line of a child that
 * does not ask is lost then, until the parent has a line of its own.
 * info: what an administrator wants to know of when all is well.
 * warn and warnx: what a peer, a user or the system did; warn adds the
 * errno.  fatal and fatalx: a broken invariant of ours, or a start that
 * can't be; _exit 111, so that a child made by fork does nothing in its
 * parent's name.  One write per line, control bytes through vis(3); text
 * past 927 bytes is cut.  Waits a second at most for the log's reader, then
 * the line is lost, and told as lost by the next that is not.
 */
void	log_init(const char *, const char *, int);
void	log_hello(const struct privsep_hello *, const char *);
void	log_syslog(int);
void	log_ask(struct channel *, uint32_t);
void	log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_warnx(const char *, ...) __attribute__((format(printf, 1, 2)));
__dead void fatal(const char *, ...) __attribute__((format(printf, 1, 2)));
__dead void fatalx(const char *, ...) __attribute__((format(printf, 1, 2)));

/*
 * For those who write lines of their own to descriptor 2:
 * log_is_syslog: it is syslogd's.
 * log_head: what stands before the text, "<PRI>name[pid]: " or "name: ", in
 * at most LOG_HEAD_SIZE bytes; priority includes the facility.  Returns the
 * length.  Async-signal-safe.
 */
#define LOG_HEAD_SIZE	80

int	log_is_syslog(void);
size_t	log_head(char *, int);

/*
 * log_bytes: a whole line with head and LF, as those above are written.
 * log_priority: a priority with the facility that log_syslog was told.
 */
void	log_bytes(const char *, size_t);
int	log_priority(int);

/* syslog.c and syslog_SYSTEM.c: the way to syslogd(8) */

/* A message with its header is not longer: what every system takes whole. */
#define LOG_SYSLOG_MAX	2040

/*
 * log_syslog_open: the parent's: makes descriptor 2 the way to syslogd, for
 * itself, all children and the programs.  path NULL: the system's own place
 * (/dev/log, /var/run/log).  0; 1 when nobody listens there yet (errno says
 * why; lines wait or are counted as lost); -1 with errno, 2 as it was.
 * log_syslog_reopen: the parent's: connects it again, for everyone who has
 * it; when told that syslogd is not heard (IMSG_PARENT_LOG_WANTED).  0, or
 * -1 with errno: nobody is there.
 * log_syslog_send: one message, which begins with "<PRI>", without LF.
 * Never waits.  0, or -1 with errno.  Async-signal-safe.
 * log_syslog_gone: does this errno of log_syslog_send mean that nobody will
 * hear until the parent connected again?
 */
int	log_syslog_open(const char *);
int	log_syslog_reopen(void);
int	log_syslog_send(const char *, size_t);
int	log_syslog_gone(int);
/* Between the two: where it listens, and the way through descriptor 2. */
extern const char log_syslog_path[];
int	log_syslog_socket_send(const char *, size_t);

/* clock.c: milliseconds, microseconds of the monotonic clock. */
int64_t	clock_ms(void);
int64_t	clock_us(void);

#endif
