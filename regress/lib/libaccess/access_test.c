/*
 * Opening databases, noticing changes, judging.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <arpa/inet.h>

#include <errno.h>
#include <signal.h>

#include "dbtool.h"
#include "compat.h"
#include "network.h"

static struct access_verdict	verdict;

/* "KEY allow|deny|default[ VARIABLE]..." of a client. */
static const char *
judge(const struct access *rules, const char *ip, const char *host,
    const char *info)
{
	static char		 out[4096];
	const char		*answers[] = { "default", "allow", "deny" };
	const char		*variable;
	struct access_client	 client;
	uint8_t			 bytes[16];
	size_t			 pos;

	memset(&client, 0, sizeof(client));
	client.ip = ip;
	client.host = host;
	client.info = info;
	client.bytes = bytes;
	if (inet_pton(AF_INET, ip, bytes) == 1)
		client.family = AF_INET;
	else if (inet_pton(AF_INET6, ip, bytes) == 1)
		client.family = AF_INET6;
	else
		client.family = AF_UNSPEC;
	if (access_check(rules, &client, &verdict) == -1) {
		snprintf(out, sizeof(out), "errno %d", errno);
		return (out);
	}
	snprintf(out, sizeof(out), "%.*s %s", (int)verdict.key_len,
	    (const char *)verdict.key, answers[verdict.answer]);
	pos = 0;
	while ((variable = access_variable(&verdict, &pos)) != NULL) {
		strlcat(out, " ", sizeof(out));
		strlcat(out, variable, sizeof(out));
	}
	return (out);
}

static void
open_fails(int fd, int code)
{
	errno = 0;
	ATF_CHECK(access_open(fd) == NULL);
	ATF_CHECK_EQ_MSG(code, errno, "%d, not %d", errno, code);
}

ATF_TC_WITHOUT_HEAD(no_database);
ATF_TC_BODY(no_database, tc)
{
	char	zeros[4096];
	int	fd, pipes[2];

	open_fails(-1, EBADF);
	ATF_REQUIRE((fd = open(".", O_RDONLY)) != -1);
	open_fails(fd, EISDIR);
	close(fd);
	ATF_REQUIRE(pipe(pipes) == 0);
	open_fails(pipes[0], EINVAL);
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	open_fails(fd, EINVAL);
	close(fd);

	memset(zeros, 0, sizeof(zeros));
	file_write(DB_FILE, zeros, 0);
	ATF_REQUIRE((fd = open(DB_FILE, O_RDWR)) != -1);
	open_fails(fd, EPROTO);
	file_write(DB_FILE, zeros, 2047);
	open_fails(fd, EPROTO);
	/* Nothing but a header of empty tables is an empty database. */
	file_write(DB_FILE, zeros, 2048);
	ATF_REQUIRE_STREQ(" default", judge(db_open(), "1.2.3.4", "h", "i"));
	/* One byte more than positions can name; sparse, so not read. */
	ATF_REQUIRE(ftruncate(fd, (off_t)UINT32_MAX + 1) == 0);
	open_fails(fd, EFBIG);
	close(fd);
	ATF_REQUIRE((fd = open(DB_FILE, O_WRONLY | O_TRUNC)) != -1);
	ATF_REQUIRE(write(fd, zeros, 2048) == 2048);
	open_fails(fd, EBADF);
}

ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	struct access	*rules;

	/* Each step hides the next; the whole order in one database. */
	ATF_REQUIRE(db_compile(
	    ":allow,N=\"empty\"\n=:allow,N=\"any host\"\n"
	    "=.c:allow,N=\"c\"\n=.b.c:allow,N=\"bc\"\n"
	    "1.0.0.0/8:allow,N=\"8\"\n1.2.0.0/16:allow,N=\"16\"\n"
	    "1.:allow,N=\"1\"\n1.2.:allow,N=\"12\"\n1.2.3.:allow,N=\"123\"\n"
	    "=a.b.c:allow,N=\"host\"\n1.2.3.4:allow,N=\"ip\"\n"
	    "joe@=a.b.c:allow,N=\"joe host\"\n"
	    "joe@1.2.3.4:allow,N=\"joe ip\"\n") == COMPILE_DONE);
	rules = db_open();
	ATF_CHECK_STREQ("joe@1.2.3.4 allow N=joe ip",
	    judge(rules, "1.2.3.4", "a.b.c", "joe"));
	ATF_CHECK_STREQ("joe@=a.b.c allow N=joe host",
	    judge(rules, "1.2.3.5", "a.b.c", "joe"));
	ATF_CHECK_STREQ("1.2.3.4 allow N=ip",
	    judge(rules, "1.2.3.4", "a.b.c", "Joe"));
	ATF_CHECK_STREQ("=a.b.c allow N=host",
	    judge(rules, "1.2.3.5", "a.b.c", NULL));
	ATF_CHECK_STREQ("1.2.3. allow N=123",
	    judge(rules, "1.2.3.5", "b.b.c", "joe"));
	ATF_CHECK_STREQ("1.2. allow N=12",
	    judge(rules, "1.2.33.5", NULL, "joe"));
	ATF_CHECK_STREQ("1. allow N=1", judge(rules, "1.22.33.5", NULL, ""));
	/* An empty name is a name: "=" is its exact form. */
	ATF_CHECK_STREQ("= allow N=any host",
	    judge(rules, "1.22.33.5", "", ""));
	ATF_CHECK_STREQ("=.b.c allow N=bc",
	    judge(rules, "2.2.3.5", "a.b.b.c", "joe"));
	ATF_CHECK_STREQ("=.b.c allow N=bc",
	    judge(rules, "2.2.3.5", ".b.c", "joe"));
	ATF_CHECK_STREQ("=.c allow N=c",
	    judge(rules, "2.2.3.5", "ab.c", "joe"));
	ATF_CHECK_STREQ("= allow N=any host", judge(rules, "2.2.3.5", "", ""));
	ATF_CHECK_STREQ(" allow N=empty", judge(rules, "2.2.3.5", NULL, ""));
	access_close(rules);

	ATF_REQUIRE(db_compile("1.0.0.0/8:allow,N=\"8\"\n"
	    "1.2.0.0/16:allow,N=\"16\"\n1.:allow\n=.c:deny\n") ==
	    COMPILE_DONE);
	rules = db_open();
	/* Text prefixes of any length go before networks. */
	ATF_CHECK_STREQ("1. allow", judge(rules, "1.2.3.4", "a.c", NULL));
	access_close(rules);

	ATF_REQUIRE(db_compile("1.0.0.0/8:allow,N=\"8\"\n"
	    "1.2.0.0/16:allow,N=\"16\"\n=.c:deny\n=1.9.9.9:deny\n") ==
	    COMPILE_DONE);
	rules = db_open();
	ATF_CHECK_STREQ("_0000000h000000o0 allow N=16",
	    judge(rules, "1.2.3.4", "a.c", NULL));
	ATF_CHECK_STREQ("_0000000h allow N=8",
	    judge(rules, "1.3.3.4", "a.c", NULL));
	ATF_CHECK_STREQ("=.c deny", judge(rules, "2.3.3.4", "a.c", NULL));
	ATF_CHECK_STREQ(" default", judge(rules, "2.3.3.4", "a.d", NULL));
	access_close(rules);
}

ATF_TC_WITHOUT_HEAD(order_v6);
ATF_TC_BODY(order_v6, tc)
{
	struct access	*rules;

	ATF_REQUIRE(db_compile(
	    "::/0:allow,N=\"all six\"\n2001:DB8::/32:allow,N=\"32\"\n"
	    "2001:db8:5::allow,N=\"text\"\n"
	    "2001:db8::1:deny\n[2001:db8::2]:allow,N=\"two\"\n"
	    "joe@2001:0db8::0002:allow,N=\"joe\"\n"
	    "::ffff:9.9.9.9:deny\n") == COMPILE_DONE);
	rules = db_open();
	ATF_CHECK_STREQ("2001:db8::1 deny",
	    judge(rules, "2001:db8::1", NULL, "joe"));
	ATF_CHECK_STREQ("2001:db8::2 allow N=two",
	    judge(rules, "2001:db8::2", NULL, NULL));
	ATF_CHECK_STREQ("joe@2001:db8::2 allow N=joe",
	    judge(rules, "2001:db8::2", NULL, "joe"));
	ATF_CHECK_STREQ("2001:db8:5: allow N=text",
	    judge(rules, "2001:db8:5::7", NULL, NULL));
	ATF_CHECK_STREQ("^00`000000000000a0000bc0de0fgh000 allow N=32",
	    judge(rules, "2001:db8:6::7", NULL, NULL));
	ATF_CHECK_STREQ("^ allow N=all six",
	    judge(rules, "2001:db9::7", NULL, NULL));
	ATF_CHECK_STREQ(" default", judge(rules, "1.2.3.4", NULL, NULL));
	ATF_CHECK_STREQ("9.9.9.9 deny", judge(rules, "9.9.9.9", NULL, NULL));
	access_close(rules);
}

/* As ucspi-tcp6 writes them: no record of lengths, full IPv6 forms. */
ATF_TC_WITHOUT_HEAD(foreign);
ATF_TC_BODY(foreign, tc)
{
	const struct record	 records[] = {
		RECORD("2001:0db8:0000:0000:0000:0000:0000:0001", "D\0"),
		RECORD("joe@2001:0db8:0000:0000:0000:0000:0000:0001",
		    "+J=1\0"),
		RECORD("_0000e0g0", "+N=8\0"),
		RECORD("^00`000000000000a0000bc0de0fgh000", "+N=32\0"),
	};
	struct access		*rules;
	int			 learnt;

	db_make(records, nitems(records));
	rules = db_open();
	for (learnt = 0; learnt < 2; learnt++) {
		ATF_CHECK_STREQ("2001:0db8:0000:0000:0000:0000:0000:0001 deny",
		    judge(rules, "2001:db8::1", NULL, NULL));
		ATF_CHECK_STREQ("joe@2001:0db8:0000:0000:0000:0000:0000:0001 "
		    "allow J=1", judge(rules, "2001:db8::1", NULL, "joe"));
		ATF_CHECK_STREQ("_0000e0g0 allow N=8",
		    judge(rules, "10.9.8.7", NULL, NULL));
		ATF_CHECK_STREQ("^00`000000000000a0000bc0de0fgh000 allow N=32",
		    judge(rules, "2001:db8:6::7", NULL, NULL));
		ATF_CHECK_STREQ(" default",
		    judge(rules, "11.9.8.7", NULL, NULL));
		ATF_CHECK_EQ(0, access_lengths_learn(rules));
	}
	access_close(rules);
}

/* That the record of lengths is believed shows that it is read. */
ATF_TC_WITHOUT_HEAD(lengths_are_used);
ATF_TC_BODY(lengths_are_used, tc)
{
	struct network_lengths	 lengths;
	struct record		 records[] = {
		RECORD("_0000e0g0", "+N=8\0"),
		RECORD("_0000e0g000000000", "+N=16\0"),
		{ NETWORK_LENGTHS_KEY, NETWORK_LENGTHS_KEY_LEN, NULL, 0 },
	};
	uint8_t			 data[NETWORK_LENGTHS_DATA];
	struct access		*rules;

	memset(&lengths, 0, sizeof(lengths));
	lengths.v4[8] = 1;
	network_lengths_write(&lengths, data);
	records[2].data = (const char *)data;
	records[2].data_len = sizeof(data);
	db_make(records, 3);
	rules = db_open();
	ATF_CHECK_STREQ("_0000e0g0 allow N=8",
	    judge(rules, "10.0.8.7", NULL, NULL));
	ATF_CHECK_EQ(0, access_lengths_learn(rules));
	ATF_CHECK_STREQ("_0000e0g0 allow N=8",
	    judge(rules, "10.0.8.7", NULL, NULL));
	access_close(rules);

	/* What only looks like it is no such record. */
	data[5] = 'x';
	db_make(records, 3);
	rules = db_open();
	ATF_CHECK_STREQ("_0000e0g000000000 allow N=16",
	    judge(rules, "10.0.8.7", NULL, NULL));
	access_close(rules);
}

ATF_TC_WITHOUT_HEAD(data);
ATF_TC_BODY(data, tc)
{
	const struct record	 records[] = {
		RECORD("1.1.1.1", "Zunknown\0+A=1\0\0+B\0+=x\0+C=\0+D=unended"),
		RECORD("1.1.1.2", "D\0+A=1\0"), RECORD("1.1.1.3", "D"),
		RECORD("1.1.1.4", "d\0"), RECORD("1.1.1.5", ""),
		RECORD("1.1.1.5", "D\0"), RECORD("1.1.1.6", "+A=1\0D\0+B=2\0"),
	};
	struct access		*rules;

	db_make(records, nitems(records));
	rules = db_open();
	ATF_CHECK_STREQ("1.1.1.1 allow A=1 =x C=",
	    judge(rules, "1.1.1.1", NULL, NULL));
	ATF_CHECK_STREQ("1.1.1.2 deny", judge(rules, "1.1.1.2", NULL, NULL));
	ATF_CHECK_STREQ("1.1.1.3 allow", judge(rules, "1.1.1.3", NULL, NULL));
	ATF_CHECK_STREQ("1.1.1.4 allow", judge(rules, "1.1.1.4", NULL, NULL));
	/* Of two records with one key the first counts. */
	ATF_CHECK_STREQ("1.1.1.5 allow", judge(rules, "1.1.1.5", NULL, NULL));
	ATF_CHECK_STREQ("1.1.1.6 deny A=1",
	    judge(rules, "1.1.1.6", NULL, NULL));
	access_close(rules);
}

/* More keys than one batch holds, and keys longer than are ever tried. */
ATF_TC_WITHOUT_HEAD(long_names);
ATF_TC_BODY(long_names, tc)
{
	struct access	*rules;
	char		 host[4000], longest[ACCESS_KEY_SIZE];
	size_t		 i;

	for (i = 0; i + 1 < sizeof(host); i += 2)
		memcpy(host + i, ".a", 2);
	host[sizeof(host) - 2] = '\0';
	ATF_REQUIRE(db_compile("=.a.a:allow,N=\"2\"\n=:deny\n") ==
	    COMPILE_DONE);
	rules = db_open();
	ATF_CHECK_STREQ("=.a.a allow N=2", judge(rules, "9.9.9.9", host,
	    host));
	ATF_CHECK_STREQ("=.a.a allow N=2", judge(rules, host, host, host));
	access_close(rules);

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	snprintf(host, sizeof(host), "=%s:deny\n", longest);
	ATF_REQUIRE(db_compile(host) == COMPILE_DONE);
	rules = db_open();
	judge(rules, "9.9.9.9", longest, NULL);
	ATF_CHECK_EQ(ACCESS_DENY, verdict.answer);
	ATF_CHECK_EQ(ACCESS_KEY_SIZE, verdict.key_len);
	access_close(rules);
	snprintf(host, sizeof(host), "=x%s:deny\n", longest);
	ATF_REQUIRE(db_compile(host) == COMPILE_DONE);
	rules = db_open();
	snprintf(host, sizeof(host), "x%s", longest);
	judge(rules, "9.9.9.9", host, NULL);
	ATF_CHECK_EQ(ACCESS_DEFAULT, verdict.answer);
	access_close(rules);
}

ATF_TC_WITHOUT_HEAD(changes);
ATF_TC_BODY(changes, tc)
{
	struct access	*rules;
	struct timeval	 times[2] = { { 1, 0 }, { 1, 0 } };
	int		 fd;

	ATF_REQUIRE(db_compile("1.2.3.4:deny\n") == COMPILE_DONE);
	ATF_REQUIRE((fd = open(DB_FILE, O_RDWR)) != -1);
	ATF_REQUIRE((rules = access_open(fd)) != NULL);
	ATF_CHECK_EQ(0, lseek(fd, 0, SEEK_CUR));
	ATF_CHECK_EQ(0, access_changed(rules, fd));
	ATF_CHECK_EQ(1, access_changed(rules, -1));

	ATF_REQUIRE(utimes(DB_FILE, times) == 0);
	ATF_CHECK_EQ(1, access_changed(rules, fd));
	access_close(rules);
	ATF_REQUIRE((rules = access_open(fd)) != NULL);
	ATF_CHECK_EQ(0, access_changed(rules, fd));
	/* Another link, and the file lives on without the first. */
	ATF_REQUIRE(link(DB_FILE, "other") == 0);
	ATF_CHECK_EQ(1, access_changed(rules, fd));
	access_close(rules);
	ATF_REQUIRE((rules = access_open(fd)) != NULL);
	ATF_REQUIRE(unlink(DB_FILE) == 0);
	ATF_CHECK_EQ(1, access_changed(rules, fd));
	access_close(rules);

	/* Replaced before we even read: no name, so never up to date. */
	ATF_REQUIRE(db_compile("1.2.3.4:allow\n") == COMPILE_DONE);
	close(fd);
	ATF_REQUIRE((fd = open(DB_FILE, O_RDWR)) != -1);
	ATF_REQUIRE(db_compile("1.2.3.4:deny\n") == COMPILE_DONE);
	ATF_REQUIRE((rules = access_open(fd)) != NULL);
	ATF_CHECK_EQ(1, access_changed(rules, fd));
	ATF_CHECK_STREQ("1.2.3.4 allow", judge(rules, "1.2.3.4", NULL, NULL));
	access_close(rules);
}

/* Neither truncation nor other bytes reach what was read. */
ATF_TC_WITHOUT_HEAD(written_in_place);
ATF_TC_BODY(written_in_place, tc)
{
	struct access	*rules;
	char		 junk[3000];
	int		 fd;

	ATF_REQUIRE(db_compile("1.2.3.4:deny\n=a:allow,A=\"1\"\n") ==
	    COMPILE_DONE);
	ATF_REQUIRE((fd = open(DB_FILE, O_RDWR)) != -1);
	ATF_REQUIRE((rules = access_open(fd)) != NULL);
	memset(junk, 0xff, sizeof(junk));
	ATF_REQUIRE(pwrite(fd, junk, sizeof(junk), 0) == sizeof(junk));
	ATF_CHECK_EQ(1, access_changed(rules, fd));
	ATF_CHECK_STREQ("1.2.3.4 deny", judge(rules, "1.2.3.4", NULL, NULL));
	ATF_REQUIRE(ftruncate(fd, 0) == 0);
	ATF_CHECK_STREQ("1.2.3.4 deny", judge(rules, "1.2.3.4", NULL, NULL));
	ATF_CHECK_STREQ("=a allow A=1", judge(rules, "1.2.3.5", "a", NULL));
	access_close(rules);
}

static void
file_disturb(int fd)
{
	for (;;)
		if (pwrite(fd, "", 1, 3000) != 1)
			_exit(1);
}

/*
 * While someone keeps writing, there is no state of the file to be had.
 * The file is large, so that each reading takes longer than the clock of
 * the file system needs to move on.
 */
ATF_TC_WITHOUT_HEAD(written_while_read);
ATF_TC_BODY(written_while_read, tc)
{
	struct access	*rules;
	pid_t		 pid;
	int		 errors, fd, tries;

	ATF_REQUIRE((fd = open(DB_FILE, O_RDWR | O_CREAT, 0644)) != -1);
	ATF_REQUIRE(ftruncate(fd, 64 * 1024 * 1024) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		file_disturb(fd);
	errors = 0;
	for (tries = 0; tries < 100 && errors == 0; tries++) {
		if ((rules = access_open(fd)) == NULL) {
			ATF_REQUIRE_EQ(EAGAIN, errno);
			errors++;
		}
		access_close(rules);
	}
	kill(pid, SIGKILL);
	ATF_REQUIRE(waitpid(pid, NULL, 0) == pid);
	ATF_CHECK_EQ(1, errors);
	/* And then there is. */
	ATF_REQUIRE((rules = access_open(fd)) != NULL);
	access_close(rules);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, no_database);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, order_v6);
	ATF_TP_ADD_TC(tp, foreign);
	ATF_TP_ADD_TC(tp, lengths_are_used);
	ATF_TP_ADD_TC(tp, data);
	ATF_TP_ADD_TC(tp, long_names);
	ATF_TP_ADD_TC(tp, changes);
	ATF_TP_ADD_TC(tp, written_in_place);
	ATF_TP_ADD_TC(tp, written_while_read);
	return (atf_no_error());
}
