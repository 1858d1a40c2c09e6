/*
 * Damaged and hostile databases: never a crash (the suite also runs under
 * sanitizers), never an endless loop, never "allow" for what the rules deny.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>

#include "dbtool.h"
#include "compat.h"

static struct access_verdict	verdict;

static const char	text[] = "1.2.3.4:deny\n1.2.:deny,A=\"b\"\n=h.x:deny\n"
			    "=.x:deny\n10.0.0.0/8:deny\n2001:db8::1:deny\n"
			    "joe@9.9.9.9:deny\n:deny\n";

static size_t
file_read(uint8_t *base, size_t size)
{
	FILE	*fp;
	size_t	 len;

	ATF_REQUIRE((fp = fopen(DB_FILE, "r")) != NULL);
	len = fread(base, 1, size, fp);
	ATF_REQUIRE(feof(fp));
	fclose(fp);
	return (len);
}

static struct access *
bytes_open(const uint8_t *base, size_t len)
{
	struct access	*rules;
	int		 fd;

	file_write("damaged", base, len);
	ATF_REQUIRE((fd = open("damaged", O_RDONLY)) != -1);
	rules = access_open(fd);
	close(fd);
	return (rules);
}

/* Every kind of client; the undamaged rules deny them all. */
static void
clients_judge(const struct access *rules)
{
	const uint8_t		v4[] = { 10, 2, 3, 4 };
	const uint8_t		v6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	struct access_client	clients[] = {
		{ AF_INET, v4, "1.2.3.4", "h.x", "joe" },
		{ AF_INET, v4, "9.9.9.9", NULL, "joe" },
		{ AF_INET, v4, "10.2.3.4", "a.b.c.x", NULL },
		{ AF_INET6, v6, "2001:db8::1", "", "" },
	};
	size_t			i;

	for (i = 0; i < nitems(clients); i++)
		if (access_check(rules, &clients[i], &verdict) == -1)
			ATF_CHECK_EQ(EPROTO, errno);
}

ATF_TC_WITHOUT_HEAD(cut_short);
ATF_TC_BODY(cut_short, tc)
{
	struct access	*rules;
	uint8_t		 base[8192];
	size_t		 len, n;

	ATF_REQUIRE(db_compile(text) == COMPILE_DONE);
	len = file_read(base, sizeof(base));
	for (n = 0; n < len; n++) {
		errno = 0;
		rules = bytes_open(base, n);
		/* The last table ends the file: any cut is seen. */
		ATF_CHECK_MSG(rules == NULL, "cut at %zu of %zu", n, len);
		ATF_CHECK_EQ(EPROTO, errno);
	}
	ATF_REQUIRE((rules = bytes_open(base, len)) != NULL);
	access_close(rules);
}

ATF_TC_WITHOUT_HEAD(every_byte);
ATF_TC_BODY(every_byte, tc)
{
	const uint8_t	 values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct access	*rules;
	uint8_t		 base[8192], kept;
	size_t		 i, len, n, opened;

	ATF_REQUIRE(db_compile(text) == COMPILE_DONE);
	len = file_read(base, sizeof(base));
	opened = 0;
	for (n = 0; n < len; n++) {
		kept = base[n];
		for (i = 0; i < nitems(values); i++) {
			base[n] = values[i];
			if ((rules = bytes_open(base, len)) == NULL) {
				ATF_CHECK_EQ(EPROTO, errno);
				continue;
			}
			opened++;
			clients_judge(rules);
			access_lengths_learn(rules);
			clients_judge(rules);
			access_close(rules);
		}
		base[n] = kept;
	}
	ATF_CHECK(opened > 0);
}

static void
number_put(uint8_t *p, uint32_t number)
{
	p[0] = number;
	p[1] = number >> 8;
	p[2] = number >> 16;
	p[3] = number >> 24;
}

static void
table_put(uint8_t *base, unsigned int table, uint32_t pos, uint32_t slots)
{
	number_put(base + table * 8, pos);
	number_put(base + table * 8 + 4, slots);
}

/* The empty key: its hash is 5381, so table 5. */
#define EMPTY_HASH	5381
#define EMPTY_TABLE	5

ATF_TC_WITHOUT_HEAD(bad_tables);
ATF_TC_BODY(bad_tables, tc)
{
	const struct {
		uint32_t	pos;
		uint32_t	slots;
	} tables[] = {
		{ 0, 1 }, { 2047, 1 }, { 4096, 1 }, { 4089, 1 }, { 2048, 257 },
		{ 2048, 0x20000001 }, { 0xffffffff, 1 },
		{ 0xfffffff8, 0xffffffff }, { 2048, 0xffffffff }
	};
	uint8_t		 base[4096];
	struct access	*rules;
	size_t		 i;

	for (i = 0; i < nitems(tables); i++) {
		memset(base, 0, sizeof(base));
		table_put(base, 200, tables[i].pos, tables[i].slots);
		errno = 0;
		ATF_CHECK_MSG(bytes_open(base, sizeof(base)) == NULL, "%zu",
		    i);
		ATF_CHECK_EQ(EPROTO, errno);
	}
	/* The whole room for one table is just right, for two too much. */
	memset(base, 0, sizeof(base));
	table_put(base, 1, 2048, 256);
	ATF_REQUIRE((rules = bytes_open(base, sizeof(base))) != NULL);
	access_close(rules);
	table_put(base, 2, 2048, 1);
	ATF_CHECK(bytes_open(base, sizeof(base)) == NULL);
	/* Empty tables may say what they like. */
	table_put(base, 2, 0xffffffff, 0);
	ATF_REQUIRE((rules = bytes_open(base, sizeof(base))) != NULL);
	access_close(rules);
}

ATF_TC_WITHOUT_HEAD(bad_records);
ATF_TC_BODY(bad_records, tc)
{
	const uint32_t		 positions[] = {
		1, 2047, 4096, 4089, 0xffffffff
	};
	const uint32_t		 lengths[][2] = {
		{ 0, 2041 }, { 0, 0xffffffff }, { 0xffffffff, 1 },
		{ 2041, 0 }, { 0x80000000, 0x80000000 }
	};
	struct access_client	 client = { .ip = "x" };
	uint8_t			 base[4096];
	struct access		*rules;
	size_t			 i;

	memset(base, 0, sizeof(base));
	table_put(base, EMPTY_TABLE, 4088, 1);
	number_put(base + 4088, EMPTY_HASH);
	for (i = 0; i < nitems(positions); i++) {
		number_put(base + 4092, positions[i]);
		ATF_REQUIRE((rules = bytes_open(base, sizeof(base))) != NULL);
		errno = 0;
		ATF_CHECK_EQ(-1, access_check(rules, &client, &verdict));
		ATF_CHECK_EQ(EPROTO, errno);
		access_close(rules);
	}
	number_put(base + 4092, 2048);
	for (i = 0; i < nitems(lengths); i++) {
		number_put(base + 2048, lengths[i][0]);
		number_put(base + 2052, lengths[i][1]);
		ATF_REQUIRE((rules = bytes_open(base, sizeof(base))) != NULL);
		errno = 0;
		ATF_CHECK_EQ(-1, access_check(rules, &client, &verdict));
		ATF_CHECK_EQ(EPROTO, errno);
		access_close(rules);
	}
	/* The same record with sound lengths is found. */
	number_put(base + 2048, 0);
	number_put(base + 2052, 2);
	base[2056] = 'D';
	ATF_REQUIRE((rules = bytes_open(base, sizeof(base))) != NULL);
	ATF_REQUIRE_EQ(0, access_check(rules, &client, &verdict));
	ATF_CHECK_EQ(ACCESS_DENY, verdict.answer);
	access_close(rules);
}

/* A table without an empty slot, full of the hash that is sought. */
ATF_TC_WITHOUT_HEAD(full_table);
ATF_TC_BODY(full_table, tc)
{
	struct access_client	 client = { .ip = "x" };
	uint8_t			 base[4096];
	struct access		*rules;
	size_t			 i;

	memset(base, 0, sizeof(base));
	table_put(base, EMPTY_TABLE, 2056, 255);
	number_put(base + 2048, 1);		/* a key of one byte */
	for (i = 0; i < 255; i++) {
		number_put(base + 2056 + i * 8, EMPTY_HASH);
		number_put(base + 2060 + i * 8, 2048);
	}
	ATF_REQUIRE((rules = bytes_open(base, sizeof(base))) != NULL);
	ATF_REQUIRE_EQ(0, access_check(rules, &client, &verdict));
	ATF_CHECK_EQ(ACCESS_DEFAULT, verdict.answer);
	access_close(rules);
}

/* Damage among the records: the walk stops, and nothing is forgotten. */
ATF_TC_WITHOUT_HEAD(learning_from_damage);
ATF_TC_BODY(learning_from_damage, tc)
{
	const struct record	 records[] = {
		RECORD("1.1.1.1", ""), RECORD("_0000e0g0", "D\0")
	};
	const uint8_t		 v4[] = { 10, 2, 3, 4 };
	struct access_client	 client = { AF_INET, v4, "10.2.3.4", NULL,
				    NULL };
	uint8_t			 base[8192];
	struct access		*rules;
	size_t			 len;

	db_make(records, nitems(records));
	len = file_read(base, sizeof(base));
	number_put(base + 2048, 0x10000000);
	ATF_REQUIRE((rules = bytes_open(base, len)) != NULL);
	errno = 0;
	ATF_CHECK_EQ(-1, access_lengths_learn(rules));
	ATF_CHECK_EQ(EPROTO, errno);
	ATF_REQUIRE_EQ(0, access_check(rules, &client, &verdict));
	ATF_CHECK_EQ(ACCESS_DENY, verdict.answer);
	access_close(rules);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, cut_short);
	ATF_TP_ADD_TC(tp, every_byte);
	ATF_TP_ADD_TC(tp, bad_tables);
	ATF_TP_ADD_TC(tp, bad_records);
	ATF_TP_ADD_TC(tp, full_table);
	ATF_TP_ADD_TC(tp, learning_from_damage);
	return (atf_no_error());
}
