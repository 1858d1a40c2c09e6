/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Will a service's program be found, and may its user run it?  The launcher
 * looks for it in the same places when the first client comes.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf_build.h"

/* The path that the program will be looked for in. */
static const char *
path_variable(const struct conf_service *s)
{
	char	**p;

	for (p = s->env_set; *p != NULL; p++)
		if (strncmp(*p, "PATH=", 5) == 0)
			return (*p + 5);
	for (p = s->env_unset; *p != NULL; p++)
		if (strcmp(*p, "PATH") == 0)
			return (NULL);
	return (getenv("PATH"));
}

/* The groups that the program will be in beside its first; their number. */
static int
groups_find(const struct conf_service *s, gid_t *groups, int size)
{
	struct passwd	*pw;
	int		 n;

	if (s->group != NULL)
		return (0);
	if (s->user == NULL)
		return (getgroups(size, groups));
	if ((pw = getpwuid(s->uid)) == NULL)
		return (0);
	/* With too many it says how many there are. */
	n = size;
	if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) == -1)
		n = size;
	return (n);
}

static int
user_in_group(const struct conf_service *s, gid_t gid)
{
	gid_t	groups[NGROUPS_MAX];
	int	i, n;

	n = groups_find(s, groups, nitems(groups));
	for (i = 0; i < n; i++)
		if (groups[i] == gid)
			return (1);
	return (s->gid == gid);
}

/* By the mode alone: we are another user, perhaps, than will ask. */
static int
may_execute(const struct conf_service *s, const struct stat *st)
{
	if (s->uid == 0)
		return ((st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0);
	if (s->uid == st->st_uid)
		return ((st->st_mode & S_IXUSR) != 0);
	if (user_in_group(s, st->st_gid))
		return ((st->st_mode & S_IXGRP) != 0);
	return ((st->st_mode & S_IXOTH) != 0);
}

/* 0, or the reason why that file will not do. */
static int
candidate_try(const struct conf_service *s, const char *name)
{
	struct stat	 st;
	char		 path[PATH_MAX];
	int		 n;

	n = snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" :
	    s->directory != NULL ? s->directory : "", name[0] == '/' ? "" :
	    "/", name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return (ENAMETOOLONG);
	if (conf_path_stat(s->chroot_path, path, &st) == -1)
		return (errno);
	if (S_ISDIR(st.st_mode))
		return (EISDIR);
	if (!S_ISREG(st.st_mode) || !may_execute(s, &st))
		return (EACCES);
	return (0);
}

/* As ucspi_path_exec: what is not there is passed over, others remembered. */
static int
program_find(const struct conf_service *s, char *const candidates[])
{
	int	error = ENOENT, why;

	for (; *candidates != NULL; candidates++) {
		if ((why = candidate_try(s, *candidates)) == 0)
			return (0);
		if (why != ENOENT && why != ENOTDIR)
			error = why;
	}
	return (error);
}

void
build_program_check(struct conf_build *b)
{
	const struct conf_service	*s = b->service;
	const struct conf_word		*at = &b->once[ONCE_EXEC];
	char				**candidates;
	int				 error;

	candidates = ucspi_path_candidates(s->argv[0], path_variable(s));
	if (candidates == NULL) {
		conf_word_error(b->lexer, at, "%s", strerror(errno));
		return;
	}
	error = program_find(s, candidates);
	free(candidates);
	if (error == 0)
		return;
	if (s->chroot_path != NULL)
		conf_word_error(b->lexer, at, "exec: \"%s\": %s within \"%s\"",
		    s->argv[0], strerror(error), s->chroot_path);
	else
		conf_word_error(b->lexer, at, "exec: \"%s\": %s%s%s",
		    s->argv[0], strerror(error), error == EACCES && s->user !=
		    NULL ? " for user " : "", error == EACCES && s->user != NULL
		    ? s->user : "");
}
