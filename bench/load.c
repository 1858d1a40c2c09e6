/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * load: opens connections to a TCP service, so many at a time, reads each to
 * its end and checks what it said.
 *
 *	load [-c at-a-time] [-n connections] [-s source] address port [text]
 *
 * Prints one line of key=value: connections, those that said something else
 * than text (empty text: nothing) or failed, seconds, rate, latencies in
 * microseconds.
 */
#include <sys/types.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX	4096

struct connection {
	int	fd;
	int64_t	begun_ns;
	size_t	len;
	char	answer[ANSWER_MAX];
};

static struct sockaddr_in	to, from;
static int			have_from, ep;
static const char		*text = "";
static unsigned long		bad, done, begun, total = 1000;
static int64_t			*latency_ns;

static int64_t
now_ns(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static void
connection_begin(struct connection *c)
{
	struct epoll_event	ev;

	c->len = 0;
	c->begun_ns = now_ns();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd == -1)
		err(1, "socket");
	if (have_from &&
	    bind(c->fd, (struct sockaddr *)&from, sizeof(from)) == -1)
		err(1, "bind");
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) == -1 &&
	    errno != EINPROGRESS)
		err(1, "connect");
	ev.events = EPOLLIN;
	ev.data.ptr = c;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		err(1, "epoll_ctl");
	begun++;
}

static void
connection_end(struct connection *c, int failed)
{
	if (failed || c->len != strlen(text) ||
	    memcmp(c->answer, text, c->len) != 0)
		bad++;
	latency_ns[done++] = now_ns() - c->begun_ns;
	close(c->fd);
	c->fd = -1;
	if (begun < total)
		connection_begin(c);
}

static void
connection_read(struct connection *c)
{
	ssize_t	n;

	n = read(c->fd, c->answer + c->len, sizeof(c->answer) - c->len);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0)
		connection_end(c, n == -1);
	else
		c->len += (size_t)n;
}

static int
latency_compare(const void *a, const void *b)
{
	int64_t	x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? -1 : x > y);
}

static void
load_report(int64_t ns)
{
	qsort(latency_ns, done, sizeof(*latency_ns), latency_compare);
	printf("connections=%lu bad=%lu seconds=%.3f rate=%.0f p50_us=%.0f "
	    "p99_us=%.0f max_us=%.0f\n", done, bad, ns / 1e9,
	    done / (ns / 1e9), latency_ns[done / 2] / 1e3,
	    latency_ns[done * 99 / 100] / 1e3, latency_ns[done - 1] / 1e3);
}

static void
load_run(unsigned long at_a_time)
{
	struct connection	*c;
	struct epoll_event	 ev[64];
	int64_t			 start = now_ns();
	unsigned long		 i;
	int			 n;

	if ((c = calloc(at_a_time, sizeof(*c))) == NULL ||
	    (latency_ns = calloc(total, sizeof(*latency_ns))) == NULL)
		err(1, NULL);
	for (i = 0; i < at_a_time && begun < total; i++)
		connection_begin(&c[i]);
	while (done < total) {
		if ((n = epoll_wait(ep, ev, 64, 30000)) == 0)
			errx(1, "no answer for 30 s, %lu of %lu done", done,
			    total);
		while (n-- > 0)
			connection_read(ev[n].data.ptr);
	}
	load_report(now_ns() - start);
}

static void
usage(void)
{
	fprintf(stderr, "usage: load [-c at-a-time] [-n connections] "
	    "[-s source] address port [text]\n");
	exit(1);
}

int
main(int argc, char **argv)
{
	unsigned long	at_a_time = 1;
	int		ch;

	while ((ch = getopt(argc, argv, "c:n:s:")) != -1)
		switch (ch) {
		case 'c':
			at_a_time = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			total = strtoul(optarg, NULL, 10);
			break;
		case 's':
			from.sin_family = AF_INET;
			have_from = inet_pton(AF_INET, optarg,
			    &from.sin_addr) == 1;
			break;
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if (argc < 2 || argc > 3 || total == 0 || at_a_time == 0)
		usage();
	to.sin_family = AF_INET;
	if (inet_pton(AF_INET, argv[0], &to.sin_addr) != 1)
		usage();
	to.sin_port = htons(atoi(argv[1]));
	if (argc == 3)
		text = argv[2];
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
	load_run(at_a_time);
	return (bad != 0);
}
