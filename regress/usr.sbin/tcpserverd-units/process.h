/*
 * The test plays parent (and more) to one real process of tcpserverd: the
 * installed program, started as its parent would.
 */
#ifndef TEST_PROCESS_H
#define TEST_PROCESS_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "tcpserverd.h"

#define WAIT_MS		20000

struct test_process {
	pid_t		pid;
	struct imsgbuf	ibuf;
	int		log;		/* what it writes on descriptor 2 */
	char		text[1 << 18];	/* of the log, so far */
	size_t		text_len;
	int		starts[2];	/* as struct service of the parent */
	int		reports[2];	/* [0]: engine's, [1]: launchers' */
	int		silent;		/* gives no sign of life */
	uint32_t	wanted;		/* launchers: a bit for each service */
};

static struct test_process	tp_;	/* one for each test case */

static inline void
pair_open(int sv[2])
{
	int	bytes = START_RECORD_MAX * 4;

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    sv) == 0);
	(void)setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(sv[1], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static inline void
say_fd(uint32_t type, uint32_t id, int fd, const void *data, size_t len)
{
	ATF_REQUIRE(imsg_compose(&tp_.ibuf, type, id, 0, fd, data, len) == 1);
	ATF_REQUIRE(imsgbuf_flush(&tp_.ibuf) == 0);
}

static inline void
say(uint32_t type, uint32_t id, const void *data, size_t len)
{
	say_fd(type, id, -1, data, len);
}

/* Of what we hold ourselves. */
static inline void
fd_give(uint32_t type, uint32_t id, int fd, const void *data, size_t len)
{
	int	copy;

	ATF_REQUIRE((copy = dup(fd)) != -1);
	say_fd(type, id, copy, data, len);
}

/* Starts it with that descriptor 2, and says who it is. */
static inline void
process_begin_as(const char *role, const char *name, uint32_t flags,
    uint32_t facility, int fd2)
{
	struct privsep_hello	hello;
	const char		*stage = getenv("STAGE");
	char			 path[1024], title[] = "tcpserverd";
	char			 option[] = "-P", word[16];
	char			*argv[] = { title, option, word, NULL };
	int			 saved, fd;

	if (stage == NULL)
		atf_tc_fail("STAGE: not set, there is no tcpserverd to try");
	snprintf(path, sizeof(path), "%s/sbin/tcpserverd", stage);
	strlcpy(word, role, sizeof(word));
	pair_open(tp_.starts);
	pair_open(tp_.reports);
	ATF_REQUIRE((saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10)) != -1);
	ATF_REQUIRE(dup2(fd2, STDERR_FILENO) == STDERR_FILENO);
	tp_.pid = privsep_exec(path, argv, &fd);
	ATF_REQUIRE(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
	close(saved);
	ATF_REQUIRE(tp_.pid > 0);
	ATF_REQUIRE(imsgbuf_init(&tp_.ibuf, fd) == 0);
	imsgbuf_allow_fdpass(&tp_.ibuf);
	memset(&hello, 0, sizeof(hello));
	strlcpy(hello.build, privsep_build, sizeof(hello.build));
	strlcpy(hello.name, name, sizeof(hello.name));
	hello.flags = flags;
	hello.log_facility = facility;
	say(IMSG_PRIVSEP_HELLO, 0, &hello, sizeof(hello));
}

static inline void
process_forget(void)
{
	if (tp_.pid != 0)
		imsgbuf_clear(&tp_.ibuf);
	memset(&tp_, 0, sizeof(tp_));
	tp_.log = -1;
}

/* Its log comes to us. */
static inline void
process_begin_named(const char *role, const char *name)
{
	int	p[2];

	process_forget();
	ATF_REQUIRE(pipe2(p, O_CLOEXEC) == 0);
	tp_.log = p[0];
	ATF_REQUIRE(fcntl(tp_.log, F_SETFL, O_NONBLOCK) == 0);
	process_begin_as(role, name, 0, 0, p[1]);
	close(p[1]);
}

static inline void
process_begin(const char *role)
{
	process_begin_named(role, "tcpserver");
}

/* Reads what there is of the log. */
static inline void
log_read(void)
{
	ssize_t	n;

	while (tp_.text_len < sizeof(tp_.text) - 1 &&
	    (n = read(tp_.log, tp_.text + tp_.text_len,
	    sizeof(tp_.text) - 1 - tp_.text_len)) > 0)
		tp_.text_len += (size_t)n;
	tp_.text[tp_.text_len] = '\0';
}

/* With the log, which a reason must not hold: it has lines. */
#define fail(...)							\
	do {								\
		log_read();						\
		fprintf(stderr, "%s", tp_.text);			\
		atf_tc_fail(__VA_ARGS__);				\
	} while (0)

/*
 * Waits a little for a message; answers what a parent must.  1 and the
 * message, 0: none now, -1: the process hung up.
 */
static inline int
hear_once(struct imsg *imsg, int ms)
{
	struct pollfd	p[2];
	int		n;

	for (;;) {
		if ((n = imsgbuf_get(&tp_.ibuf, imsg)) == -1)
			return (-1);
		if (n == 1 && imsg_get_type(imsg) ==
		    IMSG_PARENT_ALIVE_WANTED) {
			imsg_free(imsg);
			if (!tp_.silent)
				say(IMSG_ENGINE_ALIVE, 0, NULL, 0);
			continue;
		}
		/* It may come at any time on a host that is slow. */
		if (n == 1 && imsg_get_type(imsg) ==
		    IMSG_PARENT_LAUNCHER_WANTED) {
			tp_.wanted |= 1U << imsg_get_id(imsg);
			imsg_free(imsg);
			continue;
		}
		if (n == 1)
			return (1);
		p[0].fd = tp_.ibuf.fd;
		p[1].fd = tp_.log;
		p[0].events = p[1].events = POLLIN;
		if (poll(p, 2, ms) <= 0)
			return (0);
		if (p[1].revents != 0) {
			log_read();
			if (p[0].revents == 0)
				return (0);
		}
		if (imsgbuf_read(&tp_.ibuf) != 1)
			return (-1);
	}
}

/* The next message must be of that type, and come. */
static inline void
hear(uint32_t type, struct imsg *imsg)
{
	int64_t	end = clock_ms() + WAIT_MS;
	int	n;

	while ((n = hear_once(imsg, 50)) == 0)
		if (clock_ms() > end)
			fail("no message %u came", type);
	if (n == -1)
		fail("it hung up");
	ATF_REQUIRE_EQ_MSG(type, imsg_get_type(imsg), "message %u, not %u",
	    imsg_get_type(imsg), type);
}

static inline void
hear_word(uint32_t type)
{
	struct imsg	imsg;

	hear(type, &imsg);
	imsg_free(&imsg);
}

/* No message, for a while in which it had something to do. */
static inline void
hear_nothing(int ms)
{
	struct imsg	imsg;
	int64_t		end = clock_ms() + ms;
	int		n;

	while (clock_ms() < end)
		if ((n = hear_once(&imsg, 20)) != 0)
			fail("%s %u", n == 1 ? "message" : "it hung up",
			    n == 1 ? imsg_get_type(&imsg) : 0);
}

/* Until a text is in the log. */
static inline void
log_expect(const char *text)
{
	struct imsg	imsg;
	int64_t		end = clock_ms() + WAIT_MS;
	int		n = 0;

	for (;;) {
		log_read();
		if (strstr(tp_.text, text) != NULL)
			return;
		if (n == -1 || clock_ms() > end)
			fail("\"%.*s\" is not in the log",
			    (int)strcspn(text, "\n"), text);
		if ((n = hear_once(&imsg, 50)) == 1)
			imsg_free(&imsg);
	}
}

static inline unsigned int
log_count(const char *text)
{
	const char	*p = tp_.text;
	unsigned int	 n = 0;

	log_read();
	while ((p = strstr(p, text)) != NULL) {
		n++;
		p += strlen(text);
	}
	return (n);
}

static inline void
log_forget(void)
{
	log_read();
	tp_.text_len = 0;
	tp_.text[0] = '\0';
}

static inline void
alive_check(void)
{
	int	status;

	ATF_REQUIRE_EQ_MSG(0, waitpid(tp_.pid, &status, WNOHANG),
	    "it died: %#x", status);
}

static inline int
process_end(void)
{
	int	status;

	kill(tp_.pid, SIGKILL);
	ATF_REQUIRE(waitpid(tp_.pid, &status, 0) == tp_.pid);
	return (status);
}

/* It must leave by itself; its status. */
static inline int
process_wait(void)
{
	int64_t	end = clock_ms() + WAIT_MS;
	int	status;

	while (waitpid(tp_.pid, &status, WNOHANG) == 0) {
		if (clock_ms() > end) {
			process_end();
			fail("it does not leave");
		}
		poll(NULL, 0, 5);
	}
	log_read();
	return (status);
}

/*
 * A service: where it listens, its clients, its starts
 */

static inline struct sockaddr_in
loopback(uint16_t port)
{
	struct sockaddr_in	sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	return (sin);
}

/* On a port that is free. */
static inline int
listener_open(uint16_t *port)
{
	struct sockaddr_in	sin = loopback(0);
	socklen_t		len = sizeof(sin);
	int			fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	ATF_REQUIRE(listen(fd, 200) == 0);
	ATF_REQUIRE(getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
	*port = ntohs(sin.sin_port);
	return (fd);
}

static inline int
client_open(uint16_t port)
{
	struct sockaddr_in	sin = loopback(port);
	int			fd;

	ATF_REQUIRE((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) !=
	    -1);
	ATF_REQUIRE(connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	return (fd);
}

/* A start as a launcher gets it; its id, 0: none for now. */
static inline uint64_t
start_get(int fd, int *client, char *packet, size_t size)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec		 iov = { packet, size };
	struct msghdr		 msg;
	struct start_record	 r;
	struct cmsghdr		*c;
	ssize_t			 n;

	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return (0);
	ATF_REQUIRE(n >= (ssize_t)sizeof(r));
	memcpy(&r, packet, sizeof(r));
	ATF_REQUIRE((c = CMSG_FIRSTHDR(&msg)) != NULL);
	ATF_REQUIRE(c->cmsg_len == CMSG_LEN(sizeof(int)));
	memcpy(client, CMSG_DATA(c), sizeof(int));
	return (r.id);
}

/* The next start; its client is closed. */
static inline struct start_record
start_wait_from(int fd)
{
	char			packet[START_RECORD_MAX];
	struct start_record	r;
	struct pollfd		pfd = { .fd = fd, .events = POLLIN };
	struct imsg		imsg;
	int64_t			end = clock_ms() + WAIT_MS;
	int			client;

	while (start_get(fd, &client, packet, sizeof(packet)) == 0) {
		if (clock_ms() > end)
			fail("no start came");
		if (hear_once(&imsg, 0) == 1)
			imsg_free(&imsg);
		alive_check();
		(void)poll(&pfd, 1, 2);
	}
	close(client);
	memcpy(&r, packet, sizeof(r));
	return (r);
}

/* Sends bytes with descriptors on the start queue. */
static inline int
packet_send(const void *bytes, size_t len, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(4 * sizeof(int))];
	} control;
	union { const void *c; void *v; } u = { bytes };
	struct iovec	 iov = { u.v, len };
	struct msghdr	 msg;
	struct cmsghdr	*c;

	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (nfds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	return (sendmsg(tp_.starts[0], &msg, MSG_DONTWAIT) == (ssize_t)len ?
	    0 : -1);
}

#endif
