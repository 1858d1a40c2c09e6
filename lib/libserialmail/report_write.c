/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A whole report about a message in a file.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "report.h"
#include "ucspi_stream.h"

#define COPY_SIZE	65536

/* The message from its text on, as far as the report wants it. */
static int
message_copy(int out, struct report *report, int fd, off_t at, char *in,
    char *shaped)
{
	ssize_t	n;
	size_t	len;

	for (; !report_full(report); at += n) {
		if ((n = pread(fd, in, COPY_SIZE, at)) == -1)
			return (-1);
		if (n == 0)
			break;
		len = report_copy(report, shaped, in, (size_t)n);
		if (stream_write(out, shaped, len) == -1)
			return (-1);
	}
	len = report_end(report, shaped);
	return (stream_write(out, shaped, len));
}

static int
returned_write(int out, struct report *report, int fd, off_t start)
{
	char	*in, *shaped;
	int	 error, result = -1;

	in = malloc(COPY_SIZE);
	shaped = malloc(COPY_SIZE + REPORT_HOLD_BYTES + REPORT_END_SIZE);
	if (in != NULL && shaped != NULL)
		result = message_copy(out, report, fd, start, in, shaped);
	error = errno;
	free(in);
	free(shaped);
	errno = error;
	return (result);
}

int
report_write(int out, enum report_form form, const struct report_case *what,
    int fd, off_t start)
{
	struct report	 report;
	char		*top;
	size_t		 len;
	int		 error;

	if ((top = report_begin(&report, form, what, &len)) == NULL)
		return (-1);
	if (stream_write(out, top, len) == -1) {
		error = errno;
		free(top);
		errno = error;
		return (-1);
	}
	free(top);
	return (returned_write(out, &report, fd, start));
}

size_t
report_keep(const char *text, const char **recipients, size_t n)
{
	size_t	i, kept = 0;

	for (i = 0; i < n; i++) {
		if (report_about(text, recipients[i]) != NULL)
			recipients[kept++] = recipients[i];
	}
	return (kept > 0 ? kept : n);
}
