/*
 * Networks as database keys, and the record of their lengths.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <string.h>

#include "network.h"

static const char	set_bits_v4[] = "abcdefghijklmnopqrstuvwxyz123456";

static unsigned int
bit_read(const uint8_t *bytes, unsigned int bit)
{
	return (bytes[bit / 8] >> (7 - bit % 8) & 1);
}

/* Without branches: the bits of an address are not to be foretold. */
size_t
network_key(uint8_t *key, int family, const uint8_t *bytes, unsigned int bits)
{
	unsigned int	bit, i, set;

	key[0] = family == AF_INET ? '_' : '^';
	for (i = set = 0; i < bits; i++) {
		bit = bit_read(bytes, i);
		if (family == AF_INET)
			key[1 + i] = '0' + bit * (set_bits_v4[i] - '0');
		else
			key[1 + i] = '0' + bit * (96 + set - '0');
		set += bit;
	}
	return (1 + bits);
}

void
network_key_note(struct network_lengths *lengths, const uint8_t *key,
    size_t len)
{
	if (len < 1)
		return;
	if (key[0] == '_' && len - 1 <= NETWORK_BITS_V4)
		lengths->v4[len - 1] = 1;
	if (key[0] == '^' && len - 1 <= NETWORK_BITS_V6)
		lengths->v6[len - 1] = 1;
}

static uint8_t *
flags_write(uint8_t *data, const uint8_t *flags, size_t count)
{
	size_t	i;

	for (i = 0; i < count; i++)
		*data++ = flags[i] ? '1' : '0';
	return (data);
}

void
network_lengths_write(const struct network_lengths *lengths, uint8_t *data)
{
	*data++ = 'L';
	data = flags_write(data, lengths->v4, sizeof(lengths->v4));
	data = flags_write(data, lengths->v6, sizeof(lengths->v6));
	*data = '\0';
}

static int
flags_read(uint8_t *flags, const uint8_t *data, size_t count)
{
	size_t	i;

	for (i = 0; i < count; i++) {
		if (data[i] != '0' && data[i] != '1')
			return (-1);
		flags[i] = data[i] == '1';
	}
	return (0);
}

int
network_lengths_read(struct network_lengths *lengths, const uint8_t *data,
    size_t len)
{
	struct network_lengths	got;

	if (len != NETWORK_LENGTHS_DATA || data[0] != 'L' ||
	    data[len - 1] != '\0')
		return (-1);
	if (flags_read(got.v4, data + 1, sizeof(got.v4)) == -1 ||
	    flags_read(got.v6, data + 1 + sizeof(got.v4), sizeof(got.v6)) == -1)
		return (-1);
	*lengths = got;
	return (0);
}
