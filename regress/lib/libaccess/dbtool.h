/*
 * What the tests of libaccess share: databases from text or from records.
 */
#ifndef DBTOOL_H
#define DBTOOL_H

#include <sys/types.h>

#include <cdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "access.h"
#include "compile.h"

#define DB_FILE		"rules.cdb"
#define DB_TEXT		"rules.txt"

/* A record; key and data may hold NULs. */
struct record {
	const char	*key;
	size_t		 key_len;
	const char	*data;
	size_t		 data_len;
};

#define RECORD(key, data)	\
	{ key, sizeof(key) - 1, data, sizeof(data) - 1 }

static inline void
file_write(const char *file, const void *bytes, size_t len)
{
	FILE	*fp;

	ATF_REQUIRE((fp = fopen(file, "w")) != NULL);
	ATF_REQUIRE_EQ(len, fwrite(bytes, 1, len, fp));
	ATF_REQUIRE(fclose(fp) == 0);
}

/* Replaces DB_FILE by what the text compiles to, as tcprules would. */
static inline enum compile_result
db_compile(const char *text)
{
	enum compile_result	result;
	int			in, out;

	file_write(DB_TEXT, text, strlen(text));
	ATF_REQUIRE((in = open(DB_TEXT, O_RDONLY)) != -1);
	out = open("rules.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ATF_REQUIRE(out != -1);
	result = compile_rules(in, out, NULL);
	close(in);
	ATF_REQUIRE(close(out) == 0);
	ATF_REQUIRE(rename("rules.tmp", DB_FILE) == 0);
	return (result);
}

static inline void
db_make(const struct record *records, size_t count)
{
	struct cdb_make	make;
	size_t		i;
	int		fd;

	fd = open("rules.tmp", O_RDWR | O_CREAT | O_TRUNC, 0644);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(cdb_make_start(&make, fd) == 0);
	for (i = 0; i < count; i++)
		ATF_REQUIRE(cdb_make_add(&make, records[i].key,
		    records[i].key_len, records[i].data,
		    records[i].data_len) == 0);
	ATF_REQUIRE(cdb_make_finish(&make) == 0);
	ATF_REQUIRE(close(fd) == 0);
	ATF_REQUIRE(rename("rules.tmp", DB_FILE) == 0);
}

static inline struct access *
db_open(void)
{
	struct access	*rules;
	int		 fd;

	ATF_REQUIRE((fd = open(DB_FILE, O_RDONLY)) != -1);
	ATF_REQUIRE((rules = access_open(fd)) != NULL);
	close(fd);
	return (rules);
}

#endif
