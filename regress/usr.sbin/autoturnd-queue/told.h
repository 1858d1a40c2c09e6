/*
 * Messages as they come by a channel, for those who dispatch them.
 */
#ifndef TOLD_H
#define TOLD_H

#include <imsg.h>

/*
 * told_open: both ends of a channel.  told_send: a message leaves by one,
 * told_get: it comes out of the other; free it by imsg_free(3).
 */
struct told {
	struct imsgbuf	in;
	struct imsgbuf	out;
};

void	told_open(struct told *);
void	told_send(struct told *, uint32_t, const void *, size_t);
void	told_get(struct told *, struct imsg *);

#endif
