/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * listen SOCKET COUNT: the smallest client of the event socket.  Says
 * "ready", then a line for each event, and leaves after that many.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

static struct imsgbuf	ibuf;

static void
message_wait(struct imsg *imsg)
{
	int	n;

	while ((n = imsgbuf_get(&ibuf, imsg)) == 0)
		if ((n = imsgbuf_read(&ibuf)) != 1)
			errx(1, "the daemon has hung up");
	if (n == -1)
		err(1, "imsgbuf_get");
}

static void
welcome_wait(void)
{
	struct imsg	imsg;
	char		why[256] = "";
	size_t		len;

	message_wait(&imsg);
	if (imsg_get_type(&imsg) != IMSG_CTL_WELCOME) {
		len = imsg_get_len(&imsg);
		(void)imsg_get_buf(&imsg, why, len < sizeof(why) ? len :
		    sizeof(why) - 1);
		errx(2, "refused: %s", why);
	}
	imsg_free(&imsg);
}

static void
socket_open(const char *path)
{
	struct sockaddr_un	sun;
	uint32_t		version = CONTROL_VERSION;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		errx(1, "%s: too long", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(1, "%s", path);
	if (imsgbuf_init(&ibuf, fd) == -1 ||
	    imsg_compose(&ibuf, IMSG_CTL_HELLO, 0, 0, -1, &version,
	    sizeof(version)) == -1)
		err(1, "hello");
	/* Who turns us away may have hung up, and have said why. */
	(void)imsgbuf_flush(&ibuf);
	welcome_wait();
}

/* The next string of the event, which ends by itself; "-": unknown. */
static const char *
string_next(struct imsg *imsg, char *buf, size_t size, uint32_t len)
{
	if (len == 0)
		return ("-");
	if (len > size || imsg_get_buf(imsg, buf, len) == -1 ||
	    buf[len - 1] != '\0')
		errx(1, "string of %u bytes", len);
	return (buf);
}

static void
event_print(struct imsg *imsg)
{
	struct control_event	ev;
	char			ip[NETADDR_TEXT_SIZE], local[1100];
	char			name[1100], info[300], rule[1700];

	if (imsg_get_buf(imsg, &ev, sizeof(ev)) == -1)
		errx(1, "event of %zu bytes", imsg_get_len(imsg));
	printf("%llu %s %s id %llu from %s port %u to port %u pid %s status "
	    "%d ", (unsigned long long)ev.sequence,
	    ev.kind == EVENT_CONNECT ? "connect" : "end", ev.service,
	    (unsigned long long)ev.id, netaddr_text(&ev.remote, ip),
	    ev.remote_port, ev.local_port, ev.pid > 0 ? "yes" : "no",
	    ev.status);
	printf("local %s ", string_next(imsg, local, sizeof(local),
	    ev.local_name_len));
	printf("name %s ", string_next(imsg, name, sizeof(name),
	    ev.remote_name_len));
	printf("ident %s ", string_next(imsg, info, sizeof(info),
	    ev.info_len));
	printf("rule %s\n", string_next(imsg, rule, sizeof(rule),
	    ev.rule_len));
}

int
main(int argc, char *argv[])
{
	struct control_gap	gap;
	struct imsg		imsg;
	int			i;

	if (argc != 3)
		errx(1, "usage: listen socket count");
	socket_open(argv[1]);
	puts("ready");
	fflush(stdout);
	for (i = 0; i < atoi(argv[2]); i++) {
		message_wait(&imsg);
		if (imsg_get_type(&imsg) == IMSG_CTL_EVENT)
			event_print(&imsg);
		else if (imsg_get_type(&imsg) == IMSG_CTL_GAP &&
		    imsg_get_data(&imsg, &gap, sizeof(gap)) == 0)
			printf("gap of %llu\n", (unsigned long long)gap.count);
		else
			errx(1, "message %u", imsg_get_type(&imsg));
		fflush(stdout);
		imsg_free(&imsg);
	}
	return (0);
}
