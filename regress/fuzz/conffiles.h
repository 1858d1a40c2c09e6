/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A configuration as anybody may write it: the input is cut at octets 0xfe
 * into up to three files, "0" (which is read), "1" and "2", that may be
 * included.  Every message must be one printable line, an error for each file
 * that is refused; what is accepted must print in a form that is read as the
 * same.  A target says how it is loaded and printed: config_print.
 */
#ifndef CONFFILES_H
#define CONFFILES_H

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

#define FILES	3
#define CUT	0xfe

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned int	errors, warnings;
static char		place[64];

static void
require(int truth)
{
	if (!truth)
		abort();
}

static void
report(const char *line, void *arg)
{
	if (strncmp(line, "warning: ", 9) == 0)
		warnings++;
	else
		errors++;
	require(line[0] != '\0');
	for (; *line != '\0'; line++)
		require(*line >= 32 && *line < 127);
}

/* A directory of our own, made once, that we stay in. */
static void
place_make(void)
{
	if (place[0] != '\0')
		return;
	strlcpy(place, "conf_fuzz.XXXXXX", sizeof(place));
	require(mkdtemp(place) != NULL && chdir(place) == 0);
}

static void
place_leave(void)
{
	char	name[2] = "0";

	for (; name[0] < '0' + FILES; name[0]++)
		(void)unlink(name);
}

static void
file_write(const char *name, const void *data, size_t len)
{
	int	fd;

	fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	require(fd != -1);
	require(write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static void
files_make(const uint8_t *data, size_t size)
{
	const uint8_t	*end;
	char		 name[2] = "0";
	size_t		 len;

	for (; name[0] < '0' + FILES; name[0]++) {
		end = size == 0 ? NULL : memchr(data, CUT, size);
		len = end == NULL ? size : (size_t)(end - data);
		file_write(name, len == 0 ? (const uint8_t *)"" : data, len);
		if (end == NULL)
			break;
		data = end + 1;
		size -= len + 1;
	}
}

/*
 * Loads "0" with report and these definitions and prints it: 0, or -1: it was
 * refused.
 */
static int	config_print(FILE *, char *const []);

/* The configuration in its printed form; NULL: it was refused. */
static char *
conf_text(size_t *len)
{
	static char	*defines[] = { NULL, NULL };
	static char	 given[] = "given=\"a b\" 5";
	FILE		*f;
	char		*text;
	int		 refused;

	errors = warnings = 0;
	defines[0] = given;
	require((f = open_memstream(&text, len)) != NULL);
	refused = config_print(f, defines) == -1;
	require(fclose(f) == 0);
	require(refused == (errors > 0));
	if (!refused)
		return (text);
	free(text);
	return (NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	*once, *twice;
	size_t	 once_len, twice_len;

	place_make();
	files_make(data, size);
	if ((once = conf_text(&once_len)) != NULL) {
		file_write("0", once, once_len);
		require((twice = conf_text(&twice_len)) != NULL);
		require(once_len == twice_len &&
		    memcmp(once, twice, once_len) == 0);
		free(twice);
	}
	free(once);
	place_leave();
	return (0);
}

#endif
