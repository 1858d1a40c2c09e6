/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The mailer: runs the one program that takes reports, sendmail or
 * qmail-queue, one report at a time.
 *
 * It holds a report's descriptor while its program runs, and the log
 * (descriptor 2).  It runs as the spool's user, with whose rights the program
 * is run; reads no mail; and believes the queue, which has the same user, in
 * whom a report is for.  Everybody else is kept from its program's trouble:
 * one that hangs is ended with all it has started, what it complains of is
 * logged as far as a person would read it.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoturnd.h"
#include "head.h"
#include "sandbox.h"
#include "ucspi_stream.h"

#define KILL_AFTER_S		5	/* of a program that was told to end */
#define COMPLAINT_BYTES_MAX	4096	/* logged of one program */
#define COMPLAINT_LINE_SIZE	256
#define NAME_SHOWN		80	/* of the program's path */
#define ENVELOPE_SIZE		4096	/* a pipe takes so much at once */
#define QUOTED_SIZE		(2 * MAILBOX_SIZE + 3)

/* The program that runs, and what it complains of. */
struct program {
	pid_t		pid;		/* 0: none */
	uint64_t	report;
	int		complaints;	/* descriptor, or -1 */
	struct event	ev;
	struct event	timer;
	int		late;		/* was told to end */
	size_t		bytes;		/* of complaints */
	char		line[COMPLAINT_LINE_SIZE];
	size_t		line_len;
	char		last[COMPLAINT_LINE_SIZE];	/* the last line */
};

static struct channel		parent;
static struct channel		mail_queue;
static struct mailer_settings	settings;
static int			configured;
static struct program		program;
static struct event		chld_ev;

static void
report_answer(uint64_t number, int error, const char *why)
{
	struct mailer_answer	answer;

	memset(&answer, 0, sizeof(answer));
	answer.number = number;
	answer.error = error;
	(void)strlcpy(answer.why, why, sizeof(answer.why));
	/* A queue that has gone will ask again, with another mailer's life. */
	(void)channel_send(&mail_queue, IMSG_MAILER_DONE, 0, -1, &answer,
	    sizeof(answer));
}

/*
 * What it complains of
 */

static void
complaint_log(struct program *p)
{
	if (p->line_len == 0)
		return;
	p->line[p->line_len] = '\0';
	p->line_len = 0;
	(void)strlcpy(p->last, p->line, sizeof(p->last));
	if (p->bytes <= COMPLAINT_BYTES_MAX)
		log_warnx("%s: %s", settings.path, p->line);
}

static void
complaint_take(struct program *p, const char *data, size_t len)
{
	size_t	i;

	p->bytes += len;
	for (i = 0; i < len; i++) {
		if (data[i] != '\n')
			p->line[p->line_len++] = data[i];
		if (data[i] == '\n' || p->line_len == sizeof(p->line) - 1)
			complaint_log(p);
	}
}

static void
complaints_close(struct program *p)
{
	if (p->complaints == -1)
		return;
	event_del(&p->ev);
	close(p->complaints);
	p->complaints = -1;
}

/* One block: 1 if there may be more. */
static int
complaints_read(struct program *p)
{
	char	buf[4096];
	ssize_t	n;

	if (p->complaints == -1)
		return (0);
	n = read(p->complaints, buf, sizeof(buf));
	if (n > 0)
		complaint_take(p, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		complaints_close(p);
	return (n > 0);
}

static void
complaints_event(int fd, short event, void *arg)
{
	(void)complaints_read(arg);
}

/* What it has left in the pipe; somebody it started may fill it for ever. */
static void
complaints_end(struct program *p)
{
	int	i;

	for (i = 0; i < COMPLAINT_BYTES_MAX / 512 && complaints_read(p); i++)
		continue;
	complaint_log(p);
	complaints_close(p);
	if (p->bytes > COMPLAINT_BYTES_MAX)
		log_warnx("%s: said more, %zu bytes in all", settings.path,
		    p->bytes);
}

/*
 * Its end
 */

static void
program_judge(struct program *p, int status)
{
	char	why[sizeof(((struct mailer_answer *)NULL)->why)];
	int	error = EIO;

	if (p->late) {
		(void)snprintf(why, sizeof(why), "%.*s has not ended within "
		    "%u seconds", NAME_SHOWN, settings.path,
		    settings.timeout_s);
		error = ETIMEDOUT;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		why[0] = '\0';
		error = 0;
	} else if (WIFEXITED(status))
		(void)snprintf(why, sizeof(why), "%.*s exited with %d%s%.120s",
		    NAME_SHOWN, settings.path, WEXITSTATUS(status),
		    *p->last == '\0' ? "" : ": ", p->last);
	else
		(void)snprintf(why, sizeof(why), "%.*s was ended by signal %d",
		    NAME_SHOWN, settings.path, WTERMSIG(status));
	report_answer(p->report, error, why);
}

/*
 * As long as it is not reaped its number is that of its group and nobody
 * else's: what it has left behind, if it was late, ends with it.
 */
static void
program_reap(struct program *p)
{
	siginfo_t	si;
	int		status;

	si.si_pid = 0;
	if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) ==
	    -1 || si.si_pid == 0)
		return;
	if (p->late)
		(void)kill(-p->pid, SIGKILL);
	if (waitpid(p->pid, &status, 0) == -1)
		return;
	evtimer_del(&p->timer);
	complaints_end(p);
	p->pid = 0;
	program_judge(p, status);
}

static void
chld_event(int sig, short event, void *arg)
{
	if (program.pid != 0)
		program_reap(&program);
}

static void
program_timeout(int fd, short event, void *arg)
{
	struct program	*p = arg;
	struct timeval	 tv = { KILL_AFTER_S, 0 };

	(void)kill(-p->pid, p->late ? SIGKILL : SIGTERM);
	p->late = 1;
	evtimer_add(&p->timer, &tv);
}

/*
 * Its start
 */

/* qmail-queue's envelope, in a pipe that takes all of it: nobody has to write
 * while it reads. */
static int
envelope_make(const struct mailer_report *report)
{
	char	buf[ENVELOPE_SIZE];
	int	fd[2], len;

	len = snprintf(buf, sizeof(buf), "F%s%cT%s%c", report->sender, 0,
	    report->recipient, 0);
	buf[len++] = '\0';
	if (stream_pipe(fd) == -1)
		return (-1);
	if (stream_write(fd[1], buf, (size_t)len) == -1) {
		close(fd[0]);
		close(fd[1]);
		return (-1);
	}
	close(fd[1]);
	return (fd[0]);
}

static void
child_signals(void)
{
	static const int	changed[] = { SIGCHLD, SIGPIPE, SIGTERM, SIGINT,
				    SIGHUP };
	sigset_t		none;
	size_t			i;

	for (i = 0; i < nitems(changed); i++)
		(void)signal(changed[i], SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static __dead void
program_become(const struct mailer_report *report, int in, int out, int err)
{
	char	 path[] = "PATH=/usr/local/bin:/usr/bin:/bin:"
		    "/usr/local/sbin:/usr/sbin:/sbin";
	char	 home[] = "HOME=/", shell[] = "SHELL=/bin/sh";
	char	*environment[] = { path, home, shell, NULL };
	char	 dash_i[] = "-i", dash_f[] = "-f", end[] = "--";
	char	 sender[QUOTED_SIZE] = "<>", recipient[QUOTED_SIZE];
	char	*qmail[] = { settings.path, NULL };
	char	*sendmail[] = { settings.path, dash_i, dash_f, sender, end,
		    recipient, NULL };

	(void)setpgid(0, 0);
	if ((*report->sender != '\0' && mailbox_quote(sender, sizeof(sender),
	    report->sender) == -1) || mailbox_quote(recipient,
	    sizeof(recipient), report->recipient) == -1 ||
	    dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
	    dup2(err, STDERR_FILENO) == -1)
		_exit(UCSPI_EXIT_TEMPORARY);
	closefrom(STDERR_FILENO + 1);
	child_signals();
	(void)umask(022);
	(void)execve(settings.path, settings.kind == MAILER_QMAIL ? qmail :
	    sendmail, environment);
	(void)dprintf(STDERR_FILENO, "unable to run it: %s\n",
	    ucspi_strerror(errno));
	_exit(UCSPI_EXIT_TEMPORARY);
}

static void
program_watch(struct program *p, int complaints)
{
	struct timeval	tv;

	(void)fcntl(complaints, F_SETFL, O_NONBLOCK);
	p->complaints = complaints;
	event_set(&p->ev, complaints, EV_READ | EV_PERSIST, complaints_event,
	    p);
	if (event_add(&p->ev, NULL) == -1)
		fatalx("event_add");
	tv.tv_sec = settings.timeout_s;
	tv.tv_usec = 0;
	evtimer_set(&p->timer, program_timeout, p);
	evtimer_add(&p->timer, &tv);
}

static int
program_fork(struct program *p, const struct mailer_report *report, int in,
    int out)
{
	int	err[2];
	pid_t	pid;

	if (stream_pipe(err) == -1)
		return (-1);
	if ((pid = fork()) == 0)
		program_become(report, in, out == -1 ? err[1] : out, err[1]);
	close(err[1]);
	if (pid == -1) {
		close(err[0]);
		return (-1);
	}
	/* Whoever of the two is first. */
	(void)setpgid(pid, pid);
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	p->report = report->number;
	program_watch(p, err[0]);
	return (0);
}

/* 0, or -1 with errno. */
static int
program_start(struct program *p, const struct mailer_report *report, int in)
{
	int	error = 0, out = -1;

	if (lseek(in, 0, SEEK_SET) == -1)
		return (-1);
	if (settings.kind == MAILER_QMAIL &&
	    (out = envelope_make(report)) == -1)
		return (-1);
	if (program_fork(p, report, in, out) == -1)
		error = errno;
	if (out != -1)
		close(out);
	errno = error;
	return (error == 0 ? 0 : -1);
}

/*
 * What others say
 */

static void
report_take(const struct mailer_report *report, int fd)
{
	char	why[128];

	if (fd == -1)
		report_answer(report->number, EMFILE,
		    "the mailer is out of descriptors");
	else if (program.pid != 0)
		report_answer(report->number, EBUSY,
		    "there is a report on its way already");
	else if (*report->recipient == '\0')
		report_answer(report->number, EINVAL,
		    "the report is for nobody");
	else if (program_start(&program, report, fd) == -1) {
		(void)snprintf(why, sizeof(why), "unable to start it: %s",
		    ucspi_strerror(errno));
		report_answer(report->number, errno, why);
	}
}

static int
queue_dispatch(struct channel *ch, struct imsg *imsg)
{
	struct mailer_report	report;
	int			fd;

	if (imsg_get_type(imsg) != IMSG_MAILER_REPORT ||
	    imsg_get_data(imsg, &report, sizeof(report)) == -1) {
		log_warnx("queue: message %u makes no sense",
		    imsg_get_type(imsg));
		return (-1);
	}
	report.sender[sizeof(report.sender) - 1] = '\0';
	report.recipient[sizeof(report.recipient) - 1] = '\0';
	fd = imsg_get_fd(imsg);
	report_take(&report, fd);
	if (fd != -1)
		close(fd);
	return (0);
}

/* The parent brings the next one. */
static void
queue_lost(struct channel *ch)
{
}

static void
queue_set(int fd)
{
	channel_close(&mail_queue);
	if (fd == -1)
		fatalx("the queue's channel was lost on its way");
	if (channel_init(&mail_queue, fd, queue_dispatch, queue_lost,
	    NULL) == -1)
		fatal("channel to the queue");
}

static void
settings_take(struct imsg *imsg)
{
	if (imsg_get_data(imsg, &settings, sizeof(settings)) == -1)
		fatal("settings");
	settings.path[sizeof(settings.path) - 1] = '\0';
	if (!configured && channel_send(&parent, IMSG_PARENT_READY, 0, -1,
	    NULL, 0) == -1)
		fatal("ready");
	configured = 1;
}

static int
mailer_dispatch_parent(struct channel *ch, struct imsg *imsg)
{
	switch (imsg_get_type(imsg)) {
	case IMSG_MAILER_SETUP:
		settings_take(imsg);
		break;
	case IMSG_MAILER_QUEUE:
		queue_set(imsg_get_fd(imsg));
		break;
	default:
		fatalx("message %u from the parent", imsg_get_type(imsg));
	}
	return (0);
}

/* A program that runs has all it needs, and goes on. */
static void
mailer_lost_parent(struct channel *ch)
{
	_exit(0);
}

static void
mailer_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal_set(&chld_ev, SIGCHLD, chld_event, NULL);
	if (signal_add(&chld_ev, NULL) == -1)
		fatalx("signal_add");
}

__dead void
mailer_main(void)
{
	struct privsep_hello	hello;

	log_init("autoturnd", "mailer", 0);
	privsep_hello_receive(&parent.ibuf, &hello);
	log_hello(&hello, "mailer");
	privsep_drop(&hello);
	event_init();
	program.complaints = -1;
	setproctitle("mailer");
	if (sandbox_mailer() == -1)
		fatal("sandbox");
	mailer_signals();
	if (channel_adopt(&parent, mailer_dispatch_parent, mailer_lost_parent,
	    NULL) == -1)
		fatal("channel");
	log_ask(&parent, IMSG_PARENT_LOG_WANTED);
	event_dispatch();
	fatalx("event_dispatch");
}
