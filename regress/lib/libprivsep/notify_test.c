/*
 * What a service manager is told, read from a socket as it has one.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "notify.h"

static int
manager_open(const char *name)
{
	struct sockaddr_un	sun;
	socklen_t		len;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, name, strlen(name));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(name));
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	else
		len++;
	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) != -1);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&sun, len) == 0);
	ATF_REQUIRE(setenv("NOTIFY_SOCKET", name, 1) == 0);
	return (fd);
}

static void
heard(int fd, const char *expected)
{
	char	text[4096];
	ssize_t	n;

	n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	ATF_REQUIRE_MSG(n >= 0, "nothing came, expected %s", expected);
	text[n] = '\0';
	ATF_CHECK_STREQ(expected, text);
}

static void
conversation(int fd)
{
	char	text[4096];

	ATF_REQUIRE(notify_init() == 0);
	ATF_CHECK(getenv("NOTIFY_SOCKET") == NULL);
	ATF_CHECK(notify_ready("3 services") == 0);
	heard(fd, "READY=1\nSTATUS=3 services");
	ATF_CHECK(notify_reloading(18446744073709551615ULL) == 0);
	heard(fd, "RELOADING=1\nMONOTONIC_USEC=18446744073709551615");
	/* A second line would be a variable of its own. */
	ATF_CHECK(notify_status("x\nMAINPID=1") == 0);
	heard(fd, "STATUS=x");
	ATF_CHECK(notify_stopping() == 0);
	heard(fd, "STOPPING=1");
	ATF_CHECK_EQ(-1, recv(fd, text, sizeof(text), MSG_DONTWAIT));
}

ATF_TC_WITHOUT_HEAD(a_file);
ATF_TC_BODY(a_file, tc)
{
	char	name[64];

	snprintf(name, sizeof(name), "/tmp/notify.%ld", (long)getpid());
	(void)unlink(name);
	conversation(manager_open(name));
	ATF_CHECK(unlink(name) == 0);
	/* The manager is gone. */
	ATF_CHECK_EQ(-1, notify_ready(""));
	ATF_CHECK_EQ(ENOENT, errno);
}

ATF_TC(abstract);
ATF_TC_HEAD(abstract, tc)
{
	if (strcmp(SYSTEM, "linux") != 0)
		atf_tc_set_md_var(tc, "require.files", "/no/abstract/names");
}
ATF_TC_BODY(abstract, tc)
{
	char	name[64];

	snprintf(name, sizeof(name), "@tcpserverd/notify.%ld", (long)getpid());
	conversation(manager_open(name));
}

ATF_TC_WITHOUT_HEAD(nobody_asked);
ATF_TC_BODY(nobody_asked, tc)
{
	unsetenv("NOTIFY_SOCKET");
	ATF_CHECK(notify_init() == 0);
	ATF_CHECK(notify_ready("") == 0);
	ATF_CHECK(notify_reloading(0) == 0);
	ATF_CHECK(notify_status("x") == 0);
	ATF_CHECK(notify_stopping() == 0);
	ATF_REQUIRE(setenv("NOTIFY_SOCKET", "", 1) == 0);
	ATF_CHECK(notify_init() == 0);
	ATF_CHECK(notify_ready("") == 0);
}

static void
refused(const char *name, int error)
{
	ATF_REQUIRE(setenv("NOTIFY_SOCKET", name, 1) == 0);
	errno = 0;
	ATF_CHECK_EQ_MSG(-1, notify_init(), "%s", name);
	ATF_CHECK_EQ_MSG(error, errno, "%s: %d", name, errno);
	ATF_CHECK(getenv("NOTIFY_SOCKET") == NULL);
	ATF_CHECK(notify_ready("") == 0);
}

ATF_TC_WITHOUT_HEAD(odd_names);
ATF_TC_BODY(odd_names, tc)
{
	struct sockaddr_un	sun;
	char			name[sizeof(sun.sun_path) + 1];

	refused("relative", EAFNOSUPPORT);
	refused("vsock:2:1234", EAFNOSUPPORT);
	refused("/", EINVAL);
	refused("@", EINVAL);
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	refused(name, ENAMETOOLONG);
	name[sizeof(name) - 2] = '\0';
	ATF_REQUIRE(setenv("NOTIFY_SOCKET", name, 1) == 0);
	ATF_CHECK(notify_init() == 0);
}

/* A manager that hangs does not make us hang. */
ATF_TC(deaf);
ATF_TC_HEAD(deaf, tc)
{
	atf_tc_set_md_var(tc, "timeout", "10");
}
ATF_TC_BODY(deaf, tc)
{
	char	name[64];
	int	fd, i;

	snprintf(name, sizeof(name), "/tmp/notify.%ld", (long)getpid());
	(void)unlink(name);
	fd = manager_open(name);
	ATF_REQUIRE(notify_init() == 0);
	for (i = 0; i < 100000 && notify_status("again") == 0; i++)
		;
	ATF_CHECK_MSG(errno == EAGAIN || errno == ENOBUFS, "%d", errno);
	ATF_CHECK(i < 100000);
	heard(fd, "STATUS=again");
	ATF_CHECK(unlink(name) == 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_file);
	ATF_TP_ADD_TC(tp, abstract);
	ATF_TP_ADD_TC(tp, nobody_asked);
	ATF_TP_ADD_TC(tp, odd_names);
	ATF_TP_ADD_TC(tp, deaf);
	return (atf_no_error());
}
