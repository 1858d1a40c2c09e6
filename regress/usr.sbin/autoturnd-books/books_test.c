/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Lines with a checksum, and sets of names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "books.h"
#include "world.h"

static size_t
line_make(char *out, const char *first, const char *second)
{
	struct books_line	line;
	size_t			len;

	books_begin(&line);
	books_word(&line, first);
	books_number(&line, -42);
	books_word(&line, second);
	len = books_end(&line);
	memcpy(out, line.text, len);
	return (len);
}

ATF_TC(every_octet);
ATF_TC_HEAD(every_octet, tc)
{
	atf_tc_set_md_var(tc, "descr", "a word may have any octet");
}
ATF_TC_BODY(every_octet, tc)
{
	struct books_words	words;
	char			word[256], line[BOOKS_LINE_SIZE];
	int64_t			n;
	size_t			len;
	int			i;

	for (i = 1; i < 256; i++)
		word[i - 1] = (char)i;
	word[255] = '\0';
	len = line_make(line, word, "");
	ATF_REQUIRE(len > 0 && line[len - 1] == '\n');
	ATF_REQUIRE(memchr(line, '\n', len - 1) == NULL);
	line[len - 1] = '\0';
	ATF_REQUIRE_EQ(0, books_read(line, &words));
	ATF_REQUIRE_EQ(3, words.count);
	ATF_REQUIRE_STREQ(word, words.word[0]);
	ATF_REQUIRE_EQ(0, books_value(words.word[1], &n));
	ATF_REQUIRE_EQ(-42, n);
	ATF_REQUIRE_STREQ("", words.word[2]);
}

ATF_TC(golden);
ATF_TC_HEAD(golden, tc)
{
	atf_tc_set_md_var(tc, "descr", "the checksum is CRC-32");
}
ATF_TC_BODY(golden, tc)
{
	char	line[BOOKS_LINE_SIZE];
	size_t	len = line_make(line, "S", "new/a b%");

	line[len] = '\0';
	/* By zlib's crc32() of everything before it. */
	ATF_REQUIRE_STREQ("S -42 new/a%20b%25 ec2ee0b9\n", line);
}

ATF_TC(damage);
ATF_TC_HEAD(damage, tc)
{
	atf_tc_set_md_var(tc, "descr", "each bit that is flipped, each cut");
}
ATF_TC_BODY(damage, tc)
{
	struct books_words	words;
	char			good[BOOKS_LINE_SIZE], line[BOOKS_LINE_SIZE];
	size_t			len = line_make(good, "S", "new/1.2.host"), i;
	int			bit;

	good[--len] = '\0';
	for (i = 0; i < len; i++) {
		for (bit = 0; bit < 8; bit++) {
			memcpy(line, good, len + 1);
			line[i] = (char)(line[i] ^ 1 << bit);
			ATF_REQUIRE_EQ_MSG(-1, books_read(line, &words),
			    "byte %zu bit %d", i, bit);
		}
		memcpy(line, good, len + 1);
		line[i] = '\0';
		ATF_REQUIRE_EQ_MSG(-1, books_read(line, &words), "cut at %zu",
		    i);
	}
	memcpy(line, good, len + 1);
	ATF_REQUIRE_EQ(0, books_read(line, &words));
}

ATF_TC(too_long);
ATF_TC_HEAD(too_long, tc)
{
	atf_tc_set_md_var(tc, "descr", "a line that is too long is none");
}
ATF_TC_BODY(too_long, tc)
{
	struct books_line	line;
	static char		word[BOOKS_LINE_SIZE];

	memset(word, 'x', sizeof(word) - 1);
	books_begin(&line);
	books_word(&line, word);
	books_word(&line, "more");
	ATF_REQUIRE_EQ(0, books_end(&line));
	word[sizeof(word) - 20] = '\0';
	books_begin(&line);
	books_word(&line, word);
	ATF_REQUIRE_EQ(sizeof(word) - 20 + 10, books_end(&line));
}

ATF_TC(load);
ATF_TC_HEAD(load, tc)
{
	atf_tc_set_md_var(tc, "descr", "whole files, plain ones only");
}
ATF_TC_BODY(load, tc)
{
	char	*text;
	size_t	 len;
	int	 fd;

	ATF_REQUIRE((fd = open("f", O_WRONLY | O_CREAT, 0600)) != -1);
	ATF_REQUIRE_EQ(5, write(fd, "a\0b\nc", 5));
	close(fd);
	ATF_REQUIRE_EQ(0, books_load(AT_FDCWD, "f", 5, &text, &len));
	ATF_REQUIRE_EQ(5, len);
	ATF_REQUIRE_EQ(0, memcmp(text, "a\0b\nc", 6));
	free(text);
	ATF_REQUIRE_ERRNO(EFBIG, books_load(AT_FDCWD, "f", 4, &text, &len) ==
	    -1);
	ATF_REQUIRE_EQ(0, symlink("f", "link"));
	ATF_REQUIRE_ERRNO(ELOOP, books_load(AT_FDCWD, "link", 9, &text,
	    &len) == -1);
	ATF_REQUIRE_EQ(0, mkfifo("fifo", 0600));
	ATF_REQUIRE_ERRNO(EINVAL, books_load(AT_FDCWD, "fifo", 9, &text,
	    &len) == -1);
	ATF_REQUIRE_ERRNO(ENOENT, books_load(AT_FDCWD, "none", 9, &text,
	    &len) == -1);
}

ATF_TC(names);
ATF_TC_HEAD(names, tc)
{
	atf_tc_set_md_var(tc, "descr", "sets of names");
}
ATF_TC_BODY(names, tc)
{
	struct names	names;
	char		name[32];
	int		i;

	memset(&names, 0, sizeof(names));
	ATF_REQUIRE_EQ(0, names_has(&names, "a"));
	for (i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "new/%d", i * 7919 % 1000);
		ATF_REQUIRE_EQ(1, names_add(&names, name));
		ATF_REQUIRE_EQ(0, names_add(&names, name));
	}
	ATF_REQUIRE_EQ(1000, names.count);
	ATF_REQUIRE_EQ(1, names_has(&names, "new/999"));
	names_drop(&names, "new/999");
	names_drop(&names, "new/none");
	ATF_REQUIRE_EQ(0, names_has(&names, "new/999"));
	ATF_REQUIRE_EQ(999, names.count);
	names_clear(&names);
	ATF_REQUIRE_EQ(0, names.count);
	ATF_REQUIRE_EQ(0, names_has(&names, "new/1"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_octet);
	ATF_TP_ADD_TC(tp, golden);
	ATF_TP_ADD_TC(tp, damage);
	ATF_TP_ADD_TC(tp, too_long);
	ATF_TP_ADD_TC(tp, load);
	ATF_TP_ADD_TC(tp, names);
	return (atf_no_error());
}
