/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Lines of words with a checksum, as journal and state have them: readable
 * for people, whole or not there for programs.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "books.h"
#include "compat.h"
#include "maildir.h"

#define CRC_DIGITS	8

/*
 * The CRC-32 of Ethernet (polynomial 04C11DB7, reflected), four bits at a
 * time.
 */
static uint32_t
crc32_of(const char *bytes, size_t len)
{
	static const uint32_t	table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c
	};
	uint32_t	crc = 0xffffffff;
	size_t		i;

	for (i = 0; i < len; i++) {
		crc ^= (unsigned char)bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return (~crc);
}

static void
crc_write(char *out, uint32_t crc)
{
	static const char	digits[] = "0123456789abcdef";
	int			i;

	for (i = CRC_DIGITS - 1; i >= 0; i--) {
		out[i] = digits[crc & 15];
		crc >>= 4;
	}
}

/*
 * Writing
 */

/* One that does not fit makes the line too long, for good. */
static void
line_add(struct books_line *line, const char *bytes, size_t len)
{
	if (line->len + len >= sizeof(line->text)) {
		line->len = sizeof(line->text);
		return;
	}
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
}

void
books_begin(struct books_line *line)
{
	line->len = 0;
}

void
books_word(struct books_line *line, const char *word)
{
	static const char	digits[] = "0123456789abcdef";
	char			code[3] = "%";
	unsigned char		c;

	if (*word == '\0')
		line_add(line, "%", 1);
	for (; *word != '\0'; word++) {
		c = (unsigned char)*word;
		if (c > ' ' && c < 127 && c != '%') {
			line_add(line, word, 1);
			continue;
		}
		code[1] = digits[c >> 4];
		code[2] = digits[c & 15];
		line_add(line, code, sizeof(code));
	}
	line_add(line, " ", 1);
}

void
books_number(struct books_line *line, int64_t n)
{
	char		 buf[24], *p = buf + sizeof(buf);
	uint64_t	 left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (n < 0)
		*--p = '-';
	line_add(line, p, (size_t)(buf + sizeof(buf) - p));
	line_add(line, " ", 1);
}

size_t
books_end(struct books_line *line)
{
	char	crc[CRC_DIGITS + 1];

	if (line->len >= sizeof(line->text))
		return (0);
	crc_write(crc, crc32_of(line->text, line->len));
	crc[CRC_DIGITS] = '\n';
	line_add(line, crc, sizeof(crc));
	return (line->len < sizeof(line->text) ? line->len : 0);
}

/*
 * Reading
 */

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

static int
word_decode(char *word)
{
	char	*in, *out = word;
	int	 high, low;

	if (word[0] == '%' && word[1] == '\0') {
		*word = '\0';
		return (0);
	}
	for (in = word; *in != '\0'; in++) {
		if (*in != '%') {
			*out++ = *in;
			continue;
		}
		if ((high = digit_value(in[1])) == -1 ||
		    (low = digit_value(in[2])) == -1 || high + low == 0)
			return (-1);
		*out++ = (char)(high << 4 | low);
		in += 2;
	}
	*out = '\0';
	return (out == word ? -1 : 0);
}

int
books_read(char *line, struct books_words *words)
{
	char	*p, crc[CRC_DIGITS];
	size_t	 len = strlen(line);

	words->count = 0;
	if (len <= CRC_DIGITS || line[len - CRC_DIGITS - 1] != ' ')
		return (-1);
	len -= CRC_DIGITS;
	crc_write(crc, crc32_of(line, len));
	if (memcmp(line + len, crc, CRC_DIGITS) != 0)
		return (-1);
	line[len - 1] = '\0';
	while ((p = strsep(&line, " ")) != NULL) {
		if (words->count == BOOKS_WORDS_MAX || word_decode(p) == -1)
			return (-1);
		words->word[words->count++] = p;
	}
	return (0);
}

int
books_value(const char *word, int64_t *value)
{
	char	*end;

	errno = 0;
	*value = strtoll(word, &end, 10);
	return (errno != 0 || end == word || *end != '\0' ? -1 : 0);
}

static int
file_read(int fd, char *text, size_t size)
{
	size_t	at;
	ssize_t	n;

	for (at = 0; at < size; at += (size_t)n) {
		n = pread(fd, text + at, size - at, (off_t)at);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			return (-1);
		else if (n == 0) {
			errno = EIO;
			return (-1);
		}
	}
	text[size] = '\0';
	return (0);
}

int
books_load(int dirfd, const char *name, size_t max, char **text, size_t *len)
{
	struct stat	st;
	int		error = 0, fd;

	if ((fd = maildir_open(dirfd, name, &st)) == -1)
		return (-1);
	*text = NULL;
	if ((uint64_t)st.st_size > max)
		error = EFBIG;
	else if ((*text = malloc((size_t)st.st_size + 1)) == NULL ||
	    file_read(fd, *text, (size_t)st.st_size) == -1)
		error = errno;
	close(fd);
	if (error != 0) {
		free(*text);
		errno = error;
		return (-1);
	}
	*len = (size_t)st.st_size;
	return (0);
}
