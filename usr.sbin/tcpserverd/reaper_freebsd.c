/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * procctl(2), PROC_REAP_ACQUIRE: what our descendants leave behind is ours
 * to wait for, with its status.
 */
#include <sys/types.h>
#include <sys/procctl.h>
#include <sys/wait.h>

#include <unistd.h>

#include "parent.h"

void
reaper_init(void (*ended)(pid_t, int))
{
	if (procctl(P_PID, getpid(), PROC_REAP_ACQUIRE, NULL) == -1)
		log_warn("reaper");
}

void
reaper_watch(pid_t pid)
{
}
