/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The words of a command: tables of what is valid in each place, in the
 * manner of bgpctl(8).  A keyword may be cut short as long as it can be no
 * other one.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdio.h>

enum word_kind {
	WORD_LAST,			/* ends a table */
	WORD_KEYWORD,
	WORD_NOTHING,			/* the command may end here */
	WORD_ARGUMENT
};

struct word {
	enum word_kind		 kind;
	const char		*name;	/* keyword, or what stands for it */
	int			 value;	/* of a keyword: what is to be done,
					 * 0: a later word says so; of an
					 * argument: which one it is */
	const struct word	*next;
};

/* Takes an argument of that value; NULL, or why it can't be. */
typedef const char *words_take(void *, int, const char *);

/*
 * words_parse: walks with the words (NULL-terminated) through the tables.
 * Returns the value of the last keyword that has one (0: none has), or -1
 * after it has said on the stream what is wrong and which words would be
 * valid.
 */
int	words_parse(const struct word *, char *const [], words_take *, void *,
	    FILE *);

#endif
