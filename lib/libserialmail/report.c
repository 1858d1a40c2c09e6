/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reports of failed and delayed deliveries: what comes before the returned
 * message.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compat.h"
#include "head.h"
#include "report.h"
#include "report_text.h"

#define TWOFOLD		"X-Double-Bounce:"
#define MAILBOX_SIZE	(2 * 4096 + 3)

/* A mailbox as it is written between angle brackets. */
static void
mailbox_print(FILE *f, const char *mailbox)
{
	char	quoted[MAILBOX_SIZE];

	if (mailbox_quote(quoted, sizeof(quoted), mailbox) != -1)
		fputs(quoted, f);
}

static int
is_ascii(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s >= 0x80)
			return (0);
	}
	return (1);
}

static int
case_is_ascii(const struct report_case *what)
{
	size_t	i;

	for (i = 0; i < what->nrecipients; i++) {
		if (!is_ascii(what->recipients[i]))
			return (0);
	}
	return (is_ascii(what->to));
}

static void
boundary_make(char *out)
{
	static const char	letters[] = "0123456789abcdefghijklmnopqrstuv";
	unsigned char		bytes[REPORT_BOUNDARY_SIZE - 3];
	size_t			i;

	/* "=_" is in no quoted-printable or base64 text. */
	out[0] = '=';
	out[1] = '_';
	arc4random_buf(bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		out[2 + i] = letters[bytes[i] % 32];
	out[2 + sizeof(bytes)] = '\0';
}

static void
header_print(FILE *f, const struct report_case *what)
{
	fputs("Date: ", f);
	report_date(f, what->now);
	fputs("\nFrom: <", f);
	mailbox_print(f, what->from);
	fputs(">\nTo: <", f);
	mailbox_print(f, what->to);
	fprintf(f, ">\nSubject: %s notice\n"
	    "Message-ID: <%lld.%08x%08x@%s>\n"
	    "Auto-Submitted: auto-replied\n",
	    what->delayed ? "delay" : "failure", (long long)what->now,
	    arc4random(), arc4random(), what->host);
	if (what->twofold)
		fputs(TWOFOLD " yes\n", f);
}

static void
recipients_print(FILE *f, const struct report_case *what)
{
	size_t	i;

	for (i = 0; i < what->nrecipients; i++)
		fprintf(f, "<%s>:\n", what->recipients[i]);
}

/* What a person reads, the same in both forms. */
static void
explain(FILE *f, const struct report_case *what)
{
	fprintf(f, "Hi. This is the %s program at %s.\n", what->program,
	    what->host);
	fputs(what->delayed ?
	    "A message of yours is still waiting to be delivered to:\n\n" :
	    what->twofold ?
	    "A message that came back as undeliverable could not be returned "
	    "to:\n\n" :
	    "I'm sorry, but a message of yours could not be delivered to:\n\n",
	    f);
	recipients_print(f, what);
	report_paragraph(f, what->text);
	if (what->expired)
		fputs("It has been tried for too long; I'm giving up.\n", f);
	if (what->delayed) {
		fputs("\nYou need not send it again: it will be tried until\n",
		    f);
		report_date(f, what->until);
		fputs(".\n", f);
	}
	fputs("\n", f);
}

static void
returned_begin(FILE *f, const struct report_case *what)
{
	fputs("Return-Path: <", f);
	mailbox_print(f, what->sender);
	fputs(">\n", f);
}

static void
classic_begin(FILE *f, const struct report_case *what)
{
	header_print(f, what);
	fputs("\n", f);
	explain(f, what);
	fputs("--- Below this line is a copy of the message.\n\n", f);
	returned_begin(f, what);
}

/* One character of UTF-8, or the byte there if it is none; its length. */
static size_t
character_read(const unsigned char *s, unsigned long *code)
{
	size_t	i, more;

	*code = *s;
	more = *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : *s >= 0xc0 ? 1 : 0;
	for (i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return (1);
	}
	if (more > 0)
		*code &= 0x3fUL >> more;
	for (i = 1; i <= more; i++)
		*code = *code << 6 | (s[i] & 0x3f);
	return (more + 1);
}

/* RFC 6533 3: an address with other characters, in ASCII. */
static void
recipient_print(FILE *f, const char *mailbox)
{
	char			 quoted[MAILBOX_SIZE];
	const unsigned char	*s = (unsigned char *)quoted;
	unsigned long		 code;

	if (mailbox_quote(quoted, sizeof(quoted), mailbox) == -1)
		return;
	if (is_ascii(quoted)) {
		fprintf(f, "Final-Recipient: rfc822; %s\n", quoted);
		return;
	}
	fputs("Final-Recipient: utf-8; ", f);
	while (*s != '\0') {
		s += character_read(s, &code);
		if (code >= 0x80 || strchr("\\+= ", (int)code) != NULL)
			fprintf(f, "\\x{%02lX}", code);
		else
			putc((int)code, f);
	}
	putc('\n', f);
}

static void
outcome_print(FILE *f, const struct report_case *what, const char *recipient)
{
	const char	*reply;
	char		 host[256], status[REPORT_STATUS_SIZE];
	size_t		 len;

	report_status(status, what->text, recipient, what->expired);
	if (what->delayed && status[0] != '4')
		(void)strlcpy(status, "4.0.0", sizeof(status));
	fprintf(f, "Action: %s\nStatus: %s\n",
	    what->delayed ? "delayed" : "failed", status);
	reply = report_reply(what->text, recipient, &len);
	if (reply == NULL) {
		report_field(f, "Diagnostic-Code: x-local;", what->text);
		return;
	}
	(void)snprintf(host, sizeof(host), "%.*s", (int)len, what->text);
	report_field(f, "Remote-MTA: dns;", host);
	report_field(f, "Diagnostic-Code: smtp;", reply);
}

/* RFC 3464. */
static void
status_part(FILE *f, const struct report_case *what)
{
	size_t	i;

	fprintf(f, "Content-Type: message/delivery-status\n"
	    "Content-Description: what happened, for programs\n\n"
	    "Reporting-MTA: dns; %s\nArrival-Date: ", what->host);
	report_date(f, what->arrival);
	fputs("\n", f);
	for (i = 0; i < what->nrecipients; i++) {
		fputs("\n", f);
		recipient_print(f, what->recipients[i]);
		outcome_print(f, what, what->recipients[i]);
		fputs("Last-Attempt-Date: ", f);
		report_date(f, what->now);
		fputs("\n", f);
		if (what->delayed) {
			fputs("Will-Retry-Until: ", f);
			report_date(f, what->until);
			fputs("\n", f);
		}
	}
}

static void
dsn_begin(FILE *f, const struct report *r, const struct report_case *what)
{
	header_print(f, what);
	fprintf(f, "MIME-Version: 1.0\nContent-Type: multipart/report; "
	    "report-type=delivery-status;\n\tboundary=\"%s\"\n"
	    "Content-Transfer-Encoding: 8bit\n\n"
	    "This is a report in MIME form.\n\n"
	    "--%s\nContent-Type: text/plain; charset=%s\n"
	    "Content-Transfer-Encoding: 8bit\n\n", r->boundary, r->boundary,
	    case_is_ascii(what) ? "us-ascii" : "utf-8");
	explain(f, what);
	fprintf(f, "--%s\n", r->boundary);
	status_part(f, what);
	fprintf(f, "\n--%s\nContent-Type: %s\n"
	    "Content-Transfer-Encoding: 8bit\n\n", r->boundary,
	    r->headers_only ? "text/rfc822-headers" : "message/rfc822");
	returned_begin(f, what);
}

char *
report_begin(struct report *r, enum report_form form,
    const struct report_case *what, size_t *len)
{
	FILE	*f;
	char	*text = NULL;
	int	 failed;

	memset(r, 0, sizeof(*r));
	r->form = form;
	r->left = what->limit;
	r->cut = form == REPORT_CLASSIC && what->size > what->limit;
	r->headers_only = form == REPORT_DSN &&
	    (what->delayed || what->size > what->limit);
	r->last = '\n';
	if ((f = open_memstream(&text, len)) == NULL)
		return (NULL);
	if (form == REPORT_DSN) {
		boundary_make(r->boundary);
		dsn_begin(f, r, what);
	} else
		classic_begin(f, what);
	failed = ferror(f);
	if (fclose(f) != 0 || failed) {
		free(text);
		errno = ENOMEM;
		return (NULL);
	}
	return (text);
}

int
report_is_twofold(const char *buf, size_t len)
{
	const char	*end = buf + len, *lf;

	for (; buf < end && *buf != '\n' && *buf != '\r'; buf = lf + 1) {
		if ((size_t)(end - buf) > strlen(TWOFOLD) &&
		    strncasecmp(buf, TWOFOLD, strlen(TWOFOLD)) == 0)
			return (1);
		if ((lf = memchr(buf, '\n', (size_t)(end - buf))) == NULL)
			break;
	}
	return (0);
}
