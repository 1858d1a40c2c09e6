/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * As much of sh(1) as scripts that start servers are made of: words, quotes,
 * variables, the output of a few commands, pipelines, continued lines, here
 * documents.  Which way an "if" would go is not asked: all is read.
 */
#include <sys/types.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "import_local.h"

#define DEPTH_MAX	8

struct shell {
	struct import		*im;
	const char		*p;		/* what is left */
	struct import_words	 words;		/* of this command */
	struct import_words	 redirects;
	struct import_text	 word;		/* that is being read */
	int			 started;	/* it may be empty */
	char			*unknown;	/* in it */
	char			*redirect;	/* this word is its target */
	char			*here;		/* a document is next */
	char			*outside;	/* of parentheses: directory */
	int			 inside;	/* how deep */
	int			 only_words;	/* for shell_split */
	int			 compound;	/* there was an operator */
};

static void
word_add(struct shell *sh, char ch)
{
	sh->started = 1;
	text_add(sh->im, &sh->word, ch);
}

static void
word_unknown(struct shell *sh, const char *what)
{
	sh->started = 1;
	if (sh->unknown == NULL)
		string_set(sh->im, &sh->unknown, what);
}

/* What "2>" was followed by. */
static void
redirect_end(struct shell *sh, const char *target)
{
	struct import_text	t;

	if (strncmp(sh->redirect, "<<", 2) == 0)
		string_set(sh->im, &sh->here, target);
	memset(&t, 0, sizeof(t));
	text_string(sh->im, &t, sh->redirect);
	text_string(sh->im, &t, target);
	if (t.base != NULL)
		words_add(sh->im, &sh->redirects, t.base, NULL);
	free(t.base);
	free(sh->redirect);
	sh->redirect = NULL;
}

static void
word_end(struct shell *sh)
{
	const char	*text = sh->word.len == 0 ? "" : sh->word.base;

	if (!sh->started)
		return;
	if (sh->redirect != NULL)
		redirect_end(sh, text);
	else
		words_add(sh->im, &sh->words, text, sh->unknown);
	sh->word.len = 0;
	sh->started = 0;
	free(sh->unknown);
	sh->unknown = NULL;
}

/* The lines up to the one that ends a here document. */
static void
here_skip(struct shell *sh)
{
	size_t	len, end = strlen(sh->here);

	while (*sh->p != '\0') {
		sh->p += strspn(sh->p, "\t");
		len = strcspn(sh->p, "\n");
		if (len == end && strncmp(sh->p, sh->here, len) == 0) {
			sh->p += len;
			break;
		}
		sh->p += len;
		if (*sh->p == '\n') {
			sh->p++;
			sh->im->line++;
		}
	}
	free(sh->here);
	sh->here = NULL;
}

static void
command_end(struct shell *sh, int piped)
{
	int	line = sh->im->line;

	word_end(sh);
	free(sh->redirect);
	sh->redirect = NULL;
	if (sh->only_words)
		return;
	if (sh->words.len > 0) {
		command_read(sh->im, &sh->words, &sh->redirects);
		/* After "|" the command may stand on the next line. */
		if (!piped)
			sh->im->piped = NULL;
	}
	sh->im->line = line;
	words_free(&sh->words);
	words_free(&sh->redirects);
}

/*
 * Variables and the output of commands
 */

/* A value in the place of its name: outside of quotes it is split. */
static void
value_put(struct shell *sh, const char *value, int quoted)
{
	if (quoted)
		sh->started = 1;
	for (; *value != '\0'; value++)
		if (!quoted && isspace((unsigned char)*value))
			word_end(sh);
		else
			word_add(sh, *value);
}

static void
variable_put(struct shell *sh, const char *name, const char *instead,
    int quoted)
{
	const char	*value = variable_value(sh->im, name);
	char		 what[64] = "$";

	if (value == NULL || (value[0] == '\0' && instead != NULL))
		value = instead;
	if (value != NULL) {
		value_put(sh, value, quoted);
		return;
	}
	strlcat(what, name, sizeof(what));
	word_unknown(sh, what);
}

/* "${NAME}", "${NAME:-WORD}", "${NAME-WORD}"; p is at the brace. */
static void
braces_put(struct shell *sh, int quoted)
{
	char	*name, *end;
	size_t	 len = strcspn(sh->p, "}");

	if ((name = strndup(sh->p + 1, len > 0 ? len - 1 : 0)) == NULL) {
		sh->im->failed = 1;
		return;
	}
	sh->p += len;
	if (*sh->p == '}')
		sh->p++;
	for (end = name; isalnum((unsigned char)*end) || *end == '_'; end++)
		continue;
	if (*end == '\0')
		variable_put(sh, name, NULL, quoted);
	else if (end != name && (strncmp(end, ":-", 2) == 0 || *end == '-')) {
		*end++ = '\0';
		variable_put(sh, name, end + (*end == '-'), quoted);
	} else
		word_unknown(sh, "${...}");
	free(name);
}

static void
output_put(struct shell *sh, const char *command, int quoted)
{
	char	*output, what[64];

	if ((output = variable_substitute(sh->im, command)) != NULL)
		value_put(sh, output, quoted);
	else {
		strlcpy(what, "`", sizeof(what));
		strlcat(what, command, sizeof(what) - 1);
		strlcat(what, "`", sizeof(what));
		word_unknown(sh, what);
	}
	free(output);
}

/* The length of a command up to its closing parenthesis. */
static size_t
command_length(const char *p)
{
	size_t	n;
	int	depth = 1;

	for (n = 0; p[n] != '\0'; n++) {
		if (p[n] == '(')
			depth++;
		else if (p[n] == ')' && --depth == 0)
			break;
	}
	return (n);
}

static void
output_read(struct shell *sh, size_t len, int quoted)
{
	char	*command;
	size_t	 i;

	if ((command = strndup(sh->p, len)) == NULL) {
		sh->im->failed = 1;
		return;
	}
	for (i = 0; i < len; i++)
		if (sh->p[i] == '\n')
			sh->im->line++;
	sh->p += len;
	if (*sh->p != '\0')
		sh->p++;
	output_put(sh, command, quoted);
	free(command);
}

static void
dollar_read(struct shell *sh, int quoted)
{
	char	name[48];
	size_t	len;

	if (*sh->p == '(') {
		sh->p++;
		output_read(sh, command_length(sh->p), quoted);
		return;
	}
	if (*sh->p == '{') {
		braces_put(sh, quoted);
		return;
	}
	for (len = 0; isalnum((unsigned char)sh->p[len]) ||
	    sh->p[len] == '_'; len++)
		continue;
	if (len == 0 && *sh->p != '\0' && strchr("@*#?$!-", *sh->p) != NULL)
		len = 1;
	if (len == 0) {
		word_add(sh, '$');
		return;
	}
	strlcpy(name, sh->p, len + 1 < sizeof(name) ? len + 1 : sizeof(name));
	sh->p += len;
	variable_put(sh, name, NULL, quoted);
}

/*
 * Quotes
 */

static void
escape_read(struct shell *sh, int quoted)
{
	if (*sh->p == '\n')
		sh->im->line++;
	else if (*sh->p != '\0') {
		if (quoted && strchr("$`\"\\", *sh->p) == NULL)
			word_add(sh, '\\');
		word_add(sh, *sh->p);
	}
	if (*sh->p != '\0')
		sh->p++;
}

static void
single_read(struct shell *sh)
{
	sh->started = 1;
	for (; *sh->p != '\0' && *sh->p != '\''; sh->p++) {
		if (*sh->p == '\n')
			sh->im->line++;
		word_add(sh, *sh->p);
	}
	if (*sh->p == '\'')
		sh->p++;
}

static void
double_read(struct shell *sh)
{
	char	ch;

	sh->started = 1;
	while ((ch = *sh->p) != '\0') {
		sh->p++;
		if (ch == '"')
			return;
		if (ch == '\n')
			sh->im->line++;
		if (ch == '\\')
			escape_read(sh, 1);
		else if (ch == '$')
			dollar_read(sh, 1);
		else if (ch == '`')
			output_read(sh, strcspn(sh->p, "`"), 1);
		else
			word_add(sh, ch);
	}
}

/*
 * Operators
 */

/* "2>", ">>", "<&": the word that follows is where to. */
static void
redirect_read(struct shell *sh, char ch)
{
	struct import_text	op;

	memset(&op, 0, sizeof(op));
	if (sh->started && sh->word.len == 1 &&
	    isdigit((unsigned char)sh->word.base[0])) {
		text_add(sh->im, &op, sh->word.base[0]);
		sh->word.len = 0;
		sh->started = 0;
	} else
		word_end(sh);
	text_add(sh->im, &op, ch);
	while (*sh->p == ch || *sh->p == '&' || *sh->p == '|' ||
	    (*sh->p == '-' && sh->p[-1] == '<'))
		text_add(sh->im, &op, *sh->p++);
	free(sh->redirect);
	sh->redirect = op.base;
}

/* A change of directory within them ends with them. */
static void
parenthesis_read(struct shell *sh, char ch)
{
	struct import	*im = sh->im;

	if (sh->only_words || (ch == ')' && sh->inside == 0))
		return;
	if (ch == '(' && sh->inside++ == 0 && im->directory != NULL)
		string_set(im, &sh->outside, im->directory);
	else if (ch == ')' && --sh->inside == 0) {
		free(im->directory);
		im->directory = sh->outside;
		sh->outside = NULL;
	}
}

static void
operator_read(struct shell *sh, char ch)
{
	int	twice = (ch == '|' || ch == '&') && *sh->p == ch;

	sh->compound = 1;
	if (twice)
		sh->p++;
	command_end(sh, ch == '|' && !twice);
	if (ch == '(' || ch == ')')
		parenthesis_read(sh, ch);
}

static void
newline_read(struct shell *sh)
{
	command_end(sh, 0);
	sh->im->line++;
	if (sh->here != NULL)
		here_skip(sh);
}

static void
char_read(struct shell *sh, char ch)
{
	if (ch == '\n')
		newline_read(sh);
	else if (ch == ' ' || ch == '\t' || ch == '\r')
		word_end(sh);
	else if (ch == '#' && !sh->started)
		sh->p += strcspn(sh->p, "\n");
	else if (ch == '\\')
		escape_read(sh, 0);
	else if (ch == '\'')
		single_read(sh);
	else if (ch == '"')
		double_read(sh);
	else if (ch == '$')
		dollar_read(sh, 0);
	else if (ch == '`')
		output_read(sh, strcspn(sh->p, "`"), 0);
	else if (ch == '<' || ch == '>')
		redirect_read(sh, ch);
	else if (strchr(";&|()", ch) != NULL)
		operator_read(sh, ch);
	else
		word_add(sh, ch);
}

static void
shell_run(struct shell *sh)
{
	char	ch;

	while ((ch = *sh->p) != '\0') {
		sh->p++;
		char_read(sh, ch);
	}
	command_end(sh, 0);
	free(sh->word.base);
	free(sh->here);
	free(sh->outside);
	words_free(&sh->redirects);
}

void
shell_read(struct import *im, const char *text)
{
	struct shell	sh;

	if (im->depth >= DEPTH_MAX)
		return;
	im->depth++;
	memset(&sh, 0, sizeof(sh));
	sh.im = im;
	sh.p = text;
	if (im->line == 0)
		im->line = 1;
	shell_run(&sh);
	im->depth--;
}

int
shell_split(struct import *im, const char *text, struct import_words *words)
{
	struct shell	sh;
	int		line = im->line;

	memset(words, 0, sizeof(*words));
	if (im->depth >= DEPTH_MAX)
		return (-1);
	im->depth++;
	memset(&sh, 0, sizeof(sh));
	sh.im = im;
	sh.p = text;
	sh.only_words = 1;
	shell_run(&sh);
	im->depth--;
	im->line = line;
	*words = sh.words;
	return (sh.compound ? -1 : 0);
}
