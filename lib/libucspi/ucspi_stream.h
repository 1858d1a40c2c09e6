/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the programs that pass bytes on share: whole reads and writes, ends
 * of lines, and the process that copies beside a program.
 *
 * Descriptors that were inherited keep their flags: O_NONBLOCK belongs to
 * whoever shares them.  Both kinds work everywhere here.
 */
#ifndef UCSPI_STREAM_H
#define UCSPI_STREAM_H

#include <sys/types.h>

#include <stddef.h>

#define STREAM_BLOCK_SIZE	65536	/* bytes taken by one read(2) */
/* By a copier: half a pipe on most systems, so that it can fill and drain. */
#define COPIER_BLOCK_SIZE	32768

/* stream.c */

/*
 * stream_read: read(2) that sleeps until there is something, on a
 * non-blocking descriptor too, and goes on after a signal.
 * stream_write: all of it, likewise; 0, or -1 with errno.
 * stream_pipe: pipe2(2), close-on-exec, with both ends above descriptor 2: one
 * of 0, 1 and 2 that was closed must not turn into an end of a pipe.  0, or
 * -1 with errno.
 * stream_filter: passes in on to out until its end, block by block, each as
 * reshape makes it; reshape gets the state (0 at first), room for twice the
 * block, and the block, and returns how much it wrote; the block is empty at
 * the end.  Returns 0 at the end, or -1 with errno.  Not reentrant.
 */
ssize_t		 stream_read(int, void *, size_t);
int		 stream_write(int, const void *, size_t);
int		 stream_pipe(int [2]);
int		 stream_filter(int, int, size_t (*)(int *, char *,
		    const char *, size_t));

/* crlf.c */

/*
 * Each reshapes len bytes at in, to out, and returns how many it wrote.
 * *state starts as 0 and links one block to the next.
 *
 * crlf_add: CR before every LF.  out has room for 2 * len.
 * crlf_drop: removes one CR directly before an LF; a CR at the end of a block
 * is held until the next, which at the very end is an empty one.  out has
 * room for len + 1.
 * crlf_fix: CR before each LF that has none.  out has room for 2 * len.
 */
size_t		 crlf_add(int *, char *, const char *, size_t);
size_t		 crlf_drop(int *, char *, const char *, size_t);
size_t		 crlf_fix(int *, char *, const char *, size_t);

/* copier.c */

/*
 * One way of a copier.  take is shown each block that was read, *len bytes
 * of data, at most COPIER_BLOCK_SIZE, and an empty one at the end, after
 * which nothing is passed on; it returns what is to be passed on and sets
 * *len, in memory that stays until the next call.
 */
struct copier_way {
	const char	*(*take)(void *, const char *, size_t *);
	void		*arg;
};

/*
 * copier_start: turns the calling process into the program argv, with pipes
 * as its standard input and output, and leaves a child that copies between
 * these and the descriptors 0 and 1 that were: down is the way to the
 * program, up the way from it.  The child ends with status 0 when the
 * program's output is at its end, or can't be passed on.  A failure is told
 * as "NAME: fatal: ...", exit 111.  Never returns.
 */
void		 copier_start(const char *, char **,
		    const struct copier_way *, const struct copier_way *)
		    __attribute__((__noreturn__));

/* relay.c */

/*
 * relay_run: what a copier does: 0 to the descriptor to (closed at the end
 * of 0), from to 1, both at once and neither waiting for the other.  Returns
 * when from is at its end and all of it was written, or can't be.
 */
void		 relay_run(int, int, const struct copier_way *,
		    const struct copier_way *);

#endif
