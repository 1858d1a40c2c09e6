/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Reports: what they say, and what nobody can make them say.  That a MIME
 * parser takes them is mime_test's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "compat.h"
#include "report.h"

static const char	*const recipients[] = { "u@virt.dom", "a b@virt.dom" };
static struct report	 state;

static struct report_case
example(const char *text)
{
	struct report_case	what;

	memset(&what, 0, sizeof(what));
	what.program = "maildirbounce";
	what.host = "mx.example";
	what.from = "MAILER-DAEMON@mx.example";
	what.to = what.sender = "joe@example.org";
	what.recipients = recipients;
	what.nrecipients = 1;
	what.text = text;
	what.now = 1795330800;
	what.arrival = 1795244400;
	what.size = 100;
	what.limit = 1000;
	return (what);
}

/* The whole report, the message given in pieces of the size. */
static char *
make(enum report_form form, const struct report_case *what, const char *message,
    size_t len, size_t piece)
{
	char	*out, *top;
	size_t	 n, toplen;

	ATF_REQUIRE((top = report_begin(&state, form, what, &toplen)) != NULL);
	ATF_REQUIRE_EQ(strlen(top), toplen);
	out = malloc(toplen + len + REPORT_END_SIZE + REPORT_HOLD_BYTES + 1);
	ATF_REQUIRE(out != NULL);
	memcpy(out, top, toplen);
	free(top);
	for (n = toplen; len > 0 && !report_full(&state);
	    message += piece, len -= piece) {
		if (piece > len)
			piece = len;
		n += report_copy(&state, out + n, message, piece);
	}
	n += report_end(&state, out + n);
	out[n] = '\0';
	return (out);
}

static char *
make_text(enum report_form form, const struct report_case *what,
    const char *message)
{
	return (make(form, what, message, strlen(message), strlen(message)));
}

static int
count(const char *text, const char *part)
{
	int	n;

	for (n = 0; (text = strstr(text, part)) != NULL; n++)
		text += strlen(part);
	return (n);
}

#define CHECK_HAS(text, part)	\
	ATF_CHECK_MSG(strstr(text, part) != NULL, "no %s in:\n%s", part, text)

ATF_TC_WITHOUT_HEAD(classic);
ATF_TC_BODY(classic, tc)
{
	struct report_case	 what = example("10.0.0.1 said: 550 no");
	char			*text;
	const char		*body;

	text = make_text(REPORT_CLASSIC, &what, "Subject: x\n\nhi\n");
	ATF_CHECK_EQ(text, strstr(text, "Date: 22 Nov 2026 07:00:00 -0000\n"
	    "From: <MAILER-DAEMON@mx.example>\nTo: <joe@example.org>\n"
	    "Subject: failure notice\nMessage-ID: <"));
	CHECK_HAS(text, "\nAuto-Submitted: auto-replied\n");
	body = strstr(text, "\n\n");
	ATF_REQUIRE(body != NULL);
	ATF_CHECK_STREQ("\n\nHi. This is the maildirbounce program at "
	    "mx.example.\nI'm sorry, but a message of yours could not be "
	    "delivered to:\n\n<u@virt.dom>:\n10.0.0.1 said: 550 no\n\n"
	    "--- Below this line is a copy of the message.\n\n"
	    "Return-Path: <joe@example.org>\nSubject: x\n\nhi\n", body);
	free(text);

	what.expired = 1;
	what.nrecipients = 2;
	text = make_text(REPORT_CLASSIC, &what, "\n");
	CHECK_HAS(text, "<u@virt.dom>:\n<a b@virt.dom>:\n10.0.0.1 said: 550 "
	    "no\nIt has been tried for too long; I'm giving up.\n\n---");
	free(text);

	what.twofold = 1;
	text = make_text(REPORT_CLASSIC, &what, "\n");
	CHECK_HAS(text, "\nX-Double-Bounce: yes\n");
	ATF_CHECK(report_is_twofold(text, strlen(text)));
	free(text);
}

ATF_TC_WITHOUT_HEAD(returned);
ATF_TC_BODY(returned, tc)
{
	static const struct {
		const char	*in;
		const char	*out;
	}	examples[] = {
		{ "", "" },
		{ "Delivered-To: a\n", "" },
		{ "delivered-to: a\n b\n\tc\nSubject: x\n\nDelivered-To: d\n",
		  "Subject: x\n\nDelivered-To: d\n" },
		{ "A: 1\nDelivered-To: a\nB: 2\n 3\nDelivered-To: c\n\nz\n",
		  "A: 1\nB: 2\n 3\n\nz\n" },
		{ "Delivered: a\nDelivered-Tom: b\nD\n\nx\n",
		  "Delivered: a\nDelivered-Tom: b\nD\n\nx\n" },
		{ "\r\nDelivered-To: d\n", "\r\nDelivered-To: d\n" },
		{ "Delivered", "Delivered\n" },
		{ "A: 1\n\nno end", "A: 1\n\nno end\n" },
	};
	struct report_case	 what = example("no");
	const char		*end;
	char			*text;
	size_t			 i, piece;

	for (i = 0; i < nitems(examples); i++) {
		for (piece = 1; piece <= strlen(examples[i].in) + 1; piece++) {
			text = make(REPORT_CLASSIC, &what, examples[i].in,
			    strlen(examples[i].in), piece);
			end = strstr(text, "Return-Path: <joe@example.org>\n");
			ATF_REQUIRE(end != NULL);
			ATF_CHECK_STREQ(examples[i].out, strchr(end, '\n') + 1);
			free(text);
		}
	}
}

ATF_TC_WITHOUT_HEAD(limits);
ATF_TC_BODY(limits, tc)
{
	struct report_case	 what;
	static char		 big[100000];
	char			*text;

	memset(big, 'x', sizeof(big) - 1);
	what = example(big);
	memcpy(big, "1.2.3.4 said: 550 ", 18);
	text = make_text(REPORT_CLASSIC, &what, "Subject: x\n\nhi\n");
	ATF_CHECK(strlen(text) < 2 * REPORT_TEXT_BYTES_MAX);
	CHECK_HAS(text, "\n[...]\n");
	free(text);

	what = example("no");
	memcpy(big, "Subject: x\n\n", 12);
	what.size = sizeof(big) - 1;
	text = make_text(REPORT_CLASSIC, &what, big);
	ATF_CHECK(strlen(text) < 2000);
	CHECK_HAS(text, "\n\n--- The message is longer; the rest is not "
	    "returned.\n");
	free(text);

	/* A header that is longer than what may be returned. */
	memset(big, 'x', 20);
	text = make(REPORT_DSN, &what, big, sizeof(big) - 1, 77);
	CHECK_HAS(text, "text/rfc822-headers");
	ATF_CHECK(strlen(text) < 4000);
	free(text);
}

/* Whatever a server says is text, in one place. */
ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	struct report_case	 what;
	char			*text;

	what = example("10.0.0.1 said: 550-5.1.1 one\r\n\n\n"
	    "550-Action: delivered\n\n--- Below\n550 \033[2J\001\200end");
	text = make_text(REPORT_DSN, &what, "Subject: x\n\n--=_0--\nhi\n");
	CHECK_HAS(text, "\nDiagnostic-Code: smtp; 550-5.1.1 one 550-Action: "
	    "delivered --- Below 550\n ?[2J??end\n");
	CHECK_HAS(text, "\nStatus: 5.1.1\n");
	CHECK_HAS(text, "\nRemote-MTA: dns; 10.0.0.1\n");
	ATF_CHECK_EQ(1, count(text, "\nAction: "));
	free(text);

	text = make_text(REPORT_CLASSIC, &what, "\n");
	CHECK_HAS(text, "said: 550-5.1.1 one\n550-Action: delivered\n"
	    "--- Below\n550 ?[2J??end\n\n--- Below this");
	free(text);
}

ATF_TC_WITHOUT_HEAD(dsn);
ATF_TC_BODY(dsn, tc)
{
	static const char	*const odd[] = { "\303\244+=@b\303\274cher.de",
				    "\360\237\230\200@x", "\377@x" };
	struct report_case	 what = example("no mail here");
	char			*other, *text;

	text = make_text(REPORT_DSN, &what, "Subject: x\n\nhi\n");
	CHECK_HAS(text, "\nDiagnostic-Code: x-local; no mail here\n");
	CHECK_HAS(text, "\nStatus: 5.0.0\n");
	CHECK_HAS(text, "\nReporting-MTA: dns; mx.example\n"
	    "Arrival-Date: 21 Nov 2026 07:00:00 -0000\n");
	CHECK_HAS(text, "message/rfc822");
	ATF_CHECK_EQ(4, count(text, state.boundary) - 1);
	other = strdup(state.boundary);
	free(text);

	what.recipients = odd;
	what.nrecipients = nitems(odd);
	text = make_text(REPORT_DSN, &what, "Subject: x\n\nhi\n");
	CHECK_HAS(text, "\nFinal-Recipient: utf-8; "
	    "\\x{E4}\\x{2B}\\x{3D}@b\\x{FC}cher.de\n");
	CHECK_HAS(text, "\nFinal-Recipient: utf-8; \\x{1F600}@x\n");
	CHECK_HAS(text, "\nFinal-Recipient: utf-8; \\x{FF}@x\n");
	CHECK_HAS(text, "charset=utf-8\n");
	ATF_CHECK_MSG(strcmp(other, state.boundary) != 0,
	    "two reports have the same boundary");
	free(other);
	free(text);
}

ATF_TC_WITHOUT_HEAD(status);
ATF_TC_BODY(status, tc)
{
	static const struct {
		const char	*text;
		int		 expired;
		const char	*status;
	}	examples[] = {
		{ "h said: 550 5.1.1 no", 0, "5.1.1" },
		{ "h said: 550-5.7.123 no", 0, "5.7.123" },
		{ "h said: 550 no", 0, "5.0.0" },
		{ "h said: 450 4.2.0 no", 1, "4.2.0" },
		{ "h said: 450 no", 1, "4.4.7" },
		{ "h said: 550 4.1.1 no", 0, "5.0.0" },
		{ "h said: 550 5.1.1234 no", 0, "5.0.0" },
		{ "h said: 550 5.1.1.1 no", 0, "5.0.0" },
		{ "h said: 550 5.1", 0, "5.0.0" },
		{ "h said: 250 2.0.0 ok", 0, "5.0.0" },
		{ "h said: 5501", 0, "5.0.0" },
		{ "h said: ", 0, "5.0.0" },
		{ "two words said: 550 5.1.1 no", 0, "5.0.0" },
		{ "no answer", 1, "4.4.7" },
		{ "it is too large (#5.3.4)", 0, "5.3.4" },
		{ "it is too large (#5.3)", 0, "5.0.0" },
		{ "h said: <b@x>: 550 5.1.1 no <a@x>: 550-5.2.2 full 550 x",
		  0, "5.2.2" },
		{ "h said: <xa@x>: 550 5.1.1 no <a@x>", 0, "5.0.0" },
		{ "h said: <a@x>: 5.1.1 550 5.2.2 no", 0, "5.0.0" },
		{ "h said: 550 5.7.1 <a@x>: 550 5.1.1 no", 0, "5.7.1" },
		{ "", 0, "5.0.0" },
	};
	char	out[REPORT_STATUS_SIZE];
	size_t	i;

	for (i = 0; i < nitems(examples); i++) {
		report_status(out, examples[i].text, "a@x",
		    examples[i].expired);
		ATF_CHECK_STREQ_MSG(examples[i].status, out, "%s: %s",
		    examples[i].text, out);
	}
}

/* Who is named in a text, and whether it is one that names. */
ATF_TC_WITHOUT_HEAD(about);
ATF_TC_BODY(about, tc)
{
	static const char	several[] = "h said: <??@x>: 550 a <b@y>: 550 b";

	ATF_CHECK_STREQ("550 b", report_about(several, "b@y"));
	ATF_CHECK_STREQ("550 a <b@y>: 550 b",
	    report_about(several, "\303\274@x"));
	ATF_CHECK(report_about(several, "c@z") == NULL);
	ATF_CHECK(report_about(several, "@y") == NULL);
	ATF_CHECK(report_about("h said: 550 5.7.1 <b@y>: no", "b@y") == NULL);
	ATF_CHECK(report_about("no <b@y>: no", "b@y") == NULL);
	ATF_CHECK(report_about("h said: <", "b@y") == NULL);
	ATF_CHECK(report_about("h said: ", "b@y") == NULL);
}

/* A notice of a delay: what is tried again, until when; never a failure. */
ATF_TC_WITHOUT_HEAD(delayed);
ATF_TC_BODY(delayed, tc)
{
	static const char	message[] = "Subject: x\n\nsecret\n";
	static const struct {
		const char	*text;
		const char	*status;
	} examples[] = {
		{ "h said: 450 4.2.0 later", "4.2.0" },
		{ "h said: 550 5.1.1 no", "4.0.0" },
		{ "unable to connect", "4.0.0" },
		{ "nobody takes it (#4.4.1)", "4.4.1" }
	};
	struct report_case	what;
	char			*out, status[64];
	size_t			 i;

	for (i = 0; i < nitems(examples); i++) {
		what = example(examples[i].text);
		what.delayed = 1;
		what.until = what.arrival + 14 * 86400;
		out = make(REPORT_DSN, &what, message, strlen(message), 7);
		ATF_CHECK(strstr(out, "\nSubject: delay notice\n") != NULL);
		ATF_CHECK(strstr(out, "\nAction: delayed\n") != NULL);
		(void)snprintf(status, sizeof(status), "\nStatus: %s\n",
		    examples[i].status);
		ATF_CHECK_MSG(strstr(out, status) != NULL, "%s", out);
		ATF_CHECK(strstr(out, "\nWill-Retry-Until: 5 Dec 2026 "
		    "07:00:00 -0000\n") != NULL);
		ATF_CHECK(strstr(out, "text/rfc822-headers") != NULL);
		ATF_CHECK(strstr(out, "Subject: x") != NULL);
		ATF_CHECK(strstr(out, "secret") == NULL);
		ATF_CHECK(strstr(out, "sorry") == NULL);
		free(out);
	}
}

ATF_TC_WITHOUT_HEAD(keep);
ATF_TC_BODY(keep, tc)
{
	const char	*some[] = { "a@x", "b@x", "c@x" };
	const char	*all[] = { "a@x", "b@x" };

	ATF_REQUIRE_EQ(report_keep("h said: <c@x>: 550 no <a@x>: 550 no", some,
	    3), 2);
	ATF_CHECK_STREQ("a@x", some[0]);
	ATF_CHECK_STREQ("c@x", some[1]);
	ATF_CHECK_EQ(report_keep("h said: 550 no", all, 2), 2);
}

/* The same, from a file to a file, from wherever the text begins. */
ATF_TC_WITHOUT_HEAD(whole);
ATF_TC_BODY(whole, tc)
{
	static const char	top[] = "Delivered-To: u\n";
	static const char	message[] = "Subject: x\n\nbody\n";
	struct report_case	what = example("h said: 550 no");
	char			both[64], *expected, out[8192];
	ssize_t			n;
	int			fd, to;

	(void)snprintf(both, sizeof(both), "%s%s", top, message);
	atf_utils_create_file("message", "%s", both);
	ATF_REQUIRE((fd = open("message", O_RDONLY)) != -1);
	ATF_REQUIRE((to = open("report", O_RDWR | O_CREAT, 0600)) != -1);
	what.size = (off_t)strlen(message);
	ATF_REQUIRE_EQ(report_write(to, REPORT_CLASSIC, &what, fd,
	    (off_t)strlen(top)), 0);
	n = pread(to, out, sizeof(out) - 1, 0);
	ATF_REQUIRE(n > 0);
	out[n] = '\0';
	expected = make(REPORT_CLASSIC, &what, message, strlen(message), 100);
	/* The Message-ID is random. */
	ATF_CHECK_STREQ(strstr(expected, "\nAuto-Submitted"),
	    strstr(out, "\nAuto-Submitted"));
	ATF_CHECK_EQ(report_write(-1, REPORT_CLASSIC, &what, fd, 0), -1);
	ATF_CHECK_EQ(report_write(to, REPORT_CLASSIC, &what, -1, 0), -1);
	free(expected);
}

ATF_TC_WITHOUT_HEAD(twofold);
ATF_TC_BODY(twofold, tc)
{
	static const char	yes[] = "Received: x\n y\n"
				    "x-double-bounce: yes\n\n";
	static const char	no[] = "Subject: X-Double-Bounce: yes\n\n"
				    "X-Double-Bounce: yes\n";

	ATF_CHECK(report_is_twofold(yes, sizeof(yes) - 1));
	ATF_CHECK(!report_is_twofold(no, sizeof(no) - 1));
	ATF_CHECK(!report_is_twofold(yes, 20));
	ATF_CHECK(!report_is_twofold("", 0));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, classic);
	ATF_TP_ADD_TC(tp, returned);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, hostile);
	ATF_TP_ADD_TC(tp, dsn);
	ATF_TP_ADD_TC(tp, status);
	ATF_TP_ADD_TC(tp, about);
	ATF_TP_ADD_TC(tp, delayed);
	ATF_TP_ADD_TC(tp, keep);
	ATF_TP_ADD_TC(tp, whole);
	ATF_TP_ADD_TC(tp, twofold);
	return (atf_no_error());
}
