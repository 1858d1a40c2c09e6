/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The envelope on top of a message, in the forms of four MTAs and in those
 * that a stranger might like to be taken for one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "compat.h"
#include "head.h"

/* What head_parse found, in one line: "VERDICT sender|rcpt,rcpt|others|body". */
static const char *
parse(const char *text, size_t len, const char *prefix)
{
	static struct head	head;
	static char		out[2 * sizeof(head.text)];
	char			*copy;
	size_t			 i, n;

	/* Of the very size, so that a sanitizer sees a step beyond. */
	ATF_REQUIRE((copy = malloc(len + 1)) != NULL);
	copy = realloc(copy, len == 0 ? 1 : len);
	memcpy(copy, text, len);
	switch (head_parse(&head, copy, len, prefix)) {
	case HEAD_BAD:
		(void)snprintf(out, sizeof(out), "bad: %s", head.why);
		free(copy);
		return (out);
	case HEAD_OTHER:
		n = (size_t)snprintf(out, sizeof(out), "other ");
		break;
	default:
		n = (size_t)snprintf(out, sizeof(out), "ok ");
	}
	n += (size_t)snprintf(out + n, sizeof(out) - n, "%s|", head.sender);
	for (i = 0; i < head.nrecipients; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s",
		    i == 0 ? "" : ",", head.recipients[i]);
	(void)snprintf(out + n, sizeof(out) - n, "|%zu|%.*s", head.others,
	    (int)(len - head.body < 12 ? len - head.body : 12),
	    copy + head.body);
	free(copy);
	return (out);
}

struct example {
	const char	*text;
	const char	*prefix;
	const char	*found;
};

static void
check(const struct example *examples, size_t count)
{
	size_t	i;

	for (i = 0; i < count; i++) {
		ATF_CHECK_STREQ_MSG(examples[i].found, parse(examples[i].text,
		    strlen(examples[i].text), examples[i].prefix),
		    "%s\nis: %s", examples[i].text, parse(examples[i].text,
		    strlen(examples[i].text), examples[i].prefix));
	}
}

ATF_TC_WITHOUT_HEAD(qmail);
ATF_TC_BODY(qmail, tc)
{
	static const struct example	examples[] = {
		{ "Return-Path: <joe@example.org>\n"
		  "Delivered-To: autoturn-1.2.3.4-user@virt.dom\nSubject: x\n",
		  "autoturn-1.2.3.4-", "ok joe@example.org|user@virt.dom|0|"
		  "Subject: x\n" },
		{ "Return-Path: <joe@example.org>\n"
		  "Delivered-To: autoturn-1.2.3.4-x-y@virt.dom\nReceived:",
		  "autoturn-1.2.3.4-", "ok joe@example.org|x-y@virt.dom|0|"
		  "Received:" },
		{ "Return-Path: <\"a b\\\"c\\\\\"@x>\nDelivered-To: p-a b@y\nT",
		  "p-", "ok a b\"c\\@x|a b@y|0|T" },
		{ "Return-Path: <>\nDelivered-To: p-u@x\n", "p-",
		  "ok |u@x|0|" },
		{ "Return-Path: <#@[]>\nDelivered-To: p-u@x", "p-",
		  "ok #@[]|u@x|0|" },
		{ "Return-Path: <s@y>\nDelivered-To: q-u@x\n\n", "p-",
		  "other s@y||1|\n" },
		/* The prefix is compared byte by byte. */
		{ "Return-Path: <s@y>\nDelivered-To: P-u@x\n", "p-",
		  "other s@y||1|" },
		{ "Return-Path: <s@y>\nDelivered-To: u@x\n", "",
		  "ok s@y|u@x|0|" },
		/* Raw, so the quotes belong to it. */
		{ "Return-Path: <s@y>\nDelivered-To: p-\"u\"@x\n", "p-",
		  "ok s@y|\"u\"@x|0|" },
		{ "Return-Path: <s@y>\nDelivered-To: p-a@b@x\n", "p-",
		  "ok s@y|a@b@x|0|" },
		{ "Return-Path: <\303\244@y>\nDelivered-To: p-\303\266@x\n",
		  "p-", "ok \303\244@y|\303\266@x|0|" },
		/* Neither field folds: the third line is the message's. */
		{ "Return-Path: <s@y>\nDelivered-To: p-u@x\n more\n", "p-",
		  "ok s@y|u@x|0| more\n" },
		/* What comes after the envelope is the sender's own. */
		{ "Return-Path: <s@y>\nDelivered-To: p-u@x\n"
		  "Delivered-To: p-v@x\n", "p-",
		  "ok s@y|u@x|0|Delivered-To" },
		{ "Return-Path: <s@y>\nDelivered-To: p-u@x\n"
		  "Envelope-to: p-v@x\n", "p-",
		  "ok s@y|u@x|0|Envelope-to:" },
		/* A route is dropped. */
		{ "Return-Path: <@a,@b:s@y>\nDelivered-To: p-u@x\n", "p-",
		  "ok s@y|u@x|0|" },
		{ "Return-Path: <s@y>\r\nDelivered-To: p-u@x\r\nA\r\n", "p-",
		  "ok s@y|u@x|0|A\r\n" },
	};

	check(examples, nitems(examples));
}

ATF_TC_WITHOUT_HEAD(postfix);
ATF_TC_BODY(postfix, tc)
{
	static const struct example	examples[] = {
		{ "Return-Path: <joe@example.org>\n"
		  "X-Original-To: info@shop.example\n"
		  "Delivered-To: p-info@shop.example\n"
		  "Received: by mx\n", "p-",
		  "ok joe@example.org|info@shop.example|0|Received: by" },
		{ "Return-Path: <\"a b\"@x>\nX-Original-To: \"c d\"@y\n"
		  "Delivered-To: \"p-c d\"@y\nR", "p-",
		  "ok a b@x|c d@y|0|R" },
		{ "Return-Path: <>\nX-Original-To: u@y\n"
		  "Delivered-To: u@y\n", "", "ok |u@y|0|" },
		/* enable_original_recipient = no */
		{ "Return-Path: <s@x>\nDelivered-To: \"p-c d\"@y\n", "p-",
		  "ok s@x|c d@y|0|" },
		{ "Return-Path: <s@x>\nX-Original-To: u@y\nReceived: z\n", "",
		  "bad: it has no envelope on top "
		  "(Return-Path, Delivered-To)" },
	};

	check(examples, nitems(examples));
}

ATF_TC_WITHOUT_HEAD(opensmtpd);
ATF_TC_BODY(opensmtpd, tc)
{
	static const struct example	examples[] = {
		{ "Return-Path: <joe@example.org>\n"
		  "Delivered-To: p-u@example.net\nReceived: f\n", "p-",
		  "ok joe@example.org|u@example.net|0|Received: f\n" },
		{ "Delivered-To: p-u@example.net\nReceived: f\n", "p-",
		  "ok |u@example.net|0|Received: f\n" },
	};

	check(examples, nitems(examples));
}

ATF_TC_WITHOUT_HEAD(exim);
ATF_TC_BODY(exim, tc)
{
	static const struct example	examples[] = {
		{ "Return-path: <joe@example.org>\n"
		  "Envelope-to: p-u@example.net\n"
		  "Delivery-date: Sun, 22 Nov 2026 07:00:00 +0000\n"
		  "Received: f\n", "p-",
		  "ok joe@example.org|u@example.net|0|Received: f\n" },
		{ "Return-path: <joe@example.org>\n"
		  "Envelope-to: a@x,\n b@x,\n\t\"c, d\"@x\nReceived: f\n", "",
		  "ok joe@example.org|a@x,b@x,c, d@x|0|Received: f\n" },
		{ "Return-path: <>\nEnvelope-to: p-a@x, q-b@x, p-c@x\n\n",
		  "p-", "ok |a@x,c@x|1|\n" },
		{ "Return-path: <>\nEnvelope-to: a@x\nReceived: f\n"
		  "Delivery-date: x\n", "", "ok |a@x|0|Received: f\n" },
		{ "Return-path: <>\nEnvelope-to: a@x\n"
		  "Delivery-date: x\n y\nR", "", "ok |a@x|0|R" },
		{ "Envelope-to: a@x\nReceived: f\n", "",
		  "bad: it has Envelope-to but no Return-path" },
		{ "Return-path: <>\nEnvelope-to: ,\n ,\nR", "",
		  "bad: its Envelope-to is empty" },
		{ "Return-path: <>\nEnvelope-to: \"a@x, b@x\nR", "",
		  "bad: its recipient is no address" },
		{ "Return-path: <>\nEnvelope-to: a@x\\\nR", "",
		  "bad: its recipient is no address" },
	};

	check(examples, nitems(examples));
}

ATF_TC_WITHOUT_HEAD(bad);
ATF_TC_BODY(bad, tc)
{
#define NO_ENVELOPE	"bad: it has no envelope on top " \
			"(Return-Path, Delivered-To)"
	static const struct example	examples[] = {
		{ "", "", NO_ENVELOPE },
		{ "\n", "", NO_ENVELOPE },
		{ "Delivered-To", "", NO_ENVELOPE },
		{ "Subject: x\n\nDelivered-To: u@x\n", "", NO_ENVELOPE },
		{ "Received: x\nReturn-Path: <s@y>\nDelivered-To: u@x\n", "",
		  NO_ENVELOPE },
		{ "Return-Path: <s@y>\n", "", NO_ENVELOPE },
		{ "Return-Path: <s@y>\nSubject: x\nDelivered-To: u@x\n", "",
		  NO_ENVELOPE },
		{ "From joe Sun\nReturn-Path: <s@y>\nDelivered-To: u@x\n", "",
		  NO_ENVELOPE },
		{ "Return-Path: s@y\nDelivered-To: u@x\n", "",
		  "bad: its Return-Path has no <address>" },
		{ "Return-Path: <\nDelivered-To: u@x\n", "",
		  "bad: its Return-Path has no <address>" },
		{ "Return-Path: <\"s@y>\nDelivered-To: u@x\n", "",
		  "bad: its sender is no address" },
		/* Nothing may end the path or add to the command. */
		{ "Return-Path: <s@y> SIZE=1>\nDelivered-To: u@x\n", "",
		  "bad: its sender is no address" },
		{ "Return-Path: <s@y>\nDelivered-To: u@x> NOTIFY=NEVER\n", "",
		  "bad: its recipient is no address" },
		{ "Return-Path: <s@y>\nDelivered-To: u\r@x\n", "",
		  "bad: its recipient is no address" },
		{ "Return-Path: <\"\\\t\"@y>\nDelivered-To: u@x\n", "",
		  "bad: its sender is no address" },
		{ "Return-Path: <s@y>\nDelivered-To: p-\n", "p-",
		  "bad: its recipient is empty" },
		{ "Return-Path: <s@y>\nDelivered-To:\n", "",
		  "bad: its recipient is empty" },
	};

	static const char		null[] =
	    "Return-Path: <>\nDelivered-To: a\0b@x\n";

	check(examples, nitems(examples));
	ATF_CHECK_STREQ("bad: its recipient is no address",
	    parse(null, sizeof(null) - 1, ""));
}

ATF_TC_WITHOUT_HEAD(bounds);
ATF_TC_BODY(bounds, tc)
{
	static char	text[3 * HEAD_BYTES_MAX];
	size_t		i, n;

	n = (size_t)snprintf(text, sizeof(text),
	    "Return-Path: <>\nDelivered-To: ");
	memset(text + n, 'a', sizeof(text) - n);

	/* The longest address, and one longer. */
	text[n + HEAD_ADDRESS_BYTES_MAX] = '\n';
	ATF_CHECK_EQ(0, strncmp(parse(text, sizeof(text), ""), "ok |aaa", 7));
	text[n + HEAD_ADDRESS_BYTES_MAX] = 'a';
	text[n + HEAD_ADDRESS_BYTES_MAX + 1] = '\n';
	ATF_CHECK_STREQ("bad: its recipient is too long",
	    parse(text, sizeof(text), ""));

	/* A line that never ends. */
	text[n + HEAD_ADDRESS_BYTES_MAX + 1] = 'a';
	ATF_CHECK_STREQ("bad: a line of its envelope is too long",
	    parse(text, sizeof(text), ""));
	ATF_CHECK_STREQ("bad: a line of its envelope is too long",
	    parse(text, HEAD_BYTES_MAX, ""));
	ATF_CHECK_STREQ("bad: its recipient is too long",
	    parse(text, HEAD_BYTES_MAX - 1, ""));

	/* As many recipients as there may be, and one more. */
	n = (size_t)snprintf(text, sizeof(text),
	    "Return-Path: <>\nEnvelope-to: a@x");
	for (i = 1; i < HEAD_RECIPIENTS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ",\n a@x");
	ATF_CHECK_EQ(0, strncmp(parse(text, n, ""), "ok |a@x,a@x", 11));
	n += (size_t)snprintf(text + n, sizeof(text) - n, ",\n a@x");
	ATF_CHECK_STREQ("bad: it has too many recipients", parse(text, n, ""));
}

ATF_TC_WITHOUT_HEAD(quote);
ATF_TC_BODY(quote, tc)
{
	static const struct {
		const char	*raw;
		const char	*quoted;
	}	examples[] = {
		{ "", "" },
		{ "joe@example.org", "joe@example.org" },
		{ "joe", "joe" },
		{ "a.b@x", "a.b@x" },
		{ ".a@x", "\".a\"@x" },
		{ "a.@x", "\"a.\"@x" },
		{ "a..b@x", "\"a..b\"@x" },
		{ "@x", "\"\"@x" },
		{ "a b@x", "\"a b\"@x" },
		{ "a@b@x", "\"a@b\"@x" },
		{ "a\"b\\@x", "\"a\\\"b\\\\\"@x" },
		{ "#@[]", "#@[]" },
		{ "\303\244@x", "\303\244@x" },
		{ "a,b<>@x", "\"a,b<>\"@x" },
	};
	char	out[64], back[64];
	size_t	i;

	for (i = 0; i < nitems(examples); i++) {
		ATF_CHECK_EQ((ssize_t)strlen(examples[i].quoted),
		    mailbox_quote(out, sizeof(out), examples[i].raw));
		ATF_CHECK_STREQ(examples[i].quoted, out);
		ATF_CHECK_EQ((ssize_t)strlen(examples[i].raw),
		    mailbox_unquote(back, out, strlen(out)));
		ATF_CHECK_STREQ(examples[i].raw, back);
	}
	ATF_CHECK_EQ(-1, mailbox_quote(out, 12, "abcde"));
	ATF_CHECK_EQ(5, mailbox_quote(out, 13, "abcde"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, qmail);
	ATF_TP_ADD_TC(tp, postfix);
	ATF_TP_ADD_TC(tp, opensmtpd);
	ATF_TP_ADD_TC(tp, exim);
	ATF_TP_ADD_TC(tp, bad);
	ATF_TP_ADD_TC(tp, bounds);
	ATF_TP_ADD_TC(tp, quote);
	return (atf_no_error());
}
