/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

struct queue			queue;
struct seen			seen;
struct disk			disk;
struct customer			customer;
struct delivery_settings	delivery;

const char *const	reason_names[REASON_MAX] = {
	"none", "scan", "mail", "retry", "gap", "session", "operator"
};

/*
 * Stand-ins
 */

struct customer *
customer_find(const char *name)
{
	return (strcmp(name, customer.name) == 0 ? &customer : NULL);
}

struct customer *
customer_next(struct customer *c)
{
	return (c == NULL ? &customer : NULL);
}

void
customer_run_ended(struct customer *c, int failed, int more)
{
	ATF_REQUIRE(c->run == NULL);
	seen.ended++;
	seen.failed = failed;
	seen.more = more;
}

int
customer_look(struct customer *c)
{
	return (c->waiting > 0);
}

void
queue_stop_advance(void)
{
	seen.advanced++;
}

/*
 * The disk
 */

static int
disk_sync(int fd)
{
	disk.syncs++;
	if (disk.error != 0) {
		errno = disk.error;
		return (-1);
	}
	if (disk.synced != NULL)
		disk.synced(fd);
	return (0);
}

int
fsync(int fd)
{
	return (disk_sync(fd));
}

int
fdatasync(int fd)
{
	return (disk_sync(fd));
}

int
unlinkat(int dirfd, const char *path, int flags)
{
	static int	(*real)(int, const char *, int);

	if (real == NULL)
		real = (int (*)(int, const char *, int))(uintptr_t)
		    dlsym(RTLD_NEXT, "unlinkat");
	if (disk.unlink_error != 0) {
		errno = disk.unlink_error;
		return (-1);
	}
	return (real(dirfd, path, flags));
}

/*
 * The spool
 */

static void
directory_make(const char *path)
{
	ATF_REQUIRE_MSG(mkdir(path, 0700) == 0, "%s: %s", path,
	    strerror(errno));
}

static void
settings_make(void)
{
	(void)strlcpy(queue.spool.path, "spool", sizeof(queue.spool.path));
	(void)strlcpy(queue.spool.state_path, "state",
	    sizeof(queue.spool.state_path));
	(void)strlcpy(queue.spool.hostname, "mail.example.org",
	    sizeof(queue.spool.hostname));
	(void)strlcpy(queue.spool.postmaster, "postmaster@example.org",
	    sizeof(queue.spool.postmaster));
	delivery.window = 4;
	delivery.lifetime_s = 86400;
	delivery.hops_max = 50;
	(void)strlcpy(delivery.helo, "mail.example.org",
	    sizeof(delivery.helo));
}

static void
customer_make(void)
{
	static char	name[] = MAILDIR, maildir[] = MAILDIR, prefix[] = PREFIX;

	customer.name = name;
	customer.maildir = maildir;
	customer.prefix = prefix;
	customer.delivery = &delivery;
	customer.reason = REASON_SESSION;
}

void
world_begin(void)
{
	log_init("test", "books", 0);
	directory_make("spool");
	directory_make("state");
	directory_make("spool/" MAILDIR);
	directory_make("spool/" MAILDIR "/new");
	directory_make("spool/" MAILDIR "/cur");
	directory_make("spool/" MAILDIR "/tmp");
	queue.spool_fd = open("spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	queue.state_fd = open("state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ATF_REQUIRE(queue.spool_fd != -1 && queue.state_fd != -1);
	settings_make();
	customer_make();
	RB_INIT(&queue.customers);
	(void)event_init();
}

static void
message_path(char *path, size_t size, const char *name)
{
	(void)snprintf(path, size, "spool/" MAILDIR "/%s", name);
}

ino_t
world_text(const char *name, const char *text, time_t age)
{
	struct timespec	times[2];
	struct stat	st;
	char		path[600];
	int		fd;

	message_path(path, sizeof(path), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ATF_REQUIRE_MSG(fd != -1, "%s: %s", path, strerror(errno));
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	times[0].tv_sec = times[1].tv_sec = time(NULL) - age;
	times[0].tv_nsec = times[1].tv_nsec = 0;
	ATF_REQUIRE(futimens(fd, times) == 0);
	ATF_REQUIRE(fstat(fd, &st) == 0);
	close(fd);
	return (st.st_ino);
}

ino_t
world_mail(const char *name, size_t size, time_t age)
{
	static const char	head[] = "Return-Path: <sender@example.net>\n"
				    "Delivered-To: " PREFIX "user@example.com\n"
				    "Subject: a test\n\n";
	char			*text;
	ino_t			 ino;

	if (size < sizeof(head))
		size = sizeof(head);
	text = malloc(size + 1);
	ATF_REQUIRE(text != NULL);
	memset(text, 'x', size);
	memcpy(text, head, sizeof(head) - 1);
	text[size - 1] = '\n';
	text[size] = '\0';
	ino = world_text(name, text, age);
	free(text);
	return (ino);
}

int
world_there(const char *name)
{
	char	path[600];

	message_path(path, sizeof(path), name);
	return (access(path, F_OK) == 0);
}

void
world_stat(const char *name, struct stat *st)
{
	char	path[600];

	message_path(path, sizeof(path), name);
	ATF_REQUIRE(lstat(path, st) == 0);
}

int
world_count(const char *sub)
{
	struct dirent	*entry;
	char		 path[600];
	DIR		*dir;
	int		 n = 0;

	message_path(path, sizeof(path), sub);
	if ((dir = opendir(path)) == NULL)
		return (0);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return (n);
}

char *
world_file(int dirfd, const char *name, size_t *len)
{
	struct stat	 st;
	char		*text;
	int		 fd;

	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	ATF_REQUIRE_MSG(fd != -1, "%s: %s", name, strerror(errno));
	ATF_REQUIRE(fstat(fd, &st) == 0);
	text = malloc((size_t)st.st_size + 1);
	ATF_REQUIRE(text != NULL);
	ATF_REQUIRE(read(fd, text, (size_t)st.st_size) == st.st_size);
	text[st.st_size] = '\0';
	close(fd);
	if (len != NULL)
		*len = (size_t)st.st_size;
	return (text);
}

void
world_turn(void)
{
	(void)event_loop(EVLOOP_NONBLOCK);
}

/*
 * Peers
 */

void
peer_open(struct peer *p, struct channel *ch,
    int (*dispatch)(struct channel *, struct imsg *),
    void (*lost)(struct channel *))
{
	int	fd[2];

	if (p->open)
		peer_close(p);
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) ==
	    0);
	ATF_REQUIRE(channel_init(ch, fd[0], dispatch, lost, NULL) == 0);
	ATF_REQUIRE(imsgbuf_init(&p->ibuf, fd[1]) == 0);
	imsgbuf_allow_fdpass(&p->ibuf);
	ATF_REQUIRE(fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0);
	p->open = 1;
}

/* 1: a message, 0: none yet. */
static int
peer_get(struct peer *p, struct imsg *imsg)
{
	int	n;

	if ((n = imsgbuf_get(&p->ibuf, imsg)) != 0)
		return (n == 1);
	ATF_REQUIRE(imsgbuf_read(&p->ibuf) == 1);
	return (imsgbuf_get(&p->ibuf, imsg) == 1);
}

static void
peer_wait(struct peer *p, int ms)
{
	struct pollfd	pfd = { .fd = p->ibuf.fd, .events = POLLIN };

	world_turn();
	(void)poll(&pfd, 1, ms);
}

int
peer_hear(struct peer *p, uint32_t type, void *data, size_t len)
{
	struct imsg	imsg;
	int64_t		until = clock_ms() + CLOCK_PATIENCE_MS;
	int		fd;

	while (!peer_get(p, &imsg)) {
		ATF_REQUIRE_MSG(clock_ms() < until,
		    "nothing comes where %u should", type);
		peer_wait(p, 10);
	}
	ATF_REQUIRE_MSG(imsg_get_type(&imsg) == type, "%u came, not %u",
	    imsg_get_type(&imsg), type);
	if (len > 0)
		ATF_REQUIRE(imsg_get_data(&imsg, data, len) == 0);
	fd = imsg_get_fd(&imsg);
	imsg_free(&imsg);
	return (fd);
}

int
peer_hears_nothing(struct peer *p)
{
	struct imsg	imsg;
	int		i;

	for (i = 0; i < 3; i++) {
		peer_wait(p, 0);
		if (peer_get(p, &imsg)) {
			imsg_free(&imsg);
			return (0);
		}
	}
	return (1);
}

void
peer_say(struct peer *p, uint32_t type, const void *data, size_t len,
    const char *text)
{
	struct iovec	iov[2];

	iov[0].iov_base = (void *)(uintptr_t)data;
	iov[0].iov_len = len;
	iov[1].iov_base = (void *)(uintptr_t)text;
	iov[1].iov_len = text == NULL ? 0 : strlen(text);
	ATF_REQUIRE(imsg_composev(&p->ibuf, type, 0, 0, -1, iov,
	    text == NULL ? 1 : 2) == 1);
	while (imsgbuf_queuelen(&p->ibuf) > 0)
		ATF_REQUIRE(imsgbuf_write(&p->ibuf) == 0);
}

void
peer_close(struct peer *p)
{
	imsgbuf_clear(&p->ibuf);
	close(p->ibuf.fd);
	p->open = 0;
}
