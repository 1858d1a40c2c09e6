/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The QMTP client at every split of what it reads and writes, with a clock of
 * the test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "delivery.h"
#include "qmtp.h"

#define TEXT_MAX	300000
#define LETTERS		40
#define HOUR_MS		3600000

static char		 said[TEXT_MAX], came[TEXT_MAX], names[LETTERS][4];
static size_t		 said_len, came_len;
static struct delivery	*delivery;
static int64_t		 now_ms;

static __attribute__((__format__(__printf__, 1, 2))) void
came_put(const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	came_len += (size_t)vsnprintf(came + came_len, sizeof(came) - came_len,
	    format, ap);
	va_end(ap);
	ATF_REQUIRE(came_len < sizeof(came));
}

static void
begin(void)
{
	said_len = came_len = 0;
	said[0] = came[0] = '\0';
	now_ms = 0;
	delivery = qmtp_new(NULL, 0);
	ATF_REQUIRE(delivery != NULL);
}

static void
events(void)
{
	struct delivery_event	event;

	while (delivery_event(delivery, &event)) {
		if (event.what == DELIVERY_UNTRIED)
			came_put("%s untried\n", (char *)event.cookie);
		else if (event.what == DELIVERY_END)
			came_put("end %c %s\n", event.status, event.text);
		else
			came_put("%s %c%s %s\n", (char *)event.cookie,
			    event.status, event.said ? " said" : "",
			    event.text);
	}
}

static void
give(unsigned int n, const char *sender, const char *const *recipients,
    const char *text)
{
	struct delivery_message	message;

	memset(&message, 0, sizeof(message));
	message.sender = sender;
	message.recipients = recipients;
	while (recipients[message.nrecipients] != NULL)
		message.nrecipients++;
	message.fd = -1;
	message.data = text;
	message.len = (off_t)strlen(text);
	(void)snprintf(names[n], sizeof(names[n]), "%u", n);
	message.cookie = names[n];
	delivery_give(delivery, &message, now_ms);
	events();
}

/* All output, in pieces of that size (0: as it comes). */
static void
flush(size_t piece)
{
	const char	*data;
	size_t		 n;

	while ((n = delivery_output(delivery, &data)) > 0) {
		if (piece > 0 && n > piece)
			n = piece;
		ATF_REQUIRE(said_len + n < sizeof(said));
		memcpy(said + said_len, data, n);
		said_len += n;
		said[said_len] = '\0';
		delivery_sent(delivery, n, now_ms);
	}
	events();
}

static void
hear(const char *text, size_t piece)
{
	size_t	 len = strlen(text), n;
	char	*copy;

	for (; len > 0; text += n, len -= n) {
		n = piece == 0 || piece > len ? len : piece;
		ATF_REQUIRE((copy = malloc(n)) != NULL);
		memcpy(copy, text, n);
		delivery_receive(delivery, copy, n, now_ms);
		free(copy);
		events();
	}
}

static const char *const	joe[] = { "joe@x", NULL };
static const char *const	some[] = { "a b@x", "j@y", "k@z", NULL };

ATF_TC_WITHOUT_HEAD(packages);
ATF_TC_BODY(packages, tc)
{
	size_t	piece;

	for (piece = 0; piece < 90; piece++) {
		begin();
		give(1, "me@h", joe, "x: y\n\n.\r\n");
		give(2, "", some, "no lf");
		flush(piece);
		ATF_CHECK_STREQ("10:\nx: y\n\n.\r\n,4:me@h,8:5:joe@x,,"
		    "6:\nno lf,0:,20:5:a b@x,3:j@y,3:k@z,,", said);
		hear("3:Kok,4:Zlow,1:K,18:Dno\nsuch \001person.\n,", piece);
		ATF_CHECK_STREQ("1 K said ok\n"
		    "2 Z said <a b@x>: low\n<k@z>: no\nsuch ?person.\n", came);
		delivery_finish(delivery, now_ms);
		flush(0);
		ATF_CHECK(strstr(came, "person.\nend K \n") != NULL);
		delivery_free(delivery);
	}
}

/* Several recipients: all, none, and what lies between. */
ATF_TC_WITHOUT_HEAD(recipients);
ATF_TC_BODY(recipients, tc)
{
	static const struct {
		const char	*heard, *came;
	} cases[] = {
		{ "2:Ka,2:Kb,2:Kc,", "1 K said c\n" },
		{ "2:Ka,2:Db,2:Kc,", "1 D said <j@y>: b\n" },
		{ "2:Da,2:Db,2:Dc,",
		    "1 D said <a b@x>: a\n<j@y>: b\n<k@z>: c\n" },
		{ "2:Da,2:Zb,2:Dc,",
		    "1 Z said <a b@x>: a\n<j@y>: b\n<k@z>: c\n" },
	};
	size_t	i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		give(1, "me@h", some, "x\n");
		flush(0);
		hear(cases[i].heard, i);
		ATF_CHECK_STREQ(cases[i].came, came);
		delivery_free(delivery);
	}
}

/* Whoever is not named in the result would not be told of: all are. */
ATF_TC_WITHOUT_HEAD(recipients_with_much_to_say);
ATF_TC_BODY(recipients_with_much_to_say, tc)
{
	static char	much[3100];
	int		i;

	(void)snprintf(much, sizeof(much), "3001:D%03000d,", 0);
	begin();
	give(1, "me@h", some, "x\n");
	flush(0);
	for (i = 0; i < 3; i++)
		hear(much, 0);
	ATF_CHECK(strncmp(came, "1 D said <a b@x>: 000", 21) == 0);
	ATF_CHECK(strstr(came, "\n<j@y>: 000") != NULL);
	ATF_CHECK(strstr(came, "\n<k@z>: 000") != NULL);
	delivery_free(delivery);
}

ATF_TC_WITHOUT_HEAD(nonsense);
ATF_TC_BODY(nonsense, tc)
{
	static const char *const	bad[] = {
		"x", ":", "0:,", "1:X,", "2:Kx;", "03:Kok,", "99999:", "-1:K,",
		"1 :K,", "K", "65537:", "99999999999999999999999999:", "\n"
	};
	size_t				i, piece;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (piece = 0; piece < 3; piece++) {
			begin();
			give(1, "me@h", joe, "x\n");
			flush(0);
			hear(bad[i], piece);
			ATF_CHECK_STREQ_MSG("1 untried\n"
			    "end Z a response that makes no sense\n", came,
			    "%s", bad[i]);
			delivery_free(delivery);
		}
	}
}

/* Before the last octet of a message there is nothing to say about it. */
ATF_TC_WITHOUT_HEAD(early_talk);
ATF_TC_BODY(early_talk, tc)
{
	const char	*data;
	size_t		 n;

	begin();
	hear("3:Kok,", 0);
	ATF_CHECK_STREQ("end Z a response to nothing\n", came);
	delivery_free(delivery);
	begin();
	give(1, "me@h", joe, "x\n");
	n = delivery_output(delivery, &data);
	delivery_sent(delivery, n - 1, now_ms);
	hear("3:Kok,", 0);
	ATF_CHECK_STREQ("1 untried\nend Z a response to nothing\n", came);
	delivery_free(delivery);
	begin();
	give(1, "me@h", joe, "x\n");
	flush(0);
	hear("3:Kok,3:Kok,", 0);
	ATF_CHECK_STREQ("1 K said ok\nend Z a response to nothing\n", came);
	delivery_free(delivery);
}

/* No more than the window is ever in doubt. */
ATF_TC_WITHOUT_HEAD(window);
ATF_TC_BODY(window, tc)
{
	unsigned int	i;

	begin();
	for (i = 0; delivery_wants(delivery); i++) {
		ATF_REQUIRE(i < QMTP_WINDOW);
		give(i, "me@h", joe, "x\n");
	}
	ATF_CHECK_EQ(QMTP_WINDOW, i);
	flush(0);
	hear("3:Kok,3:Kok,", 0);
	for (; delivery_wants(delivery); i++)
		give(i, "me@h", joe, "x\n");
	ATF_CHECK_EQ(QMTP_WINDOW + 2, i);
	flush(0);
	hear("2:Za,2:Db,", 0);
	ATF_CHECK_STREQ("0 K said ok\n1 K said ok\n2 Z said a\n3 D said b\n",
	    came);
	delivery_lost(delivery, ECONNRESET);
	came_len = 0;
	events();
	ATF_CHECK(strncmp(came, "4 untried\n5 untried\n", 20) == 0);
	ATF_CHECK(strstr(came, "33 untried\nend Z the connection failed: "
	    "Connection reset by peer\n") != NULL);
	delivery_free(delivery);
}

ATF_TC_WITHOUT_HEAD(patience);
ATF_TC_BODY(patience, tc)
{
	const char	*data;

	begin();
	ATF_CHECK_EQ(-1, delivery_deadline(delivery));
	now_ms = 1000;
	give(1, "me@h", joe, "x\n");
	ATF_CHECK_EQ(181000, delivery_deadline(delivery));
	(void)delivery_output(delivery, &data);
	now_ms = 100000;
	delivery_sent(delivery, 1, now_ms);
	ATF_CHECK_EQ(280000, delivery_deadline(delivery));
	flush(0);
	ATF_CHECK_EQ(now_ms + HOUR_MS, delivery_deadline(delivery));
	hear("3:Ko", 0);
	delivery_expire(delivery, now_ms + HOUR_MS - 1);
	events();
	ATF_CHECK_STREQ("", came);
	delivery_expire(delivery, now_ms + HOUR_MS);
	events();
	ATF_CHECK_STREQ("1 untried\n"
	    "end Z the server says nothing, for 3600 seconds\n", came);
	delivery_free(delivery);
}

/* A large one, and a window of them: the output never runs over. */
ATF_TC_WITHOUT_HEAD(large);
ATF_TC_BODY(large, tc)
{
	static char	text[250001];
	char		begun[32];

	memset(text, 'x', sizeof(text) - 1);
	begin();
	give(1, "me@h", joe, text);
	flush(0);
	(void)snprintf(begun, sizeof(begun), "250001:\nxxx");
	ATF_CHECK(strncmp(begun, said, strlen(begun)) == 0);
	ATF_CHECK_EQ(8 + 250000 + strlen(",4:me@h,8:5:joe@x,,"), said_len);
	ATF_CHECK_STREQ("x,4:me@h,8:5:joe@x,,", said + said_len - 20);
	hear("3:Kok,", 0);
	ATF_CHECK_STREQ("1 K said ok\n", came);
	delivery_free(delivery);
}

/* Unreadable from the start: nobody else's trouble. */
ATF_TC_WITHOUT_HEAD(unreadable);
ATF_TC_BODY(unreadable, tc)
{
	struct delivery_message	message;

	begin();
	give(1, "me@h", joe, "x\n");
	memset(&message, 0, sizeof(message));
	message.sender = "";
	message.recipients = joe;
	message.nrecipients = 1;
	message.fd = 1000;		/* open nowhere */
	message.len = 10;
	message.cookie = names[2];
	(void)snprintf(names[2], sizeof(names[2]), "2");
	delivery_give(delivery, &message, now_ms);
	events();
	give(3, "me@h", joe, "y\n");
	flush(0);
	ATF_CHECK_STREQ("3:\nx\n,4:me@h,8:5:joe@x,,"
	    "3:\ny\n,4:me@h,8:5:joe@x,,", said);
	hear("3:Kok,3:Kok,", 0);
	ATF_CHECK_STREQ("2 Z unable to read the message: Bad file descriptor\n"
	    "1 K said ok\n3 K said ok\n", came);
	delivery_free(delivery);
}

/* It gets shorter while it is sent: the package must not be completed. */
ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	static char		text[150000];
	struct delivery_message	message;
	int			fd = open("letter", O_RDWR | O_CREAT, 0600);

	ATF_REQUIRE(fd != -1);
	memset(text, 'x', sizeof(text));
	ATF_REQUIRE_EQ(sizeof(text), write(fd, text, sizeof(text)));
	begin();
	memset(&message, 0, sizeof(message));
	message.sender = "";
	message.recipients = joe;
	message.nrecipients = 1;
	message.fd = fd;
	message.len = sizeof(text);
	message.cookie = names[2];
	(void)snprintf(names[2], sizeof(names[2]), "2");
	delivery_give(delivery, &message, now_ms);
	ATF_REQUIRE_EQ(0, ftruncate(fd, 100));
	flush(0);
	ATF_CHECK_STREQ("2 Z unable to read the message: Input/output error\n"
	    "end Z a message could not be read to its end\n", came);
	ATF_CHECK(strstr(said, ",") == NULL);
	delivery_free(delivery);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, packages);
	ATF_TP_ADD_TC(tp, recipients);
	ATF_TP_ADD_TC(tp, recipients_with_much_to_say);
	ATF_TP_ADD_TC(tp, nonsense);
	ATF_TP_ADD_TC(tp, early_talk);
	ATF_TP_ADD_TC(tp, window);
	ATF_TP_ADD_TC(tp, patience);
	ATF_TP_ADD_TC(tp, large);
	ATF_TP_ADD_TC(tp, unreadable);
	ATF_TP_ADD_TC(tp, truncated);
	return (atf_no_error());
}
