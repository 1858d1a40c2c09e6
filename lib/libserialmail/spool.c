/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The places that go by a spool's path.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "spool.h"

#define POKE_SUFFIX	".poke"
/* One component of a path, with the longest that is put behind it. */
#define NAME_SIZE	(255 - (sizeof(POKE_SUFFIX) - 1) + 1)

static int
fail(int error)
{
	errno = error;
	return (-1);
}

static const char *
byte_text(char c)
{
	static char	one[2];

	if (c == '%')
		return ("%25");
	if (c == '-')
		return ("%2d");
	one[0] = c;
	return (one);
}

static int
component_add(char *name, size_t size, const char *from, size_t len)
{
	size_t	i;

	if ((len == 1 && from[0] == '.') ||
	    (len == 2 && from[0] == '.' && from[1] == '.'))
		return (fail(EINVAL));
	if (name[0] != '\0' && strlcat(name, "-", size) >= size)
		return (fail(ENAMETOOLONG));
	for (i = 0; i < len; i++)
		if (strlcat(name, byte_text(from[i]), size) >= size)
			return (fail(ENAMETOOLONG));
	return (0);
}

int
spool_name(const char *path, char *name, size_t size)
{
	size_t	len;

	if (path[0] != '/' || size == 0)
		return (fail(EINVAL));
	if (size > NAME_SIZE)
		size = NAME_SIZE;
	name[0] = '\0';
	for (;;) {
		path += strspn(path, "/");
		if ((len = strcspn(path, "/")) == 0)
			break;
		if (component_add(name, size, path, len) == -1)
			return (-1);
		path += len;
	}
	return (name[0] == '\0' ? fail(EINVAL) : 0);
}

static int
path_fill(const char *state, const char *spool, const char *suffix,
    char *path, size_t size)
{
	char	name[NAME_SIZE];
	int	n;

	if (spool_name(spool, name, sizeof(name)) == -1)
		return (-1);
	n = snprintf(path, size, "%s/%s%s", state, name, suffix);
	return (n < 0 || (size_t)n >= size ? fail(ENAMETOOLONG) : 0);
}

int
spool_state_path(const char *state, const char *spool, char *path,
    size_t size)
{
	return (path_fill(state, spool, "", path, size));
}

int
spool_poke_path(const char *state, const char *spool, char *path,
    size_t size)
{
	return (path_fill(state, spool, POKE_SUFFIX, path, size));
}
