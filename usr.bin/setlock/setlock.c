/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * setlock: runs a program with a lock on a file.  The lock is the open
 * descriptor's, so it lasts until the program and all it started have ended.
 */
#include <sys/types.h>
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat.h"
#include "ucspi.h"

#define LETTERS		"nNxX"
#define LOCK_MODE	0600

struct lock {
	const char	*path;
	int		 wait;
	int		 loud;		/* a failure is told, and is 111 */
};

static __dead void
usage(void)
{
	fputs("setlock: usage: setlock [ -nNxX ] file program [ arg ... ]\n",
	    stderr);
	exit(UCSPI_EXIT_USAGE);
}

static __dead void
die(const char *doing, const char *what, int error)
{
	fprintf(stderr, "setlock: fatal: unable to %s %s: %s\n", doing, what,
	    ucspi_strerror(error));
	exit(UCSPI_EXIT_TEMPORARY);
}

static __dead void
lock_fail(const struct lock *lock, const char *doing)
{
	if (!lock->loud)
		exit(0);
	die(doing, lock->path, errno);
}

/*
 * Of the descriptors 0, 1 and 2 a closed one stays closed: the lock must not
 * turn into the program's input.
 */
static int
lock_open(const struct lock *lock)
{
	int	fd, low;

	fd = open(lock->path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK,
	    LOCK_MODE);
	if (fd == -1)
		lock_fail(lock, "open");
	if (fd > STDERR_FILENO)
		return (fd);
	low = fd;
	if ((fd = fcntl(low, F_DUPFD, STDERR_FILENO + 1)) == -1)
		lock_fail(lock, "open");
	close(low);
	return (fd);
}

static void
lock_take(const struct lock *lock)
{
	int	fd, how;

	fd = lock_open(lock);
	how = lock->wait ? LOCK_EX : LOCK_EX | LOCK_NB;
	while (flock(fd, how) == -1) {
		if (errno != EINTR)
			lock_fail(lock, "lock");
	}
}

static void
option_letter(struct lock *lock, int letter)
{
	switch (letter) {
	case 'n':
	case 'N':
		lock->wait = letter == 'N';
		break;
	case 'x':
	case 'X':
		lock->loud = letter == 'X';
		break;
	default:
		usage();
	}
}

int
main(int argc, char *argv[])
{
	struct lock		lock = { NULL, 1, 1 };
	struct ucspi_option	option;
	int			letter;

	ucspi_option_init(&option, argv, LETTERS);
	while ((letter = ucspi_option_next(&option)) != -1)
		option_letter(&lock, letter);
	argv += option.ind;
	if (argv[0] == NULL || argv[1] == NULL)
		usage();
	lock.path = argv[0];
	lock_take(&lock);
	die("run", argv[1], ucspi_path_run(argv[1], &argv[1]));
}
