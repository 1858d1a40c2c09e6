/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Where things of a spool are.
 */
#include <errno.h>
#include <string.h>

#include <atf-c.h>

#include "spool.h"

static const char *
name_of(const char *path)
{
	static char	name[256];

	ATF_REQUIRE_MSG(spool_name(path, name, sizeof(name)) == 0, "%s", path);
	return (name);
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	ATF_CHECK_STREQ("var-qmail-autoturn", name_of("/var/qmail/autoturn"));
	ATF_CHECK_STREQ("var-qmail-autoturn",
	    name_of("//var///qmail/autoturn/"));
	ATF_CHECK_STREQ("x", name_of("/x"));
	ATF_CHECK_STREQ("a%2db-c%25", name_of("/a-b/c%"));
	ATF_CHECK_STREQ("...-.a", name_of("/.../.a"));
}

/* No two paths have one name. */
ATF_TC_WITHOUT_HEAD(different);
ATF_TC_BODY(different, tc)
{
	static const char	*paths[] = { "/a-b/c", "/a/b-c", "/a/b/c",
				    "/a-b-c", "/a--b/c", "/a%2db/c",
				    "/a%2db-c" };
	char			 one[256];
	size_t			 i, j;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (j = 0; j < i; j++) {
			strlcpy(one, name_of(paths[i]), sizeof(one));
			ATF_CHECK_MSG(strcmp(one, name_of(paths[j])) != 0,
			    "%s and %s: %s", paths[i], paths[j], one);
		}
}

static void
refused(const char *path, size_t size, int error)
{
	char	name[512];

	errno = 0;
	ATF_CHECK_EQ_MSG(-1, spool_name(path, name, size), "%.80s", path);
	ATF_CHECK_EQ_MSG(error, errno, "%.80s: %s", path, strerror(errno));
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	char	path[400];

	refused("/", 256, EINVAL);
	refused("", 256, EINVAL);
	refused("var/qmail", 256, EINVAL);
	refused("/var/../qmail", 256, EINVAL);
	refused("/var/./qmail", 256, EINVAL);
	refused("/abc", 3, ENAMETOOLONG);
	/* With its suffix it is still the name of a file. */
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[251] = '\0';
	ATF_CHECK_EQ(250, strlen(name_of(path)));
	path[251] = 'a';
	path[252] = '\0';
	refused(path, 512, ENAMETOOLONG);
}

ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	char	path[64];

	ATF_CHECK_EQ(0, spool_state_path("/var/db/autoturnd", "/a/b", path,
	    sizeof(path)));
	ATF_CHECK_STREQ("/var/db/autoturnd/a-b", path);
	ATF_CHECK_EQ(0, spool_poke_path("/s", "/a/b", path, sizeof(path)));
	ATF_CHECK_STREQ("/s/a-b.poke", path);
	ATF_CHECK_EQ(-1, spool_poke_path("/s", "/a/b", path, 11));
	ATF_CHECK_EQ(ENAMETOOLONG, errno);
	ATF_CHECK_EQ(0, spool_poke_path("/s", "/a/b", path, 12));
	ATF_CHECK_EQ(-1, spool_state_path("/s", "a", path, sizeof(path)));
	ATF_CHECK_EQ(EINVAL, errno);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, different);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, places);
	return (atf_no_error());
}
