/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the books' files have in common: lines of words with a checksum, and
 * sets of names.
 */
#ifndef BOOKS_H
#define BOOKS_H

#include <sys/types.h>
#include <sys/tree.h>

#include <stddef.h>
#include <stdint.h>

#define BOOKS_LINE_SIZE	8192
#define BOOKS_WORDS_MAX	20

/*
 * A line: words with blanks between them, the last of which is the CRC-32 of
 * all before it and its blank.  In a word any octet may be, written as "%"
 * and two digits unless it is printable ASCII; "%" alone is the empty word.
 */
struct books_line {
	size_t	len;
	char	text[BOOKS_LINE_SIZE];
};

struct books_words {
	size_t	 count;			/* without the checksum */
	char	*word[BOOKS_WORDS_MAX];
};

/*
 * books_begin, books_word, books_number, books_end: a line; books_end returns
 * its length, LF included, or 0 if it was too long.
 * books_read: takes a line without LF apart, in place.  0, or -1: it is not
 * as it was written.  books_value: a word that is a number.
 * books_load: all of a regular file, with a NUL after it, to be freed; -1 with
 * errno, EFBIG for more than max bytes.
 */
void	books_begin(struct books_line *);
void	books_word(struct books_line *, const char *);
void	books_number(struct books_line *, int64_t);
size_t	books_end(struct books_line *);
int	books_read(char *, struct books_words *);
int	books_value(const char *, int64_t *);
int	books_load(int, const char *, size_t, char **, size_t *);

/* A set of strings; zeroes before the first use. */
struct name;
RB_HEAD(name_tree, name);

struct names {
	struct name_tree	tree;
	size_t			count;
};

/*
 * names_add: 1, 0 if it is there already, -1 with errno ENOMEM.
 * names_has: 1 or 0.  names_drop: one of them; names_clear: all.
 */
int	names_add(struct names *, const char *);
int	names_has(const struct names *, const char *);
void	names_drop(struct names *, const char *);
void	names_clear(struct names *);

#endif
