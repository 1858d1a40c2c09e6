/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * hold: a program to serve, thousands of times at once: says its pid, waits
 * for the client to leave.  Small on purpose.
 */
#include <stdio.h>
#include <unistd.h>

int
main(void)
{
	char	buf[512];
	int	len;

	len = snprintf(buf, sizeof(buf), "%d\n", (int)getpid());
	if (write(STDOUT_FILENO, buf, (size_t)len) != len)
		return (1);
	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		continue;
	return (0);
}
