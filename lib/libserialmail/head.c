/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The envelope of a message in a Maildir, out of the lines that four MTAs
 * write on top of it.  The forms are told apart by their first lines and are
 * taken in the order their writers use: what comes after them, be it called
 * the same, is the sender's and is never believed.
 */
#include <sys/types.h>

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "head.h"

struct field {
	const char	*value;		/* after the colon and its blanks */
	size_t		 len;		/* without the end of the line */
	size_t		 next;		/* offset of the line after it */
};

struct scan {
	struct head	*head;
	const char	*buf;
	size_t		 len;
	size_t		 used;		/* of head->text */
	const char	*prefix;
	size_t		 prefixlen;
};

static int
is_blank(char c)
{
	return (c == ' ' || c == '\t');
}

/* The offset after the line that begins at offset; 0 if it is cut off. */
static size_t
line_next(const struct scan *scan, size_t offset)
{
	const char	*lf;

	lf = memchr(scan->buf + offset, '\n', scan->len - offset);
	if (lf != NULL)
		return ((size_t)(lf - scan->buf) + 1);
	return (scan->len < HEAD_BYTES_MAX ? scan->len : 0);
}

/* Drops blanks and ends of lines at both ends of a value. */
static void
field_trim(struct field *field)
{
	while (field->len > 0 && is_blank(field->value[0])) {
		field->value++;
		field->len--;
	}
	if (field->len > 0 && field->value[field->len - 1] == '\n')
		field->len--;
	if (field->len > 0 && field->value[field->len - 1] == '\r')
		field->len--;
}

/*
 * Whether the line at head->body is the field called name.  Only where folds
 * is set are continuation lines part of it: the writers of the others never
 * fold them, so a line with a blank in front is the message's first.
 */
static int
field_read(const struct scan *scan, struct field *field, const char *name,
    int folds)
{
	size_t	namelen, offset;

	offset = scan->head->body;
	namelen = strlen(name);
	if (scan->len - offset <= namelen ||
	    strncasecmp(scan->buf + offset, name, namelen) != 0 ||
	    scan->buf[offset + namelen] != ':')
		return (0);
	field->next = line_next(scan, offset);
	while (folds && field->next != 0 && field->next < scan->len &&
	    is_blank(scan->buf[field->next]))
		field->next = line_next(scan, field->next);
	/* A cut line is found out when it is to be used. */
	field->value = scan->buf + offset + namelen + 1;
	field->len = (field->next != 0 ? field->next : scan->len) - offset -
	    namelen - 1;
	field_trim(field);
	return (1);
}

static int
head_fail(struct head *head, const char *why)
{
	head->why = why;
	return (-1);
}

/* The line is the head's: the message starts after it, or later still. */
static int
field_take(struct scan *scan, const struct field *field)
{
	if (field->next == 0)
		return (head_fail(scan->head, "a line of its envelope is too "
		    "long"));
	scan->head->body = field->next;
	return (0);
}

/* One recipient, at the end of text, len bytes and a NUL: keep it or not. */
static int
recipient_add(struct scan *scan, size_t len)
{
	struct head	*head = scan->head;
	char		*address;

	address = head->text + scan->used;
	if (len < scan->prefixlen ||
	    memcmp(address, scan->prefix, scan->prefixlen) != 0) {
		head->others++;
		return (0);
	}
	if (len == scan->prefixlen)
		return (head_fail(head, "its recipient is empty"));
	if (len - scan->prefixlen > HEAD_ADDRESS_BYTES_MAX)
		return (head_fail(head, "its recipient is too long"));
	if (head->nrecipients == HEAD_RECIPIENTS_MAX)
		return (head_fail(head, "it has too many recipients"));
	head->recipients[head->nrecipients++] = address + scan->prefixlen;
	scan->used += len + 1;
	return (0);
}

static int
recipient_unquote(struct scan *scan, const char *s, size_t len)
{
	ssize_t	n;

	n = mailbox_unquote(scan->head->text + scan->used, s, len);
	if (n == -1)
		return (head_fail(scan->head, "its recipient is no address"));
	return (recipient_add(scan, (size_t)n));
}

static int
recipient_raw(struct scan *scan, const char *s, size_t len)
{
	char	*address;

	if (!mailbox_valid(s, len))
		return (head_fail(scan->head, "its recipient is no address"));
	address = scan->head->text + scan->used;
	memcpy(address, s, len);
	address[len] = '\0';
	return (recipient_add(scan, len));
}

/* Whether s begins with a whole quoted string that an @ or the end follows. */
static int
is_quoted(const char *s, size_t len)
{
	size_t	i;

	if (len == 0 || s[0] != '"')
		return (0);
	for (i = 1; i < len && s[i] != '"'; i++) {
		if (s[i] == '\\')
			i++;
	}
	return (i + 1 == len || (i + 1 < len && s[i + 1] == '@'));
}

static int
take_sender(struct scan *scan, const struct field *field)
{
	struct head	*head = scan->head;
	ssize_t		 n;

	if (field_take(scan, field) == -1)
		return (-1);
	if (field->len < 2 || field->value[0] != '<' ||
	    field->value[field->len - 1] != '>')
		return (head_fail(head, "its Return-Path has no <address>"));
	n = mailbox_unquote(head->text, field->value + 1, field->len - 2);
	if (n == -1)
		return (head_fail(head, "its sender is no address"));
	if (n > HEAD_ADDRESS_BYTES_MAX)
		return (head_fail(head, "its sender is too long"));
	head->sender = head->text;
	scan->used = (size_t)n + 1;
	return (0);
}

static int
take_delivered_to(struct scan *scan, const struct field *field)
{
	if (field_take(scan, field) == -1)
		return (-1);
	if (is_quoted(field->value, field->len))
		return (recipient_unquote(scan, field->value, field->len));
	return (recipient_raw(scan, field->value, field->len));
}

/* The length of the address s begins with: up to a comma, blanks dropped. */
static size_t
address_len(const char *s, size_t len, size_t *next)
{
	size_t	i;
	int	quoted = 0;

	for (i = 0; i < len && (quoted || s[i] != ','); i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
	}
	if (i > len)
		i = len;
	*next = i;
	while (i > 0 && (is_blank(s[i - 1]) || s[i - 1] == '\n' ||
	    s[i - 1] == '\r'))
		i--;
	return (i);
}

static int
take_envelope_to(struct scan *scan, const struct field *field)
{
	const char	*s;
	size_t		 left, len, next;

	if (field_take(scan, field) == -1)
		return (-1);
	for (s = field->value, left = field->len; left > 0;
	    s += next, left -= next) {
		if (is_blank(*s) || *s == ',' || *s == '\r' || *s == '\n') {
			next = 1;
			continue;
		}
		len = address_len(s, left, &next);
		if (recipient_unquote(scan, s, len) == -1)
			return (-1);
	}
	if (scan->head->nrecipients + scan->head->others == 0)
		return (head_fail(scan->head, "its Envelope-to is empty"));
	return (0);
}

static int
take_exim(struct scan *scan, const struct field *envelope)
{
	struct field	date;

	if (scan->head->sender == NULL)
		return (head_fail(scan->head, "it has Envelope-to but no "
		    "Return-path"));
	if (take_envelope_to(scan, envelope) == -1)
		return (-1);
	if (field_read(scan, &date, "Delivery-date", 1))
		return (field_take(scan, &date));
	return (0);
}

static int
scan_envelope(struct scan *scan)
{
	struct field	field;

	if (field_read(scan, &field, "Return-Path", 0) &&
	    take_sender(scan, &field) == -1)
		return (-1);
	if (field_read(scan, &field, "Envelope-to", 1))
		return (take_exim(scan, &field));
	if (field_read(scan, &field, "X-Original-To", 0) &&
	    field_take(scan, &field) == -1)
		return (-1);
	if (!field_read(scan, &field, "Delivered-To", 0))
		return (head_fail(scan->head, "it has no envelope on top "
		    "(Return-Path, Delivered-To)"));
	return (take_delivered_to(scan, &field));
}

enum head_verdict
head_parse(struct head *head, const char *buf, size_t len, const char *prefix)
{
	struct scan	scan;

	head->sender = NULL;
	head->nrecipients = head->others = head->body = 0;
	head->why = "";
	scan.head = head;
	scan.buf = buf;
	scan.len = len < HEAD_BYTES_MAX ? len : HEAD_BYTES_MAX;
	scan.used = 0;
	scan.prefix = prefix;
	scan.prefixlen = strlen(prefix);
	if (scan_envelope(&scan) == -1) {
		head->nrecipients = 0;
		return (HEAD_BAD);
	}
	if (head->sender == NULL)
		head->sender = "";
	return (head->nrecipients > 0 ? HEAD_OK : HEAD_OTHER);
}
