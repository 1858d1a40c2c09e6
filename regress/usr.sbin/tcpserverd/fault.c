/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * fault: preloaded into our processes, makes one call fail, once.
 *
 *	FAULT_FILE	shared by all processes: who, which, when; counters
 *
 * The file is a struct fault that the test writes before and reads after.
 * The count goes on in a process that was started for a dead one, so that
 * the failure comes but once.  glibc; vfork(2) on amd64 only.
 */
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In fault_test.py as well. */
struct fault {
	char		role[16];	/* parent, engine, launcher, resolver */
	char		call[16];
	int32_t		at;		/* 0: none, else the so-manieth */
	int32_t		error;
	int32_t		count;		/* of that call in that role */
};

extern void	*__libc_malloc(size_t);
extern void	*__libc_calloc(size_t, size_t);
extern void	*__libc_realloc(void *, size_t);

static struct fault	*fault;

static void
cmdline_role(char *role, size_t size)
{
	char	line[4096], *word;
	ssize_t	n;
	int	fd;

	strcpy(role, "other");
	if ((fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)) == -1)
		return;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return;
	line[n] = '\0';
	word = strrchr(line, '/');
	word = word == NULL ? line : word + 1;
	if (strcmp(word, "tcpserverd-resolver") == 0)
		strcpy(role, "resolver");
	else if (strcmp(line, "tcpserverd") == 0 && n > 14 &&
	    strcmp(line + 11, "-P") == 0)
		strncpy(role, line + 14, size - 1);
	else if (strcmp(word, "tcpserver") == 0 ||
	    strcmp(word, "tcpserverd") == 0)
		strcpy(role, "parent");
}

/* Where it crashed, for the log; the signal comes again and ends it. */
static void
crashed(int sig)
{
	void	*frames[24];

	backtrace_symbols_fd(frames, backtrace(frames, 24), STDERR_FILENO);
}

__attribute__((constructor)) static void
fault_init(void)
{
	const char	*path = getenv("FAULT_FILE");
	struct sigaction sa = { .sa_flags = (int)SA_RESETHAND };
	struct fault	*f;
	char		 role[16] = "";
	void		*frames[1];
	int		 fd;

	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	cmdline_role(role, sizeof(role));
	if (f == MAP_FAILED || strcmp(f->role, role) != 0)
		return;
	/* The first time it loads a library: before chroot(2). */
	(void)backtrace(frames, 1);
	fault = f;
	sa.sa_handler = crashed;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGABRT, &sa, NULL);
}

/* Is this call the one?  Then errno is set. */
static int
fails(const char *call)
{
	if (fault == NULL || strcmp(fault->call, call) != 0 ||
	    __sync_add_and_fetch(&fault->count, 1) != fault->at)
		return (0);
	errno = fault->error;
	return (1);
}

void *
malloc(size_t n)
{
	return (fails("malloc") ? NULL : __libc_malloc(n));
}

void *
calloc(size_t n, size_t size)
{
	return (fails("malloc") ? NULL : __libc_calloc(n, size));
}

void *
realloc(void *p, size_t n)
{
	return (fails("malloc") ? NULL : __libc_realloc(p, n));
}

/* The function that comes after ours, found once. */
#define NEXT(type, name, args)						\
	static type (*next) args;					\
	if (next == NULL)						\
		next = (type (*) args)dlsym(RTLD_NEXT, name)

pid_t
fork(void)
{
	NEXT(pid_t, "fork", (void));
	return (fails("fork") ? -1 : next());
}

#ifdef __x86_64__
/* Returns twice, so nothing of ours may be on the stack: a jump. */
void	*fault_vfork(void);

__attribute__((used)) void *
fault_vfork(void)
{
	return (fails("vfork") ? NULL : dlsym(RTLD_NEXT, "vfork"));
}

__asm__(".text\n"
    ".globl vfork\n"
    ".type vfork, @function\n"
    "vfork:\n"
    "	subq $8, %rsp\n"
    "	call fault_vfork@PLT\n"
    "	addq $8, %rsp\n"
    "	testq %rax, %rax\n"
    "	jz 1f\n"
    "	jmp *%rax\n"
    "1:	movl $-1, %eax\n"
    "	ret\n"
    ".size vfork, . - vfork\n");
#endif

int
open(const char *path, int flags, ...)
{
	va_list	ap;
	mode_t	mode;

	NEXT(int, "open", (const char *, int, ...));
	va_start(ap, flags);
	mode = (flags & O_CREAT) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return (fails("open") ? -1 : next(path, flags, mode));
}

int
socket(int domain, int type, int protocol)
{
	NEXT(int, "socket", (int, int, int));
	return (fails("socket") ? -1 : next(domain, type, protocol));
}

int
socketpair(int domain, int type, int protocol, int sv[2])
{
	NEXT(int, "socketpair", (int, int, int, int *));
	return (fails("socketpair") ? -1 : next(domain, type, protocol, sv));
}

int
pipe2(int p[2], int flags)
{
	NEXT(int, "pipe2", (int *, int));
	return (fails("pipe") ? -1 : next(p, flags));
}

int
accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	NEXT(int, "accept4", (int, struct sockaddr *, socklen_t *, int));
	return (fails("accept") ? -1 : next(fd, sa, len, flags));
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	NEXT(ssize_t, "sendmsg", (int, const struct msghdr *, int));
	return (fails("sendmsg") ? -1 : next(fd, msg, flags));
}

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	NEXT(ssize_t, "send", (int, const void *, size_t, int));
	return (fails("send") ? -1 : next(fd, data, len, flags));
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
	NEXT(ssize_t, "recvmsg", (int, struct msghdr *, int));
	return (fails("recvmsg") ? -1 : next(fd, msg, flags));
}

/* Copies of descriptors only. */
int
fcntl(int fd, int op, ...)
{
	va_list	 ap;
	void	*arg;

	NEXT(int, "fcntl", (int, int, ...));
	va_start(ap, op);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((op == F_DUPFD || op == F_DUPFD_CLOEXEC) && fails("dup"))
		return (-1);
	return (next(fd, op, arg));
}
