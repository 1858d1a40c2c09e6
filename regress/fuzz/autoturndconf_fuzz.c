/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * autoturnd.conf as anybody may write it, see conffiles.h.
 *
 * sources: usr.sbin/autoturnd/parse.y usr.sbin/autoturnd/conf_build.c
 * sources: usr.sbin/autoturnd/conf_claim.c
 * sources: usr.sbin/autoturnd/conf_customer.c
 * sources: usr.sbin/autoturnd/conf_delivery.c usr.sbin/autoturnd/conf_free.c
 * sources: usr.sbin/autoturnd/conf_global.c
 * sources: usr.sbin/autoturnd/conf_network.c usr.sbin/autoturnd/conf_print.c
 * sources: usr.sbin/autoturnd/conf_spool.c usr.sbin/autoturnd/conf_time.c
 * covers: lib/libconf/reader.c lib/libconf/word.c
 * headers: usr.sbin/autoturnd
 */

#include "conffiles.h"
#include "settings.h"

static int
config_print(FILE *f, char *const defines[])
{
	struct autoturnd_conf	*conf;

	if ((conf = autoturnd_conf_load("0", defines, report, NULL)) == NULL)
		return (-1);
	autoturnd_conf_print(f, conf);
	autoturnd_conf_free(conf);
	return (0);
}
