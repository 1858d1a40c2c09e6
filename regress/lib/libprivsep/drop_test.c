/*
 * Privilege that was given up is gone: every combination of the orders.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep.h"
#include "forked.h"

#define TEST_UID	4711
#define TEST_GID	4712

/* What a process may be before it is told to drop. */
static void
become_much(void)
{
	gid_t	groups[] = { 0, 5, 6, 7 };

	FORKED_REQUIRE(setgroups(nitems(groups), groups) == 0);
}

static int
has_group(const gid_t *groups, int n, gid_t gid)
{
	while (n > 0)
		if (groups[--n] == gid)
			return (1);
	return (0);
}

static void
groups_check(const struct privsep_hello *h)
{
	uint32_t	flags = h->flags, i;
	gid_t		groups[64];
	int		n;

	FORKED_REQUIRE((n = getgroups(nitems(groups), groups)) != -1);
	if (flags & PRIVSEP_SET_GID)
		FORKED_REQUIRE(n == 1 + (int)h->groups_len);
	else if (flags & PRIVSEP_NO_GROUPS)
		FORKED_REQUIRE(n == 0);
	else
		FORKED_REQUIRE(n == 4);
	if (!(flags & PRIVSEP_SET_GID))
		return;
	/* Linux sorts them. */
	FORKED_REQUIRE(has_group(groups, n, TEST_GID));
	for (i = 0; i < h->groups_len; i++)
		FORKED_REQUIRE(has_group(groups, n, h->groups[i]));
}

static void
ids_check(uint32_t flags)
{
	uid_t	uid = flags & PRIVSEP_SET_UID ? TEST_UID : 0;
	gid_t	gid = flags & PRIVSEP_SET_GID ? TEST_GID : 0;

	/* The saved ones show below: there is no way back to root. */
	FORKED_REQUIRE(getuid() == uid && geteuid() == uid);
	FORKED_REQUIRE(getgid() == gid && getegid() == gid);
	if (!(flags & PRIVSEP_SET_UID))
		return;
	FORKED_REQUIRE(setuid(0) == -1 && errno == EPERM);
	FORKED_REQUIRE(seteuid(0) == -1 && setreuid(0, 0) == -1);
	FORKED_REQUIRE(setresuid(0, 0, 0) == -1);
	FORKED_REQUIRE(setgroups(0, NULL) == -1 && errno == EPERM);
	FORKED_REQUIRE(chroot("/") == -1 && errno == EPERM);
	if (flags & PRIVSEP_SET_GID)
		FORKED_REQUIRE(setgid(0) == -1 && setegid(0) == -1);
}

static void
root_check(uint32_t flags, const struct stat *outside,
    const struct stat *inside)
{
	struct stat	root, cwd;

	FORKED_REQUIRE(stat("/", &root) == 0 && stat(".", &cwd) == 0);
	if (flags & PRIVSEP_CHROOT) {
		FORKED_REQUIRE(root.st_ino == inside->st_ino &&
		    root.st_dev == inside->st_dev);
		FORKED_REQUIRE(cwd.st_ino == inside->st_ino);
		FORKED_REQUIRE(stat("/../..", &root) == 0 &&
		    root.st_ino == inside->st_ino);
		FORKED_REQUIRE(access("/etc", F_OK) == -1);
	} else
		FORKED_REQUIRE(root.st_ino == outside->st_ino &&
		    root.st_dev == outside->st_dev);
}

static void
drop(void *arg)
{
	struct privsep_hello	*h = arg;
	struct stat		 outside, inside;

	FORKED_REQUIRE(stat("/", &outside) == 0);
	FORKED_REQUIRE(stat("room", &inside) == 0);
	become_much();
	privsep_drop(h);
	groups_check(h);
	ids_check(h->flags);
	root_check(h->flags, &outside, &inside);
}

ATF_TC(every_combination);
ATF_TC_HEAD(every_combination, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(every_combination, tc)
{
	struct privsep_hello	h;
	uint32_t		flags;

	/* Whoever it becomes must be able to look at where it is. */
	ATF_REQUIRE(mkdir("room", 0755) == 0);
	memset(&h, 0, sizeof(h));
	ATF_REQUIRE(getcwd(h.chroot_path, sizeof(h.chroot_path) - 10) !=
	    NULL);
	ATF_REQUIRE(chmod(h.chroot_path, 0755) == 0);
	strlcat(h.chroot_path, "/room", sizeof(h.chroot_path));
	h.uid = TEST_UID;
	h.gid = TEST_GID;
	for (flags = 0; flags < 16; flags++) {
		h.flags = flags;
		FORKED_PASSES(drop, &h);
		/* What is allowed is done, not left out. */
		h.flags |= PRIVSEP_IF_ALLOWED;
		FORKED_PASSES(drop, &h);
	}
	/* Those of a log-in. */
	h.flags = PRIVSEP_SET_GID | PRIVSEP_SET_UID;
	h.groups_len = 2;
	h.groups[0] = TEST_GID + 1;
	h.groups[1] = TEST_GID + 2;
	FORKED_PASSES(drop, &h);
}

static void
drop_only(void *arg)
{
	log_init("tcpserver", "engine", 0);
	privsep_drop(arg);
	dprintf(STDERR_FILENO, "went on\n");
}

ATF_TC(no_room);
ATF_TC_HEAD(no_room, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(no_room, tc)
{
	struct privsep_hello	h;
	char			said[512];
	int			status;

	memset(&h, 0, sizeof(h));
	h.flags = PRIVSEP_CHROOT | PRIVSEP_SET_UID | PRIVSEP_SET_GID |
	    PRIVSEP_IF_ALLOWED;
	h.uid = TEST_UID;
	h.gid = TEST_GID;
	strlcpy(h.chroot_path, "/nonexistent/room", sizeof(h.chroot_path));
	status = forked(drop_only, &h, said, sizeof(said));
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	ATF_CHECK_STREQ("tcpserver: engine: fatal: chroot: uid 4711, gid 4712, "
	    "directory /nonexistent/room: file does not exist\n", said);
}

/* Told to, and not able to: it does not go on as it is. */
ATF_TC(ordinary_user);
ATF_TC_HEAD(ordinary_user, tc)
{
	atf_tc_set_md_var(tc, "require.user", "unprivileged");
}
ATF_TC_BODY(ordinary_user, tc)
{
	static const uint32_t	orders[] = { PRIVSEP_SET_GID, PRIVSEP_SET_UID,
				    PRIVSEP_NO_GROUPS, PRIVSEP_CHROOT };
	struct privsep_hello	h;
	char			said[512];
	size_t			i;
	int			status;

	memset(&h, 0, sizeof(h));
	FORKED_PASSES(drop_only, &h);
	h.uid = TEST_UID;
	h.gid = TEST_GID;
	strlcpy(h.chroot_path, "/", sizeof(h.chroot_path));
	for (i = 0; i < nitems(orders); i++) {
		h.flags = orders[i];
		status = forked(drop_only, &h, said, sizeof(said));
		ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 111,
		    "order %#x: status %#x", orders[i], status);
		ATF_CHECK_MATCH("^tcpserver: engine: fatal: .*: "
		    "permission denied", said);
		ATF_CHECK(strstr(said, "went on") == NULL);
	}
}

/* An identity that nobody asked for: what the kernel forbids is left out. */
ATF_TC(if_allowed);
ATF_TC_HEAD(if_allowed, tc)
{
	atf_tc_set_md_var(tc, "require.user", "unprivileged");
}
ATF_TC_BODY(if_allowed, tc)
{
	struct privsep_hello	h;
	char			said[512];

	memset(&h, 0, sizeof(h));
	h.flags = PRIVSEP_IF_ALLOWED | PRIVSEP_SET_GID | PRIVSEP_SET_UID |
	    PRIVSEP_CHROOT;
	h.uid = TEST_UID;
	h.gid = TEST_GID;
	strlcpy(h.chroot_path, "/", sizeof(h.chroot_path));
	ATF_CHECK_EQ(0, forked(drop_only, &h, said, sizeof(said)));
	ATF_CHECK_STREQ("went on\n", said);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_combination);
	ATF_TP_ADD_TC(tp, no_room);
	ATF_TP_ADD_TC(tp, ordinary_user);
	ATF_TP_ADD_TC(tp, if_allowed);
	return (atf_no_error());
}
