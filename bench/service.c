/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * service: the least a service can do, to be linked statically: says two
 * bytes and ends.
 */
#include <unistd.h>

int
main(void)
{
	return (write(STDOUT_FILENO, "ok", 2) != 2);
}
