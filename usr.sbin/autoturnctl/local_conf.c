/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * autoturnd.conf, for what is done without the daemon.
 */
#include <sys/types.h>

#include <string.h>

#include "compat.h"
#include "local.h"
#include "settings.h"

static void
error_say(const char *line, void *arg)
{
	const struct local_options	*o = arg;

	fprintf(o->err, "%s\n", line);
}

struct autoturnd_conf *
local_conf_load(const struct local_options *o)
{
	struct local_options	copy = *o;

	return (autoturnd_conf_load(o->conf_path, NULL, error_say, &copy));
}

struct conf_spool *
local_spool_find(const struct local_options *o,
    const struct autoturnd_conf *conf, const char *path)
{
	struct conf_spool	*s = TAILQ_FIRST(&conf->spools);

	if (path == NULL && TAILQ_NEXT(s, entry) == NULL)
		return (s);
	if (path == NULL) {
		local_say(o->err, "%s: has several spools: say which",
		    o->conf_path);
		return (NULL);
	}
	TAILQ_FOREACH(s, &conf->spools, entry)
		if (strcmp(s->settings.path, path) == 0)
			return (s);
	local_say(o->err, "%s: has no spool \"%s\"", o->conf_path, path);
	return (NULL);
}
