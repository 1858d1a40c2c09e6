/*
 * What the address part of a rule means, and how the lookup spells it.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <string.h>

#include "address.h"
#include "ucspi.h"

#define GROUPS_MAX	8	/* groups of an IPv6 address */
#define GROUP_DIGITS	4

static const uint8_t	mapped_prefix[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

/* Copies text for inet_pton(3), without brackets if it stands in them. */
static int
text_copy(char *copy, size_t size, const uint8_t *text, size_t len,
    int brackets)
{
	if (brackets && len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= size || memchr(text, '\0', len) != NULL)
		return (-1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return (0);
}

static int
v6_parse(const uint8_t *text, size_t len, uint8_t *bytes)
{
	char	copy[NETADDR_TEXT_SIZE];

	if (text_copy(copy, sizeof(copy), text, len, 1) == -1)
		return (-1);
	return (inet_pton(AF_INET6, copy, bytes) == 1 ? 0 : -1);
}

static int
v4_parse(const uint8_t *text, size_t len, uint8_t *bytes)
{
	char	copy[NETADDR_TEXT_SIZE];

	if (text_copy(copy, sizeof(copy), text, len, 0) == -1)
		return (-1);
	return (inet_pton(AF_INET, copy, bytes) == 1 ? 0 : -1);
}

/* A single address becomes the very text that the daemon makes of it. */
static enum address_kind
v6_key(const uint8_t *bytes, uint8_t *key, size_t *key_len)
{
	struct netaddr	addr;
	char		text[NETADDR_TEXT_SIZE];

	memset(&addr, 0, sizeof(addr));
	if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		addr.family = AF_INET;
		memcpy(addr.bytes, bytes + 12, 4);
	} else {
		addr.family = AF_INET6;
		memcpy(addr.bytes, bytes, 16);
	}
	netaddr_text(&addr, text);
	*key_len = strlen(text);
	memcpy(key, text, *key_len);
	return (ADDRESS_NORMAL);
}

/* A decimal number without sign or needless zeros; -1 if it is none. */
static int
bits_parse(const uint8_t *text, size_t len, int max)
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
	return (bits <= max ? bits : -1);
}

/* "address/bits"; IPv4 networks written as mapped IPv6 ones are IPv4. */
static enum address_kind
net_key(const uint8_t *text, size_t len, uint8_t *key, size_t *key_len)
{
	const uint8_t	*slash;
	uint8_t		 bytes[16];
	int		 bits;

	if ((slash = memchr(text, '/', len)) == NULL)
		return (ADDRESS_BAD);
	bits = bits_parse(slash + 1, text + len - slash - 1, NETWORK_BITS_V6);
	if (bits == -1)
		return (ADDRESS_BAD);
	if (v4_parse(text, slash - text, bytes) == 0) {
		if (bits > NETWORK_BITS_V4)
			return (ADDRESS_BAD);
		*key_len = network_key(key, AF_INET, bytes, bits);
	} else if (v6_parse(text, slash - text, bytes) == -1)
		return (ADDRESS_BAD);
	else if (bits >= 96 &&
	    memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
		*key_len = network_key(key, AF_INET, bytes + 12, bits - 96);
	else
		*key_len = network_key(key, AF_INET6, bytes, bits);
	return (ADDRESS_NORMAL);
}

/*
 * Appends one group of a text prefix in lower case without leading zeros.
 * Returns the number of digits read, which may be 0, or -1.
 */
static int
group_add(const uint8_t *text, size_t len, uint8_t *key, size_t *key_len)
{
	const char	*digit, *digits = "0123456789abcdef0123456789ABCDEF";
	size_t		 i, n;

	for (n = 0; n < len && text[n] != ':'; n++)
		if (n == GROUP_DIGITS || text[n] == '\0' ||
		    strchr(digits, text[n]) == NULL)
			return (-1);
	for (i = 0; i + 1 < n && text[i] == '0'; i++)
		;
	for (; i < n; i++) {
		digit = strchr(digits, text[i]);
		key[(*key_len)++] = digits[(digit - digits) % 16];
	}
	return (n);
}

/*
 * A text prefix: groups, each followed by a colon, with at most one "::".
 * It is compared as text, as 0.88 compares "1.2.".
 */
static enum address_kind
prefix_key(const uint8_t *text, size_t len, uint8_t *key, size_t *key_len)
{
	size_t	i;
	int	digits, gaps, groups;

	*key_len = 0;
	gaps = groups = 0;
	if (len < 2 || text[len - 1] != ':')
		return (ADDRESS_BAD);
	for (i = 0; i < len; i++) {
		digits = group_add(text + i, len - i, key, key_len);
		if (digits == -1)
			return (ADDRESS_BAD);
		if (digits == 0 && i == 0 && text[1] != ':')
			return (ADDRESS_BAD);
		if (digits > 0 && ++groups == GROUPS_MAX)
			return (ADDRESS_BAD);
		if (digits == 0 && i > 0 && ++gaps > 1)
			return (ADDRESS_BAD);
		i += digits;
		key[(*key_len)++] = ':';
	}
	return (ADDRESS_NORMAL);
}

static enum address_kind
colons_key(const uint8_t *text, size_t len, int has_info, uint8_t *key,
    size_t *key_len)
{
	uint8_t	bytes[16];

	if (v6_parse(text, len, bytes) == 0)
		return (v6_key(bytes, key, key_len));
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
