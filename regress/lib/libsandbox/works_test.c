/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the confined roles need works: a client accepted over loopback by
 * libevent's loop and passed on as a descriptor, a rules file received and
 * read, DNS questions asked by c-ares, an ident dialogue, a Maildir worked
 * on, a message sent.
 */
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <ares.h>
#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compat.h"
#include "sandbox.h"

#define RULES_TEXT	"127.:allow\n"
#define GREETING	"hello\n"

/* In the confined process: leaves with the line that was not true. */
#define NEED(x) do { \
	if (!(x)) \
		need_failed(__LINE__, #x); \
} while (0)

static __dead void
need_failed(int line, const char *text)
{
	fprintf(stderr, "line %d: %s: %s\n", line, text, strerror(errno));
	_exit(1);
}

#include "network.h"
#include "watch.h"

static void
child_check(pid_t pid)
{
	int	status;

	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "confined process: status %#x", status);
}

static int
loopback_socket(int type, uint16_t port, struct sockaddr_in *sin)
{
	socklen_t	len = sizeof(*sin);
	int		fd;

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = htons(port);
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ATF_REQUIRE((fd = socket(AF_INET, type, 0)) != -1);
	ATF_REQUIRE_EQ(bind(fd, (struct sockaddr *)sin, sizeof(*sin)), 0);
	ATF_REQUIRE_EQ(getsockname(fd, (struct sockaddr *)sin, &len), 0);
	if (type == SOCK_STREAM)
		ATF_REQUIRE_EQ(listen(fd, 8), 0);
	return (fd);
}

static int
descriptor_send(int channel, int fd)
{
	char			 byte = 'x';
	struct iovec		 iov = { &byte, 1 };
	union {
		struct cmsghdr	 header;
		char		 space[CMSG_SPACE(sizeof(int))];
	}			 control;
	struct msghdr		 msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr		*cmsg;

	memset(&control, 0, sizeof(control));
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control.space);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return (sendmsg(channel, &msg, 0) == 1 ? 0 : -1);
}

static int
descriptor_receive(int channel)
{
	char			 byte;
	struct iovec		 iov = { &byte, 1 };
	union {
		struct cmsghdr	 header;
		char		 space[CMSG_SPACE(sizeof(int))];
	}			 control;
	struct msghdr		 msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr		*cmsg;
	int			 fd;

	memset(&control, 0, sizeof(control));
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control.space);
	if (recvmsg(channel, &msg, MSG_CMSG_CLOEXEC) != 1 ||
	    (cmsg = CMSG_FIRSTHDR(&msg)) == NULL ||
	    cmsg->cmsg_type != SCM_RIGHTS)
		return (-1);
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return (fd);
}

/*
 * The engine
 */

struct engine {
	int		channel;	/* to the test, which is its parent */
	int		listener;
	struct event	channel_ev;
	struct event	listener_ev;
	struct event	timer_ev;
	struct event	signal_ev;
	int		rules_read;
	int		timer_rang;
	int		signal_came;
};

static void
engine_rules(int fd, short what, void *arg)
{
	struct engine	*e = arg;
	struct stat	 st;
	char		 buf[64];
	void		*map;
	int		 rules;

	NEED((rules = descriptor_receive(fd)) != -1);
	NEED(fstat(rules, &st) == 0);
	NEED(st.st_size == (off_t)strlen(RULES_TEXT));
	NEED(pread(rules, buf, sizeof(buf), 0) == st.st_size);
	NEED(memcmp(buf, RULES_TEXT, strlen(RULES_TEXT)) == 0);
	NEED(lseek(rules, 1, SEEK_SET) == 1);
	NEED(read(rules, buf, 1) == 1);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, rules,
	    0);
	NEED(map != MAP_FAILED);
	NEED(munmap(map, (size_t)st.st_size) == 0);
	NEED(close(rules) == 0);
	e->rules_read = 1;
}

static void
engine_options(int fd)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof(ss);
	unsigned char		options[64];
	int			error, on = 1;

	NEED(getpeername(fd, (struct sockaddr *)&ss, &len) == 0);
	len = sizeof(ss);
	NEED(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	len = sizeof(options);
	NEED(getsockopt(fd, IPPROTO_IP, IP_OPTIONS, options, &len) == 0);
	len = sizeof(error);
	NEED(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
	NEED(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	NEED(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0) == 0);
	NEED(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0);
	NEED(fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

/* A client: greeted by this process, then passed on as it is. */
static void
engine_accept(int fd, short what, void *arg)
{
	struct engine	*e = arg;
	int		 client;

	NEED((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) != -1);
	engine_options(client);
	NEED(write(client, GREETING, strlen(GREETING)) ==
	    (ssize_t)strlen(GREETING));
	NEED(descriptor_send(e->channel, client) == 0);
	close(client);
	NEED(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) == -1 &&
	    errno == EAGAIN);
}

static void
engine_timer(int fd, short what, void *arg)
{
	struct engine	*e = arg;

	e->timer_rang = 1;
	raise(SIGUSR1);
}

static void
engine_signal(int fd, short what, void *arg)
{
	struct engine	*e = arg;

	e->signal_came = 1;
}

static int
number_compare(const void *a, const void *b)
{
	const int	*x = a, *y = b;

	return (*x - *y);
}

/* What any code of ours does between two events. */
static void
engine_habits(void)
{
	struct timespec	ts;
	struct rusage	usage;
	struct tm	tm;
	time_t		now;
	size_t		i, n = 100000;
	char		line[64];
	int		*numbers;

	NEED(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	NEED(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	NEED(time(&now) != -1);
	NEED(gmtime_r(&now, &tm) != NULL);
	NEED(localtime_r(&now, &tm) != NULL);
	NEED(getrusage(RUSAGE_SELF, &usage) == 0);
	NEED((numbers = malloc(n / 2 * sizeof(*numbers))) != NULL);
	NEED((numbers = realloc(numbers, n * sizeof(*numbers))) != NULL);
	for (i = 0; i < n; i++)
		numbers[i] = (int)arc4random_uniform(1000);
	qsort(numbers, n, sizeof(*numbers), number_compare);
	NEED(numbers[0] <= numbers[n - 1]);
	free(numbers);
	NEED(getpid() > 0 && getppid() > 0);
	NEED(kill(getpid(), 0) == 0);
	snprintf(line, sizeof(line), "engine: %d\n", (int)getpid());
	NEED(write(STDERR_FILENO, line, strlen(line)) ==
	    (ssize_t)strlen(line));
	printf("%s", strerror(EMFILE));
	NEED(fflush(stdout) == 0);
}

static __dead void
engine_run(int channel, int listener)
{
	static struct engine	e;
	struct timeval		soon = { 0, 1000 };

	e.channel = channel;
	e.listener = listener;
	NEED(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
	NEED(event_init() != NULL);
	NEED(sandbox_engine() == 0);
	engine_habits();
	event_set(&e.channel_ev, channel, EV_READ, engine_rules, &e);
	event_set(&e.listener_ev, listener, EV_READ, engine_accept, &e);
	evtimer_set(&e.timer_ev, engine_timer, &e);
	signal_set(&e.signal_ev, SIGUSR1, engine_signal, &e);
	NEED(event_add(&e.channel_ev, NULL) == 0);
	NEED(event_add(&e.listener_ev, NULL) == 0);
	NEED(evtimer_add(&e.timer_ev, &soon) == 0);
	NEED(signal_add(&e.signal_ev, NULL) == 0);
	while (!e.rules_read || !e.timer_rang || !e.signal_came ||
	    event_pending(&e.listener_ev, EV_READ, NULL))
		NEED(event_loop(EVLOOP_ONCE) == 0);
	NEED(signal_del(&e.signal_ev) == 0);
	exit(0);
}

/* Becomes nobody in an empty directory, as root's daemon does. */
static void
enter_chroot(void)
{
	struct passwd	*pw;

	NEED((pw = getpwnam("nobody")) != NULL);
	NEED(mkdir("empty", 0755) == 0);
	NEED(chroot("empty") == 0 && chdir("/") == 0);
	NEED(setgid(pw->pw_gid) == 0 && setuid(pw->pw_uid) == 0);
}

/* What comes back from the engine is the client's own connection. */
static void
client_check(int client, int passed)
{
	char	buf[64];

	ATF_REQUIRE_EQ(recv(client, buf, strlen(GREETING), MSG_WAITALL),
	    (ssize_t)strlen(GREETING));
	ATF_REQUIRE(memcmp(buf, GREETING, strlen(GREETING)) == 0);
	ATF_REQUIRE_EQ(write(client, "ping", 4), 4);
	ATF_REQUIRE_EQ(recv(passed, buf, 4, MSG_WAITALL), 4);
	ATF_REQUIRE(memcmp(buf, "ping", 4) == 0);
}

static void
engine_check(int in_chroot)
{
	struct sockaddr_in	where;
	pid_t			pid;
	int			channel[2], client, listener, rules;

	listener = loopback_socket(SOCK_STREAM, 0, &where);
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	atf_utils_create_file("rules", RULES_TEXT);
	ATF_REQUIRE((rules = open("rules", O_RDONLY)) != -1);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		close(channel[0]);
		close(rules);
		if (in_chroot)
			enter_chroot();
		engine_run(channel[1], listener);
	}
	close(channel[1]);
	ATF_REQUIRE_EQ(descriptor_send(channel[0], rules), 0);
	ATF_REQUIRE((client = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(connect(client, (struct sockaddr *)&where,
	    sizeof(where)), 0);
	client_check(client, descriptor_receive(channel[0]));
	child_check(pid);
}

ATF_TC_WITHOUT_HEAD(engine);
ATF_TC_BODY(engine, tc)
{
	engine_check(0);
}

ATF_TC(engine_chroot);
ATF_TC_HEAD(engine_chroot, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(engine_chroot, tc)
{
	engine_check(1);
}

/* Whatever libevent takes instead of epoll or kqueue. */
ATF_TC_WITHOUT_HEAD(engine_poll);
ATF_TC_BODY(engine_poll, tc)
{
	setenv("EVENT_NOEPOLL", "yes", 1);
	setenv("EVENT_NOKQUEUE", "yes", 1);
	engine_check(0);
}

ATF_TC_WITHOUT_HEAD(engine_select);
ATF_TC_BODY(engine_select, tc)
{
	setenv("EVENT_NOEPOLL", "yes", 1);
	setenv("EVENT_NOKQUEUE", "yes", 1);
	setenv("EVENT_NOPOLL", "yes", 1);
	engine_check(0);
}

/* A fault must look like one: abort(3) ends with SIGABRT, not SIGSYS. */
ATF_TC_WITHOUT_HEAD(engine_abort);
ATF_TC_BODY(engine_abort, tc)
{
	const struct rlimit	none = { 0, 0 };
	pid_t			pid;
	int			status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		NEED(setrlimit(RLIMIT_CORE, &none) == 0);
		NEED(sandbox_engine() == 0);
		abort();
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/*
 * The resolver
 */

static void
answer_came(void *arg, int status, int timeouts, unsigned char *packet,
    int len)
{
	int	*result = arg;

	*result = status;
}

static void
channel_drive(ares_channel channel)
{
	struct timeval	*wait, limit = { 5, 0 }, tv;
	fd_set		 readable, writable;
	int		 n;

	for (;;) {
		FD_ZERO(&readable);
		FD_ZERO(&writable);
		if ((n = ares_fds(channel, &readable, &writable)) == 0)
			return;
		wait = ares_timeout(channel, &limit, &tv);
		NEED(select(n, &readable, &writable, NULL, wait) != -1);
		ares_process(channel, &readable, &writable);
	}
}

/* Exits 0 when the name was found: the whole way through c-ares. */
static __dead void
resolver_run(const char *server)
{
	struct ares_options	options = { .timeout = 5000, .tries = 1 };
	ares_channel		channel;
	int			result = -1;

	NEED(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
	NEED(ares_init_options(&channel, &options,
	    ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) == ARES_SUCCESS);
	NEED(ares_set_servers_ports_csv(channel, server) == ARES_SUCCESS);
	NEED(event_init() != NULL);
	NEED(sandbox_resolver() == 0);
	ares_query(channel, "name.example", 1, 1, answer_came, &result);
	channel_drive(channel);
	ares_destroy(channel);
	NEED(result == ARES_SUCCESS);
	exit(0);
}

/* The question itself with one address appended: an answer. */
static size_t
answer_make(uint8_t *packet, size_t len)
{
	static const uint8_t	address[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0,
				    60, 0, 4, 192, 0, 2, 1 };
	size_t			end;

	for (end = 12; packet[end] != 0; end += packet[end] + 1u)
		ATF_REQUIRE(end < len);
	end += 5;			/* root label, type, class */
	packet[2] |= 0x80;		/* a response */
	packet[7] = 1;			/* one answer */
	packet[11] = 0;			/* no EDNS */
	memcpy(packet + end, address, sizeof(address));
	return (end + sizeof(address));
}

static void
serve_udp(int fd, int truncated)
{
	struct sockaddr_in	from;
	socklen_t		fromlen = sizeof(from);
	uint8_t			packet[1024];
	ssize_t			n;
	size_t			len;

	n = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &fromlen);
	ATF_REQUIRE(n > 12);
	len = answer_make(packet, (size_t)n);
	if (truncated)
		packet[2] |= 0x02;
	ATF_REQUIRE_EQ(sendto(fd, packet, len, 0, (struct sockaddr *)&from,
	    fromlen), (ssize_t)len);
}

static void
serve_tcp(int listener)
{
	uint8_t	packet[1024];
	size_t	len;
	int	fd;

	ATF_REQUIRE((fd = accept(listener, NULL, NULL)) != -1);
	ATF_REQUIRE_EQ(recv(fd, packet, 2, MSG_WAITALL), 2);
	len = (size_t)packet[0] << 8 | packet[1];
	ATF_REQUIRE(len > 12 && len < 512);
	ATF_REQUIRE_EQ(recv(fd, packet + 2, len, MSG_WAITALL), (ssize_t)len);
	len = answer_make(packet + 2, len);
	packet[0] = len >> 8;
	packet[1] = len & 0xff;
	ATF_REQUIRE_EQ(send(fd, packet, len + 2, 0), (ssize_t)len + 2);
	close(fd);
}

ATF_TC_WITHOUT_HEAD(resolver_udp);
ATF_TC_BODY(resolver_udp, tc)
{
	struct sockaddr_in	where;
	char			server[64];
	pid_t			pid;
	int			fd;

	fd = loopback_socket(SOCK_DGRAM, 0, &where);
	snprintf(server, sizeof(server), "127.0.0.1:%d",
	    ntohs(where.sin_port));
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		resolver_run(server);
	serve_udp(fd, 0);
	child_check(pid);
}

/* A truncated answer makes c-ares ask again over TCP, on port 53. */
ATF_TC_WITHOUT_HEAD(resolver_tcp);
ATF_TC_BODY(resolver_tcp, tc)
{
	struct sockaddr_in	where;
	pid_t			pid;
	int			tcp, udp;

	if (network_private() == -1)
		atf_tc_skip("a network of our own for port 53: %s",
		    strerror(errno));
	udp = loopback_socket(SOCK_DGRAM, 53, &where);
	tcp = loopback_socket(SOCK_STREAM, 53, &where);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		resolver_run("127.0.0.1");
	serve_udp(udp, 1);
	serve_tcp(tcp);
	child_check(pid);
}

/* From the local address of a connection, without blocking, as RFC 1413. */
static __dead void
ident_run(const struct sockaddr_in *where)
{
	struct sockaddr_in	local = *where;
	struct pollfd		pfd;
	socklen_t		len = sizeof(int);
	char			buf[64];
	int			error, on = 1;

	NEED(sandbox_resolver() == 0);
	NEED((pfd.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1);
	NEED(ioctl(pfd.fd, FIONBIO, &on) == 0);
	local.sin_port = 0;
	NEED(bind(pfd.fd, (struct sockaddr *)&local, sizeof(local)) == 0);
	if (connect(pfd.fd, (const struct sockaddr *)where,
	    sizeof(*where)) == -1)
		NEED(errno == EINPROGRESS);
	pfd.events = POLLOUT;
	NEED(poll(&pfd, 1, -1) == 1);
	NEED(getsockopt(pfd.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
	NEED(error == 0);
	NEED(write(pfd.fd, "1 , 2\r\n", 7) == 7);
	pfd.events = POLLIN;
	NEED(poll(&pfd, 1, -1) == 1);
	NEED(read(pfd.fd, buf, sizeof(buf)) > 0);
	exit(0);
}

ATF_TC_WITHOUT_HEAD(resolver_ident);
ATF_TC_BODY(resolver_ident, tc)
{
	struct sockaddr_in	where;
	char			buf[16];
	pid_t			pid;
	int			fd, listener;

	if (network_private() == -1)
		atf_tc_skip("a network of our own for port 113: %s",
		    strerror(errno));
	listener = loopback_socket(SOCK_STREAM, 113, &where);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		ident_run(&where);
	ATF_REQUIRE((fd = accept(listener, NULL, NULL)) != -1);
	ATF_REQUIRE_EQ(recv(fd, buf, 7, MSG_WAITALL), 7);
	ATF_REQUIRE_EQ(write(fd, "1 , 2 : USERID : x : y\r\n", 24), 24);
	child_check(pid);
}

/*
 * The queue: what autoturnd does to a Maildir and its own files.  Its test
 * is at the channel's other end.
 */

static void
queue_list(int dirfd, const char *path, const char *name)
{
	struct dirent	*entry;
	DIR		*dir;
	int		 fd, found = 0;

	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NEED(fd != -1);
	NEED((dir = fdopendir(fd)) != NULL);
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, name) == 0)
			found = 1;
	NEED(found);
	closedir(dir);
}

static void
queue_sync(int dirfd, const char *path)
{
	int	fd;

	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NEED(fd != -1 && fsync(fd) == 0 && close(fd) == 0);
}

static void
queue_lock(int spool)
{
	int	fd;

	fd = openat(spool, "customer/seriallock",
	    O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	NEED(fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0);
}

/* Sends a message off, sets another aside, removes the first. */
static void
queue_messages(int channel, int spool)
{
	struct stat	st;
	int		fd;

	queue_list(spool, "customer/new", "first");
	NEED(fstatat(spool, "customer/new/first", &st,
	    AT_SYMLINK_NOFOLLOW) == 0);
	fd = openat(spool, "customer/new/first",
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	NEED(fd != -1 && fstat(fd, &st) == 0);
	NEED(descriptor_send(channel, fd) == 0 && close(fd) == 0);
	NEED(mkdirat(spool, "customer/quarantine", 0700) == 0);
	NEED(renameat(spool, "customer/new/second", spool,
	    "customer/quarantine/second") == 0);
	NEED(unlinkat(spool, "customer/new/first", 0) == 0);
	queue_sync(spool, "customer/new");
	NEED(openat(spool, "../rules", O_RDONLY) == -1);
}

static void
queue_state(int channel, int state)
{
	int	fd;

	fd = openat(state, "new.tmp", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	NEED(fd != -1 && write(fd, "state\n", 6) == 6 && fsync(fd) == 0);
	NEED(renameat(state, "new.tmp", state, "state") == 0);
	NEED(linkat(state, "state", state, "state.old", 0) == 0);
	NEED(ftruncate(fd, 0) == 0 && pwrite(fd, "x", 1, 0) == 1);
	NEED(fdatasync(fd) == 0 && close(fd) == 0);
	/* A report: no name, but a descriptor to pass on. */
	fd = openat(state, "report", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	NEED(fd != -1 && unlinkat(state, "report", 0) == 0);
	NEED(write(fd, GREETING, strlen(GREETING)) ==
	    (ssize_t)strlen(GREETING) && lseek(fd, 0, SEEK_SET) == 0);
	NEED(descriptor_send(channel, fd) == 0 && close(fd) == 0);
	queue_sync(state, ".");
}

static __dead void
queue_run(int channel)
{
	char	spool_path[PATH_MAX], state_path[PATH_MAX];
	int	poke, spool, state;

	NEED(realpath("spool", spool_path) != NULL);
	NEED(realpath("state", state_path) != NULL);
	NEED((spool = open("spool", O_RDONLY | O_DIRECTORY)) != -1);
	NEED((state = open("state", O_RDONLY | O_DIRECTORY)) != -1);
	NEED(event_init() != NULL && fchdir(spool) == 0);
	NEED(sandbox_queue(spool, spool_path, state, state_path) == 0);
	NEED((poke = descriptor_receive(channel)) != -1);
	queue_lock(spool);
	queue_messages(channel, spool);
	queue_state(channel, state);
	watch_check(channel, spool, "customer/new");
	NEED(close(poke) == 0);
	exit(0);
}

static void
received_check(int channel, const char *text)
{
	char	buf[64];
	int	fd;

	ATF_REQUIRE((fd = descriptor_receive(channel)) != -1);
	ATF_CHECK_EQ(pread(fd, buf, sizeof(buf), 0), (ssize_t)strlen(text));
	ATF_CHECK(memcmp(buf, text, strlen(text)) == 0);
	close(fd);
}

ATF_TC_WITHOUT_HEAD(queue);
ATF_TC_BODY(queue, tc)
{
	char	byte;
	pid_t	pid;
	int	channel[2];

	ATF_REQUIRE_EQ(mkdir("state", 0700) | mkdir("spool", 0700) |
	    mkdir("spool/customer", 0700) | mkdir("spool/customer/new", 0700),
	    0);
	atf_utils_create_file("spool/customer/new/first", RULES_TEXT);
	atf_utils_create_file("spool/customer/new/second", RULES_TEXT);
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		queue_run(channel[1]);
	close(channel[1]);
	ATF_REQUIRE_EQ(descriptor_send(channel[0], channel[0]), 0);
	received_check(channel[0], RULES_TEXT);
	received_check(channel[0], GREETING);
	ATF_REQUIRE_EQ(read(channel[0], &byte, 1), 1);	/* it watches */
	atf_utils_create_file("spool/customer/new/third", RULES_TEXT);
	child_check(pid);
	ATF_CHECK_EQ(access("spool/customer/quarantine/second", F_OK), 0);
	ATF_CHECK_EQ(access("spool/customer/new/first", F_OK), -1);
}

/*
 * The relay: a message comes as a descriptor and goes out over a connection
 * that came as one too.
 */

static __dead void
relay_run(int channel)
{
	struct stat	st;
	char		buf[64];
	int		message, server;

	NEED(event_init() != NULL);
	NEED(sandbox_relay() == 0);
	NEED((server = descriptor_receive(channel)) != -1);
	NEED((message = descriptor_receive(channel)) != -1);
	NEED(fcntl(server, F_SETFL, O_NONBLOCK) == 0);
	NEED(fstat(message, &st) == 0 && S_ISREG(st.st_mode));
	NEED((fcntl(message, F_GETFL) & O_ACCMODE) == O_RDONLY);
	NEED(pread(message, buf, sizeof(buf), 0) == st.st_size);
	NEED(send(server, buf, (size_t)st.st_size, 0) == st.st_size);
	NEED(shutdown(server, SHUT_WR) == 0 && close(server) == 0);
	exit(0);
}

ATF_TC_WITHOUT_HEAD(relay);
ATF_TC_BODY(relay, tc)
{
	struct sockaddr_in	where;
	char			buf[64];
	pid_t			pid;
	int			accepted, channel[2], listener, message;
	int			server;

	listener = loopback_socket(SOCK_STREAM, 0, &where);
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	atf_utils_create_file("message", RULES_TEXT);
	ATF_REQUIRE((message = open("message", O_RDONLY)) != -1);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		relay_run(channel[1]);
	ATF_REQUIRE((server = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(connect(server, (struct sockaddr *)&where,
	    sizeof(where)), 0);
	ATF_REQUIRE_EQ(descriptor_send(channel[0], server), 0);
	ATF_REQUIRE_EQ(descriptor_send(channel[0], message), 0);
	ATF_REQUIRE((accepted = accept(listener, NULL, NULL)) != -1);
	ATF_REQUIRE_EQ(recv(accepted, buf, strlen(RULES_TEXT), MSG_WAITALL),
	    (ssize_t)strlen(RULES_TEXT));
	ATF_CHECK(memcmp(buf, RULES_TEXT, strlen(RULES_TEXT)) == 0);
	child_check(pid);
}

/*
 * The conversation: echoes what it hears, and ends with its time, of which
 * it is told by a signal.
 */

static void
time_over(int signo)
{
	_exit(0);
}

static __dead void
conversation_run(int fd)
{
	char	byte;

	NEED(dup2(fd, STDIN_FILENO) != -1 && dup2(fd, STDOUT_FILENO) != -1);
	NEED(signal(SIGALRM, time_over) != SIG_ERR);
	NEED(alarm(1) == 0);
	NEED(sandbox_conversation() == 0);
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		if (byte == '.')
			_exit(0);
		if (write(STDOUT_FILENO, &byte, 1) != 1)
			_exit(1);
	}
	_exit(2);
}

static void
conversation_check(const char *said)
{
	char	heard[16];
	size_t	len = strlen(said);
	pid_t	pid;
	int	pair[2];

	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		close(pair[0]);
		conversation_run(pair[1]);
	}
	close(pair[1]);
	ATF_REQUIRE_EQ(write(pair[0], said, len), (ssize_t)len);
	ATF_REQUIRE_EQ(recv(pair[0], heard, 4, MSG_WAITALL), 4);
	ATF_CHECK(memcmp(heard, "helo", 4) == 0);
	child_check(pid);
	ATF_CHECK_EQ(recv(pair[0], heard, 1, 0), 0);
	close(pair[0]);
}

ATF_TC_WITHOUT_HEAD(conversation);
ATF_TC_BODY(conversation, tc)
{
	conversation_check("helo.");
}

ATF_TC_WITHOUT_HEAD(conversation_time);
ATF_TC_BODY(conversation_time, tc)
{
	conversation_check("helo");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, engine);
	ATF_TP_ADD_TC(tp, engine_chroot);
	ATF_TP_ADD_TC(tp, engine_poll);
	ATF_TP_ADD_TC(tp, engine_select);
	ATF_TP_ADD_TC(tp, engine_abort);
	ATF_TP_ADD_TC(tp, resolver_udp);
	ATF_TP_ADD_TC(tp, resolver_tcp);
	ATF_TP_ADD_TC(tp, resolver_ident);
	ATF_TP_ADD_TC(tp, queue);
	ATF_TP_ADD_TC(tp, relay);
	ATF_TP_ADD_TC(tp, conversation);
	ATF_TP_ADD_TC(tp, conversation_time);
	return (atf_no_error());
}
