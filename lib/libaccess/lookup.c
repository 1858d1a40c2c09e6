/*
 * The order in which the rules for one client are sought: tcprules(5).
 *
 * A miss costs little but the time main memory takes to answer, so keys
 * are collected and their slots fetched ahead, a batch at a time.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <string.h>

#include "lookup.h"

#define BATCH_KEYS	16
#define V6_FULL_LEN	39	/* eight groups of four digits */

struct search {
	const struct database	*db;
	struct database_record	*record;
	int			 result;	/* 0 until one is found */
	size_t			 count;
	struct database_key	 batch[BATCH_KEYS];
};

/* What the steps of one lookup share. */
struct subject {
	const struct access_client	*client;
	size_t				 ip_len;
	size_t				 host_len;
	size_t				 info_len;
	char				 full[V6_FULL_LEN];
	int				 has_full;
	uint8_t				 network[NETWORK_KEY_SIZE];
};

static void
batch_run(struct search *search)
{
	size_t	i;

	for (i = 0; i < search->count && search->result == 0; i++)
		search->result = database_find(search->db, &search->batch[i],
		    search->record);
	search->count = 0;
}

static void
key_try(struct search *search, const struct database_key *key)
{
	if (search->result != 0 || key->len > ACCESS_KEY_SIZE ||
	    !database_may_hold(search->db, key->hash))
		return;
	database_prefetch(search->db, key->hash);
	search->batch[search->count++] = *key;
	if (search->count == BATCH_KEYS)
		batch_run(search);
}

/* A key of up to three pieces, of which head may be NULL. */
static void
pieces_try(struct search *search, const char *head, size_t head_len,
    const char *mark, const char *tail, size_t tail_len)
{
	struct database_key	key;

	database_key_start(&key);
	if (head != NULL)
		database_key_add(&key, head, head_len);
	database_key_add(&key, mark, strlen(mark));
	database_key_add(&key, tail, tail_len);
	key_try(search, &key);
}

/* hashes[n] becomes the hash of the first n bytes, for all n up to len. */
static void
hashes_fill(uint32_t *hashes, const void *bytes, size_t len)
{
	const uint8_t	*p = bytes;
	size_t		 i;

	hashes[0] = DATABASE_HASH_START;
	for (i = 0; i < len; i++)
		hashes[i + 1] = database_hash_step(hashes[i], p[i]);
}

/* How ucspi-tcp6 spells the keys of single IPv6 addresses. */
static void
subject_set_full(struct subject *subject)
{
	const char	 digits[] = "0123456789abcdef";
	const uint8_t	*bytes = subject->client->bytes;
	char		*p = subject->full;
	size_t		 i;

	for (i = 0; i < 16; i++) {
		if (i > 0 && i % 2 == 0)
			*p++ = ':';
		*p++ = digits[bytes[i] >> 4];
		*p++ = digits[bytes[i] & 0xf];
	}
	subject->has_full = subject->ip_len != V6_FULL_LEN ||
	    memcmp(subject->full, subject->client->ip, V6_FULL_LEN) != 0;
}

static void
subject_init(struct subject *subject, const struct access_client *client)
{
	subject->client = client;
	subject->ip_len = strlen(client->ip);
	subject->host_len = client->host == NULL ? 0 : strlen(client->host);
	subject->info_len = client->info == NULL ? 0 : strlen(client->info);
	subject->has_full = 0;
	if (client->family == AF_INET6)
		subject_set_full(subject);
}

static void
info_try(struct search *search, const struct subject *subject)
{
	const struct access_client	*client = subject->client;

	if (client->info == NULL)
		return;
	pieces_try(search, client->info, subject->info_len, "@", client->ip,
	    subject->ip_len);
	if (subject->has_full)
		pieces_try(search, client->info, subject->info_len, "@",
		    subject->full, V6_FULL_LEN);
	if (client->host != NULL)
		pieces_try(search, client->info, subject->info_len, "@=",
		    client->host, subject->host_len);
}

static void
exact_try(struct search *search, const struct subject *subject,
    const uint32_t *ip_hashes)
{
	const struct access_client	*client = subject->client;
	struct database_key		 key;

	if (subject->ip_len <= ACCESS_KEY_SIZE) {
		database_key_set(&key, client->ip, subject->ip_len,
		    ip_hashes[subject->ip_len]);
		key_try(search, &key);
	}
	if (subject->has_full)
		pieces_try(search, NULL, 0, "", subject->full, V6_FULL_LEN);
	if (client->host != NULL)
		pieces_try(search, NULL, 0, "=", client->host,
		    subject->host_len);
}

static void
prefixes_try(struct search *search, const struct subject *subject,
    const uint32_t *ip_hashes, size_t len)
{
	const char		*ip = subject->client->ip;
	struct database_key	 key;
	int			 colons = subject->client->family == AF_INET6;

	for (; len > 0; len--) {
		if (ip[len - 1] != '.' && !(colons && ip[len - 1] == ':'))
			continue;
		database_key_set(&key, ip, len, ip_hashes[len]);
		key_try(search, &key);
	}
}

/* Address steps in one function, so that the text is hashed only once. */
static void
ip_try(struct search *search, const struct subject *subject)
{
	uint32_t	hashes[ACCESS_KEY_SIZE + 1];
	size_t		len;

	len = subject->ip_len;
	if (len > ACCESS_KEY_SIZE)
		len = ACCESS_KEY_SIZE;
	hashes_fill(hashes, subject->client->ip, len);
	exact_try(search, subject, hashes);
	prefixes_try(search, subject, hashes, len);
}

static void
networks_try(struct search *search, struct subject *subject,
    const uint8_t *lengths, size_t count)
{
	const struct access_client	*client = subject->client;
	struct database_key		 key;
	uint32_t			 hashes[NETWORK_KEY_SIZE + 1];
	size_t				 i, len;

	if (count == 0)
		return;
	len = network_key(subject->network, client->family, client->bytes,
	    lengths[0]);
	hashes_fill(hashes, subject->network, len);
	for (i = 0; i < count; i++) {
		len = 1 + lengths[i];
		database_key_set(&key, subject->network, len, hashes[len]);
		key_try(search, &key);
	}
}

static void
host_try(struct search *search, const struct subject *subject)
{
	const char	*host = subject->client->host;
	size_t		 i;

	if (host == NULL)
		return;
	for (i = 0; i < subject->host_len && search->result == 0; i++)
		if (host[i] == '.')
			pieces_try(search, NULL, 0, "=", host + i,
			    subject->host_len - i);
	pieces_try(search, NULL, 0, "=", "", 0);
}

static size_t
lengths_fill(uint8_t *list, const uint8_t *flags, size_t bits)
{
	size_t	count, n;

	count = 0;
	for (n = bits + 1; n-- > 0; )
		if (flags[n])
			list[count++] = n;
	return (count);
}

void
lookup_lengths_set(struct lengths *lengths,
    const struct network_lengths *present)
{
	lengths->count_v4 = lengths_fill(lengths->v4, present->v4,
	    NETWORK_BITS_V4);
	lengths->count_v6 = lengths_fill(lengths->v6, present->v6,
	    NETWORK_BITS_V6);
}

int
lookup_client(const struct database *db, const struct lengths *lengths,
    const struct access_client *client, struct database_record *record)
{
	struct search	search;
	struct subject	subject;

	search.db = db;
	search.record = record;
	search.result = 0;
	search.count = 0;
	subject_init(&subject, client);
	info_try(&search, &subject);
	ip_try(&search, &subject);
	if (client->family == AF_INET)
		networks_try(&search, &subject, lengths->v4,
		    lengths->count_v4);
	else if (client->family == AF_INET6)
		networks_try(&search, &subject, lengths->v6,
		    lengths->count_v6);
	host_try(&search, &subject);
	pieces_try(&search, NULL, 0, "", "", 0);
	batch_run(&search);
	return (search.result);
}
