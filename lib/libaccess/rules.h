/*
 * The text form of rules: one line in, records out.  See tcprules(5).
 * Used by tcprules only; the engine links none of this.
 */
#ifndef RULES_H
#define RULES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that grow; len of the size bytes at base are in use. */
struct buffer {
	uint8_t	*base;
	size_t	 len;
	size_t	 size;
};

/*
 * Takes one record; the bytes are borrowed.  0, or -1 with errno, which
 * ends the line.
 */
typedef int	rules_sink(void *, const uint8_t *, size_t, const uint8_t *,
		    size_t);

enum rules_result {
	RULES_DONE,		/* also for lines that hold no rule */
	RULES_SYNTAX,
	RULES_MEMORY,
	RULES_SINK		/* the sink failed; errno is its */
};

/* What rules_line keeps from line to line; zero at first. */
struct rules {
	struct buffer	key;		/* scratch memory */
	struct buffer	data;
	int		has_networks;	/* some address had a prefix length */
};

/*
 * rules_trim: the length of a line without its trailing blanks, tabs and
 * line feed.
 * rules_line: reads one line, already trimmed, and hands its records to the
 * sink with the argument given.
 * rules_free: frees the scratch memory.
 */
size_t			rules_trim(const uint8_t *, size_t);
enum rules_result	rules_line(struct rules *, const uint8_t *, size_t,
			    rules_sink *, void *);
void			rules_free(struct rules *);

/*
 * buffer_reserve: makes room for that many more bytes; 0, or -1 with errno
 * ENOMEM.
 * buffer_add: appends; the room must have been reserved.
 */
int	buffer_reserve(struct buffer *, size_t);

static inline void
buffer_add(struct buffer *buffer, const void *bytes, size_t len)
{
	memcpy(buffer->base + buffer->len, bytes, len);
	buffer->len += len;
}

#endif
