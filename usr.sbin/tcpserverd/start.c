/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Start records: one packet from the engine, read by the launcher.
 */
#include <errno.h>
#include <string.h>

#include "launcher.h"

/*
 * Takes a string of len bytes (its NUL included) from the packet.  0 bytes:
 * there is none.
 */
static int
string_take(char **pos, size_t *left, uint32_t len, char **out)
{
	*out = NULL;
	if (len == 0)
		return (0);
	if (len > *left || (*pos)[len - 1] != '\0')
		return (-1);
	*out = *pos;
	*pos += len;
	*left -= len;
	return (0);
}

int
start_parse(struct start *s, char *packet, size_t len)
{
	struct start_record	*r = (struct start_record *)(void *)packet;
	char			*pos, *name, *remote, *info, *variables;
	size_t			 left;

	if (len < sizeof(*r))
		goto bad;
	pos = packet + sizeof(*r);
	left = len - sizeof(*r);
	if (string_take(&pos, &left, r->local_name_len, &name) == -1 ||
	    string_take(&pos, &left, r->remote_name_len, &remote) == -1 ||
	    string_take(&pos, &left, r->info_len, &info) == -1 ||
	    string_take(&pos, &left, r->variables_len, &variables) == -1 ||
	    left != 0)
		goto bad;
	s->record = r;
	s->local_name = name;
	s->remote_name = remote;
	s->info = info;
	s->variables = variables;
	return (0);
bad:
	errno = EBADMSG;
	return (-1);
}
