/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vis.h>

#include "json.h"

#define DEPTH_MAX	8

static char	closing[DEPTH_MAX];	/* brackets that are open */
static int	depth;
static int	first = 1;		/* no comma before the next */

static void
plain_put(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s);
	}
}

static void
text_put(const char *bytes, size_t len)
{
	char	one[5];
	size_t	i;

	putchar('"');
	for (i = 0; i < len; i++) {
		vis(one, (unsigned char)bytes[i],
		    VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL,
		    i + 1 < len ? (unsigned char)bytes[i + 1] : 0);
		plain_put(one);
	}
	putchar('"');
}

static void
key_put(const char *key)
{
	if (!first)
		putchar(',');
	first = 0;
	if (key == NULL)
		return;
	text_put(key, strlen(key));
	putchar(':');
}

static void
bracket_open(const char *key, char open, char close)
{
	key_put(key);
	if (depth == DEPTH_MAX)
		abort();
	closing[depth++] = close;
	putchar(open);
	first = 1;
}

void
json_object(const char *key)
{
	bracket_open(key, '{', '}');
}

void
json_array(const char *key)
{
	bracket_open(key, '[', ']');
}

void
json_end(void)
{
	putchar(closing[--depth]);
	first = 0;
}

void
json_done(void)
{
	while (depth > 0)
		json_end();
	putchar('\n');
	first = 1;
}

void
json_bytes(const char *key, const void *bytes, size_t len)
{
	key_put(key);
	text_put(bytes, len);
}

void
json_text(const char *key, const char *text)
{
	if (text == NULL)
		json_null(key);
	else
		json_bytes(key, text, strlen(text));
}

void
json_number(const char *key, uint64_t n)
{
	key_put(key);
	printf("%" PRIu64, n);
}

void
json_null(const char *key)
{
	key_put(key);
	fputs("null", stdout);
}

void
json_bool(const char *key, int truth)
{
	key_put(key);
	fputs(truth ? "true" : "false", stdout);
}

void
json_time(const char *key, int64_t us)
{
	time_t		 t = (time_t)(us / 1000000);
	char		 day[32];
	struct tm	*tm;

	if (us <= 0 || (tm = gmtime(&t)) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", tm) == 0) {
		json_null(key);
		return;
	}
	key_put(key);
	printf("\"%s.%03dZ\"", day, (int)(us % 1000000 / 1000));
}

void
json_ms(const char *key, int64_t us)
{
	if (us < 0) {
		json_null(key);
		return;
	}
	key_put(key);
	printf("%" PRId64 ".%03d", us / 1000, (int)(us % 1000));
}
