/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The Maildirs of a spool, looked at from outside.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <vis.h>

#include "compat.h"
#include "local.h"

#define LINE_SIZE	4096

void
local_say(FILE *f, const char *fmt, ...)
{
	char	text[LINE_SIZE], safe[LINE_SIZE * 4 + 1];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strvis(safe, text, VIS_CSTYLE | VIS_TAB | VIS_NL);
	fprintf(f, "%s\n", safe);
}

char *
local_path(char *buf, const char *directory, const char *name)
{
	int	n;

	n = snprintf(buf, PATH_MAX, "%s/%s", directory, name);
	if (n < 0 || n >= PATH_MAX)
		buf[0] = '\0';
	return (buf);
}

static unsigned int
part_look(const char *path, const char *part, unsigned int bit)
{
	struct stat	st;
	char		full[PATH_MAX];

	if (lstat(local_path(full, path, part), &st) == -1 ||
	    !S_ISDIR(st.st_mode))
		return (0);
	return (bit);
}

int
local_maildir_read(struct local_maildir *m, const char *directory,
    const char *name)
{
	char	path[PATH_MAX];

	memset(m, 0, sizeof(*m));
	if (lstat(local_path(path, directory, name), &m->st) == -1)
		return (-1);
	if (!S_ISDIR(m->st.st_mode)) {
		errno = ENOTDIR;
		return (-1);
	}
	m->parts = part_look(path, "new", MAILDIR_PART_NEW) |
	    part_look(path, "cur", MAILDIR_PART_CUR) |
	    part_look(path, "tmp", MAILDIR_PART_TMP);
	return ((m->name = strdup(name)) == NULL ? -1 : 0);
}

static int
maildir_add(struct local_maildirs *ms, const char *directory,
    const char *name)
{
	struct local_maildir	*grown, m;

	if (local_maildir_read(&m, directory, name) == -1)
		return (errno == ENOMEM ? -1 : 0);
	grown = reallocarray(ms->list, ms->count + 1, sizeof(*grown));
	if (grown == NULL) {
		free(m.name);
		return (-1);
	}
	ms->list = grown;
	grown[ms->count++] = m;
	return (0);
}

static int
maildir_compare(const void *a, const void *b)
{
	return (strcmp(((const struct local_maildir *)a)->name,
	    ((const struct local_maildir *)b)->name));
}

int
local_maildirs_read(struct local_maildirs *ms, const char *directory)
{
	struct dirent	*entry;
	DIR		*dir;
	int		 rv = 0;

	memset(ms, 0, sizeof(*ms));
	if ((dir = opendir(directory)) == NULL)
		return (-1);
	while (rv == 0 && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			rv = maildir_add(ms, directory, entry->d_name);
	closedir(dir);
	if (ms->count > 0)
		qsort(ms->list, ms->count, sizeof(*ms->list),
		    maildir_compare);
	return (rv);
}

void
local_maildirs_free(struct local_maildirs *ms)
{
	size_t	i;

	for (i = 0; i < ms->count; i++)
		free(ms->list[i].name);
	free(ms->list);
	memset(ms, 0, sizeof(*ms));
}

int
local_maildirs_owner(const struct local_maildirs *ms, uid_t *uid, gid_t *gid)
{
	size_t	i;
	int	found = 0;

	for (i = 0; i < ms->count; i++) {
		if ((ms->list[i].parts & MAILDIR_PART_NEW) == 0)
			continue;
		if (found && ms->list[i].st.st_uid != *uid)
			return (1);
		if (!found) {
			*uid = ms->list[i].st.st_uid;
			*gid = ms->list[i].st.st_gid;
		}
		found = 1;
	}
	return (found ? 0 : -1);
}

int
local_same_directory(const char *one, const char *other)
{
	struct stat	st, st_other;

	return (stat(one, &st) == 0 && stat(other, &st_other) == 0 &&
	    st.st_dev == st_other.st_dev && st.st_ino == st_other.st_ino);
}

const char *
local_user_text(uid_t uid, char *buf, size_t size)
{
	struct passwd	*pw = getpwuid(uid);

	if (pw != NULL)
		strlcpy(buf, pw->pw_name, size);
	else
		snprintf(buf, size, "%lu", (unsigned long)uid);
	return (buf);
}

const char *
local_group_text(gid_t gid, char *buf, size_t size)
{
	struct group	*gr = getgrgid(gid);

	if (gr != NULL)
		strlcpy(buf, gr->gr_name, size);
	else
		snprintf(buf, size, "%lu", (unsigned long)gid);
	return (buf);
}
