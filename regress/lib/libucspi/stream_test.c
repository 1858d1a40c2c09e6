/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Whole reads and writes, on descriptors of both kinds, and signals in
 * between.
 */
#include <sys/types.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "ucspi_stream.h"

#define MUCH_BYTES	1000000
#define TICK_US		1000

static char			much[MUCH_BYTES];
static volatile sig_atomic_t	ticks;

static void
tick(int sig)
{
	ticks++;
}

/* Signals that interrupt: no SA_RESTART. */
static void
ticks_start(void)
{
	struct itimerval	each = {
		{ 0, TICK_US }, { 0, TICK_US }
	};
	struct sigaction	action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = tick;
	ATF_REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
	ATF_REQUIRE(setitimer(ITIMER_REAL, &each, NULL) == 0);
}

static void
ticks_stop(void)
{
	struct itimerval	none = { { 0, 0 }, { 0, 0 } };

	ATF_REQUIRE(setitimer(ITIMER_REAL, &none, NULL) == 0);
}

static void
much_fill(void)
{
	size_t	i;

	for (i = 0; i < sizeof(much); i++)
		much[i] = (char)(i * 31 + (i >> 8));
}

/* A child that reads slowly and tells by its status what it got. */
static pid_t
reader_start(int fd, int other)
{
	char	byte[999];
	size_t	got = 0;
	ssize_t	n;
	pid_t	pid;

	if ((pid = fork()) != 0)
		return (pid);
	(void)close(other);
	while ((n = read(fd, byte, sizeof(byte))) > 0) {
		if (got + (size_t)n > sizeof(much) ||
		    memcmp(byte, much + got, (size_t)n) != 0)
			_exit(1);
		got += (size_t)n;
		if (got < 100000)
			usleep(100);
	}
	_exit(got == sizeof(much) ? 0 : 2);
}

static void
write_check(int flags)
{
	int	pipes[2], status;
	pid_t	pid;

	much_fill();
	ATF_REQUIRE(stream_pipe(pipes) == 0);
	ATF_REQUIRE((pid = reader_start(pipes[0], pipes[1])) != -1);
	(void)close(pipes[0]);
	ATF_REQUIRE(fcntl(pipes[1], F_SETFL, flags) == 0);
	ticks_start();
	ATF_CHECK_EQ(0, stream_write(pipes[1], much, sizeof(much)));
	ticks_stop();
	ATF_CHECK_MSG(ticks > 0, "no signal came");
	(void)close(pipes[1]);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_EQ(0, status);
}

ATF_TC_WITHOUT_HEAD(write_blocking);
ATF_TC_BODY(write_blocking, tc)
{
	write_check(0);
}

ATF_TC_WITHOUT_HEAD(write_nonblocking);
ATF_TC_BODY(write_nonblocking, tc)
{
	write_check(O_NONBLOCK);
}

ATF_TC_WITHOUT_HEAD(write_failure);
ATF_TC_BODY(write_failure, tc)
{
	int	pipes[2];

	ATF_REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	ATF_REQUIRE(stream_pipe(pipes) == 0);
	(void)close(pipes[0]);
	ATF_CHECK_ERRNO(EPIPE, stream_write(pipes[1], "x", 1) == -1);
	ATF_CHECK_EQ(0, stream_write(pipes[1], "x", 0));
	(void)close(pipes[1]);
	ATF_CHECK_ERRNO(EBADF, stream_write(pipes[1], "x", 1) == -1);
}

/* The only byte comes after many signals, then the end. */
static void
read_check(int flags)
{
	char	byte = 'x';
	int	pipes[2], status;
	pid_t	pid;

	ATF_REQUIRE(stream_pipe(pipes) == 0);
	if ((pid = fork()) == 0) {
		(void)close(pipes[0]);
		usleep(20 * TICK_US);
		_exit(write(pipes[1], "y", 1) != 1);
	}
	ATF_REQUIRE(pid != -1);
	(void)close(pipes[1]);
	ATF_REQUIRE(fcntl(pipes[0], F_SETFL, flags) == 0);
	ticks_start();
	ATF_CHECK_EQ(1, stream_read(pipes[0], &byte, 1));
	ATF_CHECK_EQ('y', byte);
	ATF_CHECK_EQ(0, stream_read(pipes[0], &byte, 1));
	ticks_stop();
	ATF_CHECK_MSG(ticks > 0, "no signal came");
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_EQ(0, status);
	(void)close(pipes[0]);
	ATF_CHECK_ERRNO(EBADF, stream_read(pipes[0], &byte, 1) == -1);
}

ATF_TC_WITHOUT_HEAD(read_blocking);
ATF_TC_BODY(read_blocking, tc)
{
	read_check(0);
}

ATF_TC_WITHOUT_HEAD(read_nonblocking);
ATF_TC_BODY(read_nonblocking, tc)
{
	read_check(O_NONBLOCK);
}

/* 0, 1 and 2 are never taken, nor left open, and all is close-on-exec. */
ATF_TC_WITHOUT_HEAD(pipe_low);
ATF_TC_BODY(pipe_low, tc)
{
	int	closed, fd, pipes[2], status;
	pid_t	pid;

	for (closed = 0; closed < 8; closed++) {
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid > 0) {
			ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
			ATF_CHECK_EQ_MSG(0, status, "closed %d: %d", closed,
			    status);
			continue;
		}
		for (fd = 0; fd < 3; fd++)
			if (closed & (1 << fd))
				(void)close(fd);
		if (stream_pipe(pipes) == -1)
			_exit(1);
		if (pipes[0] < 3 || pipes[1] < 3 || pipes[0] == pipes[1])
			_exit(2);
		for (fd = 0; fd < 3; fd++)
			if ((closed & (1 << fd)) && fcntl(fd, F_GETFD) != -1)
				_exit(3);
		if ((fcntl(pipes[0], F_GETFD) & FD_CLOEXEC) == 0 ||
		    (fcntl(pipes[1], F_GETFD) & FD_CLOEXEC) == 0)
			_exit(4);
		if (write(pipes[1], "x", 1) != 1)
			_exit(5);
		_exit(0);
	}
}

ATF_TC_WITHOUT_HEAD(filter);
ATF_TC_BODY(filter, tc)
{
	char	buf[8];
	int	in[2], out[2];

	ATF_REQUIRE(stream_pipe(in) == 0);
	ATF_REQUIRE(stream_pipe(out) == 0);
	ATF_REQUIRE(write(in[1], "a\r\nb\r", 5) == 5);
	(void)close(in[1]);
	ATF_CHECK_EQ(0, stream_filter(in[0], out[1], crlf_drop));
	ATF_CHECK_EQ(4, read(out[0], buf, sizeof(buf)));
	ATF_CHECK(memcmp(buf, "a\nb\r", 4) == 0);
	(void)close(in[0]);
	ATF_CHECK_ERRNO(EBADF, stream_filter(in[0], out[1], crlf_drop) == -1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, write_blocking);
	ATF_TP_ADD_TC(tp, write_nonblocking);
	ATF_TP_ADD_TC(tp, write_failure);
	ATF_TP_ADD_TC(tp, read_blocking);
	ATF_TP_ADD_TC(tp, read_nonblocking);
	ATF_TP_ADD_TC(tp, pipe_low);
	ATF_TP_ADD_TC(tp, filter);
	return (atf_no_error());
}
