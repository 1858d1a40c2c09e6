/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * autoturnctl: the operator's words to a running autoturnd, and its answers
 * for people, programs and monitoring.
 */
#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "autoturnctl.h"
#include "json.h"
#include "local.h"
#include "sandbox.h"

#define ANSWER_TIMEOUT_S	60
#define CONTROL_PATH_DEFAULT	RUNDIR "/autoturnd.sock"
#define CONF_PATH_DEFAULT	SYSCONFDIR "/autoturnd.conf"

/* Of one queue's answer, until its end is known. */
struct lines {
	char	**list;
	size_t	  count;
};

/* What has become of a command. */
struct outcome {
	unsigned int	done;		/* queues that did it */
	unsigned int	missing;	/* to whom the name says nothing */
	unsigned int	failed;
	struct lines	why_missing;	/* of the first of those */
};

static int			json;
static struct daemon_links	daemon_links;
static int			begun;

static __dead void
usage(void)
{
	fputs("usage: autoturnctl [-j] [-f file] [-q directory] [-s socket] "
	    "command\n    [argument ...]\n", stderr);
	exit(EXIT_FAILED);
}

static const struct {
	enum action		action;
	enum control_type	type;
	int			order;	/* answers with a word at most */
} requests[] = {
	{ ACTION_EXPIRE, IMSG_CTL_EXPIRE, 1 },
	{ ACTION_EXPLAIN, IMSG_CTL_EXPLAIN, 0 },
	{ ACTION_HOLD, IMSG_CTL_HOLD, 1 },
	{ ACTION_PAUSE, IMSG_CTL_PAUSE, 1 },
	{ ACTION_RELEASE, IMSG_CTL_RELEASE, 1 },
	{ ACTION_RELOAD, IMSG_CTL_RELOAD, 1 },
	{ ACTION_RESUME, IMSG_CTL_RESUME, 1 },
	{ ACTION_RUN, IMSG_CTL_RUN, 1 },
	{ ACTION_SHOW_CUSTOMERS, IMSG_CTL_CUSTOMERS, 0 },
	{ ACTION_SHOW_METRICS, IMSG_CTL_STATS, 0 },
	{ ACTION_SHOW_QUARANTINE, IMSG_CTL_QUARANTINE, 0 },
	{ ACTION_SHOW_QUEUE, IMSG_CTL_QUEUE, 0 },
	{ ACTION_SHOW_RUNS, IMSG_CTL_RUNS, 0 },
	{ ACTION_SHOW_STATUS, IMSG_CTL_STATUS, 0 }
};

static size_t
request_index(const struct command *c)
{
	size_t	i;

	for (i = 0; i < nitems(requests) - 1; i++)
		if (requests[i].action == c->action)
			break;
	return (i);
}

static int
is_order(const struct command *c)
{
	return (requests[request_index(c)].order);
}

static void
command_send(const struct command *c, struct link *l)
{
	struct control_request	req;

	memset(&req, 0, sizeof(req));
	if (c->customer != NULL)
		strlcpy(req.customer, c->customer, sizeof(req.customer));
	if (c->message != NULL)
		strlcpy(req.message, c->message, sizeof(req.message));
	link_ask(l, requests[request_index(c)].type, &req, sizeof(req));
}

/*
 * Lines
 */

static void
line_keep(struct lines *lines, const char *text, size_t len)
{
	char	**more;

	more = reallocarray(lines->list, lines->count + 1, sizeof(*more));
	if (more == NULL || (more[lines->count] = strndup(text, len)) == NULL)
		err(EXIT_FAILED, "answer");
	lines->list = more;
	lines->count++;
}

static void
lines_say(struct lines *lines)
{
	size_t	i;

	for (i = 0; i < lines->count; i++) {
		answer_text(json, lines->list[i], strlen(lines->list[i]));
		free(lines->list[i]);
	}
	free(lines->list);
	memset(lines, 0, sizeof(*lines));
}

static void
line_say(const char *what, const char *why)
{
	char	*line;

	if (asprintf(&line, "%s: %s", what, why) == -1)
		err(EXIT_FAILED, "answer");
	answer_text(json, line, strlen(line));
	free(line);
}

/*
 * Answers
 */

static void
output_begin(const struct command *c, const struct output *out)
{
	if (!begun)
		out->begin(c, &daemon_links);
	begun = 1;
}

static void
view_next(struct view *v, struct spool_link *sp, int seconds)
{
	struct link_message	m;

	link_next(&sp->link, &m, seconds);
	if (view_decode(v, m.type, m.data, m.len) == -1)
		errx(EXIT_FAILED, "the daemon's message %u is not understood",
		    m.type);
	v->spool = sp->path;
}

/* A name that one spool does not know another may. */
static void
answer_end(const struct command *c, struct spool_link *sp, int error,
    struct lines *lines, struct outcome *o)
{
	if (error == ENOENT && (c->customer != NULL || c->message != NULL)) {
		if (o->missing++ == 0) {
			o->why_missing = *lines;
			memset(lines, 0, sizeof(*lines));
		}
		return;
	}
	if (error == 0)
		o->done++;
	else {
		o->failed++;
		if (lines->count == 0)
			line_say(sp->path, strerror(error));
	}
	lines_say(lines);
}

static void
spool_answer(const struct command *c, const struct output *out,
    struct spool_link *sp, struct outcome *o)
{
	struct lines	lines;
	struct view	v;
	size_t		shown = 0;
	int		seconds = is_order(c) ? 0 : ANSWER_TIMEOUT_S;

	memset(&lines, 0, sizeof(lines));
	for (;;) {
		view_next(&v, sp, seconds);
		switch (v.type) {
		case IMSG_CTL_END:
			answer_end(c, sp, v.u.answer.error, &lines, o);
			return;
		case IMSG_CTL_TEXT:
			line_keep(&lines, v.text, v.text_len);
			break;
		default:
			if (shown++ == 0) {
				output_begin(c, out);
				out->spool(c, sp, daemon_links.count);
			}
			out->show(c, &v);
			break;
		}
	}
}

static int
spool_is_meant(const struct command *c, const struct spool_link *sp)
{
	return (c->spool == NULL || strcmp(c->spool, sp->path) == 0);
}

static void
spool_ask(const struct command *c, const struct output *out,
    struct spool_link *sp, struct outcome *o)
{
	if (!sp->open) {
		line_say(sp->path, "its queue does not run just now");
		o->failed++;
		return;
	}
	command_send(c, &sp->link);
	spool_answer(c, out, sp, o);
}

static void
spools_ask(const struct command *c, const struct output *out,
    struct outcome *o)
{
	struct daemon_links	*dl = &daemon_links;
	size_t			 i;

	for (i = 0; i < dl->count; i++) {
		if (!spool_is_meant(c, dl->spools[i]))
			continue;
		spool_ask(c, out, dl->spools[i], o);
		/* One asks the parent for all. */
		if (c->action == ACTION_RELOAD && o->done + o->failed > 0 &&
		    dl->spools[i]->open)
			break;
	}
	if (o->done == 0 && o->failed == 0 && o->missing > 0) {
		lines_say(&o->why_missing);
		o->failed++;
	}
	if (o->done + o->failed == 0) {
		line_say(c->spool != NULL ? c->spool : "spools",
		    "there is none");
		o->failed++;
	}
}

/*
 * What strangers wrote passes through here, in an operator's name: from now
 * on this is confined as tcpserverd's engine is, which only reads and writes
 * what it holds.  On a bare host it goes on without.
 */
static void
confine(void)
{
	tzset();			/* reads a file, once */
	(void)sandbox_engine();
}

/* What could not be had is told apart, or is all there is to tell. */
static void
outcome_show(const struct command *c, const struct output *out,
    const struct outcome *o)
{
	if (!is_order(c) && (begun || o->failed == 0)) {
		output_begin(c, out);
		out->end(c);
	} else if (json)
		answer_put(o->failed == 0);
}

static int
command_run(const struct command *c, const char *path)
{
	const struct output	*out;
	struct outcome		 o;

	if (c->action == ACTION_SHOW_METRICS)
		out = &output_metrics;
	else
		out = json ? &output_json : &output_table;
	memset(&o, 0, sizeof(o));
	daemon_connect(&daemon_links, path);
	confine();
	spools_ask(c, out, &o);
	outcome_show(c, out, &o);
	answer_flush();
	return (o.failed == 0 ? 0 : EXIT_FAILED);
}

/* What needs no daemon, or -1. */
static int
local_run(const struct command *c, const struct local_options *o)
{
	int	status;

	if (json && (c->action == ACTION_ADD || c->action == ACTION_CHECK ||
	    c->action == ACTION_IMPORT))
		errx(EXIT_FAILED, "add, check and import have no -j");
	switch (c->action) {
	case ACTION_ADD:
		status = local_add(o, c->customer, c->address, c->domain,
		    c->spool);
		break;
	case ACTION_CHECK:
		status = local_check(o, c->customer);
		break;
	case ACTION_IMPORT:
		status = local_import(o, c->spool);
		break;
	default:
		return (-1);
	}
	if (fflush(stdout) == EOF)
		err(EXIT_FAILED, "stdout");
	return (status);
}

int
main(int argc, char *argv[])
{
	struct local_options	 local = { CONF_PATH_DEFAULT,
				    QMAIL_DIR_DEFAULT, 0, stdout, stderr };
	const char		*path = CONTROL_PATH_DEFAULT;
	struct command		 c;
	int			 letter, status;

	while ((letter = getopt(argc, argv, "+f:jq:s:")) != -1)
		switch (letter) {
		case 'f':
			local.conf_path = optarg;
			break;
		case 'q':
			local.qmail_dir = optarg;
			local.qmail_wanted = 1;
			break;
		case 'j':
			json = 1;
			break;
		case 's':
			path = optarg;
			break;
		default:
			usage();
		}
	if (optind == argc)
		usage();
	if (command_parse(&c, argv + optind, stderr) == -1)
		return (EXIT_FAILED);
	if ((status = local_run(&c, &local)) != -1)
		return (status);
	return (command_run(&c, path));
}
