/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Rules that the configuration names as text: the parent has our tcprules(1)
 * compile them, at load and whenever the text has changed, so that this
 * program has no maker of databases in it.  The database has no name once
 * it is open.
 */
#include <sys/types.h>
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

#include "parent.h"

#define TCPRULES	BINDIR "/tcprules"
#define COMPLAINT_MAX	2048		/* bytes of what tcprules says */

struct compile {
	const char	*path;
	char		 dir[PATH_MAX - 8];
	char		 cdb[PATH_MAX];
	char		 tmp[PATH_MAX];
	int		 text;
	int		 complaints[2];	/* a pipe */
	void		(*report)(const char *, void *);
	void		*arg;
};

static void
compile_error(const struct compile *c, const char *what, int errnum)
{
	char	line[PATH_MAX + 256];

	snprintf(line, sizeof(line), "rules \"%s\": %s%s%s", c->path, what,
	    errnum == 0 ? "" : ": ", errnum == 0 ? "" : strerror(errnum));
	c->report(line, c->arg);
}

static __dead void
compiler_run(const struct compile *c)
{
	char	name[] = "tcprules";
	char	cdb[PATH_MAX], tmp[PATH_MAX];
	char	*argv[] = { name, cdb, tmp, NULL };

	strlcpy(cdb, c->cdb, sizeof(cdb));
	strlcpy(tmp, c->tmp, sizeof(tmp));
	if (dup2(c->text, STDIN_FILENO) != -1 &&
	    dup2(c->complaints[1], STDERR_FILENO) != -1)
		execv(TCPRULES, argv);
	dprintf(c->complaints[1], "unable to run %s: %s", TCPRULES,
	    strerror(errno));
	_exit(UCSPI_EXIT_TEMPORARY);
}

/* What it says until it ends; past the bound it is read and forgotten. */
static void
complaint_read(const struct compile *c, char *buf, size_t size)
{
	char	more[512];
	size_t	got = 0;
	ssize_t	n;

	do {
		if (got < size - 1)
			n = read(c->complaints[0], buf + got, size - 1 - got);
		else
			n = read(c->complaints[0], more, sizeof(more));
		if (n > 0 && got < size - 1)
			got += (size_t)n;
	} while (n > 0 || (n == -1 && errno == EINTR));
	while (got > 0 && buf[got - 1] == '\n')
		got--;
	buf[got] = '\0';
}

static int
compiler_wait(const struct compile *c, pid_t pid)
{
	char	complaint[COMPLAINT_MAX];
	int	status;

	complaint_read(c, complaint, sizeof(complaint));
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR) {
			compile_error(c, "waitpid", errno);
			return (-1);
		}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return (0);
	compile_error(c, complaint[0] == '\0' ? "tcprules failed" : complaint,
	    0);
	return (-1);
}

static int
compiler_start(struct compile *c)
{
	pid_t	pid;

	if (pipe2(c->complaints, O_CLOEXEC) == -1) {
		compile_error(c, "pipe", errno);
		return (-1);
	}
	if ((pid = fork()) == 0)
		compiler_run(c);
	close(c->complaints[1]);
	if (pid == -1)
		compile_error(c, "fork", errno);
	else if (compiler_wait(c, pid) == -1)
		pid = -1;
	close(c->complaints[0]);
	return (pid == -1 ? -1 : 0);
}

/* A directory of our own, where nobody else can put anything. */
static int
directory_make(struct compile *c)
{
	const char	*base = getenv("TMPDIR");

	if (geteuid() == 0 || base == NULL)
		base = "/tmp";
	snprintf(c->dir, sizeof(c->dir), "%s/tcpserverd.XXXXXXXXXX", base);
	if (mkdtemp(c->dir) == NULL) {
		compile_error(c, c->dir, errno);
		return (-1);
	}
	snprintf(c->cdb, sizeof(c->cdb), "%s/cdb", c->dir);
	snprintf(c->tmp, sizeof(c->tmp), "%s/tmp", c->dir);
	return (0);
}

static void
directory_remove(const struct compile *c)
{
	(void)unlink(c->cdb);
	(void)unlink(c->tmp);
	(void)rmdir(c->dir);
}

static int
text_open(struct compile *c, struct stat *st)
{
	c->text = open(c->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (c->text == -1 || fstat(c->text, st) == -1) {
		compile_error(c, "open", errno);
	} else if (!S_ISREG(st->st_mode)) {
		compile_error(c, "not a regular file", 0);
	} else
		return (0);
	if (c->text != -1)
		close(c->text);
	return (-1);
}

int
rules_compile(const char *path, struct stat *st,
    void (*report)(const char *, void *), void *arg)
{
	struct compile	c;
	int		fd = -1;

	memset(&c, 0, sizeof(c));
	c.path = path;
	c.report = report;
	c.arg = arg;
	if (text_open(&c, st) == -1)
		return (-1);
	if (directory_make(&c) == 0) {
		if (compiler_start(&c) == 0 &&
		    (fd = open(c.cdb, O_RDONLY | O_CLOEXEC)) == -1)
			compile_error(&c, c.cdb, errno);
		directory_remove(&c);
	}
	close(c.text);
	return (fd);
}

static void
recheck_report(const char *line, void *arg)
{
	log_warnx("%s; the old rules stay in force", line);
}

int
rules_text_recheck(struct service *sv)
{
	struct stat	st;
	int		fd, missing;

	memset(&st, 0, sizeof(st));
	missing = stat(sv->settings.rules_path, &st) == -1 && errno == ENOENT;
	if (parent_file_same(&st, &sv->rules_st))
		return (0);
	/* Whatever comes of it: not again before the next change. */
	sv->rules_st = st;
	if (missing && (sv->settings.flags & SERVICE_RULES_OPTIONAL))
		fd = -1;
	else if ((fd = rules_compile(sv->settings.rules_path, &sv->rules_st,
	    recheck_report, NULL)) == -1)
		return (0);
	if (sv->rules_fd != -1)
		close(sv->rules_fd);
	sv->rules_fd = fd;
	return (1);
}
