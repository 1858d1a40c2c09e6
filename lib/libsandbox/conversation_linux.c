/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux: a filter of four calls (seccomp(2)).  It is written here, and in a
 * file of its own, since a program that may never need it must not wait for
 * libseccomp each time it starts.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"
#include "sanitizer.h"

#define ALLOW(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What that run-time does in _exit(2). */
#ifdef SANDBOX_SANITIZER
#define SANITIZER_ALLOW	ALLOW(SYS_sigaltstack), ALLOW(SYS_munmap),
#else
#define SANITIZER_ALLOW
#endif

/* This program's own header, which the linker knows. */
extern const ElfW(Ehdr)	__ehdr_start __attribute__((__visibility__("hidden")));

/* How the kernel calls the kind of processor that this was compiled for. */
static uint32_t
architecture(void)
{
	uint32_t	arch;

	arch = __ehdr_start.e_machine;
	if (__ehdr_start.e_ident[EI_CLASS] == ELFCLASS64)
		arch |= __AUDIT_ARCH_64BIT;
	if (__ehdr_start.e_ident[EI_DATA] == ELFDATA2LSB)
		arch |= __AUDIT_ARCH_LE;
	return (arch);
}

/* A number means another call on another processor: both are looked at. */
int
sandbox_conversation(void)
{
	struct sock_filter	code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture(), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_read),
		ALLOW(SYS_write),
		ALLOW(SYS_exit_group),
		ALLOW(SYS_exit),
		SANITIZER_ALLOW
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
	};
	const struct sock_fprog	filter = {
		sizeof(code) / sizeof(code[0]), code
	};

	sanitizer_prepare();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == -1)
		return (-1);
	return (prctl(PR_SET_SECCOMP, (long)SECCOMP_MODE_FILTER, &filter, 0L,
	    0L));
}
