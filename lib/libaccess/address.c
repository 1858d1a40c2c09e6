/*
 * What the address part of a rule means, and how the lookup spells it.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <string.h>

#include "address.h"
#include "ucspi.h"

#define V4_IN_V6_BITS	96	/* before the IPv4 part of a mapped address */
#define GROUP_BYTES	2

/* What the daemon makes of such a client; "::ffff:1.2.3.4" is IPv4, too. */
static int
address_parse(const uint8_t *text, size_t len, struct netaddr *addr)
{
	char	copy[sizeof("[]") + NETADDR_TEXT_SIZE];

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return (-1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return (netaddr_parse(addr, copy));
}

/* A decimal number without sign or needless zeros; -1 if it is none. */
static int
bits_parse(const uint8_t *text, size_t len)
{
	size_t	i;
	int	bits;

	if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
		return (-1);
	for (bits = 0, i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return (-1);
		bits = bits * 10 + (text[i] - '0');
	}
	return (bits);
}

/*
 * "address/bits".  A mapped address has its bits counted from the front of
 * the IPv6 form; fewer than stand before the IPv4 part are an error, since
 * no client is both of IPv6 and mapped.
 */
static enum address_kind
net_key(const uint8_t *text, size_t len, uint8_t *key, size_t *key_len)
{
	struct netaddr	 addr;
	const uint8_t	*slash;
	int		 bits, max;

	if ((slash = memchr(text, '/', len)) == NULL ||
	    address_parse(text, slash - text, &addr) == -1)
		return (ADDRESS_BAD);
	max = addr.family == AF_INET ? NETWORK_BITS_V4 : NETWORK_BITS_V6;
	bits = bits_parse(slash + 1, text + len - slash - 1);
	if (addr.family == AF_INET && memchr(text, ':', slash - text) != NULL)
		bits -= V4_IN_V6_BITS;
	if (bits < 0 || bits > max)
		return (ADDRESS_BAD);
	*key_len = network_key(key, addr.family, addr.bytes, bits);
	return (ADDRESS_NORMAL);
}

/*
 * A text prefix: one to seven groups, each followed by a colon.  It is
 * compared as text, as 0.88 compares "1.2.", and the text of an address
 * leaves out runs of zero groups.  A prefix in which such a run may begin
 * would miss clients that it means, so it is an error.
 */
static enum address_kind
prefix_key(const uint8_t *text, size_t len, uint8_t *key, size_t *key_len)
{
	struct netaddr	addr;
	uint8_t		copy[NETADDR_TEXT_SIZE];
	char		full[NETADDR_TEXT_SIZE];
	size_t		i, used;

	if (len >= sizeof(copy) || text[len - 1] != ':')
		return (ADDRESS_BAD);
	for (used = i = 0; i < len; i++)
		if (text[i] == ':')
			used += GROUP_BYTES;
	/* With a second colon it is an address that ends in zeros. */
	memcpy(copy, text, len);
	copy[len] = ':';
	if (address_parse(copy, len + 1, &addr) == -1 ||
	    addr.family != AF_INET6 || used >= sizeof(addr.bytes) ||
	    (addr.bytes[used - 2] == 0 && addr.bytes[used - 1] == 0))
		return (ADDRESS_BAD);
	memset(addr.bytes + used, 0xff, sizeof(addr.bytes) - used);
	if (strstr(netaddr_text(&addr, full), "::") != NULL)
		return (ADDRESS_BAD);
	*key_len = strlen(full) + 1 -
	    (sizeof(addr.bytes) - used) / GROUP_BYTES * strlen(":ffff");
	memcpy(key, full, *key_len);
	return (ADDRESS_NORMAL);
}

/* A single address becomes the very text that the daemon makes of it. */
static enum address_kind
colons_key(const uint8_t *text, size_t len, int has_info, uint8_t *key,
    size_t *key_len)
{
	struct netaddr	addr;
	char		ip[NETADDR_TEXT_SIZE];

	if (address_parse(text, len, &addr) == 0) {
		*key_len = strlen(netaddr_text(&addr, ip));
		memcpy(key, ip, *key_len);
		return (ADDRESS_NORMAL);
	}
	if (has_info)
		return (ADDRESS_BAD);
	return (prefix_key(text, len, key, key_len));
}

/* Where the address begins: behind the last '@', if there is one. */
static size_t
info_length(const uint8_t *text, size_t len)
{
	while (len > 0 && text[len - 1] != '@')
		len--;
	return (len);
}

enum address_kind
address_key(const uint8_t *text, size_t len, size_t *head_len, uint8_t *key,
    size_t *key_len)
{
	*head_len = 0;
	if (memchr(text, '=', len) != NULL)
		return (ADDRESS_LITERAL);
	*head_len = info_length(text, len);
	text += *head_len;
	len -= *head_len;
	if (memchr(text, '/', len) != NULL) {
		if (*head_len > 0)
			return (ADDRESS_BAD);
		return (net_key(text, len, key, key_len));
	}
	if (memchr(text, ':', len) != NULL)
		return (colons_key(text, len, *head_len > 0, key, key_len));
	return (ADDRESS_LITERAL);
}

int
address_is_v6(const uint8_t *text, size_t len)
{
	uint8_t	key[ADDRESS_KEY_SIZE];
	size_t	head_len, key_len;

	/* The caller cut behind a colon, so literal text is not meant. */
	return (address_key(text, len, &head_len, key, &key_len) ==
	    ADDRESS_NORMAL);
}
