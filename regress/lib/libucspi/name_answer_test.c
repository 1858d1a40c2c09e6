/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reading DNS messages: what counts as an answer, and what a stranger may
 * try.  Messages are put together here byte by byte.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi_name.h"

#define QNAME		"\1q\7example"
#define POINTER_QNAME	"\xc0\x0c"
#define HEADER_BYTES	12

static uint8_t			packet[65535];
static size_t			packet_len;
static struct name_answer	answer;

static void
put(const void *data, size_t len)
{
	ATF_REQUIRE(packet_len + len <= sizeof(packet));
	memcpy(packet + packet_len, data, len);
	packet_len += len;
}

static void
put_u16(unsigned int value)
{
	uint8_t	bytes[2];

	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
	put(bytes, sizeof(bytes));
}

/* The head of an answer to a question for q.example. */
static void
begin(unsigned int flags, unsigned int type)
{
	packet_len = 0;
	put_u16(0x1234);
	put_u16(flags);
	put_u16(1);
	put_u16(0);
	put_u16(0);
	put_u16(0);
	put(QNAME, sizeof(QNAME));
	put_u16(type);
	put_u16(1);
}

static void
counted(unsigned int n)
{
	n += (unsigned int)(packet[6] << 8 | packet[7]);
	packet[6] = (uint8_t)(n >> 8);
	packet[7] = (uint8_t)n;
}

static void
record_full(const void *owner, size_t owner_len, unsigned int type,
    unsigned int class, unsigned int len, const void *data, size_t data_len)
{
	put(owner, owner_len);
	put_u16(type);
	put_u16(class);
	put("\0\0\0\1", 4);
	put_u16(len);
	put(data, data_len);
	counted(1);
}

/* Owner and data are literals: the owner's NUL is its root label. */
#define RECORD(owner, type, data)	record_full(owner, sizeof(owner),	\
    type, 1, sizeof(data) - 1, data, sizeof(data) - 1)
#define RECORD_Q(type, data)		record_full(POINTER_QNAME, 2, type,	\
    1, sizeof(data) - 1, data, sizeof(data) - 1)
#define RECORD_NAME(owner, type, name)	record_full(owner, sizeof(owner),	\
    type, 1, sizeof(name), name, sizeof(name))

/* From a block of exactly that size, so that a sanitizer sees every step
 * beyond it. */
static int
read_len(unsigned int type, size_t len)
{
	uint8_t	*copy;

	ATF_REQUIRE((copy = malloc(len + (len == 0))) != NULL);
	memcpy(copy, packet, len);
	name_answer_read(&answer, copy, len, (const uint8_t *)QNAME,
	    (uint16_t)type);
	free(copy);
	return (answer.error);
}

static int
read_packet(unsigned int type)
{
	return (read_len(type, packet_len));
}

static void
addresses_check(const char *wanted)
{
	char		buf[NETADDR_TEXT_SIZE], out[512];
	size_t		len = 0;
	unsigned int	i;

	out[0] = '\0';
	for (i = 0; i < answer.count; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s|",
		    netaddr_text(&answer.addr[i], buf));
	ATF_CHECK_STREQ(wanted, out);
}

ATF_TC_WITHOUT_HEAD(addresses);
ATF_TC_BODY(addresses, tc)
{
	begin(0x8180, NAME_TYPE_A);
	RECORD_Q(NAME_TYPE_A, "\1\2\3\4");
	RECORD("\1Q\7eXample", NAME_TYPE_A, "\5\6\7\10");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	addresses_check("1.2.3.4|5.6.7.8|");

	begin(0x8180, NAME_TYPE_AAAA);
	RECORD_Q(NAME_TYPE_AAAA, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	RECORD_Q(NAME_TYPE_A, "\1\2\3\4");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_AAAA));
	addresses_check("2001:db8::1|");
}

ATF_TC_WITHOUT_HEAD(not_ours);
ATF_TC_BODY(not_ours, tc)
{
	begin(0x8180, NAME_TYPE_A);
	RECORD("\1r\7example", NAME_TYPE_A, "\1\2\3\4");
	RECORD("\7example", NAME_TYPE_A, "\1\2\3\5");
	record_full(POINTER_QNAME, 2, NAME_TYPE_A, 3, 4, "\1\2\3\6", 4);
	RECORD_Q(99, "\1\2\3\7");
	RECORD_Q(NAME_TYPE_A, "\1\2\3");
	RECORD_Q(NAME_TYPE_A, "\1\2\3\4\5");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	addresses_check("");
}

ATF_TC_WITHOUT_HEAD(nothing);
ATF_TC_BODY(nothing, tc)
{
	begin(0x8180, NAME_TYPE_A);
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	ATF_CHECK_EQ(0, answer.count);
	begin(0x8183, NAME_TYPE_A);
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	ATF_CHECK_EQ(0, answer.count);
	begin(0x8180, NAME_TYPE_PTR);
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_PTR));
	ATF_CHECK_STREQ("", answer.name);
}

ATF_TC_WITHOUT_HEAD(declined);
ATF_TC_BODY(declined, tc)
{
	unsigned int	rcode;

	for (rcode = 1; rcode < 16; rcode++) {
		if (rcode == 3)
			continue;
		begin(0x8180 | rcode, NAME_TYPE_A);
		RECORD_Q(NAME_TYPE_A, "\1\2\3\4");
		ATF_CHECK_EQ(EAGAIN, read_packet(NAME_TYPE_A));
		ATF_CHECK_EQ(0, answer.count);
	}
}

ATF_TC_WITHOUT_HEAD(another_question);
ATF_TC_BODY(another_question, tc)
{
	begin(0x8180, NAME_TYPE_AAAA);
	RECORD_Q(NAME_TYPE_A, "\1\2\3\4");
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_A));
	/* Not an answer at all; not a query. */
	begin(0x0180, NAME_TYPE_A);
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_A));
	begin(0x9180, NAME_TYPE_A);
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_A));
	/* Another name, another class, no question, two. */
	begin(0x8180, NAME_TYPE_A);
	packet[13] = 'r';
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_A));
	begin(0x8180, NAME_TYPE_A);
	packet[packet_len - 1] = 3;
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_A));
	begin(0x8180, NAME_TYPE_A);
	packet[5] = 0;
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_A));
	packet[5] = 2;
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_A));
	packet[5] = 1;
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
}

ATF_TC_WITHOUT_HEAD(cnames);
ATF_TC_BODY(cnames, tc)
{
	begin(0x8180, NAME_TYPE_A);
	RECORD_NAME(QNAME, NAME_TYPE_CNAME, "\1b");
	RECORD("\1B", NAME_TYPE_A, "\1\2\3\4");
	RECORD("\1b", NAME_TYPE_A, "\1\2\3\5");
	RECORD("\1q\7example", NAME_TYPE_A, "\1\2\3\6");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	addresses_check("1.2.3.4|1.2.3.5|");

	/* In the wrong order, too. */
	begin(0x8180, NAME_TYPE_A);
	RECORD("\1d", NAME_TYPE_A, "\1\2\3\4");
	RECORD_NAME("\1c", NAME_TYPE_CNAME, "\1d");
	RECORD_NAME("\1b", NAME_TYPE_CNAME, "\1c");
	RECORD_NAME(QNAME, NAME_TYPE_CNAME, "\1b");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	addresses_check("1.2.3.4|");

	/* Nobody at its end; a loop. */
	begin(0x8180, NAME_TYPE_A);
	RECORD_NAME(QNAME, NAME_TYPE_CNAME, "\1b");
	RECORD("\1c", NAME_TYPE_A, "\1\2\3\4");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	addresses_check("");
	begin(0x8180, NAME_TYPE_A);
	RECORD_NAME(QNAME, NAME_TYPE_CNAME, "\1b");
	RECORD_NAME("\1b", NAME_TYPE_CNAME, QNAME);
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	addresses_check("");

	/* RFC 2317: an alias in the reverse tree. */
	begin(0x8180, NAME_TYPE_PTR);
	RECORD_NAME(QNAME, NAME_TYPE_CNAME, "\1b");
	RECORD_NAME("\1b", NAME_TYPE_PTR, "\4Host\1x");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_PTR));
	ATF_CHECK_STREQ("host.x", answer.name);
}

ATF_TC_WITHOUT_HEAD(pointers);
ATF_TC_BODY(pointers, tc)
{
	begin(0x8180, NAME_TYPE_PTR);
	RECORD_NAME(QNAME, NAME_TYPE_PTR, "\1A\2\0{\1_");
	RECORD_NAME(QNAME, NAME_TYPE_PTR, "\6second");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_PTR));
	ATF_CHECK_STREQ("a.\\000\\173._", answer.name);

	/* Compressed against the question. */
	begin(0x8180, NAME_TYPE_PTR);
	RECORD_Q(NAME_TYPE_PTR, "\1h\xc0\x0e");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_PTR));
	ATF_CHECK_STREQ("h.example", answer.name);

	begin(0x8180, NAME_TYPE_PTR);
	RECORD_NAME(QNAME, NAME_TYPE_PTR, "");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_PTR));
	ATF_CHECK_STREQ(".", answer.name);

	/* What is behind the first one does not matter. */
	begin(0x8180, NAME_TYPE_PTR);
	RECORD_NAME(QNAME, NAME_TYPE_PTR, "\1a");
	put("\xff", 1);
	counted(7);
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_PTR));
	ATF_CHECK_STREQ("a", answer.name);
}

static void
ptr_refused(const void *data, size_t len)
{
	begin(0x8180, NAME_TYPE_PTR);
	record_full(POINTER_QNAME, 2, NAME_TYPE_PTR, 1, (unsigned int)len,
	    data, len);
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_PTR));
	ATF_CHECK_STREQ("", answer.name);
}

ATF_TC_WITHOUT_HEAD(pointer_tricks);
ATF_TC_BODY(pointer_tricks, tc)
{
	uint8_t	data[2];
	size_t	here;

	begin(0x8180, NAME_TYPE_PTR);
	here = packet_len + 12;		/* where the data will begin */
	data[0] = (uint8_t)(0xc0 | here >> 8);
	data[1] = (uint8_t)here;
	ptr_refused(data, 2);			/* at itself */
	data[1]++;
	ptr_refused(data, 2);			/* into itself */
	ptr_refused("\xff\xff", 2);		/* out of the message */
	ptr_refused("\xc0", 1);			/* half a pointer */
	ptr_refused("\x40" "a", 2);		/* reserved kinds of label */
	ptr_refused("\x80" "a", 2);
	ptr_refused("\x3f" "a", 2);		/* longer than the data */
	ptr_refused("\1a", 2);			/* without an end */
	ptr_refused("\1a\0x", 4);		/* with more behind it */
	ptr_refused("", 0);
	ptr_refused("\xc0\0", 2);		/* into the header: id 0x12.. */
}

/* A pointer to a good name, but forward: that is how loops are made. */
ATF_TC_WITHOUT_HEAD(pointer_forward);
ATF_TC_BODY(pointer_forward, tc)
{
	uint8_t	owner[2];
	size_t	there;

	begin(0x8180, NAME_TYPE_A);
	there = packet_len + sizeof(owner) + 10 + 4 + 2 + 10;
	owner[0] = (uint8_t)(0xc0 | there >> 8);
	owner[1] = (uint8_t)there;
	record_full(owner, 2, NAME_TYPE_A, 1, 4, "\1\2\3\4", 4);
	record_full(POINTER_QNAME, 2, 99, 1, sizeof(QNAME), QNAME,
	    sizeof(QNAME));
	ATF_REQUIRE_EQ(0, memcmp(packet + there, QNAME, sizeof(QNAME)));
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_A));
}

/* A ladder of pointers, each to the one before, just too long. */
ATF_TC_WITHOUT_HEAD(pointer_ladder);
ATF_TC_BODY(pointer_ladder, tc)
{
	uint8_t		rungs[2 * 200];
	size_t		here;
	unsigned int	i, n;

	for (n = 1; n < 200; n++) {
		begin(0x8180, NAME_TYPE_PTR);
		/* In a record nobody looks at: the root, then the rungs. */
		here = packet_len + 2 + 10;
		rungs[0] = 0;
		for (i = 0; i < n; i++) {
			rungs[1 + 2 * i] = (uint8_t)(0xc0 |
			    (here + (i ? 2 * i - 1 : 0)) >> 8);
			rungs[2 + 2 * i] = (uint8_t)(here +
			    (i ? 2 * i - 1 : 0));
		}
		record_full(POINTER_QNAME, 2, 99, 1, 1 + 2 * n, rungs,
		    1 + 2 * n);
		here += 2 * n - 1;
		rungs[0] = (uint8_t)(0xc0 | here >> 8);
		rungs[1] = (uint8_t)here;
		record_full(POINTER_QNAME, 2, NAME_TYPE_PTR, 1, 2, rungs, 2);
		ATF_CHECK_EQ_MSG(n < 64 ? 0 : EPROTO,
		    read_packet(NAME_TYPE_PTR), "%u rungs", n);
	}
}

/* 255 bytes are a name, 256 are none, also when pointers make them so. */
ATF_TC_WITHOUT_HEAD(name_length);
ATF_TC_BODY(name_length, tc)
{
	uint8_t		data[400];
	unsigned int	last, n;

	for (last = 40; last <= 63; last++) {
		for (n = 0; n < 3; n++) {
			data[n * 64] = 63;
			memset(&data[n * 64 + 1], 'a', 63);
		}
		data[192] = (uint8_t)last;
		memset(&data[193], 'b', last);
		memcpy(&data[193 + last], POINTER_QNAME, 2);
		begin(0x8180, NAME_TYPE_PTR);
		record_full(POINTER_QNAME, 2, NAME_TYPE_PTR, 1, 195 + last,
		    data, 195 + last);
		ATF_CHECK_EQ_MSG(193 + last + sizeof(QNAME) <= 255 ? 0 :
		    EPROTO, read_packet(NAME_TYPE_PTR), "last %u", last);
	}
}

ATF_TC_WITHOUT_HEAD(texts);
ATF_TC_BODY(texts, tc)
{
	uint8_t	data[256];
	int	i;

	begin(0x8180, NAME_TYPE_TXT);
	RECORD_Q(NAME_TYPE_TXT, "\3abc\0\2de");
	RECORD_Q(NAME_TYPE_TXT, "\1f");
	RECORD_Q(NAME_TYPE_TXT, "");
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_TXT));
	ATF_CHECK_EQ(4, answer.count);
	ATF_CHECK_EQ(6, answer.text_len);
	ATF_CHECK_STREQ("abcdef", answer.text);

	begin(0x8180, NAME_TYPE_TXT);
	RECORD_Q(NAME_TYPE_TXT, "\3abc\3de");
	ATF_CHECK_EQ(EPROTO, read_packet(NAME_TYPE_TXT));
	ATF_CHECK_EQ(0, answer.text_len);
	ATF_CHECK_STREQ("", answer.text);

	/* More than is kept. */
	data[0] = 255;
	memset(data + 1, 'x', 255);
	begin(0x8180, NAME_TYPE_TXT);
	for (i = 0; i < 40; i++)
		record_full(POINTER_QNAME, 2, NAME_TYPE_TXT, 1, 256, data,
		    256);
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_TXT));
	ATF_CHECK_EQ(NAME_TXT_SIZE - 1, answer.text_len);
	ATF_CHECK_EQ(NAME_TXT_SIZE - 1, strlen(answer.text));
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	uint8_t		data[4];
	unsigned int	i;

	begin(0x8180, NAME_TYPE_A);
	for (i = 0; i < 4000; i++) {
		data[0] = 10;
		data[1] = 0;
		data[2] = (uint8_t)(i >> 8);
		data[3] = (uint8_t)i;
		record_full(POINTER_QNAME, 2, NAME_TYPE_A, 1, 4, data, 4);
	}
	ATF_CHECK_EQ(0, read_packet(NAME_TYPE_A));
	ATF_CHECK_EQ(NAME_ADDRS_MAX, answer.count);
	ATF_CHECK_EQ(255, answer.addr[255].bytes[3]);
}

/* Cut at every length, a message is broken, and only that. */
ATF_TC_WITHOUT_HEAD(cut);
ATF_TC_BODY(cut, tc)
{
	size_t	len;

	begin(0x8180, NAME_TYPE_A);
	RECORD_NAME(QNAME, NAME_TYPE_CNAME, "\1b\xc0\x0e");
	packet_len--;		/* the literal's NUL: a pointer ended it */
	packet[packet_len - 6] = 0;
	packet[packet_len - 5] = 4;
	RECORD("\1b\7example", NAME_TYPE_A, "\1\2\3\4");
	ATF_REQUIRE_EQ(0, read_packet(NAME_TYPE_A));
	addresses_check("1.2.3.4|");
	for (len = 0; len < packet_len; len++)
		ATF_CHECK_EQ_MSG(EPROTO, read_len(NAME_TYPE_A, len),
		    "cut at %zu", len);
}

static unsigned int
random_next(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 16);
}

/* Damage of every kind: no more is wanted than to come back. */
ATF_TC_WITHOUT_HEAD(damage);
ATF_TC_BODY(damage, tc)
{
	static const unsigned int types[] = { NAME_TYPE_A, NAME_TYPE_PTR,
	    NAME_TYPE_TXT, NAME_TYPE_AAAA };
	unsigned int	i, n, seed = 20261122, state, type;

	printf("seed %u\n", seed);
	for (n = 0, state = seed; n < 100000; n++) {
		type = types[random_next(&state) % 4];
		begin(0x8180, type);
		RECORD_NAME(QNAME, NAME_TYPE_CNAME, "\1b");
		RECORD_Q(NAME_TYPE_A, "\1\2\3\4");
		RECORD_NAME("\1b", NAME_TYPE_PTR, "\3abc\2de");
		RECORD_Q(NAME_TYPE_TXT, "\3abc\2de");
		RECORD_Q(NAME_TYPE_PTR, "\1x\xc0\x0e");
		for (i = random_next(&state) % 4; i > 0; i--)
			packet[HEADER_BYTES + random_next(&state) %
			    (packet_len - HEADER_BYTES)] =
			    (uint8_t)random_next(&state);
		(void)read_len(type, packet_len - (random_next(&state) % 8 ==
		    0 ? random_next(&state) % packet_len : 0));
		if (answer.error != 0)
			ATF_REQUIRE(answer.count == 0 &&
			    answer.name[0] == '\0' && answer.text_len == 0);
		ATF_REQUIRE(answer.count <= NAME_ADDRS_MAX);
		ATF_REQUIRE(memchr(answer.name, '\0', sizeof(answer.name)) !=
		    NULL);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, not_ours);
	ATF_TP_ADD_TC(tp, nothing);
	ATF_TP_ADD_TC(tp, declined);
	ATF_TP_ADD_TC(tp, another_question);
	ATF_TP_ADD_TC(tp, cnames);
	ATF_TP_ADD_TC(tp, pointers);
	ATF_TP_ADD_TC(tp, pointer_tricks);
	ATF_TP_ADD_TC(tp, pointer_forward);
	ATF_TP_ADD_TC(tp, pointer_ladder);
	ATF_TP_ADD_TC(tp, name_length);
	ATF_TP_ADD_TC(tp, texts);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, cut);
	ATF_TP_ADD_TC(tp, damage);
	return (atf_no_error());
}
