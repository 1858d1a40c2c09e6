/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Resource limits that do something on Linux: RLIMIT_RSS is there, and does
 * nothing.
 */
#include <sys/types.h>
#include <sys/resource.h>

#include "compat.h"
#include "conf_build.h"

const struct conf_rlimit_kind	conf_rlimit_kinds[] = {
	{ "coredumpsize",	RLIMIT_CORE,	1 },
	{ "cputime",		RLIMIT_CPU,	0 },
	{ "datasize",		RLIMIT_DATA,	1 },
	{ "filesize",		RLIMIT_FSIZE,	1 },
	{ "maxproc",		RLIMIT_NPROC,	0 },
	{ "memorylocked",	RLIMIT_MEMLOCK,	1 },
	{ "openfiles",		RLIMIT_NOFILE,	0 },
	{ "stacksize",		RLIMIT_STACK,	1 },
	{ "vmemoryuse",		RLIMIT_AS,	1 }
};
const size_t			conf_rlimit_kinds_len =
				    nitems(conf_rlimit_kinds);
