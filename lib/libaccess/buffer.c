/*
 * Bytes that grow.
 */
#include <errno.h>
#include <stdlib.h>

#include "rules.h"

#define BUFFER_FIRST_BYTES	512

int
buffer_reserve(struct buffer *buffer, size_t more)
{
	uint8_t	*base;
	size_t	 size;

	if (buffer->size - buffer->len >= more)
		return (0);
	if (more > SIZE_MAX / 4 || buffer->len > SIZE_MAX / 4) {
		errno = ENOMEM;
		return (-1);
	}
	size = buffer->size == 0 ? BUFFER_FIRST_BYTES : buffer->size;
	while (size - buffer->len < more)
		size *= 2;
	if ((base = realloc(buffer->base, size)) == NULL)
		return (-1);
	buffer->base = base;
	buffer->size = size;
	return (0);
}
