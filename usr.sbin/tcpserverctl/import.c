/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "tcpserverctl import FILE".
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vis.h>

#include "compat.h"
#include "conf.h"
#include "import.h"
#include "import_local.h"

#define FILE_SIZE_MAX	(1024 * 1024)
#define PROBLEM_SIZE	2048

void
import_problem(struct import *im, const char *fmt, ...)
{
	char	text[PROBLEM_SIZE], safe[PROBLEM_SIZE * 4 + 1];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strvis(safe, text, VIS_CSTYLE | VIS_TAB | VIS_NL);
	fprintf(im->err, "%s:%d: %s\n", im->file, im->line, safe);
	im->problems++;
}

/* A file with a NUL is no text. */
static char *
text_read(int fd, size_t size)
{
	char	*text;

	if ((text = conf_read(fd, &size)) == NULL)
		return (NULL);
	text[size] = '\0';
	if (strlen(text) == size)
		return (text);
	free(text);
	errno = EINVAL;
	return (NULL);
}

char *
import_read(const char *path)
{
	struct stat	 st;
	char		*text = NULL;
	int		 fd, saved;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if (fstat(fd, &st) == 0) {
		errno = EINVAL;
		if (S_ISREG(st.st_mode) && st.st_size <= FILE_SIZE_MAX)
			text = text_read(fd, (size_t)st.st_size);
	}
	saved = errno;
	close(fd);
	errno = saved;
	return (text);
}

static void
import_free(struct import *im)
{
	services_free(im);
	variables_free(im);
	words_free(&im->limits);
	free(im->directory);
	free(im->host);
}

static int
import_answer(struct import *im, const char *path, FILE *out)
{
	if (im->failed) {
		fprintf(im->err, "%s: out of memory\n", path);
		return (2);
	}
	if (TAILQ_EMPTY(&im->services)) {
		fprintf(im->err, "%s: no tcpserver command and no line of "
		    "inetd.conf in it\n", path);
		return (2);
	}
	services_print(im, out);
	return (im->problems > 0);
}

int
import_file(const char *path, FILE *out, FILE *err)
{
	struct import	 im;
	char		*text;
	int		 rv;

	memset(&im, 0, sizeof(im));
	TAILQ_INIT(&im.services);
	TAILQ_INIT(&im.variables);
	im.file = path;
	im.err = err;
	if ((text = import_read(path)) == NULL) {
		fprintf(err, "%s: %s\n", path, errno == EINVAL ?
		    "not a text file, or too large" : strerror(errno));
		return (2);
	}
	if (inetd_is(text))
		inetd_read(&im, text);
	else
		shell_read(&im, text);
	free(text);
	rv = import_answer(&im, path, out);
	import_free(&im);
	return (rv);
}
