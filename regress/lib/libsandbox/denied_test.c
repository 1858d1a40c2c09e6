/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the confined roles can never do: each attempt is made by a
 * process of its own, first without a sandbox, where it must succeed (a test
 * that could not succeed would prove nothing), then confined, where it must
 * end the process or fail.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempts.h"
#include "compat.h"
#include "sandbox.h"
#include "system.h"

#define EXIT_REFUSED	42
#define EXIT_SETUP	43

extern char	**environ;

/*
 * Files
 */

static int
try_open_read(const struct fixture *fx)
{
	return (open("file", O_RDONLY));
}

static int
try_open_write(const struct fixture *fx)
{
	return (open("file", O_WRONLY));
}

static int
try_open_append(const struct fixture *fx)
{
	return (open("file", O_RDWR | O_APPEND));
}

static int
try_open_create(const struct fixture *fx)
{
	return (open("created", O_RDONLY | O_CREAT, 0600));
}

static int
try_openat(const struct fixture *fx)
{
	return (openat(fx->directory, "file", O_RDONLY));
}

static int
try_unlink(const struct fixture *fx)
{
	return (unlink("victim"));
}

static int
try_rename(const struct fixture *fx)
{
	return (rename("victim", "renamed"));
}

static int
try_link(const struct fixture *fx)
{
	return (link("file", "linked"));
}

static int
try_symlink(const struct fixture *fx)
{
	return (symlink("file", "symlinked"));
}

static int
try_mkdir(const struct fixture *fx)
{
	return (mkdir("made", 0700));
}

static int
try_mkfifo(const struct fixture *fx)
{
	return (mkfifo("fifo", 0600));
}

static int
try_rmdir(const struct fixture *fx)
{
	return (rmdir("empty"));
}

static int
try_chmod(const struct fixture *fx)
{
	return (chmod("file", 0644));
}

static int
try_fchmod(const struct fixture *fx)
{
	return (fchmod(fx->file, 04755));
}

static int
try_chown(const struct fixture *fx)
{
	return (chown("file", getuid(), (gid_t)-1));
}

static int
try_truncate(const struct fixture *fx)
{
	return (truncate("file", 0));
}

static int
try_utimes(const struct fixture *fx)
{
	return (utimensat(AT_FDCWD, "file", NULL, 0));
}

static int
try_chdir(const struct fixture *fx)
{
	return (chdir("empty"));
}

static int
try_chroot(const struct fixture *fx)
{
	return (chroot("empty"));
}

/*
 * Below the queue's own directory
 */

static int
try_below_symlink(const struct fixture *fx)
{
	return (symlinkat("file", fx->spool, "symlinked"));
}

static int
try_below_symlink_open(const struct fixture *fx)
{
	return (openat(fx->spool, "outside", O_RDONLY));
}

static int
try_below_parent_open(const struct fixture *fx)
{
	return (openat(fx->spool, "../file", O_RDONLY));
}

static int
try_below_mkfifo(const struct fixture *fx)
{
	return (mkfifoat(fx->spool, "fifo", 0600));
}

static int
try_below_rmdir(const struct fixture *fx)
{
	return (unlinkat(fx->spool, "empty", AT_REMOVEDIR));
}

static int
try_below_set_uid(const struct fixture *fx)
{
	struct stat	st;
	int		fd;

	fd = openat(fx->spool, "set-uid", O_WRONLY | O_CREAT, 04700);
	if (fd == -1 || fstat(fd, &st) == -1)
		return (-1);
	return (st.st_mode & S_ISUID ? 0 : -1);
}

static int
try_below_chmod(const struct fixture *fx)
{
	return (fchmodat(fx->spool, "victim", 0644, 0));
}

static int
try_below_chown(const struct fixture *fx)
{
	return (fchownat(fx->spool, "victim", getuid(), (gid_t)-1, 0));
}

static int
try_rename_out(const struct fixture *fx)
{
	return (renameat(fx->spool, "victim", AT_FDCWD, "out"));
}

static int
try_rename_in(const struct fixture *fx)
{
	return (renameat(AT_FDCWD, "victim", fx->spool, "in"));
}

static int
try_link_in(const struct fixture *fx)
{
	return (linkat(AT_FDCWD, "file", fx->spool, "in", 0));
}

/*
 * Processes
 */

static int
try_execve(const struct fixture *fx)
{
	char	 path[] = "/bin/sh", dash_c[] = "-c", script[] = "exit 0";
	char	*argv[] = { path, dash_c, script, NULL };

	return (execve(path, argv, environ));
}

static int
try_fork(const struct fixture *fx)
{
	pid_t	pid;

	if ((pid = fork()) == 0)
		_exit(0);
	return (pid);
}

static int
try_vfork(const struct fixture *fx)
{
	pid_t	pid;

	if ((pid = vfork()) == 0)
		_exit(0);
	return (pid);
}

static int
try_kill_parent(const struct fixture *fx)
{
	return (kill(fx->parent, 0));
}

static int
try_kill_group(const struct fixture *fx)
{
	return (kill(0, SIGCONT));
}

static int
try_setown_parent(const struct fixture *fx)
{
	return (fcntl(fx->udp, F_SETOWN, fx->parent));
}

static int
try_setpgid(const struct fixture *fx)
{
	return (setpgid(0, 0));
}

static int
try_setsid(const struct fixture *fx)
{
	return (setsid());
}

static int
try_setrlimit(const struct fixture *fx)
{
	const struct rlimit	none = { 0, 0 };

	return (setrlimit(RLIMIT_CORE, &none));
}

static int
try_setpriority(const struct fixture *fx)
{
	return (setpriority(PRIO_PROCESS, 0, 19));
}

static int
try_setuid(const struct fixture *fx)
{
	return (setuid(getuid()));
}

static int
try_setgid(const struct fixture *fx)
{
	return (setgid(getgid()));
}

static int
try_setgroups(const struct fixture *fx)
{
	gid_t	group = getgid();

	return (setgroups(1, &group));
}

/*
 * Code
 */

static int
try_mmap_exec(const struct fixture *fx)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANON, -1, 0) == MAP_FAILED ? -1 : 0);
}

static int
try_mprotect_exec(const struct fixture *fx)
{
	void	*page;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (page == MAP_FAILED)
		return (0);
	return (mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

/*
 * Sockets
 */

static int
try_socket_tcp(const struct fixture *fx)
{
	return (socket(AF_INET, SOCK_STREAM, 0));
}

static int
try_socket_udp(const struct fixture *fx)
{
	return (socket(AF_INET, SOCK_DGRAM, 0));
}

static int
try_socket_tcp6(const struct fixture *fx)
{
	return (socket(AF_INET6, SOCK_STREAM, 0));
}

static int
try_socket_udp6(const struct fixture *fx)
{
	return (socket(AF_INET6, SOCK_DGRAM, 0));
}

static int
try_socket_unix(const struct fixture *fx)
{
	return (socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
try_socket_unix_dgram(const struct fixture *fx)
{
	return (socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int
try_socket_raw(const struct fixture *fx)
{
	return (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int
try_socketpair(const struct fixture *fx)
{
	int	fds[2];

	return (socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
}

static int
try_connect_tcp(const struct fixture *fx)
{
	return (connect(fx->tcp, (const struct sockaddr *)&fx->where,
	    sizeof(fx->where)));
}

static int
try_connect_udp(const struct fixture *fx)
{
	return (connect(fx->udp, (const struct sockaddr *)&fx->where,
	    sizeof(fx->where)));
}

static int
try_connect_unix(const struct fixture *fx)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };

	strlcpy(sun.sun_path, "socket", sizeof(sun.sun_path));
	return (connect(fx->unix_stream, (struct sockaddr *)&sun,
	    sizeof(sun)));
}

/* A datagram socket needs no connection to reach somebody. */
static int
try_sendto(const struct fixture *fx)
{
	return ((int)sendto(fx->udp, "x", 1, 0,
	    (const struct sockaddr *)&fx->where, sizeof(fx->where)));
}

static int
try_bind_tcp(const struct fixture *fx)
{
	struct sockaddr_in	sin = fx->where;

	sin.sin_port = 0;
	return (bind(fx->tcp, (struct sockaddr *)&sin, sizeof(sin)));
}

static int
try_bind_unix(const struct fixture *fx)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };

	strlcpy(sun.sun_path, "bound", sizeof(sun.sun_path));
	return (bind(fx->unix_stream, (struct sockaddr *)&sun, sizeof(sun)));
}

static int
try_listen(const struct fixture *fx)
{
	return (listen(fx->bound, 1));
}

static int
try_accept(const struct fixture *fx)
{
	fcntl(fx->listener, F_SETFL, O_NONBLOCK);
	/* Nobody waits: the difference is in what it says. */
	if (accept(fx->listener, NULL, NULL) == -1 && errno != EAGAIN)
		return (-1);
	return (0);
}

static const struct attempt attempts[] = {
	{ "open to read", try_open_read, ROLE_ALL, NEED_NOTHING },
	{ "open to write", try_open_write, ROLE_ALL, NEED_NOTHING },
	{ "open to append", try_open_append, ROLE_ALL, NEED_NOTHING },
	{ "open to create", try_open_create, ROLE_ALL, NEED_NOTHING },
	{ "openat", try_openat, ROLE_ALL, NEED_NOTHING },
	{ "unlink", try_unlink, ROLE_ALL, NEED_NOTHING },
	{ "rename", try_rename, ROLE_ALL, NEED_NOTHING },
	{ "link", try_link, ROLE_ALL, NEED_NOTHING },
	{ "symlink", try_symlink, ROLE_ALL, NEED_NOTHING },
	{ "mkdir", try_mkdir, ROLE_ALL, NEED_NOTHING },
	{ "mkfifo", try_mkfifo, ROLE_ALL, NEED_NOTHING },
	{ "rmdir", try_rmdir, ROLE_ALL, NEED_NOTHING },
	{ "chmod", try_chmod, ROLE_ALL, NEED_NOTHING },
	{ "fchmod", try_fchmod, ROLE_ALL, NEED_NOTHING },
	{ "chown", try_chown, ROLE_ALL, NEED_NOTHING },
	{ "truncate", try_truncate, ROLE_ALL, NEED_NOTHING },
	{ "utimes", try_utimes, ROLE_ALL, NEED_NOTHING },
	{ "chdir", try_chdir, ROLE_ALL, NEED_NOTHING },
	{ "chroot", try_chroot, ROLE_ALL, NEED_ROOT },

	{ "symlink below", try_below_symlink, ROLE_QUEUE, NEED_NOTHING },
	{ "open a symlink out", try_below_symlink_open, ROLE_QUEUE,
	    NEED_NOTHING },
	{ "open through ..", try_below_parent_open, ROLE_QUEUE,
	    NEED_NOTHING },
	{ "mkfifo below", try_below_mkfifo, ROLE_QUEUE, NEED_NOTHING },
	{ "rmdir below", try_below_rmdir, ROLE_QUEUE, NEED_NOTHING },
	{ "set-uid below", try_below_set_uid, ROLE_QUEUE, NEED_NOTHING },
	{ "chmod below", try_below_chmod, ROLE_QUEUE, NEED_NOTHING },
	{ "chown below", try_below_chown, ROLE_QUEUE, NEED_NOTHING },
	{ "rename out", try_rename_out, ROLE_QUEUE, NEED_NOTHING },
	{ "rename in", try_rename_in, ROLE_QUEUE, NEED_NOTHING },
	{ "link in", try_link_in, ROLE_QUEUE, NEED_NOTHING },

	{ "execve", try_execve, ROLE_ALL, NEED_NOTHING },
	{ "fork", try_fork, ROLE_ALL, NEED_NOTHING },
	{ "vfork", try_vfork, ROLE_ALL, NEED_NOTHING },
	{ "kill parent", try_kill_parent, ROLE_ALL, NEED_NOTHING },
	{ "kill group", try_kill_group, ROLE_ALL, NEED_NOTHING },
	{ "F_SETOWN parent", try_setown_parent, ROLE_ALL, NEED_NOTHING },
	{ "setpgid", try_setpgid, ROLE_ALL, NEED_NOTHING },
	{ "setsid", try_setsid, ROLE_ALL, NEED_NOTHING },
	{ "setrlimit", try_setrlimit, ROLE_ALL, NEED_NOTHING },
	{ "setpriority", try_setpriority, ROLE_ALL, NEED_NOTHING },
	{ "setuid", try_setuid, ROLE_ALL, NEED_NOTHING },
	{ "setgid", try_setgid, ROLE_ALL, NEED_NOTHING },
	{ "setgroups", try_setgroups, ROLE_ALL, NEED_ROOT },

	{ "mmap executable", try_mmap_exec, ROLE_ALL, NEED_NOTHING },
	{ "mprotect executable", try_mprotect_exec, ROLE_ALL, NEED_NOTHING },

	{ "socket tcp", try_socket_tcp, ROLE_CALLED, NEED_NOTHING },
	{ "socket udp", try_socket_udp, ROLE_CALLED, NEED_NOTHING },
	{ "socket tcp6", try_socket_tcp6, ROLE_CALLED, NEED_LUCK },
	{ "socket udp6", try_socket_udp6, ROLE_CALLED, NEED_LUCK },
	{ "socket unix", try_socket_unix, ROLE_ALL, NEED_NOTHING },
	{ "socket unix dgram", try_socket_unix_dgram, ROLE_ALL,
	    NEED_NOTHING },
	{ "socket raw", try_socket_raw, ROLE_ALL, NEED_ROOT },
	{ "socketpair", try_socketpair, ROLE_ALL, NEED_NOTHING },
	{ "connect tcp", try_connect_tcp, ROLE_CALLED, NEED_NOTHING },
	{ "connect udp", try_connect_udp, ROLE_CALLED, NEED_NOTHING },
	{ "connect unix", try_connect_unix, ROLE_CALLED, NEED_NOTHING },
	{ "sendto", try_sendto, ROLE_QUEUE | ROLE_RELAY, NEED_NOTHING },
	{ "bind tcp", try_bind_tcp, ROLE_CALLED, NEED_NOTHING },
	{ "bind unix", try_bind_unix, ROLE_CALLED, NEED_NOTHING },
	{ "listen", try_listen, ROLE_ALL, NEED_NOTHING },
	{ "accept", try_accept, ROLE_ALL & ~ROLE_ENGINE, NEED_NOTHING }
};

/* In a fresh directory each time, so that one attempt leaves the next one
 * nothing. */
static int
fixture_files(struct fixture *fx)
{
	char	dir[] = "scratch.XXXXXX";

	if (mkdtemp(dir) == NULL || chdir(dir) == -1 ||
	    mkdir("empty", 0700) == -1)
		return (-1);
	fx->file = open("file", O_RDWR | O_CREAT, 0600);
	fx->directory = open(".", O_RDONLY);
	fx->program = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	if (fx->file == -1 || fx->directory == -1 || fx->program == -1)
		return (-1);
	return (close(open("victim", O_WRONLY | O_CREAT, 0600)));
}

static int
fixture_directories(struct fixture *fx)
{
	if (mkdir("spool", 0700) == -1 || mkdir("state", 0700) == -1 ||
	    mkdir("spool/empty", 0700) == -1 ||
	    symlink("../file", "spool/outside") == -1 ||
	    close(open("spool/victim", O_WRONLY | O_CREAT, 0600)) == -1 ||
	    realpath("spool", fx->spool_path) == NULL ||
	    realpath("state", fx->state_path) == NULL)
		return (-1);
	fx->spool = open("spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fx->state = open("state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (fx->spool == -1 || fx->state == -1 ? -1 : 0);
}

static int
socket_bound(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	int			fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		return (-1);
	return (fd);
}

static int
fixture_sockets(struct fixture *fx)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	socklen_t		len = sizeof(fx->where);
	int			fd;

	fx->tcp = socket(AF_INET, SOCK_STREAM, 0);
	fx->udp = socket(AF_INET, SOCK_DGRAM, 0);
	fx->unix_stream = socket(AF_UNIX, SOCK_STREAM, 0);
	fx->bound = socket_bound();
	fx->listener = socket_bound();
	if (fx->tcp == -1 || fx->udp == -1 || fx->unix_stream == -1 ||
	    fx->bound == -1 || fx->listener == -1 ||
	    listen(fx->listener, 8) == -1 ||
	    getsockname(fx->listener, (struct sockaddr *)&fx->where,
	    &len) == -1)
		return (-1);
	strlcpy(sun.sun_path, "socket", sizeof(sun.sun_path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		return (-1);
	return (listen(fd, 8));
}

static int
confine(const struct fixture *fx, int role)
{
	switch (role) {
	case ROLE_ENGINE:
		return (sandbox_engine());
	case ROLE_RESOLVER:
		return (sandbox_resolver());
	case ROLE_CONVERSATION:
		return (sandbox_conversation());
	case ROLE_QUEUE:
		return (sandbox_queue(fx->spool, fx->spool_path, fx->state,
		    fx->state_path));
	case ROLE_RELAY:
		return (sandbox_relay());
	default:
		return (0);
	}
}

/* The process that tries; role 0 is unconfined.  Its wait status. */
static int
attempt_run(const struct attempt *at, int role)
{
	struct fixture	fx = { .parent = getpid() };
	pid_t		pid;
	int		status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		system_prepare();
		if (fixture_files(&fx) == -1 ||
		    fixture_directories(&fx) == -1 ||
		    fixture_sockets(&fx) == -1 || confine(&fx, role) == -1) {
			perror("setup");
			_exit(EXIT_SETUP);
		}
		_exit(at->try(&fx) == -1 ? EXIT_REFUSED : 0);
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	return (status);
}

static int
succeeded(int status)
{
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* SIGABRT is what pledge(2) sends, SIGSYS the others. */
static int
refused(int status)
{
	if (WIFSIGNALED(status))
		return (WTERMSIG(status) == SIGSYS ||
		    WTERMSIG(status) == SIGABRT);
	return (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REFUSED);
}

static int
control_expected(const struct attempt *at)
{
	return (at->need == NEED_NOTHING ||
	    (at->need == NEED_ROOT && getuid() == 0));
}

static void
attempt_check(const struct attempt *at, int role)
{
	int	status;

	status = attempt_run(at, 0);
	if (control_expected(at))
		ATF_CHECK_MSG(succeeded(status),
		    "%s: fails without a sandbox: status %#x", at->name,
		    status);
	else if (!succeeded(status))
		printf("%s: proves nothing here: status %#x\n", at->name,
		    status);
	status = attempt_run(at, role);
	ATF_CHECK_MSG(refused(status), "%s: not refused: status %#x",
	    at->name, status);
	printf("%s: %s\n", at->name, WIFSIGNALED(status) ? "killed" :
	    "failed");
}

/* What system.h says this system can't refuse. */
static int
permitted(const struct attempt *at, int role)
{
	size_t	i;

	for (i = 0; i < nitems(system_permits); i++)
		if ((system_permits[i].roles & role) != 0 &&
		    strcmp(system_permits[i].name, at->name) == 0)
			return (1);
	return (0);
}

static void
attempts_check(const struct attempt *list, size_t n, int role)
{
	size_t	i;

	for (i = 0; i < n; i++) {
		if ((list[i].roles & role) == 0)
			continue;
		if (permitted(&list[i], role)) {
			printf("%s: this system can't refuse it\n",
			    list[i].name);
			continue;
		}
		attempt_check(&list[i], role);
	}
}

static void
role_check(int role)
{
	if ((system_confines() & role) == 0)
		atf_tc_skip("this system has no sandbox for this role");
	attempts_check(attempts, nitems(attempts), role);
	attempts_check(system_attempts, nitems(system_attempts), role);
}

ATF_TC_WITHOUT_HEAD(engine);
ATF_TC_BODY(engine, tc)
{
	role_check(ROLE_ENGINE);
}

ATF_TC_WITHOUT_HEAD(resolver);
ATF_TC_BODY(resolver, tc)
{
	role_check(ROLE_RESOLVER);
}

ATF_TC_WITHOUT_HEAD(conversation);
ATF_TC_BODY(conversation, tc)
{
	role_check(ROLE_CONVERSATION);
}

ATF_TC_WITHOUT_HEAD(queue);
ATF_TC_BODY(queue, tc)
{
	role_check(ROLE_QUEUE);
}

ATF_TC_WITHOUT_HEAD(relay);
ATF_TC_BODY(relay, tc)
{
	role_check(ROLE_RELAY);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, engine);
	ATF_TP_ADD_TC(tp, resolver);
	ATF_TP_ADD_TC(tp, conversation);
	ATF_TP_ADD_TC(tp, queue);
	ATF_TP_ADD_TC(tp, relay);
	return (atf_no_error());
}
