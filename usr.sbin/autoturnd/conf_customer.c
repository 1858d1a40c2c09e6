/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Customers of autoturnd.conf: who they are, where their mail is and where
 * it goes.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

/*
 * Names
 */

/*
 * A name is a file's and a part of mail addresses: letters, digits and what
 * both take; the colons of an IPv6 address as well.
 */
const char *
conf_name_why(const char *name)
{
	struct netaddr	addr;
	char		text[NETADDR_TEXT_SIZE];
	size_t		i;

	if (netaddr_parse(&addr, name) == 0)
		return (strcmp(netaddr_text(&addr, text), name) == 0 ? NULL :
		    "an address as a name is written in its shortest form");
	for (i = 0; name[i] != '\0'; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    (i == 0 || strchr("-_.", name[i]) == NULL))
			break;
	if (name[i] == '\0' && i > 0 && i < CUSTOMER_NAME_SIZE)
		return (NULL);
	return ("a name is 1 to 63 letters, digits, \"-\", \"_\", \".\", the "
	    "first a letter or digit, or an address");
}

void
build_customer_begin(struct conf_build *b, const struct conf_word *name)
{
	struct conf_customer	*c;
	struct conf_level	*l;
	const char		*why;

	l = build_level_begin(b, &b->customers, name);
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->file = strdup(name->file)) == NULL)
		build_memory_out(b);
	TAILQ_INIT(&c->addresses);
	TAILQ_INIT(&c->domains);
	c->line = name->line;
	l->customer = c;
	if ((why = conf_name_why(name->text)) != NULL)
		conf_word_error(b->lexer, name, "customer \"%s\": %s",
		    name->text, why);
	strlcpy(c->settings.name, name->text, sizeof(c->settings.name));
	build_claim(b, l, CLAIM_NAME, name->text, name);
}

/*
 * Directives
 */

void
build_customer_spool(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path)
{
	if (build_once(b, ONCE_SPOOL, at) == 0)
		b->level->spool_path = *path;
}

static void
address_add(struct conf_build *b, struct conf_level *l,
    const struct customer_address *a, const struct conf_word *at)
{
	struct conf_address	*address;
	char			 text[NETWORK_TEXT_SIZE];

	if ((address = calloc(1, sizeof(*address))) == NULL)
		build_memory_out(b);
	address->a = *a;
	TAILQ_INSERT_TAIL(&l->customer->addresses, address, entry);
	build_claim(b, l, CLAIM_ADDRESS, conf_network_text(a, text), at);
}

void
build_address(struct conf_build *b, const struct conf_word *w)
{
	struct customer_address	 a;
	const char		*why;

	if ((why = conf_network_parse(&a, w->text)) == NULL) {
		address_add(b, b->level, &a, w);
		return;
	}
	b->level->addresses_bad = 1;
	conf_word_error(b->lexer, w, "address \"%s\": %s", w->text, why);
}

void
build_domain(struct conf_build *b, const struct conf_word *w)
{
	struct conf_domain	*d;
	size_t			 i;

	if (!build_host_valid(w->text, DOMAIN_SIZE)) {
		conf_word_error(b->lexer, w, "domain \"%s\": not a domain",
		    w->text);
		return;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		build_memory_out(b);
	for (i = 0; w->text[i] != '\0'; i++)
		d->name[i] = (char)tolower((unsigned char)w->text[i]);
	TAILQ_INSERT_TAIL(&b->level->customer->domains, d, entry);
	build_claim(b, b->level, CLAIM_DOMAIN, d->name, w);
}

void
build_prefix(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *prefix)
{
	struct customer_settings	*s = &b->level->customer->settings;
	size_t				 i = 0;

	if (build_once(b, ONCE_PREFIX, at) == -1)
		return;
	while (isgraph((unsigned char)prefix->text[i]))
		i++;
	if (prefix->text[i] != '\0' || i >= sizeof(s->prefix))
		conf_word_error(b->lexer, prefix, "prefix \"%s\": not at most "
		    "%zu printable characters", prefix->text,
		    sizeof(s->prefix) - 1);
	else
		strlcpy(s->prefix, prefix->text, sizeof(s->prefix));
}

/* It must not leave the spool, and the part of a Maildir is none. */
static const char *
maildir_why(const char *name)
{
	size_t	i, len;

	if (name[0] == '\0')
		return ("no name");
	if (name[0] == '/')
		return ("not below the spool");
	if (strlen(name) >= MAILDIR_NAME_SIZE)
		return ("the name is too long");
	for (i = 0; name[i] != '\0'; i++)
		if (iscntrl((unsigned char)name[i]))
			return ("has a control character");
	for (;; name += len + 1) {
		len = strcspn(name, "/");
		if (len == 2 && strncmp(name, "..", 2) == 0)
			return ("not below the spool");
		if (len == 0 || name[0] == '.')
			return ("a name in it is empty or begins with a dot");
		if (name[len] == '\0')
			return (NULL);
	}
}

void
build_maildir(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *name)
{
	struct customer_settings	*s = &b->level->customer->settings;
	const char			*why;

	if (build_once(b, ONCE_MAILDIR, at) == -1)
		return;
	if ((why = maildir_why(name->text)) != NULL) {
		conf_word_error(b->lexer, name, "maildir \"%s\": %s",
		    name->text, why);
		return;
	}
	strlcpy(s->maildir, name->text, sizeof(s->maildir));
	build_claim(b, b->level, CLAIM_MAILDIR, s->maildir, name);
}

void
build_relay(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *address)
{
	struct netaddr	*relay = &b->level->customer->settings.relay;
	const char	*why = NULL;

	if (build_once(b, ONCE_RELAY, at) == -1)
		return;
	if (netaddr_parse(relay, address->text) == -1)
		why = "not an address: names are not looked up";
	else
		why = conf_address_why(relay);
	if (why != NULL)
		conf_word_error(b->lexer, address, "relay \"%s\": %s",
		    address->text, why);
}

/*
 * What can be said of a customer when all was read
 */

static struct conf_spool *
spool_find(const struct conf_build *b, const char *path)
{
	struct conf_spool	*s;
	size_t			 len = build_path_length(path);

	TAILQ_FOREACH(s, &b->conf->spools, entry)
		if (strncmp(s->settings.path, path, len) == 0 &&
		    s->settings.path[len] == '\0')
			return (s);
	return (NULL);
}

static struct conf_spool *
customer_spool(struct conf_build *b, const struct conf_level *l)
{
	struct conf_spool	*s = TAILQ_FIRST(&b->conf->spools);

	if (build_given(l, ONCE_SPOOL)) {
		if ((s = spool_find(b, l->spool_path.text)) == NULL)
			conf_word_error(b->lexer, &l->spool_path, "customer "
			    "%s: spool \"%s\": there is none of that path",
			    l->name.text, l->spool_path.text);
	} else if (s != NULL && TAILQ_NEXT(s, entry) != NULL) {
		conf_word_error(b->lexer, &l->name, "customer %s: there are "
		    "several spools: say which, as in: spool \"%s\"",
		    l->name.text, s->settings.path);
		s = NULL;
	}
	return (s);
}

/* Who is called as his address has that one, if he was given none. */
static void
customer_address(struct conf_build *b, struct conf_level *l)
{
	struct customer_address	a;

	if (TAILQ_EMPTY(&l->customer->addresses) && !l->addresses_bad &&
	    netaddr_parse(&a.addr, l->name.text) == 0) {
		a.prefixlen = conf_address_bits(&a.addr);
		address_add(b, l, &a, &l->name);
	}
}

static void
customer_names(struct conf_build *b, struct conf_level *l)
{
	struct customer_settings	*s = &l->customer->settings;

	if (!build_given(l, ONCE_MAILDIR)) {
		strlcpy(s->maildir, s->name, sizeof(s->maildir));
		build_claim(b, l, CLAIM_MAILDIR, s->maildir, &l->name);
	}
	if (!build_given(l, ONCE_PREFIX))
		snprintf(s->prefix, sizeof(s->prefix), CONF_PREFIX_DEFAULT,
		    s->name);
}

/* His only address, if he has one. */
static void
relay_default(struct conf_build *b, struct conf_level *l)
{
	const struct conf_address	*a;

	a = TAILQ_FIRST(&l->customer->addresses);
	if (a == NULL)
		conf_word_error(b->lexer, &l->name, "customer %s: has no "
		    "address: his mail needs a relay", l->name.text);
	else if (TAILQ_NEXT(a, entry) != NULL)
		conf_word_error(b->lexer, &l->name, "customer %s: has several "
		    "addresses: his mail needs a relay", l->name.text);
	else if (a->a.prefixlen < conf_address_bits(&a->a.addr))
		conf_word_error(b->lexer, &l->name, "customer %s: has a "
		    "network: his mail needs a relay", l->name.text);
	else
		l->customer->settings.relay = a->a.addr;
}

/* Without an interface nobody is found there. */
static void
relay_check(struct conf_build *b, const struct conf_level *l)
{
	const struct netaddr	*relay = &l->customer->settings.relay;

	if (relay->family == AF_INET6 && relay->bytes[0] == 0xfe &&
	    (relay->bytes[1] & 0xc0) == 0x80)
		conf_word_error(b->lexer, build_given(l, ONCE_RELAY) ?
		    &l->once[ONCE_RELAY] : &l->name, "customer %s: a "
		    "link-local address is no relay", l->name.text);
}

static void
customer_finish(struct conf_build *b, struct conf_level *l)
{
	struct conf_customer	*c = l->customer;
	const struct conf_level	*outer;

	customer_address(b, l);
	customer_names(b, l);
	if (!build_given(l, ONCE_RELAY) && !l->addresses_bad)
		relay_default(b, l);
	relay_check(b, l);
	if ((l->spool = customer_spool(b, l)) == NULL)
		return;
	TAILQ_FOREACH(outer, &b->spools, entry)
		if (outer->spool == l->spool)
			build_delivery_inherit(b, l, outer);
	c->settings.delivery = l->delivery;
	c->spool = l->spool;
	TAILQ_INSERT_TAIL(&l->spool->customers, c, entry);
}

void
build_customers_finish(struct conf_build *b)
{
	struct conf_level	*l;

	TAILQ_FOREACH(l, &b->customers, entry)
		customer_finish(b, l);
}
