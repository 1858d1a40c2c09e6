/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What travels between the resolver and those who ask it (engine and
 * parent).  Every payload is a fixed struct with its padding zeroed.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "ucspi.h"

/* 255 bytes on the wire, each at most a backslash and three digits. */
#define RESOLVER_NAME_SIZE	1025
#define RESOLVER_INFO_SIZE	258	/* at most 257 bytes of ident answer */
#define RESOLVER_WORD_SIZE	1025
#define RESOLVER_ADDRS_MAX	64	/* addresses in one answer, capped */
#define RESOLVER_PENDING_MAX	4096	/* requests at one time; past it
					 * "nothing found" is the answer */

enum resolver_imsg {
	/* parent -> resolver: the descriptor is a channel for one asker */
	IMSG_RESOLVER_ASKER = 1000,	/* no payload */
	/* asker -> resolver */
	IMSG_RESOLVER_LOOKUP,		/* struct resolver_lookup */
	IMSG_RESOLVER_HOST,		/* struct resolver_host */
	IMSG_RESOLVER_CANCEL,		/* no payload, imsg id: that lookup */
	/* resolver -> asker, with the imsg id of the question */
	IMSG_RESOLVER_FOUND,		/* struct resolver_found */
	IMSG_RESOLVER_ADDRESSES		/* struct resolver_addresses */
};

/* What to look up about one connection (ORed). */
#define RESOLVER_LOCAL_NAME	0x1	/* PTR of local */
#define RESOLVER_REMOTE_NAME	0x2	/* PTR of remote */
#define RESOLVER_PARANOID	0x4	/* keep it only if it maps back */
#define RESOLVER_IDENT		0x8	/* RFC 1413, from local to remote:113 */

struct resolver_lookup {
	uint32_t	what;
	uint32_t	ident_timeout_s; /* connect and dialogue together */
	struct netaddr	local;
	struct netaddr	remote;
	uint16_t	local_port;
	uint16_t	remote_port;
};

/* What was found (same bits, RESOLVER_PARANOID never set). */
struct resolver_found {
	uint32_t	found;
	char		local_name[RESOLVER_NAME_SIZE];
	char		remote_name[RESOLVER_NAME_SIZE];
	char		info[RESOLVER_INFO_SIZE];
};

/* A host word of a command line: qualified, then looked up. */
struct resolver_host {
	uint32_t	want_v4;	/* 0 or 1 */
	uint32_t	want_v6;
	char		word[RESOLVER_WORD_SIZE];
	uint8_t		pad[3];
};

struct resolver_addresses {
	int32_t		error;		/* 0, or the errno of a failure */
	uint32_t	count;		/* 0 with error 0: no address */
	struct netaddr	addr[RESOLVER_ADDRS_MAX];
};

#endif
