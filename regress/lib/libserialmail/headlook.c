/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * headlook prefix: what head_parse finds in standard input, a line for each:
 * the verdict, the sender, the recipients, and what is to be sent first.
 */
#include <sys/types.h>

#include <stdio.h>
#include <string.h>

#include "head.h"

int
main(int argc, char *argv[])
{
	static struct head	 head;
	static char		 buf[HEAD_BYTES_MAX + 1];
	const char		*body;
	enum head_verdict	 verdict;
	size_t			 i, len;

	if (argc != 2)
		return (1);
	len = fread(buf, 1, HEAD_BYTES_MAX, stdin);
	verdict = head_parse(&head, buf, len, argv[1]);
	if (verdict == HEAD_BAD) {
		printf("bad %s\n", head.why);
		return (0);
	}
	printf("%s\n<%s>\n", verdict == HEAD_OK ? "ok" : "other",
	    head.sender);
	for (i = 0; i < head.nrecipients; i++)
		printf("<%s>\n", head.recipients[i]);
	body = buf + head.body;
	printf("%.*s\n", (int)strcspn(body, "\n"), body);
	return (0);
}
