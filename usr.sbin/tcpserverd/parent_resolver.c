/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The parent's dealings with the resolver: its start, its askers, a host
 * word of the command line, and a new resolver when the files that the old
 * one read have changed.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "../../libexec/tcpserverd-resolver/resolver.h"

#define RESOLV_CONF	"/etc/resolv.conf"
#define REWRITE_FILE	"/etc/dnsrewrite"

static struct process	*resolver;

/* What the resolver read at its start, as it was then; zero: not there. */
static struct {
	const char	*path;
	struct stat	 st;
} sources[] = {
	{ .path = RESOLV_CONF },
	{ .path = REWRITE_FILE }
};

/* A channel between the resolver and one who asks it: the asker's end. */
static int
asker_open(void)
{
	int	sv[2];

	if (resolver == NULL || !resolver->greeted || socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return (-1);
	if (channel_send(&resolver->ch, IMSG_RESOLVER_ASKER, 0, sv[0], NULL,
	    0) == -1) {
		close(sv[0]);
		close(sv[1]);
		return (-1);
	}
	return (sv[1]);
}

void
resolver_meets_engine(struct process *engine)
{
	int	fd;

	if (engine == NULL || !engine->ready || resolver == NULL ||
	    !resolver->greeted)
		return;
	if ((fd = asker_open()) == -1) {
		/* The next one will be met again. */
		log_warn("channel of engine and resolver");
		process_kill(resolver);
		return;
	}
	if (channel_send(&engine->ch, IMSG_ENGINE_RESOLVER, resolver->number,
	    fd, NULL, 0) == -1)
		close(fd);
}

/*
 * Files
 */

static void
source_stat(const char *path, struct stat *st)
{
	if (stat(path, st) == -1)
		memset(st, 0, sizeof(*st));
}

static void
sources_note(void)
{
	const char	*rewrite = getenv("DNSREWRITEFILE");
	size_t		 i;

	if (rewrite != NULL)
		sources[nitems(sources) - 1].path = rewrite;
	for (i = 0; i < nitems(sources); i++)
		source_stat(sources[i].path, &sources[i].st);
}

static int
sources_changed(void)
{
	struct stat	st;
	size_t		i;

	for (i = 0; i < nitems(sources); i++) {
		source_stat(sources[i].path, &st);
		if (!parent_file_same(&st, &sources[i].st))
			return (1);
	}
	return (0);
}

/*
 * It reads its files once, before it gives up the file system; what it has
 * not answered the engine asks the new one.
 */
void
resolver_recheck(void)
{
	if (resolver == NULL || !resolver->greeted || !sources_changed())
		return;
	sources_note();
	process_replace(resolver);
}

void
resolver_useless(uint32_t number)
{
	if (resolver != NULL && resolver->number == number)
		process_kill(resolver);
}

static int
resolver_start(void)
{
	if (resolver != NULL)
		return (0);
	if ((resolver = process_new(PROCESS_RESOLVER, NULL)) == NULL)
		return (-1);
	sources_note();
	process_start(resolver);
	return (0);
}

void
resolver_run(int wanted)
{
	if (wanted && resolver_start() == -1)
		fatal("resolver");
	if (!wanted && resolver != NULL) {
		process_retire(resolver);
		resolver = NULL;
	}
}

/*
 * A host word
 */

struct answer {
	struct resolver_addresses	*addresses;
	int				 done;		/* -1: failed */
};

static int
parent_dispatch_answer(struct channel *ch, struct imsg *imsg)
{
	struct answer	*a = ch->arg;

	if (imsg_get_type(imsg) != IMSG_RESOLVER_ADDRESSES ||
	    imsg_get_data(imsg, a->addresses, sizeof(*a->addresses)) == -1 ||
	    a->addresses->count > RESOLVER_ADDRS_MAX)
		return (-1);
	a->done = 1;
	return (0);
}

static void
parent_lost_answer(struct channel *ch)
{
	struct answer	*a = ch->arg;

	if (a->done == 0)
		a->done = -1;
}

static int
resolver_wait_ready(void)
{
	if (resolver_start() == -1)
		return (-1);
	while ((!resolver->greeted && resolver->pid != 0) ||
	    processes_stopping)
		event_loop(EVLOOP_ONCE);
	return (resolver->greeted ? 0 : -1);
}

int
parent_resolve(const struct resolver_host *host,
    struct resolver_addresses *addresses)
{
	struct channel	ch;
	struct answer	a = { addresses, 0 };
	int		fd;

	if (resolver_wait_ready() == -1 || (fd = asker_open()) == -1)
		return (-1);
	if (channel_init(&ch, fd, parent_dispatch_answer, parent_lost_answer,
	    &a) == -1) {
		close(fd);
		return (-1);
	}
	if (channel_send(&ch, IMSG_RESOLVER_HOST, 0, -1, host,
	    sizeof(*host)) == -1)
		a.done = -1;
	/* Told to stop meanwhile: it is the loop that exits. */
	while (a.done == 0 || processes_stopping)
		event_loop(EVLOOP_ONCE);
	channel_close(&ch);
	return (a.done == 1 ? 0 : -1);
}
