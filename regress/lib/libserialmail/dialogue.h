/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * An SMTP client's state machine and a server made of rules, with a clock of
 * our own, and octets that pass in pieces of any size.  Everything that was
 * said and everything that came of it is kept as text.
 */
#ifndef DIALOGUE_H
#define DIALOGUE_H

#include <sys/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "delivery.h"
#include "smtp.h"

#define TEXT_MAX	400000
#define LETTERS_MAX	8

#define CLOSE		"CLOSE"		/* in place of a reply */
#define RESET		"RESET"
#define SILENCE		"SILENCE"

/*
 * The reply to a command that begins with these letters, for the nth of them
 * (0: each).  "GREETING", and "." for the dot of a message.  A reply may be
 * several lines, or several replies; the CR LF at its end is added.
 */
struct rule {
	const char	*command;
	int		 nth;
	const char	*reply;
};

struct letter {
	const char	*sender;
	const char	*recipients[4];		/* NULL-terminated */
	const char	*text;
	size_t		 len;			/* 0: strlen(text) */
	int		 fd;			/* when text is NULL */
	off_t		 fd_len;
};

struct dialogue {
	/* given */
	const struct rule	*rules;		/* command NULL ends them */
	const struct letter	*letters;
	size_t			 nletters;
	struct smtp_config	 config;
	size_t			 down;		/* octets from the server */
	size_t			 first;		/* the first piece: this */
	size_t			 up;		/* taken from the client */
	/* found */
	char			 said[TEXT_MAX];	/* by the client */
	size_t			 said_len;
	char			 came[TEXT_MAX];	/* events */
	size_t			 came_len;
	unsigned int		 turns;		/* round trips */
	int64_t			 waited_ms;
	int			 ended;
	/* private */
	struct delivery		*delivery;
	int64_t			 now_ms;
	size_t			 given;
	char			 line[TEXT_MAX];
	size_t			 line_len;
	char			 pending[TEXT_MAX];	/* from the server */
	size_t			 pending_len;
	int			 in_data;
	int			 mail;
	int			 rcpt;
	int			 closing;		/* 1: closed, 2: reset */
	int			 counts[16];
};

static inline void
text_put(char *text, size_t *len, const char *data, size_t n)
{
	ATF_REQUIRE(*len + n < TEXT_MAX);
	memcpy(text + *len, data, n);
	*len += n;
	text[*len] = '\0';
}

static inline __attribute__((__format__(__printf__, 2, 3))) void
came_put(struct dialogue *d, const char *format, ...)
{
	char	line[40000];
	va_list	ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	text_put(d->came, &d->came_len, line, strlen(line));
}

static inline void
server_say(struct dialogue *d, const char *reply)
{
	if (strcmp(reply, SILENCE) == 0)
		return;
	if (strcmp(reply, CLOSE) == 0 || strcmp(reply, RESET) == 0) {
		d->closing = strcmp(reply, CLOSE) == 0 ? 1 : 2;
		return;
	}
	text_put(d->pending, &d->pending_len, reply, strlen(reply));
	text_put(d->pending, &d->pending_len, "\r\n", 2);
	d->in_data = strncmp(reply, "354", 3) == 0;
}

/* As servers are: no RCPT without MAIL, no DATA without RCPT. */
static inline const char *
server_default(const struct dialogue *d, const char *command)
{
	if (strncmp(command, "RCPT", 4) == 0 && !d->mail)
		return ("503 MAIL first");
	if (strncmp(command, "DATA", 4) == 0 && !d->rcpt)
		return ("503 RCPT first");
	if (strcmp(command, "GREETING") == 0)
		return ("220 sink ESMTP");
	if (strncmp(command, "EHLO", 4) == 0)
		return ("250-sink\r\n250-PIPELINING\r\n250 8BITMIME");
	if (strncmp(command, "DATA", 4) == 0)
		return ("354 go");
	return (strncmp(command, "QUIT", 4) == 0 ? "221 bye" : "250 ok");
}

static inline int
command_count(struct dialogue *d, const char *command)
{
	static const char	*names[] = {
		"GREETING", "EHLO", "HELO", "RSET", "MAIL", "RCPT", "DATA",
		".", "QUIT"
	};
	size_t			 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(command, names[i], strlen(names[i])) == 0)
			return (++d->counts[i]);
	}
	atf_tc_fail("the client said: %s", command);
}

static inline void
server_state(struct dialogue *d, const char *command, const char *reply)
{
	if (strncmp(command, "MAIL", 4) == 0) {
		ATF_REQUIRE_MSG(!d->mail, "MAIL where RSET was due");
		d->mail = reply[0] == '2';
	} else if (strncmp(command, "RCPT", 4) == 0)
		d->rcpt |= d->mail && reply[0] == '2';
	else if (strcmp(command, "RSET") == 0 || strcmp(command, ".") == 0)
		d->mail = d->rcpt = 0;
}

static inline void
server_reply(struct dialogue *d, const char *command, const char *reply)
{
	server_state(d, command, reply);
	server_say(d, reply);
}

static inline void
server_command(struct dialogue *d, const char *command)
{
	const struct rule	*rule;
	int			 n = command_count(d, command);

	for (rule = d->rules; rule != NULL && rule->command != NULL; rule++) {
		if (strncmp(command, rule->command,
		    strlen(rule->command)) == 0 &&
		    (rule->nth == 0 || rule->nth == n)) {
			server_reply(d, command, rule->reply);
			return;
		}
	}
	server_reply(d, command, server_default(d, command));
}

/* Lines end in CR LF: neither CR nor LF may stand alone. */
static inline void
server_hear(struct dialogue *d, char c)
{
	if (d->closing)
		return;
	if (d->line_len > 0 && d->line[d->line_len - 1] == '\r')
		ATF_REQUIRE_MSG(c == '\n', "a bare CR");
	else
		ATF_REQUIRE_MSG(c != '\n', "a bare LF");
	text_put(d->line, &d->line_len, &c, 1);
	if (c != '\n')
		return;
	d->line_len -= 2;
	d->line[d->line_len] = '\0';
	if (!d->in_data)
		server_command(d, d->line);
	else if (strcmp(d->line, ".") == 0 && d->line_len == 1) {
		d->in_data = 0;
		server_command(d, ".");
	}
	d->line_len = 0;
}

static inline void
events_note(struct dialogue *d)
{
	struct delivery_event	event;

	while (delivery_event(d->delivery, &event)) {
		ATF_REQUIRE_MSG(!d->ended, "an event after the end");
		if (event.what == DELIVERY_UNTRIED)
			came_put(d, "%s untried\n", (char *)event.cookie);
		else if (event.what == DELIVERY_END) {
			d->ended = 1;
			came_put(d, "end %c %d%s %s\n", event.status,
			    event.code, event.said ? " said" : "", event.text);
		} else
			came_put(d, "%s %c %d%s%s%s %s%s%s\n",
			    (char *)event.cookie, event.status, event.code,
			    event.said ? " said" : "",
			    *event.enhanced ? " " : "", event.enhanced,
			    event.text, event.note ? " // " : "",
			    event.note ? event.note : "");
	}
}

static inline void
letter_give(struct dialogue *d)
{
	static char		 names[LETTERS_MAX][2] = {
		"1", "2", "3", "4", "5", "6", "7", "8"
	};
	const struct letter	*letter = &d->letters[d->given];
	struct delivery_message	 message;

	memset(&message, 0, sizeof(message));
	message.sender = letter->sender;
	message.recipients = letter->recipients;
	while (letter->recipients[message.nrecipients] != NULL)
		message.nrecipients++;
	message.fd = letter->text == NULL ? letter->fd : -1;
	message.data = letter->text;
	message.len = letter->text == NULL ? letter->fd_len :
	    (off_t)(letter->len > 0 ? letter->len : strlen(letter->text));
	message.cookie = names[d->given % LETTERS_MAX];
	d->given++;
	delivery_give(d->delivery, &message, d->now_ms);
	events_note(d);
}

/* Takes output, as much as up, and lets the server hear it; 1 if any. */
static inline int
client_turn(struct dialogue *d)
{
	const char	*data;
	char		*copy;
	size_t		 i, n;
	int		 any = 0;

	for (;;) {
		while (delivery_wants(d->delivery) && d->given < d->nletters)
			letter_give(d);
		if (d->given == d->nletters)
			delivery_finish(d->delivery, d->now_ms);
		n = delivery_output(d->delivery, &data);
		events_note(d);
		if (n == 0 && delivery_wants(d->delivery) &&
		    d->given < d->nletters)
			continue;
		if (n == 0 || d->ended)
			break;
		if (d->up > 0 && n > d->up)
			n = d->up;
		copy = malloc(n);
		ATF_REQUIRE(copy != NULL);
		memcpy(copy, data, n);
		delivery_sent(d->delivery, n, d->now_ms);
		text_put(d->said, &d->said_len, copy, n);
		for (i = 0; i < n; i++)
			server_hear(d, copy[i]);
		free(copy);
		any = 1;
	}
	return (any);
}

/* All that the server has said by now, in pieces. */
static inline int
server_turn(struct dialogue *d)
{
	static char	 said[TEXT_MAX];
	char		*copy;
	size_t		 at, len = d->pending_len, n;

	memcpy(said, d->pending, len);
	d->pending_len = 0;
	if (len > 0)
		d->turns++;
	for (at = 0; at < len && !d->ended; at += n) {
		n = d->down == 0 ? len - at : d->down;
		if (d->first > 0) {
			n = d->first;
			d->first = 0;
		}
		if (n > len - at)
			n = len - at;
		copy = malloc(n);
		ATF_REQUIRE(copy != NULL);
		memcpy(copy, said + at, n);
		delivery_receive(d->delivery, copy, n, d->now_ms);
		free(copy);
		events_note(d);
		if (d->down > 0)
			(void)client_turn(d);
	}
	return (len > 0);
}

static inline void
server_gone(struct dialogue *d)
{
	delivery_lost(d->delivery, d->closing == 1 ? 0 : ECONNRESET);
	events_note(d);
	ATF_REQUIRE(d->ended);
}

/* Nobody has anything to say: the clock goes on to the deadline. */
static inline void
silence(struct dialogue *d)
{
	int64_t	deadline = delivery_deadline(d->delivery);

	ATF_REQUIRE_MSG(deadline != -1, "both wait for ever");
	ATF_REQUIRE(deadline > d->now_ms);
	delivery_expire(d->delivery, deadline - 1);
	events_note(d);
	ATF_REQUIRE_MSG(!d->ended, "given up too early");
	d->waited_ms = deadline - d->now_ms;
	d->now_ms = deadline;
	delivery_expire(d->delivery, deadline);
	events_note(d);
	ATF_REQUIRE_MSG(d->ended, "still waiting");
}

static inline void
dialogue_run(struct dialogue *d)
{
	int	any;

	d->said_len = d->came_len = d->line_len = d->pending_len = 0;
	d->said[0] = d->came[0] = '\0';
	d->turns = 0;
	d->given = 0;
	d->ended = d->in_data = d->mail = d->rcpt = d->closing = 0;
	d->waited_ms = 0;
	memset(d->counts, 0, sizeof(d->counts));
	d->now_ms = 1000000;
	if (d->config.hello == NULL)
		d->config.hello = "me";
	d->delivery = smtp_new(&d->config, d->now_ms);
	ATF_REQUIRE(d->delivery != NULL);
	(void)client_turn(d);
	server_command(d, "GREETING");
	while (!d->ended) {
		any = server_turn(d);
		if (!d->ended && d->closing)
			server_gone(d);
		if (!d->ended)
			any |= client_turn(d);
		if (!d->ended && !any && d->pending_len == 0 && !d->closing)
			silence(d);
	}
	delivery_free(d->delivery);
}

#endif
