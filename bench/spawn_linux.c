/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * spawn_linux: the two forms in which a launcher can start a program, one
 * beside the other and without anything else: vfork(2), which is what
 * usr.sbin/tcpserverd/spawn.c does, and clone(CLONE_VM) without
 * CLONE_VFORK, which does not wait for the exec.
 *
 * usage: spawn_linux [-n starts] [-k at-a-time] [-r rounds] program
 *
 * The program's standard output is /dev/null.  Rounds alternate; the
 * medians are printed, of the rate and of the CPU of this process and its
 * children.
 *
 * In the second form each start under way has a slot: a stack of its own
 * below a page that faults, and a word that the kernel zeroes when the child
 * has left our memory by exec or exit; not earlier may it be used again.
 * Parent and child run at the same time on the same memory, errno included:
 * a child's failing call may change what its parent is about to look at.
 * Here that can only happen to a start that failed and is counted; a
 * launcher would need system calls that bypass libc, by instruction set.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLOTS		64
#define STACK_BYTES	(16 * 1024)
#define GUARD_BYTES	(64 * 1024)	/* the largest page */
#define ROUNDS_MAX	99

struct slot {
	volatile pid_t	tid;	/* 0: free */
	char		*stack;
};

struct result {
	double	rate;
	double	cpu_us;
};

static struct slot	slots[SLOTS];
static char		*program;
static int		null_fd;
extern char		**environ;

/* In the child: as the launcher's does, the signals' state and exec. */
static int
child_run(void *arg)
{
	char			*argv[] = { program, NULL };
	struct sigaction	 sa = { .sa_handler = SIG_DFL };
	sigset_t		 none;

	(void)sigaction(SIGCHLD, &sa, NULL);
	(void)sigaction(SIGPIPE, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)dup2(null_fd, STDOUT_FILENO);
	execve(program, argv, environ);
	_exit(127);
}

static pid_t
start_vfork(void)
{
	pid_t	pid;

	if ((pid = vfork()) == 0)
		child_run(NULL);
	return (pid);
}

/* The next in turn, once its child has left. */
static struct slot *
slot_take(void)
{
	static unsigned int	 next;
	struct slot		*s = &slots[next++ % SLOTS];
	pid_t			 tid;

	while ((tid = s->tid) != 0)
		(void)syscall(SYS_futex, &s->tid, FUTEX_WAIT, tid, NULL,
		    NULL, 0);
	return (s);
}

static pid_t
start_clone(void)
{
	struct slot	*s = slot_take();
	pid_t		 pid;

	/* Until the kernel has the child's own number in it. */
	s->tid = -1;
	pid = clone(child_run, s->stack + STACK_BYTES,
	    CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
	    NULL, NULL, NULL, (pid_t *)(uintptr_t)&s->tid);
	if (pid == -1)
		s->tid = 0;
	return (pid);
}

static pid_t
start(pid_t (*form)(void))
{
	sigset_t	all, old;
	pid_t		pid;

	/* No handler may run in the child: it has our memory. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	if ((pid = form()) == -1)
		err(1, "start");
	sigprocmask(SIG_SETMASK, &old, NULL);
	return (pid);
}

static void
reap(void)
{
	int	status;

	if (wait(&status) == -1)
		err(1, "wait");
	if (status != 0)
		errx(1, "%s: wait status %d", program, status);
}

static double
cpu_s(void)
{
	struct rusage	ru;
	double		s = 0;
	int		who[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	size_t		i;

	for (i = 0; i < 2; i++) {
		if (getrusage(who[i], &ru) == -1)
			err(1, "getrusage");
		s += (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	}
	return (s);
}

static double
now_s(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static struct result
measure(pid_t (*form)(void), int n, int k)
{
	struct result	r;
	double		cpu = cpu_s(), began = now_s();
	int		i;

	for (i = 0; i < n + k; i++) {
		if (i >= k)
			reap();
		if (i < n)
			(void)start(form);
	}
	r.rate = n / (now_s() - began);
	r.cpu_us = (cpu_s() - cpu) * 1e6 / n;
	return (r);
}

static int
double_compare(const void *a, const void *b)
{
	double	x = *(const double *)a, y = *(const double *)b;

	return (x < y ? -1 : x > y);
}

static double
median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), double_compare);
	return (v[n / 2]);
}

static void
compare(int n, int k, int rounds)
{
	double		rate[2][ROUNDS_MAX], cpu[2][ROUNDS_MAX];
	double		rates[ROUNDS_MAX], cpus[ROUNDS_MAX];
	struct result	r;
	int		i, j, form;

	for (i = 0; i < rounds; i++) {
		for (j = 0; j < 2; j++) {
			form = (i + j) % 2;
			r = measure(form ? start_clone : start_vfork, n, k);
			rate[form][i] = r.rate;
			cpu[form][i] = r.cpu_us;
		}
		rates[i] = rate[1][i] / rate[0][i];
		cpus[i] = cpu[1][i] / cpu[0][i];
	}
	printf("| %d | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f |\n", k,
	    median(cpu[0], rounds), median(cpu[1], rounds),
	    median(cpus, rounds), median(rate[0], rounds),
	    median(rate[1], rounds), median(rates, rounds));
}

static void
slots_init(void)
{
	char	*p;
	int	 i;

	for (i = 0; i < SLOTS; i++) {
		p = mmap(NULL, GUARD_BYTES + STACK_BYTES,
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_STACK, -1, 0);
		if (p == MAP_FAILED ||
		    mprotect(p, GUARD_BYTES, PROT_NONE) == -1)
			err(1, "stack");
		slots[i].stack = p + GUARD_BYTES;
	}
}

int
main(int argc, char *argv[])
{
	int	ch, n = 1000, k = 0, rounds = 9;

	while ((ch = getopt(argc, argv, "k:n:r:")) != -1)
		switch (ch) {
		case 'k':
			k = atoi(optarg);
			break;
		case 'n':
			n = atoi(optarg);
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		default:
			return (1);
		}
	if (optind != argc - 1 || n < 1 || k < 0 || k > SLOTS || rounds < 1 ||
	    rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: spawn_linux [-k at-a-time] "
		    "[-n starts] [-r rounds] program\n");
		return (1);
	}
	program = argv[optind];
	if ((null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC)) == -1)
		err(1, "/dev/null");
	slots_init();
	puts("| at a time | CPU us, vfork | clone | ratio | rate/s, vfork | "
	    "clone | ratio |");
	puts("|---|---|---|---|---|---|---|");
	if (k > 0) {
		compare(n, k, rounds);
		return (0);
	}
	compare(n, 1, rounds);
	compare(n, 16, rounds);
	compare(n, 64, rounds);
	return (0);
}
