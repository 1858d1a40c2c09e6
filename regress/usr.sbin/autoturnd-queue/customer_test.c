/*
 * Who there is: as configured, and as the spool has directories.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

#include "stubs.h"
#include "told.h"

static struct told	told;
static uint64_t		triggered;
static struct customer	*triggered_last;
static int		kept;
static int		applied;

void
customer_trigger(struct customer *c, enum reason reason)
{
	ATF_CHECK_EQ(reason, REASON_SESSION);
	triggered++;
	triggered_last = c;
}

void
state_keep(const struct customer *c)
{
	kept++;
}

void
state_apply(struct customer *c)
{
	applied++;
}

static void
world(int addresses)
{
	ATF_REQUIRE_EQ(mkdir("spool", 0755), 0);
	queue.spool_fd = open("spool", O_RDONLY | O_DIRECTORY);
	ATF_REQUIRE(queue.spool_fd != -1);
	strlcpy(queue.spool.path, "spool", sizeof(queue.spool.path));
	queue.spool.addresses = (uint32_t)addresses;
	queue.spool.defaults.window = 16;
	RB_INIT(&queue.customers);
	told_open(&told);
}

static void
tell(uint32_t type, const void *data, size_t len)
{
	struct imsg	imsg;

	told_send(&told, type, data, len);
	told_get(&told, &imsg);
	ATF_CHECK_EQ(customer_dispatch(&imsg), 0);
	imsg_free(&imsg);
}

static void
tell_customer(const char *name, const char *maildir, uint32_t window)
{
	struct customer_settings	set;

	memset(&set, 0, sizeof(set));
	strlcpy(set.name, name, sizeof(set.name));
	strlcpy(set.maildir, maildir, sizeof(set.maildir));
	snprintf(set.prefix, sizeof(set.prefix), "autoturn-%s-", name);
	set.delivery.window = window;
	tell(IMSG_QUEUE_CUSTOMER, &set, sizeof(set));
}

static struct netaddr
address(const char *text)
{
	struct netaddr	addr;

	ATF_REQUIRE_EQ_MSG(netaddr_parse(&addr, text), 0, "%s", text);
	return (addr);
}

static void
tell_address(const char *text, uint32_t prefixlen)
{
	struct customer_address	a;

	memset(&a, 0, sizeof(a));
	a.addr = address(text);
	a.prefixlen = prefixlen;
	tell(IMSG_QUEUE_ADDRESS, &a, sizeof(a));
}

static void
tell_domain(const char *name)
{
	tell(IMSG_QUEUE_DOMAIN, name, strlen(name));
}

static void
check_who(const char *text, const char *name)
{
	struct netaddr	 addr = address(text);
	struct customer	*c;

	c = customer_find_address(&addr);
	ATF_CHECK_STREQ_MSG(c == NULL ? "-" : c->name, name, "%s", text);
}

static int
count(void)
{
	struct customer	*c;
	int		 n = 0;

	for (c = customer_next(NULL); c != NULL; c = customer_next(c))
		n++;
	return (n);
}

static void
directory(const char *name)
{
	ATF_REQUIRE_EQ_MSG(mkdirat(queue.spool_fd, name, 0700), 0, "%s", name);
}

ATF_TC_WITHOUT_HEAD(longest_prefix);
ATF_TC_BODY(longest_prefix, tc)
{
	world(0);
	tell_customer("all", "all", 16);
	tell_address("0.0.0.0", 0);
	tell_customer("net", "net", 16);
	tell_address("192.0.2.77", 24);		/* bits beyond are ignored */
	tell_address("2001:db8:1::", 56);
	tell_customer("odd", "odd", 16);
	tell_address("192.0.2.96", 27);
	tell_customer("one", "one", 16);
	tell_address("192.0.2.100", 32);
	tell_address("2001:db8:1:17::25", 128);
	customers_replace();
	check_who("192.0.2.1", "net");
	check_who("192.0.2.95", "net");
	check_who("192.0.2.96", "odd");
	check_who("192.0.2.127", "odd");
	check_who("192.0.2.128", "net");
	check_who("192.0.2.100", "one");
	check_who("192.0.3.0", "all");
	check_who("255.255.255.255", "all");
	check_who("2001:db8:1:ff::1", "net");
	check_who("2001:db8:1:100::1", "-");
	check_who("2001:db8:1:17::25", "one");
	check_who("2001:db8:1:17::26", "net");
	check_who("::1", "-");
}

/* However the mapped form comes in, it is IPv4. */
ATF_TC_WITHOUT_HEAD(mapped);
ATF_TC_BODY(mapped, tc)
{
	struct customer_address	 a;
	struct netaddr		 addr;
	struct customer		*c;

	world(1);
	directory("203.0.113.9");
	tell_customer("acme", "acme", 16);
	tell_address("192.0.2.7", 32);
	tell_customer("net", "net", 16);
	memset(&a, 0, sizeof(a));
	a.addr.family = AF_INET6;
	memcpy(a.addr.bytes, "\0\0\0\0\0\0\0\0\0\0\377\377\306\063\144\0", 16);
	a.prefixlen = 120;
	tell(IMSG_QUEUE_ADDRESS, &a, sizeof(a));
	customers_replace();
	memset(&addr, 0, sizeof(addr));
	addr.family = AF_INET6;
	addr.scope = 3;
	memcpy(addr.bytes, "\0\0\0\0\0\0\0\0\0\0\377\377\300\0\002\007", 16);
	c = customer_find_address(&addr);
	ATF_REQUIRE(c != NULL);
	ATF_CHECK_STREQ(c->name, "acme");
	memcpy(addr.bytes + 12, "\313\0\161\011", 4);
	c = customer_find_address(&addr);
	ATF_REQUIRE(c != NULL);
	ATF_CHECK_STREQ(c->name, "203.0.113.9");
	check_who("198.51.100.4", "net");
	/* Neither family, nor what is beyond an IPv4 address, is trusted. */
	addr.family = AF_INET;
	memcpy(addr.bytes, "\300\0\002\007garbage.....", 16);
	c = customer_find_address(&addr);
	ATF_REQUIRE(c != NULL);
	ATF_CHECK_STREQ(c->name, "acme");
	addr.family = 77;
	ATF_CHECK(customer_find_address(&addr) == NULL);
	ATF_CHECK_EQ(customer_came(&addr), -1);
	ATF_CHECK_EQ(triggered, 0);
}

ATF_TC_WITHOUT_HEAD(who_came);
ATF_TC_BODY(who_came, tc)
{
	struct netaddr	addr = address("192.0.2.7");
	struct netaddr	stranger = address("192.0.2.8");

	world(1);
	directory("192.0.2.7");
	directory("192.0.2.9");
	tell_customer("acme", "acme", 16);
	tell_address("192.0.2.0", 29);
	customers_replace();
	ATF_CHECK_EQ(customer_came(&stranger), -1);
	ATF_CHECK_EQ(triggered, 0);
	/* The directory is the longer prefix. */
	check_who("192.0.2.7", "192.0.2.7");
	ATF_CHECK_EQ(customer_came(&addr), 0);
	ATF_CHECK_EQ(triggered, 1);
	ATF_CHECK_STREQ(triggered_last->name, "192.0.2.7");
	ATF_CHECK(triggered_last->seen_at != 0);
	/* His directory was made just before he came. */
	directory("192.0.2.11");
	ATF_CHECK(customer_find("192.0.2.11") == NULL);
	addr = address("192.0.2.11");
	ATF_CHECK_EQ(customer_came(&addr), 0);
	ATF_CHECK_EQ(triggered, 2);
	ATF_CHECK_STREQ(triggered_last->name, "192.0.2.11");
	addr = address("192.0.2.7");
	triggered = 1;
	/* Mail of before he had a name leaves as well. */
	tell_customer("acme", "acme", 16);
	tell_address("192.0.2.7", 32);
	customers_replace();
	check_who("192.0.2.7", "acme");
	ATF_CHECK_EQ(customer_came(&addr), 0);
	ATF_CHECK_EQ(triggered, 3);
	ATF_CHECK_STREQ(triggered_last->name, "acme");
}

ATF_TC_WITHOUT_HEAD(domains);
ATF_TC_BODY(domains, tc)
{
	world(0);
	tell_customer("acme", "acme", 16);
	tell_domain("acme.example");
	tell_domain("acme.test");
	tell_customer("zeta", "z", 16);
	tell_domain("zeta.example");
	customers_replace();
	ATF_CHECK(customer_find_domain("acme.example") ==
	    customer_find("acme"));
	ATF_CHECK(customer_find_domain("ACME.Test") == customer_find("acme"));
	ATF_CHECK(customer_find_domain("zeta.example") ==
	    customer_find("zeta"));
	ATF_CHECK(customer_find_domain("example") == NULL);
	ATF_CHECK(customer_find_domain("") == NULL);
	ATF_CHECK(customer_find_maildir("z") == customer_find("zeta"));
	ATF_CHECK(customer_find_maildir("zeta") == NULL);
	ATF_CHECK(customer_find_maildir("acme") == customer_find("acme"));
}

ATF_TC_WITHOUT_HEAD(directories);
ATF_TC_BODY(directories, tc)
{
	int	fd;

	world(1);
	directory("192.0.2.1");
	directory("2001:db8::1");
	directory("192.0.2.01");
	directory("2001:DB8::2");
	directory("::ffff:192.0.2.3");
	directory("[2001:db8::3]");
	directory("alias");
	directory("192.0.2.4");
	ATF_REQUIRE_EQ(symlinkat("192.0.2.1", queue.spool_fd, "192.0.2.5"),
	    0);
	fd = openat(queue.spool_fd, "192.0.2.6", O_CREAT | O_WRONLY, 0600);
	ATF_REQUIRE(fd != -1);
	/* His Maildir has had this name before he had one. */
	tell_customer("acme", "192.0.2.4", 16);
	tell_address("192.0.2.4", 32);
	customers_replace();
	ATF_CHECK_EQ(count(), 3);
	ATF_REQUIRE(customer_find("192.0.2.1") != NULL);
	ATF_CHECK_STREQ(customer_find("192.0.2.1")->prefix,
	    "autoturn-192.0.2.1-");
	ATF_CHECK(customer_find("2001:db8::1") != NULL);
	check_who("192.0.2.4", "acme");
	ATF_CHECK(customer_find_maildir("192.0.2.4") == customer_find("acme"));

	/* Made and removed while we run. */
	directory("192.0.2.10");
	customers_look();
	ATF_CHECK(customer_find("192.0.2.10") != NULL);
	ATF_REQUIRE_EQ(unlinkat(queue.spool_fd, "2001:db8::1", AT_REMOVEDIR),
	    0);
	customers_look();
	ATF_CHECK(customer_find("2001:db8::1") == NULL);
	ATF_CHECK_EQ(count(), 3);

	/* A poke names one that is new; nothing else becomes one so. */
	directory("192.0.2.11");
	ATF_CHECK(customer_look_for("192.0.2.12") == NULL);
	ATF_CHECK(customer_look_for("192.0.2.5") == NULL);
	ATF_CHECK(customer_look_for("192.0.2.6") == NULL);
	ATF_CHECK(customer_look_for("../spool") == NULL);
	ATF_CHECK(customer_look_for("alias") == NULL);
	ATF_CHECK(customer_look_for("192.0.2.01") == NULL);
	ATF_CHECK(customer_look_for("") == NULL);
	ATF_CHECK(customer_look_for("192.0.2.11") != NULL);
	ATF_CHECK(customer_look_for("acme") == customer_find("acme"));
	ATF_CHECK_EQ(count(), 4);

	/* Off: only those who are configured. */
	queue.spool.addresses = 0;
	tell_customer("acme", "192.0.2.4", 16);
	customers_replace();
	ATF_CHECK_EQ(count(), 1);
	ATF_CHECK(customer_look_for("192.0.2.11") == NULL);
}

/* Only a change of the spool's directory makes us read it. */
ATF_TC_WITHOUT_HEAD(spool_is_read_when_it_changed);
ATF_TC_BODY(spool_is_read_when_it_changed, tc)
{
	struct timespec	before[2];
	struct stat	st;

	world(1);
	directory("192.0.2.1");
	customers_replace();
	test_ms += 5000;
	customers_look();
	/* Nobody will make one without that; this one is not seen. */
	ATF_REQUIRE_EQ(fstat(queue.spool_fd, &st), 0);
	before[0] = before[1] = st.st_mtim;
	directory("192.0.2.2");
	ATF_REQUIRE_EQ(futimens(queue.spool_fd, before), 0);
	customers_look();
	ATF_CHECK_EQ(count(), 1);
	/* Within the file system's smallest unit it is. */
	directory("192.0.2.3");
	customers_look();
	ATF_CHECK_EQ(count(), 3);
	ATF_REQUIRE_EQ(fstat(queue.spool_fd, &st), 0);
	before[0] = before[1] = st.st_mtim;
	directory("192.0.2.4");
	ATF_REQUIRE_EQ(futimens(queue.spool_fd, before), 0);
	test_ms += 1000;
	customers_look();
	ATF_CHECK_EQ(count(), 4);
}

ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct customer	*acme, *zeta;

	world(1);
	directory("192.0.2.1");
	tell_customer("acme", "acme", 16);
	tell_address("192.0.2.7", 32);
	tell_customer("same", "same", 16);
	tell_customer("zeta", "zeta", 8);
	customers_replace();
	ATF_CHECK_EQ(count(), 4);
	ATF_CHECK_EQ(applied, 4);
	acme = customer_find("acme");
	zeta = customer_find("zeta");
	/* The same settings are kept once. */
	ATF_CHECK(acme->delivery == customer_find("same")->delivery);
	ATF_CHECK(acme->delivery == customer_find("192.0.2.1")->delivery);
	ATF_CHECK(acme->delivery != zeta->delivery);
	acme->delivered = 77;
	acme->flags |= CUSTOMER_HELD;
	zeta->run = (struct run *)(void *)zeta;

	queue.spool.defaults.window = 4;
	tell_customer("acme", "acme", 9);
	tell_address("192.0.2.8", 32);
	customers_replace();
	ATF_CHECK(customer_find("acme") == acme);
	ATF_CHECK_EQ(acme->delivered, 77);
	ATF_CHECK(acme->flags & CUSTOMER_HELD);
	ATF_CHECK_EQ(acme->delivery->window, 9);
	ATF_CHECK_EQ(customer_find("192.0.2.1")->delivery->window, 4);
	check_who("192.0.2.7", "-");
	check_who("192.0.2.8", "acme");
	ATF_CHECK(customer_find("same") == NULL);
	/* He is there until his run has ended. */
	ATF_CHECK(customer_find("zeta") == zeta);
	ATF_CHECK(zeta->flags & CUSTOMER_GONE);
	ATF_CHECK_EQ(zeta->delivery->window, 8);
	/* Back again before that: nothing is lost. */
	tell_customer("acme", "acme", 9);
	tell_customer("zeta", "zeta", 8);
	customers_replace();
	ATF_CHECK_EQ(zeta->flags & CUSTOMER_GONE, 0);

	/* Another Maildir is another customer; his run knows the old. */
	tell_customer("zeta", "elsewhere", 8);
	customers_replace();
	ATF_CHECK(customer_find("zeta") != zeta);
	ATF_CHECK_STREQ(customer_find("zeta")->maildir, "elsewhere");
	ATF_CHECK_STREQ(zeta->maildir, "zeta");
	zeta->run = NULL;
	customer_forget(zeta);
	ATF_CHECK_STREQ(customer_find("zeta")->maildir, "elsewhere");
	ATF_CHECK_EQ(count(), 2);
}

ATF_TC_WITHOUT_HEAD(after_a_name);
ATF_TC_BODY(after_a_name, tc)
{
	world(0);
	tell_customer("b", "b", 1);
	tell_customer("d", "d", 1);
	customers_replace();
	ATF_CHECK(customer_after("a") == customer_find("b"));
	ATF_CHECK(customer_after("b") == customer_find("d"));
	ATF_CHECK(customer_after("c") == customer_find("d"));
	ATF_CHECK(customer_after("d") == NULL);
}

static void
many_customers(int n)
{
	char	name[32], text[NETADDR_TEXT_SIZE];
	int	i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "customer%d", i);
		tell_customer(name, name, 16);
		snprintf(text, sizeof(text), "10.%d.%d.0", i / 256, i % 256);
		tell_address(text, 24 + (uint32_t)i % 9);
		snprintf(text, sizeof(text), "2001:db8:%x::", i);
		tell_address(text, 48 + 8 * ((uint32_t)i % 3));
	}
	customers_replace();
}

static double
seconds(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

/* Twelve lengths of prefixes, 20,000 of them; prints what one costs. */
ATF_TC_WITHOUT_HEAD(ten_thousand);
ATF_TC_BODY(ten_thousand, tc)
{
	struct netaddr	 v4 = address("10.0.0.0"), v6;
	struct customer	*c;
	double		 began;
	int		 i, found = 0;

	world(0);
	many_customers(10000);
	v6 = address("2001:db8::");
	check_who("10.39.15.0", "customer9999");
	check_who("10.39.16.0", "-");
	check_who("2001:db8:270f::", "customer9999");
	began = seconds();
	for (i = 0; i < 500000; i++) {
		v4.bytes[1] = (uint8_t)(i / 256 % 64);
		v4.bytes[2] = (uint8_t)i;
		v6.bytes[4] = (uint8_t)(i / 256 % 64);
		v6.bytes[5] = (uint8_t)i;
		c = customer_find_address(i % 2 ? &v4 : &v6);
		found += c != NULL;
	}
	began = seconds() - began;
	printf("10,000 customers: %.0f ns a look-up, %d found\n",
	    began * 1e9 / i, found);
	ATF_CHECK(found > 0 && found < i);
	/* Far from what would hurt, whatever else the machine does. */
	ATF_CHECK(began / i < 100e-6);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, longest_prefix);
	ATF_TP_ADD_TC(tp, mapped);
	ATF_TP_ADD_TC(tp, who_came);
	ATF_TP_ADD_TC(tp, domains);
	ATF_TP_ADD_TC(tp, directories);
	ATF_TP_ADD_TC(tp, spool_is_read_when_it_changed);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, after_a_name);
	ATF_TP_ADD_TC(tp, ten_thousand);

	return (atf_no_error());
}
