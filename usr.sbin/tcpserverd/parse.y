/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The grammar of tcpserverd.conf, see tcpserverd.conf(5).
 *
 * Line ends are blanks to the grammar.  After an error they are not: what
 * follows on the line is skipped, and the next one begins a directive, so
 * that one run tells of every error and of each once.
 */
%{
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/queue.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

/* A string of the file: kept until all was read. */
struct text {
	SLIST_ENTRY(text)	 entry;
	char			*text;
};

/* What the lexer's side knows of a token. */
struct place {
	int			 token;
	struct conf_word	 word;
	int			 first;		/* on its line */
};

struct reader {
	SLIST_HEAD(, text)	 texts;
	struct place		 last;		/* before this */
	struct place		 now;
	unsigned int		 number;	/* of this token */
	unsigned int		 kept;		/* told of, not skipped */
	struct conf_word	 start;		/* a word that began a line at
						 * the top, and its number */
	unsigned int		 start_number;
	int			 depth;		/* of braces */
	int			 in_exec;
	int			 skipping;
	int			 drop;		/* this token, after an error */
};

static struct conf_build	build;
static struct reader		reader;

int		 yylex(void);
int		 yyparse(void);
void		 yyerror(const char *);
static void	 error_unknown(const struct conf_word *);
static void	 directive_unknown(const struct conf_word *);

%}

%union {
	struct conf_word	word;
	struct {
		int			given;
		struct conf_word	word;
	} maybe;
	int			number;
}

%token	<word>	T_WORD T_STRING T_UNKNOWN
%token		T_ERROR
%token	<word>	T_BANNER T_CHROOT T_CLOSE T_CONTROL T_DIRECTORY
%token	<word>	T_ENVIRONMENT T_EVENT T_EXEC T_GROUP T_IDENT T_LISTEN T_LOCAL
%token	<word>	T_LOG T_LOGIN T_LOOKUP T_NOTIFY T_OPTION T_RESTRICTED
%token	<word>	T_RLIMIT T_RULES T_SERVICE T_SESSIONS T_USER
%token		T_AUTOTURN T_BACKLOG T_BRIEF T_CLASS T_CONNECT T_END
%token		T_FACILITY T_FORMAT T_INET T_INET6 T_IPOPTIONS T_JSON T_NAME
%token		T_NODELAY T_OFF T_ON T_OPTIONAL T_PARANOID T_PORT T_SET
%token		T_SOCKET T_TEXT T_TIMEOUT T_UNSET T_VERBOSE
%nonassoc	T_ALONE		/* "user a group b": one directive, not two */
%nonassoc	T_GROUP
%type	<word>	value
%type	<maybe>	backlog group hard timeout user
%type	<number>	family optional

%%

grammar		: /* empty */
		| grammar statement
		| grammar error		{
			if (reader.drop)
				yyclearin;
			if (reader.now.token != 0)
				yyerrok;
		}
		;

statement	: T_WORD '=' value	{
			(void)conf_macro_set(build.lexer, $1.text, $3.text);
		}
		| T_CONTROL T_SOCKET value group	{
			build_control(&build, &$1, &$3,
			    $4.given ? &$4.word : NULL);
		}
		| T_RESTRICTED T_CONTROL T_SOCKET value	{
			build_restricted(&build, &$1, &$4);
		}
		| T_EVENT T_SOCKET value user	{
			build_event(&build, &$1, &$3,
			    $4.given ? &$4.word : NULL);
		}
		| T_LOG T_FACILITY value	{
			build_log_facility(&build, &$1, &$3);
		}
		| T_LOG T_FORMAT T_TEXT	{
			build_log_format(&build, &$1, 0);
		}
		| T_LOG T_FORMAT T_JSON	{
			build_log_format(&build, &$1, 1);
		}
		| service_head directives '}'	{
			build_service_end(&build);
		}
		;

service_head	: T_SERVICE value '{'	{ build_service_begin(&build, &$2); }
		| T_SERVICE '{'	{
			build_error(&build, &$1, "service: has no name");
			build_service_begin(&build, &$1);
		}
		| T_WORD value '{'	{
			error_unknown(&$1);
			build_service_begin(&build, &$2);
		}
		;

directives	: /* empty */
		| directives directive
		| directives error	{
			build.ports_len = 0;
			if (reader.drop)
				yyclearin;
			if (reader.now.token != 0)
				yyerrok;
		}
		;

directive	: T_LISTEN T_ON value family T_PORT ports backlog	{
			build_listen(&build, &$1, &$3, $4,
			    $7.given ? &$7.word : NULL);
		}
		| T_RULES value optional	{
			build_rules(&build, &$1, &$2, $3);
		}
		| T_USER value group	{
			build_user(&build, &$1, &$2,
			    $3.given ? &$3.word : NULL);
		}
		| T_GROUP value		{ build_user(&build, &$1, NULL, &$2); }
		| T_CHROOT value	{ build_chroot(&build, &$1, &$2); }
		| T_LOGIN T_CLASS value	{
			build_login_class(&build, &$1, &$3);
		}
		| T_RLIMIT value value hard	{
			build_rlimit(&build, &$2, &$3,
			    $4.given ? &$4.word : NULL);
		}
		| T_DIRECTORY value	{ build_directory(&build, &$1, &$2); }
		| T_SESSIONS value	{ build_sessions(&build, &$1, &$2); }
		| exec
		| T_ENVIRONMENT T_SET value value	{
			build_env_set(&build, &$3, &$4);
		}
		| T_ENVIRONMENT T_UNSET value	{
			build_env_unset(&build, &$3);
		}
		| T_BANNER value	{ build_banner(&build, &$1, &$2); }
		| T_LOCAL T_NAME value	{
			build_local_name(&build, &$1, &$3);
		}
		| T_LOOKUP T_OFF	{ build_lookup(&build, &$1, 0); }
		| T_LOOKUP T_ON		{
			build_lookup(&build, &$1, SERVICE_REMOTE_NAME);
		}
		| T_LOOKUP T_PARANOID	{
			build_lookup(&build, &$1,
			    SERVICE_REMOTE_NAME | SERVICE_PARANOID);
		}
		| T_IDENT T_OFF		{ build_ident(&build, &$1, 0, NULL); }
		| T_IDENT T_ON timeout	{
			build_ident(&build, &$1, 1,
			    $3.given ? &$3.word : NULL);
		}
		| T_LOG T_BRIEF		{
			build_log_level(&build, &$1, LOG_LEVEL_ERRORS);
		}
		| T_LOG T_SESSIONS	{
			build_log_level(&build, &$1, LOG_LEVEL_SESSIONS);
		}
		| T_LOG T_VERBOSE	{
			build_log_level(&build, &$1, LOG_LEVEL_VERBOSE);
		}
		| T_LOG T_FACILITY value	{
			build_log_facility(&build, &$1, &$3);
		}
		| T_OPTION T_NODELAY	{
			build.service->flags |= SERVICE_NODELAY;
		}
		| T_OPTION T_IPOPTIONS	{
			build.service->flags |= SERVICE_IP_OPTIONS;
		}
		| T_CLOSE		{ build_close(&build, &$1); }
		| T_NOTIFY T_AUTOTURN T_ON T_CONNECT	{
			build.service->notify |= CONF_NOTIFY_CONNECT;
		}
		| T_NOTIFY T_AUTOTURN T_ON T_END	{
			build.service->notify |= CONF_NOTIFY_END;
		}
		| T_UNKNOWN		{ directive_unknown(&$1); }
		;

exec		: T_EXEC T_STRING	{
			build_exec(&build, &$1);
			build_exec_arg(&build, &$2);
		}
		| exec T_STRING		{ build_exec_arg(&build, &$2); }
		;

family		: /* empty */		{ $$ = AF_UNSPEC; }
		| T_INET		{ $$ = AF_INET; }
		| T_INET6		{ $$ = AF_INET6; }
		;

ports		: port
		| '{' port_list '}'
		;

port_list	: port
		| port_list port
		| port_list ',' port
		;

port		: value			{ build_port(&build, &$1); }
		;

optional	: /* empty */		{ $$ = 0; }
		| T_OPTIONAL		{ $$ = 1; }
		;

backlog		: /* empty */		{ $$.given = 0; }
		| T_BACKLOG value	{ $$.given = 1; $$.word = $2; }
		;

group		: /* empty */ %prec T_ALONE	{ $$.given = 0; }
		| T_GROUP value		{ $$.given = 1; $$.word = $2; }
		;

hard		: /* empty */		{ $$.given = 0; }
		| value			{ $$.given = 1; $$.word = $1; }
		;

timeout		: /* empty */		{ $$.given = 0; }
		| T_TIMEOUT value	{ $$.given = 1; $$.word = $2; }
		;

user		: /* empty */		{ $$.given = 0; }
		| T_USER value		{ $$.given = 1; $$.word = $2; }
		;

value		: T_WORD
		| T_STRING
		;

%%

static const struct conf_keyword	keywords[] = {
	{ "autoturn",		T_AUTOTURN },
	{ "backlog",		T_BACKLOG },
	{ "banner",		T_BANNER },
	{ "brief",		T_BRIEF },
	{ "chroot",		T_CHROOT },
	{ "class",		T_CLASS },
	{ "close",		T_CLOSE },
	{ "connect",		T_CONNECT },
	{ "control",		T_CONTROL },
	{ "directory",		T_DIRECTORY },
	{ "end",		T_END },
	{ "environment",	T_ENVIRONMENT },
	{ "event",		T_EVENT },
	{ "exec",		T_EXEC },
	{ "facility",		T_FACILITY },
	{ "format",		T_FORMAT },
	{ "group",		T_GROUP },
	{ "ident",		T_IDENT },
	{ "inet",		T_INET },
	{ "inet6",		T_INET6 },
	{ "ipoptions",		T_IPOPTIONS },
	{ "json",		T_JSON },
	{ "listen",		T_LISTEN },
	{ "local",		T_LOCAL },
	{ "log",		T_LOG },
	{ "login",		T_LOGIN },
	{ "lookup",		T_LOOKUP },
	{ "name",		T_NAME },
	{ "nodelay",		T_NODELAY },
	{ "notify",		T_NOTIFY },
	{ "off",		T_OFF },
	{ "on",			T_ON },
	{ "option",		T_OPTION },
	{ "optional",		T_OPTIONAL },
	{ "paranoid",		T_PARANOID },
	{ "port",		T_PORT },
	{ "restricted",		T_RESTRICTED },
	{ "rlimit",		T_RLIMIT },
	{ "rules",		T_RULES },
	{ "service",		T_SERVICE },
	{ "sessions",		T_SESSIONS },
	{ "set",		T_SET },
	{ "socket",		T_SOCKET },
	{ "text",		T_TEXT },
	{ "timeout",		T_TIMEOUT },
	{ "unset",		T_UNSET },
	{ "user",		T_USER },
	{ "verbose",		T_VERBOSE }
};

static const struct conf_tokens		tokens = { T_STRING, T_WORD, T_ERROR };

int
conf_word_is_key(const char *word)
{
	size_t	i;

	for (i = 0; i < nitems(keywords); i++)
		if (strcmp(keywords[i].word, word) == 0)
			return (1);
	return (strcmp(word, "include") == 0);
}

/*
 * Tokens
 */

static void
reader_init(void)
{
	memset(&reader, 0, sizeof(reader));
	SLIST_INIT(&reader.texts);
}

static void
reader_free(void)
{
	struct text	*t;

	while ((t = SLIST_FIRST(&reader.texts)) != NULL) {
		SLIST_REMOVE_HEAD(&reader.texts, entry);
		free(t->text);
		free(t);
	}
}

/* Keeps a string of the lexer's, or a copy; NULL when memory is out. */
static const char *
text_keep(char *string, const char *word)
{
	struct text	*t;

	if (string == NULL && (string = strdup(word)) == NULL)
		return (NULL);
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		free(string);
		return (NULL);
	}
	t->text = string;
	SLIST_INSERT_HEAD(&reader.texts, t, entry);
	return (string);
}

static const char *
token_text(int token, struct conf_value *v)
{
	char	mark[2];

	if (token == 0 || token == T_ERROR)
		return ("");
	if (token > 255)
		return (text_keep(v->string, conf_word(build.lexer)));
	mark[0] = (char)token;
	mark[1] = '\0';
	return (text_keep(NULL, mark));
}

/* The depth of braces where a directive, or a statement, may begin. */
static int
depth_wanted(void)
{
	return (build.service != NULL);
}

static int
token_is_key(int token)
{
	return (token > 255 && token != T_WORD && token != T_STRING &&
	    token != T_ERROR);
}

/*
 * After these a value must follow, so that a word of the grammar on the same
 * line can only be that: "port login", "log facility user".
 */
static int
token_wants_value(int token)
{
	switch (token) {
	case T_BACKLOG:
	case T_CLASS:
	case T_FACILITY:
	case T_GROUP:
	case T_NAME:
	case T_PORT:
	case T_SERVICE:
	case T_SET:
	case T_UNSET:
	case T_USER:
		return (1);
	default:
		return (0);
	}
}

/*
 * An argument of exec: in quotes, or a macro's on the line of the one before.
 * What is neither is the next directive, however it is misspelt.
 */
static int
token_is_argument(int token, const struct conf_value *v)
{
	if (!reader.in_exec || token <= 255 || token == T_ERROR)
		return (0);
	return (v->quoted || (v->macro && !reader.now.first));
}

/*
 * A word that begins a line where a directive may begin, and is none.  Only
 * a word of the grammar may want to be followed by it.
 */
static int
token_is_unknown(int token, const struct conf_value *v)
{
	if (build.service == NULL || !reader.now.first ||
	    reader.depth != depth_wanted())
		return (0);
	if (token == T_CONTROL || token == T_EVENT || token == T_RESTRICTED ||
	    token == T_SERVICE)
		return (1);
	return ((token == T_WORD || (token == T_STRING && !v->quoted)) &&
	    !v->macro && !token_is_key(reader.last.token));
}

static int
token_kind(int token, const struct conf_value *v)
{
	if (token_is_argument(token, v))
		return (T_STRING);
	reader.in_exec = token == T_EXEC;
	if (token_is_unknown(token, v))
		return (T_UNKNOWN);
	if (token == T_STRING && !v->quoted)
		return (T_WORD);
	if (token_is_key(token) && token_wants_value(reader.last.token) &&
	    !reader.now.first) {
		reader.in_exec = 0;
		return (T_WORD);
	}
	return (token);
}

static void
depth_count(int token)
{
	if (token == '{')
		reader.depth++;
	else if (token == '}' && reader.depth > 0)
		reader.depth--;
}

static int
token_read(void)
{
	struct conf_value	v;
	struct place		*p = &reader.now;
	int			token;

	reader.last = *p;
	reader.number++;
	token = conf_lex(build.lexer, &v);
	p->word.file = conf_file(build.lexer);
	p->word.line = conf_line(build.lexer);
	p->first = p->word.file != reader.last.word.file ||
	    p->word.line != reader.last.word.line;
	p->token = token_kind(token, &v);
	if (p->token == T_WORD && p->first && build.service == NULL &&
	    reader.depth == 0)
		reader.start_number = reader.number;
	depth_count(token);
	if ((p->word.text = token_text(token, &v)) == NULL) {
		conf_error(build.lexer, "%s", strerror(errno));
		p->token = T_ERROR;
		p->word.text = "";
	}
	if (reader.start_number == reader.number)
		reader.start = p->word;
	return (p->token);
}

/*
 * Errors
 */

static int
token_closes(int token)
{
	return (token == '}' && build.service != NULL &&
	    reader.depth < depth_wanted());
}

/* Can the parser go on from here? */
static int
token_is_fresh(int token)
{
	int	depth = reader.depth - (token == '{');

	return (token == 0 || token_closes(token) ||
	    (token != '}' && reader.now.first && depth == depth_wanted()));
}

static int
token_skip(void)
{
	int	token;

	reader.skipping = 0;
	do
		token = token_read();
	while (!token_is_fresh(token));
	return (token);
}

int
yylex(void)
{
	int	token;

	token = reader.skipping ? token_skip() : token_read();
	yylval.word = reader.now.word;
	return (token);
}

static int
token_begins_directive(int token)
{
	switch (token) {
	case T_BANNER:
	case T_CHROOT:
	case T_CLOSE:
	case T_DIRECTORY:
	case T_ENVIRONMENT:
	case T_EXEC:
	case T_GROUP:
	case T_IDENT:
	case T_LISTEN:
	case T_LOCAL:
	case T_LOG:
	case T_LOGIN:
	case T_LOOKUP:
	case T_NOTIFY:
	case T_OPTION:
	case T_RLIMIT:
	case T_RULES:
	case T_SESSIONS:
	case T_USER:
		return (1);
	default:
		return (0);
	}
}

static int
token_begins_statement(int token)
{
	return (token == T_CONTROL || token == T_RESTRICTED ||
	    token == T_EVENT || token == T_LOG || token == T_SERVICE);
}

/* On a new line, a word that begins something: what was before is not whole. */
static int
token_begins(const struct place *p)
{
	return (p->first && (p->token == T_UNKNOWN ||
	    (build.service != NULL ? token_begins_directive(p->token) :
	    token_begins_statement(p->token))));
}

/*
 * "servise mail" without more, or with more than that: at the top a word
 * begins a macro's definition or nothing that we know.
 */
static int
start_is_unknown(void)
{
	return (build.service == NULL && reader.start.text != NULL &&
	    reader.number - reader.start_number <= 2 &&
	    reader.number != reader.start_number && reader.last.token != '=');
}

static void
error_end(void)
{
	if (build.service != NULL)
		build_error(&build, &build.name, "service %s: its } is missing",
		    build.name.text);
	else
		build_error(&build, &reader.last.word,
		    "\"%s\": the file ends after it", reader.last.word.text);
}

static void
error_unexpected(void)
{
	const struct conf_word	*now = &reader.now.word;
	const struct conf_word	*last = &reader.last.word;
	const char		*why = "not expected";

	if (reader.now.token == T_WORD)
		why = "unknown word";
	if (reader.last.token == T_EXEC)
		build_error(&build, now, "\"%s\": a program stands in quotes",
		    now->text);
	else if (reader.now.first || reader.last.token <= 255)
		build_error(&build, now, "\"%s\": %s here", now->text, why);
	else
		build_error(&build, now, "\"%s\": %s after \"%s\"", now->text,
		    why, last->text);
}

static void
error_report(void)
{
	const struct conf_word	*last = &reader.last.word;

	if (reader.now.token == T_ERROR || reader.kept == reader.number)
		return;
	if (reader.now.token == 0)
		error_end();
	else if (start_is_unknown())
		error_unknown(&reader.start);
	else if (token_begins(&reader.now) && reader.last.token > 255)
		build_error(&build, last, "\"%s\": something must follow it",
		    last->text);
	else
		error_unexpected();
}

static void
error_unknown(const struct conf_word *w)
{
	build_error(&build, w, "\"%s\": unknown word here", w->text);
}

/* It was no error to the parser: what follows on the line is ours to skip. */
static void
directive_unknown(const struct conf_word *w)
{
	if (!conf_word_is_key(w->text))
		error_unknown(w);
	else
		build_error(&build, w, "\"%s\": not expected within service "
		    "%s: is a } missing before it?", w->text,
		    build.name.text);
	reader.skipping = 1;
}

/* Yacc's own words say nothing. */
void
yyerror(const char *message)
{
	int	keep;

	error_report();
	keep = reader.kept != reader.number &&
	    (token_closes(reader.now.token) || token_begins(&reader.now));
	if (keep)
		reader.kept = reader.number;
	reader.drop = !keep && reader.now.token != 0;
	reader.skipping = reader.drop;
}

/*
 * Loading
 */

static void
load_error(const char *what, const char *why)
{
	char	line[CONF_WORD_MAX];

	snprintf(line, sizeof(line), "%.3000s: %s", what, why);
	build.report(line, build.arg);
}

static int
defines_set(char *const defines[])
{
	for (; defines != NULL && *defines != NULL; defines++)
		if (conf_define(build.lexer, *defines) == -1) {
			load_error(*defines, errno == EINVAL ?
			    "not of the form name=value" : strerror(errno));
			return (-1);
		}
	return (0);
}

static void
file_parse(const char *path)
{
	if (conf_open(build.lexer, path, 0) == -1)
		return;
	reader_init();
	(void)yyparse();
	build_finish(&build);
	reader_free();
}

/* Memory for everything. */
static int
load_begin(const char *path)
{
	build.lexer = conf_new(keywords, nitems(keywords), &tokens,
	    build.report, build.arg);
	if (build.lexer != NULL && build_init(&build) == 0 &&
	    (build.conf->path = strdup(path)) != NULL)
		return (0);
	load_error(path, strerror(errno));
	return (-1);
}

struct daemon_conf *
daemon_conf_load(const char *path, char *const defines[],
    void (*report)(const char *, void *), void *arg)
{
	int	bad;

	memset(&build, 0, sizeof(build));
	build.report = report;
	build.arg = arg;
	bad = load_begin(path) == -1 || defines_set(defines) == -1;
	if (!bad) {
		file_parse(path);
		bad = conf_errors(build.lexer) > 0;
	}
	conf_free(build.lexer);
	if (bad) {
		daemon_conf_free(build.conf);
		return (NULL);
	}
	return (build.conf);
}
