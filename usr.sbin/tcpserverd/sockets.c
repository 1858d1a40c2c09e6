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
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "configure.h"

#define SOCKET_BACKLOG	8

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

int
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
