/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux: an allow-list of system calls (seccomp(2), required) and, where the
 * kernel has it, Landlock, which knows what a filter can't see: port
 * numbers and paths.  Everything that is not listed ends the process.
 *
 * Knobs of the build, both for developers: SANDBOX_SANITIZER prepares the
 * run-time of -fsanitize, whose leak checker can't work confined, while the
 * list of calls stays the same (the Makefile sets it with COPTS);
 * SANDBOX_TRACE names a forbidden call on descriptor 2 before the process
 * ends.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "compat.h"
#include "sandbox.h"
#include "sanitizer.h"

#ifdef SANDBOX_SANITIZER
#define BACKEND_SUFFIX	", sanitizer build"
#else
#define BACKEND_SUFFIX	""
#endif

/*
 * Calls whose arguments are looked at as well.  Several entries of one call
 * are alternatives and must not overlap.
 */
struct guarded_call {
	int			call;
	uint32_t		action;
	unsigned int		count;
	struct scmp_arg_cmp	arg[3];
};

struct call_list {
	const int		  *calls;
	size_t			   ncalls;
	const struct guarded_call *guarded;
	size_t			   nguarded;
};

/* The kernel takes the low half of an int argument, so the filter does. */
#define ARG_BITS(n, mask, value) \
	{ (n), SCMP_CMP_MASKED_EQ, (mask), (value) }
#define ARG_IS(n, value)	ARG_BITS(n, 0xffffffff, (uint32_t)(value))

#define SOCKET_TYPE_MASK \
	(0xffffffff & ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))

/* What every role does: memory, time, signals, known descriptors. */
static const int common_calls[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(_llseek),
	SCMP_SYS(close), SCMP_SYS(close_range),
	SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	SCMP_SYS(pipe), SCMP_SYS(pipe2),
	SCMP_SYS(fstat), SCMP_SYS(fstat64),

	SCMP_SYS(recvfrom), SCMP_SYS(recv), SCMP_SYS(recvmsg),
	SCMP_SYS(shutdown), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),

	SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64),
	SCMP_SYS(select), SCMP_SYS(_newselect), SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_settime64),

	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(getrandom),
	SCMP_SYS(membarrier), SCMP_SYS(sched_yield),

	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres), SCMP_SYS(clock_getres_time64),
	SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64),

	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigsuspend),
	SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack), SCMP_SYS(sigreturn), SCMP_SYS(sigprocmask),
	SCMP_SYS(sigaction), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group),

	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid),
	SCMP_SYS(getuid), SCMP_SYS(getuid32), SCMP_SYS(geteuid),
	SCMP_SYS(geteuid32), SCMP_SYS(getgid), SCMP_SYS(getgid32),
	SCMP_SYS(getegid), SCMP_SYS(getegid32),
	SCMP_SYS(getrlimit), SCMP_SYS(ugetrlimit), SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo)		/* glibc's qsort(3) asks for memory */
};

static const struct guarded_call common_guarded[] = {
	/* Memory may be had, code may not. */
	{ SCMP_SYS(mmap), SCMP_ACT_ALLOW, 1, { ARG_BITS(2, PROT_EXEC, 0) } },
	{ SCMP_SYS(mmap2), SCMP_ACT_ALLOW, 1, { ARG_BITS(2, PROT_EXEC, 0) } },
	{ SCMP_SYS(mprotect), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(2, PROT_EXEC, 0) } },

	/* Not F_SETOWN and F_SETSIG: they send signals to others. */
	{ SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_GETFD) } },
	{ SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_SETFD) } },
	{ SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_GETFL) } },
	{ SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_SETFL) } },
	{ SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_DUPFD) } },
	{ SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1,
	    { ARG_IS(1, F_DUPFD_CLOEXEC) } },
	{ SCMP_SYS(fcntl64), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_GETFD) } },
	{ SCMP_SYS(fcntl64), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_SETFD) } },
	{ SCMP_SYS(fcntl64), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_GETFL) } },
	{ SCMP_SYS(fcntl64), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_SETFL) } },
	{ SCMP_SYS(fcntl64), SCMP_ACT_ALLOW, 1, { ARG_IS(1, F_DUPFD) } },
	{ SCMP_SYS(fcntl64), SCMP_ACT_ALLOW, 1,
	    { ARG_IS(1, F_DUPFD_CLOEXEC) } },

	/* What libraries ask of a socket, and stdio of its stream. */
	{ SCMP_SYS(ioctl), SCMP_ACT_ALLOW, 1, { ARG_IS(1, FIONBIO) } },
	{ SCMP_SYS(ioctl), SCMP_ACT_ALLOW, 1, { ARG_IS(1, FIONREAD) } },
	{ SCMP_SYS(ioctl), SCMP_ACT_ERRNO(ENOTTY), 1,
	    { ARG_IS(1, TCGETS) } },

	/* The only option both roles set: tcpserver's -D, and c-ares. */
	{ SCMP_SYS(setsockopt), SCMP_ACT_ALLOW, 2,
	    { ARG_IS(1, IPPROTO_TCP), ARG_IS(2, TCP_NODELAY) } },

	/* Limits may be read (new NULL, high half too), own ones only. */
	{ SCMP_SYS(prlimit64), SCMP_ACT_ALLOW, 2,
	    { ARG_IS(0, 0), { 2, SCMP_CMP_EQ, 0, 0 } } },

	/*
	 * fstat(3) of some libraries: a descriptor with an empty path.  That
	 * it is empty a filter can't see: what a file is, not what is in it,
	 * stays visible.
	 */
	{ SCMP_SYS(newfstatat), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH) } },
	{ SCMP_SYS(fstatat64), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH) } },
	{ SCMP_SYS(statx), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(2, AT_EMPTY_PATH, AT_EMPTY_PATH) } }
};

/*
 * Libraries look for files that need not be there (zones, locales,
 * services): such a look is refused but does not end the service.
 */
static const struct guarded_call refused_guarded[] = {
	{ SCMP_SYS(open), SCMP_ACT_ERRNO(EACCES), 1,
	    { ARG_BITS(1, O_ACCMODE | O_CREAT, O_RDONLY) } },
	{ SCMP_SYS(stat), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } },
	{ SCMP_SYS(stat64), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } },
	{ SCMP_SYS(lstat), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } },
	{ SCMP_SYS(lstat64), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } },
	{ SCMP_SYS(access), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } },
	{ SCMP_SYS(faccessat), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } },
	{ SCMP_SYS(faccessat2), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } },
	{ SCMP_SYS(readlink), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } },
	{ SCMP_SYS(readlinkat), SCMP_ACT_ERRNO(EACCES), 0, { { 0 } } }
};

/* The same for the roles that have no directory. */
static const struct guarded_call refused_at_guarded[] = {
	{ SCMP_SYS(openat), SCMP_ACT_ERRNO(EACCES), 1,
	    { ARG_BITS(2, O_ACCMODE | O_CREAT, O_RDONLY) } },
	{ SCMP_SYS(newfstatat), SCMP_ACT_ERRNO(EACCES), 1,
	    { ARG_BITS(3, AT_EMPTY_PATH, 0) } },
	{ SCMP_SYS(fstatat64), SCMP_ACT_ERRNO(EACCES), 1,
	    { ARG_BITS(3, AT_EMPTY_PATH, 0) } },
	{ SCMP_SYS(statx), SCMP_ACT_ERRNO(EACCES), 1,
	    { ARG_BITS(2, AT_EMPTY_PATH, 0) } }
};

static const int engine_calls[] = {
	SCMP_SYS(accept), SCMP_SYS(accept4)
};

/*
 * MSG_FASTOPEN is a connect(2) in disguise, also on a listening socket that
 * was shut down, and older kernels do not show it to Landlock.
 */
static const struct guarded_call engine_guarded[] = {
	{ SCMP_SYS(setsockopt), SCMP_ACT_ALLOW, 2,
	    { ARG_IS(1, IPPROTO_IP), ARG_IS(2, IP_OPTIONS) } },

	{ SCMP_SYS(sendto), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(3, MSG_FASTOPEN, 0) } },
	{ SCMP_SYS(send), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(3, MSG_FASTOPEN, 0) } },
	{ SCMP_SYS(sendmsg), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(2, MSG_FASTOPEN, 0) } }
};

/* c-ares itself may use MSG_FASTOPEN, and connecting is this role's task. */
static const int resolver_calls[] = {
	SCMP_SYS(connect), SCMP_SYS(bind),
	SCMP_SYS(sendto), SCMP_SYS(send), SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(recvmmsg_time64)
};

#define SOCKET_RULE(domain, type, protocol) \
	{ SCMP_SYS(socket), SCMP_ACT_ALLOW, 3, { ARG_IS(0, domain), \
	    ARG_BITS(1, SOCKET_TYPE_MASK, type), ARG_IS(2, protocol) } }

static const struct guarded_call resolver_guarded[] = {
	SOCKET_RULE(AF_INET, SOCK_DGRAM, 0),
	SOCKET_RULE(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
	SOCKET_RULE(AF_INET, SOCK_STREAM, 0),
	SOCKET_RULE(AF_INET, SOCK_STREAM, IPPROTO_TCP),
	SOCKET_RULE(AF_INET6, SOCK_DGRAM, 0),
	SOCKET_RULE(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
	SOCKET_RULE(AF_INET6, SOCK_STREAM, 0),
	SOCKET_RULE(AF_INET6, SOCK_STREAM, IPPROTO_TCP)
};

/*
 * Talk on what was given, and nowhere else: neither to a named address, which
 * a datagram socket could, nor by MSG_FASTOPEN.  (A name in sendmsg(2) a
 * filter can't see: who gives a datagram socket shuts it down for writing.)
 */
static const struct guarded_call talk_guarded[] = {
	{ SCMP_SYS(sendto), SCMP_ACT_ALLOW, 2,
	    { ARG_BITS(3, MSG_FASTOPEN, 0), { 4, SCMP_CMP_EQ, 0, 0 } } },
	{ SCMP_SYS(send), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(3, MSG_FASTOPEN, 0) } },
	{ SCMP_SYS(sendmsg), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(2, MSG_FASTOPEN, 0) } }
};

/* Which directories these are for Landlock knows. */
static const int queue_calls[] = {
	SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx),
	SCMP_SYS(getdents64), SCMP_SYS(getdents),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(linkat),
	SCMP_SYS(unlinkat),
	SCMP_SYS(flock), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate),
	SCMP_SYS(pwrite64), SCMP_SYS(pwritev),
	SCMP_SYS(fstatfs), SCMP_SYS(fstatfs64),
	SCMP_SYS(inotify_init), SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch)
};

#define SET_ID_BITS	(S_ISUID | S_ISGID)

/* Without O_CREAT the C library makes the mode 0. */
static const struct guarded_call queue_guarded[] = {
	{ SCMP_SYS(openat), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(3, SET_ID_BITS, 0) } },
	{ SCMP_SYS(mkdirat), SCMP_ACT_ALLOW, 1,
	    { ARG_BITS(2, SET_ID_BITS, 0) } }
};

#define CALL_LIST(name) \
	{ name ## _calls, nitems(name ## _calls), \
	    name ## _guarded, nitems(name ## _guarded) }
#define GUARDED_LIST(name) \
	{ NULL, 0, name ## _guarded, nitems(name ## _guarded) }

static const struct call_list common_list = CALL_LIST(common);
static const struct call_list refused_list = GUARDED_LIST(refused);
static const struct call_list refused_at_list = GUARDED_LIST(refused_at);
static const struct call_list engine_list = CALL_LIST(engine);
static const struct call_list resolver_list = CALL_LIST(resolver);
static const struct call_list talk_list = GUARDED_LIST(talk);
static const struct call_list queue_list = CALL_LIST(queue);

#define ROLE_LISTS_MAX	5

/* All that a role may call: lists up to a NULL. */
struct role {
	const struct call_list	*lists[ROLE_LISTS_MAX];
};

static const struct role engine_role = { { &common_list, &refused_list,
	&refused_at_list, &engine_list } };
static const struct role resolver_role = { { &common_list, &refused_list,
	&refused_at_list, &resolver_list } };
static const struct role queue_role = { { &common_list, &refused_list,
	&talk_list, &queue_list } };
static const struct role relay_role = { { &common_list, &refused_list,
	&refused_at_list, &talk_list } };

/*
 * Landlock, see landlock(7): the numbers are the kernel's, given here since
 * the header of a distribution is often older than its kernel.
 */
#define LANDLOCK_ASK_ABI	1U
#define LANDLOCK_PATH_RULE	1
#define LANDLOCK_PORT_RULE	2
#define LANDLOCK_BIND_TCP	(1ULL << 0)
#define LANDLOCK_CONNECT_TCP	(1ULL << 1)
#define LANDLOCK_ABI_REFER	2	/* before, no rename to another place */
#define LANDLOCK_ABI_NET	4

/* Files can be read, written, made, removed, moved; directories be made. */
#define LANDLOCK_DIRECTORY \
	(1ULL << 1 | 1ULL << 2 | 1ULL << 3 | 1ULL << 5 | 1ULL << 7 | \
	    1ULL << 8 | 1ULL << 13 | 1ULL << 14)

struct landlock_rights {
	uint64_t	files;
	uint64_t	net;
	uint64_t	scoped;
};

struct landlock_port {
	uint64_t	rights;
	uint64_t	port;
};

struct landlock_path {
	uint64_t	rights;
	int32_t		fd;
} __packed;

/* What is left to a role: nothing, but these. */
struct landlock_rules {
	const struct landlock_port	*ports;
	size_t				 nports;
	const int			*directories;
	size_t				 ndirectories;
};

/* Which rights can be taken away from which ABI on. */
static const struct {
	int			abi;
	struct landlock_rights	rights;
} landlock_history[] = {
	{ 1, { 0x1fff, 0, 0 } },	/* execute, read, write, make, remove */
	{ 2, { 1ULL << 13, 0, 0 } },	/* link or rename across directories */
	{ 3, { 1ULL << 14, 0, 0 } },	/* truncate */
	{ LANDLOCK_ABI_NET, { 0, LANDLOCK_BIND_TCP | LANDLOCK_CONNECT_TCP,
	    0 } },
	{ 5, { 1ULL << 15, 0, 0 } },	/* ioctl of devices */
	{ 6, { 0, 0, 0x3 } }		/* abstract sockets, signals */
};

/* DNS over TCP, ident; port 0: a local address without a wish for a port. */
static const struct landlock_port resolver_ports[] = {
	{ LANDLOCK_CONNECT_TCP, 53 },
	{ LANDLOCK_CONNECT_TCP, 113 },
	{ LANDLOCK_BIND_TCP, 0 }
};

static const char	*backend = "none";

/* The ABI of the running kernel, 0 where it has no Landlock, -1. */
static int
landlock_abi(void)
{
	long	abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_ASK_ABI);
	/* The question needs no right: EPERM is a container's filter. */
	if (abi == -1 &&
	    (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM))
		return (0);
	return ((int)abi);
}

static void
landlock_collect(int abi, struct landlock_rights *rights)
{
	size_t	i;

	*rights = (struct landlock_rights){ 0, 0, 0 };
	for (i = 0; i < nitems(landlock_history); i++) {
		if (abi < landlock_history[i].abi)
			break;
		rights->files |= landlock_history[i].rights.files;
		rights->net |= landlock_history[i].rights.net;
		rights->scoped |= landlock_history[i].rights.scoped;
	}
}

static int
landlock_fill_ports(int fd, int abi, const struct landlock_rules *rules)
{
	size_t	i;

	if (abi < LANDLOCK_ABI_NET)
		return (0);
	for (i = 0; i < rules->nports; i++)
		if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_PORT_RULE,
		    &rules->ports[i], 0U) == -1)
			return (-1);
	return (0);
}

/* files: what this kernel knows of. */
static int
landlock_fill_paths(int fd, uint64_t files, const struct landlock_rules *rules)
{
	struct landlock_path	path;
	size_t			i;

	for (i = 0; i < rules->ndirectories; i++) {
		path.rights = LANDLOCK_DIRECTORY & files;
		path.fd = rules->directories[i];
		if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_PATH_RULE,
		    &path, 0U) == -1)
			return (-1);
	}
	return (0);
}

/*
 * Takes away every right the kernel knows, but what the rules leave.  1: in
 * force, 0: the kernel has no Landlock that would do, -1.
 */
static int
landlock_enter(const struct landlock_rules *rules)
{
	struct landlock_rights	rights;
	int			abi, fd, result = -1, saved;

	if ((abi = landlock_abi()) <= 0)
		return (abi);
	if (rules->ndirectories > 0 && abi < LANDLOCK_ABI_REFER)
		return (0);
	landlock_collect(abi, &rights);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rights,
	    sizeof(rights), 0U);
	if (fd == -1)
		return (-1);
	if (landlock_fill_ports(fd, abi, rules) == 0 &&
	    landlock_fill_paths(fd, rights.files, rules) == 0 &&
	    syscall(SYS_landlock_restrict_self, fd, 0U) == 0)
		result = 1;
	saved = errno;
	close(fd);
	errno = saved;
	return (result);
}

/* The rest is for libseccomp, whose functions return -errno. */

static int
filter_add_list(scmp_filter_ctx ctx, const struct call_list *list)
{
	const struct guarded_call	*g;
	size_t				 i;
	int				 error;

	for (i = 0; i < list->ncalls; i++) {
		error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, list->calls[i],
		    0);
		if (error != 0)
			return (error);
	}
	for (i = 0; i < list->nguarded; i++) {
		g = &list->guarded[i];
		error = seccomp_rule_add_array(ctx, g->action, g->call,
		    g->count, g->arg);
		if (error != 0)
			return (error);
	}
	return (0);
}

/* raise(3) and abort(3): signals to this process and nobody else. */
static int
filter_add_self(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp	self = ARG_IS(0, getpid());
	int				error;

	error = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
	    1, &self);
	if (error == 0)
		error = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
		    SCMP_SYS(tkill), 1, &self);
	if (error == 0)
		error = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
		    SCMP_SYS(kill), 1, &self);
	return (error);
}

static int
filter_load(scmp_filter_ctx ctx, const struct role *role)
{
	size_t	i;
	int	error;

	if ((error = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS)) != 0)
		return (error);
	for (i = 0; role->lists[i] != NULL; i++)
		if ((error = filter_add_list(ctx, role->lists[i])) != 0)
			return (error);
	if ((error = filter_add_self(ctx)) != 0)
		return (error);
	return (seccomp_load(ctx));
}

#ifdef SANDBOX_TRACE
#define DENIED_ACTION	SCMP_ACT_TRAP

static void
trace_denied(int signo, siginfo_t *info, void *context)
{
	char	line[80];
	int	len;

	len = snprintf(line, sizeof(line), "sandbox: call %d is forbidden\n",
	    info->si_syscall);
	(void)!write(STDERR_FILENO, line, (size_t)len);
	_exit(128 + signo);
}

static int
trace_init(void)
{
	struct sigaction	sa;

	sa.sa_sigaction = trace_denied;
	sa.sa_flags = SA_SIGINFO;
	sigemptyset(&sa.sa_mask);
	return (sigaction(SIGSYS, &sa, NULL));
}
#else
#define DENIED_ACTION	SCMP_ACT_KILL_PROCESS

static int
trace_init(void)
{
	return (0);
}
#endif

/*
 * Is it in force?  What it answers itself shows that; a library that lacked
 * memory on the way must not be taken at its word.
 */
static int
filter_check(void)
{
	if (access("/", F_OK) == -1 && errno == EACCES)
		return (0);
	errno = ENOSYS;
	return (-1);
}

static int
filter_enter(const struct role *role)
{
	scmp_filter_ctx	ctx;
	int		error;

	if (trace_init() == -1)
		return (-1);
	if ((ctx = seccomp_init(DENIED_ACTION)) == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	error = filter_load(ctx, role);
	seccomp_release(ctx);
	/* Making the filter took more than anything later will. */
	(void)malloc_trim(0);
	if (error != 0) {
		errno = -error;
		return (-1);
	}
	return (filter_check());
}

/*
 * Same-uid processes (the programs a launcher starts) must not trace or
 * inspect this one.  execve(2) undoes it, so nothing is inherited.
 */
static int
untraceable_set(void)
{
	return (prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L));
}

static int
confine(const struct role *role, const struct landlock_rules *rules)
{
	int	landlock;

	sanitizer_prepare();
	if (untraceable_set() == -1)
		return (-1);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == -1)
		return (-1);
	if ((landlock = landlock_enter(rules)) == -1)
		return (-1);
	if (filter_enter(role) == -1)
		return (-1);
	backend = landlock ? "seccomp+landlock" BACKEND_SUFFIX :
	    "seccomp" BACKEND_SUFFIX;
	return (0);
}

int
sandbox_engine(void)
{
	const struct landlock_rules	none = { 0 };

	return (confine(&engine_role, &none));
}

int
sandbox_resolver(void)
{
	const struct landlock_rules	rules = { .ports = resolver_ports,
					    .nports = nitems(resolver_ports) };

	return (confine(&resolver_role, &rules));
}

int
sandbox_queue(int spool, const char *spool_path, int state,
    const char *state_path)
{
	const int			directories[] = { spool, state };
	const struct landlock_rules	rules = { .directories = directories,
					    .ndirectories =
					    nitems(directories) };

	return (confine(&queue_role, &rules));
}

int
sandbox_relay(void)
{
	const struct landlock_rules	none = { 0 };

	return (confine(&relay_role, &none));
}

int
sandbox_parent(void)
{
	if (untraceable_set() == -1)
		return (-1);
	backend = "untraceable";
	return (0);
}

int
sandbox_launcher(void)
{
	return (sandbox_parent());
}

int
sandbox_mailer(void)
{
	return (sandbox_parent());
}

const char *
sandbox_backend(void)
{
	return (backend);
}
