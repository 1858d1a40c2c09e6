/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reading a message.  It is looked through once before it is sent, because
 * MAIL tells its size and kind; a text of one block is read only once.
 */
#include <sys/types.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "body.h"
#include "source.h"
#include "utf8.h"

#define HIGH_BITS	0x8080808080808080ULL

/* Where a scan is: the encoder's state, and that of the header. */
struct scan {
	struct body	 body;
	struct utf8	 head;
	int		 in_head;
	char		 last;		/* two octets back, and one */
	char		 before;
};

void
source_open(struct source *s, const struct delivery_message *message)
{
	s->message = message;
	s->block_at = 0;
	s->block_len = 0;
}

static ssize_t
file_read(int fd, char *buf, size_t size, off_t at)
{
	ssize_t	n;

	do {
		n = pread(fd, buf, size, at);
	} while (n == -1 && errno == EINTR);
	if (n == 0) {
		errno = EIO;
		return (-1);
	}
	return (n);
}

ssize_t
source_block(struct source *s, off_t at, const char **data)
{
	const struct delivery_message	*m = s->message;
	off_t				 left = m->len - at;
	ssize_t				 n;

	if (left <= 0)
		return (0);
	if (left > SOURCE_BLOCK_SIZE)
		left = SOURCE_BLOCK_SIZE;
	if (m->fd == -1) {
		*data = m->data + at;
		return ((ssize_t)left);
	}
	if (at < s->block_at || at >= s->block_at + (off_t)s->block_len) {
		s->block_len = 0;
		n = file_read(m->fd, s->block, (size_t)left, m->start + at);
		if (n == -1)
			return (-1);
		s->block_at = at;
		s->block_len = (size_t)n;
	}
	*data = s->block + (at - s->block_at);
	return ((ssize_t)(s->block_len - (size_t)(at - s->block_at)));
}

static int
is_high(const char *data, size_t len)
{
	uint64_t	word, bits = 0;
	size_t		i;

	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		bits |= word;
	}
	for (; i < len; i++)
		bits |= (uint64_t)(unsigned char)data[i] & 0x80;
	return ((bits & HIGH_BITS) != 0);
}

/* How many octets at the beginning of data are still of the header. */
static size_t
head_take(struct scan *scan, const char *data, size_t len)
{
	size_t	i;

	for (i = 0; i < len && scan->in_head; i++) {
		if (data[i] == '\n' && (scan->last == '\n' ||
		    (scan->last == '\r' && scan->before == '\n')))
			scan->in_head = 0;
		scan->before = scan->last;
		scan->last = data[i];
	}
	utf8_take(&scan->head, data, i);
	return (i);
}

static void
block_scan(struct scan *scan, struct source_facts *facts, const char *data,
    size_t len)
{
	size_t	head = 0;

	facts->size += body_size(&scan->body, data, len);
	if (scan->in_head)
		head = head_take(scan, data, len);
	if (is_high(data + head, len - head))
		facts->high_body = 1;
}

int
source_scan(struct source *s, struct source_facts *facts)
{
	struct scan	 scan;
	const char	*data;
	off_t		 at = 0;
	ssize_t		 n;

	memset(facts, 0, sizeof(*facts));
	memset(&scan, 0, sizeof(scan));
	body_begin(&scan.body);
	scan.in_head = 1;
	scan.last = scan.before = '\n';
	while ((n = source_block(s, at, &data)) > 0) {
		block_scan(&scan, facts, data, (size_t)n);
		at += n;
	}
	facts->size += body_end_size(&scan.body);
	facts->high_head = scan.head.high;
	facts->utf8_head = utf8_is(&scan.head);
	return (n == -1 ? -1 : 0);
}
