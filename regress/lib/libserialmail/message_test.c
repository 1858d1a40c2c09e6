/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A message in a file: opened, read by its descriptor, its hops counted.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

#define TOP	"Return-Path: <a@b>\nDelivered-To: c-u@d\n"

static struct message_file	m;

ATF_TC_WITHOUT_HEAD(opened);
ATF_TC_BODY(opened, tc)
{
	atf_utils_create_file("m", TOP "Subject: x\n\n");
	ATF_REQUIRE_EQ(message_open(&m, AT_FDCWD, "m", "c-"), 0);
	ATF_CHECK_EQ(m.verdict, HEAD_OK);
	ATF_CHECK_STREQ("a@b", m.head.sender);
	ATF_CHECK_STREQ("u@d", m.head.recipients[0]);
	ATF_CHECK_EQ(m.head.body, strlen(TOP));
	ATF_CHECK_EQ(m.st.st_size, (off_t)strlen(TOP "Subject: x\n\n"));
	ATF_CHECK_EQ((size_t)m.st.st_size, m.len);
	close(m.fd);
	ATF_REQUIRE_EQ(message_open(&m, AT_FDCWD, "m", "other-"), 0);
	ATF_CHECK_EQ(m.verdict, HEAD_OTHER);
	close(m.fd);
}

ATF_TC_WITHOUT_HEAD(unopened);
ATF_TC_BODY(unopened, tc)
{
	ATF_CHECK_EQ(message_open(&m, AT_FDCWD, "m", ""), -1);
	ATF_CHECK_EQ(errno, ENOENT);
	ATF_CHECK_STREQ("open", m.doing);
	ATF_CHECK_EQ(m.fd, -1);
	ATF_REQUIRE_EQ(mkdir("d", 0700), 0);
	ATF_CHECK_EQ(message_open(&m, AT_FDCWD, "d", ""), -1);
	ATF_REQUIRE_EQ(symlink("d", "s"), 0);
	ATF_CHECK_EQ(message_open(&m, AT_FDCWD, "s", ""), -1);
}

/* By the descriptor alone, wherever its offset is. */
ATF_TC_WITHOUT_HEAD(read_only);
ATF_TC_BODY(read_only, tc)
{
	int	fd, p[2];

	atf_utils_create_file("m", TOP "\n");
	ATF_REQUIRE((fd = open("m", O_RDONLY)) != -1);
	ATF_REQUIRE_EQ(lseek(fd, 7, SEEK_SET), 7);
	ATF_REQUIRE_EQ(message_read(&m, fd, "c-"), 0);
	ATF_CHECK_EQ(m.verdict, HEAD_OK);
	ATF_CHECK_EQ(lseek(fd, 0, SEEK_CUR), 7);
	ATF_REQUIRE_EQ(pipe(p), 0);
	ATF_CHECK_EQ(message_read(&m, p[0], "c-"), -1);
	ATF_CHECK_EQ(errno, ESPIPE);
	ATF_CHECK_STREQ("read", m.doing);
	ATF_CHECK_EQ(message_read(&m, -1, "c-"), -1);
	ATF_CHECK_EQ(message_hops(-1, 0), -1);
}

static int
hops(const char *text, off_t start)
{
	int	fd, n;

	atf_utils_create_file("m", "%s", text);
	ATF_REQUIRE((fd = open("m", O_RDONLY)) != -1);
	n = message_hops(fd, start);
	close(fd);
	return (n);
}

ATF_TC_WITHOUT_HEAD(hop_count);
ATF_TC_BODY(hop_count, tc)
{
	ATF_CHECK_EQ(hops("", 0), 0);
	ATF_CHECK_EQ(hops("Received:", 0), 1);
	ATF_CHECK_EQ(hops("Received:\n\nReceived:\n", 0), 1);
	ATF_CHECK_EQ(hops("Received: a\r\n\r\nReceived:\r\n", 0), 1);
	ATF_CHECK_EQ(hops("RECEIVED: a\n b\nreceived:b\nReceived : c\n"
	    "X-Received: d\n\n", 0), 2);
	ATF_CHECK_EQ(hops(TOP "Received: a\n\n", (off_t)strlen(TOP)), 1);
	ATF_CHECK_EQ(hops("Received: a\n\n", 13), 0);
	ATF_CHECK_EQ(hops("Received: a\n\n", 100), 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, opened);
	ATF_TP_ADD_TC(tp, unopened);
	ATF_TP_ADD_TC(tp, read_only);
	ATF_TP_ADD_TC(tp, hop_count);
	return (atf_no_error());
}
