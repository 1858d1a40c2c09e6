/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Messages that can't be sent and can't be returned: moved, with the reason
 * beside them, to a directory of their Maildir where nothing looks by itself.
 * The reason is on disk before the message moves; one without a message is
 * a crash's and is forgotten when it is met.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "books.h"
#include "queue.h"

#define QUARANTINE	"quarantine"
#define REASON_SUFFIX	".reason"
#define REASON_TMP	".reason.tmp"
#define REASON_SIZE	TEXT_SIZE
#define NAME_BYTES_MAX	255
#define TRIES_MAX	100

struct place {
	int	maildir;
	int	fd;
};

static void
place_close(struct place *place)
{
	int	saved = errno;

	if (place->fd != -1)
		close(place->fd);
	if (place->maildir != -1)
		close(place->maildir);
	errno = saved;
}

static int
place_open(struct place *place, const char *maildir, int create)
{
	place->fd = -1;
	place->maildir = openat(queue.spool_fd, maildir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->maildir == -1)
		return (-1);
	if (create && mkdirat(place->maildir, QUARANTINE, 0700) == -1 &&
	    errno != EEXIST) {
		place_close(place);
		return (-1);
	}
	place->fd = openat(place->maildir, QUARANTINE,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place->fd == -1) {
		place_close(place);
		return (-1);
	}
	return (0);
}

static int
name_is_reason(const char *name)
{
	size_t	len = strlen(name), end = strlen(REASON_SUFFIX);

	return (len > end && strcmp(name + len - end, REASON_SUFFIX) == 0);
}

/* The first try is its own name, if its reason's has room behind it. */
static void
name_try(char *name, size_t size, const char *base, int i)
{
	if (i == 0)
		(void)strlcpy(name, base, size);
	else
		(void)snprintf(name, size, "%.*s.%d",
		    (int)(size - sizeof(".99")), base, i);
}

/*
 * A name nobody has there: a message keeps its own where it can.  None ends
 * as a reason's does, or it would be another one's reason.
 */
static int
place_name(const struct place *place, const char *base, char *name,
    size_t size)
{
	struct stat	st;
	int		i;

	for (i = name_is_reason(base) || strlen(base) >= size;
	    i < TRIES_MAX; i++) {
		name_try(name, size, base, i);
		if (fstatat(place->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			return (errno == ENOENT ? 0 : -1);
	}
	errno = EEXIST;
	return (-1);
}

static void
reason_name(char *out, size_t size, const char *name)
{
	(void)snprintf(out, size, "%s%s", name, REASON_SUFFIX);
}

static int
reason_put(int fd, const char *reason)
{
	size_t	len = strlen(reason);

	if (write(fd, reason, len) != (ssize_t)len ||
	    write(fd, "\n", 1) != 1) {
		if (errno == 0)
			errno = ENOSPC;
		return (-1);
	}
	return (fsync(fd));
}

static int
reason_write(const struct place *place, const char *name, const char *reason)
{
	char	path[NAME_BYTES_MAX + sizeof(REASON_SUFFIX)];
	int	error = 0, fd;

	fd = openat(place->fd, REASON_TMP, O_WRONLY | O_CREAT | O_TRUNC |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return (-1);
	errno = 0;
	if (reason_put(fd, reason) == -1)
		error = errno;
	close(fd);
	reason_name(path, sizeof(path), name);
	if (error == 0 && renameat(place->fd, REASON_TMP, place->fd, path) ==
	    -1)
		error = errno;
	errno = error;
	return (error == 0 ? 0 : -1);
}

/* What was in new/ is in quarantine/ or there again, never nowhere. */
static int
message_move(const struct place *place, const char *from, const char *name)
{
	char	reason[NAME_BYTES_MAX + sizeof(REASON_SUFFIX)];
	int	error;

	if (renameat(place->maildir, from, place->fd, name) == -1) {
		error = errno;
		reason_name(reason, sizeof(reason), name);
		(void)unlinkat(place->fd, reason, 0);
		errno = error;
		return (-1);
	}
	(void)fsync(place->fd);
	return (0);
}

static const char *
base_name(const char *name)
{
	const char	*slash = strrchr(name, '/');

	return (slash == NULL ? name : slash + 1);
}

int
quarantine_put(const char *maildir, const char *name, const char *reason)
{
	struct place	place;
	char		base[NAME_BYTES_MAX - sizeof(REASON_SUFFIX)];
	int		result;

	if (place_open(&place, maildir, 1) == -1)
		return (-1);
	result = place_name(&place, base_name(name), base, sizeof(base));
	if (result == 0)
		result = reason_write(&place, base, reason);
	if (result == 0)
		result = message_move(&place, name, base);
	place_close(&place);
	return (result);
}

/*
 * Back to new/, which must have none of that name: a link can't replace one.
 * Where links can't be made rename(2) does, after a look.
 */
static int
message_back(const struct place *place, const char *name, const char *path)
{
	struct stat	st;

	if (linkat(place->fd, name, place->maildir, path, 0) == 0)
		return (unlinkat(place->fd, name, 0));
	if (errno == EEXIST || errno == ENOENT)
		return (-1);
	if (fstatat(place->maildir, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return (-1);
	}
	return (renameat(place->fd, name, place->maildir, path));
}

static int
name_is_plain(const char *name)
{
	return (*name != '\0' && *name != '.' && strchr(name, '/') == NULL &&
	    strlen(name) < NAME_BYTES_MAX - sizeof(REASON_SUFFIX));
}

int
quarantine_release(struct customer *c, const char *name)
{
	struct place	place;
	char		path[NAME_BYTES_MAX + sizeof("new/")];
	int		error = 0;

	if (!name_is_plain(name)) {
		errno = EINVAL;
		return (-1);
	}
	if (place_open(&place, c->maildir, 0) == -1)
		return (-1);
	(void)snprintf(path, sizeof(path), "new/%s", name);
	if (message_back(&place, name, path) == -1)
		error = errno;
	else {
		reason_name(path, sizeof(path), name);
		(void)unlinkat(place.fd, path, 0);
		if (c->quarantined > 0)
			c->quarantined--;
	}
	place_close(&place);
	errno = error;
	return (error == 0 ? 0 : -1);
}

/*
 * Walking
 */

static void
reason_read(const struct place *place, const char *name, char *reason,
    size_t size)
{
	char	path[NAME_BYTES_MAX + sizeof(REASON_SUFFIX)], *text;
	size_t	len;

	reason_name(path, sizeof(path), name);
	*reason = '\0';
	if (books_load(place->fd, path, REASON_SIZE, &text, &len) == -1)
		return;
	text[strcspn(text, "\n")] = '\0';
	(void)strlcpy(reason, text, size);
	free(text);
}

static void
entry_show(const struct place *place, const char *name,
    void (*visit)(const struct quarantine_entry *, void *), void *arg)
{
	struct quarantine_entry	shown;
	struct stat		st;
	char			reason[REASON_SIZE];

	if (fstatat(place->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return;
	reason_read(place, name, reason, sizeof(reason));
	shown.name = name;
	shown.reason = reason;
	shown.since = st.st_ctime;
	shown.size = (uint64_t)st.st_size;
	visit(&shown, arg);
}

static void
place_walk(const struct place *place, DIR *dir,
    void (*visit)(const struct quarantine_entry *, void *), void *arg)
{
	struct dirent	*entry;

	while ((entry = readdir(dir)) != NULL) {
		if (name_is_plain(entry->d_name) &&
		    !name_is_reason(entry->d_name))
			entry_show(place, entry->d_name, visit, arg);
	}
}

int
quarantine_find(struct customer *c, const char *name,
    void (*visit)(const struct quarantine_entry *, void *), void *arg)
{
	struct place	 place;

	if (!name_is_plain(name) || name_is_reason(name)) {
		errno = EINVAL;
		return (-1);
	}
	if (place_open(&place, c->maildir, 0) == -1)
		return (-1);
	entry_show(&place, name, visit, arg);
	place_close(&place);
	return (0);
}

int
quarantine_walk(struct customer *c,
    void (*visit)(const struct quarantine_entry *, void *), void *arg)
{
	struct place	 place;
	DIR		*dir;
	int		 fd;

	if (place_open(&place, c->maildir, 0) == -1)
		return (errno == ENOENT ? 0 : -1);
	fd = openat(place.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		place_close(&place);
		return (-1);
	}
	place_walk(&place, dir, visit, arg);
	closedir(dir);
	place_close(&place);
	return (0);
}
