/*
 * Messages as they come by a channel.
 */
#include "stubs.h"
#include "told.h"

void
told_open(struct told *t)
{
	int	sv[2];

	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ATF_REQUIRE_EQ(imsgbuf_init(&t->in, sv[0]), 0);
	ATF_REQUIRE_EQ(imsgbuf_init(&t->out, sv[1]), 0);
}

void
told_send(struct told *t, uint32_t type, const void *data, size_t len)
{
	ATF_REQUIRE_EQ(imsg_compose(&t->in, type, 0, 0, -1, data, len), 1);
	ATF_REQUIRE_EQ(imsgbuf_flush(&t->in), 0);
}

void
told_get(struct told *t, struct imsg *imsg)
{
	int	n;

	while ((n = imsgbuf_get(&t->out, imsg)) == 0)
		ATF_REQUIRE_EQ(imsgbuf_read(&t->out), 1);
	ATF_REQUIRE_EQ(n, 1);
}
