/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A configuration as text again: every value, in one form, that is read as
 * the same.
 */
#include <sys/types.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

void
conf_print_name(FILE *f, const char *s)
{
	if (conf_word_is_key(s))
		conf_print_string(f, s);
	else
		conf_print_word(f, s);
}

static void
string_line(FILE *f, const char *what, const char *s)
{
	fprintf(f, "%s ", what);
	conf_print_string(f, s);
	fputc('\n', f);
}

static void
word_line(FILE *f, const char *what, const char *s)
{
	fprintf(f, "%s ", what);
	conf_print_name(f, s);
	fputc('\n', f);
}

static void
time_line(FILE *f, const char *what, uint64_t seconds)
{
	char	text[TIME_TEXT_SIZE];

	fprintf(f, "\t%s %s\n", what, conf_time_text(seconds, text));
}

static void
retry_print(FILE *f, const struct delivery_settings *d)
{
	char	time[TIME_TEXT_SIZE], max[TIME_TEXT_SIZE];

	if (d->retry_s == 0)
		fputs("\tretry never\n", f);
	else
		fprintf(f, "\tretry %s max %s\n",
		    conf_time_text(d->retry_s, time),
		    conf_time_text(d->retry_max_s, max));
}

static void
delivery_print(FILE *f, const struct delivery_settings *d)
{
	fprintf(f, "\tprotocol %s\n\tport %" PRIu32 "\n",
	    d->protocol == PROTOCOL_QMTP ? "qmtp" : "smtp", d->port);
	word_line(f, "\thelo", d->helo);
	fprintf(f, "\twindow %" PRIu32 "\n\thops %" PRIu32 "\n", d->window,
	    d->hops_max);
	if (d->messages_max == 0)
		fputs("\tmessages all\n", f);
	else
		fprintf(f, "\tmessages %" PRIu64 "\n", d->messages_max);
	time_line(f, "lifetime", d->lifetime_s);
	if (d->warn_s == 0)
		fputs("\twarn never\n", f);
	else
		time_line(f, "warn after", d->warn_s);
	time_line(f, "interval", d->interval_s);
	retry_print(f, d);
}

static void
addresses_print(FILE *f, const struct conf_customer *c)
{
	const struct conf_address	*a;
	char				 text[NETWORK_TEXT_SIZE];

	TAILQ_FOREACH(a, &c->addresses, entry)
		fprintf(f, "\taddress %s\n", conf_network_text(&a->a, text));
}

static void
customer_print(FILE *f, const struct conf_customer *c)
{
	const struct customer_settings	*s = &c->settings;
	const struct conf_domain	*d;
	char				 text[NETADDR_TEXT_SIZE];

	fputs("\ncustomer ", f);
	conf_print_name(f, s->name);
	fputs(" {\n", f);
	string_line(f, "\tspool", c->spool->settings.path);
	addresses_print(f, c);
	TAILQ_FOREACH(d, &c->domains, entry)
		word_line(f, "\tdomain", d->name);
	string_line(f, "\tprefix", s->prefix);
	string_line(f, "\tmaildir", s->maildir);
	fprintf(f, "\trelay %s\n", netaddr_text(&s->relay, text));
	delivery_print(f, &s->delivery);
	fputs("}\n", f);
}

static void
spool_print(FILE *f, const struct conf_spool *s)
{
	const struct conf_customer	*c;

	fputs("\nspool ", f);
	conf_print_string(f, s->settings.path);
	if (s->user != NULL) {
		fputs(" user ", f);
		conf_print_name(f, s->user);
	}
	if (s->group != NULL) {
		fputs(" group ", f);
		conf_print_name(f, s->group);
	}
	fprintf(f, " {\n\taddresses %s\n\tconcurrency %" PRIu32 "\n",
	    s->settings.addresses ? "on" : "off", s->settings.concurrency);
	time_line(f, "scan", s->settings.scan_s);
	fprintf(f, "\twatches %" PRIu32 "\n", s->settings.watches);
	delivery_print(f, &s->settings.defaults);
	fputs("}\n", f);
	TAILQ_FOREACH(c, &s->customers, entry)
		customer_print(f, c);
}

static void
control_print(FILE *f, const struct autoturnd_conf *c)
{
	fputs("control socket ", f);
	conf_print_string(f, c->control_path);
	if (c->control_group != NULL) {
		fputs(" group ", f);
		conf_print_name(f, c->control_group);
	}
	fputc('\n', f);
	if (c->restricted_path != NULL)
		string_line(f, "restricted control socket",
		    c->restricted_path);
}

void
autoturnd_conf_print(FILE *f, const struct autoturnd_conf *c)
{
	const struct conf_spool	*s = TAILQ_FIRST(&c->spools);

	control_print(f, c);
	if (c->event_path == NULL)
		fputs("events off\n", f);
	else
		string_line(f, "events from", c->event_path);
	word_line(f, "hostname", s->settings.hostname);
	string_line(f, "postmaster", s->settings.postmaster);
	string_line(f, c->mailer.kind == MAILER_QMAIL ? "reports by qmail" :
	    "reports by sendmail", c->mailer.path);
	string_line(f, "state", c->state_path);
	fprintf(f, "log facility %s\nlog format %s\n",
	    conf_facility_name(c->log_facility), c->log_json ? "json" :
	    "text");
	TAILQ_FOREACH(s, &c->spools, entry)
		spool_print(f, s);
}
