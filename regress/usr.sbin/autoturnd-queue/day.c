/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A day of a queue whose customers don't come, by a clock that need not be
 * waited for: every look at a Maildir is made, every timer runs.
 *
 *	day spool scan_s
 *
 * Prints the customers, looks and turns of the loop, the processor's seconds
 * they took, and the memory each customer costs.
 */
#include <sys/types.h>
#include <sys/resource.h>

#include <err.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"

#define DAY_MS	(86400LL * 1000)

static int64_t	now_ms = 1000;

int64_t
clock_ms(void)
{
	return (now_ms);
}

int64_t
clock_us(void)
{
	return (now_ms * 1000);
}

static double
cpu_s(void)
{
	struct rusage	ru;

	getrusage(RUSAGE_SELF, &ru);
	return ((double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
}

static void
settings_make(const char *spool, const char *scan_s)
{
	static const struct delivery_settings	usual = {
		.port = 25, .window = 16, .hops_max = 50,
		.lifetime_s = 14 * 86400, .interval_s = 10, .retry_s = 300,
		.retry_max_s = 4 * 3600
	};

	queue.spool.addresses = 1;
	queue.spool.concurrency = 20;
	queue.spool.watches = 128;
	queue.spool.scan_s = (uint64_t)atoi(scan_s);
	queue.spool.defaults = usual;
	(void)strlcpy(queue.spool.path, spool, sizeof(queue.spool.path));
	queue.spool_fd = queue.state_fd = open(spool, O_RDONLY | O_DIRECTORY);
	if (queue.spool_fd == -1 || fchdir(queue.spool_fd) == -1)
		err(111, "%s", spool);
	RB_INIT(&queue.customers);
}

static int64_t
next(void)
{
	int64_t	at = look_next(), other = schedule_next();

	return (other != -1 && other < at ? other : at);
}

int
main(int argc, char **argv)
{
	struct mallinfo2	before;
	struct customer		*c;
	unsigned long		 customers = 0, looks = 0, turns = 0;
	time_t			 began = time(NULL);
	double			 cpu, first_s;
	int64_t			 at;

	if (argc != 3)
		errx(100, "usage: day spool scan_s");
	settings_make(argv[1], argv[2]);
	event_init();
	before = mallinfo2();
	cpu = cpu_s();
	customers_replace();
	look_init();
	for (c = customer_next(NULL); c != NULL; c = customer_next(c))
		customers++;
	if (customers == 0)
		errx(111, "%s: no customers", argv[1]);
	printf("customers=%lu\n", customers);
	printf("bytes_each=%.0f\n", (double)(mallinfo2().uordblks -
	    before.uordblks) / (double)customers);
	/* The first minute reads everything once. */
	for (; now_ms < 60 * 1000; now_ms = at) {
		look_tick(now_ms);
		schedule_tick(now_ms);
		schedule_start();
		at = next();
	}
	first_s = cpu_s() - cpu;
	cpu = cpu_s();
	at = now_ms + DAY_MS;
	while (now_ms < at) {
		look_tick(now_ms);
		schedule_tick(now_ms);
		schedule_start();
		turns++;
		now_ms = next();
	}
	cpu = cpu_s() - cpu;
	for (c = customer_next(NULL); c != NULL; c = customer_next(c))
		looks += c->looked_at >= began;
	if (looks != customers)
		errx(111, "%lu of %lu were looked at", looks, customers);
	printf("turns=%lu\n", turns);
	printf("first_minute_cpu_s=%.3f\n", first_s);
	printf("day_cpu_s=%.3f\n", cpu);
	printf("look_us=%.2f\n", cpu * 1e6 / ((double)customers * 86400 /
	    (double)queue.spool.scan_s));
	return (0);
}
