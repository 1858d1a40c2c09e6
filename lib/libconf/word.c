/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What making a configuration from words needs: errors in their place,
 * copies, numbers, paths, and that nothing is said twice.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "reader.h"

#define ERROR_SIZE	(CONF_WORD_MAX * 2 + 512)

void
conf_word_error(struct conf *c, const struct conf_word *at, const char *fmt,
    ...)
{
	char	text[ERROR_SIZE];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_error_at(c, at->file, at->line, "%s", text);
}

void
conf_word_warning(struct conf *c, const struct conf_word *at, const char *fmt,
    ...)
{
	char	text[ERROR_SIZE];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_warning_at(c, at->file, at->line, "%s", text);
}

int
conf_word_once(struct conf *c, struct conf_word *first, const char *what,
    const struct conf_word *at)
{
	if (first->file == NULL) {
		*first = *at;
		return (0);
	}
	conf_word_error(c, at, "%s: given already in %s:%d", what,
	    first->file, first->line);
	return (-1);
}

int
conf_word_copy(struct conf *c, const struct conf_word *at, char **member,
    const char *value)
{
	free(*member);
	if ((*member = strdup(value)) != NULL)
		return (0);
	conf_word_error(c, at, "%s", strerror(errno));
	return (-1);
}

int64_t
conf_word_number(struct conf *c, const char *what, const struct conf_word *w,
    int64_t low, int64_t high)
{
	long long	n = -1;

	errno = 0;
	if (w->text[0] != '\0' &&
	    w->text[strspn(w->text, "0123456789")] == '\0')
		n = strtoll(w->text, NULL, 10);
	if (errno == 0 && n >= low && n <= high)
		return (n);
	conf_word_error(c, w, "%s: \"%s\": not a number from %lld to %lld",
	    what, w->text, (long long)low, (long long)high);
	return (-1);
}

int
conf_word_group(struct conf *c, const char *what, const struct conf_word *w,
    char **member, gid_t *gid)
{
	if (conf_group_find(w->text, gid) == 0)
		return (conf_word_copy(c, w, member, w->text));
	conf_word_error(c, w, "%s \"%s\": unknown", what, w->text);
	return (-1);
}

/* The directory must be there: nobody else will make it. */
static int
socket_directory_check(struct conf *c, const char *what,
    const struct conf_word *path)
{
	struct stat	 st;
	char		*dir;
	int		 rv = 0;

	if ((dir = strdup(path->text)) == NULL) {
		conf_word_error(c, path, "%s", strerror(errno));
		return (-1);
	}
	strrchr(dir, '/')[strrchr(dir, '/') == dir] = '\0';
	errno = 0;
	if (stat(dir, &st) == -1 || !S_ISDIR(st.st_mode)) {
		conf_word_error(c, path, "%s: \"%s\": %s: %s", what,
		    path->text, dir, errno == 0 ? "not a directory" :
		    strerror(errno));
		rv = -1;
	}
	free(dir);
	return (rv);
}

int
conf_word_socket(struct conf *c, const char *what,
    const struct conf_word *path, int ours, char **member)
{
	struct sockaddr_un	un;

	if (path->text[0] != '/') {
		conf_word_error(c, path, "%s: \"%s\": not an absolute path",
		    what, path->text);
		return (-1);
	}
	if (strlen(path->text) >= sizeof(un.sun_path)) {
		conf_word_error(c, path, "%s: \"%s\": longer than %zu bytes",
		    what, path->text, sizeof(un.sun_path) - 1);
		return (-1);
	}
	if (ours && socket_directory_check(c, what, path) == -1)
		return (-1);
	return (conf_word_copy(c, path, member, path->text));
}
