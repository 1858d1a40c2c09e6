/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * tcpserverd's kinds of children: what each is called, what it runs and who
 * it is to be.
 */
#include <string.h>

#include "parent.h"

void
process_exe_find(const char *argv0)
{
	static char	exe[PATH_MAX];

	if (privsep_exe_path(argv0, exe, sizeof(exe)) == -1)
		strlcpy(exe, SBINDIR "/tcpserverd", sizeof(exe));
	config.exe_path = exe;
}

const char *
process_name(const struct process *p)
{
	switch (p->kind) {
	case PROCESS_ENGINE:
		return ("engine");
	case PROCESS_LAUNCHER:
		return ("launcher");
	case PROCESS_RESOLVER:
		return ("resolver");
	}
	return ("?");
}

pid_t
process_exec(const struct process *p, int *fd)
{
	char	role[32], title[] = "tcpserverd", option[] = "-P";
	char	resolver[] = LIBEXECDIR "/tcpserverd-resolver";
	char	*argv[] = { title, option, role, NULL };
	char	*resolver_argv[] = { resolver, NULL };

	if (p->kind == PROCESS_RESOLVER)
		return (privsep_exec(resolver, resolver_argv, fd));
	strlcpy(role, process_name(p), sizeof(role));
	return (privsep_exec(config.exe_path, argv, fd));
}

void
process_identity(const struct process *p, struct privsep_hello *hello)
{
	const struct service	*sv = p->owner;

	*hello = p->kind == PROCESS_LAUNCHER ? sv->launch.identity :
	    config.identity;
}
