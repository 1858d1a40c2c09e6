/*
 * tcprules: compiles access rules into a database for tcpserver.  Runs as
 * whoever calls it; the new database replaces the old one only when it is
 * whole and on disk.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "compile.h"
#include "ucspi.h"

#define MODE_CREATE	(S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)

static __dead void
usage(void)
{
	fputs("tcprules: usage: tcprules rules.cdb rules.tmp\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

/* "tcprules: fatal: WHAT[FILE][ to FILE2]: WHY" */
static __dead void
die(const char *what, const char *file, const char *to, const char *target)
{
	fprintf(stderr, "tcprules: fatal: %s%s%s%s: %s\n", what, file, to,
	    target, ucspi_strerror(errno));
	exit(UCSPI_EXIT_TEMPORARY);
}

static __dead void
die_memory(void)
{
	fputs("tcprules: fatal: out of memory\n", stderr);
	exit(UCSPI_EXIT_TEMPORARY);
}

/* As a string: what stands behind a NUL in the line is not shown. */
static __dead void
die_line(const struct compile_line *line)
{
	fprintf(stderr, "tcprules: fatal: unable to parse this line: %s\n",
	    (const char *)line->bytes);
	exit(UCSPI_EXIT_USAGE);
}

static void
rules_write(int fd, const char *tmp)
{
	struct compile_line	line;

	switch (compile_rules(STDIN_FILENO, fd, &line)) {
	case COMPILE_DONE:
		break;
	case COMPILE_SYNTAX:
		die_line(&line);
	case COMPILE_READ:
		die("unable to read input", "", "", "");
	case COMPILE_WRITE:
		die("unable to write to ", tmp, "", "");
	case COMPILE_MEMORY:
		die_memory();
	}
	if (fsync(fd) == -1 || close(fd) == -1)
		die("unable to write to ", tmp, "", "");
}

/*
 * Puts the rename itself on disk.  The new rules are in force already, and
 * not every file system can do this: failure is no error.
 */
static void
directory_sync(const char *file)
{
	char	*copy;
	int	 fd;

	if ((copy = strdup(file)) == NULL)
		return;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd == -1)
		return;
	(void)fsync(fd);
	close(fd);
}

int
main(int argc, char *argv[])
{
	const char	*cdb, *tmp;
	int		 fd;

	if (argc < 3)
		usage();
	cdb = argv[1];
	tmp = argv[2];

	/* A limit on file sizes is to be told like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	/* Not for reading: it may become descriptor 0 if that was closed. */
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE_CREATE);
	if (fd == -1)
		die("unable to create ", tmp, "", "");
	rules_write(fd, tmp);
	if (rename(tmp, cdb) == -1)
		die("unable to move ", tmp, " to ", cdb);
	directory_sync(cdb);
	return (0);
}
