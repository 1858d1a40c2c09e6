/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reading configuration files into tokens.  A file is read whole before its
 * first token, so that a change under our hands can't be seen by halves, and
 * so are all files of a directory; a macro is one more text, read in the place
 * of its name.
 */
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vis.h>

#include "compat.h"
#include "conf.h"

#define ERROR_SIZE	(CONF_WORD_MAX + 1024)	/* room for a path and why */
#define MACRO_DEPTH_MAX	64
#define DIRECTORY_SUFFIX	".conf"
/* What was read is the lexer's own affair: no token, look for the next. */
#define TOKEN_NONE	(-1)

/* A text that is being read: a file, or the value of a macro. */
struct source {
	TAILQ_ENTRY(source)	 entry;
	char			*name;		/* NULL: a macro */
	char			*text;
	size_t			 len;
	size_t			 pos;
	int			 line;
	dev_t			 dev;		/* of files */
	ino_t			 ino;
	unsigned int		 depth;		/* of those of a directory the
						 * same: each waits for the one
						 * before it */
};

struct macro {
	TAILQ_ENTRY(macro)	 entry;
	char			*name;
	char			*value;
	int			 defined;	/* by -D */
};

TAILQ_HEAD(sources, source);
TAILQ_HEAD(macros, macro);

struct conf {
	struct sources			 reading;	/* innermost first */
	struct sources			 done;		/* names are kept */
	struct macros			 macros;
	const struct conf_keyword	*keywords;
	size_t				 nkeywords;
	struct conf_tokens		 tokens;
	void				(*report)(const char *, void *);
	void				*arg;
	struct source			*place;		/* of the last token */
	int				 line;
	int				 secret;
	unsigned int			 macros_deep;
	unsigned int			 files;
	unsigned int			 expansions;
	unsigned int			 errors;
	char				 word[CONF_WORD_MAX + 1];
	size_t				 word_len;
};

struct conf *
conf_new(const struct conf_keyword *keywords, size_t n,
    const struct conf_tokens *tokens, void (*report)(const char *, void *),
    void *arg)
{
	struct conf	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	TAILQ_INIT(&c->reading);
	TAILQ_INIT(&c->done);
	TAILQ_INIT(&c->macros);
	c->keywords = keywords;
	c->nkeywords = n;
	c->tokens = *tokens;
	c->report = report;
	c->arg = arg;
	return (c);
}

static void
sources_free(struct sources *list)
{
	struct source	*s;

	while ((s = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, s, entry);
		free(s->name);
		free(s->text);
		free(s);
	}
}

void
conf_free(struct conf *c)
{
	struct macro	*m;

	if (c == NULL)
		return;
	sources_free(&c->reading);
	sources_free(&c->done);
	while ((m = TAILQ_FIRST(&c->macros)) != NULL) {
		TAILQ_REMOVE(&c->macros, m, entry);
		free(m->name);
		free(m->value);
		free(m);
	}
	free(c);
}

/*
 * Errors
 */

static void
line_report(struct conf *c, const char *kind, const char *file, int line,
    const char *why)
{
	char	text[ERROR_SIZE + PATH_MAX + 32], safe[sizeof(text) * 4 + 1];
	int	len;

	if (file != NULL && line == 0)
		len = snprintf(text, PATH_MAX + 32, "%s%s: ", kind, file);
	else if (file != NULL)
		len = snprintf(text, PATH_MAX + 32, "%s%s:%d: ", kind, file,
		    line);
	else
		len = snprintf(text, PATH_MAX + 32, "%s", kind);
	if (len >= PATH_MAX + 32)
		len = PATH_MAX + 31;
	strlcpy(text + len, why, ERROR_SIZE);
	strvis(safe, text, VIS_CSTYLE | VIS_TAB | VIS_NL);
	c->report(safe, c->arg);
}

static void
error_report(struct conf *c, const char *file, int line, const char *fmt,
    va_list ap)
{
	char	text[ERROR_SIZE];

	vsnprintf(text, sizeof(text), fmt, ap);
	c->errors++;
	line_report(c, "", file, line, text);
}

void
conf_error(struct conf *c, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	error_report(c, conf_file(c), conf_line(c), fmt, ap);
	va_end(ap);
}

void
conf_error_at(struct conf *c, const char *file, int line, const char *fmt,
    ...)
{
	va_list	ap;

	va_start(ap, fmt);
	error_report(c, file, line, fmt, ap);
	va_end(ap);
}

void
conf_warning_at(struct conf *c, const char *file, int line, const char *fmt,
    ...)
{
	char	text[ERROR_SIZE];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_report(c, "warning: ", file, line, text);
}

const char *
conf_file(const struct conf *c)
{
	return (c->place == NULL ? NULL : c->place->name);
}

int
conf_line(const struct conf *c)
{
	return (c->line);
}

unsigned int
conf_errors(const struct conf *c)
{
	return (c->errors);
}

/*
 * Macros
 */

static struct macro *
macro_find(const struct conf *c, const char *name)
{
	struct macro	*m;

	TAILQ_FOREACH(m, &c->macros, entry)
		if (strcmp(m->name, name) == 0)
			return (m);
	return (NULL);
}

static int
macro_name_valid(const char *name)
{
	size_t	i;

	for (i = 0; name[i] != '\0'; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return (0);
	return (i > 0 && !isdigit((unsigned char)name[0]));
}

static int
macro_put(struct conf *c, const char *name, const char *value, int defined)
{
	struct macro	*m;
	char		*copy;

	if ((copy = strdup(value)) == NULL)
		return (-1);
	if ((m = macro_find(c, name)) != NULL) {
		free(m->value);
		m->value = copy;
		m->defined = defined;
		return (0);
	}
	if ((m = calloc(1, sizeof(*m))) == NULL ||
	    (m->name = strdup(name)) == NULL) {
		free(m);
		free(copy);
		return (-1);
	}
	m->value = copy;
	m->defined = defined;
	TAILQ_INSERT_TAIL(&c->macros, m, entry);
	return (0);
}

int
conf_define(struct conf *c, const char *arg)
{
	const char	*value = strchr(arg, '=');
	char		*name;
	int		 rv = -1;

	if (value == NULL) {
		errno = EINVAL;
		return (-1);
	}
	if ((name = strndup(arg, (size_t)(value - arg))) == NULL)
		return (-1);
	if (macro_name_valid(name))
		rv = macro_put(c, name, value + 1, 1);
	else
		errno = EINVAL;
	free(name);
	return (rv);
}

int
conf_macro_set(struct conf *c, const char *name, const char *value)
{
	struct macro	*m;

	if (!macro_name_valid(name)) {
		conf_error(c, "macro \"%s\": not a name", name);
		return (-1);
	}
	if ((m = macro_find(c, name)) != NULL && m->defined)
		return (0);
	if (macro_put(c, name, value, 0) == -1) {
		conf_error(c, "macro \"%s\": %s", name, strerror(errno));
		return (-1);
	}
	return (0);
}

/*
 * Files
 */

/* To be read next, or after another one. */
static struct source *
source_push(struct conf *c, const char *name, char *text, size_t len,
    struct source *after)
{
	struct source	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	if (name != NULL && (s->name = strdup(name)) == NULL) {
		free(s);
		return (NULL);
	}
	s->text = text;
	s->len = len;
	s->line = 1;
	if (after == NULL)
		TAILQ_INSERT_HEAD(&c->reading, s, entry);
	else
		TAILQ_INSERT_AFTER(&c->reading, after, s, entry);
	if (name == NULL)
		c->macros_deep++;
	return (s);
}

/* Names of files stay: errors found later point at them. */
static void
source_pop(struct conf *c)
{
	struct source	*s = TAILQ_FIRST(&c->reading);

	TAILQ_REMOVE(&c->reading, s, entry);
	free(s->text);
	s->text = NULL;
	if (s->name == NULL) {
		free(s);
		c->macros_deep--;
		return;
	}
	TAILQ_INSERT_TAIL(&c->done, s, entry);
}

static unsigned int
files_deep(const struct conf *c)
{
	const struct source	*s;

	TAILQ_FOREACH(s, &c->reading, entry)
		if (s->name != NULL)
			return (s->depth);
	return (0);
}

static int
file_is_secret(const struct stat *st)
{
	return ((st->st_uid == 0 || st->st_uid == geteuid()) &&
	    (st->st_mode & (S_IWGRP | S_IRWXO)) == 0);
}

char *
conf_read(int fd, size_t *len)
{
	char	*text;
	size_t	 got = 0;
	ssize_t	 n;

	if ((text = malloc(*len + 1)) == NULL)
		return (NULL);
	while (got < *len) {
		n = read(fd, text + got, *len - got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			free(text);
			return (NULL);
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*len = got;
	return (text);
}

/* Of each depth the first is being read, the others wait. */
static int
file_is_being_read(const struct conf *c, const struct stat *st,
    unsigned int depth)
{
	const struct source	*s;

	TAILQ_FOREACH(s, &c->reading, entry) {
		if (s->name == NULL || s->depth >= depth)
			continue;
		depth = s->depth;
		if (s->dev == st->st_dev && s->ino == st->st_ino)
			return (1);
	}
	return (0);
}

/* 0, or -1 after an error was said. */
static int
file_check(struct conf *c, const char *path, const struct stat *st,
    unsigned int depth)
{
	if (!S_ISREG(st->st_mode))
		conf_error(c, "%s: not a regular file", path);
	else if (c->secret && !file_is_secret(st))
		conf_error(c, "%s: owner or mode lets others read or write "
		    "it", path);
	else if (st->st_size > CONF_FILE_SIZE_MAX)
		conf_error(c, "%s: larger than %d bytes", path,
		    CONF_FILE_SIZE_MAX);
	else if (file_is_being_read(c, st, depth))
		conf_error(c, "%s: includes itself", path);
	else
		return (0);
	return (-1);
}

/* Returns the text; NULL after an error was said. */
static char *
file_load(struct conf *c, const char *path, unsigned int depth,
    struct stat *st, size_t *len)
{
	char	*text = NULL;
	int	 fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || fstat(fd, st) == -1)
		conf_error(c, "%s: %s", path, strerror(errno));
	else if (file_check(c, path, st, depth) == 0) {
		*len = (size_t)st->st_size;
		if ((text = conf_read(fd, len)) == NULL)
			conf_error(c, "%s: %s", path, strerror(errno));
	}
	if (fd != -1)
		close(fd);
	return (text);
}

static int
file_bounds(struct conf *c, const char *path, unsigned int depth)
{
	if (depth > CONF_DEPTH_MAX)
		conf_error(c, "%s: more than %d files deep", path,
		    CONF_DEPTH_MAX);
	else if (c->files >= CONF_FILES_MAX)
		conf_error(c, "%s: more than %d files", path, CONF_FILES_MAX);
	else
		return (0);
	return (-1);
}

/* NULL after an error was said. */
static struct source *
file_push(struct conf *c, const char *path, unsigned int depth,
    struct source *after)
{
	struct source	*s;
	struct stat	 st;
	char		*text;
	size_t		 len;

	if (file_bounds(c, path, depth) == -1 ||
	    (text = file_load(c, path, depth, &st, &len)) == NULL)
		return (NULL);
	if ((s = source_push(c, path, text, len, after)) == NULL) {
		free(text);
		conf_error(c, "%s: %s", path, strerror(errno));
		return (NULL);
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->depth = depth;
	c->files++;
	return (s);
}

int
conf_open(struct conf *c, const char *path, int secret)
{
	c->secret = secret;
	return (file_push(c, path, 1, NULL) == NULL ? -1 : 0);
}

/*
 * Directories
 */

static int
entry_is_wanted(const struct dirent *d)
{
	size_t	len = strlen(d->d_name), suffix = strlen(DIRECTORY_SUFFIX);

	return (d->d_name[0] != '.' && len > suffix &&
	    strcmp(d->d_name + len - suffix, DIRECTORY_SUFFIX) == 0);
}

/* In the same order everywhere: alphasort(3) goes by the locale. */
static int
entry_compare(const struct dirent **a, const struct dirent **b)
{
	return (strcmp((*a)->d_name, (*b)->d_name));
}

/* One of its files, to be read after another one; NULL after an error. */
static struct source *
directory_file_push(struct conf *c, const char *directory, const char *name,
    unsigned int depth, struct source *after)
{
	char	path[PATH_MAX];
	size_t	len = strlen(directory);

	if (snprintf(path, sizeof(path), "%s%s%s", directory,
	    directory[len - 1] == '/' ? "" : "/", name) < (int)sizeof(path))
		return (file_push(c, path, depth, after));
	conf_error(c, "%s: %s", directory, strerror(ENAMETOOLONG));
	return (NULL);
}

static int
directory_push(struct conf *c, const char *path)
{
	struct dirent	**names;
	struct source	 *s, *last = NULL;
	unsigned int	  depth = files_deep(c) + 1;
	int		  i, n, rv = 0;

	if ((n = scandir(path, &names, entry_is_wanted, entry_compare)) == -1) {
		conf_error(c, "%s: %s", path, strerror(errno));
		return (-1);
	}
	for (i = 0; i < n; i++) {
		s = directory_file_push(c, path, names[i]->d_name, depth,
		    last);
		if (s == NULL)
			rv = -1;
		else
			last = s;
		free(names[i]);
	}
	free(names);
	return (rv);
}

static int
path_push(struct conf *c, const char *path)
{
	struct stat	st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return (directory_push(c, path));
	return (file_push(c, path, files_deep(c) + 1, NULL) == NULL ? -1 : 0);
}

/* Beside the file that names it. */
static int
include_push(struct conf *c, const char *path)
{
	char	full[PATH_MAX], dir[PATH_MAX];

	if (path[0] == '\0') {
		conf_error(c, "include \"\": no file");
		return (-1);
	}
	if (path[0] == '/' || conf_file(c) == NULL)
		return (path_push(c, path));
	strlcpy(dir, conf_file(c), sizeof(dir));
	if (snprintf(full, sizeof(full), "%s/%s", dirname(dir), path) >=
	    (int)sizeof(full)) {
		conf_error(c, "include \"%s\": %s", path,
		    strerror(ENAMETOOLONG));
		return (-1);
	}
	return (path_push(c, full));
}

/*
 * Characters
 */

/* -1 at the end of the innermost text. */
static int
char_peek(const struct conf *c)
{
	const struct source	*s = TAILQ_FIRST(&c->reading);

	if (s == NULL || s->pos == s->len)
		return (-1);
	return ((unsigned char)s->text[s->pos]);
}

static int
char_take(struct conf *c)
{
	struct source	*s = TAILQ_FIRST(&c->reading);
	int		 ch = char_peek(c);

	if (ch == -1)
		return (-1);
	s->pos++;
	if (ch == '\n')
		s->line++;
	return (ch);
}

static void
comment_skip(struct conf *c)
{
	int	ch;

	while ((ch = char_peek(c)) != -1 && ch != '\n')
		char_take(c);
}

/* To the first character of a token; -1 at the end of everything. */
static int
blanks_skip(struct conf *c)
{
	int	ch;

	for (;;) {
		ch = char_peek(c);
		if (ch == -1) {
			if (TAILQ_EMPTY(&c->reading))
				return (-1);
			source_pop(c);
		} else if (ch == '#')
			comment_skip(c);
		else if (ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r')
			char_take(c);
		else
			return (ch);
	}
}

/* Where we are, for errors: the innermost file. */
static void
place_note(struct conf *c)
{
	struct source	*s;

	TAILQ_FOREACH(s, &c->reading, entry)
		if (s->name != NULL) {
			c->place = s;
			c->line = s->line;
			return;
		}
}

/*
 * Words
 */

static int
word_char(int ch)
{
	return (ch != -1 && (isalnum(ch) ||
	    strchr("_-./:@%+*[]~^&?", ch) != NULL) && ch != '\0');
}

static int
word_add(struct conf *c, int ch)
{
	if (c->word_len == CONF_WORD_MAX)
		return (-1);
	c->word[c->word_len++] = (char)ch;
	c->word[c->word_len] = '\0';
	return (0);
}

static int
too_long(struct conf *c)
{
	conf_error(c, "a word is longer than %d bytes", CONF_WORD_MAX);
	return (c->tokens.error);
}

static int
string_token(struct conf *c, struct conf_value *v)
{
	if ((v->string = strdup(c->word)) == NULL) {
		conf_error(c, "%s", strerror(errno));
		return (c->tokens.error);
	}
	return (c->tokens.string);
}

/* The character that one after a backslash stands for. */
static int
escape_value(int ch)
{
	switch (ch) {
	case 'n':
		return ('\n');
	case 'r':
		return ('\r');
	case 't':
		return ('\t');
	default:
		return (ch);
	}
}

/*
 * To the closing quote also after an error: what follows must not be taken
 * for the inside of a string.  The line's end is left where it is.
 */
static int
quoted_read(struct conf *c, int *nul, int *cut)
{
	int	ch, escaped;

	while ((ch = char_peek(c)) != '"') {
		if ((escaped = ch == '\\')) {
			char_take(c);
			ch = char_peek(c);
		}
		if (ch == -1 || ch == '\n')
			return (-1);
		char_take(c);
		if (ch == '\0')
			*nul = 1;
		if (word_add(c, escaped ? escape_value(ch) : ch) == -1)
			*cut = 1;
	}
	char_take(c);
	return (0);
}

static int
quoted_lex(struct conf *c, struct conf_value *v)
{
	int	nul = 0, cut = 0;

	char_take(c);
	c->word_len = 0;
	c->word[0] = '\0';
	if (quoted_read(c, &nul, &cut) == -1)
		conf_error(c, "string: no closing quote");
	else if (nul)
		conf_error(c, "string: has a NUL");
	else if (cut)
		return (too_long(c));
	else {
		v->quoted = 1;
		return (string_token(c, v));
	}
	return (c->tokens.error);
}

static int
keyword_compare(const void *word, const void *k)
{
	return (strcmp(word, ((const struct conf_keyword *)k)->word));
}

static int
word_is_number(const char *word)
{
	return (word[strspn(word, "0123456789")] == '\0');
}

static int
number_token(struct conf *c, struct conf_value *v)
{
	/* All digits, so only its size can be wrong.  NetBSD: no strtonum. */
	errno = 0;
	v->number = strtoll(c->word, NULL, 10);
	if (errno == 0)
		return (c->tokens.number);
	conf_error(c, "number %s: too large", c->word);
	return (c->tokens.error);
}

static int
word_read(struct conf *c)
{
	int	rv = 0;

	c->word_len = 0;
	c->word[0] = '\0';
	while (word_char(char_peek(c)))
		if (word_add(c, char_take(c)) == -1)
			rv = -1;
	return (rv);
}

/* What follows the word include is the lexer's, not the grammar's. */
static int
include_lex(struct conf *c, struct conf_value *v)
{
	if (blanks_skip(c) != '"') {
		conf_error(c, "include: a file name in quotes must follow");
		return (c->tokens.error);
	}
	if (quoted_lex(c, v) != c->tokens.string)
		return (c->tokens.error);
	if (include_push(c, c->word) == -1) {
		free(v->string);
		v->string = NULL;
		return (c->tokens.error);
	}
	free(v->string);
	v->string = NULL;
	return (TOKEN_NONE);
}

static int
word_lex(struct conf *c, struct conf_value *v)
{
	const struct conf_keyword	*k;

	if (word_read(c) == -1)
		return (too_long(c));
	if (strcmp(c->word, "include") == 0)
		return (include_lex(c, v));
	k = bsearch(c->word, c->keywords, c->nkeywords, sizeof(*k),
	    keyword_compare);
	if (k != NULL)
		return (k->token);
	if (word_is_number(c->word))
		return (number_token(c, v));
	return (string_token(c, v));
}

/* Back to the file: or each of the many would have its own error. */
static void
macros_leave(struct conf *c)
{
	struct source	*s;

	while ((s = TAILQ_FIRST(&c->reading)) != NULL && s->name == NULL)
		source_pop(c);
}

static int
macro_lex(struct conf *c, struct conf_value *v)
{
	struct macro	*m;
	char		*text;

	char_take(c);
	c->word_len = 0;
	c->word[0] = '\0';
	while (isalnum(char_peek(c)) || char_peek(c) == '_')
		if (word_add(c, char_take(c)) == -1)
			return (too_long(c));
	if ((m = macro_find(c, c->word)) == NULL) {
		conf_error(c, "macro \"$%s\": not defined", c->word);
		return (c->tokens.error);
	}
	if (c->expansions >= CONF_EXPANSIONS_MAX ||
	    c->macros_deep >= MACRO_DEPTH_MAX) {
		conf_error(c, "macro \"$%s\": too many, or within itself",
		    c->word);
		macros_leave(c);
		return (c->tokens.error);
	}
	c->expansions++;
	if ((text = strdup(m->value)) == NULL ||
	    source_push(c, NULL, text, strlen(text), NULL) == NULL) {
		free(text);
		conf_error(c, "%s", strerror(errno));
		return (c->tokens.error);
	}
	return (TOKEN_NONE);
}

static int
token_lex(struct conf *c, struct conf_value *v)
{
	int	ch = blanks_skip(c);

	place_note(c);
	v->quoted = 0;
	v->macro = c->macros_deep > 0;
	if (ch == -1)
		return (0);
	if (ch == '"')
		return (quoted_lex(c, v));
	if (ch == '$')
		return (macro_lex(c, v));
	if (word_char(ch))
		return (word_lex(c, v));
	char_take(c);
	if (ch == '\0') {
		conf_error(c, "a NUL");
		return (c->tokens.error);
	}
	return (ch);
}

int
conf_lex(struct conf *c, struct conf_value *v)
{
	int	token;

	memset(v, 0, sizeof(*v));
	do
		token = token_lex(c, v);
	while (token == TOKEN_NONE);
	return (token);
}

const char *
conf_word(const struct conf *c)
{
	return (c->word);
}
