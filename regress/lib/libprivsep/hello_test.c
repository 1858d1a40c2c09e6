/*
 * The first words between parent and child, right and wrong.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep.h"
#include "forked.h"

#define TYPE_NEXT	77

/* What the parent does with its end before the child reads. */
struct talk {
	int			sv[2];
	uint32_t		type;
	struct privsep_hello	hello;
	size_t			hello_len;
	int			more;		/* another message with it */
	int			fd;		/* of the child, -1: none */
};

static void
hello_right(struct privsep_hello *h)
{
	memset(h, 0, sizeof(*h));
	strlcpy(h->build, privsep_build, sizeof(h->build));
	strlcpy(h->name, "a name", sizeof(h->name));
	strlcpy(h->chroot_path, "/a/path", sizeof(h->chroot_path));
	h->flags = PRIVSEP_QUIET;
	h->uid = 11;
	h->gid = 22;
}

static void
talk_init(struct talk *t)
{
	memset(t, 0, sizeof(*t));
	hello_right(&t->hello);
	t->type = IMSG_PRIVSEP_HELLO;
	t->hello_len = sizeof(t->hello);
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, t->sv) == 0);
}

/* A parent that says this, then is dead. */
static void
talk_raw(struct talk *t, const void *bytes, size_t len)
{
	talk_init(t);
	ATF_REQUIRE(write(t->sv[0], bytes, len) == (ssize_t)len);
	close(t->sv[0]);
	t->sv[0] = -1;
}

static void
talk_say(struct talk *t)
{
	struct imsgbuf	ibuf;

	if (t->sv[0] == -1)		/* it said all it will */
		return;
	FORKED_REQUIRE(imsgbuf_init(&ibuf, t->sv[0]) == 0);
	FORKED_REQUIRE(imsg_compose(&ibuf, t->type, 0, 0, -1, &t->hello,
	    t->hello_len) == 1);
	if (t->more)
		FORKED_REQUIRE(imsg_compose(&ibuf, TYPE_NEXT, 5, 0, -1, "x",
		    1) == 1);
	FORKED_REQUIRE(imsgbuf_flush(&ibuf) == 0);
}

/* The child: receives, and says what it understood. */
static void
child(void *arg)
{
	struct talk		*t = arg;
	struct privsep_hello	 hello;
	struct imsgbuf		 ibuf;
	struct imsg		 imsg;

	log_init("tcpserver", "engine", 0);
	talk_say(t);
	if (t->fd == -1)
		close(PRIVSEP_FD);
	else
		FORKED_REQUIRE(dup2(t->sv[1], PRIVSEP_FD) == PRIVSEP_FD);
	privsep_hello_receive(&ibuf, &hello);
	FORKED_REQUIRE(memcmp(&hello, &t->hello, sizeof(hello)) == 0);
	FORKED_REQUIRE(fcntl(PRIVSEP_FD, F_GETFD) == FD_CLOEXEC);
	if (t->more) {
		FORKED_REQUIRE(imsgbuf_get(&ibuf, &imsg) == 1);
		FORKED_REQUIRE(imsg_get_type(&imsg) == TYPE_NEXT);
		imsg_free(&imsg);
	}
	imsgbuf_clear(&ibuf);
}

/* What the child answered. */
static int
answer_check(struct talk *t, char *why, size_t size)
{
	struct imsgbuf	ibuf;
	struct imsg	imsg;
	int		rv;

	close(t->sv[1]);
	ATF_REQUIRE(imsgbuf_init(&ibuf, t->sv[0]) == 0);
	ATF_REQUIRE(imsgbuf_read(&ibuf) == 1);
	ATF_REQUIRE(imsgbuf_get(&ibuf, &imsg) == 1);
	rv = privsep_hello_check(&imsg, why, size);
	imsg_free(&imsg);
	imsgbuf_clear(&ibuf);
	close(t->sv[0]);
	return (rv);
}

static void
talk_end(struct talk *t)
{
	if (t->sv[0] != -1)
		close(t->sv[0]);
	close(t->sv[1]);
}

#define TALK_FAILS(t, words)						\
	do {								\
		char	said_[2048];					\
		int	status_;					\
									\
		status_ = forked(child, t, said_, sizeof(said_));	\
		ATF_CHECK_MSG(WIFEXITED(status_) &&			\
		    WEXITSTATUS(status_) == 111, "status %#x", status_); \
		ATF_CHECK_STREQ("tcpserver: engine: fatal: " words "\n", \
		    said_);						\
		talk_end(t);						\
	} while (0)

#define NOT_UNDERSTOOD	\
	"hello from the parent: not understood, another build"
#define NO_PARENT	\
	"no parent on descriptor 3: this program is started by its daemon"

ATF_TC_WITHOUT_HEAD(both_of_one_build);
ATF_TC_BODY(both_of_one_build, tc)
{
	struct talk	t;
	char		why[256] = "";

	talk_init(&t);
	FORKED_PASSES(child, &t);
	ATF_CHECK_EQ(0, answer_check(&t, why, sizeof(why)));
	ATF_CHECK_STREQ("", why);
}

ATF_TC_WITHOUT_HEAD(what_follows_stays);
ATF_TC_BODY(what_follows_stays, tc)
{
	struct talk	t;

	talk_init(&t);
	t.more = 1;
	FORKED_PASSES(child, &t);
	talk_end(&t);
}

ATF_TC_WITHOUT_HEAD(parent_of_another_build);
ATF_TC_BODY(parent_of_another_build, tc)
{
	struct talk	t;
	char		said[1024], expected[1024];
	int		status;

	talk_init(&t);
	strlcpy(t.hello.build, "0.0-1", sizeof(t.hello.build));
	status = forked(child, &t, said, sizeof(said));
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	snprintf(expected, sizeof(expected), "tcpserver: engine: fatal: "
	    "build %s was started by build 0.0-1\n", privsep_build);
	ATF_CHECK_STREQ(expected, said);
	/* It told the parent which it is all the same. */
	ATF_CHECK_EQ(0, answer_check(&t, said, sizeof(said)));
}

ATF_TC_WITHOUT_HEAD(parent_that_is_none);
ATF_TC_BODY(parent_that_is_none, tc)
{
	static const struct imsg_hdr	hello = { IMSG_PRIVSEP_HELLO,
	    IMSG_HEADER_SIZE + sizeof(struct privsep_hello), 0, 1 };
	static const char	text[] = "220 mail.example ESMTP hello there";
	struct talk		t;

	talk_init(&t);
	t.type = TYPE_NEXT;
	TALK_FAILS(&t, NOT_UNDERSTOOD);
	talk_init(&t);
	t.hello_len = sizeof(t.hello) - 1;
	TALK_FAILS(&t, NOT_UNDERSTOOD);
	talk_init(&t);
	t.hello_len = 0;
	TALK_FAILS(&t, NOT_UNDERSTOOD);
	talk_raw(&t, text, sizeof(text) - 1);
	TALK_FAILS(&t, NO_PARENT);
	/* Dead before it said a word, or in its midst. */
	talk_raw(&t, "", 0);
	TALK_FAILS(&t, NO_PARENT);
	talk_raw(&t, &hello, sizeof(hello));
	TALK_FAILS(&t, NO_PARENT);
	talk_raw(&t, &hello, sizeof(hello) - 1);
	TALK_FAILS(&t, NO_PARENT);
}

ATF_TC_WITHOUT_HEAD(longer_than_ours);
ATF_TC_BODY(longer_than_ours, tc)
{
	static char		raw[IMSG_HEADER_SIZE +
				    sizeof(struct privsep_hello) + 1];
	struct imsg_hdr		hdr = { IMSG_PRIVSEP_HELLO, sizeof(raw), 0, 1 };
	struct privsep_hello	hello;
	struct talk		t;

	hello_right(&hello);
	memcpy(raw, &hdr, sizeof(hdr));
	memcpy(raw + sizeof(hdr), &hello, sizeof(hello));
	talk_raw(&t, raw, sizeof(raw));
	TALK_FAILS(&t, NOT_UNDERSTOOD);
}

ATF_TC_WITHOUT_HEAD(started_by_hand);
ATF_TC_BODY(started_by_hand, tc)
{
	struct talk	t;

	talk_init(&t);
	t.fd = -1;
	TALK_FAILS(&t, "descriptor 3: file descriptor not open");
}

/* From the parent's memory, but the strings end all the same. */
ATF_TC_WITHOUT_HEAD(strings_without_end);
ATF_TC_BODY(strings_without_end, tc)
{
	struct talk	t;
	char		said[1024];
	int		status;

	talk_init(&t);
	memset(t.hello.build, 'b', sizeof(t.hello.build));
	status = forked(child, &t, said, sizeof(said));
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	ATF_CHECK_MATCH("was started by build b{63}.$", said);
	talk_end(&t);
}

static int
check(uint32_t type, const void *data, size_t len, char *why, size_t size)
{
	struct imsgbuf	a, b;
	struct imsg	imsg;
	int		sv[2], rv;

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	ATF_REQUIRE(imsgbuf_init(&a, sv[0]) == 0);
	ATF_REQUIRE(imsgbuf_init(&b, sv[1]) == 0);
	ATF_REQUIRE(imsg_compose(&a, type, 0, 0, -1, data, len) == 1);
	ATF_REQUIRE(imsgbuf_flush(&a) == 0);
	ATF_REQUIRE(imsgbuf_read(&b) == 1);
	ATF_REQUIRE(imsgbuf_get(&b, &imsg) == 1);
	rv = privsep_hello_check(&imsg, why, size);
	imsg_free(&imsg);
	imsgbuf_clear(&a);
	imsgbuf_clear(&b);
	close(sv[0]);
	close(sv[1]);
	return (rv);
}

ATF_TC_WITHOUT_HEAD(child_of_another_build);
ATF_TC_BODY(child_of_another_build, tc)
{
	struct privsep_hello	h;
	char			why[512], text[512];

	hello_right(&h);
	ATF_CHECK_EQ(0, check(IMSG_PRIVSEP_HELLO, &h, sizeof(h), why,
	    sizeof(why)));
	ATF_CHECK_EQ(-1, check(TYPE_NEXT, &h, sizeof(h), why, sizeof(why)));
	ATF_CHECK_MATCH("not understood", why);
	ATF_CHECK_EQ(-1, check(IMSG_PRIVSEP_HELLO, &h, sizeof(h) - 1, why,
	    sizeof(why)));
	ATF_CHECK_EQ(-1, check(IMSG_PRIVSEP_HELLO, NULL, 0, why,
	    sizeof(why)));
	strlcpy(h.build, "0.2-9", sizeof(h.build));
	ATF_CHECK_EQ(-1, check(IMSG_PRIVSEP_HELLO, &h, sizeof(h), why,
	    sizeof(why)));
	snprintf(text, sizeof(text),
	    "build 0.2-9 is installed, this is %s: restart it", privsep_build);
	ATF_CHECK_STREQ(text, why);
	memset(h.build, 'x', sizeof(h.build));
	ATF_CHECK_EQ(-1, check(IMSG_PRIVSEP_HELLO, &h, sizeof(h), why,
	    sizeof(why)));
	ATF_CHECK(strlen(why) < sizeof(why));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, both_of_one_build);
	ATF_TP_ADD_TC(tp, what_follows_stays);
	ATF_TP_ADD_TC(tp, parent_of_another_build);
	ATF_TP_ADD_TC(tp, parent_that_is_none);
	ATF_TP_ADD_TC(tp, longer_than_ours);
	ATF_TP_ADD_TC(tp, started_by_hand);
	ATF_TP_ADD_TC(tp, strings_without_end);
	ATF_TP_ADD_TC(tp, child_of_another_build);
	return (atf_no_error());
}
