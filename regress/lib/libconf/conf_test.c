/*
 * The lexer of our configuration grammars: what it reads, and what it says
 * of what it can't.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "compat.h"
#include "conf.h"

enum { TOKEN_STRING = 258, TOKEN_NUMBER, TOKEN_ERROR, TOKEN_LISTEN,
    TOKEN_ON, TOKEN_PORT };

static const struct conf_keyword	keywords[] = {
	{ "listen", TOKEN_LISTEN }, { "on", TOKEN_ON }, { "port", TOKEN_PORT }
};
static const struct conf_tokens		tokens = { TOKEN_STRING, TOKEN_NUMBER,
					    TOKEN_ERROR };

static char	errors[1 << 17];	/* a line each */
static char	got[1 << 17];		/* tokens, a space after each */

static void
report(const char *line, void *arg)
{
	ATF_CHECK_EQ(errors, arg);
	strlcat(errors, line, sizeof(errors));
	strlcat(errors, "\n", sizeof(errors));
}

static struct conf *
begin(void)
{
	struct conf	*c;

	errors[0] = '\0';
	c = conf_new(keywords, nitems(keywords), &tokens, report, errors);
	ATF_REQUIRE(c != NULL);
	return (c);
}

static void
file_bytes(const char *name, const char *bytes, size_t len)
{
	FILE	*f;

	ATF_REQUIRE((f = fopen(name, "w")) != NULL);
	ATF_REQUIRE(fwrite(bytes, 1, len, f) == len);
	ATF_REQUIRE(fclose(f) == 0);
	ATF_REQUIRE(chmod(name, 0600) == 0);
}

static void
file(const char *name, const char *text)
{
	file_bytes(name, text, strlen(text));
}

static void
token_show(int token, const struct conf_value *v)
{
	char	text[CONF_WORD_MAX + 32];

	switch (token) {
	case TOKEN_STRING:
		snprintf(text, sizeof(text), "'%s'", v->string);
		break;
	case TOKEN_NUMBER:
		snprintf(text, sizeof(text), "%lld", (long long)v->number);
		break;
	case TOKEN_ERROR:
		strlcpy(text, "ERROR", sizeof(text));
		break;
	case TOKEN_LISTEN:
	case TOKEN_ON:
	case TOKEN_PORT:
		snprintf(text, sizeof(text), "<%s>",
		    keywords[token - TOKEN_LISTEN].word);
		break;
	default:
		ATF_CHECK_MSG(token > 0 && token < 256, "token %d", token);
		snprintf(text, sizeof(text), token > 32 && token < 127 ?
		    "%c" : "\\%o", token);
		break;
	}
	strlcat(got, text, sizeof(got));
	strlcat(got, " ", sizeof(got));
}

/* All tokens; sets macros as the grammar will: WORD = STRING. */
static const char *
rest(struct conf *c)
{
	struct conf_value	 v;
	char			*name = NULL;
	int			 token, before = 0, set = 0;

	got[0] = '\0';
	while ((token = conf_lex(c, &v)) != 0) {
		token_show(token, &v);
		ATF_CHECK(token == TOKEN_STRING || v.string == NULL);
		if (token == TOKEN_STRING && set && name != NULL)
			(void)conf_macro_set(c, name, v.string);
		set = token == '=' && before == TOKEN_STRING;
		if (token == TOKEN_STRING) {
			free(name);
			name = v.string;
		}
		before = token;
	}
	free(name);
	ATF_CHECK_EQ(0, conf_lex(c, &v));
	if (got[0] != '\0')
		got[strlen(got) - 1] = '\0';
	return (got);
}

static const char *
lex(const char *text)
{
	struct conf	*c = begin();

	file("main.conf", text);
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	rest(c);
	conf_free(c);
	return (got);
}

/* Tokens and errors of a text. */
#define LEX(text, expected, complaint)					\
	do {								\
		ATF_CHECK_STREQ(expected, lex(text));			\
		ATF_CHECK_STREQ(complaint, errors);			\
	} while (0)

ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	LEX("", "", "");
	LEX("\n \t\r\n", "", "");
	LEX("listen on em0 port 25", "<listen> <on> 'em0' <port> 25", "");
	LEX("listen\non\nport", "<listen> <on> <port>", "");
	LEX("Listen listens liste", "'Listen' 'listens' 'liste'", "");
	LEX("a{b}c", "'a' { 'b' } 'c'", "");
	LEX("a=b,c;d(e)!f<g>h|i", "'a' = 'b' , 'c' ; 'd' ( 'e' ) ! 'f' < 'g' "
	    "> 'h' | 'i'", "");
	LEX("/a/b-c_d.e 10.0.0.0/8 [::1] user@host 50% *:25 ~x^y&z?+",
	    "'/a/b-c_d.e' '10.0.0.0/8' '[::1]' 'user@host' '50%' '*:25' "
	    "'~x^y&z?+'", "");
	LEX("x\rlisten\r\n", "'x' <listen>", "");
	LEX("\377 \001", "\\377 \\1", "");
}

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	LEX("0 1 007 9223372036854775807", "0 1 7 9223372036854775807", "");
	LEX("1a -5 +5 1.5 1/2 0x10", "'1a' '-5' '+5' '1.5' '1/2' '0x10'", "");
	LEX("\"25\"", "'25'", "");
	LEX("ok\n9223372036854775808", "'ok' ERROR",
	    "main.conf:2: number 9223372036854775808: too large\n");
	LEX("99999999999999999999999999999999 1", "ERROR 1",
	    "main.conf:1: number 99999999999999999999999999999999: "
	    "too large\n");
}

ATF_TC_WITHOUT_HEAD(strings);
ATF_TC_BODY(strings, tc)
{
	LEX("\"\"", "''", "");
	LEX("\"a b\tc\"", "'a b\tc'", "");
	LEX("\"listen\" \"include\" \"$x\" \"# no\"",
	    "'listen' 'include' '$x' '# no'", "");
	LEX("\"a\"\"b\"c", "'a' 'b' 'c'", "");
	LEX("\"q\\\"q\" \"b\\\\\" \"n\\n\" \"\\{\"",
	    "'q\"q' 'b\\' 'n\n' '{'", "");
	LEX("\"\\r\\n\\t\\\\n\\x\"", "'\r\n\t\\nx'", "");
	LEX("\"\303\244\377\"", "'\303\244\377'", "");
	LEX("\"a\r\"", "'a\r'", "");
}

ATF_TC_WITHOUT_HEAD(strings_without_end);
ATF_TC_BODY(strings_without_end, tc)
{
	/* The line is the string's; what follows is read as it is. */
	LEX("a\n\"b c\nlisten", "'a' ERROR <listen>",
	    "main.conf:2: string: no closing quote\n");
	LEX("\"b", "ERROR", "main.conf:1: string: no closing quote\n");
	LEX("\"", "ERROR", "main.conf:1: string: no closing quote\n");
	LEX("\"b\\", "ERROR", "main.conf:1: string: no closing quote\n");
	LEX("\"b\\\nlisten", "ERROR <listen>",
	    "main.conf:1: string: no closing quote\n");
	LEX("\"b\r\nlisten", "ERROR <listen>",
	    "main.conf:1: string: no closing quote\n");
}

ATF_TC_WITHOUT_HEAD(comments);
ATF_TC_BODY(comments, tc)
{
	LEX("# all of it", "", "");
	LEX("#\n#\nlisten # \"on $x\nport#", "<listen> <port>", "");
	LEX("a#b\nc", "'a' 'c'", "");
	LEX("# \\\nlisten", "<listen>", "");
}

ATF_TC_WITHOUT_HEAD(nuls);
ATF_TC_BODY(nuls, tc)
{
	static const char	text[] = "a\0b\n\"c\0d\" e\n# \0\nlisten\0";
	struct conf		*c = begin();

	/* The end of a C string must not be the end of the file. */
	file_bytes("main.conf", text, sizeof(text) - 1);
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	ATF_CHECK_STREQ("'a' ERROR 'b' ERROR 'e' <listen> ERROR", rest(c));
	ATF_CHECK_STREQ("main.conf:1: a NUL\nmain.conf:2: string: has a NUL\n"
	    "main.conf:4: a NUL\n", errors);
	ATF_CHECK_EQ(3, conf_errors(c));
	conf_free(c);
}

/* len bytes of a word between two others, quoted or not. */
static const char *
long_word(size_t len, int quoted)
{
	static char	text[1 << 20];

	ATF_REQUIRE(len + 100 < sizeof(text));
	strlcpy(text, quoted ? "a\n\"" : "a\n", sizeof(text));
	memset(text + strlen(text), 'x', len + 1);
	text[(quoted ? 3 : 2) + len] = '\0';
	strlcat(text, quoted ? "\" b" : " b", sizeof(text));
	return (lex(text));
}

ATF_TC_WITHOUT_HEAD(very_long_words);
ATF_TC_BODY(very_long_words, tc)
{
	static const size_t	lens[] = { CONF_WORD_MAX + 1,
				    CONF_WORD_MAX * 2, 1000000 };
	size_t			i;
	int			quoted;

	for (quoted = 0; quoted < 2; quoted++) {
		ATF_CHECK_EQ(4 + CONF_WORD_MAX + 2 + 4,
		    strlen(long_word(CONF_WORD_MAX, quoted)));
		ATF_CHECK_STREQ("", errors);
		/* All of it is passed over: one error, not a cascade. */
		for (i = 0; i < nitems(lens); i++) {
			ATF_CHECK_STREQ("'a' ERROR 'b'",
			    long_word(lens[i], quoted));
			ATF_CHECK_STREQ("main.conf:2: a word is longer than "
			    "4096 bytes\n", errors);
		}
	}
}

ATF_TC_WITHOUT_HEAD(macros);
ATF_TC_BODY(macros, tc)
{
	LEX("if = \"em0\"\nlisten on $if port 25",
	    "'if' = 'em0' <listen> <on> 'em0' <port> 25", "");
	LEX("m = \"listen on \\\"a b\\\" port 25 # no\"\n$m { $m",
	    "'m' = 'listen on \"a b\" port 25 # no' <listen> <on> 'a b' "
	    "<port> 25 { <listen> <on> 'a b' <port> 25", "");
	LEX("e = \"\"\n$e$e a $e", "'e' = '' 'a'", "");
	LEX("a = \"1\"\nb = \"$a $a\"\n$b", "'a' = '1' 'b' = '$a $a' 1 1", "");
	/* The last definition counts from there on. */
	LEX("a = \"1\"\n$a\na = \"2\"\n$a", "'a' = '1' 1 'a' = '2' 2", "");
	LEX("x$a", "'x' ERROR", "main.conf:1: macro \"$a\": not defined\n");
	LEX("a=\"1\" $ab $a-b $", "'a' = '1' ERROR 1 '-b' ERROR",
	    "main.conf:1: macro \"$ab\": not defined\n"
	    "main.conf:1: macro \"$\": not defined\n");
	/* It does not go on beyond its value. */
	LEX("a = \"\\\"open\"\n$a b\"", "'a' = '\"open' ERROR 'b' ERROR",
	    "main.conf:2: string: no closing quote\n"
	    "main.conf:2: string: no closing quote\n");
	LEX("a = \"# no\"\n$a b", "'a' = '# no' 'b'", "");
}

ATF_TC_WITHOUT_HEAD(macro_names);
ATF_TC_BODY(macro_names, tc)
{
	struct conf	*c = begin();

	ATF_CHECK_EQ(0, conf_macro_set(c, "_a9", "1"));
	ATF_CHECK_EQ(-1, conf_macro_set(c, "9a", "1"));
	ATF_CHECK_EQ(-1, conf_macro_set(c, "", "1"));
	ATF_CHECK_EQ(-1, conf_macro_set(c, "a-b", "1"));
	ATF_CHECK_STREQ("macro \"9a\": not a name\nmacro \"\": not a name\n"
	    "macro \"a-b\": not a name\n", errors);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(defined);
ATF_TC_BODY(defined, tc)
{
	struct conf	*c = begin();

	ATF_CHECK_EQ(0, conf_define(c, "port=2525"));
	ATF_CHECK_EQ(0, conf_define(c, "empty="));
	ATF_CHECK_EQ(0, conf_define(c, "eq=a=b"));
	ATF_CHECK_ERRNO(EINVAL, conf_define(c, "port") == -1);
	ATF_CHECK_ERRNO(EINVAL, conf_define(c, "=x") == -1);
	ATF_CHECK_ERRNO(EINVAL, conf_define(c, "a b=x") == -1);
	ATF_CHECK_ERRNO(EINVAL, conf_define(c, "1=x") == -1);
	ATF_CHECK_EQ(0, conf_define(c, "port=2526"));
	file("main.conf", "port = \"25\"\n$port $empty $eq");
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	ATF_CHECK_STREQ("<port> = '25' 2526 'a' = 'b'", rest(c));
	/* Also against what a file said before. */
	ATF_CHECK_EQ(0, conf_macro_set(c, "m", "file"));
	ATF_CHECK_EQ(0, conf_define(c, "m=given"));
	ATF_CHECK_EQ(0, conf_macro_set(c, "m", "file again"));
	ATF_CHECK_EQ(0, conf_macro_set(c, "port", "27"));
	file("main.conf", "$m $port");
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	ATF_CHECK_STREQ("'given' 2526", rest(c));
	ATF_CHECK_STREQ("", errors);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(macros_without_end);
ATF_TC_BODY(macros_without_end, tc)
{
	struct conf	*c = begin();
	char		 name[8], value[32];
	int		 i;

	LEX("a = \"$a\"\n$a end", "'a' = '$a' ERROR 'end'",
	    "main.conf:2: macro \"$a\": too many, or within itself\n");
	LEX("a = \"$b\"\nb = \"x $a\"\n$a\nend",
	    strstr(lex("a = \"$b\"\nb = \"x $a\"\n$a\nend"), "'a'"),
	    "main.conf:3: macro \"$a\": too many, or within itself\n");
	/* 2^40 words, if nobody counts. */
	errors[0] = '\0';
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		snprintf(value, sizeof(value), "$m%d $m%d", i + 1, i + 1);
		ATF_REQUIRE_EQ(0, conf_macro_set(c, name, value));
	}
	ATF_REQUIRE_EQ(0, conf_macro_set(c, "m40", "x"));
	file("main.conf", "$m0 end");
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	(void)rest(c);
	ATF_CHECK_EQ_MSG(1, conf_errors(c), "%u errors", conf_errors(c));
	conf_free(c);
}

/* Many in a row are not within each other: the stack stays where it is. */
ATF_TC_WITHOUT_HEAD(long_rows);
ATF_TC_BODY(long_rows, tc)
{
	static char	text[1 << 17];
	struct conf	*c;
	int		 i;

	strlcpy(text, "e = \"\"\n", sizeof(text));
	for (i = 0; i < CONF_EXPANSIONS_MAX; i++)
		strlcat(text + i * 2, "$e", sizeof(text) - (size_t)i * 2);
	strlcat(text, " end", sizeof(text));
	LEX(text, "'e' = '' 'end'", "");
	file("empty.conf", "");
	text[0] = '\0';
	for (i = 0; i < CONF_FILES_MAX - 1; i++)
		strlcat(text, "include \"empty.conf\"\n", sizeof(text));
	strlcat(text, "end", sizeof(text));
	LEX(text, "'end'", "");
	c = begin();
	strlcat(text, "\ninclude \"empty.conf\"", sizeof(text));
	file("main.conf", text);
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	ATF_CHECK_STREQ("'end' ERROR", rest(c));
	ATF_CHECK_STREQ("main.conf:1001: ./empty.conf: more than 1000 "
	    "files\n", errors);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(includes);
ATF_TC_BODY(includes, tc)
{
	char	here[PATH_MAX], text[PATH_MAX + 100];

	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	ATF_REQUIRE(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	file("d/one.conf", "one include \"e/two.conf\" after");
	file("d/e/two.conf", "two include \"../three.conf\"");
	file("d/three.conf", "three");
	LEX("a include \"d/one.conf\" b",
	    "'a' 'one' 'two' 'three' 'after' 'b'", "");
	snprintf(text, sizeof(text), "include \"%s/d/three.conf\"", here);
	LEX(text, "'three'", "");
	/* The same one twice is no recursion. */
	LEX("include \"d/three.conf\" include \"d/three.conf\"",
	    "'three' 'three'", "");
	/* By way of a macro, beside the file. */
	LEX("m = \"include \\\"d/three.conf\\\" x\"\n$m y",
	    "'m' = 'include \"d/three.conf\" x' 'three' 'x' 'y'", "");
	/* A name that is not quoted is none. */
	LEX("include d/three.conf", "ERROR 'd/three.conf'",
	    "main.conf:1: include: a file name in quotes must follow\n");
	LEX("x\ninclude", "'x' ERROR",
	    "main.conf:2: include: a file name in quotes must follow\n");
	/* What is defined there is known here. */
	file("d/macro.conf", "m = \"there\"");
	LEX("include \"d/macro.conf\" $m", "'m' = 'there' 'there'", "");
	/* A string, a comment end with their file. */
	file("d/open.conf", "\"open");
	LEX("include \"d/open.conf\"\nclose\"", "ERROR 'close' ERROR",
	    "./d/open.conf:1: string: no closing quote\n"
	    "main.conf:2: string: no closing quote\n");
	file("d/open.conf", "# open");
	LEX("include \"d/open.conf\" b", "'b'", "");
}

ATF_TC_WITHOUT_HEAD(directories);
ATF_TC_BODY(directories, tc)
{
	ATF_REQUIRE(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	/* Nothing is in it, nothing is read. */
	LEX("a include \"d\" b", "'a' 'b'", "");
	/* By name, digits and capitals first, and only what is meant. */
	file("d/b.conf", "two");
	file("d/B.conf", "one include \"e/in.conf\" after");
	file("d/10.conf", "zero");
	file("d/c.conf", "\nthree");
	file("d/.a.conf", "no");
	file("d/.conf", "no");
	file("d/a.conf~", "no");
	file("d/a", "no");
	file("d/e/in.conf", "within");
	LEX("a include \"d\" b",
	    "'a' 'zero' 'one' 'within' 'after' 'two' 'three' 'b'", "");
	LEX("a include \"d/\" b",
	    "'a' 'zero' 'one' 'within' 'after' 'two' 'three' 'b'", "");
	/* Within it, too, and a file of it by another one of it. */
	file("d/e/f.conf", "include \"../c.conf\"");
	file("d/b.conf", "include \"e\" include \"c.conf\"");
	LEX("include \"d\" b", "'zero' 'one' 'within' 'after' 'three' "
	    "'within' 'three' 'three' 'b'", "");
	/* By way of a macro. */
	LEX("m = \"include \\\"d/e\\\" x\"\n$m y",
	    "'m' = 'include \"d/e\" x' 'three' 'within' 'x' 'y'", "");
	/* What is defined in one is known in the next. */
	file("d/10.conf", "m = \"there\"");
	file("d/B.conf", "$m");
	file("d/b.conf", "");
	file("d/c.conf", "\"open");
	LEX("include \"d\" $m", "'m' = 'there' 'there' ERROR 'there'",
	    "./d/c.conf:1: string: no closing quote\n");
}

ATF_TC_WITHOUT_HEAD(directories_that_fail);
ATF_TC_BODY(directories_that_fail, tc)
{
	static char	wanted[CONF_FILES_MAX * 4];
	char		name[32];
	int		i;

	/* Each file that can't be read is told, others are read. */
	ATF_REQUIRE(mkdir("d", 0755) == 0 && mkdir("d/b.conf", 0755) == 0);
	file("d/a.conf", "a");
	file("d/c.conf", "c");
	ATF_REQUIRE(mkfifo("d/d.conf", 0644) == 0);
	ATF_REQUIRE(symlink("nowhere", "d/e.conf") == 0);
	LEX("x\ninclude \"d\" b", "'x' ERROR 'a' 'c' 'b'",
	    "main.conf:2: ./d/b.conf: not a regular file\n"
	    "main.conf:2: ./d/d.conf: not a regular file\n"
	    "main.conf:2: ./d/e.conf: No such file or directory\n");
	/* The one that names the directory, or a directory that does. */
	ATF_REQUIRE(mkdir("l", 0755) == 0);
	file("l/m.conf", "m include \".\" n");
	LEX("include \"l\" b", "'m' ERROR 'n' 'b'",
	    "./l/m.conf:1: ./l/./m.conf: includes itself\n");
	file("l/a.conf", "a");
	LEX("include \"l\" b", "'a' 'm' ERROR 'a' 'n' 'b'",
	    "./l/m.conf:1: ./l/./m.conf: includes itself\n");
	/* All of the most that is read, in one directory. */
	ATF_REQUIRE(mkdir("n", 0755) == 0);
	for (i = 1; i < CONF_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "n/%d.conf", i + 10000);
		file(name, "1");
		strlcat(wanted, "1 ", sizeof(wanted));
	}
	strlcat(wanted, "'b'", sizeof(wanted));
	LEX("include \"n\" b", wanted, "");
	file("n/z.conf", "1");
	(void)lex("include \"n\" b");
	ATF_CHECK_STREQ("main.conf:1: ./n/z.conf: more than 1000 files\n",
	    errors);
}

ATF_TC_WITHOUT_HEAD(includes_that_fail);
ATF_TC_BODY(includes_that_fail, tc)
{
	char	name[CONF_WORD_MAX + 64];

	ATF_REQUIRE(mkfifo("fifo", 0644) == 0);
	ATF_REQUIRE(symlink("loop", "loop") == 0);
	LEX("a\ninclude \"missing\" b", "'a' ERROR 'b'",
	    "main.conf:2: ./missing: No such file or directory\n");
	LEX("include \"\" b", "ERROR 'b'",
	    "main.conf:1: include \"\": no file\n");
	LEX("include \"fifo\" b", "ERROR 'b'",
	    "main.conf:1: ./fifo: not a regular file\n");
	LEX("include \"/dev/null\" b", "ERROR 'b'",
	    "main.conf:1: /dev/null: not a regular file\n");
	LEX("include \"loop\" b", "ERROR 'b'",
	    "main.conf:1: ./loop: Too many levels of symbolic links\n");
	LEX("include \"a\\\nb\" c", "ERROR 'b' ERROR",
	    "main.conf:1: string: no closing quote\n"
	    "main.conf:2: string: no closing quote\n");
	memset(name, 'n', sizeof(name));
	memcpy(name, "include \"", 9);
	strlcpy(name + 9 + CONF_WORD_MAX, "\" b", 10);
	ATF_CHECK_STREQ("ERROR 'b'", lex(name));
	ATF_CHECK(strstr(errors, "File name too long") != NULL);
}

ATF_TC_WITHOUT_HEAD(includes_without_end);
ATF_TC_BODY(includes_without_end, tc)
{
	char	name[32], text[64];
	int	i;

	LEX("a include \"main.conf\" b", "'a' ERROR 'b'",
	    "main.conf:1: ./main.conf: includes itself\n");
	file("b.conf", "\ninclude \"c.conf\"");
	file("c.conf", "\n\ninclude \"./b.conf\"");
	LEX("include \"b.conf\" x", "ERROR 'x'",
	    "./c.conf:3: ././b.conf: includes itself\n");
	/* Under another name. */
	ATF_REQUIRE(symlink("b.conf", "alias.conf") == 0);
	file("c.conf", "include \"alias.conf\"");
	LEX("include \"b.conf\" x", "ERROR 'x'",
	    "./c.conf:1: ./alias.conf: includes itself\n");
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "n%d.conf", i);
		snprintf(text, sizeof(text), "%d include \"n%d.conf\"", i,
		    i + 1);
		file(name, text);
	}
	LEX("include \"n0.conf\" end",
	    "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 ERROR 'end'",
	    "./n14.conf:1: ./n15.conf: more than 16 files deep\n");
}

ATF_TC_WITHOUT_HEAD(main_file);
ATF_TC_BODY(main_file, tc)
{
	struct conf	*c = begin();
	int		 fd;

	ATF_CHECK_EQ(-1, conf_open(c, "missing", 0));
	ATF_CHECK_EQ(-1, conf_open(c, ".", 0));
	ATF_CHECK_STREQ("missing: No such file or directory\n"
	    ".: not a regular file\n", errors);
	ATF_CHECK_EQ(2, conf_errors(c));
	errors[0] = '\0';
	file("large", "");
	ATF_REQUIRE((fd = open("large", O_WRONLY)) != -1);
	ATF_REQUIRE(ftruncate(fd, CONF_FILE_SIZE_MAX + 1) == 0);
	close(fd);
	ATF_CHECK_EQ(-1, conf_open(c, "large", 0));
	ATF_CHECK_STREQ("large: larger than 16777216 bytes\n", errors);
	conf_free(c);
	conf_free(NULL);
}

ATF_TC_WITHOUT_HEAD(secret_files);
ATF_TC_BODY(secret_files, tc)
{
	static const mode_t	good[] = { 0600, 0640, 0400, 0440, 0700 };
	static const mode_t	bad[] = { 0644, 0604, 0660, 0620, 0602, 0601,
				    0666 };
	struct conf		*c;
	size_t			 i;

	file("main.conf", "a include \"more.conf\"");
	file("more.conf", "b");
	for (i = 0; i < nitems(good); i++) {
		ATF_REQUIRE(chmod("main.conf", good[i]) == 0);
		c = begin();
		ATF_CHECK_EQ(0, conf_open(c, "main.conf", 1));
		conf_free(c);
	}
	for (i = 0; i < nitems(bad); i++) {
		ATF_REQUIRE(chmod("main.conf", bad[i]) == 0);
		c = begin();
		ATF_CHECK_EQ_MSG(-1, conf_open(c, "main.conf", 1),
		    "mode %o", bad[i]);
		ATF_CHECK_STREQ("main.conf: owner or mode lets others read "
		    "or write it\n", errors);
		conf_free(c);
	}
	/* What it includes is as secret. */
	ATF_REQUIRE(chmod("main.conf", 0600) == 0);
	ATF_REQUIRE(chmod("more.conf", 0644) == 0);
	c = begin();
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 1));
	ATF_CHECK_STREQ("'a' ERROR", rest(c));
	ATF_CHECK_STREQ("main.conf:1: ./more.conf: owner or mode lets others "
	    "read or write it\n", errors);
	conf_free(c);
}

ATF_TC(secret_files_of_others);
ATF_TC_HEAD(secret_files_of_others, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(secret_files_of_others, tc)
{
	struct conf	*c = begin();

	file("main.conf", "a");
	ATF_REQUIRE(chown("main.conf", 4711, 4711) == 0);
	ATF_CHECK_EQ(-1, conf_open(c, "main.conf", 1));
	ATF_CHECK_EQ(0, conf_open(c, "main.conf", 0));
	conf_free(c);
}

/* Where an error is: the grammar asks after the token, or notes the place. */
ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	struct conf		*c = begin();
	struct conf_value	 v;
	const char		*name;
	int			 line;

	file("more.conf", "\n\nthree");
	file("main.conf", "one\n\n# no\ninclude\n\"more.conf\"\n"
	    "m = \"x\"\n\n$m\n");
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	ATF_CHECK_EQ(TOKEN_STRING, conf_lex(c, &v));
	free(v.string);
	ATF_CHECK_STREQ("main.conf", conf_file(c));
	ATF_CHECK_EQ(1, conf_line(c));
	ATF_CHECK_EQ(TOKEN_STRING, conf_lex(c, &v));
	free(v.string);
	ATF_CHECK_STREQ("./more.conf", conf_file(c));
	ATF_CHECK_EQ(3, conf_line(c));
	name = conf_file(c);
	line = conf_line(c);
	ATF_CHECK_STREQ("'m' = 'x' 'x'", rest(c));
	ATF_CHECK_STREQ("main.conf", conf_file(c));
	ATF_CHECK_EQ(8, conf_line(c));
	conf_error(c, "what: %s: why", "which");
	/* That file was read to its end long ago. */
	conf_error_at(c, name, line, "noted");
	conf_error_at(c, name, 0, "as a whole");
	conf_error_at(c, NULL, 5, "nowhere");
	ATF_CHECK_STREQ("main.conf:8: what: which: why\n"
	    "./more.conf:3: noted\n./more.conf: as a whole\nnowhere\n",
	    errors);
	ATF_CHECK_EQ(4, conf_errors(c));
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(hostile_errors);
ATF_TC_BODY(hostile_errors, tc)
{
	static char	text[20000];
	struct conf	*c = begin();
	char		*p;

	file("new\nline", "$x");
	ATF_REQUIRE_EQ(0, conf_open(c, "new\nline", 0));
	ATF_CHECK_STREQ("ERROR", rest(c));
	memset(text, '\033', sizeof(text) - 1);
	conf_error(c, "forged\nmain.conf:1: %s", text);
	conf_error_at(c, text, 1, "%s", text);
	for (p = errors; *p != '\0'; p++)
		ATF_REQUIRE((*p >= 32 && *p < 127) || *p == '\n');
	ATF_CHECK(strncmp(errors, "new\\nline:1: macro \"$x\": not defined\n"
	    "new\\nline:1: forged\\nmain.conf:1: ", 60) == 0);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(many_errors);
ATF_TC_BODY(many_errors, tc)
{
	struct conf	*c = begin();

	file("main.conf", "listen $a\n\"open\nport 99999999999999999999\n"
	    "include nothing\ninclude \"missing\"\n$b on \"end\"");
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	ATF_CHECK_STREQ("<listen> ERROR ERROR <port> ERROR ERROR 'nothing' "
	    "ERROR ERROR <on> 'end'", rest(c));
	ATF_CHECK_STREQ("main.conf:1: macro \"$a\": not defined\n"
	    "main.conf:2: string: no closing quote\n"
	    "main.conf:3: number 99999999999999999999: too large\n"
	    "main.conf:4: include: a file name in quotes must follow\n"
	    "main.conf:5: ./missing: No such file or directory\n"
	    "main.conf:6: macro \"$b\": not defined\n", errors);
	ATF_CHECK_EQ(6, conf_errors(c));
	conf_free(c);
}

/* Left in the midst of everything. */
ATF_TC_WITHOUT_HEAD(freed_early);
ATF_TC_BODY(freed_early, tc)
{
	struct conf		*c = begin();
	struct conf_value	 v;

	file("more.conf", "x y");
	file("main.conf", "m = \"include \\\"more.conf\\\" z\" $m");
	ATF_REQUIRE_EQ(0, conf_define(c, "m=include \"more.conf\" z"));
	ATF_REQUIRE_EQ(0, conf_open(c, "main.conf", 0));
	while (conf_lex(c, &v) == TOKEN_STRING || v.string == NULL) {
		if (v.string != NULL && strcmp(v.string, "x") == 0)
			break;
		free(v.string);
	}
	free(v.string);
	conf_free(c);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, words);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, strings);
	ATF_TP_ADD_TC(tp, strings_without_end);
	ATF_TP_ADD_TC(tp, comments);
	ATF_TP_ADD_TC(tp, nuls);
	ATF_TP_ADD_TC(tp, very_long_words);
	ATF_TP_ADD_TC(tp, macros);
	ATF_TP_ADD_TC(tp, macro_names);
	ATF_TP_ADD_TC(tp, defined);
	ATF_TP_ADD_TC(tp, macros_without_end);
	ATF_TP_ADD_TC(tp, long_rows);
	ATF_TP_ADD_TC(tp, includes);
	ATF_TP_ADD_TC(tp, directories);
	ATF_TP_ADD_TC(tp, directories_that_fail);
	ATF_TP_ADD_TC(tp, includes_that_fail);
	ATF_TP_ADD_TC(tp, includes_without_end);
	ATF_TP_ADD_TC(tp, main_file);
	ATF_TP_ADD_TC(tp, secret_files);
	ATF_TP_ADD_TC(tp, secret_files_of_others);
	ATF_TP_ADD_TC(tp, places);
	ATF_TP_ADD_TC(tp, hostile_errors);
	ATF_TP_ADD_TC(tp, many_errors);
	ATF_TP_ADD_TC(tp, freed_early);
	return (atf_no_error());
}
