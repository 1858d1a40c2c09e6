/*
 * How networks (address/length) are spelt as database keys, and how the
 * database says which lengths it holds.
 *
 * The keys are those of ucspi-tcp6.  IPv4: '_' and one byte for each bit of
 * the prefix, '0' for a clear bit, for a set bit number i (counted from 0)
 * the i-th of "abcdefghijklmnopqrstuvwxyz123456".  IPv6: '^' and one byte
 * for each bit, '0' for a clear bit, 96 + k for the k-th set bit.  So the
 * key of a shorter prefix begins the key of a longer one.
 *
 * The record NETWORK_LENGTHS_KEY lists the lengths present: 'L', then '0'
 * or '1' for each of IPv4 /0 to /32 and IPv6 /0 to /128, then NUL: a letter
 * unknown to classic readers, so skipped by them.  No lookup can ask for
 * this key: it holds no '@' and is no address.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include <stddef.h>
#include <stdint.h>

#define NETWORK_BITS_V4		32
#define NETWORK_BITS_V6		128
#define NETWORK_KEY_SIZE	(1 + NETWORK_BITS_V6)

#define NETWORK_LENGTHS_KEY	"/lengths"
#define NETWORK_LENGTHS_KEY_LEN	(sizeof(NETWORK_LENGTHS_KEY) - 1)
#define NETWORK_LENGTHS_DATA	(1 + NETWORK_BITS_V4 + 1 + \
				    NETWORK_BITS_V6 + 1 + 1)

/* One flag for each prefix length. */
struct network_lengths {
	uint8_t	v4[NETWORK_BITS_V4 + 1];
	uint8_t	v6[NETWORK_BITS_V6 + 1];
};

/*
 * network_key: writes the key of the first bits bits of an address (bytes
 * in network order) and returns its length, bits + 1.
 * network_key_note: sets the flag of a key of either kind; other keys are
 * ignored.
 * network_key_text: the reverse of network_key, as "a.b.c.d/n" or
 * "x:y::/n" in RFC 5952 form, for people; -1 when key is not one.
 * network_lengths_write: makes the record's NETWORK_LENGTHS_DATA bytes.
 * network_lengths_read: 0, or -1 when these bytes are not such a record.
 */
size_t	network_key(uint8_t *, int, const uint8_t *, unsigned int);
void	network_key_note(struct network_lengths *, const uint8_t *, size_t);
int	network_key_text(const uint8_t *, size_t, char *, size_t);
void	network_lengths_write(const struct network_lengths *, uint8_t *);
int	network_lengths_read(struct network_lengths *, const uint8_t *,
	    size_t);

#endif
