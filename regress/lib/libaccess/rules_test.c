/*
 * Lines of rules and the records they make.  What 0.88 takes was tried on
 * Debian's tcprules; a test beside tcprules compares with it at run time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "compat.h"
#include "rules.h"

#define OUT_SIZE	4096

static char	out[OUT_SIZE];
static int	sink_errors;

/* Shows records as "key->data|", NULs as '~', other odd bytes as \ooo. */
static void
bytes_show(const uint8_t *bytes, size_t len)
{
	size_t	i, used;

	for (i = 0; i < len; i++) {
		used = strlen(out);
		ATF_REQUIRE(used + 8 < sizeof(out));
		if (bytes[i] == '\0')
			strcpy(out + used, "~");
		else if (bytes[i] < ' ' || bytes[i] > '~')
			sprintf(out + used, "\\%03o", bytes[i]);
		else
			sprintf(out + used, "%c", bytes[i]);
	}
}

static int
record_show(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *data, size_t data_len)
{
	if (sink_errors)
		return (-1);
	bytes_show(key, key_len);
	strcat(out, "->");
	bytes_show(data, data_len);
	strcat(out, "|");
	return (0);
}

static enum rules_result
line_run(const char *line, size_t len, int *has_networks)
{
	struct rules		rules;
	enum rules_result	result;
	uint8_t			*copy;

	/* A copy of just that size, so that ASan sees a byte too far. */
	ATF_REQUIRE((copy = malloc(len + 1)) != NULL);
	memcpy(copy, line, len);
	ATF_REQUIRE((copy = realloc(copy, len == 0 ? 1 : len)) != NULL);
	memset(&rules, 0, sizeof(rules));
	out[0] = '\0';
	result = rules_line(&rules, copy, len, record_show, NULL);
	if (has_networks != NULL)
		*has_networks = rules.has_networks;
	rules_free(&rules);
	free(copy);
	return (result);
}

struct line {
	const char	*text;
	const char	*records;	/* NULL: does not parse */
};

static void
lines_check(const struct line *lines, size_t count)
{
	enum rules_result	result;
	size_t			i;

	for (i = 0; i < count; i++) {
		result = line_run(lines[i].text, strlen(lines[i].text), NULL);
		if (lines[i].records == NULL) {
			ATF_CHECK_EQ_MSG(RULES_SYNTAX, result, "%s: %d, %s",
			    lines[i].text, result, out);
			continue;
		}
		ATF_CHECK_EQ_MSG(RULES_DONE, result, "%s", lines[i].text);
		ATF_CHECK_MSG(strcmp(lines[i].records, out) == 0,
		    "%s: %s, not %s", lines[i].text, out, lines[i].records);
	}
}

static const struct line	classic[] = {
	{ "", "" }, { "#1.2.3.4:deny", "" }, { " #x:deny", " #x->D~|" },
	{ "no colon", "" }, { "deny", "" },
	{ "1.2.3.4:deny", "1.2.3.4->D~|" }, { "1.2.3.4:allow", "1.2.3.4->|" },
	{ ":allow", "->|" }, { "=:deny", "=->D~|" },
	{ " 1.2.:allow", " 1.2.->|" },
	{ "1.2.3.4: deny", NULL }, { "1.2.3.4:Deny", NULL },
	{ "1.2.3.4:", NULL }, { "1.2.3.4:denyx", NULL },
	{ "1.2.3.4:deny\r", NULL }, { "1.2.3.4:deny ,A=\"\"", NULL },
	{ "a:allow,", NULL }, { "a:allow,A", NULL }, { "a:allow,A=", NULL },
	{ "a:allow,A=\"", NULL }, { "a:allow,A=\"x", NULL },
	{ "a:allow,A=\"x\",", NULL }, { "a:allow,A=\"x\"y", NULL },
	{ "a:allow,A=\"\"", "a->+A=~|" },
	{ "a:allow,=\"x\"", "a->+=x~|" },
	{ "a:allow, A,b=\"x\"", "a->+ A,b=x~|" },
	{ "a:allow,A=/x:y/,B=,=,,C= 1 ", "a->+A=x:y~+B==~+C=1~|" },
	{ "a:deny,A==1=", "a->D~+A=1~|" },
	{ "a:allow,A=xvx,A=yvy", "a->+A=v~+A=v~|" },
	{ "joe@1.2.3.4:deny", "joe@1.2.3.4->D~|" },
	{ "joe@=a.b:deny", "joe@=a.b->D~|" }, { "@1.2.:deny", "@1.2.->D~|" },
	{ "[1.2.3.4]:deny", "[1.2.3.4]->D~|" },
	{ "hello:deny", "hello->D~|" }, { "1.2.3:deny", "1.2.3->D~|" },
	{ "_0:deny", "_0->D~|" }, { "^0:deny", "^0->D~|" },
	{ "fe80:deny", "fe80->D~|" },
};

ATF_TC_WITHOUT_HEAD(classic_lines);
ATF_TC_BODY(classic_lines, tc)
{
	lines_check(classic, nitems(classic));
}

static const struct line	ranges[] = {
	{ "1.2-4.:deny", "1.2.->D~|1.3.->D~|1.4.->D~|" },
	{ "7-8:allow", "7->|8->|" }, { "5-3:allow", "" },
	{ "-2:allow", "0->|1->|2->|" }, { "1.-.2:deny", "1.0.2->D~|" },
	{ "1-:allow", "" }, { "254-999:allow", "254->|255->|" },
	{ "300-301:allow", "" }, { "05-006:allow", "5->|6->|" },
	{ "1-2.3-4:allow", "1.3-4->|2.3-4->|" }, { "1.2-3-4:allow", NULL },
	{ "18446744073709551617-2:allow", "1->|2->|" },
	{ "foo-bar:deny", NULL }, { "1-2 :deny", NULL },
	{ "=foo-bar:deny", "=foo-bar->D~|" },
	{ "foo-bar@1.2.3.4:deny", "foo-bar@1.2.3.4->D~|" },
	{ "a.1-2.b:deny", "a.1.b->D~|a.2.b->D~|" },
	{ "10.0-1.0.0/16:deny", "_0000e0g000000000->D~|"
	    "_0000e0g00000000p->D~|" },
	{ "10.0-1.0.0/33:deny", NULL }, { "10.0.0.0-1/8:deny", NULL },
};

ATF_TC_WITHOUT_HEAD(range_lines);
ATF_TC_BODY(range_lines, tc)
{
	lines_check(ranges, nitems(ranges));
}

static const struct line	v6[] = {
	{ "2001:db8::1:allow", "2001:db8::1->|" },
	{ "2001:DB8:0:0::1:deny,A=\"x:deny\"", "2001:db8::1->D~+A=x:deny~|" },
	{ "2001:0db8:0000:0000:0000:0000:0000:0001:allow",
	    "2001:db8::1->|" },
	{ "[2001:db8::1]:allow", "2001:db8::1->|" },
	{ "[::1]:allow", "::1->|" }, { ":::deny", "::->D~|" },
	{ "::1:deny", "::1->D~|" }, { "1:::deny", "1::->D~|" },
	{ "2001:db8:0:1:0:0:0:1:allow", "2001:db8:0:1::1->|" },
	{ "1:0:0:2:0:0:0:3:allow", "1:0:0:2::3->|" },
	{ "::ffff:1.2.3.4:deny", "1.2.3.4->D~|" },
	{ "::ffff:102:304:deny", "1.2.3.4->D~|" },
	{ "joe@2001:DB8::1:allow", "joe@2001:db8::1->|" },
	{ "joe@[2001:DB8::1]:allow", "joe@2001:db8::1->|" },
	{ "a:b@::1:allow", "a:b@::1->|" }, { "@::1:deny", "@::1->D~|" },
	{ "joe@::ffff:1.2.3.4:deny", "joe@1.2.3.4->D~|" },
	{ "a-b@::1:deny", "a-b@::1->D~|" },
	/* Text prefixes. */
	{ "2001:db8::deny", "2001:db8:->D~|" },
	{ "2001:0DB8::deny", "2001:db8:->D~|" },
	{ "2001::deny", "2001:->D~|" }, { "::1::deny", NULL },
	{ "2001:0DB8:0000:000a::deny", "2001:db8:0:a:->D~|" },
	{ "0:1:0:2::deny", "0:1:0:2:->D~|" },
	{ "1:2:3:4:5:6:7::deny", "1:2:3:4:5:6:7:->D~|" },
	/* Clients' texts would not begin so. */
	{ "0::deny", NULL }, { "2001:db8:0::deny", NULL },
	{ "2001:db8:0:0::deny", NULL }, { "1:0:0:2::deny", NULL },
	{ "2001:db8::1::deny", NULL }, { "::ffff::deny", NULL },
	{ "0:0:0:0:0:ffff::deny", NULL }, { "::ffff:1.2.::deny", NULL },
	{ "[2001:db8:]:deny", NULL },
	{ "1:2:3:4:5:6:7:8::deny", NULL }, { "::deny", NULL },
	{ "12345::deny", NULL }, { "g::deny", NULL },
	{ "1::2::3::deny", NULL }, { "joe@2001:db8::deny", NULL },
	/* No IPv6 address before the instruction. */
	{ "1.2.3.4:5:deny", NULL }, { "fe80::1%eth0:deny", NULL },
	{ "=a:b:deny", NULL }, { "[::1:deny", NULL }, { "::1]:deny", NULL },
	{ "[]:deny", "[]->D~|" }, { "[:]:deny", NULL },
	{ "2001:db8::1:Allow", NULL }, { "2001:db8::1:allow x", NULL },
	{ "2001:db8::1", NULL }, { "::1:allow,A", NULL },
	{ "1:2:3:4:5:6:7:8:9:deny", NULL }, { "1.2.3.4::deny", NULL },
	{ " ::1:deny", NULL }, { "::1 :deny", NULL },
};

ATF_TC_WITHOUT_HEAD(v6_lines);
ATF_TC_BODY(v6_lines, tc)
{
	lines_check(v6, nitems(v6));
}

static const struct line	networks[] = {
	{ "10.0.0.0/8:deny", "_0000e0g0->D~|" },
	{ "10.1.2.3/8:allow,A=\"/\"", "_0000e0g0->+A=/~|" },
	{ "0.0.0.0/0:deny", "_->D~|" }, { "::/0:deny", "^->D~|" },
	{ "128.0.0.0/1:deny", "_a->D~|" },
	{ "2001:db8::/32:deny", "^00`000000000000a0000bc0de0fgh000->D~|" },
	{ "[2001:db8::]/32:deny",
	    "^00`000000000000a0000bc0de0fgh000->D~|" },
	{ "::ffff:10.0.0.0/104:deny", "_0000e0g0->D~|" },
	{ "::ffff:0:0/96:deny", "_->D~|" },
	{ "[::ffff:1.2.3.4]/96:deny", "_->D~|" },
	/* No client is both mapped and of IPv6. */
	{ "::ffff:10.0.0.0/8:deny", NULL }, { "::ffff:0:0/95:deny", NULL },
	{ "::ffff:10.0.0.0/129:deny", NULL },
	{ "10.0.0.0/33:deny", NULL }, { "::/129:deny", NULL },
	{ "10.0.0.0/:deny", NULL }, { "10.0.0.0/08:deny", NULL },
	{ "10.0.0.0/-1:deny", NULL }, { "10.0.0.0/8x:deny", NULL },
	{ "10.0.0.0/ 8:deny", NULL }, { "10.0.0/8:deny", NULL },
	{ "10/8:deny", NULL }, { "/8:deny", NULL }, { "/:deny", NULL },
	{ "256.0.0.0/8:deny", NULL }, { "10.0.0.0/255.0.0.0:deny", NULL },
	{ "10.0.0.0/8/8:deny", NULL }, { "10.0.0.0/99999999999:deny", NULL },
	{ "[10.0.0.0]/8:deny", NULL }, { "[::/8]:deny", NULL },
	{ "foo/bar:deny", NULL }, { "joe@10.0.0.0/8:deny", NULL },
	{ "joe@::/8:deny", NULL }, { "/lengths:deny", NULL },
	/* A slash in what is no address stays text. */
	{ "=a/b:deny", "=a/b->D~|" }, { "joe@=a/b:deny", "joe@=a/b->D~|" },
	{ "a/b@1.2.3.4:deny", "a/b@1.2.3.4->D~|" },
	{ "a/b@::1:deny", "a/b@::1->D~|" },
};

ATF_TC_WITHOUT_HEAD(network_lines);
ATF_TC_BODY(network_lines, tc)
{
	int	has;

	lines_check(networks, nitems(networks));
	line_run("10.0.0.0/8:deny", 15, &has);
	ATF_CHECK_EQ(1, has);
	line_run("_0:deny", 7, &has);
	ATF_CHECK_EQ(0, has);
}

/* NULs are data, wherever they stand. */
ATF_TC_WITHOUT_HEAD(nul_bytes);
ATF_TC_BODY(nul_bytes, tc)
{
	ATF_CHECK_EQ(RULES_DONE, line_run("a\0b:deny", 8, NULL));
	ATF_CHECK_STREQ("a~b->D~|", out);
	ATF_CHECK_EQ(RULES_DONE, line_run("a:allow,A\0=\0x\0", 14, NULL));
	ATF_CHECK_STREQ("a->+A~=x~|", out);
	/* In a range one ends the number, as in 0.88. */
	ATF_CHECK_EQ(RULES_DONE, line_run("1\0a-2\0b:deny", 12, NULL));
	ATF_CHECK_STREQ("1->D~|2->D~|", out);
	ATF_CHECK_EQ(RULES_SYNTAX, line_run("a:deny\0", 7, NULL));
	ATF_CHECK_EQ(RULES_SYNTAX, line_run("::1\0:deny", 9, NULL));
	ATF_CHECK_EQ(RULES_SYNTAX, line_run("1.0.0.0\0/8:deny", 15, NULL));
	ATF_CHECK_EQ(RULES_SYNTAX, line_run("2001:\0::deny", 12, NULL));
}

ATF_TC_WITHOUT_HEAD(sink_failure);
ATF_TC_BODY(sink_failure, tc)
{
	sink_errors = 1;
	ATF_CHECK_EQ(RULES_SINK, line_run("1-3:deny", 8, NULL));
	ATF_CHECK_EQ(RULES_DONE, line_run("3-1:deny", 8, NULL));
}

ATF_TC_WITHOUT_HEAD(trimming);
ATF_TC_BODY(trimming, tc)
{
	const struct {
		const char	*line;
		size_t		 len;
	} lines[] = {
		{ "", 0 }, { "\n", 0 }, { " \t \n", 0 }, { "a \t\n", 1 },
		{ " a\n", 2 }, { "a\r\n", 2 }, { "a b\n", 3 }
	};
	size_t	i;

	for (i = 0; i < nitems(lines); i++)
		ATF_CHECK_EQ(lines[i].len, rules_trim(
		    (const uint8_t *)lines[i].line, strlen(lines[i].line)));
	ATF_CHECK_EQ(2, rules_trim((const uint8_t *)"a\0 ", 3));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, classic_lines);
	ATF_TP_ADD_TC(tp, range_lines);
	ATF_TP_ADD_TC(tp, v6_lines);
	ATF_TP_ADD_TC(tp, network_lines);
	ATF_TP_ADD_TC(tp, nul_bytes);
	ATF_TP_ADD_TC(tp, sink_failure);
	ATF_TP_ADD_TC(tp, trimming);
	return (atf_no_error());
}
