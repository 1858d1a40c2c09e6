/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A service's banner.  It may change while clients take the old one.
 */
#include <stdlib.h>

#include "engine.h"

struct banner *
banner_hold(struct banner *b)
{
	if (b != NULL)
		b->refs++;
	return (b);
}

void
banner_release(struct banner *b)
{
	if (b == NULL || --b->refs > 0)
		return;
	free(b->bytes);
	free(b);
}

int
banner_set(struct service *sv, size_t len)
{
	banner_release(sv->banner);
	sv->banner = NULL;
	if (len == 0)
		return (0);
	if ((sv->banner = calloc(1, sizeof(*sv->banner))) == NULL ||
	    (sv->banner->bytes = malloc(len)) == NULL)
		return (-1);
	sv->banner->refs = 1;
	sv->banner->len = len;
	return (0);
}

/* It may be longer than a message. */
int
banner_add(struct service *sv, struct imsg *imsg)
{
	struct banner	*b = sv->banner;
	size_t		 len = imsg_get_len(imsg);

	if (b == NULL || len > b->len - b->got ||
	    imsg_get_data(imsg, b->bytes + b->got, len) == -1)
		return (-1);
	b->got += len;
	return (0);
}

int
banner_complete(const struct service *sv)
{
	return (sv->banner == NULL || sv->banner->got == sv->banner->len);
}
