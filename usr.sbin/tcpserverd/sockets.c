/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The daemon's own sockets: made by the parent, answered by the engine.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "configure.h"

#define SOCKET_BACKLOG	8

/* Those that are in force. */
struct own_socket {
	char		*name;		/* NULL: there is none */
	struct stat	 st;		/* of the name, when it was ours */
	uid_t		 uid;		/* -1: our own */
	gid_t		 gid;
};

static struct own_socket	own_sockets[SOCKET_EVENT + 1];

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
address_fill(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) >=
	    sizeof(sun->sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

static int
somebody_answers(const struct sockaddr_un *sun)
{
	int	fd, answers;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (0);
	/* Of another kind, such as syslogd's: that is not free either. */
	answers = connect(fd, (const struct sockaddr *)sun,
	    sizeof(*sun)) == 0 || errno != ECONNREFUSED;
	close(fd);
	return (answers);
}

/* What a killed daemon left; anything but a socket is somebody's file. */
static int
name_free(const struct sockaddr_un *sun)
{
	struct stat	st;

	if (lstat(sun->sun_path, &st) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return (-1);
	}
	if (somebody_answers(sun)) {
		errno = EADDRINUSE;
		return (-1);
	}
	return (unlink(sun->sun_path));
}

static int
name_bind(int fd, const struct sockaddr_un *sun, mode_t mode, uid_t uid,
    gid_t gid)
{
	mode_t	old = umask(0777);
	int	n;

	n = bind(fd, (const struct sockaddr *)sun, sizeof(*sun));
	umask(old);
	if (n == -1)
		return (-1);
	if (((uid != (uid_t)-1 || gid != (gid_t)-1) &&
	    lchown(sun->sun_path, uid, gid) == -1) ||
	    chmod(sun->sun_path, mode) == -1 ||
	    listen(fd, SOCKET_BACKLOG) == -1) {
		(void)unlink(sun->sun_path);
		return (-1);
	}
	return (0);
}

static int
socket_open(const char *path, mode_t mode, uid_t uid, gid_t gid,
    configure_report *report, void *arg)
{
	struct sockaddr_un	sun;
	int			fd = -1;

	if (address_fill(&sun, path) == 0 && name_free(&sun) == 0 &&
	    (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) != -1 && name_bind(fd, &sun, mode, uid, gid) == 0)
		return (fd);
	socket_error(path, errno == EADDRINUSE ? "another daemon has it" :
	    strerror(errno), report, arg);
	if (fd != -1)
		close(fd);
	return (-1);
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
	const char	*own = own_sockets[which].name;

	if (name == NULL || own == NULL)
		return (name == own);
	return (strcmp(name, own) == 0);
}

/* Is it still what we put there? */
static int
socket_ours(const struct own_socket *own)
{
	struct stat	st;

	return (lstat(own->name, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_dev == own->st.st_dev && st.st_ino == own->st.st_ino);
}

/* One that stays may be somebody else's from now on. */
static void
socket_owner_change(struct own_socket *own, uid_t uid, gid_t gid)
{
	if (own->name == NULL || (uid == own->uid && gid == own->gid))
		return;
	own->uid = uid;
	own->gid = gid;
	if (socket_ours(own) && lchown(own->name,
	    uid == (uid_t)-1 ? geteuid() : uid,
	    gid == (gid_t)-1 ? getegid() : gid) == -1)
		log_warn("socket \"%s\"", own->name);
}

static void
socket_forget(int which)
{
	struct own_socket	*own = &own_sockets[which];

	if (own->name == NULL)
		return;
	/* Not what somebody else put there. */
	if (socket_ours(own))
		(void)unlink(own->name);
	free(own->name);
	own->name = NULL;
	close(config.sockets[which]);
	config.sockets[which] = -1;
}

static void
socket_take(const struct daemon_conf *conf, int which, int fd)
{
	struct own_socket	*own = &own_sockets[which];

	config.sockets[which] = fd;
	own->uid = socket_uid(conf, which);
	own->gid = socket_gid(conf, which);
	if ((own->name = strdup(socket_name(conf, which))) == NULL ||
	    lstat(own->name, &own->st) == -1)
		fatal("socket");
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
			socket_owner_change(&own_sockets[i],
			    socket_uid(conf, i), socket_gid(conf, i));
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
