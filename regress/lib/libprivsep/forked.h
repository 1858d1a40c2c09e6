/*
 * Tests of what ends, confines or changes its process: each in a child of
 * its own, with what it wrote on descriptor 2.
 */
#ifndef FORKED_H
#define FORKED_H

#include <sys/types.h>
#include <sys/wait.h>

#include <string.h>
#include <unistd.h>

#include <atf-c.h>

/* Runs function(arg), then leaves with 0; returns the wait status. */
static inline int
forked(void (*function)(void *), void *arg, char *said, size_t size)
{
	size_t	got = 0;
	ssize_t	n;
	pid_t	pid;
	int	p[2], status;

	ATF_REQUIRE(pipe(p) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (dup2(p[1], STDERR_FILENO) == -1)
			_exit(99);
		close(p[0]);
		close(p[1]);
		function(arg);
		_exit(0);
	}
	close(p[1]);
	while (got < size - 1 &&
	    (n = read(p[0], said + got, size - 1 - got)) > 0)
		got += (size_t)n;
	said[got] = '\0';
	close(p[0]);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	return (status);
}

/* Within such a child: says what is wrong and leaves with 98. */
#define FORKED_REQUIRE(x)						\
	do {								\
		if (!(x)) {						\
			dprintf(STDERR_FILENO, "%s:%d: %s (errno %d)\n", \
			    __FILE__, __LINE__, #x, errno);		\
			_exit(98);					\
		}							\
	} while (0)

/* It came to its end without a complaint. */
#define FORKED_PASSES(function, arg)					\
	do {								\
		char	said_[4096];					\
		int	status_;					\
									\
		status_ = forked(function, arg, said_, sizeof(said_));	\
		ATF_CHECK_MSG(status_ == 0, "status %#x: %s", status_,	\
		    said_);						\
	} while (0)

#endif
