/*
 * Copyright (c) 2026 the tcpserverd developers
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/*
 * knock FROM TO PORT: connects to a port from an address of this machine
 * and copies what comes to standard output, for ./bootstrap demo.  Exits 3
 * when FROM can't be used here, as 127.0.0.2 on systems that give lo0 one
 * address.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netinet/in.h>

#include <arpa/inet.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S	10
#define EXIT_NO_ADDRESS	3

static void
address_set(struct sockaddr_in *sin, const char *ip, const char *port)
{
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, ip, &sin->sin_addr) != 1)
		errx(1, "not an IPv4 address: %s", ip);
}

static int
connect_from(const char *from, const char *to, const char *port)
{
	struct sockaddr_in	 local, remote;
	struct timeval		 timeout = { TIMEOUT_S, 0 };
	int			 s;

	address_set(&local, from, "0");
	address_set(&remote, to, port);
	if ((s = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	if (bind(s, (struct sockaddr *)&local, sizeof(local)) == -1) {
		warn("%s", from);
		exit(EXIT_NO_ADDRESS);
	}
	if (setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &timeout,
	    sizeof(timeout)) == -1)
		err(1, "setsockopt");
	if (connect(s, (struct sockaddr *)&remote, sizeof(remote)) == -1)
		err(1, "connect to %s port %s", to, port);
	return (s);
}

int
main(int argc, char *argv[])
{
	char	 buf[4096];
	ssize_t	 n;
	int	 s;

	if (argc != 4) {
		fprintf(stderr, "usage: knock from to port\n");
		return (1);
	}
	s = connect_from(argv[1], argv[2], argv[3]);
	while ((n = read(s, buf, sizeof(buf))) > 0)
		if (write(STDOUT_FILENO, buf, (size_t)n) != n)
			err(1, "stdout");
	if (n == -1)
		err(1, "read from %s port %s", argv[2], argv[3]);
	return (0);
}
