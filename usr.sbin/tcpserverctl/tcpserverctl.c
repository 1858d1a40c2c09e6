/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * tcpserverctl: the operator's words to a running tcpserverd, and its
 * answers for people, programs and monitoring.
 */
#include <sys/types.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "daemon.h"
#include "import.h"
#include "link.h"
#include "sandbox.h"
#include "tcpserverctl.h"

#define ANSWER_TIMEOUT_S	60

static int		 json;
static int		 begun;
static struct link	 daemon_link;

static __dead void
usage(void)
{
	fputs("usage: tcpserverctl [-j] [-s socket] command "
	    "[argument ...]\n", stderr);
	exit(EXIT_FAILED);
}

/*
 * Requests
 */

static void
request_send(uint32_t type, const struct command *c, uint32_t value)
{
	struct control_request	req;

	memset(&req, 0, sizeof(req));
	req.session = c->session;
	req.value = value;
	strlcpy(req.service, c->service, sizeof(req.service));
	link_ask(&daemon_link, type, &req, sizeof(req));
}

static void
check_send(const struct command *c)
{
	struct control_check	chk;

	memset(&chk, 0, sizeof(chk));
	strlcpy(chk.service, c->service, sizeof(chk.service));
	chk.client = c->address;
	if (c->host != NULL) {
		chk.has_host = 1;
		strlcpy(chk.host, c->host, sizeof(chk.host));
	}
	if (c->info != NULL) {
		chk.has_info = 1;
		strlcpy(chk.info, c->info, sizeof(chk.info));
	}
	link_ask(&daemon_link, IMSG_CTL_CHECK, &chk, sizeof(chk));
}

static const struct {
	enum action		action;
	enum control_type	type;
	uint32_t		value;
} requests[] = {
	{ ACTION_CONTINUE, IMSG_CTL_CONTINUE, 0 },
	{ ACTION_DRAIN, IMSG_CTL_DRAIN, 0 },
	{ ACTION_KILL, IMSG_CTL_KILL, 0 },
	{ ACTION_LOG_BRIEF, IMSG_CTL_LOG, 0 },
	{ ACTION_LOG_VERBOSE, IMSG_CTL_LOG, 1 },
	{ ACTION_MONITOR, IMSG_CTL_MONITOR, 0 },
	{ ACTION_PAUSE, IMSG_CTL_PAUSE, 0 },
	{ ACTION_RELOAD, IMSG_CTL_RELOAD, 0 },
	{ ACTION_SHOW_METRICS, IMSG_CTL_STATS, 0 },
	{ ACTION_SHOW_RULES, IMSG_CTL_RULES, 0 },
	{ ACTION_SHOW_SERVICES, IMSG_CTL_SERVICES, 0 },
	{ ACTION_SHOW_SESSION, IMSG_CTL_SESSION, 0 },
	{ ACTION_SHOW_SESSIONS, IMSG_CTL_SESSIONS, 0 },
	{ ACTION_SHOW_STATS, IMSG_CTL_STATS, 0 },
	{ ACTION_SHOW_STATUS, IMSG_CTL_STATUS, 0 }
};

static void
command_send(const struct command *c)
{
	size_t	i;

	if (c->action == ACTION_CHECK) {
		check_send(c);
		return;
	}
	for (i = 0; i < nitems(requests); i++)
		if (requests[i].action == c->action)
			request_send(requests[i].type, c, requests[i].value);
}

/* What is done, and answers with a word at most. */
static int
is_order(const struct command *c)
{
	switch (c->action) {
	case ACTION_CONTINUE:
	case ACTION_DRAIN:
	case ACTION_KILL:
	case ACTION_LOG_BRIEF:
	case ACTION_LOG_VERBOSE:
	case ACTION_PAUSE:
	case ACTION_RELOAD:
		return (1);
	default:
		return (0);
	}
}

/* Commands may take long; only the parent knows when they are done. */
static int
answer_timeout(const struct command *c)
{
	return (is_order(c) || c->action == ACTION_MONITOR ? 0 :
	    ANSWER_TIMEOUT_S);
}

/*
 * Answers
 */

static void
view_next(struct view *v, int seconds)
{
	struct link_message	m;

	link_next(&daemon_link, &m, seconds);
	if (view_decode(v, m.type, m.data, m.len) == -1)
		errx(EXIT_FAILED, "the daemon's message %u is not understood",
		    m.type);
}

static void
output_begin(const struct command *c, const struct output *out)
{
	if (!begun)
		out->begin(c);
	begun = 1;
}

static int
answer_end(const struct command *c, const struct output *out, int error)
{
	if (json && (is_order(c) || (error != 0 && !begun))) {
		answer_put(error == 0);
	} else if (error == 0 && !is_order(c)) {
		output_begin(c, out);
		out->end(c);
	}
	if (error == 0)
		return (0);
	if (!json && answer_texts() == 0 && begun)
		warnx("the daemon's answer is not complete: %s",
		    strerror(error));
	return (EXIT_FAILED);
}

static int
verdict_exit(const struct view *v)
{
	switch (v->u.verdict.result) {
	case RESULT_ALLOWED_RULE:
	case RESULT_ALLOWED_DEFAULT:
	case RESULT_CLOSED_RULE:
	case RESULT_CLOSED_DEFAULT:
		return (0);
	default:
		return (EXIT_AWAY);
	}
}

static int
answer_show(const struct command *c, const struct output *out)
{
	struct view	v;
	int		code = 0;

	for (;;) {
		view_next(&v, answer_timeout(c));
		switch (v.type) {
		case IMSG_CTL_END:
			if (v.u.answer.error != 0 || code == 0)
				code = answer_end(c, out, v.u.answer.error);
			else
				(void)answer_end(c, out, 0);
			answer_flush();
			return (code);
		case IMSG_CTL_TEXT:
			answer_text(json, v.text, v.text_len);
			break;
		default:
			output_begin(c, out);
			out->show(c, &v);
			if (v.type == IMSG_CTL_ROW && v.row == ROW_VERDICT)
				code = verdict_exit(&v);
			if (c->action == ACTION_MONITOR)
				answer_flush();
			break;
		}
	}
}

/*
 * What strangers are called passes through here, in an operator's name, and
 * monitor runs for days: from now on this is confined as the engine is, which
 * only reads and writes what it holds.  A check may have to open the rules'
 * text.  On a bare host it goes on without.
 */
static void
confine(const struct command *c)
{
	tzset();			/* reads a file, once */
	if (c->action != ACTION_CHECK)
		(void)sandbox_engine();
}

static int
command_run(const struct command *c, const char *path)
{
	const struct output	*out;

	if (c->action == ACTION_SHOW_METRICS)
		out = &output_metrics;
	else
		out = json ? &output_json : &output_table;
	link_connect(&daemon_link, path);
	link_hello(&daemon_link, CONTROL_VERSION);
	confine(c);
	command_send(c);
	return (answer_show(c, out));
}

/* Its codes are ours: 1 if something was left out, 2 if there is nothing. */
static int
import_run(const char *file)
{
	int	code = import_file(file, stdout, stderr);

	answer_flush();
	return (code);
}

int
main(int argc, char *argv[])
{
	const char	*path = CONTROL_PATH_DEFAULT;
	struct command	 c;
	int		 letter;

	while ((letter = getopt(argc, argv, "+js:")) != -1)
		switch (letter) {
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
	if (c.action == ACTION_IMPORT)
		return (import_run(c.file));
	return (command_run(&c, path));
}
