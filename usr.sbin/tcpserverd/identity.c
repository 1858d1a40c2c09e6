/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who our processes are to be.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "daemon.h"

#define ENGINE_USER	"_tcpserverd"
#define NOBODY_USER	"nobody"
/* Where there is no user database at all. */
#define NOBODY_UID	65534
#define NOBODY_GID	65534

struct user {
	int	known;
	uid_t	uid;
	gid_t	gid;
};

static int
user_ask(const char *name, struct user *u)
{
	struct passwd	*pw;

	memset(u, 0, sizeof(*u));
	if ((pw = getpwnam(name)) == NULL)
		return (0);
	u->known = 1;
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	return (1);
}

/* In the child, which has nothing else to do. */
static __dead void
user_tell(const char *name, int fd)
{
	struct user	u;

	(void)user_ask(name, &u);
	_exit(write(fd, &u, sizeof(u)) != (ssize_t)sizeof(u));
}

/*
 * Asked in a process of its own: a name that is in no file makes the name
 * service load whatever else may know it, and that would stay in the one
 * process that is root.
 */
static int
user_find(const char *name, struct user *u)
{
	ssize_t	n;
	pid_t	pid;
	int	p[2];

	if (pipe2(p, O_CLOEXEC) == -1)
		return (user_ask(name, u));
	if ((pid = fork()) == -1) {
		close(p[0]);
		close(p[1]);
		return (user_ask(name, u));
	}
	if (pid == 0)
		user_tell(name, p[1]);
	close(p[1]);
	do
		n = read(p[0], u, sizeof(*u));
	while (n == -1 && errno == EINTR);
	close(p[0]);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	return (n == (ssize_t)sizeof(*u) && u->known);
}

static void
hello_fill(struct privsep_hello *h)
{
	memset(h, 0, sizeof(*h));
	strlcpy(h->build, privsep_build, sizeof(h->build));
	strlcpy(h->name, config.setup == NULL ? "tcpserver" : "tcpserverd",
	    sizeof(h->name));
}

static void
hello_log(struct privsep_hello *h, uint32_t facility)
{
	if (!config.syslog)
		return;
	h->flags |= PRIVSEP_SYSLOG;
	h->log_facility = facility;
}

static void
hello_user(struct privsep_hello *h, uid_t uid, gid_t gid)
{
	h->flags |= PRIVSEP_SET_UID | PRIVSEP_SET_GID | PRIVSEP_IF_ALLOWED;
	h->uid = uid;
	h->gid = gid;
}

/* An empty directory that nobody but root can fill, or none. */
static void
hello_chroot(struct privsep_hello *h)
{
	struct stat	st;

	if (stat(EMPTYDIR, &st) == -1 || !S_ISDIR(st.st_mode) ||
	    st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return;
	h->flags |= PRIVSEP_CHROOT;
	strlcpy(h->chroot_path, EMPTYDIR, sizeof(h->chroot_path));
}

void
identity_find(struct privsep_hello *h, const struct service *sv)
{
	struct user	u;

	hello_fill(h);
	if (config.setup != NULL)
		hello_log(h, config.setup->log_facility);
	if (sv != NULL && sv->settings.log_level == LOG_LEVEL_QUIET)
		h->flags |= PRIVSEP_QUIET;
	if (geteuid() != 0)
		return;
	hello_chroot(h);
	if (user_find(ENGINE_USER, &u))
		hello_user(h, u.uid, u.gid);
	else if (sv != NULL && sv->uid != 0)
		hello_user(h, sv->uid, sv->gid != 0 ? sv->gid : NOBODY_GID);
	else if (user_find(NOBODY_USER, &u))
		hello_user(h, u.uid, u.gid);
	else
		hello_user(h, NOBODY_UID, NOBODY_GID);
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

/* As at a log-in; the group itself is there anyway. */
static void
hello_groups(struct privsep_hello *h)
{
	gid_t		 list[PRIVSEP_GROUPS_MAX + 1];
	struct passwd	*pw;
	int		 i, n = nitems(list);

	if (geteuid() != 0 || (pw = getpwuid(h->uid)) == NULL)
		return;
	if (getgrouplist(pw->pw_name, h->gid, list, &n) == -1) {
		log_warnx("user %s: in more than %d groups, the others are "
		    "left out", pw->pw_name, PRIVSEP_GROUPS_MAX);
		n = nitems(list);
	}
	for (i = 0; i < n && h->groups_len < PRIVSEP_GROUPS_MAX; i++)
		if (list[i] != h->gid)
			h->groups[h->groups_len++] = list[i];
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
			hello_groups(h);
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
