/*
 * Runs compilers of rules in turns and compares what they cost.
 *
 *	rules_cost rounds rules directory compiler ...
 *
 * Each is run as "compiler DIR/N.cdb DIR/N.tmp < rules".  Prints for each a
 * line of key=value: medians of wall clock and processor seconds, the
 * highest peak of memory in kB, and how the first two and the last compare
 * with the first compiler's.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX	101
#define COMPILERS_MAX	8

struct cost {
	double	wall_s[ROUNDS_MAX];
	double	cpu_s[ROUNDS_MAX];
	long	peak_kb;
};

static struct cost	costs[COMPILERS_MAX];

static double
now_s(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec + ts.tv_nsec / 1e9);
}

static void
compiler_exec(const char *compiler, const char *rules, const char *cdb,
    const char *tmp)
{
	int	fd;

	if ((fd = open(rules, O_RDONLY)) == -1 || dup2(fd, 0) == -1)
		_exit(126);
	execl(compiler, compiler, cdb, tmp, (char *)NULL);
	_exit(127);
}

static void
compiler_run(struct cost *cost, int round, const char *compiler,
    const char *rules, const char *directory, int number)
{
	struct rusage	usage;
	char		cdb[PATH_MAX], tmp[PATH_MAX];
	double		begun;
	pid_t		pid;
	int		status;

	snprintf(cdb, sizeof(cdb), "%s/%d.cdb", directory, number);
	snprintf(tmp, sizeof(tmp), "%s/%d.tmp", directory, number);
	begun = now_s();
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		compiler_exec(compiler, rules, cdb, tmp);
	if (wait4(pid, &status, 0, &usage) == -1)
		err(1, "wait4");
	if (status != 0)
		errx(1, "%s: status %#x", compiler, status);
	cost->wall_s[round] = now_s() - begun;
	cost->cpu_s[round] = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	if (usage.ru_maxrss > cost->peak_kb)
		cost->peak_kb = usage.ru_maxrss;
}

static int
double_compare(const void *a, const void *b)
{
	const double	*x = a, *y = b;

	return ((*x > *y) - (*x < *y));
}

static double
median(double *values, int count)
{
	qsort(values, count, sizeof(*values), double_compare);
	return (values[count / 2]);
}

int
main(int argc, char *argv[])
{
	double	cpu, cpu_first, wall, wall_first;
	int	compilers, i, round, rounds;

	if (argc < 5)
		errx(1, "usage: rules_cost rounds rules directory "
		    "compiler ...");
	rounds = atoi(argv[1]);
	compilers = argc - 4;
	if (rounds < 1 || rounds > ROUNDS_MAX || compilers > COMPILERS_MAX)
		errx(1, "too many or too few");
	for (round = 0; round < rounds; round++)
		for (i = 0; i < compilers; i++)
			compiler_run(&costs[i], round, argv[4 + i], argv[2],
			    argv[3], i);
	wall_first = cpu_first = 0;
	for (i = 0; i < compilers; i++) {
		wall = median(costs[i].wall_s, rounds);
		cpu = median(costs[i].cpu_s, rounds);
		if (i == 0) {
			wall_first = wall;
			cpu_first = cpu;
		}
		printf("compiler=%s wall_s=%.3f cpu_s=%.3f peak_kb=%ld "
		    "wall_ratio=%.2f cpu_ratio=%.2f peak_ratio=%.2f\n",
		    argv[4 + i], wall, cpu, costs[i].peak_kb,
		    wall / wall_first, cpu / cpu_first,
		    (double)costs[i].peak_kb / costs[0].peak_kb);
	}
	return (0);
}
