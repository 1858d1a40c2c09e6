/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * maildirserial: has a client deliver what waits in a Maildir, until nothing
 * does.  A message is removed when the client said that it was accepted, or
 * when its sender was told that it wasn't, and at no other time.
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
#include <time.h>
#include <unistd.h>

#include "maildir.h"
#include "maildirserial.h"
#include "message.h"
#include "ucspi.h"

#define LETTERS		"bt:"
#define USAGE	\
	"maildirserial: usage: maildirserial [ -b ] [ -t seconds ] " \
	"dir prefix client [ arg ... ]\n"
#define LIFETIME_DIGITS_MAX	9
#define ROUNDS_MAX	3	/* of the client in a row without a result */

struct run {
	int			 bounces;
	time_t			 lifetime;	/* -1: no end to it */
	const char		*dir;
	const char		*prefix;
	struct site		 site;
	int			 dirfd;
	struct maildir_list	 list;
	size_t			 next;		/* in the list */
	int			 rounds;	/* left without a result */
	size_t			 left;		/* that stay in the Maildir */
	size_t			 others;
	char			*others_one;	/* of them, for the log */
	struct message_file	 file;
};

static __dead void
usage(void)
{
	fputs(USAGE, stderr);
	exit(UCSPI_EXIT_USAGE);
}

static void
message_note(const char *name, time_t mtime, enum message_state state)
{
	if (messages_set(name, mtime, state) == NULL)
		log_fatal("out of memory");
}

/* The message stays; in this run nobody asks for it again. */
static void
message_keep(struct run *run, const char *name)
{
	message_note(name, 0, MESSAGE_KEPT);
	run->left++;
}

/* Of the scan, once for each name: what can't be delivered, and why. */
static void
report_unusable(void *arg, const char *name, const char *why)
{
	struct run	*run = arg;

	if (messages_find(name) != NULL)
		return;
	log_warn("unable to use %s: %s", log_name(name), why);
	message_keep(run, name);
}

static void
report_tmp(void *arg, const char *name, const char *why)
{
	if (messages_find(name) != NULL)
		return;
	log_warn("unable to clean up %s: %s", log_name(name), why);
	message_note(name, 0, MESSAGE_OTHER);
}

static void
message_other(struct run *run, const char *name)
{
	message_note(name, 0, MESSAGE_OTHER);
	if (run->others++ == 0 && (run->others_one = strdup(name)) == NULL)
		log_fatal("out of memory");
}

/* Whether the message has a recipient with the prefix. */
static int
message_is_ours(struct run *run, const char *name)
{
	struct message_file	*m = &run->file;

	if (message_open(m, run->dirfd, name, run->prefix) == -1) {
		if (errno == ENOENT)
			log_warn("%s is gone", log_name(name));
		else
			report_unusable(run, name, m->why);
		return (0);
	}
	close(m->fd);
	switch (m->verdict) {
	case HEAD_OK:
		return (1);
	case HEAD_OTHER:
		message_other(run, name);
		return (0);
	case HEAD_BAD:
		break;
	}
	report_unusable(run, name, m->head.why);
	return (0);
}

/* The next file of the list that the client is to be told of, or NULL. */
static const char *
run_next(void *arg)
{
	struct run			*run = arg;
	const struct maildir_file	*file;
	const struct message		*known;

	while (run->next < run->list.count) {
		file = &run->list.files[run->next++];
		known = messages_find(file->name);
		if (known != NULL && message_state(known) != MESSAGE_TOLD)
			continue;
		/* Without a prefix heads are the client's business. */
		if (known == NULL && *run->prefix != '\0' &&
		    !message_is_ours(run, file->name))
			continue;
		message_note(file->name, file->mtime, MESSAGE_TOLD);
		return (file->name);
	}
	return (NULL);
}

static void
message_remove(struct run *run, const char *name)
{
	if (unlinkat(run->dirfd, name, 0) == -1 && errno != ENOENT) {
		log_warn("unable to unlink %s: %s; it will be delivered again",
		    log_name(name), ucspi_strerror(errno));
		message_keep(run, name);
		return;
	}
	messages_forget(messages_find(name));
}

/* Whether the sender was told, or nobody has to be. */
static int
message_bounce(struct run *run, const struct bounce *bounce)
{
	enum bounce_result	result;
	const char		*name;
	pid_t			 pid;

	result = bounce_send(&run->site, run->dirfd, bounce, &pid);
	if (result == BOUNCE_FAILED)
		return (0);
	name = log_name(bounce->name);
	log_info("%s bounced: %s", name, log_text(bounce->text));
	if (result == BOUNCE_SENT)
		log_info("returned %s: qp %ld", name, (long)pid);
	else
		log_info("discarding %s: triple bounce", name);
	return (1);
}

static void
message_fail(struct run *run, const char *name, time_t mtime, const char *text,
    int expired)
{
	struct bounce	bounce = { name, mtime, run->prefix, text, expired };

	if (run->bounces && message_bounce(run, &bounce)) {
		message_remove(run, name);
		return;
	}
	log_info("%s failed: %s", log_name(name), log_text(text));
	message_keep(run, name);
}

/* One that vanished meanwhile is not left. */
static void
message_defer(struct run *run, const char *name, const char *text)
{
	struct stat	st;

	log_info("%s failed temporarily: %s", log_name(name), log_text(text));
	if (fstatat(run->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT)
		messages_forget(messages_find(name));
	else
		message_keep(run, name);
}

static int
run_expired(const struct run *run, time_t mtime)
{
	return (run->lifetime != -1 && time(NULL) - mtime > run->lifetime);
}

static void
run_result(void *arg, const char *name, int status, const char *text)
{
	struct run	*run = arg;
	struct message	*m;
	time_t		 mtime;

	m = messages_find(name);
	if (m == NULL || message_state(m) != MESSAGE_TOLD) {
		log_warn("the client has a result for %s, which it was not "
		    "to deliver", log_name(name));
		return;
	}
	run->rounds = ROUNDS_MAX;
	mtime = message_mtime(m);
	name = message_name(m);
	if (status == 'K') {
		log_info("%s succeeded: %s", log_name(name), log_text(text));
		message_remove(run, name);
	} else if (status == 'D')
		message_fail(run, name, mtime, text, 0);
	else if (run_expired(run, mtime))
		message_fail(run, name, mtime, text, 1);
	else
		message_defer(run, name, text);
}

/* One client, from the first message that can be delivered to the last. */
static int
run_round(struct run *run, char **argv)
{
	struct client_calls	 calls = { run_next, run_result, run };
	const char		*first;
	int			 status;

	maildir_clean(run->dirfd, time(NULL), report_tmp, run);
	if (maildir_scan(&run->list, run->dirfd, time(NULL), report_unusable,
	    run) == -1)
		log_fatal("unable to scan %s/new: %s", log_name(run->dir),
		    ucspi_strerror(errno));
	run->next = 0;
	if ((first = run_next(run)) == NULL)
		return (0);
	status = client_run(argv, first, &calls);
	if (WIFEXITED(status) && WEXITSTATUS(status) == UCSPI_EXIT_USAGE)
		exit(UCSPI_EXIT_USAGE);
	if (--run->rounds == 0)
		log_fatal("making no progress, giving up");
	return (1);
}

/* A word after the number may not turn weeks into seconds. */
static time_t
lifetime_parse(const char *arg)
{
	size_t	len;

	len = strspn(arg, "0123456789");
	if (len == 0 || len > LIFETIME_DIGITS_MAX || arg[len] != '\0') {
		fprintf(stderr, "maildirserial: -t wants a number of seconds: "
		    "%s\n", log_name(arg));
		usage();
	}
	return ((time_t)ucspi_scan_ulong(arg));
}

static void
run_options(struct run *run, char ***argv)
{
	struct ucspi_option	option;
	int			letter;

	run->lifetime = -1;
	ucspi_option_init(&option, *argv, LETTERS);
	while ((letter = ucspi_option_next(&option)) != -1) {
		if (letter == 'b')
			run->bounces = 1;
		else if (letter == 't')
			run->lifetime = lifetime_parse(option.arg);
		else
			usage();
	}
	*argv += option.ind;
	if ((*argv)[0] == NULL || (*argv)[1] == NULL || (*argv)[2] == NULL)
		usage();
	run->dir = (*argv)[0];
	run->prefix = (*argv)[1];
	*argv += 2;
}

int
main(int argc, char *argv[])
{
	static struct run	run;

	run_options(&run, &argv);
	run.rounds = ROUNDS_MAX;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	if (chdir(run.dir) == -1)
		log_fatal("unable to chdir to %s: %s", log_name(run.dir),
		    ucspi_strerror(errno));
	run.dirfd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run.dirfd == -1)
		log_fatal("unable to open %s: %s", log_name(run.dir),
		    ucspi_strerror(errno));
	if (run.bounces)
		site_read(&run.site);
	while (run_round(&run, argv))
		continue;
	if (run.others > 0)
		log_info("left alone: %zu for others than %s, such as %s",
		    run.others, log_name(run.prefix),
		    log_name(run.others_one));
	return (run.left > 0 ? UCSPI_EXIT_TEMPORARY : 0);
}
