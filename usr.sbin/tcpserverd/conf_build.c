/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What making a configuration needs everywhere: lists, and that nothing is
 * said twice.
 */
#include <sys/types.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "compat.h"
#include "conf_build.h"

static const char *const	once_words[ONCE_COUNT] = {
	"rules", "user", "chroot", "login class", "directory", "sessions",
	"exec", "close", "banner", "local name", "lookup", "ident", "log",
	"log facility", "control socket", "restricted control socket",
	"event socket", "log format"
};

const char *
build_once_word(enum conf_once what)
{
	return (once_words[what]);
}

int
build_once(struct conf_build *b, enum conf_once what,
    const struct conf_word *at)
{
	return (conf_word_once(b->lexer, &b->once[what], once_words[what],
	    at));
}

int
build_list_add(struct conf_build *b, const struct conf_word *at, char ***list,
    const char *value)
{
	char	**grown;
	size_t	  n = 0;

	while (*list != NULL && (*list)[n] != NULL)
		n++;
	if ((grown = reallocarray(*list, n + 2, sizeof(*grown))) != NULL) {
		*list = grown;
		grown[n + 1] = NULL;
		if ((grown[n] = strdup(value)) != NULL)
			return (0);
	}
	conf_word_error(b->lexer, at, "%s", strerror(errno));
	return (-1);
}

int
build_init(struct conf_build *b)
{
	if ((b->conf = calloc(1, sizeof(*b->conf))) == NULL)
		return (-1);
	TAILQ_INIT(&b->conf->services);
	b->conf->log_facility = LOG_DAEMON;
	b->conf->control_path = strdup(CONTROL_PATH_DEFAULT);
	return (b->conf->control_path == NULL ? -1 : 0);
}

/* Who may hear of sessions when nothing was said of him: autoturnd. */
static void
event_user_default(struct daemon_conf *conf)
{
	struct passwd	*pw;

	if (conf->event_path == NULL || conf->event_user != NULL ||
	    (pw = getpwnam(EVENT_USER_DEFAULT)) == NULL)
		return;
	if ((conf->event_user = strdup(pw->pw_name)) != NULL)
		conf->event_uid = pw->pw_uid;
}

static void
sockets_check(struct conf_build *b)
{
	const struct daemon_conf	*c = b->conf;
	struct conf_word		 whole;

	memset(&whole, 0, sizeof(whole));
	whole.file = c->path;
	if ((c->restricted_path != NULL &&
	    strcmp(c->restricted_path, c->control_path) == 0) ||
	    (c->event_path != NULL &&
	    (strcmp(c->event_path, c->control_path) == 0 ||
	    (c->restricted_path != NULL &&
	    strcmp(c->event_path, c->restricted_path) == 0))))
		conf_word_error(b->lexer, &whole, "control, restricted control "
		    "and event socket: two have the same path");
}

void
build_finish(struct conf_build *b)
{
	struct conf_service	*s;

	TAILQ_FOREACH(s, &b->conf->services, entry)
		if (s->log_facility == -1)
			s->log_facility = b->conf->log_facility;
	event_user_default(b->conf);
	sockets_check(b);
}
