/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What an engine may send a launcher as a start: the input is the packet.
 * The result must be what a plain reading of the lengths finds.
 *
 * includes: usr.sbin/tcpserverd/start.c
 */
#include <stdlib.h>

/* The program has no library that its objects could come from. */
#include "../../usr.sbin/tcpserverd/start.c"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* The model: where each string is, or that the packet is none. */
static int
plain_read(const char *packet, size_t len, size_t at[4], size_t lens[4])
{
	struct start_record	r;
	uint64_t		end = sizeof(r);
	int			i;

	if (len < sizeof(r))
		return (-1);
	memcpy(&r, packet, sizeof(r));
	lens[0] = r.local_name_len;
	lens[1] = r.remote_name_len;
	lens[2] = r.info_len;
	lens[3] = r.variables_len;
	for (i = 0; i < 4; i++) {
		at[i] = (size_t)end;
		end += lens[i];
		if (end > len || (lens[i] > 0 && packet[end - 1] != '\0'))
			return (-1);
	}
	return (end == len ? 0 : -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct start	 s;
	const char	*found[4];
	char		*packet;
	size_t		 at[4], lens[4];
	int		 i, rv;

	/* Of just that size: a step beyond is seen. */
	if ((packet = malloc(size == 0 ? 1 : size)) == NULL)
		return (0);
	if (size > 0)
		memcpy(packet, data, size);
	rv = start_parse(&s, packet, size);
	require(rv == plain_read(packet, size, at, lens));
	if (rv == 0) {
		found[0] = s.local_name;
		found[1] = s.remote_name;
		found[2] = s.info;
		found[3] = s.variables;
		for (i = 0; i < 4; i++)
			require(found[i] ==
			    (lens[i] == 0 ? NULL : packet + at[i]));
	}
	free(packet);
	return (0);
}
