/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Messages that are put aside, and back.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "world.h"

struct shown {
	int		count;
	char		name[300];
	char		reason[300];
	uint64_t	size;
};

static void
show(const struct quarantine_entry *e, void *arg)
{
	struct shown	*shown = arg;

	shown->count++;
	(void)strlcpy(shown->name, e->name, sizeof(shown->name));
	(void)strlcpy(shown->reason, e->reason, sizeof(shown->reason));
	shown->size = e->size;
	ATF_REQUIRE(e->since > 0);
}

static void
walk(struct shown *shown)
{
	memset(shown, 0, sizeof(*shown));
	ATF_REQUIRE_EQ(0, quarantine_walk(&customer, show, shown));
}

ATF_TC(there_and_back);
ATF_TC_HEAD(there_and_back, tc)
{
	atf_tc_set_md_var(tc, "descr", "a message, its reason, and back");
}
ATF_TC_BODY(there_and_back, tc)
{
	struct shown	shown;
	struct stat	st;
	ino_t		ino;

	world_begin();
	walk(&shown);
	ATF_REQUIRE_EQ(0, shown.count);
	ino = world_mail("new/a", 300, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, "new/a", "why it is"));
	ATF_REQUIRE(!world_there("new/a"));
	walk(&shown);
	ATF_REQUIRE_EQ(1, shown.count);
	ATF_REQUIRE_STREQ("a", shown.name);
	ATF_REQUIRE_STREQ("why it is", shown.reason);
	ATF_REQUIRE_EQ(300, shown.size);
	world_stat("quarantine", &st);
	ATF_REQUIRE_EQ(0700, st.st_mode & 07777);
	customer.quarantined = 1;
	ATF_REQUIRE_EQ(0, quarantine_release(&customer, "a"));
	ATF_REQUIRE_EQ(0, customer.quarantined);
	world_stat("new/a", &st);
	ATF_REQUIRE_EQ(ino, st.st_ino);
	ATF_REQUIRE_EQ(0, world_count("quarantine"));
	ATF_REQUIRE_ERRNO(ENOENT, quarantine_release(&customer, "a") == -1);
}

ATF_TC(same_name);
ATF_TC_HEAD(same_name, tc)
{
	atf_tc_set_md_var(tc, "descr", "nothing is overwritten on either way");
}
ATF_TC_BODY(same_name, tc)
{
	struct shown	shown;

	world_begin();
	(void)world_mail("new/a", 300, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, "new/a", "first"));
	(void)world_mail("cur/a", 400, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, "cur/a", "second"));
	walk(&shown);
	ATF_REQUIRE_EQ(2, shown.count);
	ATF_REQUIRE_EQ(4, world_count("quarantine"));
	(void)world_mail("new/a", 500, 10);
	ATF_REQUIRE_ERRNO(EEXIST, quarantine_release(&customer, "a") == -1);
	ATF_REQUIRE_EQ(4, world_count("quarantine"));
	ATF_REQUIRE_EQ(0, quarantine_release(&customer, "a.1"));
	ATF_REQUIRE(world_there("new/a.1"));
}

ATF_TC(reason_names);
ATF_TC_HEAD(reason_names, tc)
{
	atf_tc_set_md_var(tc, "descr", "a message called as the reason of "
	    "another, before and after it");
}
ATF_TC_BODY(reason_names, tc)
{
	struct shown	shown;
	struct stat	st;

	world_begin();
	(void)world_mail("new/a.reason", 300, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, "new/a.reason", "first"));
	(void)world_mail("new/a", 400, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, "new/a", "second"));
	(void)world_mail("new/a.reason", 500, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, "new/a.reason", "third"));
	walk(&shown);
	ATF_REQUIRE_EQ(3, shown.count);
	ATF_REQUIRE_EQ(6, world_count("quarantine"));
	ATF_REQUIRE_EQ(0, quarantine_release(&customer, "a.reason.1"));
	world_stat("new/a.reason.1", &st);
	ATF_REQUIRE_EQ(300, st.st_size);
	world_stat("quarantine/a.reason.2", &st);
	ATF_REQUIRE_EQ(500, st.st_size);
}

ATF_TC(long_names);
ATF_TC_HEAD(long_names, tc)
{
	atf_tc_set_md_var(tc, "descr", "names with no room for the reason's "
	    "are cut");
}
ATF_TC_BODY(long_names, tc)
{
	struct shown	shown;
	char		name[4 + 255 + 1] = "new/";

	world_begin();
	memset(name + 4, 'x', 255);
	name[4 + 255] = '\0';
	(void)world_mail(name, 300, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, name, "first"));
	ATF_REQUIRE(!world_there(name));
	(void)world_mail(name, 400, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, name, "second"));
	walk(&shown);
	ATF_REQUIRE_EQ(2, shown.count);
	ATF_REQUIRE_EQ(4, world_count("quarantine"));
	ATF_REQUIRE_EQ(0, quarantine_release(&customer, shown.name));
	ATF_REQUIRE_EQ(1, world_count("new"));
}

ATF_TC(bad_names);
ATF_TC_HEAD(bad_names, tc)
{
	atf_tc_set_md_var(tc, "descr", "names that lead elsewhere");
}
ATF_TC_BODY(bad_names, tc)
{
	static const char *const	names[] = { "", ".", "..", ".a",
					    "../new/a", "/etc/passwd", "a/b" };
	char				name[300];
	size_t				i;

	world_begin();
	(void)world_mail("new/a", 300, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, "new/a", "why"));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ATF_REQUIRE_ERRNO(EINVAL, quarantine_release(&customer,
		    names[i]) == -1);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ATF_REQUIRE_ERRNO(EINVAL, quarantine_release(&customer, name) == -1);
	name[200] = '\0';
	memcpy(name, "new/", 4);
	(void)world_mail(name, 300, 10);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, name, "why"));
	ATF_REQUIRE_EQ(0, quarantine_release(&customer, name + 4));
}

ATF_TC(trouble);
ATF_TC_HEAD(trouble, tc)
{
	atf_tc_set_md_var(tc, "descr", "what fails leaves the message where it "
	    "is");
}
ATF_TC_BODY(trouble, tc)
{
	struct shown	shown;

	world_begin();
	ATF_REQUIRE_ERRNO(ENOENT, quarantine_put("nobody", "new/a",
	    "why") == -1);
	(void)world_mail("new/a", 300, 10);
	disk.error = EIO;
	ATF_REQUIRE_ERRNO(EIO, quarantine_put(MAILDIR, "new/a", "why") == -1);
	disk.error = 0;
	ATF_REQUIRE(world_there("new/a"));
	walk(&shown);
	ATF_REQUIRE_EQ(0, shown.count);
	ATF_REQUIRE_EQ(0, quarantine_put(MAILDIR, "new/a", "why"));
	/* One that is gone leaves no reason behind. */
	ATF_REQUIRE_ERRNO(ENOENT, quarantine_put(MAILDIR, "new/gone",
	    "why") == -1);
	ATF_REQUIRE_EQ(2, world_count("quarantine"));
	/* A link for a directory is not followed. */
	ATF_REQUIRE_EQ(0, rename("spool/" MAILDIR "/quarantine", "away"));
	ATF_REQUIRE_EQ(0, symlink("../../away", "spool/" MAILDIR
	    "/quarantine"));
	(void)world_mail("new/b", 300, 10);
	ATF_REQUIRE_EQ(-1, quarantine_put(MAILDIR, "new/b", "why"));
	ATF_REQUIRE(world_there("new/b"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, there_and_back);
	ATF_TP_ADD_TC(tp, same_name);
	ATF_TP_ADD_TC(tp, reason_names);
	ATF_TP_ADD_TC(tp, long_names);
	ATF_TP_ADD_TC(tp, bad_names);
	ATF_TP_ADD_TC(tp, trouble);
	return (atf_no_error());
}
