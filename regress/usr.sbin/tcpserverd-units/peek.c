/*
 * peek PID: as a process of the same user, tries to look into another or to
 * trace it.  Says "closed", or what was open.
 */
#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int	open_ways;

static void
opened(const char *what)
{
	printf("%s\n", what);
	open_ways++;
}

static void
file_try(pid_t pid, const char *name, int flags)
{
	char	path[64], c;
	int	fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((fd = open(path, flags)) == -1)
		return;
	/* Some files open for everybody, and refuse to be read. */
	if (flags != O_RDONLY || read(fd, &c, 1) == 1)
		opened(path);
	close(fd);
}

static void
link_try(pid_t pid, const char *name)
{
	char	path[64], to[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if (readlink(path, to, sizeof(to)) != -1)
		opened(path);
}

static void
descriptors_try(pid_t pid)
{
	char	 path[64];
	DIR	*d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if ((d = opendir(path)) == NULL)
		return;
	opened(path);
	closedir(d);
}

static void
memory_try(pid_t pid)
{
	char		here[16];
	struct iovec	local = { here, sizeof(here) };
	struct iovec	remote = { here, sizeof(here) };

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != -1 ||
	    errno != EPERM)
		opened("process_vm_readv");
}

static void
trace_try(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != -1 || errno != EPERM)
		opened("ptrace seize");
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != -1 || errno != EPERM)
		opened("ptrace attach");
}

int
main(int argc, char **argv)
{
	pid_t	pid;

	if (argc != 2 || (pid = atoi(argv[1])) <= 0)
		return (1);
	file_try(pid, "mem", O_RDONLY);
	file_try(pid, "mem", O_RDWR);
	file_try(pid, "maps", O_RDONLY);
	file_try(pid, "environ", O_RDONLY);
	file_try(pid, "auxv", O_RDONLY);
	link_try(pid, "exe");
	link_try(pid, "root");
	link_try(pid, "cwd");
	link_try(pid, "fd/3");
	descriptors_try(pid);
	memory_try(pid);
	trace_try(pid);
	if (open_ways == 0)
		printf("closed\n");
	return (0);
}
