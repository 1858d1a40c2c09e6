/*
 * Judges clients by a rules database.  This is what the engine links: it
 * holds a private copy of the file and never touches the file again, so
 * nobody who can write there can do more than change the verdicts.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "database.h"
#include "lookup.h"
#include "network.h"

#define READ_TRIES	3

/* Of a cdb file; where size_t is small, of what memory can be asked for. */
#define FILE_BYTES_MAX							\
	(SSIZE_MAX > UINT32_MAX ? (int64_t)UINT32_MAX : SSIZE_MAX - 1)

struct access {
	struct database	 db;		/* looks into copy */
	uint8_t		*copy;
	struct lengths	 lengths;
	int		 lengths_known;
	struct stat	 st;		/* of the file, as it was read */
};

static int
time_differs(struct timespec a, struct timespec b)
{
	return (a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec);
}

static int
stat_differs(const struct stat *a, const struct stat *b)
{
	return (a->st_dev != b->st_dev || a->st_ino != b->st_ino ||
	    a->st_nlink != b->st_nlink || a->st_size != b->st_size ||
	    time_differs(a->st_mtim, b->st_mtim) ||
	    time_differs(a->st_ctim, b->st_ctim));
}

static int
stat_check(const struct stat *st)
{
	if (S_ISREG(st->st_mode)) {
		if (st->st_size <= FILE_BYTES_MAX)
			return (0);
		errno = EFBIG;
	} else
		errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
	return (-1);
}

/* Reads up to size bytes; fewer when the file has become shorter. */
static ssize_t
file_read(int fd, uint8_t *base, size_t size)
{
	ssize_t	n;
	size_t	have;

	for (have = 0; have < size; have += n) {
		n = pread(fd, base + have, size - have, have);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			return (-1);
		else if (n == 0)
			break;
	}
	return (have);
}

/*
 * One attempt to copy the file.  Returns 1 when the copy is one state of
 * it, 0 when it changed meanwhile, -1 with errno.
 */
static int
file_copy(int fd, struct access *access)
{
	struct stat	 after;
	ssize_t		 have;

	if (fstat(fd, &access->st) == -1 || stat_check(&access->st) == -1)
		return (-1);
	access->db.size = access->st.st_size;
	free(access->copy);
	/* One byte more: an empty file is damage, not a lack of memory. */
	if ((access->copy = malloc(access->db.size + 1)) == NULL)
		return (-1);
	access->db.base = access->copy;
	have = file_read(fd, access->copy, access->db.size);
	if (have == -1 || fstat(fd, &after) == -1)
		return (-1);
	return ((size_t)have == access->db.size &&
	    !stat_differs(&access->st, &after));
}

static int
file_load(int fd, struct access *access)
{
	int	copied, i;

	for (i = 0; i < READ_TRIES; i++)
		if ((copied = file_copy(fd, access)) != 0)
			return (copied == 1 ? 0 : -1);
	errno = EAGAIN;
	return (-1);
}

static int
lengths_load(struct access *access)
{
	struct database_record	record;
	struct network_lengths	present;
	struct database_key	key;
	int			found;

	memset(&present, 1, sizeof(present));
	database_key_start(&key);
	database_key_add(&key, NETWORK_LENGTHS_KEY, NETWORK_LENGTHS_KEY_LEN);
	if ((found = database_find(&access->db, &key, &record)) == -1)
		return (-1);
	if (found && network_lengths_read(&present, record.data,
	    record.data_len) == 0)
		access->lengths_known = 1;
	lookup_lengths_set(&access->lengths, &present);
	return (0);
}

struct access *
access_open(int fd)
{
	struct access	*access;
	int		 saved_errno;

	if ((access = calloc(1, sizeof(*access))) == NULL)
		return (NULL);
	if (file_load(fd, access) == -1 ||
	    database_prepare(&access->db) == -1 ||
	    lengths_load(access) == -1) {
		saved_errno = errno;
		access_close(access);
		errno = saved_errno;
		return (NULL);
	}
	return (access);
}

int
access_lengths_learn(struct access *access)
{
	struct database_record	record;
	struct network_lengths	present;
	size_t			pos;
	int			more;

	if (access->lengths_known)
		return (0);
	memset(&present, 0, sizeof(present));
	pos = DATABASE_HEADER_BYTES;
	while ((more = database_next(&access->db, &pos, &record)) == 1)
		network_key_note(&present, record.key, record.key_len);
	if (more == -1)
		return (-1);
	lookup_lengths_set(&access->lengths, &present);
	access->lengths_known = 1;
	return (0);
}

int
access_changed(const struct access *access, int fd)
{
	struct stat	st;

	return (fstat(fd, &st) == -1 || st.st_nlink == 0 ||
	    stat_differs(&access->st, &st));
}

static enum access_answer
answer_read(const uint8_t *data, size_t len)
{
	const uint8_t	*end, *next;

	end = data + len;
	while ((next = memchr(data, '\0', end - data)) != NULL) {
		if (*data == 'D')
			return (ACCESS_DENY);
		data = next + 1;
	}
	return (ACCESS_ALLOW);
}

int
access_check(const struct access *access, const struct access_client *client,
    struct access_verdict *verdict)
{
	struct database_record	record;

	switch (lookup_client(&access->db, &access->lengths, client, &record)) {
	case -1:
		return (-1);
	case 0:
		verdict->answer = ACCESS_DEFAULT;
		verdict->key_len = 0;
		verdict->data = NULL;
		verdict->data_len = 0;
		return (0);
	}
	verdict->answer = answer_read(record.data, record.data_len);
	verdict->key_len = record.key_len;
	memcpy(verdict->key, record.key, record.key_len);
	verdict->data = record.data;
	verdict->data_len = record.data_len;
	return (0);
}

const char *
access_variable(const struct access_verdict *verdict, size_t *pos)
{
	const uint8_t	*entry, *end;

	while (*pos < verdict->data_len) {
		entry = verdict->data + *pos;
		end = memchr(entry, '\0', verdict->data_len - *pos);
		if (end == NULL)
			break;
		if (*entry == 'D')
			break;
		*pos += end + 1 - entry;
		if (*entry == '+' && memchr(entry, '=', end - entry) != NULL)
			return ((const char *)entry + 1);
	}
	return (NULL);
}

void
access_close(struct access *access)
{
	if (access == NULL)
		return;
	database_free(&access->db);
	free(access->copy);
	free(access);
}
