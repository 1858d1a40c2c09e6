/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A host word becomes addresses.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ucspi_name.h"
#include "compat.h"

static void	host_try(struct name_host *);

static void
addresses_shuffle(struct netaddr *addr, unsigned int count)
{
	struct netaddr	swap;
	unsigned int	i, j;

	for (i = count; i > 1; i--) {
		j = arc4random_uniform(i);
		swap = addr[i - 1];
		addr[i - 1] = addr[j];
		addr[j] = swap;
	}
}

static void
host_finish(struct name_host *host, int error)
{
	unsigned int	i;

	name_candidates_free(&host->candidates);
	addresses_shuffle(host->addr, host->count);
	addresses_shuffle(host->addr6, host->count6);
	for (i = 0; i < host->count6 && host->count < NAME_ADDRS_MAX; i++)
		host->addr[host->count++] = host->addr6[i];
	host->done(host, host->count > 0 ? 0 : error, host->addr,
	    host->count);
}

/* Keeps of a literal's addresses those of the wanted families. */
static void
host_literal(struct name_host *host, const struct netaddr *addr, int n)
{
	int	i, want;

	for (i = 0; i < n; i++) {
		want = addr[i].family == AF_INET6 ? NAME_WANT_V6 :
		    NAME_WANT_V4;
		if ((host->want & want) != 0)
			host->addr[host->count++] = addr[i];
	}
}

static void
host_answered(struct name_host *host, const struct name_answer *answer)
{
	if (answer->error != 0)
		host->error = answer->error;
	if (--host->waiting > 0)
		return;
	if (host->count > 0 || host->count6 > 0 || host->error != 0)
		host_finish(host, host->error);
	else
		host_try(host);
}

static void
host_v4_done(struct name_query *query, const struct name_answer *answer)
{
	struct name_host	*host = query->arg;

	memcpy(host->addr, answer->addr, answer->count * sizeof(*host->addr));
	host->count = answer->count;
	host_answered(host, answer);
}

static void
host_v6_done(struct name_query *query, const struct name_answer *answer)
{
	struct name_host	*host = query->arg;

	memcpy(host->addr6, answer->addr,
	    answer->count * sizeof(*host->addr6));
	host->count6 = answer->count;
	host_answered(host, answer);
}

/*
 * Asks for both families at once.  What waits is counted before, since an
 * answer may come while we are still asking; after the last question host
 * is no longer ours to touch.
 */
static void
host_ask(struct name_host *host, const char *name)
{
	uint8_t	wire[NAME_WIRE_SIZE];
	int	want = host->want;

	if (name_wire_from_text(wire, name) == -1) {
		host_finish(host, errno);
		return;
	}
	host->waiting = ((want & NAME_WANT_V4) != 0) +
	    ((want & NAME_WANT_V6) != 0);
	host->v4.done = host_v4_done;
	host->v6.done = host_v6_done;
	host->v4.arg = host->v6.arg = host;
	if ((want & NAME_WANT_V4) != 0)
		name_query_wire(host->pool, &host->v4, wire, NAME_TYPE_A);
	if ((want & NAME_WANT_V6) != 0)
		name_query_wire(host->pool, &host->v6, wire, NAME_TYPE_AAAA);
}

/* Goes on with the next candidate. */
static void
host_try(struct name_host *host)
{
	struct netaddr	 addr[NAME_ADDRS_MAX];
	const char	*name;
	int		 n;

	while ((name = name_candidate_next(&host->candidates)) != NULL) {
		if ((n = name_literal(name, addr, NAME_ADDRS_MAX)) == -1) {
			host_ask(host, name);
			return;
		}
		host_literal(host, addr, n);
		if (host->count > 0)
			break;
	}
	host_finish(host, 0);
}

void
name_host_start(struct name_host *host, struct name_pool *pool,
    const struct name_config *config, const char *word, int want)
{
	struct netaddr	addr;

	host->pool = pool;
	host->want = want;
	host->count = host->count6 = host->waiting = 0;
	host->error = 0;

	/* No rule is meant for an IPv6 address, which has no dots. */
	if (strchr(word, ':') != NULL && netaddr_parse(&addr, word) == 0) {
		host_literal(host, &addr, 1);
		host_finish(host, 0);
		return;
	}
	if ((want & (NAME_WANT_V4 | NAME_WANT_V6)) == 0)
		host_finish(host, 0);
	else if (name_qualify(&host->candidates, config, word) == -1)
		host_finish(host, errno);
	else if (config->servers_error != 0)
		host_finish(host, config->servers_error);
	else
		host_try(host);
}

void
name_host_cancel(struct name_host *host)
{
	name_query_cancel(&host->v4);
	name_query_cancel(&host->v6);
	name_candidates_free(&host->candidates);
}
