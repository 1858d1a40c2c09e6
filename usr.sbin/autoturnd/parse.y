/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The grammar of autoturnd.conf, see autoturnd.conf(5).
 */
%{
#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

static struct conf_build	build;
static struct conf_reader	reader;

int		 yylex(void);
int		 yyparse(void);
void		 yyerror(const char *);
static void	 block_end(void);

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
%token	<word>	T_ADDRESS T_ADDRESSES T_CONCURRENCY T_CONTROL T_CUSTOMER
%token	<word>	T_DOMAIN T_EVENTS T_HELO T_HOPS T_HOSTNAME T_INTERVAL
%token	<word>	T_LIFETIME T_LOG T_MAILDIR T_MESSAGES T_PORT T_POSTMASTER
%token	<word>	T_PREFIX T_PROTOCOL T_RELAY T_REPORTS T_RESTRICTED T_RETRY
%token	<word>	T_SCAN T_SPOOL T_STATE T_WARN T_WATCHES T_WINDOW
%token		T_AFTER T_ALL T_BY T_FACILITY T_FORMAT T_FROM T_GROUP T_JSON
%token		T_MAX T_NEVER T_OFF T_ON T_QMAIL T_QMTP T_SENDMAIL T_SMTP
%token		T_SOCKET T_TEXT T_USER
%type	<word>	value
%type	<maybe>	group max
%type	<number> protocol

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
		| T_EVENTS T_FROM value	{ build_events(&build, &$1, &$3); }
		| T_EVENTS T_OFF	{ build_events(&build, &$1, NULL); }
		| T_HOSTNAME value	{ build_hostname(&build, &$1, &$2); }
		| T_POSTMASTER value	{ build_postmaster(&build, &$1, &$2); }
		| T_REPORTS T_BY T_SENDMAIL value	{
			build_reports(&build, &$1, MAILER_SENDMAIL, &$4);
		}
		| T_REPORTS T_BY T_QMAIL value	{
			build_reports(&build, &$1, MAILER_QMAIL, &$4);
		}
		| T_STATE value		{ build_state(&build, &$1, &$2); }
		| T_LOG T_FACILITY value	{
			build_log_facility(&build, &$1, &$3);
		}
		| T_LOG T_FORMAT T_TEXT	{ build_log_format(&build, &$1, 0); }
		| T_LOG T_FORMAT T_JSON	{ build_log_format(&build, &$1, 1); }
		| delivery
		| spool			{ block_end(); }
		| spool spool_open spool_words '}'	{ block_end(); }
		| customer customer_words '}'	{ block_end(); }
		;

spool		: T_SPOOL value		{
			build_spool_begin(&build, &$2, NULL, NULL);
		}
		| T_SPOOL value T_USER value group	{
			build_spool_begin(&build, &$2, &$4,
			    $5.given ? &$5.word : NULL);
		}
		;

spool_open	: '{'			{
			conf_reader_enter(&reader, IN_SPOOL, "spool",
			    &build.level->name);
		}
		;

spool_words	: /* empty */
		| spool_words spool_word
		| spool_words error	{
			if (reader.drop)
				yyclearin;
			if (reader.now.token != 0)
				yyerrok;
		}
		;

spool_word	: T_ADDRESSES T_ON	{ build_addresses(&build, &$1, 1); }
		| T_ADDRESSES T_OFF	{ build_addresses(&build, &$1, 0); }
		| T_CONCURRENCY value	{
			build_concurrency(&build, &$1, &$2);
		}
		| T_SCAN value		{ build_scan(&build, &$1, &$2); }
		| T_WATCHES value	{ build_watches(&build, &$1, &$2); }
		| delivery
		| T_UNKNOWN		{ conf_reader_unknown(&reader, &$1); }
		;

customer	: T_CUSTOMER value '{'	{
			build_customer_begin(&build, &$2);
			conf_reader_enter(&reader, IN_CUSTOMER, "customer",
			    &build.level->name);
		}
		| T_CUSTOMER '{'	{
			conf_word_error(build.lexer, &$1,
			    "customer: has no name");
			build_customer_begin(&build, &$1);
			conf_reader_enter(&reader, IN_CUSTOMER, "customer",
			    &build.level->name);
		}
		;

customer_words	: /* empty */
		| customer_words customer_word
		| customer_words error	{
			if (reader.drop)
				yyclearin;
			if (reader.now.token != 0)
				yyerrok;
		}
		;

customer_word	: T_SPOOL value		{
			build_customer_spool(&build, &$1, &$2);
		}
		| T_ADDRESS addresses
		| T_ADDRESS '{' addresses '}'
		| T_DOMAIN domains
		| T_DOMAIN '{' domains '}'
		| T_PREFIX value	{ build_prefix(&build, &$1, &$2); }
		| T_MAILDIR value	{ build_maildir(&build, &$1, &$2); }
		| T_RELAY value		{ build_relay(&build, &$1, &$2); }
		| delivery
		| T_UNKNOWN		{ conf_reader_unknown(&reader, &$1); }
		;

addresses	: value			{ build_address(&build, &$1); }
		| addresses ',' value	{ build_address(&build, &$3); }
		;

domains		: value			{ build_domain(&build, &$1); }
		| domains ',' value	{ build_domain(&build, &$3); }
		;

delivery	: T_PROTOCOL protocol	{
			build_protocol(&build, &$1, (uint32_t)$2);
		}
		| T_PORT value		{ build_port(&build, &$1, &$2); }
		| T_HELO value		{ build_helo(&build, &$1, &$2); }
		| T_WINDOW value	{ build_window(&build, &$1, &$2); }
		| T_HOPS value		{ build_hops(&build, &$1, &$2); }
		| T_MESSAGES value	{ build_messages(&build, &$1, &$2); }
		| T_MESSAGES T_ALL	{ build_messages(&build, &$1, NULL); }
		| T_LIFETIME value	{ build_lifetime(&build, &$1, &$2); }
		| T_WARN T_AFTER value	{ build_warn(&build, &$1, &$3); }
		| T_WARN T_NEVER	{ build_warn(&build, &$1, NULL); }
		| T_INTERVAL value	{ build_interval(&build, &$1, &$2); }
		| T_RETRY value max	{
			build_retry(&build, &$1, &$2,
			    $3.given ? &$3.word : NULL);
		}
		| T_RETRY T_NEVER	{
			build_retry(&build, &$1, NULL, NULL);
		}
		;

protocol	: T_SMTP		{ $$ = PROTOCOL_SMTP; }
		| T_QMTP		{ $$ = PROTOCOL_QMTP; }
		;

group		: /* empty */		{ $$.given = 0; }
		| T_GROUP value		{ $$.given = 1; $$.word = $2; }
		;

max		: /* empty */		{ $$.given = 0; }
		| T_MAX value		{ $$.given = 1; $$.word = $2; }
		;

value		: T_WORD
		| T_STRING
		;

%%

static const struct conf_keyword	keywords[] = {
	{ "address",		T_ADDRESS },
	{ "addresses",		T_ADDRESSES },
	{ "after",		T_AFTER },
	{ "all",		T_ALL },
	{ "by",			T_BY },
	{ "concurrency",	T_CONCURRENCY },
	{ "control",		T_CONTROL },
	{ "customer",		T_CUSTOMER },
	{ "domain",		T_DOMAIN },
	{ "events",		T_EVENTS },
	{ "facility",		T_FACILITY },
	{ "format",		T_FORMAT },
	{ "from",		T_FROM },
	{ "group",		T_GROUP },
	{ "helo",		T_HELO },
	{ "hops",		T_HOPS },
	{ "hostname",		T_HOSTNAME },
	{ "interval",		T_INTERVAL },
	{ "json",		T_JSON },
	{ "lifetime",		T_LIFETIME },
	{ "log",		T_LOG },
	{ "maildir",		T_MAILDIR },
	{ "max",		T_MAX },
	{ "messages",		T_MESSAGES },
	{ "never",		T_NEVER },
	{ "off",		T_OFF },
	{ "on",			T_ON },
	{ "port",		T_PORT },
	{ "postmaster",		T_POSTMASTER },
	{ "prefix",		T_PREFIX },
	{ "protocol",		T_PROTOCOL },
	{ "qmail",		T_QMAIL },
	{ "qmtp",		T_QMTP },
	{ "relay",		T_RELAY },
	{ "reports",		T_REPORTS },
	{ "restricted",		T_RESTRICTED },
	{ "retry",		T_RETRY },
	{ "scan",		T_SCAN },
	{ "sendmail",		T_SENDMAIL },
	{ "smtp",		T_SMTP },
	{ "socket",		T_SOCKET },
	{ "spool",		T_SPOOL },
	{ "state",		T_STATE },
	{ "text",		T_TEXT },
	{ "user",		T_USER },
	{ "warn",		T_WARN },
	{ "watches",		T_WATCHES },
	{ "window",		T_WINDOW }
};

static const struct conf_use	uses[] = {
	{ T_ADDRESS,		IN_CUSTOMER },
	{ T_ADDRESSES,		IN_SPOOL },
	{ T_CONCURRENCY,	IN_SPOOL },
	{ T_CONTROL,		IN_FILE },
	{ T_CUSTOMER,		IN_FILE | CONF_USE_VALUE },
	{ T_DOMAIN,		IN_CUSTOMER | CONF_USE_VALUE },
	{ T_EVENTS,		IN_FILE },
	{ T_FACILITY,		CONF_USE_VALUE },
	{ T_GROUP,		CONF_USE_VALUE },
	{ T_HELO,		IN_ALL | CONF_USE_VALUE },
	{ T_HOPS,		IN_ALL },
	{ T_HOSTNAME,		IN_FILE | CONF_USE_VALUE },
	{ T_INTERVAL,		IN_ALL },
	{ T_LIFETIME,		IN_ALL },
	{ T_LOG,		IN_FILE },
	{ T_MAILDIR,		IN_CUSTOMER | CONF_USE_VALUE },
	{ T_MESSAGES,		IN_ALL },
	{ T_PORT,		IN_ALL },
	{ T_POSTMASTER,		IN_FILE },
	{ T_PREFIX,		IN_CUSTOMER | CONF_USE_VALUE },
	{ T_PROTOCOL,		IN_ALL },
	{ T_RELAY,		IN_CUSTOMER },
	{ T_REPORTS,		IN_FILE },
	{ T_RESTRICTED,		IN_FILE },
	{ T_RETRY,		IN_ALL },
	{ T_SCAN,		IN_SPOOL },
	{ T_SPOOL,		IN_FILE | IN_CUSTOMER },
	{ T_STATE,		IN_FILE },
	{ T_USER,		CONF_USE_VALUE },
	{ T_WARN,		IN_ALL },
	{ T_WATCHES,		IN_SPOOL },
	{ T_WINDOW,		IN_ALL }
};

static const struct conf_grammar	words = {
	keywords, nitems(keywords), uses, nitems(uses), T_WORD, T_STRING,
	T_ERROR, T_UNKNOWN, 0
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
block_end(void)
{
	conf_reader_leave(&reader);
	build.level = &build.file;
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

struct autoturnd_conf *
autoturnd_conf_load(const char *path, char *const defines[],
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
	build_end(&build);
	conf_reader_free(&reader);
	if (bad) {
		autoturnd_conf_free(build.conf);
		return (NULL);
	}
	return (build.conf);
}
