/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The test plays parent and queues to one real relay or mailer.
 */
#ifndef TEST_PROCESS_H
#define TEST_PROCESS_H

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "autoturnd.h"

#define WAIT_MS		20000

static pid_t		child;
static struct imsgbuf	parent;		/* our end of its channel */

/* A file's content, which the caller frees; "" if there is none. */
static inline char *
file_text(const char *path)
{
	struct stat	 st;
	char		*text;
	ssize_t		 n = 0;
	int		 fd;

	if ((fd = open(path, O_RDONLY)) == -1)
		return (strdup(""));
	ATF_REQUIRE(fstat(fd, &st) == 0);
	ATF_REQUIRE((text = malloc((size_t)st.st_size + 1)) != NULL);
	n = read(fd, text, (size_t)st.st_size);
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
	return (text);
}

static inline void
say_fd(struct imsgbuf *to, uint32_t type, uint32_t id, int fd,
    const void *data, size_t len)
{
	ATF_REQUIRE(imsg_compose(to, type, id, 0, fd, data, len) == 1);
	ATF_REQUIRE_MSG(imsgbuf_flush(to) == 0, "type %u: %s", type,
	    strerror(errno));
}

static inline void
say(struct imsgbuf *to, uint32_t type, const void *data, size_t len)
{
	say_fd(to, type, 0, -1, data, len);
}

/* 1 and a message; 0: none came in time; -1: it hung up. */
static inline int
hear_within(struct imsgbuf *from, struct imsg *imsg, int ms)
{
	struct pollfd	pfd = { .fd = from->fd, .events = POLLIN };
	int64_t		end = clock_ms() + ms;
	int		n;

	for (;;) {
		if ((n = imsgbuf_get(from, imsg)) != 0)
			return (n);
		if (clock_ms() > end)
			return (0);
		if (poll(&pfd, 1, (int)(end - clock_ms()) + 1) == 1 &&
		    imsgbuf_read(from) != 1)
			return (-1);
	}
}

static inline void
hear(struct imsgbuf *from, uint32_t type, struct imsg *imsg)
{
	char	*text;
	int	 n = hear_within(from, imsg, WAIT_MS);

	if (n == 1 && imsg_get_type(imsg) == type)
		return;
	text = file_text("log");
	fprintf(stderr, "%s", text);
	atf_tc_fail("wanted message %u: %s %u", type, n == 1 ? "got" :
	    n == 0 ? "nothing came" : "it hung up",
	    n == 1 ? imsg_get_type(imsg) : 0);
}

static inline void
hear_word(struct imsgbuf *from, uint32_t type)
{
	struct imsg	imsg;

	hear(from, type, &imsg);
	imsg_free(&imsg);
}

static inline void
hear_hangup(struct imsgbuf *from)
{
	struct imsg	imsg;
	int		n;

	while ((n = hear_within(from, &imsg, WAIT_MS)) == 1)
		imsg_free(&imsg);
	ATF_REQUIRE_EQ_MSG(-1, n, "it did not hang up");
}

/* Its log goes to the file "log". */
static inline void
process_begin(const atf_tc_t *tc, const char *role)
{
	struct privsep_hello	 hello;
	char			 path[1024], title[] = "autoturnd";
	char			 option[] = "-P", word[16];
	char			*argv[] = { title, option, word, NULL };
	int			 fd, log, saved;

	(void)snprintf(path, sizeof(path), "%s/child",
	    atf_tc_get_config_var(tc, "srcdir"));
	(void)strlcpy(word, role, sizeof(word));
	log = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ATF_REQUIRE(log != -1);
	ATF_REQUIRE((saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10)) != -1);
	ATF_REQUIRE(dup2(log, STDERR_FILENO) == STDERR_FILENO);
	child = privsep_exec(path, argv, &fd);
	ATF_REQUIRE(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
	close(saved);
	close(log);
	ATF_REQUIRE(child > 0);
	ATF_REQUIRE(imsgbuf_init(&parent, fd) == 0);
	imsgbuf_allow_fdpass(&parent);
	memset(&hello, 0, sizeof(hello));
	(void)strlcpy(hello.build, privsep_build, sizeof(hello.build));
	(void)strlcpy(hello.name, "autoturnd", sizeof(hello.name));
	say(&parent, IMSG_PRIVSEP_HELLO, &hello, sizeof(hello));
	hear_word(&parent, IMSG_PRIVSEP_HELLO);
}

/* A queue's channel, told to the child as this type. */
static inline void
queue_open(struct imsgbuf *queue, uint32_t type, uint32_t spool)
{
	int	sv[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv) == 0);
	ATF_REQUIRE(imsgbuf_init(queue, sv[0]) == 0);
	imsgbuf_allow_fdpass(queue);
	say_fd(&parent, type, spool, sv[1], NULL, 0);
}

static inline void
queue_close(struct imsgbuf *queue)
{
	close(queue->fd);
	imsgbuf_clear(queue);
}

static inline void
alive_check(void)
{
	int	status;

	ATF_REQUIRE_EQ_MSG(0, waitpid(child, &status, WNOHANG),
	    "it died: %#x", status);
}

/* Still well, leaves when the parent does. */
static inline void
process_end(void)
{
	int	status;

	alive_check();
	close(parent.fd);
	ATF_REQUIRE(waitpid(child, &status, 0) == child);
	ATF_CHECK_EQ_MSG(0, status, "it ended with %#x", status);
}

static inline void
log_check(const char *part)
{
	char	*text = file_text("log");

	ATF_CHECK_MSG(strstr(text, part) != NULL, "\"%s\" is not in the log",
	    part);
	free(text);
}

#endif
