/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * prctl(2), PR_SET_CHILD_SUBREAPER: what our descendants leave behind is
 * ours to wait for, with its status.
 */
#include <sys/prctl.h>

#include "parent.h"

void
reaper_init(void (*ended)(pid_t, int))
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		log_warn("subreaper");
}

void
reaper_watch(pid_t pid)
{
}
