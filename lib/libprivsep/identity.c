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

#include "identity.h"

struct answer {
	int			known;
	struct identity_user	user;
};

static int
user_ask(const char *name, struct answer *a)
{
	struct passwd	*pw;

	memset(a, 0, sizeof(*a));
	if ((pw = getpwnam(name)) == NULL)
		return (0);
	a->known = 1;
	a->user.uid = pw->pw_uid;
	a->user.gid = pw->pw_gid;
	return (1);
}

/* In the child, which has nothing else to do. */
static __dead void
user_tell(const char *name, int fd)
{
	struct answer	a;

	(void)user_ask(name, &a);
	_exit(write(fd, &a, sizeof(a)) != (ssize_t)sizeof(a));
}

/* 0, or -1: there was nobody to ask. */
static int
user_ask_child(const char *name, struct answer *a)
{
	ssize_t	n;
	pid_t	pid;
	int	p[2];

	if (pipe2(p, O_CLOEXEC) == -1)
		return (-1);
	if ((pid = fork()) == -1) {
		close(p[0]);
		close(p[1]);
		return (-1);
	}
	if (pid == 0)
		user_tell(name, p[1]);
	close(p[1]);
	do
		n = read(p[0], a, sizeof(*a));
	while (n == -1 && errno == EINTR);
	close(p[0]);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof(*a))
		a->known = 0;
	return (0);
}

/*
 * A name that is in no file makes the name service load whatever else may
 * know it, and that would stay in the one process that is root.
 */
int
identity_user_find(const char *name, struct identity_user *u)
{
	struct answer	a;

	if (user_ask_child(name, &a) == -1)
		(void)user_ask(name, &a);
	if (!a.known)
		return (0);
	*u = a.user;
	return (1);
}

void
identity_begin(struct privsep_hello *h, const char *name)
{
	memset(h, 0, sizeof(*h));
	strlcpy(h->build, privsep_build, sizeof(h->build));
	strlcpy(h->name, name, sizeof(h->name));
}

void
identity_confine(struct privsep_hello *h, uid_t uid, gid_t gid)
{
	h->flags |= PRIVSEP_SET_UID | PRIVSEP_SET_GID | PRIVSEP_IF_ALLOWED;
	h->uid = uid;
	h->gid = gid;
}

void
identity_chroot(struct privsep_hello *h, const char *path)
{
	struct stat	st;

	if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode) ||
	    st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return;
	h->flags |= PRIVSEP_CHROOT;
	strlcpy(h->chroot_path, path, sizeof(h->chroot_path));
}

/* The group itself is there anyway. */
void
identity_groups(struct privsep_hello *h)
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
