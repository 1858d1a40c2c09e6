/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux: doors that only this kernel has.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>

#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <netinet/tcp.h>
#include <sched.h>

/* Nothing that is tried can't be refused. */
static const struct {
	const char	*name;
	int		 roles;
} system_permits[] = {
	{ "", 0 }
};

/* From this ABI on Landlock can tell the queue's directories from others. */
#define LANDLOCK_ABI_REFER	2

static int
system_confines(void)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) <
	    LANDLOCK_ABI_REFER)
		return (ROLE_FILELESS);
	return (ROLE_ALL);
}

static int	mounts_private;

/* What root mounts here must stay here. */
static void
system_prepare(void)
{
	mounts_private = unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int
try_openat2(const struct fixture *fx)
{
	/* struct open_how: flags, mode, resolve */
	uint64_t	how[3] = { O_RDONLY, 0, 0 };

	return ((int)syscall(437, AT_FDCWD, "file", how, sizeof(how)));
}

static int
try_getdents(const struct fixture *fx)
{
	char	buf[1024];

	return ((int)syscall(SYS_getdents64, fx->directory, buf,
	    sizeof(buf)));
}

static int
try_fchdir(const struct fixture *fx)
{
	return (fchdir(fx->directory));
}

static int
try_name_to_handle(const struct fixture *fx)
{
	char			 buf[sizeof(struct file_handle) + 128];
	struct file_handle	*handle = (struct file_handle *)(void *)buf;
	int			 mount_id;

	handle->handle_bytes = 128;
	return (name_to_handle_at(fx->directory, "file", handle, &mount_id,
	    0));
}

static int
try_inotify(const struct fixture *fx)
{
	return ((int)syscall(SYS_inotify_init1, 0));
}

static int
try_mount(const struct fixture *fx)
{
	/* Unconfined, it would be the whole machine's. */
	if (!mounts_private)
		return (-1);
	return (mount("none", "empty", "tmpfs", 0, NULL));
}

static int
try_ftruncate(const struct fixture *fx)
{
	return (ftruncate(fx->file, 0));
}

static int
try_flock(const struct fixture *fx)
{
	struct flock	lock = { .l_type = F_WRLCK };

	return (fcntl(fx->file, F_SETLK, &lock));
}

static int
try_clone(const struct fixture *fx)
{
	long	pid;

	if ((pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL)) == 0)
		_exit(0);
	return ((int)pid);
}

static int
try_clone3(const struct fixture *fx)
{
	struct clone_args	args = { .exit_signal = SIGCHLD };
	long			pid;

	if ((pid = syscall(SYS_clone3, &args, sizeof(args))) == 0)
		_exit(0);
	return ((int)pid);
}

static int
try_fexecve(const struct fixture *fx)
{
	char	 name[] = "sh", dash_c[] = "-c", script[] = "exit 0";
	char	*argv[] = { name, dash_c, script, NULL };

	return (fexecve(fx->program, argv, environ));
}

static int
try_execveat(const struct fixture *fx)
{
	char	 name[] = "sh", dash_c[] = "-c", script[] = "exit 0";
	char	*argv[] = { name, dash_c, script, NULL };

	return ((int)syscall(SYS_execveat, fx->program, "", argv, NULL,
	    AT_EMPTY_PATH));
}

static int
try_traceme(const struct fixture *fx)
{
	return ((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
try_vm_read(const struct fixture *fx)
{
	char		byte;
	struct iovec	mine = { &byte, 1 }, theirs = { (void *)(uintptr_t)fx,
			    1 };

	return ((int)process_vm_readv(fx->parent, &mine, 1, &theirs, 1, 0));
}

static int
try_pidfd(const struct fixture *fx)
{
	return ((int)syscall(SYS_pidfd_open, fx->parent, 0));
}

static int
try_sigqueue_parent(const struct fixture *fx)
{
	union sigval	value = { .sival_int = 0 };

	return (sigqueue(fx->parent, 0, value));
}

static int
try_tgkill_parent(const struct fixture *fx)
{
	return ((int)syscall(SYS_tgkill, fx->parent, fx->parent, 0));
}

static int
try_prlimit_parent(const struct fixture *fx)
{
	struct rlimit	limit;

	return (prlimit(fx->parent, RLIMIT_NOFILE, NULL, &limit));
}

static int
try_setsig(const struct fixture *fx)
{
	return (fcntl(fx->udp, F_SETSIG, SIGKILL));
}

static int
try_fiosetown(const struct fixture *fx)
{
	int	pid = fx->parent;

	return (ioctl(fx->udp, FIOSETOWN, &pid));
}

static int
try_dumpable(const struct fixture *fx)
{
	return (prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L));
}

static int
try_personality(const struct fixture *fx)
{
	return (personality(0xffffffff));
}

static int
try_unshare(const struct fixture *fx)
{
	return (unshare(CLONE_FILES));
}

static int
try_setns(const struct fixture *fx)
{
	/* Refused here or there, but with an answer about the arguments. */
	if (setns(fx->file, 0) == -1 && errno != EINVAL)
		return (-1);
	return (0);
}

static int
try_memfd(const struct fixture *fx)
{
	return (memfd_create("x", 0));
}

static int
try_pkey_mprotect(const struct fixture *fx)
{
	void	*page;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	return ((int)syscall(SYS_pkey_mprotect, page, 4096,
	    PROT_READ | PROT_EXEC, -1));
}

static int
try_shmget(const struct fixture *fx)
{
	long	id;

	if ((id = syscall(SYS_shmget, 0, 4096, 0600)) != -1)
		syscall(SYS_shmctl, id, 0, NULL);
	return ((int)id);
}

static int
try_io_uring(const struct fixture *fx)
{
	struct io_uring_params	params;

	memset(&params, 0, sizeof(params));
	return ((int)syscall(SYS_io_uring_setup, 1, &params));
}

static int
try_bpf(const struct fixture *fx)
{
	/* BPF_MAP_CREATE of an array: type, key, value, entries */
	uint32_t	attr[32] = { 2, 4, 4, 1 };

	return ((int)syscall(SYS_bpf, 0, attr, sizeof(attr)));
}

static int
try_perf(const struct fixture *fx)
{
	/* struct perf_event_attr: a software event, its size, CPU clock */
	uint32_t	attr[32] = { 1, sizeof(attr) };

	return ((int)syscall(SYS_perf_event_open, attr, 0, -1, -1, 0));
}

static int
try_userfaultfd(const struct fixture *fx)
{
	return ((int)syscall(SYS_userfaultfd, 1));
}

static int
try_add_key(const struct fixture *fx)
{
	return ((int)syscall(SYS_add_key, "user", "x", "y", 1, -3));
}

static int
try_syslog(const struct fixture *fx)
{
	return ((int)syscall(SYS_syslog, 10, NULL, 0));
}

static int
try_adjtimex(const struct fixture *fx)
{
	struct timex	tx;

	memset(&tx, 0, sizeof(tx));
	return (adjtimex(&tx));
}

static int
try_umask(const struct fixture *fx)
{
	return ((int)umask(0));
}

static int
try_socket_netlink(const struct fixture *fx)
{
	return (socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
try_socket_packet(const struct fixture *fx)
{
	return (socket(AF_PACKET, SOCK_RAW, 0));
}

static int
try_socket_alg(const struct fixture *fx)
{
	return (socket(AF_ALG, SOCK_SEQPACKET, 0));
}

static int
try_socket_seqpacket(const struct fixture *fx)
{
	return (socket(AF_INET, SOCK_SEQPACKET, 0));
}

static int
try_socket_mptcp(const struct fixture *fx)
{
	return (socket(AF_INET, SOCK_STREAM, 262));
}

static int
try_socket_ping(const struct fixture *fx)
{
	return (socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}

static int
try_fastopen(const struct fixture *fx)
{
	return ((int)sendto(fx->tcp, "x", 1, MSG_FASTOPEN,
	    (const struct sockaddr *)&fx->where, sizeof(fx->where)));
}

static int
try_fastopen_message(const struct fixture *fx)
{
	struct sockaddr_in	sin = fx->where;
	char			x[] = "x";
	struct iovec		iov = { x, 1 };
	struct msghdr		msg = { .msg_name = &sin,
				    .msg_namelen = sizeof(sin),
				    .msg_iov = &iov, .msg_iovlen = 1 };

	return ((int)sendmsg(fx->tcp, &msg, MSG_FASTOPEN));
}

static int
try_attach_filter(const struct fixture *fx)
{
	struct sock_filter	code = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog	prog = { 1, &code };

	return (setsockopt(fx->udp, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof(prog)));
}

static int
try_multicast(const struct fixture *fx)
{
	unsigned char	ttl = 2;

	return (setsockopt(fx->udp, IPPROTO_IP, IP_MULTICAST_TTL, &ttl,
	    sizeof(ttl)));
}

static int
try_reuseport(const struct fixture *fx)
{
	int	on = 1;

	return (setsockopt(fx->tcp, SOL_SOCKET, SO_REUSEPORT, &on,
	    sizeof(on)));
}

static int
try_tcp_ulp(const struct fixture *fx)
{
	/* Not connected: says so, unless something refused it before. */
	if (setsockopt(fx->tcp, IPPROTO_TCP, TCP_ULP, "tls", 3) == -1 &&
	    errno != ENOTCONN && errno != ENOENT)
		return (-1);
	return (0);
}

/* What the others may do and a conversation has no use for. */

static int
try_message_receive(const struct fixture *fx)
{
	struct msghdr	msg = { .msg_iov = NULL };

	/* Nothing came: the difference is in what it says. */
	if (recvmsg(fx->udp, &msg, MSG_DONTWAIT) == -1 && errno != EAGAIN)
		return (-1);
	return (0);
}

static int
try_message_send(const struct fixture *fx)
{
	struct sockaddr_in	sin = fx->where;
	struct msghdr		msg = { .msg_name = &sin,
				    .msg_namelen = sizeof(sin) };

	return ((int)sendmsg(fx->udp, &msg, 0));
}

static int
try_dup(const struct fixture *fx)
{
	return (dup(fx->file));
}

static int
try_pipe(const struct fixture *fx)
{
	int	fds[2];

	return (pipe(fds));
}

static int
try_lseek(const struct fixture *fx)
{
	return ((int)lseek(fx->file, 0, SEEK_SET));
}

static int
try_mmap(const struct fixture *fx)
{
	return (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0) ==
	    MAP_FAILED ? -1 : 0);
}

static int
try_kill_self(const struct fixture *fx)
{
	return (kill(getpid(), 0));
}

static int
try_sigaction(const struct fixture *fx)
{
	return (sigaction(SIGALRM, NULL, NULL));
}

/* The same kernel through its other doors: calls of 32-bit programs, x32. */
#ifdef __x86_64__
static int
try_int80(const struct fixture *fx)
{
	long	result = 20;	/* getpid of i386 */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9",
	    "r10", "r11");
	return (result > 0 ? 0 : -1);
}

static int
try_x32(const struct fixture *fx)
{
	return ((int)syscall(0x40000000L | SYS_getpid));
}

#define SYSTEM_DOORS \
	{ "int 0x80", try_int80, ROLE_ALL, NEED_LUCK }, \
	{ "x32", try_x32, ROLE_ALL, NEED_LUCK },
#else
#define SYSTEM_DOORS
#endif

static const struct attempt system_attempts[] = {
	SYSTEM_DOORS
	{ "openat2", try_openat2, ROLE_ALL, NEED_LUCK },
	{ "getdents64", try_getdents, ROLE_FILELESS, NEED_NOTHING },
	{ "fchdir", try_fchdir, ROLE_ALL, NEED_NOTHING },
	{ "name_to_handle_at", try_name_to_handle, ROLE_ALL, NEED_LUCK },
	{ "inotify", try_inotify, ROLE_FILELESS, NEED_NOTHING },
	{ "mount", try_mount, ROLE_ALL, NEED_LUCK },
	{ "ftruncate", try_ftruncate, ROLE_FILELESS, NEED_NOTHING },
	{ "lock", try_flock, ROLE_ALL, NEED_NOTHING },
	{ "clone", try_clone, ROLE_ALL, NEED_NOTHING },
	{ "clone3", try_clone3, ROLE_ALL, NEED_LUCK },
	{ "fexecve", try_fexecve, ROLE_ALL, NEED_NOTHING },
	{ "execveat", try_execveat, ROLE_ALL, NEED_NOTHING },
	{ "ptrace", try_traceme, ROLE_ALL, NEED_LUCK },
	{ "process_vm_readv", try_vm_read, ROLE_ALL, NEED_LUCK },
	{ "pidfd_open", try_pidfd, ROLE_ALL, NEED_LUCK },
	{ "sigqueue parent", try_sigqueue_parent, ROLE_ALL, NEED_NOTHING },
	{ "tgkill parent", try_tgkill_parent, ROLE_ALL, NEED_NOTHING },
	{ "prlimit parent", try_prlimit_parent, ROLE_ALL, NEED_NOTHING },
	{ "F_SETSIG", try_setsig, ROLE_ALL, NEED_NOTHING },
	{ "FIOSETOWN", try_fiosetown, ROLE_ALL, NEED_NOTHING },
	{ "PR_SET_DUMPABLE", try_dumpable, ROLE_ALL, NEED_NOTHING },
	{ "personality", try_personality, ROLE_ALL, NEED_NOTHING },
	{ "unshare", try_unshare, ROLE_ALL, NEED_NOTHING },
	{ "setns", try_setns, ROLE_ALL, NEED_NOTHING },
	{ "memfd_create", try_memfd, ROLE_ALL, NEED_NOTHING },
	{ "pkey_mprotect", try_pkey_mprotect, ROLE_ALL, NEED_LUCK },
	{ "shmget", try_shmget, ROLE_ALL, NEED_LUCK },
	{ "io_uring_setup", try_io_uring, ROLE_ALL, NEED_LUCK },
	{ "bpf", try_bpf, ROLE_ALL, NEED_LUCK },
	{ "perf_event_open", try_perf, ROLE_ALL, NEED_LUCK },
	{ "userfaultfd", try_userfaultfd, ROLE_ALL, NEED_LUCK },
	{ "add_key", try_add_key, ROLE_ALL, NEED_LUCK },
	{ "syslog", try_syslog, ROLE_ALL, NEED_LUCK },
	{ "adjtimex", try_adjtimex, ROLE_ALL, NEED_NOTHING },
	{ "umask", try_umask, ROLE_ALL, NEED_NOTHING },
	{ "socket netlink", try_socket_netlink, ROLE_ALL, NEED_LUCK },
	{ "socket packet", try_socket_packet, ROLE_ALL, NEED_LUCK },
	{ "socket alg", try_socket_alg, ROLE_ALL, NEED_LUCK },
	{ "socket seqpacket", try_socket_seqpacket, ROLE_ALL, NEED_LUCK },
	{ "socket mptcp", try_socket_mptcp, ROLE_ALL, NEED_LUCK },
	{ "socket ping", try_socket_ping, ROLE_ALL, NEED_LUCK },
	{ "MSG_FASTOPEN", try_fastopen, ROLE_CALLED, NEED_LUCK },
	{ "MSG_FASTOPEN message", try_fastopen_message, ROLE_CALLED,
	    NEED_LUCK },
	{ "SO_ATTACH_FILTER", try_attach_filter, ROLE_ALL, NEED_NOTHING },
	{ "IP_MULTICAST_TTL", try_multicast, ROLE_ALL, NEED_NOTHING },
	{ "SO_REUSEPORT", try_reuseport, ROLE_ALL, NEED_NOTHING },
	{ "TCP_ULP", try_tcp_ulp, ROLE_ALL, NEED_NOTHING },
	{ "recvmsg", try_message_receive, ROLE_CONVERSATION, NEED_NOTHING },
	{ "sendmsg", try_message_send, ROLE_CONVERSATION, NEED_NOTHING },
	{ "dup", try_dup, ROLE_CONVERSATION, NEED_NOTHING },
	{ "pipe", try_pipe, ROLE_CONVERSATION, NEED_NOTHING },
	{ "lseek", try_lseek, ROLE_CONVERSATION, NEED_NOTHING },
	{ "mmap", try_mmap, ROLE_CONVERSATION, NEED_NOTHING },
	{ "kill self", try_kill_self, ROLE_CONVERSATION, NEED_NOTHING },
	{ "sigaction", try_sigaction, ROLE_CONVERSATION, NEED_NOTHING }
};
