/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a server said, as it may stand in a report: it can't add a field, end
 * a paragraph, or go on for ever.
 */
#include <sys/types.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "delivery.h"
#include "report.h"
#include "report_text.h"

#define FOLD_COLUMN	76
#define WORD_BYTES_MAX	400	/* longer ones are broken: RFC 5322 2.1.1 */
#define LINE_BYTES_MAX	900
#define SAID		" said: "

/* strftime(3) would speak the locale's language. */
void
report_date(FILE *f, time_t when)
{
	static const char	months[][4] = { "Jan", "Feb", "Mar", "Apr",
				    "May", "Jun", "Jul", "Aug", "Sep", "Oct",
				    "Nov", "Dec" };
	struct tm		tm;

	if (gmtime_r(&when, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	fprintf(f, "%d %s %d %02d:%02d:%02d -0000", tm.tm_mday,
	    months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
}

static int
is_space(char c)
{
	return (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

static void
bytes_print(FILE *f, const char *text, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		putc(text[i] == '\t' ? ' ' : delivery_printable(text[i]), f);
}

void
report_paragraph(FILE *f, const char *text)
{
	size_t	len, line, next;

	len = strnlen(text, REPORT_TEXT_BYTES_MAX);
	for (; len > 0; text += next, len -= next) {
		line = strcspn(text, "\n");
		if (line > len)
			line = len;
		next = line < len ? line + 1 : line;
		if (line > LINE_BYTES_MAX)
			next = line = LINE_BYTES_MAX;
		while (line > 0 && is_space(text[line - 1]))
			line--;
		if (line == 0)
			continue;
		bytes_print(f, text, line);
		putc('\n', f);
	}
	if (*text != '\0')
		fputs("[...]\n", f);
}

/* The length of the next word; what is longer than a line may be is cut. */
static size_t
word_len(const char *text, size_t len)
{
	size_t	i;

	for (i = 0; i < len && i < WORD_BYTES_MAX && !is_space(text[i]); i++)
		continue;
	return (i);
}

void
report_field(FILE *f, const char *name, const char *text)
{
	size_t	column, len, word;

	fputs(name, f);
	column = strlen(name);
	len = strnlen(text, REPORT_TEXT_BYTES_MAX);
	while (len > 0) {
		if (is_space(*text)) {
			text++;
			len--;
			continue;
		}
		word = word_len(text, len);
		if (column + 1 + word > FOLD_COLUMN) {
			putc('\n', f);
			column = 0;
		}
		putc(' ', f);
		bytes_print(f, text, word);
		column += 1 + word;
		text += word;
		len -= word;
	}
	putc('\n', f);
}

/* What follows "HOST said: ", which the text must begin with, or NULL. */
static const char *
said_find(const char *text, size_t *hostlen)
{
	const char	*said;

	if ((said = strstr(text, SAID)) == NULL)
		return (NULL);
	*hostlen = (size_t)(said - text);
	if (*hostlen == 0 || memchr(text, ' ', *hostlen) != NULL)
		return (NULL);
	return (said + strlen(SAID));
}

/* The text is printable: an address has question marks there, too. */
static int
is_named(const char *text, const char *recipient)
{
	for (; *recipient != '\0'; text++, recipient++) {
		if (*text != *recipient &&
		    *text != delivery_printable(*recipient))
			return (0);
	}
	return (strncmp(text, ">: ", 3) == 0);
}

const char *
report_about(const char *text, const char *recipient)
{
	size_t	hostlen;

	text = said_find(text, &hostlen);
	if (text == NULL || *text != '<')
		return (NULL);
	for (; text != NULL; text = strchr(text, '<')) {
		if (is_named(++text, recipient))
			return (text + strlen(recipient) + 3);
	}
	return (NULL);
}

const char *
report_reply(const char *text, const char *recipient, size_t *hostlen)
{
	const char	*own = report_about(text, recipient);
	const char	*said = said_find(text, hostlen);

	return (own != NULL ? own : said);
}

static size_t
digits(const char *s, size_t max)
{
	size_t	n;

	for (n = 0; n < max && isdigit((unsigned char)s[n]); n++)
		continue;
	return (n);
}

/* A status at s, class.subject.detail, of the class; copied to out. */
static int
status_take(char *out, const char *s, char class)
{
	size_t	detail, subject;

	if (s[0] != class || s[1] != '.' || (subject = digits(s + 2, 3)) == 0 ||
	    s[2 + subject] != '.' ||
	    (detail = digits(s + 3 + subject, 3)) == 0)
		return (0);
	/* An address, or a longer number, is none. */
	if (s[3 + subject + detail] == '.' ||
	    isdigit((unsigned char)s[3 + subject + detail]))
		return (0);
	(void)snprintf(out, REPORT_STATUS_SIZE, "%.*s",
	    (int)(3 + subject + detail), s);
	return (1);
}

/* Without a reply, one may be at the end of the text, as qmail has it. */
static int
status_find(char *out, const char *text)
{
	const char	*mark;

	return ((mark = strstr(text, "(#")) != NULL &&
	    (status_take(out, mark + 2, '5') ||
	    status_take(out, mark + 2, '4')));
}

void
report_status(char *out, const char *text, const char *recipient, int expired)
{
	const char	*reply;
	size_t		 hostlen;

	reply = report_reply(text, recipient, &hostlen);
	if (reply == NULL || digits(reply, 4) != 3 ||
	    (reply[0] != '4' && reply[0] != '5')) {
		if (!status_find(out, text))
			(void)snprintf(out, REPORT_STATUS_SIZE, "%s",
			    expired ? "4.4.7" : "5.0.0");
		return;
	}
	if ((reply[3] == ' ' || reply[3] == '-') &&
	    status_take(out, reply + 4, reply[0]))
		return;
	if (expired)
		(void)snprintf(out, REPORT_STATUS_SIZE, "4.4.7");
	else
		(void)snprintf(out, REPORT_STATUS_SIZE, "%c.0.0", reply[0]);
}
