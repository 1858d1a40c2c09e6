/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The parent tells which spools there are and gives us a way to the queue of
 * each; then it hangs up, and all that is asked goes to the queues.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoturnctl.h"

#define PARENT_TIMEOUT_S	10
#define SPOOLS_MAX		10000

static __dead void
not_understood(const struct link_message *m)
{
	errx(EXIT_FAILED, "the daemon's message %u is not understood",
	    m->type);
}

static void
daemon_take(struct control_daemon *d, const struct link_message *m)
{
	if (m->type == IMSG_CTL_REFUSED)
		link_refused(m);
	if (m->type != IMSG_CTL_DAEMON || m->len < sizeof(d->version))
		not_understood(m);
	memcpy(&d->version, m->data, sizeof(d->version));
	if (d->version != CONTROL_VERSION)
		errx(EXIT_FAILED, "the daemon speaks version %u of the "
		    "protocol, this program speaks version %d", d->version,
		    CONTROL_VERSION);
	if (m->len != sizeof(*d))
		not_understood(m);
	memcpy(d, m->data, sizeof(*d));
	d->build[sizeof(d->build) - 1] = '\0';
	d->conf_path[sizeof(d->conf_path) - 1] = '\0';
}

static void
spool_take(struct daemon_links *dl, const struct link_message *m, int fd)
{
	struct spool_link	*sp, **more;

	if (m->len == 0 || m->len >= PATH_MAX ||
	    memchr(m->data, '\0', m->len) != NULL || dl->count == SPOOLS_MAX)
		not_understood(m);
	more = reallocarray(dl->spools, dl->count + 1, sizeof(*more));
	if (more == NULL || (sp = calloc(1, sizeof(*sp))) == NULL)
		err(EXIT_FAILED, "spools");
	dl->spools = more;
	dl->spools[dl->count++] = sp;
	if ((sp->path = strndup(m->data, m->len)) == NULL)
		err(EXIT_FAILED, "spools");
	if (fd == -1)
		return;
	link_adopt(&sp->link, fd);
	sp->open = 1;
}

void
daemon_connect(struct daemon_links *dl, const char *path)
{
	struct link		parent;
	struct link_message	m;
	size_t			i;

	memset(dl, 0, sizeof(*dl));
	link_connect(&parent, path);
	link_allow_fds(&parent);
	link_next(&parent, &m, PARENT_TIMEOUT_S);
	daemon_take(&dl->daemon, &m);
	for (;;) {
		link_next(&parent, &m, PARENT_TIMEOUT_S);
		if (m.type == IMSG_CTL_SPOOLS_END)
			break;
		if (m.type != IMSG_CTL_SPOOL)
			not_understood(&m);
		spool_take(dl, &m, link_fd(&parent));
	}
	link_close(&parent);
	for (i = 0; i < dl->count; i++)
		if (dl->spools[i]->open)
			link_hello(&dl->spools[i]->link, CONTROL_VERSION);
}
