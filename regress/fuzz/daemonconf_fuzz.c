/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * tcpserverd.conf as anybody may write it, see conffiles.h; the files may also
 * be rules.
 *
 * sources: usr.sbin/tcpserverd/parse.y usr.sbin/tcpserverd/conf_build.c
 * sources: usr.sbin/tcpserverd/conf_free.c usr.sbin/tcpserverd/conf_global.c
 * sources: usr.sbin/tcpserverd/conf_host.c
 * sources: usr.sbin/tcpserverd/conf_listen.c usr.sbin/tcpserverd/conf_path.c
 * sources: usr.sbin/tcpserverd/conf_names.c
 * sources: usr.sbin/tcpserverd/conf_print.c
 * sources: usr.sbin/tcpserverd/conf_program.c
 * sources: usr.sbin/tcpserverd/conf_rlimit.c usr.sbin/tcpserverd/conf_rules.c
 * sources: usr.sbin/tcpserverd/conf_service.c
 * covers: lib/libconf/reader.c lib/libconf/word.c
 * system: usr.sbin/tcpserverd/conf_ifgroup usr.sbin/tcpserverd/login
 * system: usr.sbin/tcpserverd/conf_rlimit
 */
#include "conffiles.h"
#include "daemon.h"

static int
config_print(FILE *f, char *const defines[])
{
	struct daemon_conf	*conf;

	if ((conf = daemon_conf_load("0", defines, report, NULL)) == NULL)
		return (-1);
	daemon_conf_print(f, conf);
	daemon_conf_free(conf);
	return (0);
}
