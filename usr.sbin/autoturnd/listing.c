/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
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

#include "autoturnd.h"
#include "listing.h"

#define PIECE		16		/* entries */
#define REASON_SUFFIX	".reason"

struct listed {
	time_t	 mtime;
	char	*name;
};

struct listing {
	int			 maildir;	/* descriptor */
	const char *const	*directory;	/* being read, NULL: none */
	DIR			*dir;
	struct listed		*files;
	size_t			 count;
	size_t			 size;
	size_t			 more;
	size_t			 next;
};

static const char *const	mail_directories[] = { "new", "cur", NULL };
static const char *const	quarantine_directories[] = {
	"quarantine", NULL
};

struct listing *
listing_new(int spool, const char *maildir, int quarantine)
{
	struct listing	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return (NULL);
	l->directory = quarantine ? quarantine_directories : mail_directories;
	l->maildir = openat(spool, maildir, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (l->maildir != -1)
		return (l);
	free(l);
	return (NULL);
}

/* 1, 0: there is none; -1 with errno. */
static int
directory_open(struct listing *l)
{
	int	fd;

	if (l->dir != NULL)
		return (1);
	fd = openat(l->maildir, *l->directory, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (errno == ENOENT ? 0 : -1);
	if ((l->dir = fdopendir(fd)) != NULL)
		return (1);
	close(fd);
	return (-1);
}

static int
name_ends(const char *name, const char *end)
{
	size_t	len = strlen(name), end_len = strlen(end);

	return (len > end_len && strcmp(name + len - end_len, end) == 0);
}

static int
files_grow(struct listing *l)
{
	struct listed	*more;
	size_t		 size = l->size == 0 ? 64 : l->size * 2;

	if (l->count < l->size)
		return (0);
	if ((more = reallocarray(l->files, size, sizeof(*more))) == NULL)
		return (-1);
	l->files = more;
	l->size = size;
	return (0);
}

static int
file_add(struct listing *l, const char *base)
{
	struct stat	st;
	char		path[MESSAGE_NAME_SIZE];

	if (snprintf(path, sizeof(path), "%s/%s", *l->directory, base) >=
	    (int)sizeof(path))
		return (0);
	if (fstatat(l->maildir, path, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return (0);
	if (l->count == LISTING_MAX) {
		l->more++;
		return (0);
	}
	if (files_grow(l) == -1 ||
	    (l->files[l->count].name = strdup(path)) == NULL)
		return (-1);
	l->files[l->count++].mtime = st.st_mtime;
	return (0);
}

static int
listed_order(const void *va, const void *vb)
{
	const struct listed	*a = va, *b = vb;

	if (a->mtime != b->mtime)
		return (a->mtime < b->mtime ? -1 : 1);
	return (strcmp(a->name, b->name));
}

static void
directory_done(struct listing *l)
{
	if (l->dir != NULL)
		closedir(l->dir);
	l->dir = NULL;
	l->directory++;
	if (*l->directory == NULL && l->count > 1)
		qsort(l->files, l->count, sizeof(*l->files), listed_order);
}

/* 1, 0: that was the last; -1 with errno. */
static int
entry_read(struct listing *l)
{
	struct dirent	*entry;

	errno = 0;
	if ((entry = readdir(l->dir)) == NULL)
		return (errno == 0 ? 0 : -1);
	if (entry->d_name[0] == '.' || (name_ends(entry->d_name,
	    REASON_SUFFIX) && **l->directory == 'q'))
		return (1);
	return (file_add(l, entry->d_name) == -1 ? -1 : 1);
}

int
listing_read(struct listing *l)
{
	int	i, n, error;

	if (*l->directory == NULL)
		return (0);
	n = directory_open(l);
	for (i = 0; i < PIECE && n == 1; i++)
		n = entry_read(l);
	if (n == 1)
		return (1);
	error = errno;
	directory_done(l);
	errno = error;
	return (n == -1 ? -1 : *l->directory != NULL);
}

const char *
listing_next(struct listing *l)
{
	return (l->next < l->count ? l->files[l->next++].name : NULL);
}

size_t
listing_more(const struct listing *l)
{
	return (l->more);
}

void
listing_free(struct listing *l)
{
	size_t	i;

	if (l == NULL)
		return;
	for (i = 0; i < l->count; i++)
		free(l->files[i].name);
	free(l->files);
	if (l->dir != NULL)
		closedir(l->dir);
	close(l->maildir);
	free(l);
}
