/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the protocols of delivery share: output, events, and the time.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "delivery.h"

struct delivery *
delivery_new(size_t size, const struct delivery_protocol *protocol,
    size_t events_max, int64_t now_ms)
{
	struct delivery	*d;

	if ((d = calloc(1, size)) == NULL)
		return (NULL);
	d->events = calloc(events_max, sizeof(*d->events));
	if (d->events == NULL) {
		free(d);
		return (NULL);
	}
	d->protocol = protocol;
	d->events_max = events_max;
	d->now_ms = d->since_ms = now_ms;
	return (d);
}

void
delivery_free(struct delivery *d)
{
	if (d == NULL)
		return;
	free(d->events);
	free(d);
}

struct delivery_event *
delivery_event_put(struct delivery *d, enum delivery_what what, void *cookie)
{
	struct delivery_event	*event;

	if (d->events_put == d->events_max)
		abort();
	event = &d->events[d->events_put++];
	memset(event, 0, sizeof(*event));
	event->what = what;
	event->cookie = cookie;
	event->enhanced = "";
	event->text = "";
	if (what == DELIVERY_END)
		d->ended = 1;
	return (event);
}

int
delivery_event(struct delivery *d, struct delivery_event *event)
{
	if (d->events_taken == d->events_put) {
		d->events_taken = d->events_put = 0;
		return (0);
	}
	*event = d->events[d->events_taken++];
	return (1);
}

int
delivery_wants(const struct delivery *d)
{
	return (!d->ended && d->events_taken == d->events_put &&
	    d->protocol->wants(d));
}

void
delivery_give(struct delivery *d, const struct delivery_message *message,
    int64_t now_ms)
{
	d->events_taken = d->events_put = 0;
	d->now_ms = now_ms;
	d->protocol->give(d, message);
}

void
delivery_finish(struct delivery *d, int64_t now_ms)
{
	d->now_ms = now_ms;
	if (!d->ended)
		d->protocol->finish(d);
}

size_t
delivery_room(const struct delivery *d)
{
	return (sizeof(d->output) - d->output_at - d->output_len);
}

char *
delivery_place(struct delivery *d)
{
	return (d->output + d->output_at + d->output_len);
}

/* The clock of an answer does not start before there is a question. */
void
delivery_placed(struct delivery *d, size_t len)
{
	if (d->queued == d->passed)
		d->since_ms = d->now_ms;
	d->output_len += len;
	d->queued += len;
}

void
delivery_put(struct delivery *d, const char *data, size_t len)
{
	if (len > delivery_room(d))
		abort();
	memcpy(delivery_place(d), data, len);
	delivery_placed(d, len);
}

size_t
delivery_output(struct delivery *d, const char **data)
{
	if (!d->ended && d->output_len < DELIVERY_OUTPUT_LOW) {
		memmove(d->output, d->output + d->output_at, d->output_len);
		d->output_at = 0;
		d->protocol->fill(d);
	}
	*data = d->output + d->output_at;
	return (d->ended ? 0 : d->output_len);
}

void
delivery_sent(struct delivery *d, size_t len, int64_t now_ms)
{
	if (len > d->output_len)
		abort();
	d->now_ms = d->since_ms = now_ms;
	d->output_at += len;
	d->output_len -= len;
	d->passed += len;
	if (d->output_len == 0)
		d->output_at = 0;
}

void
delivery_receive(struct delivery *d, const char *data, size_t len,
    int64_t now_ms)
{
	d->now_ms = now_ms;
	if (!d->ended)
		d->protocol->receive(d, data, len);
}

void
delivery_lost(struct delivery *d, int error)
{
	char	reason[DELIVERY_REASON_SIZE];

	if (d->ended)
		return;
	if (error == 0)
		(void)snprintf(reason, sizeof(reason),
		    "the server closed the connection");
	else
		(void)snprintf(reason, sizeof(reason),
		    "the connection failed: %s", strerror(error));
	d->protocol->end(d, reason);
}

int64_t
delivery_deadline(const struct delivery *d)
{
	int64_t	patience_ms;

	if (d->ended || (patience_ms = d->protocol->patience(d)) == -1)
		return (-1);
	return (d->since_ms + patience_ms);
}

void
delivery_expire(struct delivery *d, int64_t now_ms)
{
	char	reason[DELIVERY_REASON_SIZE];
	int64_t	deadline_ms = delivery_deadline(d);

	d->now_ms = now_ms;
	if (deadline_ms == -1 || now_ms < deadline_ms)
		return;
	(void)snprintf(reason, sizeof(reason),
	    d->output_len > 0 ? "the server takes nothing, for %lld seconds" :
	    "the server says nothing, for %lld seconds",
	    (long long)((now_ms - d->since_ms) / 1000));
	d->protocol->end(d, reason);
}

char
delivery_printable(char c)
{
	return (c >= ' ' && c <= '~' ? c : '?');
}

/* Appends to what out holds as much as fits; 1 if that was all. */
static int
text_append(char *out, size_t size, const char *text)
{
	size_t	len = strlen(out);

	for (; *text != '\0' && len + 1 < size; text++)
		out[len++] = *text == '\n' ? ' ' : delivery_printable(*text);
	out[len] = '\0';
	return (*text == '\0');
}

static int
text_bracket(char *out, size_t size, const char *open, const char *text)
{
	return (text_append(out, size, open) &&
	    text_append(out, size, text) && text_append(out, size, ")"));
}

int
delivery_event_text(char *out, size_t size, const char *peer,
    const struct delivery_event *event)
{
	int	whole = 1;

	out[0] = '\0';
	if (event->said)
		whole = text_append(out, size, peer) &&
		    text_append(out, size, " said: ");
	if (!text_append(out, size, event->text))
		whole = 0;
	if (*event->enhanced != '\0' &&
	    !text_bracket(out, size, " (#", event->enhanced))
		whole = 0;
	if (event->note != NULL &&
	    !text_bracket(out, size, " (", event->note))
		whole = 0;
	return (whole);
}

/* What each recipient's reply may have, besides the names. */
static size_t
reply_share(const struct delivery_message *m)
{
	size_t	i, names = 0;

	for (i = 0; i < m->nrecipients; i++)
		names += strlen(m->recipients[i]) + strlen("<>: \n");
	return (names < DELIVERY_TEXT_SIZE ?
	    (DELIVERY_TEXT_SIZE - 1 - names) / m->nrecipients : 0);
}

void
delivery_text_add(char *text, const struct delivery_message *m, size_t which,
    const char *reply)
{
	size_t		 len = strlen(text), share = reply_share(m);
	const char	*p = m->recipients[which];

	if (len + strlen(p) + share + strlen("\n<>: ") >= DELIVERY_TEXT_SIZE)
		return;
	if (len > 0)
		text[len++] = '\n';
	text[len++] = '<';
	while (*p != '\0')
		text[len++] = delivery_printable(*p++);
	len += strlcpy(text + len, ">: ", DELIVERY_TEXT_SIZE - len);
	(void)strlcpy(text + len, reply, share + 1);
}
