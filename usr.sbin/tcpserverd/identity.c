/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who our processes are to be.
 */
#include <sys/types.h>

#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "daemon.h"
#include "identity.h"

#define ENGINE_USER	"_tcpserverd"
#define NOBODY_USER	"nobody"

static void
hello_fill(struct privsep_hello *h)
{
	identity_begin(h, config.setup == NULL ? "tcpserver" : "tcpserverd");
}

static void
hello_log(struct privsep_hello *h, uint32_t facility)
{
	if (!config.syslog)
		return;
	h->flags |= PRIVSEP_SYSLOG;
	h->log_facility = facility;
}

void
identity_find(struct privsep_hello *h, const struct service *sv)
{
	struct identity_user	u;

	hello_fill(h);
	if (config.setup != NULL)
		hello_log(h, config.setup->log_facility);
	if (sv != NULL && sv->settings.log_level == LOG_LEVEL_QUIET)
		h->flags |= PRIVSEP_QUIET;
	if (geteuid() != 0)
		return;
	identity_chroot(h, EMPTYDIR);
	if (identity_user_find(ENGINE_USER, &u))
		identity_confine(h, u.uid, u.gid);
	else if (sv != NULL && sv->uid != 0)
		identity_confine(h, sv->uid, sv->gid != 0 ? sv->gid :
		    IDENTITY_NOBODY_GID);
	else if (identity_user_find(NOBODY_USER, &u))
		identity_confine(h, u.uid, u.gid);
	else
		identity_confine(h, IDENTITY_NOBODY_UID,
		    IDENTITY_NOBODY_GID);
}

void
identity_service(struct service *sv, int set_gid, gid_t gid, int set_uid,
    uid_t uid)
{
	hello_fill(&sv->launch.identity);
	if (sv->settings.log_level == LOG_LEVEL_QUIET)
		sv->launch.identity.flags |= PRIVSEP_QUIET;
	if (set_gid) {
		sv->gid = gid;
		sv->launch.identity.gid = gid;
		sv->launch.identity.flags |= PRIVSEP_SET_GID;
	}
	if (set_uid) {
		sv->uid = uid;
		sv->launch.identity.uid = uid;
		sv->launch.identity.flags |= PRIVSEP_SET_UID;
		if (!set_gid && geteuid() == 0)
			sv->launch.identity.flags |= PRIVSEP_NO_GROUPS;
	}
}

void
identity_configured(struct privsep_hello *h, const struct conf_service *cs)
{
	hello_fill(h);
	hello_log(h, (uint32_t)cs->log_facility);
	if (cs->group != NULL || cs->user != NULL) {
		h->gid = cs->gid;
		h->flags |= PRIVSEP_SET_GID;
	}
	if (cs->user != NULL) {
		h->uid = cs->uid;
		h->flags |= PRIVSEP_SET_UID;
		if (cs->group == NULL)
			identity_groups(h);
	}
	if (cs->login_class != NULL)
		strlcpy(h->login_class, cs->login_class,
		    sizeof(h->login_class));
	if (cs->chroot_path != NULL) {
		h->flags |= PRIVSEP_CHROOT;
		strlcpy(h->chroot_path, cs->chroot_path,
		    sizeof(h->chroot_path));
	}
}
