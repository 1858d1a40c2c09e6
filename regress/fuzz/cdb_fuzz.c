/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A database that someone hostile has made.
 *
 *	octet 0		number of tables in the header, or 255: the rest is
 *			the whole file
 *	each table	5 octets: which, position less 2048, slots (16 bits
 *			each, low octet first)
 *	the rest	what follows the header
 *
 * Nothing may reach beyond the bytes, and libcdb reading the same file must
 * find what we find, or see damage; where we see damage, it may do as it
 * likes.
 *
 * covers: lib/libaccess/access.c lib/libaccess/database.c
 * covers: lib/libaccess/lookup.c
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <cdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "compat.h"
#include "database.h"

#define FUZZ_INPUT_MAX	8192
#define FUZZ_RAW	255

static struct access_verdict	verdict;

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* Returns the size of the file made; 0: the input says nothing. */
static size_t
file_make(uint8_t *file, const uint8_t *input, size_t size)
{
	const uint8_t	*end = input + size;
	uint8_t		*pair;
	unsigned int	 tables;

	if (size < 1 || size > FUZZ_INPUT_MAX)
		return (0);
	tables = *input++;
	if (tables == FUZZ_RAW) {
		memcpy(file, input, end - input);
		return (end - input);
	}
	memset(file, 0, DATABASE_HEADER_BYTES);
	for (; tables > 0 && end - input >= 5; tables--, input += 5) {
		pair = file + input[0] * 8;
		pair[0] = input[1];
		pair[1] = input[2] + DATABASE_HEADER_BYTES / 256;
		pair[4] = input[3];
		pair[5] = input[4];
	}
	memcpy(file + DATABASE_HEADER_BYTES, input, end - input);
	return (DATABASE_HEADER_BYTES + (end - input));
}

static void
key_compare(const struct database *db, struct cdb *cdb, const char *text)
{
	struct database_key	key;
	struct database_record	record;
	int			ours, theirs;

	database_key_start(&key);
	database_key_add(&key, text, strlen(text));
	ours = database_find(db, &key, &record);
	require(ours <= 0 || database_may_hold(db, key.hash));
	if (ours == -1)
		return;
	if (ours == 1) {
		require(record.key >= db->base && record.data + record.data_len
		    <= db->base + db->size);
		require(record.key_len == strlen(text) &&
		    memcmp(record.key, text, record.key_len) == 0);
	}
	theirs = cdb_find(cdb, text, strlen(text));
	if (theirs < 0)
		return;
	require(ours == theirs);
	if (ours == 1)
		require(cdb_datalen(cdb) == record.data_len &&
		    cdb_datapos(cdb) == record.data - db->base);
}

static void
readers_compare(const uint8_t *copy, size_t size, int fd)
{
	const char	*keys[] = { "", "=", "1.2.3.4", "_a", "x", "/lengths" };
	struct database	 db = { .base = copy, .size = size };
	struct cdb	 cdb;
	size_t		 i;

	if (cdb_init(&cdb, fd) != 0)
		return;
	if (database_prepare(&db) == 0)
		for (i = 0; i < nitems(keys); i++)
			key_compare(&db, &cdb, keys[i]);
	database_free(&db);
	cdb_free(&cdb);
}

static void
clients_judge(const struct access *rules)
{
	const uint8_t		v4[] = { 129, 2, 3, 4 };
	const uint8_t		v6[16] = { 0x80, 1, [15] = 1 };
	struct access_client	clients[] = {
		{ AF_INET, v4, "129.2.3.4", "h.x", "joe" },
		{ AF_INET6, v6, "8001::1", "", "" },
		{ AF_UNSPEC, NULL, "1.2.3.4", NULL, NULL },
	};
	size_t			i, pos, sum;
	const char		*variable;

	for (i = 0; i < nitems(clients); i++) {
		if (access_check(rules, &clients[i], &verdict) == -1)
			continue;
		pos = sum = 0;
		while ((variable = access_variable(&verdict, &pos)) != NULL) {
			require(strchr(variable, '=') != NULL);
			sum += strlen(variable) + 2;
		}
		require(sum <= verdict.data_len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t input_size)
{
	static uint8_t	 file[DATABASE_HEADER_BYTES + FUZZ_INPUT_MAX];
	struct access	*rules;
	uint8_t		*copy;
	FILE		*fp;
	size_t		 size;

	if ((size = file_make(file, input, input_size)) == 0)
		return (0);
	if ((fp = tmpfile()) == NULL || (copy = malloc(size)) == NULL)
		abort();
	memcpy(copy, file, size);
	require(fwrite(file, 1, size, fp) == size && fflush(fp) == 0);
	if ((rules = access_open(fileno(fp))) != NULL) {
		clients_judge(rules);
		(void)access_lengths_learn(rules);
		clients_judge(rules);
	}
	access_close(rules);
	readers_compare(copy, size, fileno(fp));
	free(copy);
	fclose(fp);
	return (0);
}
