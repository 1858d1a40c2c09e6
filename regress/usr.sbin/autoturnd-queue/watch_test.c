/*
 * Watches on real directories.
 */
#include <fcntl.h>

#include "stubs.h"

static int	called[3];	/* a, b, others */
static int	calls;

static void
call(const char *name)
{
	calls++;
	called[name[0] == 'a' ? 0 : name[0] == 'b' ? 1 : 2]++;
	event_loopexit(NULL);
}

static void
maildir(const char *name)
{
	char	path[32];

	ATF_REQUIRE_EQ(mkdir(name, 0700), 0);
	snprintf(path, sizeof(path), "%s/new", name);
	ATF_REQUIRE_EQ(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/tmp", name);
	ATF_REQUIRE_EQ(mkdir(path, 0700), 0);
}

static void
world(void)
{
	ATF_REQUIRE_EQ(mkdir("spool", 0755), 0);
	ATF_REQUIRE_EQ(chdir("spool"), 0);
	queue.spool_fd = open(".", O_RDONLY | O_DIRECTORY);
	ATF_REQUIRE(queue.spool_fd != -1);
	ATF_REQUIRE(watch_init(100, call) > 0);
	event_init();
	maildir("a");
	maildir("b");
	maildir("c");
}

static void
file(const char *path)
{
	int	fd;

	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	ATF_REQUIRE_MSG(fd != -1, "%s", path);
	close(fd);
}

static void
nothing(int fd, short event, void *arg)
{
	event_loopexit(NULL);
}

/* Until one is called. */
static void
wait_call(void)
{
	int	before = calls;

	while (calls == before)
		event_loop(EVLOOP_ONCE);
}

/* What is there already is told; nothing else can be. */
static void
drain(void)
{
	struct timeval	tv = { 0, 50 * 1000 };
	struct event	ev;

	evtimer_set(&ev, nothing, NULL);
	evtimer_add(&ev, &tv);
	while (evtimer_pending(&ev, NULL))
		event_loop(EVLOOP_ONCE);
}

ATF_TC_WITHOUT_HEAD(tells);
ATF_TC_BODY(tells, tc)
{
	world();
	ATF_REQUIRE_EQ(watch_add("a-name", "a"), 0);
	ATF_REQUIRE_EQ(watch_add("b-name", "b"), 0);
	ATF_CHECK(watch_holds("a-name"));
	ATF_CHECK(!watch_holds("c-name"));
	/* The three ways into new/. */
	file("a/tmp/1");
	file("c/new/1");
	ATF_REQUIRE_EQ(rename("a/tmp/1", "a/new/1"), 0);
	wait_call();
	ATF_CHECK_EQ(called[0], 1);
	file("a/tmp/2");
	ATF_REQUIRE_EQ(link("a/tmp/2", "a/new/2"), 0);
	wait_call();
	ATF_CHECK_EQ(called[0], 2);
	file("b/new/3");
	wait_call();
	drain();
	ATF_CHECK(called[1] >= 1);
	ATF_CHECK_EQ(called[2], 0);
	watch_remove("a-name");
	watch_remove("a-name");
	watch_remove("nobody");
	drain();
	calls = called[0] = 0;
	file("a/new/4");
	drain();
	ATF_CHECK_EQ(called[0], 0);
}

ATF_TC_WITHOUT_HEAD(ends_with_the_directory);
ATF_TC_BODY(ends_with_the_directory, tc)
{
	world();
	ATF_REQUIRE_EQ(watch_add("a", "a"), 0);
	ATF_REQUIRE_EQ(rmdir("a/new"), 0);
	drain();
	ATF_CHECK(!watch_holds("a"));
	ATF_REQUIRE_EQ(mkdir("a/new", 0700), 0);
	ATF_REQUIRE_EQ(watch_add("a", "a"), 0);
	calls = 0;
	file("a/new/1");
	wait_call();
	ATF_CHECK_EQ(called[0], calls);
	/* Again by the same name is once. */
	ATF_REQUIRE_EQ(watch_add("a", "a"), 0);
	ATF_CHECK(watch_holds("a"));
	/* Another name for the same directory. */
	drain();
	ATF_REQUIRE_EQ(watch_add("b", "a"), 0);
	called[0] = called[1] = 0;
	file("a/new/2");
	wait_call();
	drain();
	ATF_CHECK(called[1] >= 1);
}

ATF_TC_WITHOUT_HEAD(refuses);
ATF_TC_BODY(refuses, tc)
{
	world();
	ATF_CHECK_EQ(watch_add("x", "x"), -1);
	ATF_CHECK(!watch_holds("x"));
	ATF_REQUIRE_EQ(mkdir("link", 0700), 0);
	ATF_REQUIRE_EQ(symlink("../a/new", "link/new"), 0);
	ATF_CHECK_EQ(watch_add("link", "link"), -1);
	ATF_REQUIRE_EQ(mkdir("file", 0700), 0);
	file("file/new");
	ATF_CHECK_EQ(watch_add("file", "file"), -1);
	ATF_CHECK_EQ(watch_init(0, call), 0);
}

/* A burst is told a few times, not a thousand. */
ATF_TC_WITHOUT_HEAD(burst);
ATF_TC_BODY(burst, tc)
{
	char	path[32];
	int	i;

	world();
	ATF_REQUIRE_EQ(watch_add("a", "a"), 0);
	for (i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "a/new/%d", i);
		file(path);
	}
	drain();
	ATF_CHECK(called[0] >= 1);
	ATF_CHECK(called[0] <= 20);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, tells);
	ATF_TP_ADD_TC(tp, ends_with_the_directory);
	ATF_TP_ADD_TC(tp, refuses);
	ATF_TP_ADD_TC(tp, burst);

	return (atf_no_error());
}
