/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What is kept of customers.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "world.h"

static void
customer_fill(void)
{
	customer.flags = CUSTOMER_HELD | CUSTOMER_IMPLICIT;
	customer.failures = 3;
	customer.seen_at = 1800000000;
	customer.delivered_at = 1800000001;
	customer.delivered = 5000000000;
	customer.delivered_bytes = 6000000000000;
	customer.returned = 7;
	customer.tried_at = time(NULL);
	customer.reply = strdup("192.0.2.7 said: 250 \"ok\" 100% \303\244");
}

static void
customer_forget_all(void)
{
	customer.flags = CUSTOMER_IMPLICIT;
	customer.failures = 0;
	customer.seen_at = customer.delivered_at = customer.tried_at = 0;
	customer.delivered = customer.delivered_bytes = customer.returned = 0;
	free(customer.reply);
	customer.reply = NULL;
}

static void
customer_is_filled(void)
{
	ATF_REQUIRE_EQ(CUSTOMER_HELD | CUSTOMER_IMPLICIT, customer.flags);
	ATF_REQUIRE_EQ(3, customer.failures);
	ATF_REQUIRE_EQ(1800000000, customer.seen_at);
	ATF_REQUIRE_EQ(1800000001, customer.delivered_at);
	ATF_REQUIRE_EQ(5000000000, customer.delivered);
	ATF_REQUIRE_EQ(6000000000000, customer.delivered_bytes);
	ATF_REQUIRE_EQ(7, customer.returned);
	ATF_REQUIRE(customer.tried_at != 0);
	ATF_REQUIRE_STREQ("192.0.2.7 said: 250 \"ok\" 100% \303\244",
	    customer.reply);
}

ATF_TC(lives);
ATF_TC_HEAD(lives, tc)
{
	atf_tc_set_md_var(tc, "descr", "one life after another");
}
ATF_TC_BODY(lives, tc)
{
	world_begin();
	ATF_REQUIRE_EQ(0, state_open());
	customer_fill();
	queue.paused = 1;
	disk.syncs = 0;
	ATF_REQUIRE_EQ(0, state_save());
	ATF_REQUIRE(disk.syncs > 0);
	customer_forget_all();
	queue.paused = 0;
	ATF_REQUIRE_EQ(0, state_open());
	customer_is_filled();
	ATF_REQUIRE_EQ(1, queue.paused);
}

ATF_TC(comes_later);
ATF_TC_HEAD(comes_later, tc)
{
	atf_tc_set_md_var(tc, "descr", "a customer who is not there yet, or not "
	    "any more, is remembered");
}
ATF_TC_BODY(comes_later, tc)
{
	struct customer	other;
	static char	name[] = "acme";

	world_begin();
	customer_fill();
	memset(&other, 0, sizeof(other));
	other.name = name;
	other.seen_at = time(NULL);
	other.delivered = 42;
	state_keep(&other);
	ATF_REQUIRE_EQ(0, state_save());
	other.delivered = 0;
	state_apply(&other);
	ATF_REQUIRE_EQ(42, other.delivered);
	/* Now he is known by nobody but the file. */
	ATF_REQUIRE_EQ(0, state_open());
	ATF_REQUIRE_EQ(0, state_save());
	other.delivered = 0;
	ATF_REQUIRE_EQ(0, state_open());
	state_apply(&other);
	ATF_REQUIRE_EQ(42, other.delivered);
	/* After months he is forgotten, unless he is held. */
	other.seen_at = time(NULL) - 100 * 86400;
	state_keep(&other);
	ATF_REQUIRE_EQ(0, state_save());
	other.delivered = 0;
	state_apply(&other);
	ATF_REQUIRE_EQ(0, other.delivered);
}

ATF_TC(truncated);
ATF_TC_HEAD(truncated, tc)
{
	atf_tc_set_md_var(tc, "descr", "any beginning of the file, any byte "
	    "wrong");
}
ATF_TC_BODY(truncated, tc)
{
	char	*text;
	size_t	 len, i;
	int	 fd;

	world_begin();
	customer_fill();
	ATF_REQUIRE_EQ(0, state_save());
	text = world_file(queue.state_fd, "state", &len);
	for (i = 0; i < 2 * len; i++) {
		fd = openat(queue.state_fd, "state", O_WRONLY | O_TRUNC);
		ATF_REQUIRE(fd != -1);
		if (i >= len)
			text[i - len] = (char)(text[i - len] ^ 0x11);
		ATF_REQUIRE(write(fd, text, i < len ? i : len) != -1);
		if (i >= len)
			text[i - len] = (char)(text[i - len] ^ 0x11);
		close(fd);
		customer_forget_all();
		ATF_REQUIRE_EQ(0, state_open());
		ATF_REQUIRE(customer.failures == 0 || customer.failures == 3);
	}
	free(text);
}

ATF_TC(fails);
ATF_TC_HEAD(fails, tc)
{
	atf_tc_set_md_var(tc, "descr", "a disk that fails costs nothing that "
	    "was there");
}
ATF_TC_BODY(fails, tc)
{
	world_begin();
	customer_fill();
	ATF_REQUIRE_EQ(0, state_save());
	customer.failures = 9;
	disk.error = ENOSPC;
	ATF_REQUIRE_ERRNO(ENOSPC, state_save() == -1);
	ATF_REQUIRE_ERRNO(ENOSPC, state_save() == -1);
	disk.error = 0;
	ATF_REQUIRE_EQ(-1, faccessat(queue.state_fd, "state.new", F_OK, 0));
	customer_forget_all();
	ATF_REQUIRE_EQ(0, state_open());
	customer_is_filled();
	customer.failures = 9;
	ATF_REQUIRE_EQ(0, state_save());
	customer_forget_all();
	ATF_REQUIRE_EQ(0, state_open());
	ATF_REQUIRE_EQ(9, customer.failures);
	customer_forget_all();
	ATF_REQUIRE_EQ(0, unlinkat(queue.state_fd, "state", 0));
	ATF_REQUIRE_EQ(0, mkdirat(queue.state_fd, "state", 0700));
	ATF_REQUIRE_EQ(-1, state_open());
}

ATF_TC(saved_later);
ATF_TC_HEAD(saved_later, tc)
{
	atf_tc_set_md_var(tc, "descr", "a change is saved by itself");
}
ATF_TC_BODY(saved_later, tc)
{
	world_begin();
	customer_fill();
	state_changed();
	state_changed();
	ATF_REQUIRE_EQ(-1, faccessat(queue.state_fd, "state", F_OK, 0));
	WAIT_FOR(faccessat(queue.state_fd, "state", F_OK, 0) == 0);
	ATF_REQUIRE_EQ(1, disk.syncs);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, lives);
	ATF_TP_ADD_TC(tp, comes_later);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, fails);
	ATF_TP_ADD_TC(tp, saved_later);
	return (atf_no_error());
}
