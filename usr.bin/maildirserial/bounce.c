/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Bounces.  A report is written to a file without a name first, and only
 * then given to the queue program: whatever happens to us meanwhile, that
 * program sees all of it or is never started.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildirserial.h"
#include "message.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define PROGRAM		"maildirbounce"
#define TWOFOLD_SENDER	"#@[]"		/* qmail's, of a double bounce */
#define CLASSIC_LIMIT	(1024 * 1024)	/* bytes returned in a bounce */
#define DSN_LIMIT	(64 * 1024)
#define ENVELOPE_SIZE	4096		/* a pipe takes so much at once */

extern char	**environ;

/* A message that is to be bounced. */
struct bounced {
	const struct site	*site;
	const struct bounce	*what;
	int			 dirfd;
	struct message_file	 file;
	pid_t			 pid;		/* of the queue program */
};

static enum bounce_result
bounce_warn(const struct bounced *b, const char *doing, const char *why)
{
	log_warn("unable to bounce %s: %s%s%s", log_name(b->what->name),
	    doing, *doing == '\0' ? "" : ": ", why);
	return (BOUNCE_FAILED);
}

static int
bounced_open(struct bounced *b)
{
	struct message_file	*m = &b->file;

	if (message_open(m, b->dirfd, b->what->name, b->what->prefix) == -1) {
		(void)bounce_warn(b, m->doing, m->why);
		return (-1);
	}
	if (m->verdict != HEAD_OK) {
		(void)bounce_warn(b, "", *m->head.why != '\0' ? m->head.why :
		    "it is for others");
		return (-1);
	}
	return (0);
}

/* Whether the message came from what reports that bounces failed. */
static int
bounced_is_twofold(const struct bounced *b)
{
	const struct message_file	*m = &b->file;

	if (strcmp(m->head.sender, TWOFOLD_SENDER) == 0)
		return (1);
	return (*m->head.sender == '\0' && report_is_twofold(m->buf +
	    m->head.body, m->len - m->head.body));
}

/* An open file in tmp/ that has no name any more. */
static int
spool_open(int dirfd)
{
	static unsigned int	count;
	char			name[64];
	int			fd;

	(void)snprintf(name, sizeof(name), "tmp/%lld.%ld_%u.bounce",
	    (long long)time(NULL), (long)getpid(), count++);
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd != -1 && unlinkat(dirfd, name, 0) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

/* The whole report in a file, at its beginning; -1 with errno. */
static int
spool_make(const struct bounced *b, const char *to, int twofold)
{
	const struct head	*head = &b->file.head;
	struct report_case	 what;
	int			 error, fd;

	memset(&what, 0, sizeof(what));
	what.program = PROGRAM;
	what.host = b->site->host;
	what.from = b->site->from;
	what.to = to;
	what.sender = head->sender;
	what.recipients = head->recipients;
	what.nrecipients = head->nrecipients;
	what.text = b->what->text;
	what.expired = b->what->expired;
	what.twofold = twofold;
	what.now = time(NULL);
	what.arrival = b->what->arrival;
	what.size = b->file.st.st_size - (off_t)head->body;
	what.limit = b->site->form == REPORT_DSN ? DSN_LIMIT : CLASSIC_LIMIT;
	if ((fd = spool_open(b->dirfd)) == -1)
		return (-1);
	if (report_write(fd, b->site->form, &what, b->file.fd,
	    (off_t)head->body) == -1 || lseek(fd, 0, SEEK_SET) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return (-1);
	}
	return (fd);
}

/*
 * The descriptor with what qmail-queue wants as its envelope.  It fits into
 * the pipe, so nobody needs to be there to write it.
 */
static int
envelope_make(const char *sender, const char *to)
{
	char	buf[ENVELOPE_SIZE];
	int	fd[2], len;

	len = snprintf(buf, sizeof(buf), "F%s%cT%s%c", sender, 0, to, 0);
	if (len < 0 || (size_t)len + 1 > sizeof(buf)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
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

static __dead void
queue_become(const struct site *site, int in, int out, const char *to)
{
	char	*qmail[] = { site->program, NULL };
	char	 dash_f[] = "-f", dash_i[] = "-i", end[] = "--", null[] = "<>";
	char	 quoted[ENVELOPE_SIZE];
	char	*sendmail[] = { site->program, dash_i, dash_f, null, end,
		    quoted, NULL };
	char	**argv;

	argv = site->queue == QUEUE_QMAIL ? qmail : sendmail;
	if (mailbox_quote(quoted, sizeof(quoted), to) == -1 ||
	    dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		_exit(UCSPI_EXIT_TEMPORARY);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execve(site->program, argv, environ);
	log_fatal("unable to run %s: %s", log_name(site->program),
	    ucspi_strerror(errno));
}

/* Runs the queue program to its end. */
static enum bounce_result
queue_run(struct bounced *b, int in, int out, const char *to)
{
	char	why[64];
	int	status;

	if ((b->pid = fork()) == -1)
		return (bounce_warn(b, "fork", ucspi_strerror(errno)));
	if (b->pid == 0)
		queue_become(b->site, in, out, to);
	while (waitpid(b->pid, &status, 0) == -1) {
		if (errno != EINTR)
			return (bounce_warn(b, "wait",
			    ucspi_strerror(errno)));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return (BOUNCE_SENT);
	if (WIFEXITED(status))
		(void)snprintf(why, sizeof(why), "exited with %d",
		    WEXITSTATUS(status));
	else
		(void)snprintf(why, sizeof(why), "killed by signal %d",
		    WTERMSIG(status));
	return (bounce_warn(b, b->site->program, why));
}

/* A program that is given no envelope may write what it likes to the log. */
static int
output_make(const struct site *site, const char *sender, const char *to)
{
	if (site->queue == QUEUE_QMAIL)
		return (envelope_make(sender, to));
	return (fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

static enum bounce_result
bounce_queue(struct bounced *b)
{
	struct head		*head = &b->file.head;
	const char		*sender, *to;
	enum bounce_result	 result;
	int			 in, out, twofold;

	head->nrecipients = report_keep(b->what->text, head->recipients,
	    head->nrecipients);
	twofold = *head->sender == '\0';
	sender = twofold ? TWOFOLD_SENDER : "";
	to = twofold ? b->site->double_to : head->sender;
	if (b->site->queue == QUEUE_NONE)
		return (bounce_warn(b, "", "there is neither qmail-queue nor "
		    "sendmail: set QMAILQUEUE or SENDMAIL"));
	if ((in = spool_make(b, to, twofold)) == -1)
		return (bounce_warn(b, "write to tmp",
		    ucspi_strerror(errno)));
	if ((out = output_make(b->site, sender, to)) == -1) {
		close(in);
		return (bounce_warn(b, "envelope", ucspi_strerror(errno)));
	}
	result = queue_run(b, in, out, to);
	close(in);
	close(out);
	return (result);
}

static enum bounce_result
bounce_opened(struct bounced *b)
{
	if (bounced_open(b) == -1)
		return (BOUNCE_FAILED);
	if (bounced_is_twofold(b))
		return (BOUNCE_DISCARDED);
	return (bounce_queue(b));
}

enum bounce_result
bounce_send(const struct site *site, int dirfd, const struct bounce *what,
    pid_t *pid)
{
	struct bounced		*b;
	enum bounce_result	 result;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		log_fatal("out of memory");
	b->site = site;
	b->what = what;
	b->dirfd = dirfd;
	b->file.fd = -1;
	result = bounce_opened(b);
	*pid = b->pid;
	if (b->file.fd != -1)
		close(b->file.fd);
	free(b);
	return (result);
}
