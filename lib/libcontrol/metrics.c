/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#include <inttypes.h>
#include <stdio.h>

#include "metrics.h"
#include "text.h"

static const char	*daemon_name = "";

void
metrics_init(const char *name)
{
	daemon_name = name;
}

void
metrics_family(const char *name, const char *type, const char *unit,
    const char *help)
{
	printf("# TYPE %s_%s %s\n", daemon_name, name, type);
	if (unit != NULL)
		printf("# UNIT %s_%s %s\n", daemon_name, name, unit);
	printf("# HELP %s_%s %s\n", daemon_name, name, help);
}

void
metrics_name(const char *name)
{
	printf("%s_%s", daemon_name, name);
}

/* vis(3) leaves printable ASCII; two of it have a meaning in a label. */
void
metrics_label(const char *name, const char *value)
{
	const char	*p;

	printf("%s=\"", name);
	for (p = safe(value); *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			putchar('\\');
		putchar(*p);
	}
	putchar('"');
}

void
metrics_simple(const char *name, const char *type, const char *unit,
    const char *suffix, const char *help, int64_t value)
{
	metrics_family(name, type, unit, help);
	metrics_name(name);
	printf("%s %" PRId64 "\n", suffix, value);
}

void
metrics_done(void)
{
	puts("# EOF");
}
