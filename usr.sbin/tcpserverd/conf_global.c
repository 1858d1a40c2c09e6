/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The directives of tcpserverd.conf that are about no service.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
		build_error(b, name, "log facility: \"%s\": syslog has no "
		    "such facility", name->text);
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

/*
 * Sockets
 */

/* The directory must be there: nobody else will make it. */
static int
socket_directory_check(struct conf_build *b, const char *what,
    const struct conf_word *path)
{
	struct stat	 st;
	char		*dir;
	int		 rv = 0;

	if ((dir = strdup(path->text)) == NULL) {
		build_error(b, path, "%s", strerror(errno));
		return (-1);
	}
	strrchr(dir, '/')[strrchr(dir, '/') == dir] = '\0';
	if (stat(dir, &st) == -1 || !S_ISDIR(st.st_mode)) {
		build_error(b, path, "%s: \"%s\": %s: %s", what, path->text,
		    dir, errno == 0 ? "not a directory" : strerror(errno));
		rv = -1;
	}
	free(dir);
	return (rv);
}

static int
socket_path_set(struct conf_build *b, const char *what,
    const struct conf_word *path, char **member)
{
	struct sockaddr_un	un;

	if (path->text[0] != '/') {
		build_error(b, path, "%s: \"%s\": not an absolute path", what,
		    path->text);
		return (-1);
	}
	if (strlen(path->text) >= sizeof(un.sun_path)) {
		build_error(b, path, "%s: \"%s\": longer than %zu bytes",
		    what, path->text, sizeof(un.sun_path) - 1);
		return (-1);
	}
	errno = 0;
	if (socket_directory_check(b, what, path) == -1)
		return (-1);
	return (build_string(b, path, member, path->text));
}

void
build_control(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path, const struct conf_word *group)
{
	struct daemon_conf	*c = b->conf;

	if (build_once(b, ONCE_CONTROL, at) == -1)
		return;
	(void)socket_path_set(b, "control socket", path, &c->control_path);
	if (group == NULL)
		return;
	if (conf_group_find(group->text, &c->control_gid) == -1)
		build_error(b, group, "control socket: group \"%s\": unknown",
		    group->text);
	else
		(void)build_string(b, group, &c->control_group, group->text);
}

void
build_restricted(struct conf_build *b, const struct conf_word *at,
    const struct conf_word *path)
{
	if (build_once(b, ONCE_RESTRICTED, at) == 0)
		(void)socket_path_set(b, "restricted control socket", path,
		    &b->conf->restricted_path);
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
	(void)socket_path_set(b, "event socket", path, &c->event_path);
	if (user == NULL)
		return;
	if (conf_user_find(user->text, &c->event_uid, &gid, &has_gid) == -1)
		build_error(b, user, "event socket: user \"%s\": unknown",
		    user->text);
	else
		(void)build_string(b, user, &c->event_user, user->text);
}
