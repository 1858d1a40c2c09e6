/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * procctl(2), PROC_REAP_ACQUIRE: what our descendants leave behind is ours
 * to wait for, with its status.
 */
#include <sys/types.h>
#include <sys/procctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "parent.h"

static void	(*tell)(pid_t, int);

void
reaper_init(void (*ended)(pid_t, int))
{
	tell = ended;
	if (procctl(P_PID, getpid(), PROC_REAP_ACQUIRE, NULL) == -1)
		log_warn("reaper");
}

void
reaper_watch(pid_t pid)
{
	if (kill(pid, 0) == -1 && errno == ESRCH)
		tell(pid, 0);
}
