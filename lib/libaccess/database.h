/*
 * A cdb file held in private memory, read without trusting it.  The format
 * is D. J. Bernstein's "constant database" (cdb.txt): 256 pairs of table
 * position and slot count, records, then tables of (hash, position) slots.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <stddef.h>
#include <stdint.h>

#define DATABASE_HEADER_BYTES	2048
#define DATABASE_HASH_START	5381U

struct database {
	const uint8_t	*base;
	size_t		 size;		/* bytes, at most UINT32_MAX */
	/*
	 * One bit for each hash, folded: clear when no record has it.  Most
	 * keys that are sought do not exist; this tells so from a memory
	 * small enough to stay near the processor.
	 */
	uint64_t	*filter;
	unsigned int	 filter_shift;
};

/* A key in up to three pieces, with its hash. */
struct database_key {
	uint32_t	 hash;
	unsigned int	 count;
	size_t		 len;		/* of all pieces */
	struct {
		const void	*bytes;
		size_t		 len;
	}		 piece[3];
};

struct database_record {
	const uint8_t	*key;
	const uint8_t	*data;
	uint32_t	 key_len;
	uint32_t	 data_len;
};

/*
 * database_prepare: with base and size set and the rest zero, checks that
 * the tables of the header fit into the file and makes the filter.  0, or
 * -1 with errno EPROTO or ENOMEM.  The other calls rely on it.
 * database_free: frees the filter; base is the caller's.
 * database_may_hold: 0 when surely no record has that hash.
 * database_prefetch: asks the processor to fetch the slot of a hash.
 * database_find: the first record with that key.  Returns 1 and fills in
 * the record, 0 when there is none, -1 with errno EPROTO on damage.
 * database_next: steps through all records in file order; *pos starts at
 * DATABASE_HEADER_BYTES.  Returns as database_find.
 */
int	database_prepare(struct database *);
void	database_free(struct database *);
void	database_prefetch(const struct database *, uint32_t);
int	database_find(const struct database *, const struct database_key *,
	    struct database_record *);
int	database_next(const struct database *, size_t *,
	    struct database_record *);

static inline uint32_t
database_filter_bit(const struct database *db, uint32_t hash)
{
	return (hash * 2654435769U >> db->filter_shift);
}

static inline int
database_may_hold(const struct database *db, uint32_t hash)
{
	uint32_t	bit;

	bit = database_filter_bit(db, hash);
	return (db->filter[bit / 64] >> bit % 64 & 1);
}

static inline uint32_t
database_hash_step(uint32_t hash, uint8_t byte)
{
	return ((hash * 33) ^ byte);
}

static inline uint32_t
database_hash(uint32_t hash, const void *bytes, size_t len)
{
	const uint8_t	*p = bytes;
	size_t		 i;

	for (i = 0; i < len; i++)
		hash = database_hash_step(hash, p[i]);
	return (hash);
}

/*
 * Keys are built piece by piece (database_key_start, then _add, which
 * hashes), or at once from bytes whose hash is known (_set).
 */
static inline void
database_key_start(struct database_key *key)
{
	key->hash = DATABASE_HASH_START;
	key->count = 0;
	key->len = 0;
}

static inline void
database_key_add(struct database_key *key, const void *bytes, size_t len)
{
	key->hash = database_hash(key->hash, bytes, len);
	key->piece[key->count].bytes = bytes;
	key->piece[key->count++].len = len;
	key->len += len;
}

static inline void
database_key_set(struct database_key *key, const void *bytes, size_t len,
    uint32_t hash)
{
	key->hash = hash;
	key->count = 1;
	key->len = len;
	key->piece[0].bytes = bytes;
	key->piece[0].len = len;
}

#endif
