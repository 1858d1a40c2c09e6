/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * tcpserver's own options and operands as directives.  What it does unless
 * told otherwise (names and ident are looked up) is said in so many words:
 * the daemon's defaults are others.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "import_local.h"

#define LETTERS	"46dDvqQhHrR1UXx:t:u:g:l:b:B:c:pPoO"

/* The options that only together say what is to be done. */
struct options {
	int		 family;
	int		 paranoid;
	int		 names;
	const char	*backlog;
};

static void
option_letter(struct import *im, struct import_service *s, struct options *o,
    int ch)
{
	switch (ch) {
	case '4':
		o->family = AF_INET;
		break;
	case '6':
		o->family = AF_INET6;
		break;
	case 'D': case 'd':
		s->nodelay = ch == 'D';
		break;
	case 'v':
		s->log = "verbose";
		break;
	case 'Q': case 'q':
		s->log = "brief";
		break;
	case 'h': case 'H':
		o->names = ch == 'h';
		break;
	case 'p': case 'P':
		o->paranoid = ch == 'p';
		break;
	case 'r': case 'R':
		s->ident = ch == 'r';
		break;
	case 'o': case 'O':
		s->ip_options = ch == 'o';
		break;
	case 'X':
		s->rules_optional = 1;
		break;
	case '1':
		import_problem(im, "-1: the daemon prints no port");
		break;
	case 'U':
		if (s->env_user != NULL)
			service_user(im, s, s->env_user);
		else
			import_problem(im, "-U: $UID and $GID are not known "
			    "here");
		break;
	default:
		import_problem(im, "tcpserver: option not understood");
	}
}

/* For tcpserver a number of 0 is no user at all. */
static int
id_is_nobody(const char *text)
{
	return (text[0] != '\0' && text[strspn(text, "0")] == '\0');
}

static void
option_argument(struct import *im, struct import_service *s,
    struct options *o, int ch, const struct import_word *w)
{
	char	what[] = "-?";

	what[1] = (char)ch;
	if (!word_known(im, w, what))
		return;
	switch (ch) {
	case 'b':
		o->backlog = w->text;
		break;
	case 'B':
		string_set(im, &s->banner, w->text);
		break;
	case 'c':
		string_set(im, &s->sessions, w->text);
		break;
	case 'g':
		if (!id_is_nobody(w->text))
			service_group(im, s, w->text);
		break;
	case 'l':
		/* 0: its own address is its name. */
		string_set(im, &s->local_name, w->text);
		break;
	case 't':
		string_set(im, &s->ident_timeout, w->text);
		break;
	case 'u':
		if (!id_is_nobody(w->text))
			service_user(im, s, w->text);
		break;
	default:
		service_rules(im, s, w->text);
	}
}

int
host_resolve(struct import *im, const char *host, int family, char *text,
    size_t size)
{
	struct addrinfo	hints, *res;
	int		rv;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family == AF_INET6 ? AF_INET6 : AF_INET;
	hints.ai_socktype = SOCK_STREAM;
	if ((rv = getaddrinfo(host, NULL, &hints, &res)) != 0) {
		import_problem(im, "host \"%s\": %s", host, gai_strerror(rv));
		return (-1);
	}
	rv = getnameinfo(res->ai_addr, res->ai_addrlen, text, (socklen_t)size,
	    NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(res);
	if (rv != 0)
		return (-1);
	import_problem(im, "host \"%s\": a name, not an address: %s now",
	    host, text);
	return (0);
}

static int
host_is_address(const char *host)
{
	struct addrinfo	hints, *res;

	memset(&hints, 0, sizeof(hints));
	hints.ai_flags = AI_NUMERICHOST;
	if (getaddrinfo(host, NULL, &hints, &res) != 0)
		return (0);
	freeaddrinfo(res);
	return (1);
}

static void
listen_add(struct import *im, struct import_service *s,
    const struct options *o, const struct import_word *host,
    const struct import_word *port)
{
	char	text[NI_MAXHOST];
	int	known;

	known = word_known(im, host, "host");
	if (!word_known(im, port, "port") || !known) {
		s->useless = 1;
		return;
	}
	im->line = host->line;
	if (host->text[0] == '\0' || strcmp(host->text, "0") == 0 ||
	    strcmp(host->text, "0.0.0.0") == 0)
		service_listen(im, s, "*", o->family == AF_INET6 ? AF_INET6 :
		    AF_INET, port->text, o->backlog);
	else if (strcmp(host->text, "::") == 0)
		service_listen(im, s, "*", o->family, port->text, o->backlog);
	else if (host_is_address(host->text))
		service_listen(im, s, host->text, AF_UNSPEC, port->text,
		    o->backlog);
	else if (host_resolve(im, host->text, o->family, text,
	    sizeof(text)) == 0)
		service_listen(im, s, text, AF_UNSPEC, port->text, o->backlog);
	else
		s->useless = 1;
}

static void
program_add(struct import *im, struct import_service *s,
    const struct import_words *words, size_t i)
{
	for (; i < words->len; i++) {
		if (!word_known(im, &words->list[i], "program"))
			s->useless = 1;
		words_add(im, &s->argv, words->list[i].text, NULL);
	}
}

static size_t
options_read(struct import *im, const struct import_words *words, size_t i,
    struct import_service *s, struct options *opts)
{
	struct import_options	o;
	int			ch;

	memset(&o, 0, sizeof(o));
	o.words = words;
	o.next = i;
	o.letters = LETTERS;
	while ((ch = option_next(&o)) != -1) {
		im->line = words->list[o.next - 1].line;
		if (o.arg != NULL)
			option_argument(im, s, opts, ch, o.arg);
		else
			option_letter(im, s, opts, ch);
	}
	return (o.next);
}

void
tcpserver_read(struct import *im, const struct import_words *words, size_t i,
    struct import_service *s)
{
	struct options	opts;

	memset(&opts, 0, sizeof(opts));
	opts.family = AF_UNSPEC;
	opts.names = 1;
	s->ident = 1;
	i = options_read(im, words, i, s, &opts);
	s->lookup = opts.paranoid ? IMPORT_LOOKUP_PARANOID :
	    opts.names ? IMPORT_LOOKUP_ON : IMPORT_LOOKUP_OFF;
	if (words->len - i < 3) {
		import_problem(im, "tcpserver: no host, port and program");
		s->useless = 1;
		return;
	}
	listen_add(im, s, &opts, &words->list[i], &words->list[i + 1]);
	program_add(im, s, words, i + 2);
}
