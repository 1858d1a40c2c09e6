/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What is looked up about a connection, for whom, and how far it is.  All
 * parts of a lookup run at once; each lookup waits for its own parts only.
 */
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ident.h"
#include "lookup.h"
#include "privsep.h"
#include "resolver.h"

#define ASKERS_MAX		64
/* A connection's names are at most local, remote, and remote checked. */
#define QUESTIONS_MAX		(3 * RESOLVER_PENDING_MAX)

struct asker {
	struct channel		 ch;
	TAILQ_HEAD(, job)	 jobs;
	int			 busy;		/* its message is at work */
	int			 failed;	/* can't be answered any more */
};

struct job {
	TAILQ_ENTRY(job)	 entry;
	struct asker		*asker;
	uint32_t		 id;
	unsigned int		 waiting;	/* parts, and whoever starts */
	struct resolver_lookup	 lookup;
	struct resolver_found	 found;
	struct name_query	 local;
	struct name_query	 remote;
	struct name_query	 forward;
	struct ident		 ident;
	struct name_host	*host;		/* of a host word only */
};

static struct name_pool			*pool;
static const struct name_config		*config;
static unsigned int			 askers;
static unsigned int			 jobs;

void
lookup_init(struct name_pool *names, const struct name_config *conf)
{
	pool = names;
	config = conf;
}

/*
 * Askers
 */

static void
job_free(struct job *job)
{
	TAILQ_REMOVE(&job->asker->jobs, job, entry);
	name_query_cancel(&job->local);
	name_query_cancel(&job->remote);
	name_query_cancel(&job->forward);
	ident_cancel(&job->ident);
	if (job->host != NULL)
		name_host_cancel(job->host);
	free(job->host);
	free(job);
	jobs--;
}

static void
asker_free(struct asker *asker)
{
	struct job	*job;

	while ((job = TAILQ_FIRST(&asker->jobs)) != NULL)
		job_free(job);
	channel_close(&asker->ch);
	free(asker);
	askers--;
}

static void
asker_lost(struct channel *ch)
{
	asker_free(ch->arg);
}

/*
 * An answer on its way.  An asker that does not read is not waited for; it
 * goes at once, or when its message that is at work is done with.
 */
static void
asker_answer(struct asker *asker, uint32_t type, uint32_t id,
    const void *data, size_t len)
{
	if (asker->failed)
		return;
	if (imsgbuf_queuelen(&asker->ch.ibuf) <= RESOLVER_PENDING_MAX) {
		if (channel_send(&asker->ch, type, id, -1, data, len) == 0)
			return;
		log_warn("asker dropped, unable to answer");
	} else
		log_warnx("asker dropped, it does not read its answers");
	asker->failed = 1;
	if (!asker->busy)
		asker_free(asker);
}

/*
 * Connections
 */

static struct job *
job_new(struct asker *asker, uint32_t id)
{
	struct job	*job;

	if (jobs >= RESOLVER_PENDING_MAX ||
	    name_pool_pending(pool) >= QUESTIONS_MAX)
		return (NULL);
	if ((job = calloc(1, sizeof(*job))) == NULL)
		return (NULL);
	jobs++;
	job->asker = asker;
	job->id = id;
	job->waiting = 1;
	job->ident.fd = -1;
	TAILQ_INSERT_TAIL(&asker->jobs, job, entry);
	return (job);
}

/* One who waited for the job does so no longer; the last one ends it. */
static void
job_part_done(struct job *job)
{
	struct resolver_found	 found;
	struct asker		*asker = job->asker;
	uint32_t		 id = job->id;

	if (--job->waiting > 0)
		return;
	found = job->found;
	job_free(job);
	asker_answer(asker, IMSG_RESOLVER_FOUND, id, &found, sizeof(found));
}

static void
found_name(struct job *job, uint32_t bit, char *to, const char *name)
{
	job->found.found |= bit;
	(void)strlcpy(to, name, RESOLVER_NAME_SIZE);
}

static void
job_local_done(struct name_query *query, const struct name_answer *answer)
{
	struct job	*job = query->arg;

	if (answer->name[0] != '\0')
		found_name(job, RESOLVER_LOCAL_NAME, job->found.local_name,
		    answer->name);
	job_part_done(job);
}

/* Does the remote name lead back to the remote address? */
static void
job_forward_done(struct name_query *query, const struct name_answer *answer)
{
	struct job		*job = query->arg;
	const struct netaddr	*remote = &job->lookup.remote;
	unsigned int		 i;

	for (i = 0; i < answer->count; i++) {
		if (answer->addr[i].family == remote->family &&
		    memcmp(answer->addr[i].bytes, remote->bytes,
		    sizeof(remote->bytes)) == 0)
			break;
	}
	if (i == answer->count) {
		job->found.found &= ~(uint32_t)RESOLVER_REMOTE_NAME;
		memset(job->found.remote_name, 0,
		    sizeof(job->found.remote_name));
	}
	job_part_done(job);
}

static void
job_remote_done(struct name_query *query, const struct name_answer *answer)
{
	struct job	*job = query->arg;
	uint16_t	 type;

	if (answer->name[0] == '\0') {
		job_part_done(job);
		return;
	}
	found_name(job, RESOLVER_REMOTE_NAME, job->found.remote_name,
	    answer->name);
	if ((job->lookup.what & RESOLVER_PARANOID) == 0) {
		job_part_done(job);
		return;
	}
	type = job->lookup.remote.family == AF_INET6 ? NAME_TYPE_AAAA :
	    NAME_TYPE_A;
	job->forward.done = job_forward_done;
	job->forward.arg = job;
	name_query_text(pool, &job->forward, job->found.remote_name, type);
}

static void
job_ident_done(struct ident *ident, const char *info)
{
	struct job	*job = ident->arg;

	if (info != NULL) {
		job->found.found |= RESOLVER_IDENT;
		(void)strlcpy(job->found.info, info, sizeof(job->found.info));
	}
	job_part_done(job);
}

/* The starter's own share of waiting keeps job alive until its end. */
static void
job_start(struct job *job)
{
	uint32_t	what = job->lookup.what;

	if ((what & RESOLVER_LOCAL_NAME) != 0) {
		job->waiting++;
		job->local.done = job_local_done;
		job->local.arg = job;
		name_query_ptr(pool, &job->local, &job->lookup.local);
	}
	if ((what & RESOLVER_REMOTE_NAME) != 0) {
		job->waiting++;
		job->remote.done = job_remote_done;
		job->remote.arg = job;
		name_query_ptr(pool, &job->remote, &job->lookup.remote);
	}
	if ((what & RESOLVER_IDENT) != 0) {
		job->waiting++;
		job->ident.done = job_ident_done;
		job->ident.arg = job;
		ident_start(&job->ident, &job->lookup);
	}
	job_part_done(job);
}

static int
address_is_valid(const struct netaddr *addr)
{
	return (addr->family == AF_INET || addr->family == AF_INET6);
}

static int
asker_lookup(struct asker *asker, struct imsg *imsg)
{
	struct resolver_found	 nothing;
	struct resolver_lookup	 lookup;
	struct job		*job;
	uint32_t		 id = imsg_get_id(imsg);

	if (imsg_get_data(imsg, &lookup, sizeof(lookup)) == -1 ||
	    !address_is_valid(&lookup.local) ||
	    !address_is_valid(&lookup.remote))
		return (-1);
	if ((job = job_new(asker, id)) == NULL) {
		memset(&nothing, 0, sizeof(nothing));
		asker_answer(asker, IMSG_RESOLVER_FOUND, id, &nothing,
		    sizeof(nothing));
		return (0);
	}
	job->lookup = lookup;
	job_start(job);
	return (0);
}

/*
 * Host words
 */

static void
addresses_answer(struct asker *asker, uint32_t id, int error,
    const struct netaddr *addr, unsigned int count)
{
	struct resolver_addresses	answer;

	memset(&answer, 0, sizeof(answer));
	answer.error = error;
	answer.count = count < RESOLVER_ADDRS_MAX ? count :
	    RESOLVER_ADDRS_MAX;
	if (answer.count > 0)
		memcpy(answer.addr, addr, answer.count * sizeof(*addr));
	asker_answer(asker, IMSG_RESOLVER_ADDRESSES, id, &answer,
	    sizeof(answer));
}

static void
job_host_done(struct name_host *host, int error, const struct netaddr *addr,
    unsigned int count)
{
	struct netaddr	 copy[RESOLVER_ADDRS_MAX];
	struct job	*job = host->arg;
	struct asker	*asker = job->asker;
	uint32_t	 id = job->id;

	if (count > RESOLVER_ADDRS_MAX)
		count = RESOLVER_ADDRS_MAX;
	memcpy(copy, addr, count * sizeof(*addr));
	job_free(job);
	addresses_answer(asker, id, error, copy, count);
}

static int
asker_host(struct asker *asker, struct imsg *imsg)
{
	struct resolver_host	 host;
	struct job		*job;
	uint32_t		 id = imsg_get_id(imsg);

	if (imsg_get_data(imsg, &host, sizeof(host)) == -1 ||
	    memchr(host.word, '\0', sizeof(host.word)) == NULL)
		return (-1);
	job = job_new(asker, id);
	if (job == NULL || (job->host = calloc(1, sizeof(*job->host))) ==
	    NULL) {
		if (job != NULL)
			job_free(job);
		addresses_answer(asker, id, EAGAIN, NULL, 0);
		return (0);
	}
	job->host->done = job_host_done;
	job->host->arg = job;
	name_host_start(job->host, pool, config, host.word,
	    (host.want_v4 ? NAME_WANT_V4 : 0) |
	    (host.want_v6 ? NAME_WANT_V6 : 0));
	return (0);
}

/*
 * Messages
 */

static int
asker_cancel(struct asker *asker, struct imsg *imsg)
{
	struct job	*job;

	if (imsg_get_len(imsg) != 0)
		return (-1);
	TAILQ_FOREACH(job, &asker->jobs, entry) {
		if (job->id == imsg_get_id(imsg))
			break;
	}
	/* Not there: the answer was on its way already. */
	if (job != NULL)
		job_free(job);
	return (0);
}

static int
asker_message(struct asker *asker, struct imsg *imsg)
{
	switch (imsg_get_type(imsg)) {
	case IMSG_RESOLVER_LOOKUP:
		return (asker_lookup(asker, imsg));
	case IMSG_RESOLVER_HOST:
		return (asker_host(asker, imsg));
	case IMSG_RESOLVER_CANCEL:
		return (asker_cancel(asker, imsg));
	default:
		return (-1);
	}
}

static int
lookup_dispatch_asker(struct channel *ch, struct imsg *imsg)
{
	struct asker	*asker = ch->arg;
	uint32_t	 type = imsg_get_type(imsg);
	int		 result;

	asker->busy = 1;
	result = asker_message(asker, imsg);
	asker->busy = 0;
	if (result == -1)
		log_warnx("asker dropped, message %u not understood", type);
	return (asker->failed ? -1 : result);
}

void
lookup_asker_new(int fd)
{
	struct asker	*asker;

	if (askers >= ASKERS_MAX) {
		log_warnx("asker refused, there are %u", askers);
		(void)close(fd);
		return;
	}
	if ((asker = calloc(1, sizeof(*asker))) == NULL ||
	    channel_init(&asker->ch, fd, lookup_dispatch_asker, asker_lost,
	    asker) == -1) {
		log_warn("asker refused");
		free(asker);
		(void)close(fd);
		return;
	}
	TAILQ_INIT(&asker->jobs);
	askers++;
}
