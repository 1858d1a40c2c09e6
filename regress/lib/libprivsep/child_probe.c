/*
 * What privsep_exec starts in its test: tells on descriptor 3 which
 * descriptors it has, and what it does with signals.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define REPORT_FD	3

static void
descriptor_tell(int fd)
{
	struct stat	st;
	int		flags;

	if (fstat(fd, &st) == -1)
		return;
	flags = fcntl(fd, F_GETFL);
	dprintf(REPORT_FD, "fd %d %s %llu %s\n", fd,
	    S_ISCHR(st.st_mode) ? "chr" : S_ISFIFO(st.st_mode) ? "fifo" :
	    S_ISSOCK(st.st_mode) ? "sock" : "other",
	    (unsigned long long)st.st_ino,
	    flags & O_NONBLOCK ? "nonblocking" : "blocking");
}

static void
signal_tell(int sig, const sigset_t *mask)
{
	struct sigaction	sa;

	if (sigaction(sig, NULL, &sa) == -1)
		return;
	if (sa.sa_handler == SIG_IGN)
		dprintf(REPORT_FD, "ignored %d\n", sig);
	if (sigismember(mask, sig) == 1)
		dprintf(REPORT_FD, "blocked %d\n", sig);
}

int
main(int argc, char **argv)
{
	sigset_t	mask;
	int		i;

	for (i = 0; i < 1024; i++)
		descriptor_tell(i);
	if (sigprocmask(SIG_SETMASK, NULL, &mask) == -1)
		return (1);
	for (i = 1; i < 32; i++)
		signal_tell(i, &mask);
	for (i = 0; i < argc; i++)
		dprintf(REPORT_FD, "arg %s\n", argv[i]);
	return (0);
}
