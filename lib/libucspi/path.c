/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Finding and running a program by the classic rules.  The candidates are
 * worked out beforehand, since what tries them may run after vfork(2).
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ucspi.h"

#define PATH_DEFAULT	"/bin:/usr/bin"

extern char	**environ;

static size_t
path_components(const char *path)
{
	size_t	n;

	for (n = 1; (path = strchr(path, ':')) != NULL; path++)
		n++;
	return (n);
}

/* Writes one "DIR/PROG" to p and returns what follows its NUL. */
static char *
path_join(char *p, const char *dir, size_t dirlen, const char *prog)
{
	size_t	len;

	if (dirlen == 0) {
		dir = ".";
		dirlen = 1;
	}
	memcpy(p, dir, dirlen);
	p += dirlen;
	*p++ = '/';
	len = strlen(prog) + 1;
	memcpy(p, prog, len);
	return (p + len);
}

static char **
path_single(const char *prog)
{
	char	**list;
	size_t	  len;

	len = strlen(prog) + 1;
	if ((list = malloc(2 * sizeof(*list) + len)) == NULL)
		return (NULL);
	list[0] = memcpy(&list[2], prog, len);
	list[1] = NULL;
	return (list);
}

char **
ucspi_path_candidates(const char *prog, const char *path)
{
	char	**list, *p;
	size_t	  count, each, i, len;

	if (strchr(prog, '/') != NULL)
		return (path_single(prog));
	if (path == NULL)
		path = PATH_DEFAULT;

	/* Per component: its pointer, perhaps a ".", a slash, prog, NUL. */
	count = path_components(path);
	each = sizeof(*list) + strlen(prog) + 3;
	if (count > (SIZE_MAX - strlen(path) - sizeof(*list)) / each) {
		errno = ENOMEM;
		return (NULL);
	}
	list = malloc(sizeof(*list) + count * each + strlen(path));
	if (list == NULL)
		return (NULL);

	p = (char *)&list[count + 1];
	for (i = 0; i < count; i++) {
		len = strcspn(path, ":");
		list[i] = p;
		p = path_join(p, path, len, prog);
		path += len + 1;
	}
	list[count] = NULL;
	return (list);
}

int
ucspi_path_exec(char *const candidates[], char *const argv[],
    char *const envp[])
{
	int	remembered = ENOENT;

	for (; *candidates != NULL; candidates++) {
		(void)execve(*candidates, argv, envp);
		if (errno == ENOENT)
			continue;
		remembered = errno;
		if (errno != EACCES && errno != EPERM && errno != EISDIR)
			break;
	}
	return (remembered);
}

int
ucspi_path_run(const char *prog, char *const argv[])
{
	char	**candidates;
	int	  error;

	if ((candidates = ucspi_path_candidates(prog, getenv("PATH"))) == NULL)
		return (ENOMEM);
	error = ucspi_path_exec(candidates, argv, environ);
	free(candidates);
	return (error);
}
