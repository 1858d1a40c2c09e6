/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The daemon's own sockets: made by the parent, answered by the engine.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "configure.h"
#include "named.h"

/* Those that are in force. */
static struct named	own_sockets[SOCKET_EVENT + 1];

/*
 * One socket
 */

static void
socket_error(const char *path, const char *what, configure_report *report,
    void *arg)
{
	char	line[PATH_MAX + 256];

	snprintf(line, sizeof(line), "socket \"%s\": %s", path, what);
	report(line, arg);
}

static int
socket_open(const char *path, mode_t mode, uid_t uid, gid_t gid,
    configure_report *report, void *arg)
{
	int	fd;

	if ((fd = named_open(path, SOCK_STREAM, mode, uid, gid)) == -1)
		socket_error(path, errno == EADDRINUSE ?
		    "another daemon has it" : strerror(errno), report, arg);
	return (fd);
}

/*
 * All of them: what the configuration, or -s, says of each
 */

static const char *
socket_name(const struct daemon_conf *conf, int which)
{
	if (which == SOCKET_CONTROL)
		return (configure_options.control_path != NULL ?
		    configure_options.control_path : conf->control_path);
	return (which == SOCKET_RESTRICTED ? conf->restricted_path :
	    conf->event_path);
}

static uid_t
socket_uid(const struct daemon_conf *conf, int which)
{
	return (which == SOCKET_EVENT && conf->event_user != NULL ?
	    conf->event_uid : (uid_t)-1);
}

static gid_t
socket_gid(const struct daemon_conf *conf, int which)
{
	return (which == SOCKET_CONTROL && conf->control_group != NULL ?
	    conf->control_gid : (gid_t)-1);
}

static int
socket_make(const struct daemon_conf *conf, int which,
    configure_report *report, void *arg)
{
	static const mode_t	modes[] = {
		[SOCKET_CONTROL] = 0660,
		[SOCKET_RESTRICTED] = 0666,
		[SOCKET_EVENT] = 0600
	};

	return (socket_open(socket_name(conf, which), modes[which],
	    socket_uid(conf, which), socket_gid(conf, which), report, arg));
}

/*
 * Those that are in force
 */

static int
socket_same(const struct daemon_conf *conf, int which)
{
	const char	*name = socket_name(conf, which);
	const char	*own = own_sockets[which].path;

	if (name == NULL || own == NULL)
		return (name == own);
	return (strcmp(name, own) == 0);
}

static void
socket_forget(int which)
{
	named_forget(&own_sockets[which]);
	config.sockets[which] = -1;
}

static void
socket_take(const struct daemon_conf *conf, int which, int fd)
{
	config.sockets[which] = fd;
	if (named_take(&own_sockets[which], socket_name(conf, which), fd,
	    socket_uid(conf, which), socket_gid(conf, which)) == -1)
		fatal("socket");
}

static void
socket_stays(const struct daemon_conf *conf, int which)
{
	struct named	*own = &own_sockets[which];

	if (named_owner_change(own, socket_uid(conf, which),
	    socket_gid(conf, which)) == -1)
		log_warn("socket \"%s\"", own->path);
}

int
sockets_make(const struct daemon_conf *conf, int *fds,
    configure_report *report, void *arg)
{
	int	i;

	for (i = 0; i <= SOCKET_EVENT; i++)
		fds[i] = -1;
	for (i = 0; i <= SOCKET_EVENT; i++)
		if (!socket_same(conf, i) && socket_name(conf, i) != NULL &&
		    (fds[i] = socket_make(conf, i, report, arg)) == -1)
			return (-1);
	return (0);
}

void
sockets_undo(const struct daemon_conf *conf, const int *fds)
{
	int	i;

	for (i = 0; i <= SOCKET_EVENT; i++)
		if (fds[i] != -1) {
			close(fds[i]);
			(void)unlink(socket_name(conf, i));
		}
}

void
sockets_take(const struct daemon_conf *conf, const int *fds)
{
	int	i;

	for (i = 0; i <= SOCKET_EVENT; i++) {
		if (socket_same(conf, i)) {
			socket_stays(conf, i);
			continue;
		}
		socket_forget(i);
		if (fds[i] != -1)
			socket_take(conf, i, fds[i]);
	}
}

void
sockets_end(void)
{
	int	i;

	for (i = 0; i <= SOCKET_EVENT; i++)
		socket_forget(i);
}
