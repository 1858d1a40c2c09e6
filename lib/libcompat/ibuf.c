/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Buffers that are written at the end and read from the start, perhaps with
 * a descriptor: see imsg.h.  What is read here came from another process, so
 * no length is believed before it is compared with what is there.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

/* A buffer grows to at least this, so that small additions stay cheap. */
#define IBUF_GROW_OCTETS	128

struct ibuf *
ibuf_dynamic(size_t len, size_t max)
{
	struct ibuf	*buf;

	if (max == 0 || len > max) {
		errno = EINVAL;
		return (NULL);
	}
	/* Never without memory: the address of no octets is not NULL. */
	if (len == 0)
		len = 1;
	if ((buf = calloc(1, sizeof(*buf))) == NULL)
		return (NULL);
	if ((buf->buf = calloc(1, len)) == NULL) {
		free(buf);
		return (NULL);
	}
	buf->size = len;
	buf->max = max;
	buf->fd = -1;
	return (buf);
}

struct ibuf *
ibuf_open(size_t len)
{
	return (ibuf_dynamic(len, len));
}

void
ibuf_free(struct ibuf *buf)
{
	int	saved_errno = errno;

	if (buf == NULL)
		return;
	/* Freeing what was never allocated: stop before it does harm. */
	if (buf->borrowed)
		abort();
	ibuf_fd_set(buf, -1);
	free(buf->buf);
	free(buf);
	errno = saved_errno;
}

void
ibuf_from_buffer(struct ibuf *buf, void *data, size_t len)
{
	memset(buf, 0, sizeof(*buf));
	buf->buf = data;
	buf->size = len;
	buf->wpos = len;
	buf->fd = -1;
	buf->borrowed = 1;
}

void
ibuf_from_ibuf(struct ibuf *buf, const struct ibuf *from)
{
	ibuf_from_buffer(buf, ibuf_data(from), ibuf_size(from));
}

/* Makes the allocation hold len octets; new memory is zero. */
static int
ibuf_grow(struct ibuf *buf, size_t len)
{
	unsigned char	*p;
	size_t		 size;

	if (len <= buf->size)
		return (0);
	size = buf->size > buf->max / 2 ? buf->max : buf->size * 2;
	if (size < IBUF_GROW_OCTETS)
		size = IBUF_GROW_OCTETS;
	if (size < len)
		size = len;
	if (size > buf->max)
		size = buf->max;
	if ((p = realloc(buf->buf, size)) == NULL)
		return (-1);
	memset(p + buf->size, 0, size - buf->size);
	buf->buf = p;
	buf->size = size;
	return (0);
}

void *
ibuf_reserve(struct ibuf *buf, size_t len)
{
	void	*p;

	if (buf->borrowed || len > buf->max - buf->wpos) {
		errno = ERANGE;
		return (NULL);
	}
	if (ibuf_grow(buf, buf->wpos + len) == -1)
		return (NULL);
	p = buf->buf + buf->wpos;
	buf->wpos += len;
	return (p);
}

int
ibuf_add(struct ibuf *buf, const void *data, size_t len)
{
	void	*p;

	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	if (len != 0)
		memcpy(p, data, len);
	return (0);
}

int
ibuf_add_ibuf(struct ibuf *buf, const struct ibuf *from)
{
	return (ibuf_add(buf, ibuf_data(from), ibuf_size(from)));
}

int
ibuf_add_zero(struct ibuf *buf, size_t len)
{
	void	*p;

	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	memset(p, 0, len);
	return (0);
}

int
ibuf_add_strbuf(struct ibuf *buf, const char *str, size_t len)
{
	char	*p;
	size_t	 n;

	if ((n = strlen(str)) >= len) {
		errno = EOVERFLOW;
		return (-1);
	}
	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	memcpy(p, str, n);
	memset(p + n, 0, len - n);
	return (0);
}

/* Does the number fit that many octets? */
static int
width_check(uint64_t value, size_t width)
{
	if (width < sizeof(value) && value >> (8 * width) != 0) {
		errno = EINVAL;
		return (-1);
	}
	return (0);
}

static void
network_put(unsigned char *p, uint64_t value, size_t width)
{
	while (width-- > 0) {
		p[width] = value & 0xff;
		value >>= 8;
	}
}

static uint64_t
network_get(const unsigned char *p, size_t width)
{
	uint64_t	value = 0;
	size_t		i;

	for (i = 0; i < width; i++)
		value = value << 8 | p[i];
	return (value);
}

static int
ibuf_add_network(struct ibuf *buf, uint64_t value, size_t width)
{
	unsigned char	octets[sizeof(value)];

	if (width_check(value, width) == -1)
		return (-1);
	network_put(octets, value, width);
	return (ibuf_add(buf, octets, width));
}

int
ibuf_add_n8(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_network(buf, value, sizeof(uint8_t)));
}

int
ibuf_add_n16(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_network(buf, value, sizeof(uint16_t)));
}

int
ibuf_add_n32(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_network(buf, value, sizeof(uint32_t)));
}

int
ibuf_add_n64(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_network(buf, value, sizeof(uint64_t)));
}

int
ibuf_add_h16(struct ibuf *buf, uint64_t value)
{
	uint16_t	v = (uint16_t)value;

	if (width_check(value, sizeof(v)) == -1)
		return (-1);
	return (ibuf_add(buf, &v, sizeof(v)));
}

int
ibuf_add_h32(struct ibuf *buf, uint64_t value)
{
	uint32_t	v = (uint32_t)value;

	if (width_check(value, sizeof(v)) == -1)
		return (-1);
	return (ibuf_add(buf, &v, sizeof(v)));
}

int
ibuf_add_h64(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add(buf, &value, sizeof(value)));
}

void *
ibuf_seek(struct ibuf *buf, size_t pos, size_t len)
{
	size_t	used = ibuf_size(buf);

	if (pos > used || len > used - pos) {
		errno = ERANGE;
		return (NULL);
	}
	return (buf->buf + buf->rpos + pos);
}

int
ibuf_set(struct ibuf *buf, size_t pos, const void *data, size_t len)
{
	void	*p;

	if ((p = ibuf_seek(buf, pos, len)) == NULL)
		return (-1);
	if (len != 0)
		memcpy(p, data, len);
	return (0);
}

static int
ibuf_set_network(struct ibuf *buf, size_t pos, uint64_t value, size_t width)
{
	unsigned char	octets[sizeof(value)];

	if (width_check(value, width) == -1)
		return (-1);
	network_put(octets, value, width);
	return (ibuf_set(buf, pos, octets, width));
}

int
ibuf_set_n8(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set_network(buf, pos, value, sizeof(uint8_t)));
}

int
ibuf_set_n16(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set_network(buf, pos, value, sizeof(uint16_t)));
}

int
ibuf_set_n32(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set_network(buf, pos, value, sizeof(uint32_t)));
}

int
ibuf_set_n64(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set_network(buf, pos, value, sizeof(uint64_t)));
}

int
ibuf_set_h16(struct ibuf *buf, size_t pos, uint64_t value)
{
	uint16_t	v = (uint16_t)value;

	if (width_check(value, sizeof(v)) == -1)
		return (-1);
	return (ibuf_set(buf, pos, &v, sizeof(v)));
}

int
ibuf_set_h32(struct ibuf *buf, size_t pos, uint64_t value)
{
	uint32_t	v = (uint32_t)value;

	if (width_check(value, sizeof(v)) == -1)
		return (-1);
	return (ibuf_set(buf, pos, &v, sizeof(v)));
}

int
ibuf_set_h64(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set(buf, pos, &value, sizeof(value)));
}

int
ibuf_truncate(struct ibuf *buf, size_t len)
{
	size_t	used = ibuf_size(buf);

	if (len > used)
		return (ibuf_add_zero(buf, len - used));
	buf->wpos = buf->rpos + len;
	return (0);
}

int
ibuf_set_maxsize(struct ibuf *buf, size_t max)
{
	if (max > buf->max || max < buf->wpos) {
		errno = ERANGE;
		return (-1);
	}
	buf->max = max;
	return (0);
}

int
ibuf_skip(struct ibuf *buf, size_t len)
{
	if (len > ibuf_size(buf)) {
		errno = EBADMSG;
		return (-1);
	}
	buf->rpos += len;
	return (0);
}

int
ibuf_get(struct ibuf *buf, void *data, size_t len)
{
	const void	*p = ibuf_data(buf);

	if (ibuf_skip(buf, len) == -1)
		return (-1);
	if (len != 0)
		memcpy(data, p, len);
	return (0);
}

int
ibuf_get_ibuf(struct ibuf *buf, size_t len, struct ibuf *new)
{
	void	*p = ibuf_data(buf);

	if (ibuf_skip(buf, len) == -1)
		return (-1);
	ibuf_from_buffer(new, p, len);
	return (0);
}

static int
ibuf_get_network(struct ibuf *buf, uint64_t *value, size_t width)
{
	unsigned char	octets[sizeof(*value)];

	if (ibuf_get(buf, octets, width) == -1)
		return (-1);
	*value = network_get(octets, width);
	return (0);
}

int
ibuf_get_n8(struct ibuf *buf, uint8_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_n16(struct ibuf *buf, uint16_t *value)
{
	uint64_t	v;

	if (ibuf_get_network(buf, &v, sizeof(*value)) == -1)
		return (-1);
	*value = (uint16_t)v;
	return (0);
}

int
ibuf_get_n32(struct ibuf *buf, uint32_t *value)
{
	uint64_t	v;

	if (ibuf_get_network(buf, &v, sizeof(*value)) == -1)
		return (-1);
	*value = (uint32_t)v;
	return (0);
}

int
ibuf_get_n64(struct ibuf *buf, uint64_t *value)
{
	return (ibuf_get_network(buf, value, sizeof(*value)));
}

int
ibuf_get_h16(struct ibuf *buf, uint16_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_h32(struct ibuf *buf, uint32_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_h64(struct ibuf *buf, uint64_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

char *
ibuf_get_string(struct ibuf *buf, size_t len)
{
	char	*s;

	if (len > ibuf_size(buf)) {
		errno = EBADMSG;
		return (NULL);
	}
	s = len == 0 ? strdup("") : strndup(ibuf_data(buf), len);
	if (s != NULL)
		buf->rpos += len;
	return (s);
}

int
ibuf_get_strbuf(struct ibuf *buf, char *str, size_t len)
{
	if (len == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (ibuf_get(buf, str, len) == -1)
		return (-1);
	if (str[len - 1] != '\0') {
		str[len - 1] = '\0';
		errno = EOVERFLOW;
		return (-1);
	}
	return (0);
}

void
ibuf_rewind(struct ibuf *buf)
{
	buf->rpos = 0;
}

void *
ibuf_data(const struct ibuf *buf)
{
	return (buf->buf == NULL ? NULL : buf->buf + buf->rpos);
}

size_t
ibuf_size(const struct ibuf *buf)
{
	return (buf->wpos - buf->rpos);
}

size_t
ibuf_left(const struct ibuf *buf)
{
	return (buf->borrowed ? 0 : buf->max - buf->wpos);
}

int
ibuf_fd_avail(struct ibuf *buf)
{
	return (buf->fd >= 0);
}

int
ibuf_fd_get(struct ibuf *buf)
{
	int	fd = buf->fd;

	buf->fd = -1;
	return (fd);
}

void
ibuf_fd_set(struct ibuf *buf, int fd)
{
	if (buf->fd >= 0)
		close(buf->fd);
	buf->fd = fd < 0 ? -1 : fd;
}
