/*
 * Reads a cdb file from private memory.  The bytes are hostile: every
 * position and length is checked before use, every loop ends with the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"

#define SLOT_BYTES	8		/* hash, position */
#define RECORD_BYTES	8		/* key length, data length */
#define FILTER_BITS	4		/* least number for each slot */

static uint32_t
number_read(const uint8_t *p)
{
	return ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24);
}

static int
damaged(void)
{
	errno = EPROTO;
	return (-1);
}

static const uint8_t *
header_pair(const struct database *db, uint32_t hash)
{
	return (db->base + (hash & 0xff) * 8);
}

/*
 * Tables never overlap in a sound file, so all together they are no larger
 * than what follows the header: that bounds every walk over them.
 */
static int
header_check(const struct database *db, uint32_t *all_slots)
{
	const uint8_t	*pair;
	uint32_t	 pos, room, slots, table;

	if (db->size < DATABASE_HEADER_BYTES || db->size > UINT32_MAX)
		return (damaged());
	room = (db->size - DATABASE_HEADER_BYTES) / SLOT_BYTES;
	*all_slots = 0;
	for (table = 0; table < 256; table++) {
		pair = header_pair(db, table);
		pos = number_read(pair);
		slots = number_read(pair + 4);
		if (slots == 0)
			continue;
		if (pos < DATABASE_HEADER_BYTES || pos > db->size ||
		    slots > (db->size - pos) / SLOT_BYTES ||
		    slots > room - *all_slots)
			return (damaged());
		*all_slots += slots;
	}
	return (0);
}

static int
filter_make(struct database *db, uint32_t slots)
{
	unsigned int	log;

	/* From 64 bits, one word, to 2^31: 2^32 bytes hold 2^29 slots. */
	for (log = 6; log < 31 && (uint64_t)1 << log <
	    (uint64_t)slots * FILTER_BITS; log++)
		;
	db->filter_shift = 32 - log;
	db->filter = calloc(((size_t)1 << log) / 64, sizeof(*db->filter));
	return (db->filter == NULL ? -1 : 0);
}

static void
filter_fill(struct database *db)
{
	const uint8_t	*pair, *slot;
	uint32_t	 bit, n, slots, table;

	for (table = 0; table < 256; table++) {
		pair = header_pair(db, table);
		if ((slots = number_read(pair + 4)) == 0)
			continue;
		slot = db->base + number_read(pair);
		for (n = 0; n < slots; n++, slot += SLOT_BYTES) {
			if (number_read(slot + 4) == 0)
				continue;
			bit = database_filter_bit(db, number_read(slot));
			db->filter[bit / 64] |= (uint64_t)1 << bit % 64;
		}
	}
}

int
database_prepare(struct database *db)
{
	uint32_t	slots;

	if (header_check(db, &slots) == -1 || filter_make(db, slots) == -1)
		return (-1);
	filter_fill(db);
	return (0);
}

void
database_free(struct database *db)
{
	free(db->filter);
	db->filter = NULL;
}

void
database_prefetch(const struct database *db, uint32_t hash)
{
	const uint8_t	*pair;
	uint32_t	 slots;

	pair = header_pair(db, hash);
	if ((slots = number_read(pair + 4)) == 0)
		return;
	__builtin_prefetch(db->base + number_read(pair) +
	    (size_t)(hash >> 8) % slots * SLOT_BYTES);
}

static int
record_read(const struct database *db, size_t pos,
    struct database_record *record)
{
	size_t	room;

	if (pos < DATABASE_HEADER_BYTES || pos > db->size ||
	    db->size - pos < RECORD_BYTES)
		return (damaged());
	record->key_len = number_read(db->base + pos);
	record->data_len = number_read(db->base + pos + 4);
	room = db->size - pos - RECORD_BYTES;
	if (record->key_len > room || record->data_len > room - record->key_len)
		return (damaged());
	record->key = db->base + pos + RECORD_BYTES;
	record->data = record->key + record->key_len;
	return (0);
}

static int
record_has_key(const struct database_record *record,
    const struct database_key *key)
{
	const uint8_t	*p;
	unsigned int	 i;

	if (record->key_len != key->len)
		return (0);
	p = record->key;
	for (i = 0; i < key->count; i++) {
		if (memcmp(p, key->piece[i].bytes, key->piece[i].len) != 0)
			return (0);
		p += key->piece[i].len;
	}
	return (1);
}

int
database_find(const struct database *db, const struct database_key *key,
    struct database_record *record)
{
	const uint8_t	*pair, *table, *slot;
	uint32_t	 i, n, pos, slots;

	pair = header_pair(db, key->hash);
	if ((slots = number_read(pair + 4)) == 0)
		return (0);
	table = db->base + number_read(pair);
	i = (key->hash >> 8) % slots;
	for (n = 0; n < slots; n++) {
		slot = table + (size_t)i * SLOT_BYTES;
		if ((pos = number_read(slot + 4)) == 0)
			return (0);
		if (number_read(slot) == key->hash) {
			if (record_read(db, pos, record) == -1)
				return (-1);
			if (record_has_key(record, key))
				return (1);
		}
		if (++i == slots)
			i = 0;
	}
	return (0);
}

/*
 * The records end where table 0 begins: makers of these files write the
 * tables in order, empty ones included.
 */
int
database_next(const struct database *db, size_t *pos,
    struct database_record *record)
{
	size_t	end;

	end = number_read(db->base);
	if (end < DATABASE_HEADER_BYTES || end > db->size)
		return (damaged());
	if (*pos == end)
		return (0);
	if (*pos > end || record_read(db, *pos, record) == -1)
		return (damaged());
	*pos += RECORD_BYTES + (size_t)record->key_len + record->data_len;
	if (*pos > end)
		return (damaged());
	return (1);
}
