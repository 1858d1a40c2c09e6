/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Values as words.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <vis.h>

#include "network.h"
#include "tcpserverctl.h"

#define SAFE_BUFFERS	4

const char *const ending_names[ENDING_MAX] = {
	[ENDING_SUCCESS] = "success",
	[ENDING_FAILURE] = "failure",
	[ENDING_SIGNAL] = "signal"
};

static char *
buffer_next(void)
{
	static char		buffers[SAFE_BUFFERS][SAFE_SIZE];
	static unsigned int	next;

	return (buffers[next++ % SAFE_BUFFERS]);
}

const char *
safe_bytes(const void *bytes, size_t len)
{
	char	*buf = buffer_next();

	if (len > CONTROL_STRINGS_MAX)
		len = CONTROL_STRINGS_MAX;
	strvisx(buf, bytes, len, VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL);
	return (buf);
}

const char *
safe(const char *text)
{
	return (text == NULL ? "-" : safe_bytes(text, strlen(text)));
}

const char *
time_text(int64_t at, char *buf)
{
	time_t		 t = (time_t)at;
	struct tm	*tm;

	if (at == 0 || (tm = localtime(&t)) == NULL ||
	    strftime(buf, TIME_SIZE, "%Y-%m-%d %H:%M:%S", tm) == 0)
		return ("-");
	return (buf);
}

const char *
service_state(const struct control_service *sv)
{
	if (sv->flags & SERVICE_REMOVED)
		return ("removed");
	if (sv->flags & SERVICE_DRAINED)
		return ("drained");
	if (sv->flags & SERVICE_PAUSED)
		return ("paused");
	if (sv->connections >= sv->sessions_max)
		return ("full");
	return (sv->accepting ? "accepts" : "waits");
}

void
ending_text(int32_t status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "signal %d", WTERMSIG(status));
	else
		snprintf(buf, size, "exit %d", WEXITSTATUS(status));
}

const char *
endpoint_text(const struct netaddr *addr, uint16_t port)
{
	char	*buf = buffer_next(), ip[NETADDR_TEXT_SIZE];

	if (addr->family == AF_INET)
		snprintf(buf, SAFE_SIZE, "%s:%u", netaddr_text(addr, ip),
		    port);
	else if (addr->family == AF_INET6)
		snprintf(buf, SAFE_SIZE, "[%s]:%u", netaddr_text(addr, ip),
		    port);
	else
		strlcpy(buf, "-", SAFE_SIZE);
	return (buf);
}

const char *
key_text(const uint8_t *key, size_t len)
{
	char	*buf;

	buf = buffer_next();
	if (network_key_text(key, len, buf, SAFE_SIZE) == 0)
		return (buf);
	return (safe_bytes(key, len));
}
