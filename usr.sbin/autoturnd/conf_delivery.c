/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * How and when mail is sent: the directives that may stand for all, for a
 * spool and for a customer, and how the one has what the other says.
 */
#include <sys/types.h>

#include <string.h>

#include "compat.h"
#include "conf_build.h"

#define PORT_SMTP	25
#define PORT_QMTP	209
#define HOPS_MAX	1000
#define MESSAGES_MAX	1000000000
#define TIME_MAX_S	((int64_t)3650 * 86400)

/* A time in these bounds, or -1 after an error. */
static int64_t
time_take(struct conf_build *b, const char *what, const struct conf_word *w,
    int64_t low)
{
	int64_t	n = conf_time_parse(w->text);

	if (n >= low && n <= TIME_MAX_S)
		return (n);
	conf_word_error(b->lexer, w, "%s: \"%s\": not a time from %s to "
	    "3650d, such as 30s, 5m, 4h or 14d", what, w->text,
	    low == 0 ? "0" : "1s");
	return (-1);
}

static void
time_once(struct conf_build *b, enum conf_once what,
    const struct conf_word *at, const struct conf_word *w, int64_t low,
    uint64_t *member)
{
	int64_t	n;

	if (build_once(b, what, at) == 0 &&
	    (n = time_take(b, build_once_word(what), w, low)) != -1)
		*member = (uint64_t)n;
}

static void
number_once(struct conf_build *b, enum conf_once what,
    const struct conf_word *at, const struct conf_word *w, int64_t high,
    uint32_t *member)
{
	int64_t	n;

	if (build_once(b, what, at) == 0 && (n = conf_word_number(b->lexer,
	    build_once_word(what), w, 1, high)) != -1)
		*member = (uint32_t)n;
}

void
build_protocol(struct conf_build *b, const struct conf_word *at,
    uint32_t protocol)
{
	if (build_once(b, ONCE_PROTOCOL, at) == 0)
		b->level->delivery.protocol = protocol;
}

void
build_port(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *port)
{
	number_once(b, ONCE_PORT, at, port, UINT16_MAX,
	    &b->level->delivery.port);
}

void
build_helo(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *name)
{
	char	*helo = b->level->delivery.helo;

	if (build_once(b, ONCE_HELO, at) == -1)
		return;
	if (!build_host_valid(name->text, HOSTNAME_SIZE))
		conf_word_error(b->lexer, name, "helo: \"%s\": not the name "
		    "of a host", name->text);
	else
		strlcpy(helo, name->text, HOSTNAME_SIZE);
}

void
build_window(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *n)
{
	number_once(b, ONCE_WINDOW, at, n, WINDOW_MAX,
	    &b->level->delivery.window);
}

void
build_hops(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *n)
{
	number_once(b, ONCE_HOPS, at, n, HOPS_MAX,
	    &b->level->delivery.hops_max);
}

void
build_messages(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *n)
{
	uint32_t	max = 0;

	if (n == NULL)
		(void)build_once(b, ONCE_MESSAGES, at);
	else
		number_once(b, ONCE_MESSAGES, at, n, MESSAGES_MAX, &max);
	b->level->delivery.messages_max = max;
}

void
build_lifetime(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *time)
{
	time_once(b, ONCE_LIFETIME, at, time, 1,
	    &b->level->delivery.lifetime_s);
}

void
build_warn(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *time)
{
	if (time == NULL)
		(void)build_once(b, ONCE_WARN, at);
	else
		time_once(b, ONCE_WARN, at, time, 1,
		    &b->level->delivery.warn_s);
}

void
build_interval(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *time)
{
	time_once(b, ONCE_INTERVAL, at, time, 0,
	    &b->level->delivery.interval_s);
}

void
build_retry(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *time, const struct conf_word *max)
{
	struct delivery_settings	*d = &b->level->delivery;
	int64_t				 n;

	if (time == NULL) {
		(void)build_once(b, ONCE_RETRY, at);
		return;
	}
	time_once(b, ONCE_RETRY, at, time, 1, &d->retry_s);
	d->retry_max_s = d->retry_s > RETRY_MAX_DEFAULT_S ? d->retry_s :
	    RETRY_MAX_DEFAULT_S;
	if (max == NULL || (n = time_take(b, "retry max", max, 1)) == -1)
		return;
	d->retry_max_s = (uint64_t)n;
	if (d->retry_max_s < d->retry_s)
		conf_word_error(b->lexer, max, "retry: max %s is less than %s",
		    max->text, time->text);
}

/*
 * Handing down
 */

/* Mail that has gone back is late no more. */
static void
warn_check(struct conf_build *b, const struct conf_level *l)
{
	const struct conf_word	*at = &l->once[ONCE_WARN];
	char			 warn[TIME_TEXT_SIZE], life[TIME_TEXT_SIZE];

	if (at->file == NULL)
		at = &l->once[ONCE_LIFETIME];
	if (at->file == NULL || l->delivery.warn_s == 0 ||
	    l->delivery.warn_s < l->delivery.lifetime_s)
		return;
	conf_word_error(b->lexer, at, "warn: after %s would be too late: the "
	    "lifetime is %s", conf_time_text(l->delivery.warn_s, warn),
	    conf_time_text(l->delivery.lifetime_s, life));
}

static uint32_t
port_default(uint32_t protocol)
{
	return (protocol == PROTOCOL_QMTP ? PORT_QMTP : PORT_SMTP);
}

void
build_delivery_finish(struct conf_build *b)
{
	struct conf_level	outer;

	memset(&outer, 0, sizeof(outer));
	outer.delivery.protocol = PROTOCOL_SMTP;
	outer.delivery.port = PORT_SMTP;
	outer.delivery.window = WINDOW_DEFAULT;
	outer.delivery.hops_max = HOPS_DEFAULT;
	outer.delivery.messages_max = MESSAGES_DEFAULT;
	outer.delivery.lifetime_s = LIFETIME_DEFAULT_S;
	outer.delivery.warn_s = WARN_DEFAULT_S;
	outer.delivery.interval_s = INTERVAL_DEFAULT_S;
	outer.delivery.retry_s = RETRY_DEFAULT_S;
	outer.delivery.retry_max_s = RETRY_MAX_DEFAULT_S;
	strlcpy(outer.delivery.helo, b->hostname,
	    sizeof(outer.delivery.helo));
	build_delivery_inherit(b, &b->file, &outer);
}

/* A port is that of a protocol: where another one is named it means nothing. */
static void
protocol_inherit(struct conf_level *l, const struct delivery_settings *o)
{
	struct delivery_settings	*d = &l->delivery;
	int				 protocol, port;

	protocol = build_given(l, ONCE_PROTOCOL);
	port = build_given(l, ONCE_PORT);
	if (!protocol)
		d->protocol = o->protocol;
	if (!port)
		d->port = protocol && d->protocol != o->protocol ?
		    port_default(d->protocol) : o->port;
}

void
build_delivery_inherit(struct conf_build *b, struct conf_level *l,
    const struct conf_level *outer)
{
	struct delivery_settings	*d = &l->delivery;
	const struct delivery_settings	*o = &outer->delivery;

	protocol_inherit(l, o);
	if (!build_given(l, ONCE_HELO))
		memcpy(d->helo, o->helo, sizeof(d->helo));
	if (!build_given(l, ONCE_WINDOW))
		d->window = o->window;
	if (!build_given(l, ONCE_HOPS))
		d->hops_max = o->hops_max;
	if (!build_given(l, ONCE_MESSAGES))
		d->messages_max = o->messages_max;
	if (!build_given(l, ONCE_LIFETIME))
		d->lifetime_s = o->lifetime_s;
	if (!build_given(l, ONCE_WARN))
		d->warn_s = o->warn_s;
	if (!build_given(l, ONCE_INTERVAL))
		d->interval_s = o->interval_s;
	if (!build_given(l, ONCE_RETRY)) {
		d->retry_s = o->retry_s;
		d->retry_max_s = o->retry_max_s;
	}
	warn_check(b, l);
}
