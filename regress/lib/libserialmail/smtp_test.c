/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The SMTP client against servers of every kind, at every split of what it
 * reads and writes, with a clock of the test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "dialogue.h"

#define MINUTE_MS	60000

static struct dialogue	d;

static const struct letter	one[] = {
	{ .sender = "a@b.example", .recipients = { "c@d.example" },
	    .text = "Subject: x\n\nhello\n" }
};
static const struct letter	two[] = {
	{ .sender = "a@b.example", .recipients = { "c@d.example" },
	    .text = "Subject: x\n\nhello\n" },
	{ .sender = "", .recipients = { "e@f.example" },
	    .text = "Subject: y\n\n.dot" }
};

/* Runs it whole, and checks that no split makes a difference. */
static void
run(const struct rule *rules, const struct letter *letters, size_t n)
{
	static char	said[TEXT_MAX], came[TEXT_MAX];
	size_t		i;

	d.rules = rules;
	d.letters = letters;
	d.nletters = n;
	d.down = d.first = d.up = 0;
	dialogue_run(&d);
	memcpy(said, d.said, d.said_len + 1);
	memcpy(came, d.came, d.came_len + 1);
	for (i = 1; i < 120; i++) {
		d.down = i % 40 + 1;
		d.first = i;
		d.up = i % 3 == 0 ? 0 : i % 7 + 1;
		dialogue_run(&d);
		ATF_REQUIRE_STREQ_MSG(came, d.came, "split %zu", i);
		ATF_REQUIRE_STREQ_MSG(said, d.said, "split %zu", i);
	}
	d.down = d.first = d.up = 0;
	dialogue_run(&d);
}

/* One letter: what was said after the greeting, and what came of it. */
static void
check(const struct rule *rules, const struct letter *letters, size_t n,
    const char *said, const char *came)
{
	run(rules, letters, n);
	if (said != NULL)
		ATF_CHECK_STREQ(said, d.said);
	ATF_CHECK_STREQ(came, d.came);
}

#define HELLO		"EHLO me\r\n"
#define NO_PIPELINING	{ "EHLO", 0, "250-sink\r\n250 8BITMIME" }
#define ENVELOPE_1	"MAIL FROM:<a@b.example>\r\n" \
			"RCPT TO:<c@d.example>\r\nDATA\r\n"
#define TEXT_1		"Subject: x\r\n\r\nhello\r\n.\r\n"
#define ENVELOPE_2	"MAIL FROM:<>\r\nRCPT TO:<e@f.example>\r\nDATA\r\n"
#define TEXT_2		"Subject: y\r\n\r\n..dot\r\n.\r\n"
#define QUIT		"QUIT\r\n"
#define ALL_WELL	"1 K 250 said 250 ok\n2 K 250 said 250 ok\nend K 0 \n"
#define RULES_END	{ NULL, 0, NULL }

ATF_TC_WITHOUT_HEAD(two_messages);
ATF_TC_BODY(two_messages, tc)
{
	check(NULL, two, 2, HELLO ENVELOPE_1 TEXT_1 ENVELOPE_2 TEXT_2 QUIT,
	    ALL_WELL);
	/* Greeting, EHLO, envelope, one for each message, QUIT. */
	ATF_CHECK_EQ(6, d.turns);
}

ATF_TC_WITHOUT_HEAD(two_messages_without_pipelining);
ATF_TC_BODY(two_messages_without_pipelining, tc)
{
	static const struct rule	rules[] = { NO_PIPELINING, RULES_END };

	check(rules, two, 2, HELLO ENVELOPE_1 TEXT_1 ENVELOPE_2 TEXT_2 QUIT,
	    ALL_WELL);
	ATF_CHECK_EQ(11, d.turns);
}

ATF_TC_WITHOUT_HEAD(helo);
ATF_TC_BODY(helo, tc)
{
	static const struct rule	refused[] = {
		{ "EHLO", 0, "500-no\r\n500 no" },
		{ "HELO", 0, "550 no" }, RULES_END
	};
	static const struct rule	plain[] = {
		{ "EHLO", 0, "502 what" }, RULES_END
	};

	check(plain, one, 1, HELLO "HELO me\r\n" ENVELOPE_1 TEXT_1 QUIT,
	    "1 K 250 said 250 ok\nend K 0 \n");
	check(refused, one, 1, HELLO "HELO me\r\n" QUIT,
	    "1 untried\nend Z 550 said 550 no\n");
}

ATF_TC_WITHOUT_HEAD(greeting);
ATF_TC_BODY(greeting, tc)
{
	static const char *const	bad[] = {
		"554 go away", "421 busy", "250 ok", "221 bye", "220-a\r\n221 b", "hello",
		"22", "220x", "-1 no", "999 no", "120 wait", "", "2 20"
	};
	struct rule	rules[2] = { { "GREETING", 0, NULL }, RULES_END };
	char		come[200];
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rules[0].reply = bad[i];
		run(rules, one, 1);
		ATF_CHECK_STREQ_MSG(i == 0 || i == 2 || i == 3 ? QUIT : "", d.said,
		    "%s", bad[i]);
		(void)snprintf(come, sizeof(come), "1 untried\nend Z %d",
		    i < 4 ? atoi(bad[i]) : 0);
		ATF_CHECK_MSG(strncmp(come, d.came, strlen(come)) == 0, "%s: %s",
		    bad[i], d.came);
	}
	rules[0].reply = "220-this is\r\n220-long\r\n220 and well";
	check(rules, one, 1, NULL, "1 K 250 said 250 ok\nend K 0 \n");
}

/* A refusal at each stage, with and without PIPELINING. */
ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	static const char *const	stages[] = {
		"MAIL", "RCPT", "DATA", "."
	};
	static const char *const	replies[] = {
		"450 4.2.0 later", "550-5.1.1 no\r\n550 5.1.1 never", "452 full",
		"554 no", "500 what", "503 bad sequence"
	};
	struct rule	rules[3] = { { NULL, 1, NULL }, RULES_END, RULES_END };
	char		want[200], text[100], *cr;
	size_t		stage, reply;
	int		status, piped;

	for (piped = 0; piped < 2; piped++)
	for (stage = 0; stage < 4; stage++)
	for (reply = 0; reply < 6; reply++) {
		rules[0].command = stages[stage];
		rules[0].reply = replies[reply];
		rules[1] = piped ? (struct rule)RULES_END :
		    (struct rule)NO_PIPELINING;
		run(rules, two, 2);
		(void)snprintf(text, sizeof(text), "%s", replies[reply]);
		if ((cr = strstr(text, "\r\n")) != NULL)
			memmove(cr, cr + 1, strlen(cr));
		status = replies[reply][0] == '4' ? 'Z' : 'D';
		if (atoi(text) == 503 && stage < 3)
			status = 'Z';
		(void)snprintf(want, sizeof(want), "1 %c %d said %s\n"
		    "2 K 250 said 250 ok\nend K 0 \n", status, atoi(text),
		    text);
		ATF_CHECK_STREQ_MSG(want, d.came, "%s %s", stages[stage],
		    replies[reply]);
		/* The next envelope begins anew, and only where it must. */
		ATF_CHECK_EQ_MSG(stage == 1 || stage == 2 ||
		    (stage == 0 && atoi(text) == 503),
		    strstr(d.said, "RSET\r\n") != NULL, "%s", d.said);
	}
}

/* RFC 2920: a message for nobody is begun and must be ended. */
ATF_TC_WITHOUT_HEAD(lone_dot);
ATF_TC_BODY(lone_dot, tc)
{
	static const struct rule	rules[] = {
		{ "RCPT", 1, "550 nobody" }, { "DATA", 1, "354 go" },
		{ ".", 1, "554 no recipients" }, RULES_END
	};
	static const struct rule	taken[] = {
		{ "MAIL", 1, "450 later" }, { "RCPT", 1, "503 no" },
		{ "DATA", 1, "354 go" }, { ".", 1, "250 ok" }, RULES_END
	};

	/* DATA's reply is by default 354, whatever RCPT's was. */
	check(rules, two, 2, HELLO ENVELOPE_1 ".\r\n" ENVELOPE_2 TEXT_2 QUIT,
	    "1 D 550 said 550 nobody\n2 K 250 said 250 ok\nend K 0 \n");
	check(taken, two, 2, HELLO ENVELOPE_1 ".\r\n" ENVELOPE_2 TEXT_2 QUIT,
	    "1 Z 450 said 450 later\n2 K 250 said 250 ok\nend K 0 \n");
}

/* MAIL is refused and all that needs it is not: who would get the text? */
ATF_TC_WITHOUT_HEAD(mail_refused_rcpt_not);
ATF_TC_BODY(mail_refused_rcpt_not, tc)
{
	static const struct rule	rules[] = {
		{ "MAIL", 1, "550 no" }, { "RCPT", 1, "250 ok" },
		{ "DATA", 1, "354 go" }, RULES_END
	};

	check(rules, one, 1, HELLO ENVELOPE_1, "1 D 550 said 550 no\n"
	    "end Z 0 MAIL was refused, RCPT and DATA were not: 354 go\n");
}

/* A success in the wrong place ends the connection, never the mail. */
ATF_TC_WITHOUT_HEAD(misplaced);
ATF_TC_BODY(misplaced, tc)
{
	static const struct rule	cases[] = {
		{ "EHLO", 1, "354 go" }, { "MAIL", 1, "354 go" },
		{ "RCPT", 1, "354 go" }, { "DATA", 1, "250 ok" },
		{ ".", 1, "354 go" }, { "MAIL", 1, "150 ok" },
		{ "RCPT", 1, "650 ok" }, { "DATA", 1, "what" },
		{ ".", 1, "OK" }, { ".", 1, "250-a\r\n251 b" },
		{ "MAIL", 1, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok" }
	};
	struct rule	rules[3] = { RULES_END, RULES_END, RULES_END };
	size_t		i;
	int		piped;

	for (piped = 0; piped < 2; piped++)
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rules[0] = cases[i];
		rules[1] = piped ? (struct rule)RULES_END :
		    (struct rule)NO_PIPELINING;
		d.rules = rules;
		d.letters = two;
		d.nletters = 2;
		for (d.down = 0; d.down < 30; d.down++) {
			d.first = 0;
			dialogue_run(&d);
			ATF_CHECK_MSG(strstr(d.came, "end Z 0 a reply") != NULL,
			    "%s", d.came);
			ATF_CHECK_MSG(strstr(d.came, " K ") == NULL &&
			    strstr(d.came, " D ") == NULL, "%s", d.came);
			ATF_CHECK_MSG((strstr(d.came, "1 Z 0 4.4.2") != NULL) ==
			    (cases[i].command[0] == '.'), "%s", d.came);
		}
		d.down = 0;
	}
}

ATF_TC_WITHOUT_HEAD(early_talk);
ATF_TC_BODY(early_talk, tc)
{
	static const struct rule	greeting[] = {
		{ "GREETING", 0, "220 a\r\n250 b" }, RULES_END
	};
	static const struct rule	data[] = {
		{ "DATA", 0, "354 go\r\n250 thanks" }, RULES_END
	};
	static const struct rule	refusal[] = {
		{ "DATA", 1, "354 go\r\n552 too big" }, RULES_END
	};
	static const struct rule	ends[] = {
		{ "DATA", 1, "354 go\r\n421 later" }, RULES_END
	};

	/* In one piece: in small ones the client would have gone on. */
	d.letters = two;
	d.nletters = 2;
	d.rules = greeting;
	dialogue_run(&d);
	ATF_CHECK_STREQ("1 untried\n2 untried\n"
	    "end Z 0 a reply to nothing: 250 b\n", d.came);
	d.rules = data;
	dialogue_run(&d);
	ATF_CHECK_STREQ(HELLO ENVELOPE_1, d.said);
	ATF_CHECK_STREQ("1 Z 0 4.4.2 a reply to nothing: 250 thanks, while the "
	    "message was being sent\n2 untried\n"
	    "end Z 0 a reply to nothing: 250 thanks\n", d.came);
	d.rules = refusal;
	dialogue_run(&d);
	ATF_CHECK_STREQ("1 D 552 said 552 too big\n2 untried\n"
	    "end Z 0 a message was refused before its end\n", d.came);
	d.rules = ends;
	dialogue_run(&d);
	ATF_CHECK_STREQ("1 Z 421 said 421 later\n2 untried\n"
	    "end Z 421 said 421 later\n", d.came);
}

static const struct {
	const char	*command;
	int64_t		 wait_ms;
	const char	*came;		/* before the end */
} stages[] = {
	{ "GREETING", 5 * MINUTE_MS, "untried" },
	{ "EHLO", 5 * MINUTE_MS, "untried" },
	{ "MAIL", 5 * MINUTE_MS, "untried" },
	{ "RCPT", 5 * MINUTE_MS, "untried" },
	{ "DATA", 2 * MINUTE_MS, "untried" },
	{ ".", 10 * MINUTE_MS, "twice" }
};

static void
end_check(size_t stage, const char *reply)
{
	const char	*first = d.came;

	ATF_CHECK_MSG(strncmp(first, "1 ", 2) == 0, "%s", d.came);
	ATF_CHECK_MSG(strstr(d.came, stages[stage].came) != NULL, "%s %s: %s",
	    stages[stage].command, reply, d.came);
	ATF_CHECK_MSG(strstr(d.came, "end Z") != NULL, "%s", d.came);
	ATF_CHECK_MSG(strstr(d.came, " K ") == NULL, "%s", d.came);
	ATF_CHECK_MSG(strstr(d.came, " D ") == NULL, "%s", d.came);
}

ATF_TC_WITHOUT_HEAD(closed_and_stalled);
ATF_TC_BODY(closed_and_stalled, tc)
{
	static const char *const	ways[] = { CLOSE, RESET, SILENCE };
	struct rule	rules[3] = { RULES_END, RULES_END, RULES_END };
	size_t		stage, way;

	for (way = 0; way < 3; way++)
	for (stage = 0; stage < 6; stage++) {
		rules[0].command = stages[stage].command;
		rules[0].reply = ways[way];
		rules[1] = (struct rule)NO_PIPELINING;
		run(rules, two, 2);
		end_check(stage, ways[way]);
		if (way == 2)
			ATF_CHECK_EQ_MSG(stages[stage].wait_ms, d.waited_ms,
			    "%s", stages[stage].command);
	}
}

/* 421 is about the connection; what it was said to is tried later. */
ATF_TC_WITHOUT_HEAD(closing);
ATF_TC_BODY(closing, tc)
{
	struct rule	rules[3] = { RULES_END, RULES_END, RULES_END };
	size_t		stage;
	int		piped;

	for (piped = 0; piped < 2; piped++)
	for (stage = 0; stage < 6; stage++) {
		rules[0].command = stages[stage].command;
		rules[0].reply = "421 shutting down";
		rules[1] = piped || stage == 1 ? (struct rule)RULES_END :
		    (struct rule)NO_PIPELINING;
		run(rules, two, 2);
		ATF_CHECK_STREQ_MSG(stage < 2 ? "1 untried\n2 untried\n"
		    "end Z 421 said 421 shutting down\n" : "1 Z 421 said 421 shutting down\n2 untried\n"
		    "end Z 421 said 421 shutting down\n", d.came, "%s",
		    stages[stage].command);
	}
}

/* After QUIT all is done, however the server takes it. */
ATF_TC_WITHOUT_HEAD(quit);
ATF_TC_BODY(quit, tc)
{
	static const char *const	ways[] = {
		CLOSE, RESET, SILENCE, "500 what", "421 bye", "250 ok", "pff"
	};
	struct rule	rules[2] = { { "QUIT", 0, NULL }, RULES_END };
	size_t		i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		rules[0].reply = ways[i];
		check(rules, one, 1, HELLO ENVELOPE_1 TEXT_1 QUIT,
		    "1 K 250 said 250 ok\nend K 0 \n");
	}
	ATF_CHECK(d.waited_ms <= MINUTE_MS);
}

ATF_TC_WITHOUT_HEAD(reset_refused);
ATF_TC_BODY(reset_refused, tc)
{
	static const struct rule	rules[] = {
		{ "RCPT", 1, "550 no" }, { "DATA", 1, "503 no" },
		{ "RSET", 0, "500 no RSET" }, RULES_END
	};

	check(rules, two, 2, NULL, "1 D 550 said 550 no\n2 untried\n"
	    "end Z 500 said 500 no RSET\n");
}

ATF_TC_WITHOUT_HEAD(endless_reply);
ATF_TC_BODY(endless_reply, tc)
{
	static char	many[100000], wide[100000];
	struct rule	rules[2] = { { ".", 0, NULL }, RULES_END };
	size_t		len = 0;

	while (len + 20 < sizeof(many))
		len += (size_t)snprintf(many + len, sizeof(many) - len,
		    "250-still here\r\n");
	memset(wide, 'x', sizeof(wide) - 1);
	memcpy(wide, "250 ", 4);
	d.letters = one;
	d.nletters = 1;
	d.rules = rules;
	for (rules[0].reply = many; ; rules[0].reply = wide) {
		dialogue_run(&d);
		ATF_CHECK_STREQ("1 Z 0 4.4.2 a reply without end, after the "
		    "whole message was sent: it may arrive twice\n"
		    "end Z 0 a reply without end\n", d.came);
		if (rules[0].reply == wide)
			break;
	}
}

/* Whole, but no longer than what is kept of it. */
ATF_TC_WITHOUT_HEAD(long_reply);
ATF_TC_BODY(long_reply, tc)
{
	static char	many[30000];
	struct rule	rules[2] = { { ".", 0, many }, RULES_END };
	size_t		len = 0;
	int		i;

	for (i = 0; i < 100; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len,
		    "550-5.7.1 line %d of many\r\n", i);
	(void)snprintf(many + len, sizeof(many) - len, "550 5.7.1 \001\377end");
	d.letters = one;
	d.nletters = 1;
	d.rules = rules;
	dialogue_run(&d);
	ATF_CHECK(strstr(d.came, "1 D 550 said 550-5.7.1 line 0 of many\n"
	    "550-5.7.1 line 1 of many\n") == d.came);
	ATF_CHECK(strstr(d.came, "line 99 of many\n550 5.7.1 ??end\n") != NULL);
	len = 0;
	for (i = 0; i < 800; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len,
		    "550-5.7.1 line %d of many\r\n", i);
	(void)snprintf(many + len, sizeof(many) - len, "550 5.7.1 end");
	dialogue_run(&d);
	ATF_CHECK_MSG(strstr(d.came, "end K 0") != NULL, "%s", d.came);
	ATF_CHECK(d.came_len > 8000 && d.came_len < 9000);
}

/* Lines that end in LF alone, codes that stand alone, keywords in any case. */
ATF_TC_WITHOUT_HEAD(lenient);
ATF_TC_BODY(lenient, tc)
{
	static const struct rule	bare[] = {
		{ "EHLO", 0, "250-sink\n250-pipelining\n250-size\n250-xsize 1"
		    "\n250-PIPELININGS\n250" },
		{ "MAIL", 0, "250" }, { ".", 0, "250-a\n250" }, RULES_END
	};

	check(bare, one, 1, HELLO "MAIL FROM:<a@b.example> SIZE=21\r\n"
	    "RCPT TO:<c@d.example>\r\nDATA\r\n" TEXT_1 QUIT,
	    "1 K 250 said 250-a\n250\nend K 0 \n");
	ATF_CHECK_EQ(5, d.turns);
}

ATF_TC_WITHOUT_HEAD(size);
ATF_TC_BODY(size, tc)
{
	static const struct letter	letters[] = {
		{ .sender = "a@b", .recipients = { "c@d" },
		    .text = "x: y\n\n12\n" },
		{ .sender = "a@b", .recipients = { "c@d" },
		    .text = "x: y\n\n123\n" },
		{ .sender = "a@b", .recipients = { "c@d" },
		    .text = "x: y\r\n\n12" },
		{ .sender = "a@b", .recipients = { "c@d" },
		    .text = "x: y\r\r\n12\r" },
		{ .sender = "a@b", .recipients = { "c@d" },
		    .text = "x: y\n\n..\n" }
	};
	static const struct rule	rules[] = {
		{ "EHLO", 0, "250-sink\r\n250-PIPELINING\r\n250 SIZE 12" },
		RULES_END
	};
	static const struct rule	huge[] = {
		{ "EHLO", 0, "250-sink\r\n250-PIPELINING\r\n"
		    "250 SIZE 99999999999999999999999" }, RULES_END
	};
	static const struct rule	full[] = {
		{ "EHLO", 0, "250-sink\r\n250-PIPELINING\r\n250 SIZE 0" },
		{ "MAIL", 1, "552 5.3.4 too big" },
		{ "MAIL", 2, "452 4.3.1 full" }, RULES_END
	};

#define MAIL_12	"MAIL FROM:<a@b> SIZE=12\r\nRCPT TO:<c@d>\r\nDATA\r\n"
	check(rules, letters, 5, HELLO MAIL_12 "x: y\r\n\r\n12\r\n.\r\n"
	    MAIL_12 "x: y\r\n\r\n12\r\n.\r\n" MAIL_12 "x: y\r\n\r\n12\r\n.\r\n"
	    MAIL_12 "x: y\r\n\r\n...\r\n.\r\n" QUIT, "2 D 0 5.3.4 the message "
	    "has 13 octets and the server takes at most 12\n"
	    "1 K 250 said 250 ok\n" "3 K 250 said 250 ok\n"
	    "4 K 250 said 250 ok\n" "5 K 250 said 250 ok\nend K 0 \n");
	check(huge, letters, 2, NULL, "1 K 250 said 250 ok\n"
	    "2 K 250 said 250 ok\nend K 0 \n");
	check(full, letters, 3, NULL, "1 D 552 said 552 5.3.4 too big\n"
	    "2 Z 452 said 452 4.3.1 full\n3 K 250 said 250 ok\nend K 0 \n");
}

#define NOTE_8	"8-bit text, to a server without 8BITMIME"
#define NOTE_U	"8-bit header, to a server without SMTPUTF8"

ATF_TC_WITHOUT_HEAD(eight_bit);
ATF_TC_BODY(eight_bit, tc)
{
	static const struct letter	letters[] = {
		{ .sender = "a@b", .recipients = { "c@d" },
		    .text = "x: y\n\n\303\274\n" },
		{ .sender = "a@b", .recipients = { "c@d" },
		    .text = "x: \303\274\n\nx\n" },
		{ .sender = "a@b", .recipients = { "c@d" },
		    .text = "x: \374\n\nx\n" },
		{ .sender = "a@b", .recipients = { "c@d" }, .text = "x: y\n" }
	};
	static const struct rule	none[] = {
		{ "EHLO", 0, "250-sink\r\n250 PIPELINING" }, RULES_END
	};
	static const struct rule	both[] = {
		{ "EHLO", 0, "250-sink\r\n250-PIPELINING\r\n250-8bitmime\r\n"
		    "250 SMTPUTF8" }, RULES_END
	};

	check(none, letters, 4, NULL, "1 K 250 said 250 ok // " NOTE_8 "\n"
	    "2 K 250 said 250 ok // " NOTE_U "\n3 K 250 said 250 ok // " NOTE_8
	    "\n4 K 250 said 250 ok\nend K 0 \n");
	ATF_CHECK(strstr(d.said, "BODY") == NULL);
	ATF_CHECK(strstr(d.said, "UTF8") == NULL);
	check(both, letters, 4, NULL, "1 K 250 said 250 ok\n"
	    "2 K 250 said 250 ok\n3 K 250 said 250 ok\n4 K 250 said 250 ok\n"
	    "end K 0 \n");
	ATF_CHECK(strstr(d.said, "MAIL FROM:<a@b> BODY=8BITMIME\r\nRCPT TO:<c@d>"
	    "\r\nDATA\r\nx: y\r\n\r\n\303\274\r\n.\r\nMAIL FROM:<a@b> "
	    "BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<c@d>\r\nDATA\r\nx: \303\274\r\n"
	    "\r\nx\r\n.\r\nMAIL FROM:<a@b> BODY=8BITMIME\r\n") != NULL);
	ATF_CHECK(strstr(d.said, "x: \374\r\n\r\nx\r\n.\r\nMAIL FROM:<a@b>\r\n")
	    != NULL);
	d.config.strict = 1;
	check(none, letters, 4, NULL, "1 D 0 5.6.3 " NOTE_8 "\n2 D 0 5.6.7 "
	    NOTE_U "\n3 D 0 5.6.3 " NOTE_8 "\n4 K 250 said 250 ok\nend K 0 \n");
	d.config.strict = 0;
}

ATF_TC_WITHOUT_HEAD(addresses);
ATF_TC_BODY(addresses, tc)
{
	static const struct letter	letters[] = {
		{ .sender = "a b@x", .recipients = { "c\"\\d@y" },
		    .text = "x: y\n" },
		{ .sender = "j\303\274@x", .recipients = { "c@d" },
		    .text = "x: y\n" },
		{ .sender = "a@b", .recipients = { "\374@d" },
		    .text = "x: y\n" },
		{ .sender = "a@b", .recipients = { "c@d> NOTIFY=NEVER <" },
		    .text = "x: y\n" },
		{ .sender = "a@b", .recipients = { "c\r\nDATA\r\n@d" },
		    .text = "x: y\n" },
		{ .sender = "a@b", .recipients = { "c@d>" }, .text = "x: y\n" },
		{ .sender = "a@b", .recipients = { "" }, .text = "x: y\n" },
		{ .sender = "a@b", .recipients = { NULL }, .text = "x: y\n" }
	};
	static const struct rule	utf8[] = {
		{ "EHLO", 0, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
		    "250 SMTPUTF8" }, RULES_END
	};

	/* What is refused here is told at once: its place depends. */
	d.letters = letters;
	d.nletters = 8;
	d.rules = NULL;
	dialogue_run(&d);
	ATF_CHECK_STREQ(HELLO "MAIL FROM:<\"a b\"@x>\r\n"
	    "RCPT TO:<\"c\\\"\\\\d\"@y>\r\nDATA\r\nx: y\r\n.\r\n" QUIT, d.said);
	ATF_CHECK_MSG(strstr(d.came, "2 D 0 5.6.7 an address is not ASCII and "
	    "the server does not offer SMTPUTF8\n") != NULL, "%s", d.came);
	ATF_CHECK(strstr(d.came, "3 D 0 5.6.7 ") != NULL);
	ATF_CHECK(strstr(d.came, "4 D 0 5.1.3 ") != NULL);
	ATF_CHECK(strstr(d.came, "5 D 0 5.1.3 ") != NULL);
	ATF_CHECK(strstr(d.came, "6 D 0 5.1.3 ") != NULL);
	ATF_CHECK(strstr(d.came, "7 D 0 5.1.3 ") != NULL);
	ATF_CHECK(strstr(d.came, "8 D 0 5.1.3 ") != NULL);
	d.nletters = 3;
	d.rules = utf8;
	dialogue_run(&d);
	ATF_CHECK(strstr(d.said, "MAIL FROM:<j\303\274@x> SMTPUTF8\r\n")
	    != NULL);
	ATF_CHECK(strstr(d.came, "2 K 250") != NULL);
	ATF_CHECK(strstr(d.came, "3 D 0 5.6.7 ") != NULL);
}

ATF_TC_WITHOUT_HEAD(recipients);
ATF_TC_BODY(recipients, tc)
{
	static const struct letter	letters[] = {
		{ .sender = "a@b", .recipients = { "c@d", "e@f", "g@h" },
		    .text = "x: y\n" },
		{ .sender = "a@b", .recipients = { "i@j" }, .text = "x: y\n" }
	};
	struct rule	rules[4] = { RULES_END, RULES_END, RULES_END, RULES_END };
	int		piped;

#define SECOND	"2 K 250 said 250 ok\nend K 0 \n"
	for (piped = 0; piped < 2; piped++) {
		rules[2] = piped ? (struct rule)RULES_END :
		    (struct rule)NO_PIPELINING;
		rules[0] = (struct rule){ "RCPT", 9, "550 no" };
		rules[1] = rules[0];
		check(rules, letters, 2, NULL, "1 K 250 said 250 ok\n" SECOND);
		/* One does not exist: the others get it, and it is told. */
		rules[0] = (struct rule){ "RCPT TO:<e@f>", 0, "550-no\r\n"
		    "550 such" };
		check(rules, letters, 2, NULL, "1 D 550 said <e@f>: 550-no\n"
		    "550 such\n" SECOND);
		ATF_CHECK(strstr(d.said, "RSET") == NULL);
		/* One is to be tried again: nobody gets it now. */
		rules[1] = (struct rule){ "RCPT TO:<g@h>", 0, "450 later" };
		check(rules, letters, 2, NULL, "1 Z 550 said <e@f>: 550-no\n"
		    "550 such\n<g@h>: 450 later\n" SECOND);
		ATF_CHECK(strstr(d.said, "RSET\r\nMAIL") != NULL);
		/* Nobody is there. */
		rules[0] = (struct rule){ "RCPT TO:<i@j>", 0, "250 ok" };
		rules[1] = (struct rule){ "RCPT", 0, "550 no" };
		check(rules, letters, 2, NULL, "1 D 550 said <c@d>: 550 no\n"
		    "<e@f>: 550 no\n<g@h>: 550 no\n" SECOND);
	}
}

/* Whoever is not named in the result would not be told of: all are. */
ATF_TC_WITHOUT_HEAD(recipients_with_much_to_say);
ATF_TC_BODY(recipients_with_much_to_say, tc)
{
	static const struct letter	letters[] = {
		{ .sender = "a@b", .recipients = { "c@d", "\303\274@f", "g@h" },
		    .text = "x: y\n" }
	};
	static char	much[30000];
	struct rule	rules[3] = {
		{ "EHLO", 0, "250-sink\r\n250-PIPELINING\r\n250 SMTPUTF8" },
		{ "RCPT", 0, much }, RULES_END
	};
	size_t		len = 0;

	while (len < 20000)
		len += (size_t)snprintf(much + len, sizeof(much) - len,
		    "550-5.1.1 nobody is there of that name\r\n");
	(void)snprintf(much + len, sizeof(much) - len, "550 5.1.1 no");
	d.letters = letters;
	d.nletters = 1;
	d.rules = rules;
	dialogue_run(&d);
	ATF_CHECK_MSG(strncmp(d.came, "1 D 550 said <c@d>: 550-5.1.1", 29) == 0,
	    "%.60s", d.came);
	ATF_CHECK(strstr(d.came, "\n<\?\?@f>: 550-5.1.1 nobody") != NULL);
	ATF_CHECK(strstr(d.came, "\n<g@h>: 550-5.1.1 nobody") != NULL);
}

static int
file_make(const char *data, size_t len)
{
	int	fd = open("letter", O_RDWR | O_CREAT | O_TRUNC, 0600);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ((ssize_t)len, write(fd, data, len));
	return (fd);
}

/* Larger than all buffers, from a file and from memory, the same. */
ATF_TC_WITHOUT_HEAD(large);
ATF_TC_BODY(large, tc)
{
	static char	text[170000], wanted[200000], got[2 * sizeof(wanted) + 200];
	struct letter	letters[2];
	size_t		i, n = 0;

	for (i = 0; i < sizeof(text) - 1; i++) {
		text[i] = i % 77 == 0 ? '\n' : i % 79 == 1 ? '.' : 'x';
		if (text[i] == '\n')
			wanted[n++] = '\r';
		if (text[i] == '.' && (i == 0 || text[i - 1] == '\n'))
			wanted[n++] = '.';
		wanted[n++] = text[i];
	}
	memcpy(wanted + n, "\r\n.\r\n", 6);
	memset(letters, 0, sizeof(letters));
	letters[0].sender = letters[1].sender = "a@b";
	letters[0].recipients[0] = letters[1].recipients[0] = "c@d";
	letters[0].text = text;
	letters[1].fd = file_make(text, sizeof(text) - 1);
	letters[1].fd_len = sizeof(text) - 1;
	d.letters = letters;
	d.nletters = 2;
	d.rules = NULL;
	for (d.up = 0; d.up < 200000; d.up += 30011) {
		dialogue_run(&d);
		ATF_CHECK_STREQ(ALL_WELL, d.came);
		(void)snprintf(got, sizeof(got), HELLO "MAIL FROM:<a@b>\r\n"
		    "RCPT TO:<c@d>\r\nDATA\r\n%sMAIL FROM:<a@b>\r\n"
		    "RCPT TO:<c@d>\r\nDATA\r\n%sQUIT\r\n", wanted, wanted);
		ATF_CHECK(strcmp(got, d.said) == 0);
	}
	d.up = 0;
}

/* A file that is gone, by half or wholly, is nobody else's trouble. */
ATF_TC_WITHOUT_HEAD(unreadable);
ATF_TC_BODY(unreadable, tc)
{
	struct letter	letters[3];

	memset(letters, 0, sizeof(letters));
	letters[0] = two[0];
	letters[1] = two[0];
	letters[2] = two[1];
	letters[1].text = NULL;
	letters[1].fd = 1000;		/* open nowhere */
	letters[1].fd_len = 100;
	check(NULL, letters, 3, NULL, "2 Z 0 4.3.0 unable to read the message: "
	    "Bad file descriptor\n1 K 250 said 250 ok\n3 K 250 said 250 ok\n"
	    "end K 0 \n");
	letters[1].fd = file_make("x: y\n", 5);
	check(NULL, letters, 3, NULL, "2 Z 0 4.3.0 unable to read the message: "
	    "Input/output error\n1 K 250 said 250 ok\n3 K 250 said 250 ok\n"
	    "end K 0 \n");
}

/* It gets shorter after it was looked at: no dot may follow. */
ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	static char	text[150000];
	struct letter	letters[1];
	int		fd;

	memset(text, 'x', sizeof(text));
	fd = file_make(text, sizeof(text));
	letters[0] = two[0];
	letters[0].text = NULL;
	letters[0].fd = fd;
	letters[0].fd_len = sizeof(text);
	d.letters = letters;
	d.nletters = 1;
	d.rules = NULL;
	d.config.hello = "me";
	/* The file is given at once, and cut before the text is sent. */
	d.delivery = smtp_new(&d.config, 0);
	ATF_REQUIRE(d.delivery != NULL);
	letter_give(&d);
	ATF_REQUIRE_EQ(0, ftruncate(fd, 100));
	server_command(&d, "GREETING");
	while (!d.ended) {
		(void)server_turn(&d);
		(void)client_turn(&d);
	}
	ATF_CHECK_STREQ("1 Z 0 4.3.0 unable to read the message: "
	    "Input/output error\nend Z 0 a message could not be read to its "
	    "end\n", d.came);
	ATF_CHECK(strstr(d.said, "\r\n.\r\n") == NULL);
	delivery_free(d.delivery);
}

/* An octet now and then is borne with, none is not. */
ATF_TC_WITHOUT_HEAD(slow_reader);
ATF_TC_BODY(slow_reader, tc)
{
	const char	*data;
	size_t		 n;
	int		 i;

	d.letters = one;
	d.nletters = 1;
	d.rules = NULL;
	d.config.hello = "me";
	d.delivery = smtp_new(&d.config, 0);
	ATF_REQUIRE(d.delivery != NULL);
	d.now_ms = 0;
	delivery_receive(d.delivery, "220 x\r\n", 7, 0);
	for (i = 0; i < 8; i++) {
		n = delivery_output(d.delivery, &data);
		ATF_REQUIRE(n > 0);
		ATF_CHECK_EQ(d.now_ms + 3 * MINUTE_MS,
		    delivery_deadline(d.delivery));
		d.now_ms += 3 * MINUTE_MS - 1;
		delivery_expire(d.delivery, d.now_ms);
		delivery_sent(d.delivery, 1, d.now_ms);
	}
	n = delivery_output(d.delivery, &data);
	ATF_REQUIRE_EQ(1, n);
	d.now_ms += 3 * MINUTE_MS;
	delivery_expire(d.delivery, d.now_ms);
	events_note(&d);
	ATF_CHECK_STREQ("end Z 0 the server takes nothing, for 180 seconds\n",
	    d.came);
	delivery_free(d.delivery);
}

/* Octets are no progress: a reply that trickles in must end in time. */
ATF_TC_WITHOUT_HEAD(trickle);
ATF_TC_BODY(trickle, tc)
{
	int64_t	now;

	d.config.hello = "me";
	d.delivery = smtp_new(&d.config, 0);
	ATF_REQUIRE(d.delivery != NULL);
	for (now = 0; now < 5 * MINUTE_MS; now += MINUTE_MS) {
		delivery_receive(d.delivery, now == 0 ? "220-x\r\n220 " : "x",
		    now == 0 ? 11 : 1, now);
		ATF_CHECK_EQ(5 * MINUTE_MS, delivery_deadline(d.delivery));
	}
	delivery_expire(d.delivery, now);
	events_note(&d);
	ATF_CHECK_STREQ("end Z 0 the server says nothing, for 300 seconds\n",
	    d.came);
	delivery_free(d.delivery);
}

ATF_TC_WITHOUT_HEAD(hello_word);
ATF_TC_BODY(hello_word, tc)
{
	static const char *const	bad[] = { "", "a b", "a\r\nQUIT", "\377" };
	struct smtp_config		config = { NULL, 0, NULL };
	size_t				i;

	for (i = 0; i < 4; i++) {
		config.hello = bad[i];
		errno = 0;
		ATF_CHECK(smtp_new(&config, 0) == NULL);
		ATF_CHECK_EQ(EINVAL, errno);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, two_messages);
	ATF_TP_ADD_TC(tp, two_messages_without_pipelining);
	ATF_TP_ADD_TC(tp, helo);
	ATF_TP_ADD_TC(tp, greeting);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, lone_dot);
	ATF_TP_ADD_TC(tp, mail_refused_rcpt_not);
	ATF_TP_ADD_TC(tp, misplaced);
	ATF_TP_ADD_TC(tp, early_talk);
	ATF_TP_ADD_TC(tp, closed_and_stalled);
	ATF_TP_ADD_TC(tp, closing);
	ATF_TP_ADD_TC(tp, quit);
	ATF_TP_ADD_TC(tp, reset_refused);
	ATF_TP_ADD_TC(tp, endless_reply);
	ATF_TP_ADD_TC(tp, long_reply);
	ATF_TP_ADD_TC(tp, lenient);
	ATF_TP_ADD_TC(tp, size);
	ATF_TP_ADD_TC(tp, eight_bit);
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, recipients);
	ATF_TP_ADD_TC(tp, recipients_with_much_to_say);
	ATF_TP_ADD_TC(tp, large);
	ATF_TP_ADD_TC(tp, unreadable);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, slow_reader);
	ATF_TP_ADD_TC(tp, trickle);
	ATF_TP_ADD_TC(tp, hello_word);
	return (atf_no_error());
}
