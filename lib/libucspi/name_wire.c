/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Names between text and wire.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "ucspi_name.h"

#define LABEL_BYTES_MAX		63
#define NAME_BYTES_MAX		255	/* with the final empty label */

static int
byte_is_octal(char c)
{
	return (c >= '0' && c <= '7');
}

/* One byte of text, escapes undone.  Returns what follows it. */
static const char *
text_byte(const char *text, uint8_t *byte)
{
	unsigned int	i, value = 0;

	if (*text != '\\' || *++text == '\0') {
		*byte = (uint8_t)*text;
		return (*text == '\0' ? text : text + 1);
	}
	if (!byte_is_octal(*text)) {
		*byte = (uint8_t)*text;
		return (text + 1);
	}
	for (i = 0; i < 3 && byte_is_octal(*text); i++)
		value = value * 8 + (unsigned int)(*text++ - '0');
	*byte = (uint8_t)(value & 0xff);
	return (text);
}

int
name_wire_from_text(uint8_t *wire, const char *text)
{
	size_t	label = 0, len = 1;	/* label: where its length goes */
	uint8_t	byte;
	int	dot;

	while (*text != '\0' && strcmp(text, "\\") != 0) {
		dot = *text == '.';
		text = text_byte(text, &byte);
		if (dot) {
			if (len == label + 1)
				continue;
			wire[label] = (uint8_t)(len - label - 1);
			label = len++;
			continue;
		}
		if (len - label - 1 == LABEL_BYTES_MAX ||
		    len + 2 > NAME_BYTES_MAX) {
			errno = EPROTO;
			return (-1);
		}
		wire[len++] = byte;
	}
	if (len > label + 1) {
		wire[label] = (uint8_t)(len - label - 1);
		label = len++;
	}
	wire[label] = 0;
	return ((int)len);
}

static uint8_t *
wire_label(uint8_t *p, const char *label)
{
	size_t	len;

	len = strlen(label);
	*p++ = (uint8_t)len;
	memcpy(p, label, len);
	return (p + len);
}

static uint8_t *
wire_decimal(uint8_t *p, uint8_t value)
{
	char	digits[4], *d;

	d = &digits[sizeof(digits) - 1];
	*d = '\0';
	do {
		*--d = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	return (wire_label(p, d));
}

static uint8_t *
wire_nibble(uint8_t *p, uint8_t value)
{
	*p++ = 1;
	*p++ = (uint8_t)"0123456789abcdef"[value & 0xf];
	return (p);
}

int
name_wire_from_addr(uint8_t *wire, const struct netaddr *addr)
{
	uint8_t	*p = wire;
	int	 i;

	if (addr->family == AF_INET6) {
		for (i = 15; i >= 0; i--) {
			p = wire_nibble(p, addr->bytes[i]);
			p = wire_nibble(p, addr->bytes[i] >> 4);
		}
		p = wire_label(p, "ip6");
	} else {
		for (i = 3; i >= 0; i--)
			p = wire_decimal(p, addr->bytes[i]);
		p = wire_label(p, "in-addr");
	}
	p = wire_label(p, "arpa");
	*p++ = 0;
	return ((int)(p - wire));
}

static uint8_t
byte_lower(uint8_t byte)
{
	return (byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
}

static char *
text_put(char *text, uint8_t byte)
{
	byte = byte_lower(byte);
	if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
	    byte == '-' || byte == '_') {
		*text++ = (char)byte;
		return (text);
	}
	*text++ = '\\';
	*text++ = (char)('0' + (byte >> 6));
	*text++ = (char)('0' + ((byte >> 3) & 7));
	*text++ = (char)('0' + (byte & 7));
	return (text);
}

void
name_wire_to_text(char *text, const uint8_t *wire)
{
	char	*start = text;
	uint8_t	 len;

	while ((len = *wire++) != 0) {
		if (text != start)
			*text++ = '.';
		while (len-- > 0)
			text = text_put(text, *wire++);
	}
	if (text == start)
		*text++ = '.';
	*text = '\0';
}

size_t
name_wire_len(const uint8_t *wire)
{
	size_t	len;

	for (len = 0; wire[len] != 0; len += (size_t)wire[len] + 1)
		continue;
	return (len + 1);
}

int
name_wire_equal(const uint8_t *a, const uint8_t *b)
{
	size_t	i, len;

	/* Length bytes are below 64, where folding case changes nothing. */
	len = name_wire_len(a);
	for (i = 0; i < len; i++) {
		if (byte_lower(a[i]) != byte_lower(b[i]))
			return (0);
	}
	return (1);
}
