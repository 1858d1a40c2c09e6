/*
 * The address part of a rule.  Used by tcprules only.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "network.h"

#define ADDRESS_KEY_SIZE	NETWORK_KEY_SIZE

enum address_kind {
	ADDRESS_BAD,		/* neither an address nor 0.88's text */
	ADDRESS_LITERAL,	/* the text is the key */
	ADDRESS_NORMAL		/* the key is spelt otherwise */
};

/*
 * address_is_v6: whether the text is an IPv6 address (bare, in brackets,
 * with "user@" before it), network or text prefix, so that its colons
 * belong to it.
 * address_key: how the lookup will spell the text.  For ADDRESS_NORMAL the
 * key is the first *head_len bytes of the text ("user@"), then the *key_len
 * bytes written to key, which has ADDRESS_KEY_SIZE.
 */
int			address_is_v6(const uint8_t *, size_t);
enum address_kind	address_key(const uint8_t *, size_t, size_t *,
			    uint8_t *, size_t *);

#endif
