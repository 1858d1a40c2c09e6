/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Users and groups, by name or by number.
 */
#include <sys/types.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "reader.h"

/* (uid_t)-1 means "leave it" to setresuid(2): no user has it. */
static int
id_scan(const char *word, unsigned int *id)
{
	unsigned long long	n;

	if (word[0] == '\0' || word[strspn(word, "0123456789")] != '\0')
		return (-1);
	errno = 0;
	n = strtoull(word, NULL, 10);
	if (errno != 0 || n >= UINT_MAX)
		return (-1);
	*id = (unsigned int)n;
	return (0);
}

int
conf_user_find(const char *word, uid_t *uid, gid_t *gid, int *has_gid)
{
	struct passwd	*pw;
	unsigned int	 id;

	*has_gid = 1;
	if ((pw = getpwnam(word)) == NULL) {
		if (id_scan(word, &id) == -1)
			return (-1);
		if ((pw = getpwuid(id)) == NULL) {
			*uid = id;
			*has_gid = 0;
			return (0);
		}
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return (0);
}

int
conf_group_find(const char *word, gid_t *gid)
{
	struct group	*gr;
	unsigned int	 id;

	if ((gr = getgrnam(word)) != NULL)
		*gid = gr->gr_gid;
	else if (id_scan(word, &id) == 0)
		*gid = id;
	else
		return (-1);
	return (0);
}
