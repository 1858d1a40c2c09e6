/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * prctl(2), PR_SET_CHILD_SUBREAPER: what our descendants leave behind is
 * ours to wait for, with its status.
 */
#include <sys/prctl.h>

#include <errno.h>
#include <signal.h>

#include "parent.h"

static void	(*tell)(pid_t, int);

void
reaper_init(void (*ended)(pid_t, int))
{
	tell = ended;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		log_warn("subreaper");
}

void
reaper_watch(pid_t pid)
{
	if (kill(pid, 0) == -1 && errno == ESRCH)
		tell(pid, 0);
}
