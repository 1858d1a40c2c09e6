/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Local sockets with names.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "named.h"

#define OWN	((uid_t)-1)

static int
client_open(const char *path, int type)
{
	struct sockaddr_un	sun;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	ATF_REQUIRE((fd = socket(AF_UNIX, type, 0)) != -1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return (fd);
	close(fd);
	return (-1);
}

static void
both(void (*try)(int))
{
	try(SOCK_STREAM);
	try(SOCK_DGRAM);
}

static void
serves(int type)
{
	struct named	n;
	struct stat	st;
	int		fd, client;

	memset(&n, 0, sizeof(n));
	ATF_REQUIRE((fd = named_open("s", type, 0620, OWN, OWN)) != -1);
	ATF_CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ATF_CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ATF_REQUIRE(stat("s", &st) == 0);
	ATF_CHECK_EQ(0620, st.st_mode & 07777);
	ATF_REQUIRE(named_take(&n, "s", fd, OWN, OWN) == 0);
	ATF_CHECK((client = client_open("s", type)) != -1);
	close(client);
	ATF_CHECK_EQ(0, named_owner_change(&n, geteuid(), getegid()));
	named_forget(&n);
	ATF_CHECK_EQ(-1, access("s", F_OK));
	ATF_CHECK_EQ(-1, fcntl(fd, F_GETFD));
	named_forget(&n);
}

ATF_TC_WITHOUT_HEAD(served);
ATF_TC_BODY(served, tc)
{
	both(serves);
}

/* The dead leave a name; the living keep theirs. */
static void
takes_over(int type)
{
	int	dead, living;

	ATF_REQUIRE((dead = named_open("s", type, 0600, OWN, OWN)) != -1);
	ATF_CHECK_EQ(-1, named_open("s", type, 0600, OWN, OWN));
	ATF_CHECK_EQ(EADDRINUSE, errno);
	close(dead);
	ATF_REQUIRE((living = named_open("s", type, 0600, OWN, OWN)) != -1);
	/* Of another kind it is not free, either. */
	ATF_CHECK_EQ(-1, named_open("s", type == SOCK_STREAM ? SOCK_DGRAM :
	    SOCK_STREAM, 0600, OWN, OWN));
	ATF_CHECK_EQ(EADDRINUSE, errno);
	close(living);
	ATF_REQUIRE(unlink("s") == 0);
}

ATF_TC_WITHOUT_HEAD(taken_over);
ATF_TC_BODY(taken_over, tc)
{
	both(takes_over);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	char	path[200];

	ATF_REQUIRE(close(open("file", O_WRONLY | O_CREAT, 0600)) == 0);
	ATF_CHECK_EQ(-1, named_open("file", SOCK_STREAM, 0600, OWN, OWN));
	ATF_CHECK_EQ(EEXIST, errno);
	ATF_REQUIRE(symlink("file", "link") == 0);
	ATF_CHECK_EQ(-1, named_open("link", SOCK_STREAM, 0600, OWN, OWN));
	ATF_CHECK_EQ(EEXIST, errno);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ATF_CHECK_EQ(-1, named_open(path, SOCK_STREAM, 0600, OWN, OWN));
	ATF_CHECK_EQ(ENAMETOOLONG, errno);
	ATF_CHECK_EQ(-1, named_open("none/s", SOCK_STREAM, 0600, OWN, OWN));
	ATF_CHECK_EQ(ENOENT, errno);
}

/* What somebody else put in its place stays. */
ATF_TC_WITHOUT_HEAD(anothers);
ATF_TC_BODY(anothers, tc)
{
	struct named	n;
	int		fd, other;

	memset(&n, 0, sizeof(n));
	ATF_REQUIRE((fd = named_open("s", SOCK_STREAM, 0600, OWN, OWN)) != -1);
	ATF_REQUIRE(named_take(&n, "s", fd, OWN, OWN) == 0);
	ATF_REQUIRE(rename("s", "away") == 0);
	ATF_REQUIRE((other = named_open("s", SOCK_STREAM, 0600, OWN,
	    OWN)) != -1);
	named_forget(&n);
	ATF_CHECK_EQ(0, access("s", F_OK));
	close(other);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, served);
	ATF_TP_ADD_TC(tp, taken_over);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, anothers);
	return (atf_no_error());
}
