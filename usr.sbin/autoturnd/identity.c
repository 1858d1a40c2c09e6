/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who relay, queues and mailers are to be: where the daemon was not started
 * as root, all of them are who started it.
 */
#include <sys/types.h>

#include <string.h>
#include <unistd.h>

#include "identity.h"
#include "parent.h"

#define RELAY_USER	"_autoturnd"
#define NOBODY_USER	"nobody"

static void
hello_fill(struct privsep_hello *h)
{
	identity_begin(h, "autoturnd");
	if (!parent.syslog)
		return;
	h->flags |= PRIVSEP_SYSLOG;
	h->log_facility = (uint32_t)parent.conf->log_facility;
}

void
identity_relay(struct privsep_hello *h)
{
	struct identity_user	u = { IDENTITY_NOBODY_UID,
				    IDENTITY_NOBODY_GID };

	hello_fill(h);
	if (geteuid() != 0)
		return;
	identity_chroot(h, EMPTYDIR);
	if (!identity_user_find(RELAY_USER, &u))
		(void)identity_user_find(NOBODY_USER, &u);
	identity_confine(h, u.uid, u.gid);
}

/* A group that was asked for is the only one. */
void
identity_spool(struct privsep_hello *h, const struct conf_spool *cs)
{
	identity_begin(h, "autoturnd");
	if (geteuid() != 0)
		return;
	h->uid = cs->uid;
	h->gid = cs->gid;
	h->flags |= PRIVSEP_SET_UID | PRIVSEP_SET_GID;
	if (cs->group == NULL)
		identity_groups(h);
}
