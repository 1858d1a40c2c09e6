/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What stands between the lexer and a grammar: words that are kept with their
 * places, words of the grammar that are meant as names, and errors of which
 * each is told once.
 *
 * Line ends are blanks to the grammar.  After an error they are not: what
 * follows on the line is skipped, and the next one begins a directive, so
 * that one run tells of every error and of each once.
 *
 * A grammar has its statements at the top and directives in blocks, which do
 * not nest.  It recovers by a rule "error { if (reader.drop) yyclearin;
 * if (reader.now.token != 0) yyerrok; }" beside its statements and its
 * directives.
 */
#ifndef READER_H
#define READER_H

#include <sys/types.h>
#include <sys/queue.h>

#include "conf.h"

/* A word of the file and where it stands; it lives as long as the reader. */
struct conf_word {
	const char	*text;
	const char	*file;
	int		 line;
};

/*
 * What a word of the grammar is for: it begins statements at the top, or
 * directives in blocks (each kind of block is a bit of the grammar's own);
 * a value must follow, so that a word of the grammar on the same line can
 * only be that: "port login", "log facility user".
 */
struct conf_use {
	int		 token;
	unsigned int	 uses;
};

#define CONF_USE_TOP	0x01	/* also the block that is none */
#define CONF_USE_BLOCK	0x02	/* the first of the grammar's own */
#define CONF_USE_VALUE	0x80000000u

struct conf_grammar {
	const struct conf_keyword *keywords;	/* sorted */
	size_t			 nkeywords;
	const struct conf_use	*uses;
	size_t			 nuses;
	int			 word;		/* tokens: not in quotes */
	int			 string;	/* in quotes */
	int			 error;
	int			 unknown;	/* begins a line in a block, and
						 * is no directive of it */
	int			 exec;		/* a program and its arguments
						 * follow; 0: none */
};

struct conf_text;

/* What is known of a token. */
struct conf_place {
	int			 token;
	struct conf_word	 word;
	int			 first;		/* on its line */
};

struct conf_reader {
	const struct conf_grammar *grammar;
	struct conf		*lexer;
	SLIST_HEAD(, conf_text)	 texts;
	struct conf_place	 last;		/* before this */
	struct conf_place	 now;
	unsigned int		 number;	/* of this token */
	unsigned int		 kept;		/* told of, not skipped */
	struct conf_word	 start;		/* a word that began a line at
						 * the top, and its number */
	unsigned int		 start_number;
	unsigned int		 block;		/* CONF_USE_TOP: none */
	const char		*block_kind;	/* "service" */
	struct conf_word	 block_name;
	int			 depth;		/* of braces */
	int			 in_exec;
	int			 skipping;
	int			 drop;		/* this token, after an error */
};

/*
 * conf_reader_init: report and arg as for conf_new; 0, or -1 with errno.
 * conf_reader_free: with it go all words.
 * conf_reader_open: the file to read, "NAME=VALUE" words of -D (NULL: none),
 * NULL-terminated; 0, or -1 after an error was said.
 * conf_reader_lex: the next token for yylex, now.word its value.
 * conf_reader_error: for yyerror, whose own words say nothing.
 * conf_reader_enter, conf_reader_leave: the grammar has read a block's "{",
 * its "}".
 * conf_reader_unknown: for the token of that name: no error to the parser.
 * conf_grammar_has: is it a word of the grammar?
 */
int	 conf_reader_init(struct conf_reader *, const struct conf_grammar *,
	    void (*)(const char *, void *), void *);
void	 conf_reader_free(struct conf_reader *);
int	 conf_reader_open(struct conf_reader *, const char *, char *const []);
int	 conf_reader_lex(struct conf_reader *);
void	 conf_reader_error(struct conf_reader *);
void	 conf_reader_enter(struct conf_reader *, unsigned int, const char *,
	    const struct conf_word *);
void	 conf_reader_leave(struct conf_reader *);
void	 conf_reader_unknown(struct conf_reader *, const struct conf_word *);
int	 conf_grammar_has(const struct conf_grammar *, const char *);

/* word.c */

/*
 * conf_word_error: an error at that word, conf_word_warning: none.
 * conf_word_once: notes in first (file NULL: not given) that what has this
 * name was given; -1 when it was before, after saying so.
 * conf_word_copy: sets a member to a copy, and frees what it was; 0, or -1
 * after an error.
 * conf_word_number: a number in these bounds, or -1 after an error that
 * begins with what.
 * conf_word_group: sets members to a group's name and number; likewise.
 * conf_word_socket: sets a member to a socket's path: absolute, not too long
 * and, if it is ours to make, in a directory that is there; likewise.
 */
void	 conf_word_error(struct conf *, const struct conf_word *,
	    const char *, ...) __attribute__((format(printf, 3, 4)));
void	 conf_word_warning(struct conf *, const struct conf_word *,
	    const char *, ...) __attribute__((format(printf, 3, 4)));
int	 conf_word_once(struct conf *, struct conf_word *, const char *,
	    const struct conf_word *);
int	 conf_word_copy(struct conf *, const struct conf_word *, char **,
	    const char *);
int64_t	 conf_word_number(struct conf *, const char *,
	    const struct conf_word *, int64_t, int64_t);
int	 conf_word_group(struct conf *, const char *,
	    const struct conf_word *, char **, gid_t *);
int	 conf_word_socket(struct conf *, const char *,
	    const struct conf_word *, int, char **);

/*
 * ids.c: users and groups, by name or number: 0, or -1: there is none.
 * conf_user_find also gives the group; its last argument becomes 0 where
 * there is none: a number that no user has.
 */
int		 conf_user_find(const char *, uid_t *, gid_t *, int *);
int		 conf_group_find(const char *, gid_t *);

/*
 * facility.c
 * conf_facility_name: of LOG_DAEMON ..., NULL: none has that number.
 * conf_facility_find: of that name, or -1.
 */
const char	*conf_facility_name(int);
int		 conf_facility_find(const char *);

#endif
