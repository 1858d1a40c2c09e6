/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Paths as a process within chroot(2) sees them, while we are outside: its
 * symbolic links begin at its own root.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf_build.h"

#define LINKS_MAX	40

/* A path that is being walked. */
struct walk {
	const char	*root;
	char		 done[PATH_MAX];	/* within root, without links */
	char		 left[PATH_MAX];
	unsigned int	 links;
};

static int
too_long(void)
{
	errno = ENAMETOOLONG;
	return (-1);
}

static int
walk_full(const struct walk *w, char *full, size_t size)
{
	int	n;

	n = snprintf(full, size, "%s%s", w->root,
	    w->done[0] == '\0' ? "/" : w->done);
	return (n < 0 || (size_t)n >= size ? too_long() : 0);
}

static void
walk_up(struct walk *w)
{
	char	*slash;

	if ((slash = strrchr(w->done, '/')) != NULL)
		*slash = '\0';
}

/* A link's text stands in the place of its name. */
static int
walk_link(struct walk *w, const char *full)
{
	char	text[PATH_MAX], left[PATH_MAX];
	ssize_t	n;

	if (++w->links > LINKS_MAX) {
		errno = ELOOP;
		return (-1);
	}
	if ((n = readlink(full, text, sizeof(text) - 1)) == -1)
		return (-1);
	text[n] = '\0';
	if (text[0] == '/')
		w->done[0] = '\0';
	else
		walk_up(w);
	strlcpy(left, w->left, sizeof(left));
	n = snprintf(w->left, sizeof(w->left), "%s/%s", text, left);
	return ((size_t)n >= sizeof(w->left) ? too_long() : 0);
}

/* Takes the first name of what is left; 0: there was none. */
static int
walk_name(struct walk *w, char *name, size_t size)
{
	size_t	skip = strspn(w->left, "/"), len;

	len = strcspn(w->left + skip, "/");
	if (len == 0)
		return (0);
	snprintf(name, size, "%.*s", (int)len, w->left + skip);
	memmove(w->left, w->left + skip + len,
	    strlen(w->left + skip + len) + 1);
	return (1);
}

static int
walk_step(struct walk *w, const char *name)
{
	struct stat	st;
	char		full[PATH_MAX];

	if (strcmp(name, ".") == 0)
		return (0);
	if (strcmp(name, "..") == 0) {
		walk_up(w);
		return (0);
	}
	if (strlcat(w->done, "/", sizeof(w->done)) >= sizeof(w->done) ||
	    strlcat(w->done, name, sizeof(w->done)) >= sizeof(w->done))
		return (too_long());
	if (walk_full(w, full, sizeof(full)) == -1 || lstat(full, &st) == -1)
		return (-1);
	return (S_ISLNK(st.st_mode) ? walk_link(w, full) : 0);
}

int
conf_path_stat(const char *root, const char *path, struct stat *st)
{
	struct walk	w;
	char		name[PATH_MAX], full[PATH_MAX];

	if (root == NULL)
		return (stat(path, st));
	memset(&w, 0, sizeof(w));
	w.root = root;
	if (strlcpy(w.left, path, sizeof(w.left)) >= sizeof(w.left))
		return (too_long());
	while (walk_name(&w, name, sizeof(name)))
		if (walk_step(&w, name) == -1)
			return (-1);
	if (walk_full(&w, full, sizeof(full)) == -1)
		return (-1);
	return (lstat(full, st));
}
