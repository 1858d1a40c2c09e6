/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The daemon's log lines: keys and values, as text ("key=value key=value")
 * or as one JSON object.  A value may be a stranger's: it is printable
 * ASCII after vis(3)'s fashion, bounded, and closed in itself, so that it
 * can be taken neither for another key nor for another line.
 *
 * Nothing here allocates, locks or asks for anything but the time: the
 * child of vfork(2) writes its last words with it.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "logrecord.h"
#include "ucspi.h"

#define VALUE_MAX	256	/* bytes of one value as it is written */
#define PIECE_MAX	8	/* of one byte of it */
#define CUT_MARK	"..."

static void
bytes_add(struct logrecord *r, const char *bytes, size_t len)
{
	if (len > sizeof(r->buf) - r->len)
		len = sizeof(r->buf) - r->len;
	memcpy(r->buf + r->len, bytes, len);
	r->len += len;
}

static void
string_add(struct logrecord *r, const char *s)
{
	bytes_add(r, s, strlen(s));
}

static void
decimal_add(struct logrecord *r, uint64_t n, unsigned int width)
{
	char	digits[UCSPI_DECIMAL_SIZE];

	bytes_add(r, digits, ucspi_decimal(digits, n, width));
}

static void
key_add(struct logrecord *r, const char *key)
{
	if (r->json) {
		string_add(r, r->len == 0 ? "{\"" : ",\"");
		string_add(r, key);
		string_add(r, "\":");
		return;
	}
	if (r->len > 0)
		bytes_add(r, " ", 1);
	string_add(r, key);
	bytes_add(r, "=", 1);
}

/*
 * Values
 */

static const char *
c_escape(unsigned char c)
{
	switch (c) {
	case '\a':
		return ("\\a");
	case '\b':
		return ("\\b");
	case '\t':
		return ("\\t");
	case '\n':
		return ("\\n");
	case '\v':
		return ("\\v");
	case '\f':
		return ("\\f");
	case '\r':
		return ("\\r");
	case '\\':
		return ("\\\\");
	}
	return (NULL);
}

/* One byte as VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL has it. */
static size_t
byte_vis(char *p, unsigned char c)
{
	const char	*escape = c_escape(c);

	if (escape != NULL) {
		memcpy(p, escape, 2);
		return (2);
	}
	if (c >= 32 && c < 127) {
		*p = (char)c;
		return (1);
	}
	p[0] = '\\';
	p[1] = (char)('0' + (c >> 6));
	p[2] = (char)('0' + (c >> 3 & 7));
	p[3] = (char)('0' + (c & 7));
	return (4);
}

/* In quotes: what would end them, and for JSON what it takes for its own. */
static size_t
byte_write(char *p, unsigned char c, int json)
{
	char	vis[4];
	size_t	len = byte_vis(vis, c), n = 0, i;

	for (i = 0; i < len; i++) {
		if (vis[i] == '"' || (json && vis[i] == '\\'))
			p[n++] = '\\';
		p[n++] = vis[i];
	}
	return (n);
}

/* Can be told from all that is around it without quotes. */
static int
value_plain(const char *value)
{
	const char	*p;

	for (p = value; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\' ||
		    *p == '=')
			return (0);
	return (p > value && p - value <= VALUE_MAX);
}

static void
value_quoted_add(struct logrecord *r, const char *value)
{
	char	buf[VALUE_MAX + PIECE_MAX];
	size_t	len = 0, n;

	bytes_add(r, "\"", 1);
	for (; *value != '\0'; value++) {
		n = byte_write(buf + len, (unsigned char)*value, r->json);
		if (len + n > VALUE_MAX)
			break;
		len += n;
	}
	bytes_add(r, buf, len);
	if (*value != '\0')
		string_add(r, CUT_MARK);
	bytes_add(r, "\"", 1);
}

static int
year_is_long(uint64_t year)
{
	return ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
}

/* "2026-11-22" of a day since 1970; gmtime(3) may look for a zone's file. */
static const char *
date_text(uint64_t day)
{
	static const unsigned char	lengths[12] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	static char	text[] = "1970-01-01";
	static uint64_t	known;
	uint64_t	year = 1970, month = 0, length, left = day;

	if (day == known)
		return (text);
	for (; left >= (length = year_is_long(year) ? 366 : 365); year++)
		left -= length;
	for (; left >= (length = lengths[month] +
	    (month == 1 && year_is_long(year))); month++)
		left -= length;
	(void)ucspi_decimal(text, year % 10000, 4);
	(void)ucspi_decimal(text + 5, month + 1, 2);
	(void)ucspi_decimal(text + 8, left + 1, 2);
	known = day;
	return (text);
}

/* RFC 3339, UTC. */
static void
time_add(struct logrecord *r)
{
	struct timespec	ts;
	uint64_t	s;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1 || ts.tv_sec < 0)
		memset(&ts, 0, sizeof(ts));
	s = (uint64_t)ts.tv_sec;
	string_add(r, date_text(s / 86400));
	string_add(r, "T");
	decimal_add(r, s / 3600 % 24, 2);
	string_add(r, ":");
	decimal_add(r, s / 60 % 60, 2);
	string_add(r, ":");
	decimal_add(r, s % 60, 2);
	string_add(r, ".");
	decimal_add(r, (uint64_t)ts.tv_nsec / 1000000, 3);
	string_add(r, "Z");
}

void
logrecord_begin(struct logrecord *r, int json, const char *event)
{
	r->len = 0;
	r->json = json;
	if (json) {
		key_add(r, "time");
		bytes_add(r, "\"", 1);
		time_add(r);
		bytes_add(r, "\"", 1);
	}
	logrecord_text(r, "event", event);
}

void
logrecord_unknown(struct logrecord *r, const char *key)
{
	if (!r->json)
		return;
	key_add(r, key);
	string_add(r, "null");
}

void
logrecord_text(struct logrecord *r, const char *key, const char *value)
{
	if (value == NULL) {
		logrecord_unknown(r, key);
		return;
	}
	key_add(r, key);
	if (!r->json && value_plain(value))
		string_add(r, value);
	else
		value_quoted_add(r, value);
}

void
logrecord_number(struct logrecord *r, const char *key, uint64_t n)
{
	key_add(r, key);
	decimal_add(r, n, 1);
}

void
logrecord_ms(struct logrecord *r, const char *key, int64_t us)
{
	if (us < 0) {
		logrecord_unknown(r, key);
		return;
	}
	key_add(r, key);
	decimal_add(r, (uint64_t)us / 1000, 1);
	bytes_add(r, ".", 1);
	decimal_add(r, (uint64_t)us % 1000, 3);
}

void
logrecord_end(struct logrecord *r)
{
	if (r->json)
		bytes_add(r, "}", 1);
}

size_t
logrecord_line(const struct logrecord *r, int priority, char *line)
{
	size_t	len = 0;

	/* Whoever reads JSON from a descriptor wants nothing else. */
	if (!r->json || log_is_syslog())
		len = log_head(line, priority);
	memcpy(line + len, r->buf, r->len);
	len += r->len;
	line[len++] = '\n';
	return (len);
}

void
logrecord_write(const struct logrecord *r, int priority)
{
	char	line[LOGRECORD_LINE_SIZE];
	size_t	len = logrecord_line(r, priority, line);

	/* Nobody to tell if the log is gone. */
	if (log_is_syslog())
		(void)log_syslog_send(line, len - 1);
	else if (write(STDERR_FILENO, line, len) == -1)
		return;
}

void
logrecord_log(const struct logrecord *r, int priority)
{
	char	line[LOGRECORD_LINE_SIZE];

	log_bytes(line, logrecord_line(r, log_priority(priority), line));
}
