/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The text of a message, block by block, and what there is to know about it
 * before it is sent.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <sys/types.h>

#include "delivery.h"

#define SOURCE_BLOCK_SIZE	131072

/* A text; the last block that was read of a file stays in memory. */
struct source {
	const struct delivery_message	*message;
	off_t				 block_at;	/* from the start */
	size_t				 block_len;
	char				 block[SOURCE_BLOCK_SIZE];
};

/* size is the octets on the wire, CR LF counted and stuffed dots not. */
struct source_facts {
	uint64_t	size;
	int		high_body;	/* octets above 127 */
	int		high_head;
	int		utf8_head;	/* and these are UTF-8 */
};

/*
 * source_open: the text of this message, from its beginning.
 * source_block: what there is at an offset: how many octets, at most a block,
 * and where.  0 at the end, -1 with errno (EIO also for a file that has
 * become shorter than it was said to be).
 * source_scan: reads all of it; 0, or -1 with errno.
 */
void	source_open(struct source *, const struct delivery_message *);
ssize_t	source_block(struct source *, off_t, const char **);
int	source_scan(struct source *, struct source_facts *);

#endif
