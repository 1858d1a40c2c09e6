/*
 * Datagrams of mail.autoturn, and of those who are not.
 */
#include "poke.h"
#include "stubs.h"

static struct customer	acme = { .name = NULL };
static char		long_name[POKE_SIZE_MAX + 1];
static int		triggers;
static int		asked;		/* customer_look_for() */

struct customer *
customer_look_for(const char *name)
{
	asked++;
	if (strcmp(name, "acme") == 0 || strcmp(name, long_name) == 0)
		return (&acme);
	return (NULL);
}

void
customer_trigger(struct customer *c, enum reason reason)
{
	ATF_CHECK_EQ(c, &acme);
	ATF_CHECK_EQ(reason, REASON_MAIL);
	triggers++;
}

static int
world(void)
{
	int	sv[2];

	if (long_name[0] == '\0') {
		memset(long_name, 'x', sizeof(long_name) - 1);
		event_init();
	}
	ATF_REQUIRE_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), 0);
	poke_open(sv[1]);
	return (sv[0]);
}

static void
poke(int fd, const void *bytes, size_t len)
{
	ATF_REQUIRE_EQ(send(fd, bytes, len, 0), (ssize_t)len);
	event_loop(EVLOOP_NONBLOCK);
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	int	fd = world();

	poke(fd, "acme", 4);
	ATF_CHECK_EQ(triggers, 1);
	poke(fd, long_name, strlen(long_name));
	ATF_CHECK_EQ(triggers, 2);
	ATF_CHECK_EQ(queue.strangers, 0);
	poke(fd, "nobody", 6);
	ATF_CHECK_EQ(triggers, 2);
	ATF_CHECK_EQ(queue.strangers, 1);
}

ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	static char	big[60000];
	int		fd = world();

	memset(big, 'x', sizeof(big));
	poke(fd, "", 0);
	poke(fd, "acme", 5);		/* with its NUL */
	poke(fd, "ac\0me", 5);
	poke(fd, "\0", 1);
	poke(fd, big, POKE_SIZE_MAX + 1);
	poke(fd, big, sizeof(big));
	ATF_CHECK_EQ(triggers, 0);
	ATF_CHECK_EQ(asked, 0);
	ATF_CHECK_EQ(queue.strangers, 6);
	poke(fd, "../../etc/passwd", 16);
	poke(fd, "acme/", 5);
	poke(fd, "\xff\xfe\n", 3);
	ATF_CHECK_EQ(triggers, 0);
	ATF_CHECK_EQ(queue.strangers, 9);
	poke(fd, "acme", 4);
	ATF_CHECK_EQ(triggers, 1);
}

/* As many as the socket holds; all of them are read. */
ATF_TC_WITHOUT_HEAD(flood);
ATF_TC_BODY(flood, tc)
{
	int	fd = world(), i, sent = 0;

	for (i = 0; i < 100000; i++) {
		if (send(fd, "acme", 4, MSG_DONTWAIT) == 4)
			sent++;
		else
			event_loop(EVLOOP_NONBLOCK);
	}
	while (triggers < sent)
		event_loop(EVLOOP_ONCE);
	ATF_CHECK_EQ(triggers, sent);
}

ATF_TC_WITHOUT_HEAD(another_socket);
ATF_TC_BODY(another_socket, tc)
{
	int	old = world(), new = world();

	ATF_CHECK_EQ(send(old, "acme", 4, MSG_NOSIGNAL), -1);
	poke(new, "acme", 4);
	ATF_CHECK_EQ(triggers, 1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, hostile);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, another_socket);

	return (atf_no_error());
}
