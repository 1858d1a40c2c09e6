/*
 * What is looked at when, and how often it is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "stubs.h"

#define MANY	1000

static struct delivery_settings	settings;
static struct customer		customers[MANY];
static char			names[MANY][16];
static int			count;

static int	looks[MANY];		/* by trigger */
static int	triggers;
static enum reason	trigger_last;
static int	rounds;			/* customers_look() */
static int	expired;
static int	walked;			/* Maildirs that were read */
static int	pending;		/* every message is on its way back */
static time_t	age;			/* age_now(); 0: the real one */

static char	watched[MANY];
static int	watched_count;
static int	watches_there = MANY;

time_t
age_now(void)
{
	return (age == 0 ? time(NULL) : age);
}

struct customer *
customer_next(struct customer *c)
{
	c = c == NULL ? customers : c + 1;
	return (c < customers + count ? c : NULL);
}

struct customer *
customer_find(const char *name)
{
	int	i;

	for (i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (&customers[i]);
	return (NULL);
}

void
customers_look(void)
{
	rounds++;
}

void
customer_trigger(struct customer *c, enum reason reason)
{
	looks[c - customers]++;
	triggers++;
	trigger_last = reason;
}

int
run_expire(struct customer *c)
{
	expired++;
	return (0);
}

int
return_pending(const struct customer *c, const char *name)
{
	return (pending);
}

/* Once for each Maildir that is read. */
int
quarantine_walk(struct customer *c,
    void (*fn)(const struct quarantine_entry *, void *), void *arg)
{
	struct quarantine_entry	entry = { .name = "x" };

	walked++;
	fn(&entry, arg);
	return (0);
}

int
watch_init(int wanted, void (*fn)(const char *))
{
	return (wanted < watches_there ? wanted : watches_there);
}

int
watch_add(const char *name, const char *maildir)
{
	if (watched_count == watches_there) {
		errno = ENOSPC;
		return (-1);
	}
	watched[customer_find(name) - customers] = 1;
	watched_count++;
	return (0);
}

void
watch_remove(const char *name)
{
	watched_count -= watched[customer_find(name) - customers];
	watched[customer_find(name) - customers] = 0;
}

int
watch_holds(const char *name)
{
	return (watched[customer_find(name) - customers]);
}

static void
maildir(int i)
{
	char	path[64];

	ATF_REQUIRE_EQ(mkdirat(queue.spool_fd, names[i], 0700), 0);
	snprintf(path, sizeof(path), "m%d/new", i);
	ATF_REQUIRE_EQ(mkdirat(queue.spool_fd, path, 0700), 0);
	snprintf(path, sizeof(path), "m%d/cur", i);
	ATF_REQUIRE_EQ(mkdirat(queue.spool_fd, path, 0700), 0);
}

static void
world(int n, uint64_t scan_s)
{
	int	i;

	ATF_REQUIRE_EQ(mkdir("spool", 0755), 0);
	queue.spool_fd = open("spool", O_RDONLY | O_DIRECTORY);
	ATF_REQUIRE(queue.spool_fd != -1);
	queue.spool.scan_s = scan_s;
	settings.lifetime_s = 14 * 86400;
	count = n;
	for (i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "m%d", i);
		customers[i].name = customers[i].maildir = names[i];
		customers[i].delivery = &settings;
		maildir(i);
	}
	event_init();
}

/* age_s old, of so many bytes */
static void
message(int i, const char *name, int age_s, int size)
{
	struct timespec	times[2];
	char		path[64];
	int		fd;

	snprintf(path, sizeof(path), "m%d/%s", i, name);
	fd = openat(queue.spool_fd, path, O_CREAT | O_WRONLY, 0600);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(ftruncate(fd, size), 0);
	memset(times, 0, sizeof(times));
	times[0].tv_sec = times[1].tv_sec = time(NULL) - age_s;
	ATF_REQUIRE_EQ(futimens(fd, times), 0);
	close(fd);
}

static void
remove_message(int i, const char *name)
{
	char	path[64];

	snprintf(path, sizeof(path), "m%d/%s", i, name);
	ATF_REQUIRE_EQ(unlinkat(queue.spool_fd, path, 0), 0);
}

ATF_TC_WITHOUT_HEAD(counts);
ATF_TC_BODY(counts, tc)
{
	struct customer	*c = &customers[0];
	time_t		 now = time(NULL);

	world(1, 600);
	ATF_CHECK_EQ(customer_look(c), 0);
	ATF_CHECK_EQ(c->oldest, 0);
	ATF_CHECK_EQ(c->expiry_at, 0);
	message(0, "new/1", 100, 1000);
	message(0, "new/2", 200, 10);
	message(0, "cur/3:2,S", 50, 1);
	message(0, "new/.hidden", 999, 5000);
	/* One of this second, and one of the future, wait all the same. */
	message(0, "new/4", 0, 0);
	message(0, "new/5", -86400, 0);
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(c->waiting, 5);
	ATF_CHECK_EQ(c->bytes, 1011);
	ATF_CHECK_EQ(c->quarantined, 1);
	ATF_CHECK(c->oldest >= now - 200 && c->oldest <= now - 190);
	ATF_CHECK_EQ(c->expiry_at, c->oldest + 14 * 86400);
	ATF_CHECK(c->looked_at >= now);
}

ATF_TC_WITHOUT_HEAD(reads_what_changed);
ATF_TC_BODY(reads_what_changed, tc)
{
	struct customer	*c = &customers[0];
	struct timespec	 times[2];
	struct stat	 st;

	world(1, 600);
	message(0, "new/1", 100, 1);
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(walked, 1);
	/* Once more, when the times can't be ambiguous; never again. */
	test_ms += 600 * 1000;
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(walked, 2);
	test_ms += 600 * 1000;
	ATF_CHECK_EQ(customer_look(c), 1);
	test_ms += 600 * 1000;
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(walked, 2);
	message(0, "cur/2", 100, 1);
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(walked, 3);
	ATF_CHECK_EQ(c->waiting, 2);
	/*
	 * A second change that the directory's time does not show, as where
	 * the file system counts whole seconds, is found.
	 */
	ATF_REQUIRE_EQ(fstatat(queue.spool_fd, "m0/cur", &st, 0), 0);
	times[0] = times[1] = st.st_mtim;
	message(0, "cur/3", 100, 1);
	ATF_REQUIRE_EQ(utimensat(queue.spool_fd, "m0/cur", times, 0), 0);
	test_ms += 2000;
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(c->waiting, 3);
	ATF_CHECK_EQ(walked, 4);
	/* So is one that is dated back by a clock that jumped. */
	message(0, "new/4", 100, 1);
	times[0].tv_sec = times[1].tv_sec = 1000000;
	ATF_REQUIRE_EQ(utimensat(queue.spool_fd, "m0/new", times, 0), 0);
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(c->waiting, 4);
}

ATF_TC_WITHOUT_HEAD(expiry);
ATF_TC_BODY(expiry, tc)
{
	struct customer	*c = &customers[0];

	world(1, 600);
	message(0, "new/1", 1000, 1);
	settings.warn_s = 4 * 3600;
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(c->expiry_at, c->oldest + 4 * 3600);
	settings.warn_s = 0;
	c->flags &= ~CUSTOMER_SETTLED;
	customer_look(c);
	test_ms += 10000;
	customer_look(c);
	ATF_CHECK_EQ(expired, 0);
	walked = 0;
	age = c->oldest + 14 * 86400 - 1;
	customer_look(c);
	ATF_CHECK_EQ(walked, 0);
	age++;
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(expired, 1);
	/* While its report is on its way it is nobody's concern. */
	pending = 1;
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(expired, 1);
	ATF_CHECK_EQ(c->expiry_at, 0);
	remove_message(0, "new/1");
	ATF_CHECK_EQ(customer_look(c), 0);
}

ATF_TC_WITHOUT_HEAD(no_maildir);
ATF_TC_BODY(no_maildir, tc)
{
	struct customer	*c = &customers[0];

	world(1, 600);
	ATF_REQUIRE_EQ(unlinkat(queue.spool_fd, "m0/new", AT_REMOVEDIR), 0);
	ATF_CHECK_EQ(customer_look(c), 0);
	ATF_CHECK(c->flags & CUSTOMER_TROUBLE);
	ATF_CHECK_EQ(customer_look(c), 0);
	ATF_REQUIRE_EQ(mkdirat(queue.spool_fd, "m0/new", 0700), 0);
	message(0, "new/1", 10, 1);
	ATF_CHECK_EQ(customer_look(c), 1);
	ATF_CHECK_EQ(c->flags & CUSTOMER_TROUBLE, 0);
	/* Where there are directories only, no link leads elsewhere. */
	ATF_REQUIRE_EQ(renameat(queue.spool_fd, "m0", queue.spool_fd, "x"),
	    0);
	ATF_REQUIRE_EQ(symlinkat("x", queue.spool_fd, "m0"), 0);
	c->flags &= ~CUSTOMER_SETTLED;
	c->new_mtime.tv_sec = 0;
	ATF_CHECK_EQ(customer_look(c), 0);
	ATF_CHECK(c->flags & CUSTOMER_TROUBLE);
}

/* Lets the clock run; each step is at most so long. */
static void
pass(int64_t ms)
{
	int64_t	until = test_ms + ms, next;

	while ((next = look_next()) <= until) {
		ATF_REQUIRE(next > test_ms || next <= test_ms);
		if (next > test_ms)
			test_ms = next;
		look_tick(test_ms);
	}
	test_ms = until;
}

ATF_TC_WITHOUT_HEAD(each_once_evenly);
ATF_TC_BODY(each_once_evenly, tc)
{
	int	i, n, before = 0, tenth;

	world(MANY, 600);
	for (i = 0; i < MANY; i++)
		message(i, "new/1", 10, 1);
	look_init();
	/* All of them when we begin, but for that evenly. */
	pass(1000);
	ATF_CHECK(triggers >= MANY && triggers <= MANY + 3);
	ATF_CHECK_EQ(trigger_last == REASON_GAP ||
	    trigger_last == REASON_SCAN, 1);
	pass(599 * 1000);
	before = triggers;
	ATF_CHECK(before <= 2 * MANY);
	for (tenth = 1; tenth <= 10; tenth++) {
		pass(60 * 1000);
		n = triggers - before;
		ATF_CHECK_MSG(n >= tenth * MANY / 10 - 5 &&
		    n <= tenth * MANY / 10 + 5, "%d after %d tenths", n,
		    tenth);
	}
	ATF_CHECK_EQ(trigger_last, REASON_SCAN);
	for (i = 0; i < MANY; i++)
		ATF_CHECK(looks[i] == 2 || looks[i] == 3 || looks[i] == 4);
	/* The spool is looked at each round. */
	ATF_CHECK(rounds >= 3 && rounds <= 4);
	/* After a stop of an hour no storm follows. */
	before = triggers;
	test_ms += 3600 * 1000;
	look_tick(test_ms);
	ATF_CHECK(triggers - before <= 64);
}

ATF_TC_WITHOUT_HEAD(few_and_often);
ATF_TC_BODY(few_and_often, tc)
{
	world(3, 1);
	message(0, "new/1", 10, 1);
	message(2, "new/1", 10, 1);
	look_init();
	pass(10 * 1000);
	ATF_CHECK(looks[0] >= 9 && looks[0] <= 12);
	ATF_CHECK_EQ(looks[1], 0);
	ATF_CHECK(looks[2] >= 9 && looks[2] <= 12);
}

ATF_TC_WITHOUT_HEAD(gaps);
ATF_TC_BODY(gaps, tc)
{
	int	i;

	world(100, 600);
	for (i = 0; i < 100; i += 2)
		message(i, "new/1", 10, 1);
	look_init();
	pass(2000);
	ATF_CHECK(triggers >= 50 && triggers <= 51);
	triggers = 0;
	/* A storm of gaps is one pass each five seconds: at 5 and 10. */
	for (i = 0; i < 10000; i++) {
		look_all(REASON_GAP);
		pass(1);
	}
	ATF_CHECK_MSG(triggers >= 100 && triggers <= 102, "%d", triggers);
	/* The last one counts too. */
	pass(20000);
	ATF_CHECK(triggers >= 150 && triggers <= 153);
	pass(60000);
	ATF_CHECK(triggers < 170);
}

ATF_TC_WITHOUT_HEAD(customers_vanish);
ATF_TC_BODY(customers_vanish, tc)
{
	int	i;

	world(100, 600);
	for (i = 0; i < 100; i++)
		message(i, "new/1", 10, 1);
	look_init();
	look_tick(test_ms);
	ATF_CHECK_EQ(triggers, 64);
	/* The next one's turn. */
	look_forget(&customers[64]);
	look_tick(test_ms);
	ATF_CHECK_EQ(looks[64], 0);
	ATF_CHECK_EQ(looks[65], 1);
	look_forget(&customers[0]);
	pass(600 * 1000);
	ATF_CHECK(triggers >= 198);
}

ATF_TC_WITHOUT_HEAD(watches);
ATF_TC_BODY(watches, tc)
{
	int	i;

	world(100, 600);
	queue.spool.watches = 10;
	/* As the state file has them. */
	for (i = 0; i < 20; i++)
		customers[i * 5].seen_at = 1000 + i;
	look_init();
	ATF_CHECK_EQ(watched_count, 10);
	for (i = 0; i < 20; i++)
		ATF_CHECK_EQ(watched[i * 5], i >= 10);
	/* Who shows up is watched, who was longest away no more. */
	look_seen(&customers[1]);
	ATF_CHECK_EQ(watched_count, 10);
	ATF_CHECK_EQ(watched[1], 1);
	ATF_CHECK_EQ(watched[50], 0);
	look_seen(&customers[55]);
	look_seen(&customers[2]);
	ATF_CHECK_EQ(watched[55], 1);
	ATF_CHECK_EQ(watched[60], 0);
	/* Gone. */
	look_forget(&customers[1]);
	ATF_CHECK_EQ(watched_count, 9);
	ATF_CHECK(customers[1].watched == NULL);
	/* Room is used for others. */
	pass(1000);
	ATF_CHECK_EQ(watched_count, 10);
	/* A Maildir that was made anew is watched again. */
	watched[2] = 0;
	watched_count--;
	pass(600 * 1000);
	ATF_CHECK_EQ(watched_count, 10);
	queue.spool.watches = 3;
	look_settings();
	ATF_CHECK_EQ(watched_count, 3);
	look_watched("m2");
	ATF_CHECK_EQ(trigger_last, REASON_MAIL);
	i = triggers;
	look_watched("nobody");
	ATF_CHECK_EQ(triggers, i);
}

/* The system has fewer than it said. */
ATF_TC_WITHOUT_HEAD(watches_run_out);
ATF_TC_BODY(watches_run_out, tc)
{
	int	i;

	world(50, 600);
	queue.spool.watches = 40;
	look_init();
	watches_there = 7;
	pass(2000);
	for (i = 0; i < 50; i++)
		look_seen(&customers[i]);
	ATF_CHECK_EQ(watched_count, 7);
	ATF_CHECK_EQ(watched[49], 1);
	ATF_CHECK_EQ(watched[43], 1);
	ATF_CHECK_EQ(watched[42], 0);
	queue.spool.watches = 0;
	look_settings();
	ATF_CHECK_EQ(watched_count, 0);
	look_seen(&customers[0]);
	ATF_CHECK_EQ(watched_count, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, counts);
	ATF_TP_ADD_TC(tp, reads_what_changed);
	ATF_TP_ADD_TC(tp, expiry);
	ATF_TP_ADD_TC(tp, no_maildir);
	ATF_TP_ADD_TC(tp, each_once_evenly);
	ATF_TP_ADD_TC(tp, few_and_often);
	ATF_TP_ADD_TC(tp, gaps);
	ATF_TP_ADD_TC(tp, customers_vanish);
	ATF_TP_ADD_TC(tp, watches);
	ATF_TP_ADD_TC(tp, watches_run_out);

	return (atf_no_error());
}
