/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * recordio: runs a program, and records on standard error what it reads and
 * writes.
 *
 * A record is of at most RECORD_BYTES, the amount that was once read at a
 * time; what arrives together is now read together, cut up in the same way,
 * and recorded before it is passed on.  Lines are written whole, several at
 * a time as long as a pipe takes them in one piece.
 */
#include <sys/types.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define RECORD_BYTES	256
#define PREFIX_SIZE	32	/* a process number, " < ", NUL */
#define ENDING_SIZE	2	/* blank or plus, LF */

struct recorder {
	char	 prefix[PREFIX_SIZE];
	size_t	 prefix_len;
};

static struct {
	char	 text[PIPE_BUF];
	size_t	 len;
} lines;

static __dead void
usage(void)
{
	fputs("recordio: usage: recordio program [ arg ... ]\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

/* Nobody can be told that standard error does not work. */
static void
lines_flush(void)
{
	(void)stream_write(STDERR_FILENO, lines.text, lines.len);
	lines.len = 0;
}

static void
lines_put(const char *data, size_t len)
{
	memcpy(lines.text + lines.len, data, len);
	lines.len += len;
}

static void
line_add(const struct recorder *r, const char *text, size_t len,
    const char *ending)
{
	size_t	ending_len = strlen(ending);

	if (lines.len + r->prefix_len + len + ending_len > sizeof(lines.text))
		lines_flush();
	lines_put(r->prefix, r->prefix_len);
	lines_put(text, len);
	lines_put(ending, ending_len);
}

/* One record: a line for each line that ends in it, one for what is left. */
static void
record_add(const struct recorder *r, const char *data, size_t len)
{
	const char	*end = data + len, *lf;

	while ((lf = memchr(data, '\n', (size_t)(end - data))) != NULL) {
		line_add(r, data, (size_t)(lf - data), " \n");
		data = lf + 1;
	}
	if (data < end)
		line_add(r, data, (size_t)(end - data), "+\n");
}

static const char *
recorder_take(void *arg, const char *data, size_t *len)
{
	const struct recorder	*r = arg;
	size_t			 left, n;

	for (left = *len; left > 0; left -= n) {
		n = left < RECORD_BYTES ? left : RECORD_BYTES;
		record_add(r, data + (*len - left), n);
	}
	if (*len == 0)
		line_add(r, "[EOF]", strlen("[EOF]"), "\n");
	lines_flush();
	return (data);
}

static void
recorder_init(struct recorder *r, char direction)
{
	r->prefix_len = (size_t)snprintf(r->prefix, sizeof(r->prefix),
	    "%ld %c ", (long)getpid(), direction);
}

int
main(int argc, char *argv[])
{
	static struct recorder		down_recorder, up_recorder;
	static const struct copier_way	down = {
		recorder_take, &down_recorder
	};
	static const struct copier_way	up = { recorder_take, &up_recorder };

	_Static_assert(sizeof(lines.text) >= PREFIX_SIZE + RECORD_BYTES +
	    ENDING_SIZE, "a line fits");
	if (argc < 2)
		usage();
	/* The copier is a child: this number will be the program's. */
	recorder_init(&down_recorder, '<');
	recorder_init(&up_recorder, '>');
	copier_start("recordio", &argv[1], &down, &up);
}
