/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Buffers: limits, number formats, reading and writing, descriptors.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include <imsg.h>

#include "imsg_peer.h"

ATF_TC_WITHOUT_HEAD(open_limits);
ATF_TC_BODY(open_limits, tc)
{
	struct ibuf	*buf;

	ATF_CHECK_ERRNO(EINVAL, ibuf_open(0) == NULL);
	ATF_CHECK_ERRNO(EINVAL, ibuf_dynamic(0, 0) == NULL);
	ATF_CHECK_ERRNO(EINVAL, ibuf_dynamic(2, 1) == NULL);

	ATF_REQUIRE((buf = ibuf_open(4)) != NULL);
	ATF_CHECK_EQ(0, ibuf_size(buf));
	ATF_CHECK_EQ(4, ibuf_left(buf));
	ATF_CHECK_EQ(0, ibuf_add(buf, "abc", 3));
	ATF_CHECK_EQ(3, ibuf_size(buf));
	ATF_CHECK_EQ(1, ibuf_left(buf));
	ATF_CHECK_ERRNO(ERANGE, ibuf_add(buf, "de", 2) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_add(buf, "de", SIZE_MAX) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_add_zero(buf, SIZE_MAX - 2) == -1);
	ATF_CHECK_EQ(0, ibuf_add(buf, "d", 1));
	ATF_CHECK_EQ(0, ibuf_add(buf, NULL, 0));
	ATF_CHECK_ERRNO(ERANGE, ibuf_add(buf, "e", 1) == -1);
	ATF_CHECK_EQ(0, memcmp("abcd", ibuf_data(buf), 4));
	ibuf_free(buf);
	ibuf_free(NULL);
}

ATF_TC_WITHOUT_HEAD(dynamic_growth);
ATF_TC_BODY(dynamic_growth, tc)
{
	struct ibuf	*buf;
	unsigned char	*p;
	size_t		 i, max = 5000;

	ATF_REQUIRE((buf = ibuf_dynamic(0, max)) != NULL);
	for (i = 0; i < max; i++) {
		ATF_REQUIRE_EQ(i, ibuf_size(buf));
		ATF_REQUIRE_EQ(max - i, ibuf_left(buf));
		ATF_REQUIRE_EQ(0, ibuf_add_n8(buf, i & 0xff));
	}
	ATF_CHECK_ERRNO(ERANGE, ibuf_add_n8(buf, 0) == -1);
	p = ibuf_data(buf);
	for (i = 0; i < max; i++)
		ATF_REQUIRE_EQ((i & 0xff), p[i]);
	ibuf_free(buf);
}

/* What one process reserves and forgets must not show another its heap. */
ATF_TC_WITHOUT_HEAD(reserve_is_zero);
ATF_TC_BODY(reserve_is_zero, tc)
{
	struct ibuf	*buf;
	unsigned char	*p;
	void		*dirty;
	size_t		 i, n, len = 3000;

	for (n = 1; n < 4; n++) {
		ATF_REQUIRE((dirty = malloc(len)) != NULL);
		memset(dirty, 0xa5, len);
		free(dirty);
		ATF_REQUIRE((buf = ibuf_dynamic(n == 1 ? len : n, len)) !=
		    NULL);
		ATF_REQUIRE((p = ibuf_reserve(buf, len)) != NULL);
		for (i = 0; i < len; i++)
			ATF_REQUIRE_EQ(0, p[i]);
		ATF_CHECK_ERRNO(ERANGE, ibuf_reserve(buf, 1) == NULL);
		ATF_CHECK(ibuf_reserve(buf, 0) != NULL);
		ibuf_free(buf);
	}
}

ATF_TC_WITHOUT_HEAD(network_numbers);
ATF_TC_BODY(network_numbers, tc)
{
	const unsigned char	 want[] = { 0xfe, 0x01, 0x02, 0x81, 0x02, 0x03,
				    0x04, 0x91, 0x02, 0x03, 0x04, 0x05, 0x06,
				    0x07, 0x08 };
	struct ibuf		*buf;
	uint8_t			 n8;
	uint16_t		 n16;
	uint32_t		 n32;
	uint64_t		 n64;

	ATF_REQUIRE((buf = ibuf_dynamic(1, 100)) != NULL);
	ATF_CHECK_EQ(0, ibuf_add_n8(buf, 0xfe));
	ATF_CHECK_EQ(0, ibuf_add_n16(buf, 0x0102));
	ATF_CHECK_EQ(0, ibuf_add_n32(buf, 0x81020304));
	ATF_CHECK_EQ(0, ibuf_add_n64(buf, 0x9102030405060708ULL));
	ATF_CHECK_ERRNO(EINVAL, ibuf_add_n8(buf, 0x100) == -1);
	ATF_CHECK_ERRNO(EINVAL, ibuf_add_n16(buf, 0x10000) == -1);
	ATF_CHECK_ERRNO(EINVAL, ibuf_add_n32(buf, 0x100000000ULL) == -1);
	ATF_REQUIRE_EQ(sizeof(want), ibuf_size(buf));
	ATF_CHECK_EQ(0, memcmp(want, ibuf_data(buf), sizeof(want)));

	ATF_CHECK_EQ(0, ibuf_get_n8(buf, &n8));
	ATF_CHECK_EQ(0, ibuf_get_n16(buf, &n16));
	ATF_CHECK_EQ(0, ibuf_get_n32(buf, &n32));
	ATF_CHECK_EQ(0, ibuf_get_n64(buf, &n64));
	ATF_CHECK_EQ(0xfe, n8);
	ATF_CHECK_EQ(0x0102, n16);
	ATF_CHECK_EQ(0x81020304, n32);
	ATF_CHECK_EQ(0x9102030405060708ULL, n64);
	ATF_CHECK_ERRNO(EBADMSG, ibuf_get_n8(buf, &n8) == -1);
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(host_numbers);
ATF_TC_BODY(host_numbers, tc)
{
	const uint16_t	 h16 = 0x8102;
	const uint32_t	 h32 = 0x81020304;
	const uint64_t	 h64 = 0x8102030405060708ULL;
	struct ibuf	*buf;
	uint16_t	 g16;
	uint32_t	 g32;
	uint64_t	 g64;
	unsigned char	*p;

	ATF_REQUIRE((buf = ibuf_open(14)) != NULL);
	ATF_CHECK_EQ(0, ibuf_add_h16(buf, h16));
	ATF_CHECK_EQ(0, ibuf_add_h32(buf, h32));
	ATF_CHECK_EQ(0, ibuf_add_h64(buf, h64));
	ATF_CHECK_ERRNO(EINVAL, ibuf_add_h16(buf, 0x10000) == -1);
	ATF_CHECK_ERRNO(EINVAL, ibuf_add_h32(buf, 0x100000000ULL) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_add_h64(buf, 0) == -1);
	p = ibuf_data(buf);
	ATF_CHECK_EQ(0, memcmp(p, &h16, 2));
	ATF_CHECK_EQ(0, memcmp(p + 2, &h32, 4));
	ATF_CHECK_EQ(0, memcmp(p + 6, &h64, 8));
	ATF_CHECK_EQ(0, ibuf_get_h16(buf, &g16));
	ATF_CHECK_EQ(0, ibuf_get_h32(buf, &g32));
	ATF_CHECK_EQ(0, ibuf_get_h64(buf, &g64));
	ATF_CHECK_EQ(h16, g16);
	ATF_CHECK_EQ(h32, g32);
	ATF_CHECK_EQ(h64, g64);
	ATF_CHECK_ERRNO(EBADMSG, ibuf_get_h64(buf, &g64) == -1);
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(set_numbers);
ATF_TC_BODY(set_numbers, tc)
{
	const uint16_t	 h16 = 0x0d0e;
	struct ibuf	*buf;
	unsigned char	*p;
	uint32_t	 h32 = 0x12345678;
	uint64_t	 h64 = 0x123456789abcdef0ULL;

	ATF_REQUIRE((buf = ibuf_open(16)) != NULL);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_n8(buf, 0, 1) == -1);
	ATF_CHECK_EQ(0, ibuf_add_zero(buf, 16));
	p = ibuf_data(buf);
	ATF_CHECK_EQ(0, ibuf_set_n8(buf, 0, 0xff));
	ATF_CHECK_EQ(0, ibuf_set_n16(buf, 1, 0x0203));
	ATF_CHECK_EQ(0, ibuf_set_n32(buf, 3, 0x04050607));
	ATF_CHECK_EQ(0, ibuf_set_n64(buf, 7, 0x08090a0b0c0d0e0fULL));
	ATF_CHECK_EQ(0, memcmp(p, "\377\002\003\004\005\006\007\010\011\012"
	    "\013\014\015\016\017\0", 16));
	ATF_CHECK_EQ(0, ibuf_set_h16(buf, 14, h16));
	ATF_CHECK_EQ(0, memcmp(p + 14, &h16, 2));
	ATF_CHECK_EQ(0, ibuf_set_h32(buf, 12, h32));
	ATF_CHECK_EQ(0, memcmp(p + 12, &h32, 4));
	ATF_CHECK_EQ(0, ibuf_set_h64(buf, 8, h64));
	ATF_CHECK_EQ(0, memcmp(p + 8, &h64, 8));

	ATF_CHECK_ERRNO(EINVAL, ibuf_set_n8(buf, 0, 0x100) == -1);
	ATF_CHECK_ERRNO(EINVAL, ibuf_set_n16(buf, 0, 0x10000) == -1);
	ATF_CHECK_ERRNO(EINVAL, ibuf_set_n32(buf, 0, 1ULL << 32) == -1);
	ATF_CHECK_ERRNO(EINVAL, ibuf_set_h16(buf, 0, 0x10000) == -1);
	ATF_CHECK_ERRNO(EINVAL, ibuf_set_h32(buf, 0, 1ULL << 32) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_n8(buf, 16, 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_n16(buf, 15, 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_n32(buf, 13, 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_n64(buf, 9, 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_h64(buf, SIZE_MAX - 3, 1) == -1);
	ATF_CHECK_EQ(0, ibuf_set(buf, 16, NULL, 0));
	ATF_CHECK_ERRNO(ERANGE, ibuf_set(buf, 17, NULL, 0) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set(buf, 1, p, SIZE_MAX) == -1);
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(strings);
ATF_TC_BODY(strings, tc)
{
	struct ibuf	*buf;
	char		 field[8], *s;

	ATF_REQUIRE((buf = ibuf_dynamic(1, 64)) != NULL);
	ATF_CHECK_ERRNO(EOVERFLOW, ibuf_add_strbuf(buf, "12345678", 8) == -1);
	ATF_CHECK_ERRNO(EOVERFLOW, ibuf_add_strbuf(buf, "", 0) == -1);
	ATF_CHECK_EQ(0, ibuf_size(buf));
	ATF_CHECK_EQ(0, ibuf_add_strbuf(buf, "1234567", 8));
	ATF_CHECK_EQ(0, ibuf_add_strbuf(buf, "ab", 8));
	ATF_CHECK_EQ(0, ibuf_add_strbuf(buf, "", 1));
	ATF_REQUIRE_EQ(17, ibuf_size(buf));
	ATF_CHECK_EQ(0, memcmp("1234567\0ab\0\0\0\0\0\0", ibuf_data(buf), 17));

	ATF_CHECK_ERRNO(EINVAL, ibuf_get_strbuf(buf, field, 0) == -1);
	ATF_CHECK_EQ(0, ibuf_get_strbuf(buf, field, 8));
	ATF_CHECK_STREQ("1234567", field);
	ATF_CHECK_EQ(0, ibuf_get_strbuf(buf, field, 8));
	ATF_CHECK_STREQ("ab", field);
	ATF_CHECK_ERRNO(EBADMSG, ibuf_get_strbuf(buf, field, 8) == -1);
	ATF_CHECK_EQ(1, ibuf_size(buf));

	/* The padding is there on used memory too. */
	ATF_CHECK_EQ(0, ibuf_truncate(buf, 0));
	ATF_CHECK_EQ(0, ibuf_add(buf, "xxxxxxxx", 8));
	ATF_CHECK_EQ(0, ibuf_truncate(buf, 0));
	ATF_CHECK_EQ(0, ibuf_add_strbuf(buf, "a", 8));
	ATF_CHECK_EQ(0, memcmp("a\0\0\0\0\0\0\0", ibuf_data(buf), 8));
	ATF_CHECK_EQ(0, ibuf_truncate(buf, 1));

	/* A peer that sends no NUL: refused, and harmless if ignored. */
	ATF_CHECK_EQ(0, ibuf_skip(buf, 1));
	ATF_CHECK_EQ(0, ibuf_add(buf, "abcdefgh", 8));
	memset(field, 'x', sizeof(field));
	ATF_CHECK_ERRNO(EOVERFLOW, ibuf_get_strbuf(buf, field, 8) == -1);
	ATF_CHECK_STREQ("abcdefg", field);

	ATF_CHECK_EQ(0, ibuf_add(buf, "xyz\0w", 5));
	ATF_CHECK_ERRNO(EBADMSG, ibuf_get_string(buf, 6) == NULL);
	ATF_REQUIRE((s = ibuf_get_string(buf, 2)) != NULL);
	ATF_CHECK_STREQ("xy", s);
	free(s);
	ATF_REQUIRE((s = ibuf_get_string(buf, 3)) != NULL);
	ATF_CHECK_STREQ("z", s);
	free(s);
	ATF_CHECK_EQ(0, ibuf_size(buf));
	ATF_REQUIRE((s = ibuf_get_string(buf, 0)) != NULL);
	ATF_CHECK_STREQ("", s);
	free(s);
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(reading);
ATF_TC_BODY(reading, tc)
{
	struct ibuf	*buf, part, peek;
	char		 got[16];

	ATF_REQUIRE((buf = ibuf_open(10)) != NULL);
	ATF_CHECK_EQ(0, ibuf_add(buf, "0123456789", 10));
	ATF_CHECK_EQ(0, ibuf_get(buf, got, 2));
	ATF_CHECK_EQ(0, memcmp("01", got, 2));
	ATF_CHECK_EQ(0, ibuf_skip(buf, 1));
	ATF_CHECK_EQ(7, ibuf_size(buf));
	ATF_CHECK_ERRNO(EBADMSG, ibuf_get(buf, got, 8) == -1);
	ATF_CHECK_ERRNO(EBADMSG, ibuf_skip(buf, 8) == -1);
	ATF_CHECK_ERRNO(EBADMSG, ibuf_skip(buf, SIZE_MAX) == -1);
	ATF_CHECK_EQ(7, ibuf_size(buf));

	/* Offsets count from the read position. */
	ATF_CHECK_EQ(0, memcmp("34", ibuf_seek(buf, 0, 2), 2));
	ATF_CHECK(ibuf_seek(buf, 7, 0) != NULL);
	ATF_CHECK_ERRNO(ERANGE, ibuf_seek(buf, 6, 2) == NULL);

	ibuf_from_ibuf(&peek, buf);
	ATF_CHECK_EQ(0, ibuf_get(&peek, got, 7));
	ATF_CHECK_EQ(0, memcmp("3456789", got, 7));
	ATF_CHECK_EQ(7, ibuf_size(buf));

	ATF_CHECK_ERRNO(EBADMSG, ibuf_get_ibuf(buf, 8, &part) == -1);
	ATF_CHECK_EQ(0, ibuf_get_ibuf(buf, 4, &part));
	ATF_CHECK_EQ(3, ibuf_size(buf));
	ATF_CHECK_EQ(4, ibuf_size(&part));
	ATF_CHECK_EQ(0, ibuf_left(&part));
	ATF_CHECK_EQ(0, ibuf_get(&part, got, 4));
	ATF_CHECK_EQ(0, memcmp("3456", got, 4));
	ATF_CHECK_ERRNO(EBADMSG, ibuf_get(&part, got, 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_add(&part, "x", 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_maxsize(&part, 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_truncate(&part, 5) == -1);

	ibuf_rewind(buf);
	ATF_CHECK_EQ(10, ibuf_size(buf));
	ATF_CHECK_EQ(0, memcmp("0123456789", ibuf_data(buf), 10));
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(from_buffer);
ATF_TC_BODY(from_buffer, tc)
{
	unsigned char	 octets[] = { 1, 2, 3, 4, 5 };
	struct ibuf	 view, *copy;
	uint16_t	 n16;
	char		 none;

	ibuf_from_buffer(&view, octets, sizeof(octets));
	ATF_CHECK_EQ(0, ibuf_get_n16(&view, &n16));
	ATF_CHECK_EQ(0x0102, n16);
	ATF_CHECK(!ibuf_fd_avail(&view));
	ATF_REQUIRE((copy = ibuf_dynamic(0, 9)) != NULL);
	ATF_CHECK_EQ(0, ibuf_add_ibuf(copy, &view));
	ATF_CHECK_EQ(3, ibuf_size(copy));
	ATF_CHECK_EQ(3, ibuf_size(&view));
	ATF_CHECK_EQ(0, memcmp(octets + 2, ibuf_data(copy), 3));
	ibuf_from_buffer(&view, NULL, 0);
	ATF_CHECK_EQ(0, ibuf_add_ibuf(copy, &view));
	ATF_CHECK_EQ(3, ibuf_size(copy));
	ATF_CHECK_ERRNO(EBADMSG, ibuf_get(&view, &none, 1) == -1);
	ibuf_free(copy);
}

ATF_TC_WITHOUT_HEAD(truncate);
ATF_TC_BODY(truncate, tc)
{
	struct ibuf	*buf;

	ATF_REQUIRE((buf = ibuf_dynamic(2, 8)) != NULL);
	ATF_CHECK_EQ(0, ibuf_add(buf, "abcdef", 6));
	ATF_CHECK_EQ(0, ibuf_truncate(buf, 3));
	ATF_CHECK_EQ(3, ibuf_size(buf));
	ATF_CHECK_EQ(0, ibuf_truncate(buf, 6));
	ATF_CHECK_EQ(0, memcmp("abc\0\0\0", ibuf_data(buf), 6));
	ATF_CHECK_ERRNO(ERANGE, ibuf_truncate(buf, 9) == -1);
	ATF_CHECK_EQ(6, ibuf_size(buf));
	ATF_CHECK_EQ(0, ibuf_skip(buf, 2));
	ATF_CHECK_EQ(0, ibuf_truncate(buf, 1));
	ATF_CHECK_EQ(0, memcmp("c", ibuf_data(buf), 1));
	ibuf_rewind(buf);
	ATF_CHECK_EQ(3, ibuf_size(buf));
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(maxsize);
ATF_TC_BODY(maxsize, tc)
{
	struct ibuf	*buf;

	ATF_REQUIRE((buf = ibuf_dynamic(4, 100)) != NULL);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_maxsize(buf, 101) == -1);
	ATF_CHECK_EQ(0, ibuf_add(buf, "abcdef", 6));
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_maxsize(buf, 5) == -1);
	ATF_CHECK_EQ(0, ibuf_set_maxsize(buf, 7));
	ATF_CHECK_EQ(1, ibuf_left(buf));
	ATF_CHECK_EQ(0, ibuf_add(buf, "g", 1));
	ATF_CHECK_ERRNO(ERANGE, ibuf_add(buf, "h", 1) == -1);
	ATF_CHECK_ERRNO(ERANGE, ibuf_set_maxsize(buf, 100) == -1);
	ibuf_free(buf);

	/* Lowered below what was allocated at first. */
	ATF_REQUIRE((buf = ibuf_dynamic(100, 100)) != NULL);
	ATF_CHECK_EQ(0, ibuf_set_maxsize(buf, 2));
	ATF_CHECK_ERRNO(ERANGE, ibuf_add_zero(buf, 3) == -1);
	ATF_CHECK_EQ(0, ibuf_add_zero(buf, 2));
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	struct ibuf	*buf;
	int		 before = fd_count(), fd;

	ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
	ATF_CHECK(!ibuf_fd_avail(buf));
	ATF_CHECK_EQ(-1, ibuf_fd_get(buf));
	ATF_REQUIRE((fd = dup(STDOUT_FILENO)) != -1);
	ibuf_fd_set(buf, fd);
	ATF_CHECK(ibuf_fd_avail(buf));
	ATF_CHECK_EQ(before + 1, fd_count());
	ATF_CHECK_EQ(fd, ibuf_fd_get(buf));
	ATF_CHECK(!ibuf_fd_avail(buf));
	ibuf_fd_set(buf, fd);
	ibuf_fd_set(buf, dup(STDOUT_FILENO));
	ATF_CHECK_EQ(before + 1, fd_count());
	ibuf_fd_set(buf, -1);
	ATF_CHECK_EQ(before, fd_count());
	ibuf_fd_set(buf, dup(STDOUT_FILENO));
	ibuf_free(buf);
	ATF_CHECK_EQ(before, fd_count());

	/* The close fails; what went wrong before is what counts. */
	ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
	ibuf_fd_set(buf, PEER_FD_SCAN);
	errno = E2BIG;
	ibuf_free(buf);
	ATF_CHECK_EQ(E2BIG, errno);
}

ATF_TC_WITHOUT_HEAD(free_of_a_view_aborts);
ATF_TC_BODY(free_of_a_view_aborts, tc)
{
	struct ibuf	view;
	char		octet = 0;
	pid_t		pid;
	int		status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		/* The sanitizers' own handler would only hide it. */
		signal(SIGABRT, SIG_DFL);
		ibuf_from_buffer(&view, &octet, 1);
		ibuf_free(&view);
		_exit(0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

ATF_TC_WITHOUT_HEAD(queues);
ATF_TC_BODY(queues, tc)
{
	struct ibufqueue	*q, *r;
	struct ibuf		*buf;
	uint8_t			 n8;
	int			 i, before = fd_count();

	ATF_REQUIRE((q = ibufq_new()) != NULL);
	ATF_REQUIRE((r = ibufq_new()) != NULL);
	ATF_CHECK(ibufq_pop(q) == NULL);
	for (i = 0; i < 10; i++) {
		ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
		ATF_REQUIRE_EQ(0, ibuf_add_n8(buf, i));
		ibuf_fd_set(buf, dup(STDOUT_FILENO));
		ibufq_push(i < 5 ? q : r, buf);
	}
	ATF_CHECK_EQ(5, ibufq_queuelen(q));
	ibufq_concat(q, r);
	ATF_CHECK_EQ(10, ibufq_queuelen(q));
	ATF_CHECK_EQ(0, ibufq_queuelen(r));
	ATF_CHECK(ibufq_pop(r) == NULL);
	for (i = 0; i < 7; i++) {
		ATF_REQUIRE((buf = ibufq_pop(q)) != NULL);
		ATF_CHECK_EQ(0, ibuf_get_n8(buf, &n8));
		ATF_CHECK_EQ(i, n8);
		ATF_CHECK_EQ((uint32_t)(9 - i), ibufq_queuelen(q));
		ibuf_free(buf);
	}
	ATF_CHECK_EQ(before + 3, fd_count());
	ibufq_flush(q);
	ATF_CHECK_EQ(0, ibufq_queuelen(q));
	ATF_CHECK_EQ(before, fd_count());
	ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
	ibufq_push(r, buf);
	ibufq_free(r);
	ibufq_free(q);
	ibufq_free(NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, open_limits);
	ATF_TP_ADD_TC(tp, dynamic_growth);
	ATF_TP_ADD_TC(tp, reserve_is_zero);
	ATF_TP_ADD_TC(tp, network_numbers);
	ATF_TP_ADD_TC(tp, host_numbers);
	ATF_TP_ADD_TC(tp, set_numbers);
	ATF_TP_ADD_TC(tp, strings);
	ATF_TP_ADD_TC(tp, reading);
	ATF_TP_ADD_TC(tp, from_buffer);
	ATF_TP_ADD_TC(tp, truncate);
	ATF_TP_ADD_TC(tp, maxsize);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, free_of_a_view_aborts);
	ATF_TP_ADD_TC(tp, queues);
	return (atf_no_error());
}
