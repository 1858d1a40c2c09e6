/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The directives of tcpserverd.conf that are about no service.
 */
#include <sys/types.h>

#include "compat.h"
#include "conf_build.h"

void
build_log_facility(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *name)
{
	int	facility;

	if (build_once(b, ONCE_LOG_FACILITY, at) == -1)
		return;
	if ((facility = conf_facility_find(name->text)) == -1)
		conf_word_error(b->lexer, name, "log facility: \"%s\": syslog "
		    "has no such facility", name->text);
	else if (b->service != NULL)
		b->service->log_facility = facility;
	else
		b->conf->log_facility = facility;
}

void
build_log_format(struct conf_build *b, const struct conf_word *at, int json)
{
	if (build_once(b, ONCE_LOG_FORMAT, at) == 0)
		b->conf->log_json = json;
}

void
build_control(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path, const struct conf_word *group)
{
	struct daemon_conf	*c = b->conf;

	if (build_once(b, ONCE_CONTROL, at) == -1)
		return;
	(void)conf_word_socket(b->lexer, "control socket", path, 1,
	    &c->control_path);
	if (group != NULL)
		(void)conf_word_group(b->lexer, "control socket: group",
		    group, &c->control_group, &c->control_gid);
}

void
build_restricted(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path)
{
	if (build_once(b, ONCE_RESTRICTED, at) == 0)
		(void)conf_word_socket(b->lexer, "restricted control socket",
		    path, 1, &b->conf->restricted_path);
}

void
build_event(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path, const struct conf_word *user)
{
	struct daemon_conf	*c = b->conf;
	gid_t			 gid;
	int			 has_gid;

	if (build_once(b, ONCE_EVENT, at) == -1)
		return;
	(void)conf_word_socket(b->lexer, "event socket", path, 1,
	    &c->event_path);
	if (user == NULL)
		return;
	if (conf_user_find(user->text, &c->event_uid, &gid, &has_gid) == -1)
		conf_word_error(b->lexer, user, "event socket: user \"%s\": "
		    "unknown", user->text);
	else
		(void)conf_word_copy(b->lexer, user, &c->event_user,
		    user->text);
}
