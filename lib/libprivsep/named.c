/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Local sockets with a name.  What a killed daemon left is told from what a
 * living one has by asking whether anybody answers there.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "named.h"

#define BACKLOG	8

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
somebody_answers(const struct sockaddr_un *sun, int type)
{
	int	fd, answers;

	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
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
name_free(const struct sockaddr_un *sun, int type)
{
	struct stat	st;

	if (lstat(sun->sun_path, &st) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return (-1);
	}
	if (somebody_answers(sun, type)) {
		errno = EADDRINUSE;
		return (-1);
	}
	return (unlink(sun->sun_path));
}

static int
name_bind(int fd, const struct sockaddr_un *sun, int type, mode_t mode,
    uid_t uid, gid_t gid)
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
	    (type == SOCK_STREAM && listen(fd, BACKLOG) == -1)) {
		(void)unlink(sun->sun_path);
		return (-1);
	}
	return (0);
}

int
named_open(const char *path, int type, mode_t mode, uid_t uid, gid_t gid)
{
	struct sockaddr_un	sun;
	int			error, fd;

	if (address_fill(&sun, path) == -1 || name_free(&sun, type) == -1 ||
	    (fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) == -1)
		return (-1);
	if (name_bind(fd, &sun, type, mode, uid, gid) == 0)
		return (fd);
	error = errno;
	close(fd);
	errno = error;
	return (-1);
}

int
named_take(struct named *n, const char *path, int fd, uid_t uid, gid_t gid)
{
	if (lstat(path, &n->st) == -1 || (n->path = strdup(path)) == NULL)
		return (-1);
	n->fd = fd;
	n->uid = uid;
	n->gid = gid;
	return (0);
}

/* Is it still what we put there? */
static int
named_ours(const struct named *n)
{
	struct stat	st;

	return (lstat(n->path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_dev == n->st.st_dev && st.st_ino == n->st.st_ino);
}

int
named_owner_change(struct named *n, uid_t uid, gid_t gid)
{
	if (n->path == NULL || (uid == n->uid && gid == n->gid))
		return (0);
	n->uid = uid;
	n->gid = gid;
	if (!named_ours(n))
		return (0);
	return (lchown(n->path, uid == (uid_t)-1 ? geteuid() : uid,
	    gid == (gid_t)-1 ? getegid() : gid));
}

void
named_forget(struct named *n)
{
	if (n->path == NULL)
		return;
	/* Not what somebody else put there. */
	if (named_ours(n))
		(void)unlink(n->path);
	free(n->path);
	n->path = NULL;
	close(n->fd);
}
