/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A Maildir, with all that may be in one.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "compat.h"
#include "maildir.h"

#define NOW	2000000000

static char	told[4096];

static void
tell(void *arg, const char *name, const char *why)
{
	size_t	n = strlen(told);

	ATF_REQUIRE(arg == told);
	(void)snprintf(told + n, sizeof(told) - n, "%s: %s\n", name, why);
}

static void
box_make(void)
{
	ATF_REQUIRE_EQ(0, mkdir("new", 0700));
	ATF_REQUIRE_EQ(0, mkdir("cur", 0700));
	ATF_REQUIRE_EQ(0, mkdir("tmp", 0700));
}

static void
file_make(const char *name, time_t atime, time_t mtime)
{
	struct timespec	times[2] = { { atime, 0 }, { mtime, 0 } };
	int		fd;

	ATF_REQUIRE((fd = open(name, O_WRONLY | O_CREAT, 0600)) != -1);
	ATF_REQUIRE_EQ(0, futimens(fd, times));
	close(fd);
}

/* The names in order, each followed by a blank. */
static const char *
scan(time_t now)
{
	static char		 names[4096];
	struct maildir_list	 list;
	size_t			 i, n = 0;

	memset(&list, 0, sizeof(list));
	told[0] = names[0] = '\0';
	ATF_REQUIRE_EQ(0, maildir_scan(&list, AT_FDCWD, now, tell, told));
	for (i = 0; i < list.count; i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s ",
		    list.files[i].name);
	maildir_list_free(&list);
	return (names);
}

ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	static const char	*const names[] = { "new/07", "new/01",
				    "cur/12:2,S", "new/04", "new/11", "new/10",
				    "cur/09:2,", "new/08", "new/06", "new/05",
				    "new/03", "new/02" };
	size_t			 i;

	box_make();
	for (i = 0; i < nitems(names); i++)
		file_make(names[i], NOW, NOW - 6000 +
		    60 * atoi(names[i] + 4));
	/* Of one second: by name, whatever the directory. */
	file_make("cur/b", NOW, NOW - 10);
	file_make("new/a", NOW, NOW - 10);
	file_make("new/c", NOW, NOW - 10);
	ATF_CHECK_STREQ("new/01 new/02 new/03 new/04 new/05 new/06 new/07 "
	    "new/08 cur/09:2, new/10 new/11 cur/12:2,S new/a cur/b new/c ",
	    scan(NOW));
	ATF_CHECK_STREQ("", told);
}

ATF_TC_WITHOUT_HEAD(second);
ATF_TC_BODY(second, tc)
{
	box_make();
	file_make("new/before", NOW, NOW - 1);
	file_make("new/now", NOW, NOW);
	/* One that came while the scan was on is no wonder. */
	file_make("new/next", NOW, NOW + MAILDIR_AHEAD_S);
	file_make("new/after", NOW, NOW + MAILDIR_AHEAD_S + 1);
	file_make("new/.dot", NOW, NOW - 1);
	ATF_CHECK_STREQ("new/before ", scan(NOW));
	ATF_CHECK_STREQ("new/after: modified in the future\n", told);
	ATF_CHECK_STREQ("new/before new/now ", scan(NOW + 1));
	ATF_CHECK_STREQ("", told);
}

ATF_TC_WITHOUT_HEAD(unusable);
ATF_TC_BODY(unusable, tc)
{
	box_make();
	file_make("new/a", 1, 1);
	file_make("new/z", 2, 2);
	ATF_REQUIRE_EQ(0, mkdir("new/directory", 0700));
	ATF_REQUIRE_EQ(0, mkfifo("new/fifo", 0600));
	ATF_REQUIRE_EQ(0, symlink("a", "new/link"));
	ATF_REQUIRE_EQ(0, symlink("nowhere", "new/dangling"));
	ATF_CHECK_STREQ("new/a new/z ", scan(NOW));
	ATF_CHECK(strstr(told, "new/directory: is a directory\n") != NULL);
	ATF_CHECK(strstr(told, "new/fifo: not a regular file\n") != NULL);
	ATF_CHECK(strstr(told, "new/link: a symbolic link\n") != NULL);
	ATF_CHECK(strstr(told, "new/dangling: a symbolic link\n") != NULL);
}

ATF_TC_WITHOUT_HEAD(missing);
ATF_TC_BODY(missing, tc)
{
	struct maildir_list	list;

	memset(&list, 0, sizeof(list));
	ATF_CHECK_EQ(-1, maildir_scan(&list, AT_FDCWD, NOW, tell, told));
	ATF_CHECK_EQ(ENOENT, errno);
	ATF_REQUIRE_EQ(0, mkdir("new", 0700));
	file_make("new/a", 1, 1);
	ATF_CHECK_STREQ("new/a ", scan(NOW));
	ATF_CHECK_STREQ("cur: file does not exist\n", told);
	/* tmp may be missing without a word. */
	told[0] = '\0';
	maildir_clean(AT_FDCWD, NOW, tell, told);
	ATF_CHECK_STREQ("", told);
}

/* Nothing here waits: a FIFO that is opened to be read would, for ever. */
ATF_TC_WITHOUT_HEAD(opening);
ATF_TC_BODY(opening, tc)
{
	struct stat	st;
	int		fd;

	box_make();
	file_make("new/a", 1, 1);
	ATF_REQUIRE_EQ(0, mkfifo("new/fifo", 0600));
	ATF_REQUIRE_EQ(0, symlink("a", "new/link"));
	ATF_REQUIRE((fd = maildir_open(AT_FDCWD, "new/a", &st)) != -1);
	ATF_CHECK_EQ(1, st.st_mtime);
	ATF_CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	ATF_CHECK_ERRNO(EINVAL,
	    maildir_open(AT_FDCWD, "new/fifo", &st) == -1);
	ATF_CHECK_ERRNO(ELOOP, maildir_open(AT_FDCWD, "new/link", &st) == -1);
	ATF_CHECK_ERRNO(EISDIR, maildir_open(AT_FDCWD, "new", &st) == -1);
	ATF_CHECK_ERRNO(ENOENT, maildir_open(AT_FDCWD, "new/b", &st) == -1);
	if (geteuid() != 0) {
		ATF_REQUIRE_EQ(0, chmod("new/a", 0));
		ATF_CHECK_ERRNO(EACCES,
		    maildir_open(AT_FDCWD, "new/a", &st) == -1);
	}
}

ATF_TC_WITHOUT_HEAD(clean);
ATF_TC_BODY(clean, tc)
{
	box_make();
	file_make("tmp/old", NOW - MAILDIR_TMP_AGE_S - 1, NOW);
	file_make("tmp/edge", NOW - MAILDIR_TMP_AGE_S, 1);
	file_make("tmp/.old", 1, 1);
	file_make("new/old", 1, 1);
	ATF_REQUIRE_EQ(0, mkdir("tmp/directory", 0700));
	told[0] = '\0';
	maildir_clean(AT_FDCWD, NOW, tell, told);
	ATF_CHECK_STREQ("", told);
	ATF_CHECK_EQ(-1, access("tmp/old", F_OK));
	ATF_CHECK_EQ(0, access("tmp/edge", F_OK));
	ATF_CHECK_EQ(0, access("tmp/.old", F_OK));
	ATF_CHECK_EQ(0, access("tmp/directory", F_OK));
	ATF_CHECK_EQ(0, access("new/old", F_OK));
}

/* A tmp/ that leads elsewhere: nothing is removed there. */
ATF_TC_WITHOUT_HEAD(clean_elsewhere);
ATF_TC_BODY(clean_elsewhere, tc)
{
	box_make();
	ATF_REQUIRE_EQ(0, rmdir("tmp"));
	ATF_REQUIRE_EQ(0, mkdir("elsewhere", 0700));
	file_make("elsewhere/old", 1, 1);
	ATF_REQUIRE_EQ(0, symlink("elsewhere", "tmp"));
	told[0] = '\0';
	maildir_clean(AT_FDCWD, NOW, tell, told);
	ATF_CHECK_MSG(strncmp(told, "tmp: ", 5) == 0, "%s", told);
	ATF_CHECK_EQ(0, access("elsewhere/old", F_OK));
}

static double
seconds(void)
{
	struct timeval	tv;

	(void)gettimeofday(&tv, NULL);
	return ((double)tv.tv_sec + (double)tv.tv_usec / 1e6);
}

/* Five times the files in no more than some nine times the time. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	struct maildir_list	list;
	char			name[32];
	double			begun, few = 0;
	int			i;

	box_make();
	memset(&list, 0, sizeof(list));
	for (i = 0; i < 20000; i++) {
		(void)snprintf(name, sizeof(name), "new/%d", i * 7919 % 20000);
		file_make(name, 1, i / 7);
		if (i == 3999) {
			begun = seconds();
			ATF_REQUIRE_EQ(0, maildir_scan(&list, AT_FDCWD, NOW,
			    tell, told));
			few = seconds() - begun;
			ATF_CHECK_EQ(4000, list.count);
		}
	}
	begun = seconds();
	ATF_REQUIRE_EQ(0, maildir_scan(&list, AT_FDCWD, NOW, tell, told));
	ATF_CHECK_EQ(20000, list.count);
	ATF_CHECK_MSG(seconds() - begun < 9 * few + 0.2,
	    "%.3f s for 20000, %.3f s for 4000", seconds() - begun, few);
	for (i = 1; i < 20000; i++)
		ATF_REQUIRE(list.files[i - 1].mtime <= list.files[i].mtime);
	maildir_list_free(&list);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, second);
	ATF_TP_ADD_TC(tp, unusable);
	ATF_TP_ADD_TC(tp, missing);
	ATF_TP_ADD_TC(tp, opening);
	ATF_TP_ADD_TC(tp, clean);
	ATF_TP_ADD_TC(tp, clean_elsewhere);
	ATF_TP_ADD_TC(tp, many);
	return (atf_no_error());
}
