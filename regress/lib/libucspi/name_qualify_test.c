/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * From host words to names: rules and configuration files.  What is wanted
 * here was seen of Debian's tcpclient, question by question; the classic
 * test beside this one compares with it where it can be had.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi_name.h"

static struct name_source	source;
static struct name_config	config;

static void
file_write(const char *path, const char *text)
{
	FILE	*f;

	ATF_REQUIRE((f = fopen(path, "w")) != NULL);
	ATF_REQUIRE(fputs(text, f) >= 0);
	ATF_REQUIRE(fclose(f) == 0);
}

/* What a source with nothing in it looks like. */
static void
source_reset(void)
{
	memset(&source, 0, sizeof(source));
	source.rewrite_file = "nowhere";
	source.resolv_file = "nowhere";
}

static void
config_read(void)
{
	name_config_free(&config);
	ATF_REQUIRE(name_config_read(&config, &source) == 0);
}

static void
candidates_check(const char *word, const char *wanted)
{
	struct name_candidates	 c;
	const char		*name;
	char			 out[1024];
	size_t			 len = 0;

	out[0] = '\0';
	ATF_REQUIRE(name_qualify(&c, &config, word) == 0);
	while ((name = name_candidate_next(&c)) != NULL)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s|",
		    name);
	ATF_CHECK(name_candidate_next(&c) == NULL);
	ATF_CHECK_STREQ_MSG(wanted, out, "%s: %s, not %s", word, out, wanted);
	name_candidates_free(&c);
}

static void
rewrite(const char *text)
{
	file_write("rewrite", text);
	source_reset();
	source.rewrite_file = "rewrite";
	source.local_domain = "not.this";
	config_read();
}

ATF_TC_WITHOUT_HEAD(rewrite_rules);
ATF_TC_BODY(rewrite_rules, tc)
{
	rewrite("?:.suf\n*.:\n");
	candidates_check("plain", "plain.suf|");
	candidates_check("plain.", "plain|");
	candidates_check("p.q", "p.q|");
	candidates_check("p[", "p[|");
	candidates_check("p]", "p]|");

	rewrite("=a:b.c\n*.d:.e.f");
	candidates_check("a", "b.c|");
	candidates_check("A", "b.c|");
	candidates_check("aa", "aa|");
	candidates_check("X.D", "X.e.f|");
	candidates_check(".d", ".e.f|");
	candidates_check("d", "d|");

	rewrite("-.d:whole.x\n");
	candidates_check("a.d", "whole.x|");
	candidates_check("x.D", "whole.x|");
	candidates_check("b", "b|");

	rewrite("?.d:.e.x\n");
	candidates_check("a.d", "a.e.x|");
	candidates_check("a.b.d", "a.b.d|");
	candidates_check("a].d", "a].d|");

	/* Each on the result of the last. */
	rewrite("=a:b\n=b:c\n*:.z\n");
	candidates_check("a", "c.z|");
	rewrite("=b:c\n=a:b\n");
	candidates_check("a", "b|");
}

ATF_TC_WITHOUT_HEAD(rewrite_lines);
ATF_TC_BODY(rewrite_lines, tc)
{
	rewrite(" =a:b.c\n=a:c.c \t \n");
	candidates_check("a", "c.c|");
	rewrite("#=a:b\n\n=a:d.c:e");
	candidates_check("a", "d.c:e|");
	rewrite("=a\n=a:");
	candidates_check("a", "|");
	rewrite("=a:b\r\n");
	candidates_check("a", "b|");
	rewrite("");
	candidates_check("a.", "a.|");
}

ATF_TC_WITHOUT_HEAD(pluses);
ATF_TC_BODY(pluses, tc)
{
	source_reset();
	source.local_domain = "d1.x d2.x";
	config_read();
	candidates_check("plain", "plain.d1.x|plain.d2.x|");
	candidates_check("a.b", "a.b|");
	candidates_check("a.b.", "a.b|");
	candidates_check("5", "5.d1.x|5.d2.x|");
	candidates_check("a+b+c", "ab|ac|a.d1.x|a.d2.x|");
	candidates_check("a.b+c+d", "a.bc|a.bd|");
	candidates_check("x+", "x|x.d1.x|x.d2.x|");
	candidates_check("+", "|.d1.x|.d2.x|");
}

ATF_TC_WITHOUT_HEAD(local_domain);
ATF_TC_BODY(local_domain, tc)
{
	static const struct {
		const char	*value, *wanted;
	} table[] = {
		{ "", "p|" }, { "a", "p.a|" }, { " a", "p.|p.a|" },
		{ "a  b", "p.a|p.|p.b|" }, { "a b ", "p.a|p.b|p|" },
		{ "a\tb", "p.a\tb|" }, { ".a", "p..a|" },
	};
	size_t	i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		source_reset();
		source.local_domain = table[i].value;
		config_read();
		candidates_check("p", table[i].wanted);
	}
}

ATF_TC_WITHOUT_HEAD(resolv_domains);
ATF_TC_BODY(resolv_domains, tc)
{
	static const struct {
		const char	*text, *wanted;
	} table[] = {
		{ "nameserver 127.0.0.9\nsearch aa bb\n", "p.aa|p.bb|" },
		{ "domain dd\nsearch aa bb\n", "p.dd|" },
		{ "search  \taa\t bb \ndomain dd", "p.aa|p.bb|" },
		{ " search aa\ndomain dd # c", "p.dd|p.#|p.c|" },
		{ "searchaa bb\n", "p.host.name|" },
		{ "search\naa", "p.host.name|" },
		{ "search \ndomain x", "p.x|" },
		{ "domain a b", "p.a|p.b|" },
		{ "DOMAIN a b", "p.host.name|" },
		{ "search a\r\n", "p.a|" },
		{ "", "p.host.name|" },
	};
	size_t	i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		file_write("resolv", table[i].text);
		source_reset();
		source.resolv_file = "resolv";
		source.host_name = "my.host.name";
		config_read();
		candidates_check("p", table[i].wanted);
		candidates_check("p.q.", "p.q|");
	}
	source_reset();
	source.host_name = "nodot";
	config_read();
	candidates_check("p", "p|");
	candidates_check("p.", "p|");
}

static void
servers_check(const char *wanted)
{
	char		buf[NETADDR_TEXT_SIZE], out[1024];
	size_t		len = 0;
	unsigned int	i;

	out[0] = '\0';
	for (i = 0; i < config.server_count; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s|",
		    netaddr_text(&config.servers[i], buf));
	ATF_CHECK_STREQ(wanted, out);
}

ATF_TC_WITHOUT_HEAD(cache_ip);
ATF_TC_BODY(cache_ip, tc)
{
	static const struct {
		const char	*value, *wanted;
	} table[] = {
		{ "127.0.0.9", "127.0.0.9|" },
		{ "127.0.0.9.127.0.0.1", "127.0.0.9|127.0.0.1|" },
		{ "...127.0.0.9...10.0.0.1.", "127.0.0.9|10.0.0.1|" },
		{ "127.0.0.9x", "127.0.0.9|" },
		{ "127.0.0", "10.2.2.2|" }, { "", "10.2.2.2|" },
		{ "x", "10.2.2.2|" }, { "1x127.0.0.9", "10.2.2.2|" },
		{ "127.0.0.2:127.0.0.9", "127.0.0.2|" },
		{ "127.0.0.2127.0.0.9", "127.0.0.79|" },
		{ "127.0.0.265", "127.0.0.9|" },
		{ "127.0.0.2 127.0.0.9", "127.0.0.2|" },
	};
	size_t	i;

	file_write("resolv", "nameserver 10.2.2.2\n");
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		source_reset();
		source.resolv_file = "resolv";
		source.cache_ip = table[i].value;
		config_read();
		servers_check(table[i].wanted);
	}
}

ATF_TC_WITHOUT_HEAD(cache_ip_many);
ATF_TC_BODY(cache_ip_many, tc)
{
	char	value[512];
	int	i;

	value[0] = '\0';
	for (i = 0; i < 20; i++)
		strlcat(value, "10.0.0.1.", sizeof(value));
	source_reset();
	source.cache_ip = value;
	config_read();
	ATF_CHECK_EQ(16, config.server_count);
}

ATF_TC_WITHOUT_HEAD(nameservers);
ATF_TC_BODY(nameservers, tc)
{
	static const struct {
		const char	*text, *wanted;
	} table[] = {
		{ "nameserver 127.0.0.9\n", "127.0.0.9|" },
		{ "nameserver\t 127.0.0.9", "127.0.0.9|" },
		{ " nameserver 127.0.0.9\n", "127.0.0.1|" },
		{ "nameserver127.0.0.9\n", "127.0.0.1|" },
		{ "nameserver 127.0.0.9#53\n", "127.0.0.9|" },
		{ "nameserver 127.0.0.5 127.0.0.9\n", "127.0.0.5|" },
		{ "nameserver 0\nnameserver 127.0.0.9\r\n", "127.0.0.9|" },
		{ "#nameserver 10.0.0.1\n;x\nnameserver 127.0.0.9\n",
		    "127.0.0.9|" },
		{ "nameserver 10.0.0.1\nnameserver 127.0.0.9\n",
		    "10.0.0.1|127.0.0.9|" },
		{ "nameserver 0.0.0.0\n", "127.0.0.1|" },
		{ "", "127.0.0.1|" },
		/* Ours: 0.88 passes over IPv6 servers. */
		{ "nameserver ::1\nnameserver 127.0.0.9\n", "127.0.0.9|" },
		{ "nameserver ::1\r\nnameserver 2001:db8::1 x\n",
		    "::1|2001:db8::1|" },
		{ "nameserver fe80::1%eth0\n", "127.0.0.1|" },
	};
	size_t	i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		file_write("resolv", table[i].text);
		source_reset();
		source.resolv_file = "resolv";
		config_read();
		servers_check(table[i].wanted);
	}
	source_reset();
	config_read();
	servers_check("127.0.0.1|");
}

/* Not being there is one thing, not being readable another. */
ATF_TC_WITHOUT_HEAD(unreadable);
ATF_TC_BODY(unreadable, tc)
{
	struct name_candidates	c;

	ATF_REQUIRE(mkdir("dir", 0755) == 0);
	source_reset();
	source.rewrite_file = "dir";
	source.cache_ip = "127.0.0.9";
	config_read();
	servers_check("127.0.0.9|");
	ATF_CHECK_EQ(EISDIR, config.rules_error);
	errno = 0;
	ATF_CHECK_EQ(-1, name_qualify(&c, &config, "a.b"));
	ATF_CHECK_EQ(EISDIR, errno);

	source_reset();
	source.resolv_file = "dir";
	config_read();
	ATF_CHECK_EQ(0, config.server_count);
	ATF_CHECK_EQ(EISDIR, config.servers_error);
	ATF_CHECK_EQ(EISDIR, config.rules_error);

	/* What was set by hand needs no file. */
	source.cache_ip = "127.0.0.9";
	source.local_domain = "d";
	config_read();
	ATF_CHECK_EQ(0, config.servers_error);
	ATF_CHECK_EQ(0, config.rules_error);
	candidates_check("a", "a.d|");
}

ATF_TC_WITHOUT_HEAD(file_too_big);
ATF_TC_BODY(file_too_big, tc)
{
	FILE	*f;
	int	 i;

	ATF_REQUIRE((f = fopen("big", "w")) != NULL);
	for (i = 0; i < 65537; i++)
		(void)fputc('\n', f);
	ATF_REQUIRE(fclose(f) == 0);
	source_reset();
	source.rewrite_file = "big";
	config_read();
	ATF_CHECK_EQ(EFBIG, config.rules_error);
}

/* Sixteen thousand rules, each making the name longer. */
ATF_TC_WITHOUT_HEAD(growth);
ATF_TC_BODY(growth, tc)
{
	struct name_candidates	 c;
	const char		*name;
	FILE			*f;
	int			 i;

	ATF_REQUIRE((f = fopen("rewrite", "w")) != NULL);
	for (i = 0; i < 16384; i++)
		(void)fputs("*:x\n", f);
	ATF_REQUIRE(fclose(f) == 0);
	source_reset();
	source.rewrite_file = "rewrite";
	config_read();
	ATF_REQUIRE_EQ(0, config.rules_error);
	ATF_REQUIRE(name_qualify(&c, &config, "a") == 0);
	ATF_REQUIRE((name = name_candidate_next(&c)) != NULL);
	ATF_CHECK_EQ(16385, strlen(name));
	name_candidates_free(&c);
}

static void
literal_check(const char *word, const char *wanted)
{
	struct netaddr	addr[4];
	char		buf[NETADDR_TEXT_SIZE], out[256];
	size_t		len = 0;
	int		i, n;

	memset(addr, 0xff, sizeof(addr));
	out[0] = '\0';
	if ((n = name_literal(word, addr, 4)) == -1)
		strlcpy(out, "name", sizeof(out));
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s|",
		    netaddr_text(&addr[i], buf));
	ATF_CHECK_STREQ_MSG(wanted, out, "%s: %s, not %s", word, out, wanted);
}

ATF_TC_WITHOUT_HEAD(literals);
ATF_TC_BODY(literals, tc)
{
	literal_check("127.0.0.1", "127.0.0.1|");
	literal_check("127.000.000.001", "127.0.0.1|");
	literal_check("[127.0.0.1]", "127.0.0.1|");
	literal_check("[1]2[7.]0.0.1[[", "127.0.0.1|");
	literal_check("127.1", "");
	literal_check("1.2.3", "");
	literal_check("1.2.3.4.5", "1.2.3.4|");
	literal_check("1.2.3.4.", "1.2.3.4|");
	literal_check("1.2.3.4.5.6.7.8", "1.2.3.4|5.6.7.8|");
	literal_check("1..2.3", "1.0.2.3|");
	literal_check("...", "0.0.0.0|");
	literal_check("256.1.1.257", "0.1.1.1|");
	literal_check("4294967297.0.0.1", "1.0.0.1|");
	literal_check("99999999999999999999999.0.0.1", "255.0.0.1|");
	literal_check("", "");
	literal_check("[", "");
	literal_check("5", "");
	literal_check("1.1.1.1.2.2.2.2.3.3.3.3.4.4.4.4.5.5.5.5.6",
	    "1.1.1.1|2.2.2.2|3.3.3.3|4.4.4.4|");
	literal_check("1.2.3.4x", "name");
	literal_check("a.b", "name");
	literal_check("1.2.3.-4", "name");
	literal_check("::1", "::1|");
	literal_check("[2001:DB8::1]", "2001:db8::1|");
	literal_check("::ffff:1.2.3.4", "1.2.3.4|");
	literal_check("1.2.3.4:5", "name");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, rewrite_rules);
	ATF_TP_ADD_TC(tp, rewrite_lines);
	ATF_TP_ADD_TC(tp, pluses);
	ATF_TP_ADD_TC(tp, local_domain);
	ATF_TP_ADD_TC(tp, resolv_domains);
	ATF_TP_ADD_TC(tp, cache_ip);
	ATF_TP_ADD_TC(tp, cache_ip_many);
	ATF_TP_ADD_TC(tp, nameservers);
	ATF_TP_ADD_TC(tp, unreadable);
	ATF_TP_ADD_TC(tp, file_too_big);
	ATF_TP_ADD_TC(tp, growth);
	ATF_TP_ADD_TC(tp, literals);
	return (atf_no_error());
}
