/*
 * Finding our own program, for re-execution.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep.h"

static char	here[PATH_MAX];

static void
program_make(const char *name, mode_t mode)
{
	int	fd;

	ATF_REQUIRE((fd = open(name, O_CREAT | O_WRONLY, mode)) != -1);
	ATF_REQUIRE(fchmod(fd, mode) == 0);
	close(fd);
}

static void
world_make(void)
{
	char	cwd[PATH_MAX];

	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	ATF_REQUIRE(realpath(cwd, here) != NULL);
	ATF_REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
	ATF_REQUIRE(mkdir("a/isdir", 0755) == 0);
	program_make("b/prog", 0755);
	program_make("a/plain", 0644);
	program_make("b/plain", 0755);
	program_make("top", 0755);
	ATF_REQUIRE(symlink("../b/prog", "a/link") == 0);
}

/* Absolute and without links, or "" when it is not found. */
static const char *
search(const char *argv0)
{
	static char	path[PATH_MAX];

	errno = 0;
	if (privsep_exe_search(argv0, path, sizeof(path)) == 0) {
		ATF_CHECK_EQ('/', path[0]);
		ATF_CHECK(strncmp(path, here, strlen(here)) == 0);
		return (path + strlen(here));
	}
	ATF_CHECK_EQ(ENOENT, errno);
	return ("");
}

ATF_TC_WITHOUT_HEAD(by_slash);
ATF_TC_BODY(by_slash, tc)
{
	char	full[PATH_MAX + 10], small[8];

	world_make();
	ATF_CHECK_STREQ("/b/prog", search("b/prog"));
	ATF_CHECK_STREQ("/b/prog", search("./a/../b/prog"));
	ATF_CHECK_STREQ("/b/prog", search("a/link"));
	snprintf(full, sizeof(full), "%s/b/prog", here);
	ATF_CHECK_STREQ("/b/prog", search(full));
	ATF_CHECK_STREQ("", search("a/prog"));
	ATF_CHECK_STREQ("", search("/nonexistent"));
	ATF_CHECK_EQ(-1, privsep_exe_search("b/prog", small, sizeof(small)));
}

ATF_TC_WITHOUT_HEAD(by_path);
ATF_TC_BODY(by_path, tc)
{
	world_make();
	ATF_REQUIRE(setenv("PATH", "/nonexistent:a:b", 1) == 0);
	ATF_CHECK_STREQ("/b/prog", search("prog"));
	ATF_CHECK_STREQ("/b/prog", search("link"));
	ATF_CHECK_STREQ("", search("top"));
	ATF_CHECK_STREQ("", search("missing"));
	if (geteuid() != 0)
		ATF_CHECK_STREQ("/b/plain", search("plain"));
	/* Empty: here. */
	ATF_REQUIRE(setenv("PATH", "a::b", 1) == 0);
	ATF_CHECK_STREQ("/top", search("top"));
	ATF_REQUIRE(setenv("PATH", "", 1) == 0);
	ATF_CHECK_STREQ("/top", search("top"));
}

ATF_TC_WITHOUT_HEAD(this_program);
ATF_TC_BODY(this_program, tc)
{
	char	path[PATH_MAX], self[PATH_MAX], small[4];
	ssize_t	n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n == -1)
		atf_tc_skip("no /proc/self/exe to compare with");
	self[n] = '\0';
	/* Whatever it was called by. */
	ATF_REQUIRE(privsep_exe_path("/nonexistent", path, sizeof(path)) == 0);
	ATF_CHECK_STREQ(self, path);
	ATF_CHECK_EQ(-1, privsep_exe_path("/nonexistent", small,
	    sizeof(small)));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, by_slash);
	ATF_TP_ADD_TC(tp, by_path);
	ATF_TP_ADD_TC(tp, this_program);
	return (atf_no_error());
}
