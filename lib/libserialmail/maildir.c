/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reading a Maildir.  Whoever may write there may put anything under any
 * name: nothing is followed, opened or waited for that is no plain file.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "maildir.h"
#include "ucspi.h"

#define BLOCK_BYTES	65536
#define NAME_BYTES_MAX	1024	/* with directory and NUL; NAME_MAX is 255 */

/* Names are packed into these: a malloc(3) each costs more than the name. */
struct maildir_block {
	struct maildir_block	*next;
	size_t			 used;
	char			 bytes[BLOCK_BYTES];
};

struct walk {
	struct maildir_list	*list;
	int			 dirfd;
	int			 subfd;		/* its subdirectory */
	time_t			 now;
	maildir_report		*report;
	void			*arg;
	int			(*visit)(void *, const char *,
				    const struct stat *);
};

const char *
maildir_why(int error)
{
	if (error == EINVAL)
		return ("not a regular file");
	if (error == ELOOP)
		return ("a symbolic link");
	return (ucspi_strerror(error));
}

static int
mode_error(mode_t mode)
{
	if (S_ISREG(mode))
		return (0);
	if (S_ISLNK(mode))
		return (ELOOP);
	return (S_ISDIR(mode) ? EISDIR : EINVAL);
}

int
maildir_open(int dirfd, const char *name, struct stat *st)
{
	int	error, fd;

	fd = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1) {
		/* The systems differ in what they say of a link, a socket. */
		if (errno != ENOENT &&
		    fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (error = mode_error(st->st_mode)) != 0)
			errno = error;
		return (-1);
	}
	error = fstat(fd, st) == -1 ? errno : mode_error(st->st_mode);
	if (error != 0) {
		close(fd);
		errno = error;
		return (-1);
	}
	return (fd);
}

static const char *
list_name_add(struct maildir_list *list, const char *name)
{
	struct maildir_block	*block;
	char			*copy;
	size_t			 len;

	len = strlen(name) + 1;
	block = list->blocks;
	if (block == NULL || BLOCK_BYTES - block->used < len) {
		if ((block = malloc(sizeof(*block))) == NULL)
			return (NULL);
		block->used = 0;
		block->next = list->blocks;
		list->blocks = block;
	}
	copy = block->bytes + block->used;
	memcpy(copy, name, len);
	block->used += len;
	return (copy);
}

static int
list_add(struct maildir_list *list, const char *name, time_t mtime)
{
	struct maildir_file	*files;
	size_t			 size;

	if (list->count == list->size) {
		size = list->size == 0 ? 64 : list->size * 2;
		files = reallocarray(list->files, size, sizeof(*files));
		if (files == NULL)
			return (-1);
		list->files = files;
		list->size = size;
	}
	files = &list->files[list->count];
	if ((files->name = list_name_add(list, name)) == NULL)
		return (-1);
	files->mtime = mtime;
	list->count++;
	return (0);
}

/* Keeps the array: the next scan needs as much. */
static void
list_empty(struct maildir_list *list)
{
	struct maildir_block	*block;

	while ((block = list->blocks) != NULL) {
		list->blocks = block->next;
		free(block);
	}
	list->count = 0;
}

void
maildir_list_free(struct maildir_list *list)
{
	list_empty(list);
	free(list->files);
	list->files = NULL;
	list->size = 0;
}

/* The times have a second's resolution: names, which count on, do the rest. */
static int
file_order(const void *one, const void *other)
{
	const struct maildir_file	*a = one, *b = other;
	int				 order;

	if (a->mtime != b->mtime)
		return (a->mtime < b->mtime ? -1 : 1);
	order = strcmp(strchr(a->name, '/'), strchr(b->name, '/'));
	return (order != 0 ? order : strcmp(a->name, b->name));
}

/* mergesort(3): qsort(3) is quadratic somewhere, and the names come sorted. */
static int
list_sort(struct maildir_list *list)
{
	if (list->count < 2)
		return (0);
	return (mergesort(list->files, list->count, sizeof(*list->files),
	    file_order));
}

/* 1: a regular file; 0: it is told what else. */
static int
walk_stat(struct walk *walk, const char *name, struct stat *st)
{
	int	error;

	if (fstatat(walk->dirfd, name, st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT)
			walk->report(walk->arg, name, maildir_why(errno));
		return (0);
	}
	if ((error = mode_error(st->st_mode)) == 0)
		return (1);
	walk->report(walk->arg, name, maildir_why(error));
	return (0);
}

static int
walk_visit(struct walk *walk, const char *name)
{
	struct stat	st;

	if (!walk_stat(walk, name, &st))
		return (0);
	return (walk->visit(walk->arg, name, &st));
}

static int
walk_file(struct walk *walk, const char *name)
{
	struct stat	st;

	if (!walk_stat(walk, name, &st))
		return (0);
	if (st.st_mtime - walk->now > MAILDIR_AHEAD_S)
		walk->report(walk->arg, name, "modified in the future");
	else if (st.st_mtime < walk->now)
		return (list_add(walk->list, name, st.st_mtime));
	return (0);
}

/* Removed is what was opened: its name may lead elsewhere by now. */
static int
walk_clean(struct walk *walk, const char *name)
{
	const char	*base = strchr(name, '/') + 1;
	struct stat	 st;

	if (fstatat(walk->subfd, base, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    S_ISDIR(st.st_mode) ||
	    walk->now - st.st_atime <= MAILDIR_TMP_AGE_S)
		return (0);
	if (unlinkat(walk->subfd, base, 0) == -1 && errno != ENOENT)
		walk->report(walk->arg, name, maildir_why(errno));
	return (0);
}

static DIR *
walk_open(struct walk *walk, const char *sub, int flags)
{
	DIR	*dir;
	int	 error, fd;

	fd = openat(walk->dirfd, sub,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	if (fd == -1)
		return (NULL);
	walk->subfd = fd;
	if ((dir = fdopendir(fd)) == NULL) {
		error = errno;
		close(fd);
		errno = error;
	}
	return (dir);
}

/* Each entry of a subdirectory by its name below the Maildir. */
static int
walk_directory(struct walk *walk, const char *sub, int flags,
    int (*visit)(struct walk *, const char *))
{
	struct dirent	*entry;
	DIR		*dir;
	char		 name[NAME_BYTES_MAX];
	int		 error = 0, len;

	if ((dir = walk_open(walk, sub, flags)) == NULL)
		return (-1);
	while (error == 0) {
		errno = 0;
		if ((entry = readdir(dir)) == NULL) {
			error = errno;
			break;
		}
		if (entry->d_name[0] == '.')
			continue;
		len = snprintf(name, sizeof(name), "%s/%s", sub,
		    entry->d_name);
		if (len < 0 || (size_t)len >= sizeof(name))
			walk->report(walk->arg, sub, "a name is too long");
		else if (visit(walk, name) == -1)
			error = errno;
	}
	closedir(dir);
	errno = error;
	return (error == 0 ? 0 : -1);
}

int
maildir_scan(struct maildir_list *list, int dirfd, time_t now,
    maildir_report *report, void *arg)
{
	struct walk	walk = { list, dirfd, -1, now, report, arg, NULL };
	int		error;

	list_empty(list);
	if (walk_directory(&walk, "new", 0, walk_file) == -1)
		goto fail;
	if (walk_directory(&walk, "cur", 0, walk_file) == -1) {
		if (errno == ENOMEM)
			goto fail;
		report(arg, "cur", ucspi_strerror(errno));
	}
	if (list_sort(list) == -1)
		goto fail;
	return (0);
 fail:
	error = errno;
	list_empty(list);
	errno = error;
	return (-1);
}

int
maildir_walk(int dirfd,
    int (*visit)(void *, const char *, const struct stat *),
    maildir_report *report, void *arg)
{
	struct walk	walk = { NULL, dirfd, -1, 0, report, arg, visit };

	if (walk_directory(&walk, "new", 0, walk_visit) == -1)
		return (-1);
	if (walk_directory(&walk, "cur", 0, walk_visit) == -1) {
		if (errno == ENOMEM)
			return (-1);
		report(arg, "cur", ucspi_strerror(errno));
	}
	return (0);
}

void
maildir_clean(int dirfd, time_t now, maildir_report *report, void *arg)
{
	struct walk	walk = { NULL, dirfd, -1, now, report, arg, NULL };

	/* O_DIRECTORY makes a link ENOTDIR on some systems. */
	if (walk_directory(&walk, "tmp", O_NOFOLLOW, walk_clean) == -1 &&
	    errno != ENOENT)
		report(arg, "tmp", maildir_why(errno));
}
