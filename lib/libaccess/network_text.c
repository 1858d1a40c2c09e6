/*
 * Network keys for people.  Apart from network.c, so that only who prints
 * them needs libucspi.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdio.h>
#include <string.h>

#include "network.h"
#include "ucspi.h"

int
network_key_text(const uint8_t *key, size_t len, char *text, size_t size)
{
	struct netaddr	addr;
	char		ip[NETADDR_TEXT_SIZE];
	uint8_t		again[NETWORK_KEY_SIZE];
	size_t		i;
	int		family;

	if (len < 1 || (key[0] != '_' && key[0] != '^'))
		return (-1);
	family = key[0] == '_' ? AF_INET : AF_INET6;
	if (len - 1 > (family == AF_INET ? NETWORK_BITS_V4 : NETWORK_BITS_V6))
		return (-1);
	memset(&addr, 0, sizeof(addr));
	addr.family = family;
	for (i = 1; i < len; i++)
		if (key[i] != '0')
			addr.bytes[(i - 1) / 8] |= 0x80 >> (i - 1) % 8;
	/* Only what network_key makes is a network. */
	network_key(again, family, addr.bytes, len - 1);
	if (memcmp(again, key, len) != 0)
		return (-1);
	snprintf(text, size, "%s/%zu", netaddr_text(&addr, ip), len - 1);
	return (0);
}
