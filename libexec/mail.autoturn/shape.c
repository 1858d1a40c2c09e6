/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The header of a message as it comes in, line by line; what is behind it
 * passes as it is.
 */
#include <sys/types.h>

#include <string.h>
#include <strings.h>

#include "mailautoturn.h"

#define MBOX_LINE	"From "

/* Whether the line is the field called name, with its colon. */
static int
line_is(const struct shape *s, const char *name)
{
	size_t	len = strlen(name);

	return (s->len >= len && strncasecmp(s->line, name, len) == 0);
}

static size_t
trimmed_len(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	return (len);
}

static void
loop_check(const struct shape *s)
{
	const char	*value = s->line + strlen("Delivered-To:");
	size_t		 i, len = s->len - strlen("Delivered-To:");

	for (; len > 0 && (*value == ' ' || *value == '\t'); value++)
		len--;
	len = trimmed_len(value, len);
	for (i = 0; i < s->nloops; i++)
		if (strlen(s->loops[i]) == len &&
		    strncasecmp(value, s->loops[i], len) == 0)
			reject("the message loops: it was delivered to %s "
			    "before", s->loops[i]);
}

/*
 * An envelope that the mail system itself wrote on top: a customer's server
 * would take his own address in Delivered-To for a loop.
 */
static int
is_envelope(const struct shape *s)
{
	static const char *const	names[] = { "Delivered-To:",
					    "X-Original-To:", "Envelope-to:",
					    "Delivery-date:" };
	size_t				i;

	for (i = 0; i < nitems(names); i++)
		if (line_is(s, names[i]))
			return (1);
	return (0);
}

static void
field_begin(struct shape *s)
{
	s->drop = line_is(s, "Return-Path:");
	if (s->drop)
		return;
	if (!s->below && is_envelope(s)) {
		s->drop = 1;
		return;
	}
	s->below = 1;
	if (line_is(s, "Delivered-To:"))
		loop_check(s);
	else if (line_is(s, "Received:") && ++s->hops > SHAPE_HOPS_MAX)
		reject("the message loops: it has more than %d Received "
		    "lines", SHAPE_HOPS_MAX);
}

/* A line, or as much of it as there is room for: what is it? */
static void
line_begin(struct shape *s)
{
	if (s->line[0] == '\n' || s->line[0] == '\r') {
		s->drop = 0;
		s->body = 1;
	} else if (!s->began && line_is(s, MBOX_LINE))
		s->drop = 1;
	else if (s->line[0] == ' ' || s->line[0] == '\t')
		;				/* as the line before */
	else if (memchr(s->line, ':', s->len) == NULL) {
		s->drop = 0;
		s->body = 1;
	} else
		field_begin(s);
	s->began = 1;
}

static void
line_flush(struct shape *s, void (*put)(const char *, size_t))
{
	if (s->len == 0)
		return;
	if (!s->inside)
		line_begin(s);
	if (!s->drop)
		put(s->line, s->len);
	s->inside = s->line[s->len - 1] != '\n';
	s->len = 0;
}

void
shape_take(struct shape *s, const char *data, size_t len,
    void (*put)(const char *, size_t))
{
	size_t	i;

	for (i = 0; i < len && !s->body; i++) {
		s->line[s->len++] = data[i];
		if (data[i] == '\n' || s->len == sizeof(s->line))
			line_flush(s, put);
	}
	if (i < len)
		put(data + i, len - i);
}

void
shape_end(struct shape *s, void (*put)(const char *, size_t))
{
	line_flush(s, put);
}
