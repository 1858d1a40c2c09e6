/*
 * Times full verdicts on a rules database.
 *
 *	rules_lookup rules.cdb [addresses]
 *
 * Without addresses the clients are random IPv4 ones, nearly all of which
 * meet no rule of their own: the dearest case.  Otherwise they are the
 * lines of that file, taken in random order.  Prints one line of key=value:
 * times of one verdict in nanoseconds, the cost of the clock included.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <arpa/inet.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access.h"

#define CLIENTS		1000000
#define IP_SIZE		16

static char			ips[CLIENTS][IP_SIZE];
static struct in_addr		addrs[CLIENTS];
static uint32_t			times_ns[CLIENTS];
static struct access_verdict	verdict;

static uint64_t
now_ns(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static uint64_t
random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state);
}

static void
clients_random(uint64_t *state)
{
	uint32_t	number;
	size_t		i;

	for (i = 0; i < CLIENTS; i++) {
		number = random_next(state) >> 16;
		addrs[i].s_addr = number;
		inet_ntop(AF_INET, &addrs[i], ips[i], sizeof(ips[i]));
	}
}

static void
clients_read(uint64_t *state, const char *file)
{
	FILE	*fp;
	size_t	 count, i;

	if ((fp = fopen(file, "r")) == NULL)
		err(1, "%s", file);
	for (count = 0; count < CLIENTS; count++) {
		if (fscanf(fp, "%15s", ips[count]) != 1)
			break;
		if (inet_pton(AF_INET, ips[count], &addrs[count]) != 1)
			errx(1, "%s: no address: %s", file, ips[count]);
	}
	fclose(fp);
	if (count == 0)
		errx(1, "%s: no addresses", file);
	for (i = count; i < CLIENTS; i++) {
		addrs[i] = addrs[random_next(state) % count];
		inet_ntop(AF_INET, &addrs[i], ips[i], sizeof(ips[i]));
	}
}

static int
time_compare(const void *a, const void *b)
{
	const uint32_t	*x = a, *y = b;

	return ((*x > *y) - (*x < *y));
}

static size_t
verdicts_time(const struct access *rules)
{
	struct access_client	client;
	uint64_t		begun;
	size_t			hits, i;

	memset(&client, 0, sizeof(client));
	client.family = AF_INET;
	for (hits = i = 0; i < CLIENTS; i++) {
		client.bytes = (const uint8_t *)&addrs[i];
		client.ip = ips[i];
		begun = now_ns();
		if (access_check(rules, &client, &verdict) == -1)
			err(1, "access_check");
		times_ns[i] = now_ns() - begun;
		hits += verdict.answer != ACCESS_DEFAULT;
	}
	return (hits);
}

int
main(int argc, char *argv[])
{
	struct access	*rules;
	uint64_t	 begun, learnt, opened, state = 88172645463325252ULL;
	size_t		 hits;
	int		 fd;

	if (argc < 2 || argc > 3)
		errx(1, "usage: rules_lookup rules.cdb [addresses]");
	if (argc == 3)
		clients_read(&state, argv[2]);
	else
		clients_random(&state);
	if ((fd = open(argv[1], O_RDONLY)) == -1)
		err(1, "%s", argv[1]);
	begun = now_ns();
	if ((rules = access_open(fd)) == NULL)
		err(1, "%s", argv[1]);
	opened = now_ns();
	if (access_lengths_learn(rules) == -1)
		err(1, "%s", argv[1]);
	learnt = now_ns();
	verdicts_time(rules);			/* to warm up */
	hits = verdicts_time(rules);
	qsort(times_ns, CLIENTS, sizeof(times_ns[0]), time_compare);
	printf("open_ms=%.1f learn_ms=%.1f hits=%.3f median_ns=%u p90_ns=%u "
	    "p99_ns=%u\n", (opened - begun) / 1e6, (learnt - opened) / 1e6,
	    (double)hits / CLIENTS, times_ns[CLIENTS / 2],
	    times_ns[CLIENTS / 10 * 9], times_ns[CLIENTS / 100 * 99]);
	access_close(rules);
	return (0);
}
