/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The parent as it is, with children that lie.
 *
 *	LIE="ROLE WORD [ARGUMENT]" liar OPTIONS OF AUTOTURND
 *
 * A child of that role is ready, then says what WORD wants; the others only
 * become ready.  What the parent sends goes to the log.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <netdb.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"

static struct imsgbuf	ibuf;
static char		lie_role[16], lie[32], lie_argument[128];
static int		lies;

static void
say(uint32_t type, const void *data, size_t len)
{
	if (imsg_compose(&ibuf, type, 0, 0, -1, data, len) == -1 ||
	    imsgbuf_flush(&ibuf) == -1)
		_exit(0);		/* it was ended in the middle of it */
}

static void
order_say(uint64_t run, const char *customer)
{
	struct connect_order	order;

	memset(&order, 0, sizeof(order));
	order.run = run;
	strlcpy(order.customer, customer, sizeof(order.customer));
	say(IMSG_PARENT_CONNECT, &order, sizeof(order));
}

static void
order_unending(void)
{
	struct connect_order	order;

	memset(&order, 'a', sizeof(order));
	say(IMSG_PARENT_CONNECT, &order, sizeof(order));
}

static void
orders_many(void)
{
	uint64_t	i;

	for (i = 0; i <= 2 * CONCURRENCY_MAX; i++)
		order_say(i, lie_argument);
}

static void
lie_tell(void)
{
	if (strcmp(lie, "connect") == 0)
		order_say(7, lie_argument);
	else if (strcmp(lie, "flood") == 0)
		orders_many();
	else if (strcmp(lie, "unending") == 0)
		order_unending();
	else if (strcmp(lie, "short") == 0)
		say(IMSG_PARENT_CONNECT, "short", 5);
	else if (strcmp(lie, "ready") == 0)
		say(IMSG_PARENT_READY, NULL, 0);
	else if (strcmp(lie, "reload") == 0)
		say(IMSG_PARENT_RELOAD_WANTED, NULL, 0);
	else if (strcmp(lie, "events") == 0)
		say(IMSG_PARENT_EVENTS_WANTED, "x", 1);
	else if (strcmp(lie, "log") == 0)
		say(IMSG_PARENT_LOG_WANTED, NULL, 0);
	else if (strcmp(lie, "unknown") == 0)
		say(9999, NULL, 0);
}

/* Where it leads by now. */
static void
run_log(struct imsg *imsg)
{
	struct sockaddr_storage	ss;
	struct run_order	o;
	socklen_t		len = sizeof(ss);
	char			host[64] = "nowhere", port[16] = "-";
	int			fd = imsg_get_fd(imsg);

	if (imsg_get_data(imsg, &o, sizeof(o)) == -1)
		fatalx("a run of a wrong length");
	if (fd != -1 && getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		(void)getnameinfo((struct sockaddr *)&ss, len, host,
		    sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	log_info("run %llu, helo %s, prefix %s, peer %s: %s port %s",
	    (unsigned long long)o.run, o.helo, o.prefix, o.peer, host, port);
	if (fd != -1)
		close(fd);
}

static void
failure_log(struct imsg *imsg)
{
	struct connect_failure	failure;

	if (imsg_get_data(imsg, &failure, sizeof(failure)) == -1)
		fatalx("a failure of a wrong length");
	log_info("run %llu failed: %s", (unsigned long long)failure.run,
	    strerror(failure.error));
}

static void
hear(struct imsg *imsg)
{
	static int	ready;
	uint32_t	type = imsg_get_type(imsg);

	if (type == IMSG_QUEUE_CONNECT_FAILED)
		failure_log(imsg);
	else if (type == IMSG_RELAY_RUN)
		run_log(imsg);
	else if (type == IMSG_QUEUE_RELOAD_DONE)
		log_info("reload done");
	else if (type == IMSG_QUEUE_EVENTS)
		log_info("events");
	else if (type == IMSG_QUEUE_STOP && strcmp(lie, "stays") != 0)
		_exit(0);
	/* When both ends of it are there. */
	if ((type == IMSG_QUEUE_RELAY || type == IMSG_RELAY_QUEUE ||
	    type == IMSG_MAILER_QUEUE) && lies && !ready++)
		lie_tell();
}

static __dead void
child(const char *role)
{
	struct privsep_hello	hello;
	struct imsg		imsg;
	const char		*text = getenv("LIE");
	int			 n;

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("autoturnd", role, 0);
	if (text != NULL && sscanf(text, "%15s %31s %127s", lie_role, lie,
	    lie_argument) >= 2)
		lies = strcmp(lie_role, role) == 0;
	privsep_hello_receive(&ibuf, &hello);
	say(IMSG_PARENT_READY, NULL, 0);
	for (;;) {
		while ((n = imsgbuf_get(&ibuf, &imsg)) == 1) {
			hear(&imsg);
			imsg_free(&imsg);
		}
		if (n == -1 || imsgbuf_read(&ibuf) != 1)
			_exit(0);
	}
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "-P") == 0)
		child(argv[2]);
	daemon_main(argc, argv);
}
