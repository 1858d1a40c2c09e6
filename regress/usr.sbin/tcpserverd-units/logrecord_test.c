/*
 * The daemon's log lines: what they look like, and that no value can be
 * taken for more than one.
 */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vis.h>

#include <atf-c.h>

#include "tcpserverd.h"

/* In JSON the time stands first: not the same twice. */
#define JSON_TIME	"{\"time\":\"2026-11-22T08:00:00.123Z\""

static char *
finished(struct logrecord *r)
{
	static char	text[LOGRECORD_SIZE + 1];

	logrecord_end(r);
	ATF_REQUIRE(r->len <= LOGRECORD_SIZE);
	memcpy(text, r->buf, r->len);
	text[r->len] = '\0';
	return (text);
}

static char *
text_line(const char *value)
{
	static struct logrecord	r;

	logrecord_begin(&r, 0, "end");
	logrecord_text(&r, "k", value);
	return (finished(&r) + strlen("event=end"));
}

static char *
json_line(const char *value)
{
	static struct logrecord	r;

	logrecord_begin(&r, 1, "end");
	logrecord_text(&r, "k", value);
	return (finished(&r) + strlen(JSON_TIME));
}

ATF_TC_WITHOUT_HEAD(text_golden);
ATF_TC_BODY(text_golden, tc)
{
	struct logrecord	r;

	logrecord_begin(&r, 0, "end");
	logrecord_text(&r, "service", "smtp");
	logrecord_number(&r, "id", UINT64_MAX);
	logrecord_number(&r, "zero", 0);
	logrecord_text(&r, "nobody", NULL);
	logrecord_unknown(&r, "nothing");
	logrecord_ms(&r, "never", -1);
	logrecord_ms(&r, "short", 7);
	logrecord_ms(&r, "long", INT64_MAX);
	ATF_CHECK_STREQ("event=end service=smtp id=18446744073709551615 "
	    "zero=0 short=0.007 long=9223372036854775.807", finished(&r));
	ATF_CHECK_STREQ(" k=mx.example.org", text_line("mx.example.org"));
	ATF_CHECK_STREQ(" k=2001:db8::1", text_line("2001:db8::1"));
	ATF_CHECK_STREQ(" k=\"\"", text_line(""));
	ATF_CHECK_STREQ(" k=\"a b\"", text_line("a b"));
	ATF_CHECK_STREQ(" k=\"a=b\"", text_line("a=b"));
	ATF_CHECK_STREQ(" k=\"a\\\"b\\\\\"", text_line("a\"b\\"));
	ATF_CHECK_STREQ(" k=\"\\n\\r\\t\\001\\033\\177\\377\"",
	    text_line("\n\r\t\001\033\177\377"));
}

ATF_TC_WITHOUT_HEAD(json_golden);
ATF_TC_BODY(json_golden, tc)
{
	struct logrecord	r;
	char			*line;

	logrecord_begin(&r, 1, "end");
	logrecord_text(&r, "service", "smtp");
	logrecord_number(&r, "id", 7);
	logrecord_text(&r, "nobody", NULL);
	logrecord_unknown(&r, "nothing");
	logrecord_ms(&r, "never", -1);
	logrecord_ms(&r, "short", 12007);
	line = finished(&r);
	ATF_CHECK(strncmp(line, "{\"time\":\"20", 11) == 0);
	ATF_CHECK_STREQ(",\"event\":\"end\",\"service\":\"smtp\",\"id\":7,"
	    "\"nobody\":null,\"nothing\":null,\"never\":null,"
	    "\"short\":12.007}", line + strlen(JSON_TIME));
	ATF_CHECK_STREQ(",\"event\":\"end\",\"k\":\"a b=c\"}",
	    json_line("a b=c"));
	ATF_CHECK_STREQ(",\"event\":\"end\",\"k\":\"\\\"\\\\\\\\\\\\n\"}",
	    json_line("\"\\\n"));
	ATF_CHECK_STREQ(",\"event\":\"end\",\"k\":\"\\\\303\\\\244\"}",
	    json_line("\303\244"));
}

/* The time is now's, whatever the zone. */
ATF_TC_WITHOUT_HEAD(json_time);
ATF_TC_BODY(json_time, tc)
{
	struct logrecord	r;
	char			want[2][32];
	time_t			before, after;

	setenv("TZ", "Pacific/Kiritimati", 1);
	before = time(NULL);
	logrecord_begin(&r, 1, "end");
	after = time(NULL);
	strftime(want[0], sizeof(want[0]), "%Y-%m-%dT%H:%M:%S.",
	    gmtime(&before));
	strftime(want[1], sizeof(want[1]), "%Y-%m-%dT%H:%M:%S.",
	    gmtime(&after));
	ATF_CHECK(after - before > 1 ||
	    strncmp(r.buf + 9, want[0], 20) == 0 ||
	    strncmp(r.buf + 9, want[1], 20) == 0);
	ATF_CHECK_EQ('Z', r.buf[9 + 23]);
}

/* Out of the quotes again, as a reader would: the value, to the byte. */
static void
unquote(char *out, const char *line, int json)
{
	const char	*p = strchr(line, json ? ':' : '=') + 1;
	char		 vis[2048], *v = vis;

	if (json)
		p = strstr(line, "\"k\":") + 4;
	if (*p != '"') {
		strlcpy(vis, p, sizeof(vis));
	} else {
		for (p++; *p != '"'; p++) {
			ATF_REQUIRE(*p != '\0');
			if (p[0] == '\\' && (json || p[1] == '"'))
				p++;
			else if (p[0] == '\\' && p[1] == '\\')
				*v++ = *p++;
			*v++ = *p;
		}
		*v = '\0';
		ATF_CHECK_STREQ(json ? "}" : "", p + 1);
	}
	ATF_REQUIRE(strunvis(out, vis) >= 0);
}

ATF_TC_WITHOUT_HEAD(every_byte_comes_back);
ATF_TC_BODY(every_byte_comes_back, tc)
{
	char	value[8], out[2048], *line;
	int	a, b, json, i;

	for (json = 0; json < 2; json++)
		for (a = 1; a < 256; a++)
			for (b = 1; b < 256; b += a % 7 + 1) {
				value[0] = (char)a;
				value[1] = (char)b;
				value[2] = (char)a;
				value[3] = '1';
				value[4] = '\0';
				line = json ? json_line(value) :
				    text_line(value);
				for (i = 0; line[i] != '\0'; i++)
					ATF_REQUIRE(line[i] >= ' ' &&
					    line[i] <= '~');
				unquote(out, line, json);
				ATF_REQUIRE_STREQ(value, out);
			}
}

/* Hostile in every way a name, an ident answer or a rule's key can be. */
ATF_TC_WITHOUT_HEAD(nothing_forged);
ATF_TC_BODY(nothing_forged, tc)
{
	static const char	*const hostile[] = {
		"x verdict=allowed", "x\" verdict=allowed", "x\\",
		"x\\\" verdict=allowed k=\"", "\n<0>tcpserverd: forged",
		"\",\"verdict\":\"allowed", "\\u0022", "}\n{", "\xff\xfe",
		"\xed\xa0\x80", "\xe2\x80\xae", "\033[2J", "\\033", "%s%n"
	};
	char			out[2048];
	size_t			i;
	int			json;

	for (json = 0; json < 2; json++)
		for (i = 0; i < nitems(hostile); i++) {
			unquote(out, json ? json_line(hostile[i]) :
			    text_line(hostile[i]), json);
			ATF_CHECK_STREQ(hostile[i], out);
		}
}

/* Cut, marked, closed: with no escape sequence in halves. */
ATF_TC_WITHOUT_HEAD(long_values);
ATF_TC_BODY(long_values, tc)
{
	static const char	fill[] = { 'a', ' ', '"', '\\', '\n', '\377' };
	char			value[3000], out[3000], *line;
	size_t			len, i;
	int			json;

	for (json = 0; json < 2; json++)
		for (i = 0; i < sizeof(fill); i++)
			for (len = 1; len < sizeof(value); len += 1 + len / 9) {
				memset(value, fill[i], len);
				value[len] = '\0';
				line = json ? json_line(value) :
				    text_line(value);
				ATF_REQUIRE(strlen(line) < 300);
				unquote(out, line, json);
				if (strcmp(out, value) == 0)
					continue;
				ATF_REQUIRE(strlen(out) > 3);
				ATF_CHECK_STREQ("...", out + strlen(out) - 3);
				ATF_CHECK(strncmp(out, value,
				    strlen(out) - 3) == 0);
			}
}

/* All keys of a session with values as long as can be: nothing is cut off. */
ATF_TC_WITHOUT_HEAD(longest_line);
ATF_TC_BODY(longest_line, tc)
{
	static const char	*const keys[] = { "service", "verdict",
		"reason", "error", "remote_name", "ident", "local_name",
		"rule" };
	static const char	*const numbers[] = { "id", "remote_port",
		"local_port", "pid", "exit", "signal" };
	struct logrecord	r;
	char			value[1025], line[LOGRECORD_LINE_SIZE];
	size_t			i;

	memset(value, '\001', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	logrecord_begin(&r, 1, "end");
	for (i = 0; i < nitems(keys); i++)
		logrecord_text(&r, keys[i], i > 2 ? value : "a word of 31 "
		    "bytes at the most");
	logrecord_text(&r, "remote_ip", "2001:db8:1111:2222:3333:4444:5555:6");
	logrecord_text(&r, "local_ip", "2001:db8:1111:2222:3333:4444:5555:6");
	for (i = 0; i < nitems(numbers); i++)
		logrecord_number(&r, numbers[i], UINT64_MAX);
	logrecord_ms(&r, "wait_ms", INT64_MAX);
	logrecord_ms(&r, "duration_ms", INT64_MAX);
	logrecord_end(&r);
	ATF_CHECK(r.len < LOGRECORD_SIZE);
	ATF_CHECK_EQ('}', r.buf[r.len - 1]);
	log_init("tcpserverd", NULL, 0);
	log_syslog(184);
	ATF_CHECK(logrecord_line(&r, 191, line) <= LOG_SYSLOG_MAX + 1);
	/* Whatever one throws at it, there is no way out of the buffer. */
	for (i = 0; i < 100; i++)
		logrecord_text(&r, "k", value);
	ATF_CHECK_EQ(LOGRECORD_SIZE, r.len);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, text_golden);
	ATF_TP_ADD_TC(tp, json_golden);
	ATF_TP_ADD_TC(tp, json_time);
	ATF_TP_ADD_TC(tp, every_byte_comes_back);
	ATF_TP_ADD_TC(tp, nothing_forged);
	ATF_TP_ADD_TC(tp, long_values);
	ATF_TP_ADD_TC(tp, longest_line);
	return (atf_no_error());
}
