/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Values as words.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "network.h"
#include "tcpserverctl.h"

const char *const ending_names[ENDING_MAX] = {
	[ENDING_SUCCESS] = "success",
	[ENDING_FAILURE] = "failure",
	[ENDING_SIGNAL] = "signal"
};

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
	char	*buf = safe_buffer(), ip[NETADDR_TEXT_SIZE];

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

	buf = safe_buffer();
	if (network_key_text(key, len, buf, SAFE_SIZE) == 0)
		return (buf);
	return (safe_bytes(key, len));
}
