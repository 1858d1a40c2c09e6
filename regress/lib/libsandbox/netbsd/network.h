/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A network of this process's own: not on this system.
 */
static int
network_private(void)
{
	errno = EOPNOTSUPP;
	return (-1);
}
