/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux: what of each role can be seen from outside (backend, tracing,
 * ports), what programs started by the launcher inherit, and kernels
 * without Landlock.
 */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <atf-c.h>
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "network.h"
#include "sandbox.h"

#define LANDLOCK_ABI_REFER	2
#define LANDLOCK_ABI_NET	4

typedef int role_fn(void);

static int
no_role(void)
{
	return (0);
}

static int
exited(int status, int code)
{
	return (WIFEXITED(status) && WEXITSTATUS(status) == code);
}

static int
landlock_abi(void)
{
	return ((int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1));
}

static void
become_nobody(void)
{
	struct passwd	*pw;

	if (getuid() != 0)
		return;
	ATF_REQUIRE((pw = getpwnam("nobody")) != NULL);
	ATF_REQUIRE_EQ(setgid(pw->pw_gid), 0);
	ATF_REQUIRE_EQ(setuid(pw->pw_uid), 0);
}

/* Runs a role in a process of its own, with its output in "out". */
static int
role_run(role_fn *role, void (*then)(void))
{
	pid_t	pid;
	int	fd, status;

	ATF_REQUIRE((fd = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644)) !=
	    -1);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (dup2(fd, STDOUT_FILENO) == -1 || role() == -1) {
			perror("role");
			_exit(1);
		}
		then();
		_exit(0);
	}
	close(fd);
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	return (status);
}

/* The queue with two empty directories. */
static int
queue_role(void)
{
	int	spool, state;

	if ((mkdir("spool", 0700) == -1 && errno != EEXIST) ||
	    (mkdir("state", 0700) == -1 && errno != EEXIST) ||
	    (spool = open("spool", O_RDONLY | O_DIRECTORY)) == -1 ||
	    (state = open("state", O_RDONLY | O_DIRECTORY)) == -1)
		return (-1);
	return (sandbox_queue(spool, "spool", state, "state"));
}

static void
say_backend(void)
{
	printf("%s\n", sandbox_backend());
	fflush(stdout);
}

static void
backend_check(role_fn *role, const char *expected)
{
	ATF_CHECK_EQ(role_run(role, say_backend), 0);
	ATF_CHECK_MSG(atf_utils_grep_file("^%s(, sanitizer build)?$", "out",
	    expected), "backend is not %s", expected);
}

ATF_TC_WITHOUT_HEAD(backend);
ATF_TC_BODY(backend, tc)
{
	const char	*confined;

	confined = landlock_abi() > 0 ? "seccomp\\+landlock" : "seccomp";
	backend_check(no_role, "none");
	backend_check(sandbox_engine, confined);
	backend_check(sandbox_resolver, confined);
	backend_check(sandbox_relay, confined);
	backend_check(queue_role, landlock_abi() >= LANDLOCK_ABI_REFER ?
	    "seccomp\\+landlock" : "seccomp");
	backend_check(sandbox_parent, "untraceable");
	backend_check(sandbox_launcher, "untraceable");
	backend_check(sandbox_mailer, "untraceable");
}

/*
 * Tracing by another process of the same user.  All of it in a process of
 * its own, since root would be allowed to.
 */

#define EXIT_NO_TRACING	44

/* Lives until the pipe it was made with is closed. */
static pid_t
tracee_start(role_fn *role, int *hold)
{
	pid_t	pid;
	int	ready[2], wait[2];
	char	byte;

	if (pipe(ready) == -1 || pipe(wait) == -1 || (pid = fork()) == -1)
		err(1, "tracee");
	if (pid == 0) {
		close(wait[1]);
		/* Lost with root's identity; a user's own process has it. */
		if (prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L) == -1 ||
		    role() == -1 || write(ready[1], "r", 1) != 1)
			_exit(1);
		_exit(read(wait[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	close(wait[0]);
	if (read(ready[0], &byte, 1) != 1)
		errx(1, "tracee: no role");
	close(ready[0]);
	*hold = wait[1];
	return (pid);
}

static int
can_trace(pid_t pid)
{
	int	status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == -1)
		return (0);
	if (waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_DETACH, pid, NULL, NULL) == -1)
		err(1, "detach");
	return (1);
}

static int
can_open_memory(pid_t pid)
{
	char	path[64];
	int	fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	if ((fd = open(path, O_RDONLY)) == -1)
		return (0);
	close(fd);
	return (1);
}

/* How many of the ways in are open. */
static int
ways_in(role_fn *role)
{
	pid_t	pid;
	int	hold, open_ways, status;

	pid = tracee_start(role, &hold);
	open_ways = can_trace(pid) + can_open_memory(pid);
	close(hold);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "tracee: status %#x", status);
	return (open_ways);
}

static __dead void
tracer_run(void)
{
	role_fn	*roles[] = { sandbox_engine, sandbox_resolver,
		    sandbox_parent, sandbox_launcher, sandbox_relay,
		    sandbox_mailer };
	size_t	 i;

	become_nobody();
	if (ways_in(no_role) != 2)
		_exit(EXIT_NO_TRACING);
	for (i = 0; i < nitems(roles); i++)
		if (ways_in(roles[i]) != 0)
			errx(1, "role %zu can be traced or read", i);
	_exit(0);
}

ATF_TC_WITHOUT_HEAD(untraceable);
ATF_TC_BODY(untraceable, tc)
{
	pid_t	pid;
	int	status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		tracer_run();
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	if (exited(status, EXIT_NO_TRACING))
		atf_tc_skip("ptrace(2) is not allowed here at all");
	ATF_CHECK_MSG(status == 0, "tracer: status %#x", status);
}

/*
 * What a started program inherits: nothing
 */

static char	helper[1024];

static void
exec_helper(void)
{
	char	*argv[] = { helper, NULL };

	execve(helper, argv, NULL);
	perror(helper);
	_exit(1);
}

static void
helper_find(const atf_tc_t *tc)
{
	snprintf(helper, sizeof(helper), "%s/confinement",
	    atf_tc_get_config_var(tc, "srcdir"));
}

ATF_TC_WITHOUT_HEAD(exec_inherits_nothing);
ATF_TC_BODY(exec_inherits_nothing, tc)
{
	role_fn	*roles[] = { sandbox_launcher, sandbox_parent };
	size_t	 i;

	helper_find(tc);
	for (i = 0; i < nitems(roles); i++) {
		ATF_CHECK_EQ(role_run(roles[i], exec_helper), 0);
		ATF_CHECK(atf_utils_grep_file(
		    "^dumpable 1 no_new_privs 0 seccomp 0 euid %d$", "out",
		    (int)geteuid()));
	}
}

static int
nobody_launcher(void)
{
	become_nobody();
	return (sandbox_launcher());
}

/* The service's user starts a program that is set-uid to another one. */
ATF_TC(exec_set_uid);
ATF_TC_HEAD(exec_set_uid, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(exec_set_uid, tc)
{
	struct statvfs	fs;

	ATF_REQUIRE_EQ(statvfs(".", &fs), 0);
	if ((fs.f_flag & ST_NOSUID) != 0)
		atf_tc_skip("the work directory is mounted nosuid");
	helper_find(tc);
	atf_utils_copy_file(helper, "set-uid");
	ATF_REQUIRE_EQ(chown("set-uid", 7, (gid_t)-1), 0);
	ATF_REQUIRE_EQ(chmod("set-uid", 04755), 0);
	ATF_REQUIRE_EQ(chmod(".", 0755), 0);
	strlcpy(helper, "./set-uid", sizeof(helper));
	ATF_CHECK_EQ(role_run(nobody_launcher, exec_helper), 0);
	ATF_CHECK(atf_utils_grep_file("euid 7$", "out"));
}

/*
 * Ports
 */

static uint16_t	port;

static void
connect_port(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	int			fd;

	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		_exit(errno == EACCES ? 42 : 43);
}

static void
bind_port(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	int			fd;

	sin.sin_port = htons(port);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		_exit(errno == EACCES ? 42 : 43);
}

static void
listen_any(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	socklen_t		len = sizeof(sin);
	int			fd;

	ATF_REQUIRE((fd = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ATF_REQUIRE_EQ(listen(fd, 8), 0);
	ATF_REQUIRE_EQ(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	port = ntohs(sin.sin_port);
}

ATF_TC_WITHOUT_HEAD(resolver_ports);
ATF_TC_BODY(resolver_ports, tc)
{
	if (landlock_abi() < LANDLOCK_ABI_NET)
		atf_tc_skip("no Landlock with ports (ABI 4) in this kernel");
	listen_any();
	ATF_CHECK(exited(role_run(no_role, connect_port), 0));
	ATF_CHECK(exited(role_run(sandbox_resolver, connect_port), 42));
	port = 0;
	ATF_CHECK(exited(role_run(sandbox_resolver, bind_port), 0));
	if (network_private() == -1)
		atf_tc_skip("a network of our own for a free port: %s",
		    strerror(errno));
	port = 1025;
	ATF_CHECK(exited(role_run(no_role, bind_port), 0));
	ATF_CHECK(exited(role_run(sandbox_resolver, bind_port), 42));
}

/*
 * Kernels and containers without Landlock
 */

static int	landlock_error;

static int
hide_landlock(void)
{
	scmp_filter_ctx	ctx;
	int		error;

	if ((ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL)
		return (-1);
	error = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(landlock_error),
	    SCMP_SYS(landlock_create_ruleset), 0);
	if (error == 0)
		error = seccomp_load(ctx);
	seccomp_release(ctx);
	return (error);
}

static int
engine_without_landlock(void)
{
	return (hide_landlock() == 0 ? sandbox_engine() : -1);
}

static int
relay_without_landlock(void)
{
	return (hide_landlock() == 0 ? sandbox_relay() : -1);
}

static int
queue_without_landlock(void)
{
	return (hide_landlock() == 0 ? queue_role() : -1);
}

static int
resolver_without_landlock(void)
{
	return (hide_landlock() == 0 ? sandbox_resolver() : -1);
}

static void
create_file(void)
{
	_exit(open("made", O_WRONLY | O_CREAT, 0600) == -1);
}

static void
without_landlock_check(role_fn *role)
{
	int	status;

	backend_check(role, "seccomp");
	status = role_run(role, create_file);
	ATF_CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	    "status %#x", status);
}

ATF_TC_WITHOUT_HEAD(without_landlock);
ATF_TC_BODY(without_landlock, tc)
{
	const int	errors[] = { ENOSYS, EOPNOTSUPP, EPERM };
	size_t		i;

	for (i = 0; i < nitems(errors); i++) {
		landlock_error = errors[i];
		without_landlock_check(engine_without_landlock);
		without_landlock_check(resolver_without_landlock);
		without_landlock_check(relay_without_landlock);
		backend_check(queue_without_landlock, "seccomp");
	}
}

/* Any other trouble is no reason to go on with less. */
ATF_TC_WITHOUT_HEAD(broken_landlock);
ATF_TC_BODY(broken_landlock, tc)
{
	landlock_error = EIO;
	ATF_CHECK(exited(role_run(engine_without_landlock, say_backend), 1));
	ATF_CHECK(exited(role_run(queue_without_landlock, say_backend), 1));
}

/*
 * Calls that must end the process whatever their arguments: an error would
 * mean that the filter let them through and something else refused.
 */

static const struct {
	const char	*name;
	long		 number;
} never[] = {
#define CALL(name)	{ #name, SYS_ ## name }
	CALL(execve), CALL(execveat), CALL(clone), CALL(clone3),
	CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev),
	CALL(pidfd_open), CALL(pidfd_getfd), CALL(pidfd_send_signal),
	CALL(kill), CALL(tgkill), CALL(tkill), CALL(rt_sigqueueinfo),
	CALL(rt_tgsigqueueinfo),
	CALL(openat2), CALL(open_by_handle_at), CALL(name_to_handle_at),
	CALL(unlinkat), CALL(renameat2), CALL(linkat), CALL(symlinkat),
	CALL(mkdirat), CALL(mknodat), CALL(fchmodat), CALL(fchownat),
	CALL(fchmod), CALL(fchown), CALL(truncate), CALL(ftruncate),
	CALL(utimensat), CALL(setxattr), CALL(fsetxattr), CALL(getdents64),
	CALL(chdir), CALL(fchdir), CALL(chroot), CALL(pivot_root),
	CALL(mount), CALL(umount2), CALL(fsopen), CALL(open_tree),
	CALL(move_mount), CALL(inotify_init1), CALL(fanotify_init),
	CALL(listen), CALL(socketpair),
	CALL(io_uring_setup), CALL(io_uring_enter), CALL(io_uring_register),
	CALL(io_setup), CALL(bpf), CALL(perf_event_open), CALL(userfaultfd),
	CALL(add_key), CALL(keyctl), CALL(request_key),
	CALL(memfd_create), CALL(shmget), CALL(shmat), CALL(msgget),
	CALL(semget), CALL(mq_open), CALL(pkey_mprotect),
	CALL(remap_file_pages), CALL(personality), CALL(prctl),
	CALL(seccomp), CALL(landlock_create_ruleset), CALL(unshare),
	CALL(setns), CALL(setuid), CALL(setresuid), CALL(setgroups),
	CALL(capset), CALL(setrlimit), CALL(setpriority), CALL(setsid),
	CALL(sethostname), CALL(syslog), CALL(reboot), CALL(kexec_load),
	CALL(init_module), CALL(finit_module), CALL(delete_module),
	CALL(swapon), CALL(quotactl), CALL(acct), CALL(adjtimex),
	CALL(clock_settime), CALL(settimeofday), CALL(sched_setaffinity),
	CALL(splice), CALL(tee), CALL(vmsplice), CALL(sendfile),
	CALL(copy_file_range), CALL(wait4), CALL(waitid)
#undef CALL
};

/* A number that will not be a call for long. */
#define CALL_OF_THE_FUTURE	900

static long	call;

static void
make_call(void)
{
	syscall(call, -1L, -1L, -1L, -1L, -1L, -1L);
}

static void
never_call(role_fn *role, const char *name, long number)
{
	int	status;

	call = number;
	status = role_run(role, make_call);
	ATF_CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	    "%s (%ld): status %#x", name, number, status);
}

/* But for the calls of this list, which ends with -1. */
static void
never_check_but(role_fn *role, const long *but)
{
	const long	*b;
	size_t		 i;

	for (i = 0; i < nitems(never); i++) {
		for (b = but; *b != -1 && *b != never[i].number; b++)
			continue;
		if (*b == -1)
			never_call(role, never[i].name, never[i].number);
	}
	never_call(role, "future", CALL_OF_THE_FUTURE);
}

static void
never_check(role_fn *role)
{
	const long	nothing[] = { -1 };

	never_check_but(role, nothing);
}

ATF_TC_WITHOUT_HEAD(engine_never);
ATF_TC_BODY(engine_never, tc)
{
	never_check(sandbox_engine);
	call = SYS_connect;
	ATF_CHECK(WIFSIGNALED(role_run(sandbox_engine, make_call)));
	call = SYS_bind;
	ATF_CHECK(WIFSIGNALED(role_run(sandbox_engine, make_call)));
	call = SYS_socket;
	ATF_CHECK(WIFSIGNALED(role_run(sandbox_engine, make_call)));
}

ATF_TC_WITHOUT_HEAD(resolver_never);
ATF_TC_BODY(resolver_never, tc)
{
	never_check(sandbox_resolver);
	call = SYS_accept4;
	ATF_CHECK(WIFSIGNALED(role_run(sandbox_resolver, make_call)));
}

static const struct {
	const char	*name;
	long		 number;
} no_network[] = {
	{ "socket", SYS_socket }, { "connect", SYS_connect },
	{ "bind", SYS_bind }, { "accept4", SYS_accept4 },
	{ "setsockopt", SYS_setsockopt }
};

ATF_TC_WITHOUT_HEAD(relay_never);
ATF_TC_BODY(relay_never, tc)
{
	size_t	i;

	never_check(sandbox_relay);
	for (i = 0; i < nitems(no_network); i++)
		never_call(sandbox_relay, no_network[i].name,
		    no_network[i].number);
}

ATF_TC_WITHOUT_HEAD(queue_never);
ATF_TC_BODY(queue_never, tc)
{
	const long	may[] = { SYS_unlinkat, SYS_renameat2, SYS_linkat,
			    SYS_ftruncate, SYS_getdents64, SYS_inotify_init1,
			    SYS_mkdirat, -1 };
	size_t		i;

	never_check_but(queue_role, may);
	for (i = 0; i < nitems(no_network); i++)
		never_call(queue_role, no_network[i].name,
		    no_network[i].number);
}

ATF_TC_WITHOUT_HEAD(conversation_never);
ATF_TC_BODY(conversation_never, tc)
{
	const long	more[] = {
		SYS_openat, SYS_socket, SYS_connect, SYS_bind, SYS_accept4,
		SYS_recvmsg, SYS_sendmsg, SYS_sendto, SYS_recvfrom,
		SYS_setsockopt, SYS_getsockopt, SYS_fcntl, SYS_ioctl,
		SYS_mmap, SYS_mprotect, SYS_brk, SYS_dup, SYS_close,
		SYS_ppoll, SYS_rt_sigaction, SYS_rt_sigprocmask,
		SYS_rt_sigreturn, SYS_readv, SYS_writev, SYS_getpid
	};
	size_t		i;
	int		status;

	never_check(sandbox_conversation);
	for (i = 0; i < nitems(more); i++) {
		call = more[i];
		status = role_run(sandbox_conversation, make_call);
		ATF_CHECK_MSG(WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGSYS, "%ld: status %#x", call,
		    status);
	}
}

/*
 * Kernels and containers without seccomp(2), and such as have filters of
 * their own
 */

static int
filter_prctl(uint32_t action)
{
	const struct scmp_arg_cmp	arg = SCMP_A0(SCMP_CMP_EQ,
					    PR_SET_SECCOMP, 0);
	scmp_filter_ctx			ctx;
	int				error;

	if ((ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL)
		return (-1);
	error = seccomp_rule_add(ctx, action, SCMP_SYS(prctl), 1, arg);
	if (error == 0)
		error = seccomp_load(ctx);
	seccomp_release(ctx);
	return (error);
}

static int
conversation_refused(void)
{
	if (filter_prctl(SCMP_ACT_ERRNO(EINVAL)) != 0)
		return (-1);
	return (sandbox_conversation() == -1 && errno == EINVAL ? 0 : -1);
}

static int
conversation_in_container(void)
{
	return (filter_prctl(SCMP_ACT_LOG) == 0 ? sandbox_conversation() :
	    -1);
}

ATF_TC_WITHOUT_HEAD(conversation_bare);
ATF_TC_BODY(conversation_bare, tc)
{
	int	status;

	call = SYS_getpid;
	ATF_CHECK(exited(role_run(conversation_refused, make_call), 0));
	ATF_CHECK(exited(role_run(conversation_refused, create_file), 0));
	status = role_run(conversation_in_container, make_call);
	ATF_CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	    "status %#x", status);
}

/* libseccomp's own, unless it is to say that all is well and do nothing. */
static int	load_lies;

int
seccomp_load(const scmp_filter_ctx ctx)
{
	int	(*load)(const scmp_filter_ctx);

	if (load_lies)
		return (0);
	load = (int (*)(const scmp_filter_ctx))dlsym(RTLD_NEXT,
	    "seccomp_load");
	return (load == NULL ? -ENOSYS : load(ctx));
}

static int
engine_unloaded(void)
{
	load_lies = 1;
	return (sandbox_engine() == -1 && errno == ENOSYS ? 0 : -1);
}

static int
resolver_unloaded(void)
{
	load_lies = 1;
	return (sandbox_resolver() == -1 && errno == ENOSYS ? 0 : -1);
}

ATF_TC_WITHOUT_HEAD(not_loaded);
ATF_TC_BODY(not_loaded, tc)
{
	call = SYS_getpid;
	ATF_CHECK(exited(role_run(engine_unloaded, make_call), 0));
	ATF_CHECK(exited(role_run(resolver_unloaded, make_call), 0));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, backend);
	ATF_TP_ADD_TC(tp, untraceable);
	ATF_TP_ADD_TC(tp, exec_inherits_nothing);
	ATF_TP_ADD_TC(tp, exec_set_uid);
	ATF_TP_ADD_TC(tp, resolver_ports);
	ATF_TP_ADD_TC(tp, without_landlock);
	ATF_TP_ADD_TC(tp, broken_landlock);
	ATF_TP_ADD_TC(tp, engine_never);
	ATF_TP_ADD_TC(tp, resolver_never);
	ATF_TP_ADD_TC(tp, relay_never);
	ATF_TP_ADD_TC(tp, queue_never);
	ATF_TP_ADD_TC(tp, conversation_never);
	ATF_TP_ADD_TC(tp, conversation_bare);
	ATF_TP_ADD_TC(tp, not_loaded);
	return (atf_no_error());
}
