/*
 * The lexer that our configuration grammars share: words, strings, numbers,
 * comments, macros, include, and errors that name file and line.
 *
 *	# comment
 *	mail_if = "em0"			a macro (grammar: conf_macro_set)
 *	include "/etc/more.conf"	or a directory: its *.conf, by name
 *	listen on $mail_if port 25	its value is read in its place
 *	exec "/bin/cat" "-v"		quoted: a string, never a keyword
 *
 * Line ends are blanks; a string ends on the line where it began.  In a
 * string \n, \r and \t are line feed, carriage return and tab; a backslash
 * takes any other character as it is.  Digits alone are a number; one that
 * does not fit an int64_t is an error.  A NUL is an error everywhere but in a
 * comment.  A relative include is looked for beside the
 * file that names it; a file that is being read can't be read within itself.
 */
#ifndef CONF_H
#define CONF_H

#include <sys/types.h>

#include <stdint.h>
#include <stdio.h>

#define CONF_WORD_MAX		4096	/* bytes in a word or string */
#define CONF_DEPTH_MAX		16	/* files within files */
#define CONF_FILES_MAX		1000	/* files read, in all */
#define CONF_EXPANSIONS_MAX	10000	/* macros read in place, in all */
#define CONF_FILE_SIZE_MAX	(16 * 1024 * 1024)

struct conf;

/* A word of the grammar; the table is sorted by word (strcmp(3)). */
struct conf_keyword {
	const char	*word;
	int		 token;
};

/* The tokens that the grammar's generator numbered. */
struct conf_tokens {
	int	string;
	int	number;
	int	error;		/* never valid: an error was said already */
};

struct conf_value {
	char		*string;	/* of strings; malloc(3)ed, the
					 * caller's to free */
	int64_t		 number;	/* of numbers */
	int		 quoted;	/* a string that was in quotes */
	int		 macro;		/* read in the place of a macro */
};

/*
 * conf_new: report is called with each error line ("file:line: what: why",
 * without newline) and arg.  NULL with errno.
 * conf_free: NULL is ignored.
 */
struct conf	*conf_new(const struct conf_keyword *, size_t,
		    const struct conf_tokens *,
		    void (*)(const char *, void *), void *);
void		 conf_free(struct conf *);

/*
 * conf_define: "name=value" as with -D; stands against the file's own
 * definition.  -1: it is not of that form (EINVAL), or memory is out.
 * conf_macro_set: what the file defines.  0, or -1 after an error was said.
 */
int		 conf_define(struct conf *, const char *);
int		 conf_macro_set(struct conf *, const char *, const char *);

/*
 * conf_open: the file to begin with; with secret it must belong to root or
 * to us and not be open to others.  0, or -1 after an error was said.
 */
int		 conf_open(struct conf *, const char *, int);

/*
 * conf_read: a file's text, malloc(3)ed, of at most *len bytes; *len becomes
 * what there were.  One byte behind them is the caller's to end them with.
 * NULL with errno.
 */
char		*conf_read(int, size_t *);

/*
 * conf_lex: the next token, 0 at the end of all files.
 * conf_word: how the last word, string or number was written (without
 * quotes), for messages; valid until the next call.
 */
int		 conf_lex(struct conf *, struct conf_value *);
const char	*conf_word(const struct conf *);

/*
 * conf_error: an error at the place that was read last; conf_error_at: at a
 * line noted before.  Both count.  conf_warning_at: "warning: ", not counted.
 * conf_file, conf_line: that place, to note; file lives as long as conf.
 * conf_errors: how many there were.
 */
void		 conf_error(struct conf *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
void		 conf_error_at(struct conf *, const char *, int,
		    const char *, ...) __attribute__((format(printf, 4, 5)));
void		 conf_warning_at(struct conf *, const char *, int,
		    const char *, ...) __attribute__((format(printf, 4, 5)));
const char	*conf_file(const struct conf *);
int		 conf_line(const struct conf *);
unsigned int	 conf_errors(const struct conf *);

/* print.c */

/*
 * conf_print_bytes, conf_print_string: in quotes, as conf_lex reads them; no
 * NUL may be among the bytes.
 * conf_print_word: without quotes where it is a plain word.  Whether it is a
 * word of the grammar only its caller knows.
 */
void		 conf_print_bytes(FILE *, const char *, size_t);
void		 conf_print_string(FILE *, const char *);
void		 conf_print_word(FILE *, const char *);

#endif
