/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Tokens for a grammar, and its errors: see reader.h.
 */
#include <sys/types.h>
#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "reader.h"

/* A string of the file: kept until all was read. */
struct conf_text {
	SLIST_ENTRY(conf_text)	 entry;
	char			*text;
};

int
conf_reader_init(struct conf_reader *r, const struct conf_grammar *grammar,
    void (*report)(const char *, void *), void *arg)
{
	struct conf_tokens	tokens;

	memset(r, 0, sizeof(*r));
	SLIST_INIT(&r->texts);
	r->grammar = grammar;
	r->block = CONF_USE_TOP;
	tokens.string = grammar->string;
	tokens.number = grammar->word;
	tokens.error = grammar->error;
	r->lexer = conf_new(grammar->keywords, grammar->nkeywords, &tokens,
	    report, arg);
	return (r->lexer == NULL ? -1 : 0);
}

void
conf_reader_free(struct conf_reader *r)
{
	struct conf_text	*t;

	while ((t = SLIST_FIRST(&r->texts)) != NULL) {
		SLIST_REMOVE_HEAD(&r->texts, entry);
		free(t->text);
		free(t);
	}
	conf_free(r->lexer);
}

int
conf_reader_open(struct conf_reader *r, const char *path,
    char *const defines[])
{
	for (; defines != NULL && *defines != NULL; defines++)
		if (conf_define(r->lexer, *defines) == -1) {
			conf_error_at(r->lexer, *defines, 0, "%s",
			    errno == EINVAL ? "not of the form name=value" :
			    strerror(errno));
			return (-1);
		}
	return (conf_open(r->lexer, path, 0));
}

void
conf_reader_enter(struct conf_reader *r, unsigned int block, const char *kind,
    const struct conf_word *name)
{
	r->block = block;
	r->block_kind = kind;
	r->block_name = *name;
}

void
conf_reader_leave(struct conf_reader *r)
{
	r->block = CONF_USE_TOP;
}

int
conf_grammar_has(const struct conf_grammar *g, const char *word)
{
	size_t	i;

	for (i = 0; i < g->nkeywords; i++)
		if (strcmp(g->keywords[i].word, word) == 0)
			return (1);
	return (strcmp(word, "include") == 0);
}

static unsigned int
token_uses(const struct conf_reader *r, int token)
{
	size_t	i;

	for (i = 0; i < r->grammar->nuses; i++)
		if (r->grammar->uses[i].token == token)
			return (r->grammar->uses[i].uses);
	return (0);
}

/*
 * Tokens
 */

/* Keeps a string of the lexer's, or a copy; NULL when memory is out. */
static const char *
text_keep(struct conf_reader *r, char *string, const char *word)
{
	struct conf_text	*t;

	if (string == NULL && (string = strdup(word)) == NULL)
		return (NULL);
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		free(string);
		return (NULL);
	}
	t->text = string;
	SLIST_INSERT_HEAD(&r->texts, t, entry);
	return (string);
}

static const char *
token_text(struct conf_reader *r, int token, struct conf_value *v)
{
	char	mark[2];

	if (token == 0 || token == r->grammar->error)
		return ("");
	if (token > 255)
		return (text_keep(r, v->string, conf_word(r->lexer)));
	mark[0] = (char)token;
	mark[1] = '\0';
	return (text_keep(r, NULL, mark));
}

/* The depth of braces where a directive, or a statement, may begin. */
static int
depth_wanted(const struct conf_reader *r)
{
	return (r->block != CONF_USE_TOP);
}

static int
token_is_key(const struct conf_reader *r, int token)
{
	return (token > 255 && token != r->grammar->word &&
	    token != r->grammar->string && token != r->grammar->error);
}

/*
 * An argument of exec: in quotes, or a macro's on the line of the one before.
 * What is neither is the next directive, however it is misspelt.
 */
static int
token_is_argument(const struct conf_reader *r, int token,
    const struct conf_value *v)
{
	if (!r->in_exec || token <= 255 || token == r->grammar->error)
		return (0);
	return (v->quoted || (v->macro && !r->now.first));
}

/*
 * A word that begins a line where a directive may begin, and is none.  Only
 * a word of the grammar, or a comma, may want to be followed by it.
 */
static int
token_is_unknown(const struct conf_reader *r, int token,
    const struct conf_value *v)
{
	unsigned int	uses = token_uses(r, token) & ~CONF_USE_VALUE;

	if (r->block == CONF_USE_TOP || !r->now.first ||
	    r->depth != depth_wanted(r))
		return (0);
	if (uses != 0 && (uses & r->block) == 0)
		return (1);
	return ((token == r->grammar->word ||
	    (token == r->grammar->string && !v->quoted)) && !v->macro &&
	    !token_is_key(r, r->last.token) && r->last.token != ',');
}

static int
token_kind(struct conf_reader *r, int token, const struct conf_value *v)
{
	const struct conf_grammar	*g = r->grammar;

	if (token_is_argument(r, token, v))
		return (g->string);
	r->in_exec = g->exec != 0 && token == g->exec;
	if (token_is_unknown(r, token, v))
		return (g->unknown);
	if (token == g->string && !v->quoted)
		return (g->word);
	if (token_is_key(r, token) && !r->now.first &&
	    (token_uses(r, r->last.token) & CONF_USE_VALUE)) {
		r->in_exec = 0;
		return (g->word);
	}
	return (token);
}

static void
depth_count(struct conf_reader *r, int token)
{
	if (token == '{')
		r->depth++;
	else if (token == '}' && r->depth > 0)
		r->depth--;
}

static int
token_read(struct conf_reader *r)
{
	struct conf_value	v;
	struct conf_place	*p = &r->now;
	int			token;

	r->last = *p;
	r->number++;
	token = conf_lex(r->lexer, &v);
	p->word.file = conf_file(r->lexer);
	p->word.line = conf_line(r->lexer);
	p->first = p->word.file != r->last.word.file ||
	    p->word.line != r->last.word.line;
	p->token = token_kind(r, token, &v);
	if (p->token == r->grammar->word && p->first &&
	    r->block == CONF_USE_TOP && r->depth == 0)
		r->start_number = r->number;
	depth_count(r, token);
	if ((p->word.text = token_text(r, token, &v)) == NULL) {
		conf_error(r->lexer, "%s", strerror(errno));
		p->token = r->grammar->error;
		p->word.text = "";
	}
	if (r->start_number == r->number)
		r->start = p->word;
	return (p->token);
}

/*
 * Errors
 */

static int
token_closes(const struct conf_reader *r, int token)
{
	return (token == '}' && r->block != CONF_USE_TOP &&
	    r->depth < depth_wanted(r));
}

/* Can the parser go on from here? */
static int
token_is_fresh(const struct conf_reader *r, int token)
{
	int	depth = r->depth - (token == '{');

	return (token == 0 || token_closes(r, token) ||
	    (token != '}' && r->now.first && depth == depth_wanted(r)));
}

static int
token_skip(struct conf_reader *r)
{
	int	token;

	r->skipping = 0;
	do
		token = token_read(r);
	while (!token_is_fresh(r, token));
	return (token);
}

int
conf_reader_lex(struct conf_reader *r)
{
	return (r->skipping ? token_skip(r) : token_read(r));
}

/* On a new line, a word that begins something: what was before is not whole. */
static int
token_begins(const struct conf_reader *r, const struct conf_place *p)
{
	return (p->first && (p->token == r->grammar->unknown ||
	    (token_uses(r, p->token) & r->block)));
}

/*
 * "servise mail" without more, or with more than that: at the top a word
 * begins a macro's definition or nothing that we know.
 */
static int
start_is_unknown(const struct conf_reader *r)
{
	return (r->block == CONF_USE_TOP && r->start.text != NULL &&
	    r->number - r->start_number <= 2 &&
	    r->number != r->start_number && r->last.token != '=');
}

static void
error_unknown(struct conf_reader *r, const struct conf_word *w)
{
	conf_word_error(r->lexer, w, "\"%s\": unknown word here", w->text);
}

static void
error_end(struct conf_reader *r)
{
	if (r->block != CONF_USE_TOP)
		conf_word_error(r->lexer, &r->block_name,
		    "%s %s: its } is missing", r->block_kind,
		    r->block_name.text);
	else
		conf_word_error(r->lexer, &r->last.word,
		    "\"%s\": the file ends after it", r->last.word.text);
}

static void
error_unexpected(struct conf_reader *r)
{
	const struct conf_grammar	*g = r->grammar;
	const struct conf_word		*now = &r->now.word;
	const struct conf_word		*last = &r->last.word;
	const char			*why = "not expected";

	if (r->now.token == g->word)
		why = "unknown word";
	if (g->exec != 0 && r->last.token == g->exec)
		conf_word_error(r->lexer, now, "\"%s\": a program stands in "
		    "quotes", now->text);
	else if (r->now.first || r->last.token <= 255)
		conf_word_error(r->lexer, now, "\"%s\": %s here", now->text,
		    why);
	else
		conf_word_error(r->lexer, now, "\"%s\": %s after \"%s\"",
		    now->text, why, last->text);
}

static void
error_report(struct conf_reader *r)
{
	const struct conf_word	*last = &r->last.word;

	if (r->now.token == r->grammar->error || r->kept == r->number)
		return;
	if (r->now.token == 0)
		error_end(r);
	else if (start_is_unknown(r)) {
		error_unknown(r, &r->start);
		r->start.text = NULL;
	} else if (token_begins(r, &r->now) && r->last.token > 255)
		conf_word_error(r->lexer, last, "\"%s\": something must "
		    "follow it", last->text);
	else
		error_unexpected(r);
}

/* What follows on the line is ours to skip. */
void
conf_reader_unknown(struct conf_reader *r, const struct conf_word *w)
{
	if (!conf_grammar_has(r->grammar, w->text))
		error_unknown(r, w);
	else
		conf_word_error(r->lexer, w, "\"%s\": not expected within %s "
		    "%s: is a } missing before it?", w->text, r->block_kind,
		    r->block_name.text);
	r->skipping = 1;
}

void
conf_reader_error(struct conf_reader *r)
{
	int	keep;

	error_report(r);
	keep = r->kept != r->number &&
	    (token_closes(r, r->now.token) || token_begins(r, &r->now));
	if (keep)
		r->kept = r->number;
	r->drop = !keep && r->now.token != 0;
	r->skipping = r->drop;
}
