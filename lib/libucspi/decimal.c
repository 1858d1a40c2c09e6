/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Numbers as text without stdio: for each connection there are several, and
 * a child of vfork(2) writes its pid with it.
 */
#include <string.h>

#include "ucspi.h"

size_t
ucspi_decimal(char *buf, uint64_t n, unsigned int width)
{
	char	digits[UCSPI_DECIMAL_SIZE];
	size_t	at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0 || sizeof(digits) - at < width);
	memcpy(buf, digits + at, sizeof(digits) - at);
	return (sizeof(digits) - at);
}
