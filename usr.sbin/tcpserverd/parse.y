/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The grammar of tcpserverd.conf, see tcpserverd.conf(5).
 */
%{
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/queue.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

/* The block that is not the top. */
#define IN_SERVICE	CONF_USE_BLOCK

static struct conf_build	build;
static struct conf_reader	reader;

int		 yylex(void);
int		 yyparse(void);
void		 yyerror(const char *);
static void	 service_begin(const struct conf_word *);

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
			conf_reader_leave(&reader);
		}
		;

service_head	: T_SERVICE value '{'	{ service_begin(&$2); }
		| T_SERVICE '{'	{
			conf_word_error(build.lexer, &$1, "service: has no "
			    "name");
			service_begin(&$1);
		}
		| T_WORD value '{'	{
			conf_word_error(build.lexer, &$1,
			    "\"%s\": unknown word here", $1.text);
			service_begin(&$2);
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
		| T_UNKNOWN		{ conf_reader_unknown(&reader, &$1); }
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

static const struct conf_use	uses[] = {
	{ T_BACKLOG,		CONF_USE_VALUE },
	{ T_BANNER,		IN_SERVICE },
	{ T_CHROOT,		IN_SERVICE },
	{ T_CLASS,		CONF_USE_VALUE },
	{ T_CLOSE,		IN_SERVICE },
	{ T_CONTROL,		CONF_USE_TOP },
	{ T_DIRECTORY,		IN_SERVICE },
	{ T_ENVIRONMENT,	IN_SERVICE },
	{ T_EVENT,		CONF_USE_TOP },
	{ T_EXEC,		IN_SERVICE },
	{ T_FACILITY,		CONF_USE_VALUE },
	{ T_GROUP,		IN_SERVICE | CONF_USE_VALUE },
	{ T_IDENT,		IN_SERVICE },
	{ T_LISTEN,		IN_SERVICE },
	{ T_LOCAL,		IN_SERVICE },
	{ T_LOG,		CONF_USE_TOP | IN_SERVICE },
	{ T_LOGIN,		IN_SERVICE },
	{ T_LOOKUP,		IN_SERVICE },
	{ T_NAME,		CONF_USE_VALUE },
	{ T_NOTIFY,		IN_SERVICE },
	{ T_OPTION,		IN_SERVICE },
	{ T_PORT,		CONF_USE_VALUE },
	{ T_RESTRICTED,		CONF_USE_TOP },
	{ T_RLIMIT,		IN_SERVICE },
	{ T_RULES,		IN_SERVICE },
	{ T_SERVICE,		CONF_USE_TOP | CONF_USE_VALUE },
	{ T_SESSIONS,		IN_SERVICE },
	{ T_SET,		CONF_USE_VALUE },
	{ T_UNSET,		CONF_USE_VALUE },
	{ T_USER,		IN_SERVICE | CONF_USE_VALUE }
};

static const struct conf_grammar	words = {
	keywords, nitems(keywords), uses, nitems(uses), T_WORD, T_STRING,
	T_ERROR, T_UNKNOWN, T_EXEC
};

int
conf_word_is_key(const char *word)
{
	return (conf_grammar_has(&words, word));
}

int
yylex(void)
{
	int	token;

	token = conf_reader_lex(&reader);
	yylval.word = reader.now.word;
	return (token);
}

void
yyerror(const char *message)
{
	conf_reader_error(&reader);
}

static void
service_begin(const struct conf_word *name)
{
	build_service_begin(&build, name);
	conf_reader_enter(&reader, IN_SERVICE, "service", name);
}

/*
 * Loading
 */

/* Memory for everything. */
static int
load_begin(const char *path)
{
	if (conf_reader_init(&reader, &words, build.report, build.arg) == 0) {
		build.lexer = reader.lexer;
		if (build_init(&build) == 0 &&
		    (build.conf->path = strdup(path)) != NULL)
			return (0);
	}
	build.report(strerror(errno), build.arg);
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
	bad = load_begin(path) == -1;
	if (!bad && conf_reader_open(&reader, path, defines) == 0) {
		(void)yyparse();
		build_finish(&build);
	}
	bad = bad || conf_errors(build.lexer) > 0;
	conf_reader_free(&reader);
	if (bad) {
		daemon_conf_free(build.conf);
		return (NULL);
	}
	return (build.conf);
}
