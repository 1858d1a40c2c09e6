/*
 * The environment of a program: whose value wins, and what never leaks.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <net/if.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "launcher.h"

extern char **environ;

static struct program		program;
static struct start_record	record;
static struct start		start;

/* The inherited environment, as envp[] gives it. */
static void
inherit(char **envp)
{
	environ = envp;
	ucspi_env_free(&program.base);
	ATF_REQUIRE(environment_init(&program, NULL, 0) == 0);
}

static void
client(const char *local, const char *remote)
{
	memset(&record, 0, sizeof(record));
	memset(&start, 0, sizeof(start));
	start.record = &record;
	ATF_REQUIRE(netaddr_parse(&record.local, local) == 0);
	ATF_REQUIRE(netaddr_parse(&record.remote, remote) == 0);
	record.local_port = 25;
	record.remote_port = 65535;
}

static void
variables(char *text, size_t size)
{
	start.variables = text;
	record.variables_len = (uint32_t)size;
}

static char **
build(void)
{
	char	**envp;

	ATF_REQUIRE((envp = environment_build(&program, &start)) != NULL);
	return (envp);
}

/* All of it, one a line, in order. */
static const char *
all(void)
{
	static char	text[32768];
	char		**envp;

	text[0] = '\0';
	for (envp = build(); *envp != NULL; envp++) {
		strlcat(text, *envp, sizeof(text));
		strlcat(text, "\n", sizeof(text));
	}
	return (text);
}

static char	home[] = "HOME=/root", path[] = "PATH=/bin", bare[] = "BARE";
static char	*few[] = { home, path, bare, NULL };

ATF_TC_WITHOUT_HEAD(four);
ATF_TC_BODY(four, tc)
{
	inherit(few);
	client("192.0.2.1", "198.51.100.2");
	ATF_CHECK_STREQ("HOME=/root\nPATH=/bin\nBARE\nPROTO=TCP\n"
	    "TCPLOCALIP=192.0.2.1\nTCPLOCALPORT=25\n"
	    "TCPREMOTEIP=198.51.100.2\nTCPREMOTEPORT=65535\n", all());
	start.local_name = "l";
	start.remote_name = "r";
	start.info = "i";
	ATF_CHECK_STREQ("HOME=/root\nPATH=/bin\nBARE\nPROTO=TCP\n"
	    "TCPLOCALIP=192.0.2.1\nTCPLOCALPORT=25\nTCPLOCALHOST=l\n"
	    "TCPREMOTEIP=198.51.100.2\nTCPREMOTEPORT=65535\n"
	    "TCPREMOTEHOST=r\nTCPREMOTEINFO=i\n", all());
	/* Known to be empty is not unknown. */
	start.remote_name = start.info = "";
	ATF_CHECK(strstr(all(), "TCPREMOTEHOST=\nTCPREMOTEINFO=\n") != NULL);
}

ATF_TC_WITHOUT_HEAD(six);
ATF_TC_BODY(six, tc)
{
	inherit(few);
	client("2001:db8::1", "2001:db8::2");
	start.local_name = "l";
	start.remote_name = "r";
	start.info = "i";
	ATF_CHECK_STREQ("HOME=/root\nPATH=/bin\nBARE\nPROTO=TCP6\n"
	    "TCPLOCALIP=2001:db8::1\nTCPLOCALPORT=25\nTCPLOCALHOST=l\n"
	    "TCPREMOTEIP=2001:db8::2\nTCPREMOTEPORT=65535\n"
	    "TCPREMOTEHOST=r\nTCPREMOTEINFO=i\n"
	    "TCP6LOCALIP=2001:db8::1\nTCP6LOCALPORT=25\nTCP6LOCALHOST=l\n"
	    "TCP6REMOTEIP=2001:db8::2\nTCP6REMOTEPORT=65535\n"
	    "TCP6REMOTEHOST=r\nTCP6REMOTEINFO=i\n", all());
}

ATF_TC_WITHOUT_HEAD(interface);
ATF_TC_BODY(interface, tc)
{
	struct if_nameindex	*list = if_nameindex();
	char			 expected[IF_NAMESIZE + 32];

	if (list == NULL || list[0].if_index == 0)
		atf_tc_skip("no network interface here");
	inherit(few);
	client("fe80::1", "fe80::2");
	record.remote.scope = list[0].if_index;
	snprintf(expected, sizeof(expected), "\nTCP6INTERFACE=%s\n",
	    list[0].if_name);
	ATF_CHECK(strstr(all(), expected) != NULL);
	/* One that is gone is not named. */
	record.remote.scope = 0x7fffffff;
	ATF_CHECK(strstr(all(), "TCP6INTERFACE") == NULL);
	if_freenameindex(list);
}

/* A value of another connection is worse than none. */
ATF_TC_WITHOUT_HEAD(stale);
ATF_TC_BODY(stale, tc)
{
	static const char *const	names[] = { "PROTO", "TCPLOCALIP",
	    "TCPLOCALPORT", "TCPLOCALHOST", "TCPREMOTEIP", "TCPREMOTEPORT",
	    "TCPREMOTEHOST", "TCPREMOTEINFO", "TCP6LOCALIP",
	    "TCP6LOCALPORT", "TCP6LOCALHOST", "TCP6REMOTEIP",
	    "TCP6REMOTEPORT", "TCP6REMOTEHOST", "TCP6REMOTEINFO",
	    "TCP6INTERFACE" };
	static char	text[nitems(names) * 2][64];
	static char	near1[] = "TCPREMOTEINFOX=stale?";
	static char	near2[] = "XTCPREMOTEIP=stale?";
	char		*envp[nitems(names) * 2 + 3];
	size_t		 i, n = 0;

	/* Each twice, as an environment may have it. */
	for (i = 0; i < nitems(names) * 2; i++) {
		snprintf(text[i], sizeof(text[i]), "%s=stale",
		    names[i % nitems(names)]);
		envp[n++] = text[i];
	}
	envp[n++] = near1;
	envp[n++] = near2;
	envp[n] = NULL;
	inherit(envp);
	client("192.0.2.1", "198.51.100.2");
	ATF_CHECK_STREQ("TCPREMOTEINFOX=stale?\nXTCPREMOTEIP=stale?\n"
	    "PROTO=TCP\nTCPLOCALIP=192.0.2.1\nTCPLOCALPORT=25\n"
	    "TCPREMOTEIP=198.51.100.2\nTCPREMOTEPORT=65535\n", all());
	/* Nor does one connection leave anything to the next. */
	client("2001:db8::1", "2001:db8::2");
	start.remote_name = start.info = start.local_name = "six";
	(void)build();
	client("192.0.2.1", "198.51.100.2");
	ATF_CHECK(strstr(all(), "six") == NULL);
	ATF_CHECK(strstr(all(), "2001") == NULL);
}

ATF_TC_WITHOUT_HEAD(rules_replace);
ATF_TC_BODY(rules_replace, tc)
{
	char	set[] = "RELAYCLIENT=\0HOME=/tmp\0TCPREMOTEIP=1.2.3.4\0"
		    "PROTO=UDP\0RELAYCLIENT=@x\0BARE=2";

	inherit(few);
	client("192.0.2.1", "198.51.100.2");
	variables(set, sizeof(set));
	/* In place where there was one, the last where there are several. */
	ATF_CHECK_STREQ("HOME=/tmp\nPATH=/bin\nBARE=2\nPROTO=UDP\n"
	    "TCPLOCALIP=192.0.2.1\nTCPLOCALPORT=25\nTCPREMOTEIP=1.2.3.4\n"
	    "TCPREMOTEPORT=65535\nRELAYCLIENT=@x\n", all());
	/* And only for that connection. */
	client("192.0.2.1", "198.51.100.2");
	ATF_CHECK(strstr(all(), "RELAYCLIENT") == NULL);
	ATF_CHECK(strstr(all(), "HOME=/root\n") != NULL);
}

ATF_TC_WITHOUT_HEAD(odd_names);
ATF_TC_BODY(odd_names, tc)
{
	char	set[] = "=empty\0=again\0\0A B=c d\0X==y";

	inherit(few);
	client("192.0.2.1", "198.51.100.2");
	variables(set, sizeof(set));
	ATF_CHECK(strstr(all(), "\n=again\n") != NULL ||
	    strstr(all(), "\n\n") != NULL);
	ATF_CHECK(strstr(all(), "=empty") == NULL);
	ATF_CHECK(strstr(all(), "\nA B=c d\nX==y\n") != NULL);
}

/* As much as a record can carry. */
ATF_TC_WITHOUT_HEAD(very_many);
ATF_TC_BODY(very_many, tc)
{
	static char	set[START_RECORD_MAX];
	size_t		len = 0;
	char		**envp;
	int		i, n;

	for (i = 0; len + 12 < sizeof(set); i++)
		len += (size_t)snprintf(set + len, 12, "V%d=%d", i, i) + 1;
	inherit(few);
	client("192.0.2.1", "198.51.100.2");
	variables(set, len);
	envp = build();
	for (n = 0; envp[n] != NULL; n++)
		continue;
	ATF_CHECK_EQ(3 + 5 + i, n);
	ATF_CHECK_STREQ("V0=0", envp[8]);
}

/* Longer than any name that can be: cut, not beyond our memory. */
ATF_TC_WITHOUT_HEAD(very_long_names);
ATF_TC_BODY(very_long_names, tc)
{
	static char	name[30000];

	memset(name, 'n', sizeof(name) - 1);
	inherit(few);
	client("2001:db8::1", "2001:db8::2");
	start.local_name = start.remote_name = start.info = name;
	ATF_CHECK(strstr(all(), "TCPREMOTEHOST=nnn") != NULL);
	name[LOCAL_NAME_SIZE - 1] = '\0';
	ATF_CHECK(strstr(all(), name) != NULL);
}

ATF_TC_WITHOUT_HEAD(nothing_inherited);
ATF_TC_BODY(nothing_inherited, tc)
{
	char	*none[] = { NULL };

	inherit(none);
	client("192.0.2.1", "198.51.100.2");
	ATF_CHECK(strncmp(all(), "PROTO=TCP\n", 10) == 0);
	inherit(NULL);
	ATF_CHECK(strncmp(all(), "PROTO=TCP\n", 10) == 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, four);
	ATF_TP_ADD_TC(tp, six);
	ATF_TP_ADD_TC(tp, interface);
	ATF_TP_ADD_TC(tp, stale);
	ATF_TP_ADD_TC(tp, rules_replace);
	ATF_TP_ADD_TC(tp, odd_names);
	ATF_TP_ADD_TC(tp, very_many);
	ATF_TP_ADD_TC(tp, very_long_names);
	ATF_TP_ADD_TC(tp, nothing_inherited);
	return (atf_no_error());
}
