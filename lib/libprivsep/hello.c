/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A child's first words with its parent, and the giving up of privilege
 * they order.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privsep.h"

static void
hello_answer(struct imsgbuf *ibuf)
{
	struct privsep_hello	hello;

	memset(&hello, 0, sizeof(hello));
	strlcpy(hello.build, privsep_build, sizeof(hello.build));
	if (imsg_compose(ibuf, IMSG_PRIVSEP_HELLO, 0, 0, -1, &hello,
	    sizeof(hello)) == -1 || imsgbuf_flush(ibuf) == -1)
		fatal("hello to the parent");
}

void
privsep_hello_receive(struct imsgbuf *ibuf, struct privsep_hello *hello)
{
	struct imsg	imsg;
	int		n;

	if (fcntl(PRIVSEP_FD, F_SETFD, FD_CLOEXEC) == -1 ||
	    imsgbuf_init(ibuf, PRIVSEP_FD) == -1)
		fatal("descriptor %d", PRIVSEP_FD);
	imsgbuf_allow_fdpass(ibuf);
	while ((n = imsgbuf_get(ibuf, &imsg)) == 0)
		if (imsgbuf_read(ibuf) != 1)
			fatalx("no parent on descriptor %d: this program is "
			    "started by its daemon", PRIVSEP_FD);
	if (n == -1 || imsg_get_type(&imsg) != IMSG_PRIVSEP_HELLO ||
	    imsg_get_data(&imsg, hello, sizeof(*hello)) == -1)
		fatalx("hello from the parent: not understood, another build");
	imsg_free(&imsg);
	hello->build[sizeof(hello->build) - 1] = '\0';
	hello->name[sizeof(hello->name) - 1] = '\0';
	hello->chroot_path[sizeof(hello->chroot_path) - 1] = '\0';
	hello_answer(ibuf);
	if (strcmp(hello->build, privsep_build) != 0)
		fatalx("build %s was started by build %s", privsep_build,
		    hello->build);
}

int
privsep_hello_check(struct imsg *imsg, char *why, size_t size)
{
	struct privsep_hello	hello;

	if (imsg_get_type(imsg) != IMSG_PRIVSEP_HELLO ||
	    imsg_get_data(imsg, &hello, sizeof(hello)) == -1) {
		snprintf(why, size, "its first message is not understood: "
		    "another build is installed, restart this one");
		return (-1);
	}
	hello.build[sizeof(hello.build) - 1] = '\0';
	if (strcmp(hello.build, privsep_build) != 0) {
		snprintf(why, size, "build %s is installed, this is %s: "
		    "restart it", hello.build, privsep_build);
		return (-1);
	}
	return (0);
}

/*
 * A uid 0 without capabilities, or in a user namespace that knows no other
 * user, has nothing to give up.
 */
static void
drop_failed(const struct privsep_hello *hello, const char *what)
{
	if ((hello->flags & PRIVSEP_IF_ALLOWED) &&
	    (errno == EPERM || errno == EINVAL))
		return;
	fatal("%s: uid %u, gid %u, directory %s", what, hello->uid,
	    hello->gid, hello->flags & PRIVSEP_CHROOT ? hello->chroot_path :
	    "unchanged");
}

static void
drop_chroot(const struct privsep_hello *hello)
{
	if (chroot(hello->chroot_path) == -1)
		drop_failed(hello, "chroot");
	else if (chdir("/") == -1)
		fatal("chdir /");
}

static void
drop_groups(const struct privsep_hello *hello)
{
	gid_t		gid = hello->gid, list[PRIVSEP_GROUPS_MAX + 1];
	uint32_t	i, n = 0;

	list[n++] = gid;
	for (i = 0; i < hello->groups_len && i < PRIVSEP_GROUPS_MAX; i++)
		list[n++] = hello->groups[i];
	if (hello->flags & PRIVSEP_SET_GID) {
		if (setgroups((int)n, list) == -1)
			drop_failed(hello, "setgroups");
		if (setresgid(gid, gid, gid) == -1)
			drop_failed(hello, "setresgid");
	} else if ((hello->flags & PRIVSEP_NO_GROUPS) &&
	    setgroups(0, NULL) == -1)
		drop_failed(hello, "setgroups");
}

static void
drop_user(const struct privsep_hello *hello)
{
	uid_t	uid = hello->uid;

	if (setresuid(uid, uid, uid) == -1)
		drop_failed(hello, "setresuid");
	/* Believe nothing: root must be out of reach now. */
	else if (uid != 0 && (setuid(0) != -1 || seteuid(0) != -1))
		fatalx("uid %u: root could be regained", uid);
}

void
privsep_drop(const struct privsep_hello *hello)
{
	if (hello->flags & PRIVSEP_CHROOT)
		drop_chroot(hello);
	drop_groups(hello);
	if (hello->flags & PRIVSEP_SET_UID)
		drop_user(hello);
}
