/*
 * Networks as keys.  The keys are spelt out from the description of
 * ucspi-tcp6's format.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include <atf-c.h>

#include "compat.h"
#include "network.h"

static const struct {
	int		 family;
	const char	*ip;
	unsigned int	 bits;
	const char	*key;
	const char	*text;
} networks[] = {
	{ AF_INET, "10.0.0.0", 8, "_0000e0g0", "10.0.0.0/8" },
	{ AF_INET, "10.255.255.255", 8, "_0000e0g0", "10.0.0.0/8" },
	{ AF_INET, "255.255.255.255", 32,
	    "_abcdefghijklmnopqrstuvwxyz123456", "255.255.255.255/32" },
	{ AF_INET, "0.0.0.0", 32, "_00000000000000000000000000000000",
	    "0.0.0.0/32" },
	{ AF_INET, "128.0.0.0", 1, "_a", "128.0.0.0/1" },
	{ AF_INET, "1.2.3.4", 0, "_", "0.0.0.0/0" },
	{ AF_INET, "192.168.128.0", 17, "_ab000000i0k0m000q",
	    "192.168.128.0/17" },
	{ AF_INET6, "2001:db8::", 32, "^00`000000000000a0000bc0de0fgh000",
	    "2001:db8::/32" },
	{ AF_INET6, "::", 0, "^", "::/0" },
	{ AF_INET6, "8000::", 1, "^`", "8000::/1" },
	{ AF_INET6, "fe80::", 10, "^`abcdef0g0", "fe80::/10" },
};

ATF_TC_WITHOUT_HEAD(keys);
ATF_TC_BODY(keys, tc)
{
	uint8_t	bytes[16], key[NETWORK_KEY_SIZE];
	char	got[NETWORK_KEY_SIZE + 1], text[64];
	size_t	i, len;

	for (i = 0; i < nitems(networks); i++) {
		ATF_REQUIRE(inet_pton(networks[i].family, networks[i].ip,
		    bytes) == 1);
		len = network_key(key, networks[i].family, bytes,
		    networks[i].bits);
		ATF_CHECK_EQ(networks[i].bits + 1, len);
		memcpy(got, key, len);
		got[len] = '\0';
		ATF_CHECK_STREQ(networks[i].key, got);
		ATF_REQUIRE(network_key_text(key, len, text,
		    sizeof(text)) == 0);
		ATF_CHECK_STREQ(networks[i].text, text);
	}
}

/* 128 set bits run over bytes that are no letters and no ASCII. */
ATF_TC_WITHOUT_HEAD(all_bits_v6);
ATF_TC_BODY(all_bits_v6, tc)
{
	uint8_t	bytes[16], key[NETWORK_KEY_SIZE];
	char	text[64];
	size_t	i;

	memset(bytes, 0xff, sizeof(bytes));
	ATF_REQUIRE_EQ(129, network_key(key, AF_INET6, bytes, 128));
	ATF_CHECK_EQ('^', key[0]);
	for (i = 0; i < 128; i++)
		ATF_CHECK_EQ(96 + i, key[1 + i]);
	ATF_REQUIRE(network_key_text(key, 129, text, sizeof(text)) == 0);
	ATF_CHECK_STREQ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", text);
}

ATF_TC_WITHOUT_HEAD(prefix_property);
ATF_TC_BODY(prefix_property, tc)
{
	const uint8_t	bytes[16] = { 0xa5, 0x5a, 0x0f, 0xf0, 1, 2, 3, 4, 5,
			    6, 7, 8, 0xff, 0, 0x80, 1 };
	uint8_t		full[NETWORK_KEY_SIZE], key[NETWORK_KEY_SIZE];
	unsigned int	bits;

	network_key(full, AF_INET6, bytes, 128);
	for (bits = 0; bits <= 128; bits++) {
		ATF_CHECK_EQ(bits + 1, network_key(key, AF_INET6, bytes,
		    bits));
		ATF_CHECK(memcmp(full, key, bits + 1) == 0);
	}
}

ATF_TC_WITHOUT_HEAD(text_of_other_keys);
ATF_TC_BODY(text_of_other_keys, tc)
{
	const char	*keys[] = { "", "1.2.3.4", "=a", "_b", "_0a", "^b",
			    "_000000000000000000000000000000000", "_A", "^0a" };
	char		 text[64];
	size_t		 i;

	for (i = 0; i < nitems(keys); i++)
		ATF_CHECK_EQ_MSG(-1, network_key_text(
		    (const uint8_t *)keys[i], strlen(keys[i]), text,
		    sizeof(text)), "%s", keys[i]);
}

ATF_TC_WITHOUT_HEAD(lengths_record);
ATF_TC_BODY(lengths_record, tc)
{
	struct network_lengths	got, put;
	uint8_t			data[NETWORK_LENGTHS_DATA];
	size_t			i;

	memset(&put, 0, sizeof(put));
	put.v4[0] = put.v4[24] = put.v4[32] = 1;
	put.v6[0] = put.v6[64] = put.v6[128] = 1;
	network_lengths_write(&put, data);
	ATF_REQUIRE(network_lengths_read(&got, data, sizeof(data)) == 0);
	ATF_CHECK(memcmp(&put, &got, sizeof(put)) == 0);
	/* Classic readers: one string, of an unknown letter. */
	ATF_CHECK_EQ('L', data[0]);
	ATF_CHECK(memchr(data, '\0', sizeof(data)) == data + sizeof(data) - 1);

	ATF_CHECK_EQ(-1, network_lengths_read(&got, data, sizeof(data) - 1));
	ATF_CHECK_EQ(-1, network_lengths_read(&got, data, 0));
	for (i = 0; i < sizeof(data); i++) {
		data[i] ^= 0x80;
		ATF_CHECK_EQ(-1, network_lengths_read(&got, data,
		    sizeof(data)));
		data[i] ^= 0x80;
	}
}

ATF_TC_WITHOUT_HEAD(noting);
ATF_TC_BODY(noting, tc)
{
	const char		*keys[] = { "_000", "^00000", "_", "",
				    "1.2.3.4", "=_00" };
	struct network_lengths	lengths;
	uint8_t			longest[200];
	size_t			i, sum;

	memset(&lengths, 0, sizeof(lengths));
	for (i = 0; i < nitems(keys); i++)
		network_key_note(&lengths, (const uint8_t *)keys[i],
		    strlen(keys[i]));
	memset(longest, '_', sizeof(longest));
	network_key_note(&lengths, longest, 34);
	memset(longest, '^', sizeof(longest));
	network_key_note(&lengths, longest, 130);
	for (sum = i = 0; i <= NETWORK_BITS_V4; i++)
		sum += lengths.v4[i];
	for (i = 0; i <= NETWORK_BITS_V6; i++)
		sum += lengths.v6[i];
	ATF_CHECK_EQ(3, sum);
	ATF_CHECK(lengths.v4[3] && lengths.v4[0] && lengths.v6[5]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, keys);
	ATF_TP_ADD_TC(tp, all_bits_v6);
	ATF_TP_ADD_TC(tp, prefix_property);
	ATF_TP_ADD_TC(tp, text_of_other_keys);
	ATF_TP_ADD_TC(tp, lengths_record);
	ATF_TP_ADD_TC(tp, noting);
	return (atf_no_error());
}
