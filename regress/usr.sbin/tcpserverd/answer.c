/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * answer: a program to serve: gives back the first line it is sent, with its
 * pid, and leaves.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(void)
{
	char	line[512], text[600];
	size_t	got = 0;
	ssize_t	n;
	int	len;

	while (memchr(line, '\n', got) == NULL) {
		n = read(STDIN_FILENO, line + got, sizeof(line) - got);
		if (n <= 0)
			return (1);
		got += (size_t)n;
	}
	len = snprintf(text, sizeof(text), "%d %.*s", (int)getpid(), (int)got,
	    line);
	return (write(STDOUT_FILENO, text, (size_t)len) == len ? 0 : 2);
}
