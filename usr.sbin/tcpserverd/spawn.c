/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The start of one program: vfork(2) and execve(2).  Everything that needs
 * memory is made ready before; between the two there are only system calls
 * and our own formatting, on memory that the child shares with us while we
 * wait.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "launcher.h"

/* The child's lines: ready but for the pid, which goes into two gaps. */
struct child_log {
	char	pid_tail[NETADDR_TEXT_SIZE + 16];	/* " from IP\n" */
	char	ok_tail[LOGLINE_SIZE];
	char	line[LOGLINE_SIZE + 256];
	size_t	ok_len;
	int	on;
};

static const int	own_signals[] = LAUNCHER_SIGNALS;
static int		was_ignored[nitems(own_signals)]; /* nohup(1) */

static const char	log_pid[] = "tcpserver: pid ";
static const char	log_ok[] = "tcpserver: ok ";
static const char	log_drop[] =
	"tcpserver: warning: dropping connection, ";

static void
child_log_prepare(struct child_log *log, const struct program *p,
    const struct start *s)
{
	struct logline	l;
	char		remote[NETADDR_TEXT_SIZE];

	log->on = p->classic && p->log_level == LOG_LEVEL_VERBOSE;
	if (!log->on)
		return;
	l.local = &s->record->local;
	l.remote = &s->record->remote;
	l.local_name = s->local_name;
	l.remote_name = s->remote_name;
	l.info = s->info;
	l.local_port = s->record->local_port;
	l.remote_port = s->record->remote_port;
	log->ok_len = logline_peers(log->ok_tail, &l);
	snprintf(log->pid_tail, sizeof(log->pid_tail), " from %s\n",
	    netaddr_text(&s->record->remote, remote));
}

static void
child_log_write(struct child_log *log)
{
	char	 pid[UCSPI_DECIMAL_SIZE];
	size_t	 pid_len = ucspi_decimal(pid, (uint64_t)getpid(), 1);
	char	*p = log->line;

	p = text_append(p, log_pid, sizeof(log_pid) - 1);
	p = text_append(p, pid, pid_len);
	p = text_append(p, log->pid_tail, strlen(log->pid_tail));
	p = text_append(p, log_ok, sizeof(log_ok) - 1);
	p = text_append(p, pid, pid_len);
	*p++ = ' ';
	p = text_append(p, log->ok_tail, log->ok_len);
	/* Nobody to tell if the log is gone. */
	if (write(STDERR_FILENO, log->line, (size_t)(p - log->line)) == -1)
		return;
}

static rlim_t
rlimit_value(uint64_t value)
{
	return (value == UINT64_MAX ? RLIM_INFINITY : (rlim_t)value);
}

/* What, which and why of a failure, of which line has room for 1024 bytes. */
static char *
reason_append(char *l, const char *what, const char *which, int errnum)
{
	const char	*why = ucspi_strerror(errnum);
	size_t		 which_len = strlen(which);

	if (which_len > 512)
		which_len = 512;
	l = text_append(l, what, strlen(what));
	l = text_append(l, which, which_len);
	l = text_append(l, ": ", 2);
	return (text_append(l, why, strlen(why)));
}

/* The engine's line at its end has the same service and id. */
static void
daemon_drop_write(const struct launcher_settings *set, uint64_t id,
    const char *error)
{
	struct logrecord	r;

	logrecord_begin(&r, (int)set->log_json, "fail");
	logrecord_text(&r, "service", set->name);
	logrecord_number(&r, "id", id);
	logrecord_text(&r, "error", error);
	logrecord_number(&r, "pid", (uint64_t)getpid());
	logrecord_end(&r);
	logrecord_write(&r, (int)set->log_facility | LOG_WARNING);
}

/* Last words of a child that could not become the program. */
static __dead void
child_drop(const struct program *p, uint64_t id, const char *what,
    const char *which, int errnum)
{
	char	line[1024], *l = line;

	if (p->log_level == LOG_LEVEL_QUIET)
		_exit(UCSPI_EXIT_TEMPORARY);
	if (p->classic)
		l = text_append(l, log_drop, sizeof(log_drop) - 1);
	l = reason_append(l, what, which, errnum);
	if (!p->classic) {
		*l = '\0';
		daemon_drop_write(p->settings, id, line);
		_exit(UCSPI_EXIT_TEMPORARY);
	}
	*l++ = '\n';
	if (write(STDERR_FILENO, line, (size_t)(l - line)) == -1)
		_exit(UCSPI_EXIT_TEMPORARY);
	_exit(UCSPI_EXIT_TEMPORARY);
}

/*
 * Tells the engine the pid before the program runs, so that its start can
 * not be lost with this launcher.
 */
static void
child_note(struct start_note *note)
{
	if (note->fd == -1)
		return;
	note->report.pid = getpid();
	note->report.at_us = clock_us();
	if (send(note->fd, &note->report, sizeof(note->report),
	    MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(note->report))
		note->fd = -1;
}

/*
 * As this process was given them.  What the launcher catches or ignores goes
 * before anything is unblocked: its handlers would run on its memory.
 */
static int
child_signals(void)
{
	struct sigaction	sa;
	sigset_t		none;
	size_t			i;

	memset(&sa, 0, sizeof(sa));
	/* A log that nobody reads left a blocked PIPE: ignoring discards it. */
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	for (i = 0; i < nitems(own_signals); i++) {
		sa.sa_handler = was_ignored[i] ? SIG_IGN : SIG_DFL;
		if (sigaction(own_signals[i], &sa, NULL) == -1)
			return (-1);
	}
	sigemptyset(&none);
	return (sigprocmask(SIG_SETMASK, &none, NULL));
}

/* The program gets the client, blocking, on 0 and 1. */
static int
child_descriptors(int fd)
{
	int	flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    ((flags & O_NONBLOCK) &&
	    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1) ||
	    dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1)
		return (-1);
	return (0);
}

/* In the child: the launcher itself needs its descriptors and its time. */
static void
child_place(const struct program *p, uint64_t id)
{
	struct rlimit	rl;
	unsigned int	i;

	if (p->directory != NULL && chdir(p->directory) == -1)
		child_drop(p, id, "unable to enter ", p->directory, errno);
	for (i = 0; i < p->rlimits_len; i++) {
		rl.rlim_cur = rlimit_value(p->rlimits[i].soft);
		rl.rlim_max = rlimit_value(p->rlimits[i].hard);
		if (setrlimit(p->rlimits[i].resource, &rl) == -1)
			child_drop(p, id, "unable to set limits", "", errno);
	}
}

static __dead void
child_run(const struct program *p, const struct start *s, char **envp,
    struct child_log *log, struct start_note *note)
{
	int	errnum;

	child_note(note);
	if (log->on)
		child_log_write(log);
	if (child_descriptors(s->fd) == -1 || child_signals() == -1)
		child_drop(p, s->record->id, "unable to set up descriptors",
		    "", errno);
	child_place(p, s->record->id);
	errnum = ucspi_path_exec(p->candidates, p->argv, envp);
	child_drop(p, s->record->id, "unable to run ", p->argv[0], errnum);
}

void
spawn_init(void)
{
	struct sigaction	sa;
	size_t			i;

	for (i = 0; i < nitems(own_signals); i++)
		was_ignored[i] = sigaction(own_signals[i], NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_IGN;
}

pid_t
spawn_start(const struct program *p, const struct start *s,
    struct start_note *note)
{
	static struct child_log	  log;
	char			**envp;
	sigset_t		  all, old;
	pid_t			  pid;
	int			  saved;

	if ((envp = environment_build(p, s)) == NULL)
		return (-1);
	child_log_prepare(&log, p, s);
	/* No handler of ours may run in the child: it has our memory. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	if ((pid = vfork()) == 0)
		child_run(p, s, envp, &log, note);
	saved = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return (pid);
}
