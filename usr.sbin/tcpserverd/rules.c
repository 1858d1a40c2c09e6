/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Judging by rules the engine can't open itself.  It holds a private copy
 * and the descriptor it came from; before a burst of clients is judged it
 * looks whether the file behind the descriptor is still the one in use, and
 * if not, asks the parent for the file again.  So the next connection after
 * tcprules(1) returned meets the new rules.  What the descriptor can't show
 * (a directory renamed or closed to us) the parent tells with its signs of
 * life, see accept.c.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "network.h"

#define RULES_ANSWER_TIMEOUT_S	10

static void
rules_close(struct service *sv)
{
	if (sv->access != NULL)
		access_close(sv->access);
	sv->access = NULL;
	if (sv->rules_fd != -1)
		close(sv->rules_fd);
	sv->rules_fd = -1;
}

/* Nobody is let in on rules that could not be read. */
static void
judging_drop(struct service *sv, int errnum)
{
	struct client	*c;

	while ((c = TAILQ_FIRST(&sv->judging)) != NULL) {
		TAILQ_REMOVE(&sv->judging, c, entry);
		client_drop(c, RESULT_DROPPED_RULES, "unable to read %s: %s",
		    sv->settings.rules_path, ucspi_strerror(errnum));
	}
}

static void
rules_timeout(int fd, short event, void *arg)
{
	struct service	*sv = arg;

	sv->rules_waiting = 0;
	judging_drop(sv, ETIMEDOUT);
	control_rules_known(sv, ETIMEDOUT);
	engine_turn(sv);
}

void
rules_forget(struct service *sv)
{
	rules_close(sv);
	sv->rules_ask_always = 0;
}

void
rules_init(struct service *sv)
{
	sv->rules_fd = -1;
	TAILQ_INIT(&sv->judging);
	evtimer_set(&sv->rules_timer, rules_timeout, sv);
}

static void
rules_ask(struct service *sv)
{
	struct timeval	tv = { RULES_ANSWER_TIMEOUT_S, 0 };

	if (channel_send(&engine_parent, IMSG_PARENT_RULES_WANTED, sv->number,
	    -1, NULL, 0) == -1) {
		judging_drop(sv, errno);
		return;
	}
	sv->rules_waiting = 1;
	evtimer_add(&sv->rules_timer, &tv);
}

/* Remembers the variables: the rules may be gone when the client starts. */
static int
variables_keep(struct client *c, const struct access_verdict *v)
{
	const char	*var;
	size_t		 pos = 0, len = 0;
	char		*buf;

	if (v->data_len == 0)
		return (0);
	if ((buf = malloc(v->data_len)) == NULL)
		return (-1);
	while ((var = access_variable(v, &pos)) != NULL) {
		memcpy(buf + len, var, strlen(var) + 1);
		len += strlen(var) + 1;
	}
	c->variables = buf;
	c->variables_len = len;
	return (0);
}

static void
client_allow(struct client *c)
{
	if (c->service->settings.flags & SERVICE_CLOSE) {
		client_close(c);
		return;
	}
	c->state = CLIENT_START;
	TAILQ_INSERT_TAIL(&c->service->starting, c, entry);
}

/* As rules spell it: a network's key is for lookups only. */
static char *
rule_text(const uint8_t *key, size_t len)
{
	char	network[NETADDR_TEXT_SIZE + 4];

	if (network_key_text(key, len, network, sizeof(network)) == 0)
		return (strdup(network));
	return (strndup((const char *)key, len));
}

/* For the log and tcpserverctl(8); the classic lines don't name it. */
static void
rule_keep(struct client *c, const struct access_verdict *v)
{
	if ((c->service->settings.flags & SERVICE_CLASSIC) ||
	    v->answer == ACCESS_DEFAULT)
		return;
	c->rule = rule_text(v->key, v->key_len);
}

static void
client_judge(struct client *c)
{
	struct service		*sv = c->service;
	struct access_client	 who;
	struct access_verdict	 verdict;
	char			 ip[NETADDR_TEXT_SIZE];

	who.family = c->remote.family;
	who.bytes = c->remote.bytes;
	who.ip = netaddr_text(&c->remote, ip);
	who.host = c->remote_name;
	who.info = c->info;
	if (access_check(sv->access, &who, &verdict) == -1) {
		client_drop(c, RESULT_DROPPED_RULES, "unable to read %s: %s",
		    sv->settings.rules_path, ucspi_strerror(errno));
		return;
	}
	rule_keep(c, &verdict);
	if (verdict.answer == ACCESS_DENY)
		client_deny(c);
	else if (variables_keep(c, &verdict) == -1)
		client_drop(c, RESULT_DROPPED_MEMORY, "%s",
		    ucspi_strerror(ENOMEM));
	else
		client_allow(c);
}

static void
judging_run(struct service *sv)
{
	struct client	*c;

	while ((c = TAILQ_FIRST(&sv->judging)) != NULL) {
		TAILQ_REMOVE(&sv->judging, c, entry);
		if (sv->access == NULL)
			client_allow(c);
		else
			client_judge(c);
	}
}

static int
rules_stale(const struct service *sv)
{
	return ((sv->settings.flags & SERVICE_RULES) &&
	    (sv->access == NULL || sv->rules_ask_always ||
	    access_changed(sv->access, sv->rules_fd)));
}

void
rules_judge(struct service *sv)
{
	if (TAILQ_EMPTY(&sv->judging) || sv->rules_waiting)
		return;
	if (rules_stale(sv))
		rules_ask(sv);
	else
		judging_run(sv);
}

int
rules_want(struct service *sv)
{
	if (sv->rules_waiting)
		return (0);
	if (!(sv->settings.flags & SERVICE_RULES))
		return (1);
	/* Of a service that is just being configured: soon. */
	if (!evtimer_initialized(&sv->rules_timer)) {
		errno = EAGAIN;
		return (-1);
	}
	rules_ask(sv);
	return (sv->rules_waiting ? 0 : -1);
}

/* Takes fd in any case. */
static int
rules_install(struct service *sv, int fd)
{
	struct access	*a;

	if ((a = access_open(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	(void)access_lengths_learn(a);
	rules_close(sv);
	sv->access = a;
	sv->rules_fd = fd;
	sv->rules_reads++;
	sv->rules_read_at = time(NULL);
	return (0);
}

/* The parent's file is the one in use already: nothing to read again. */
static int
rules_same(struct service *sv, int fd)
{
	struct stat	ours, theirs;

	if (sv->access == NULL || fstat(sv->rules_fd, &ours) == -1 ||
	    fstat(fd, &theirs) == -1 || ours.st_dev != theirs.st_dev ||
	    ours.st_ino != theirs.st_ino || access_changed(sv->access, fd))
		return (0);
	close(fd);
	return (1);
}

static int
rules_take(struct service *sv, struct imsg *imsg)
{
	struct rules_answer	answer;
	int			fd;

	if (imsg_get_data(imsg, &answer, sizeof(answer)) == -1)
		fatalx("rules from the parent: %zu bytes", imsg_get_len(imsg));
	sv->rules_ask_always = answer.ask_always;
	if (answer.error != 0)
		return (answer.error);
	if ((fd = imsg_get_fd(imsg)) == -1)
		return (EMFILE);
	if (rules_same(sv, fd))
		return (0);
	return (rules_install(sv, fd) == -1 ? errno : 0);
}

void
rules_answered(struct service *sv, struct imsg *imsg)
{
	int	errnum = 0;

	/* They may have been taken away meanwhile. */
	if (sv->settings.flags & SERVICE_RULES)
		errnum = sv->rules_error = rules_take(sv, imsg);
	if (errnum != 0)
		rules_close(sv);
	if (!sv->rules_waiting)
		return;			/* not asked for: the path changed */
	sv->rules_waiting = 0;
	evtimer_del(&sv->rules_timer);
	if (errnum == 0 || (errnum == ENOENT &&
	    (sv->settings.flags & SERVICE_RULES_OPTIONAL)))
		judging_run(sv);
	else
		judging_drop(sv, errnum);
	control_rules_known(sv, errnum);
}
