/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The daemon's control sockets.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"

static const mode_t	modes[PARENT_SOCKETS] = {
	[PARENT_CONTROL] = 0660,
	[PARENT_RESTRICTED] = 0666
};

static const char *
socket_path(const struct autoturnd_conf *conf, int which)
{
	if (which == PARENT_RESTRICTED)
		return (conf->restricted_path);
	return (parent.control_path != NULL ? parent.control_path :
	    conf->control_path);
}

static gid_t
socket_gid(const struct autoturnd_conf *conf, int which)
{
	return (which == PARENT_CONTROL && conf->control_group != NULL ?
	    conf->control_gid : (gid_t)-1);
}

static int
socket_same(const struct autoturnd_conf *conf, int which)
{
	const char	*path = socket_path(conf, which);
	const char	*own = parent.sockets[which].path;

	if (path == NULL || own == NULL)
		return (path == own);
	return (strcmp(path, own) == 0);
}

static int
socket_make(const struct autoturnd_conf *conf, int which,
    parent_report *report, void *arg)
{
	const char	*path = socket_path(conf, which);
	int		 fd;

	fd = named_open(path, SOCK_STREAM, modes[which], (uid_t)-1,
	    socket_gid(conf, which));
	if (fd == -1)
		configure_tell(report, arg, "socket \"%s\": %s", path,
		    errno == EADDRINUSE ? "another daemon has it" :
		    strerror(errno));
	return (fd);
}

int
sockets_make(const struct autoturnd_conf *conf, int *fds,
    parent_report *report, void *arg)
{
	int	i;

	for (i = 0; i < PARENT_SOCKETS; i++)
		fds[i] = -1;
	for (i = 0; i < PARENT_SOCKETS; i++)
		if (!socket_same(conf, i) && socket_path(conf, i) != NULL &&
		    (fds[i] = socket_make(conf, i, report, arg)) == -1)
			return (-1);
	return (0);
}

void
sockets_undo(const struct autoturnd_conf *conf, const int *fds)
{
	int	i;

	for (i = 0; i < PARENT_SOCKETS; i++)
		if (fds[i] != -1) {
			close(fds[i]);
			(void)unlink(socket_path(conf, i));
		}
}

static void
socket_take(const struct autoturnd_conf *conf, int which, int fd)
{
	struct named	*n = &parent.sockets[which];

	if (socket_same(conf, which)) {
		if (named_owner_change(n, (uid_t)-1,
		    socket_gid(conf, which)) == -1)
			log_warn("socket \"%s\"", n->path);
		return;
	}
	named_forget(n);
	if (fd != -1 && named_take(n, socket_path(conf, which), fd,
	    (uid_t)-1, socket_gid(conf, which)) == -1)
		fatal("socket \"%s\"", socket_path(conf, which));
}

void
sockets_take(const struct autoturnd_conf *conf, const int *fds)
{
	int	i;

	callers_ignore();
	for (i = 0; i < PARENT_SOCKETS; i++)
		socket_take(conf, i, fds[i]);
}

void
sockets_end(void)
{
	int	i;

	for (i = 0; i < PARENT_SOCKETS; i++)
		named_forget(&parent.sockets[i]);
}
