/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * tcpserverd-resolver: the process that asks strangers about strangers.
 *
 * It holds its askers' channels, DNS and ident sockets, and what was in the
 * resolver configuration when it started.  It is trusted with the names it
 * reports, which rules may judge by, and with nothing else: it sees no
 * client's connection, no rules, and can never open a file or run a program.
 * What reaches it: the parent's messages on descriptor 3, its askers'
 * questions, and whatever DNS and ident servers choose to send.
 *
 * /etc/resolv.conf is read once: 0.88 read it for each connection; here the
 * parent starts another resolver when it has changed.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "ident.h"
#include "lookup.h"
#include "privsep.h"
#include "sandbox.h"

static struct channel		parent;
static struct name_config	config;

static int
resolver_dispatch_parent(struct channel *ch, struct imsg *imsg)
{
	int	fd;

	if (imsg_get_type(imsg) != IMSG_RESOLVER_ASKER) {
		log_warnx("parent's message %u not understood",
		    imsg_get_type(imsg));
		return (-1);
	}
	if ((fd = imsg_get_fd(imsg)) == -1)
		log_warnx("an asker's descriptor was lost on its way");
	else
		lookup_asker_new(fd);
	return (0);
}

/* Without a parent there is nobody to work for. */
static void
resolver_parent_lost(struct channel *ch)
{
	exit(0);
}

/*
 * An ident query holds a descriptor for as long as the client's host likes:
 * we take as many as we may have, but half of them are kept for DNS.  A name
 * that could not be asked for is a name the rules do not see.
 */
static void
resolver_limits(void)
{
	struct rlimit	limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		fatal("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		fatal("getrlimit");
	ident_limit(limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur / 2 :
	    INT_MAX);
}

int
main(int argc, char **argv)
{
	struct privsep_hello	 hello;
	struct name_pool	*pool;
	uint32_t		 seed;

	log_init("tcpserverd-resolver", NULL, 0);
	privsep_hello_receive(&parent.ibuf, &hello);
	log_hello(&hello, "resolver");

	if (name_config_load(&config) == -1)
		fatal("resolver configuration");
	/* The generator may look for a device: now is the time. */
	arc4random_buf(&seed, sizeof(seed));
	pool = driver_open(&config);
	resolver_limits();

	privsep_drop(&hello);
	if (event_init() == NULL)
		fatalx("event_init");
	if (sandbox_resolver() == -1)
		fatal("sandbox");

	driver_start();
	lookup_init(pool, &config);
	if (channel_adopt(&parent, resolver_dispatch_parent,
	    resolver_parent_lost, NULL) == -1)
		fatal("channel to the parent");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("signal");
	(void)event_dispatch();
	fatalx("event loop ended");
}
