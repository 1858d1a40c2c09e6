/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A real relay between a parent, queues and servers that the test plays.  A
 * connection is a socket pair: the relay can't tell.
 */
#include "process.h"

#define SPOOL		7
#define HEAD		"Return-Path: <joe@example.org>\n" \
			"Delivered-To: autoturn-c-u@d.example\n"
#define OFFER		"250-mx.example\r\n250-PIPELINING\r\n250 SIZE\r\n"

static struct imsgbuf	queue;
static unsigned int	files;

static void
begin(const atf_tc_t *tc)
{
	process_begin(tc, "relay");
	hear_word(&parent, IMSG_PARENT_READY);
	queue_open(&queue, IMSG_RELAY_QUEUE, SPOOL);
}

/*
 * Runs and servers
 */

static int
run_start_as(uint32_t spool, uint64_t number, uint32_t protocol)
{
	struct run_order	order;
	int			sv[2];

	memset(&order, 0, sizeof(order));
	order.run = number;
	order.spool = spool;
	order.protocol = protocol;
	order.hops_max = 3;
	(void)strlcpy(order.helo, "us.example", sizeof(order.helo));
	(void)strlcpy(order.prefix, "autoturn-c-", sizeof(order.prefix));
	(void)strlcpy(order.peer, "192.0.2.7", sizeof(order.peer));
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv) == 0);
	say_fd(&parent, IMSG_RELAY_RUN, 0, sv[1], &order, sizeof(order));
	return (sv[0]);
}

static void
run_started(struct imsgbuf *q, uint64_t number)
{
	struct imsg	imsg;
	uint64_t	run;

	hear(q, IMSG_RUN_STARTED, &imsg);
	ATF_REQUIRE(imsg_get_data(&imsg, &run, sizeof(run)) == 0);
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(number, run);
}

/* The server's end of a run that has begun. */
static int
run_start(uint64_t number)
{
	int	fd = run_start_as(SPOOL, number, PROTOCOL_SMTP);

	run_started(&queue, number);
	return (fd);
}

static void
server_say(int fd, const char *text)
{
	ATF_REQUIRE(send(fd, text, strlen(text), MSG_NOSIGNAL) ==
	    (ssize_t)strlen(text));
}

/* Reads until what has come ends in this text. */
static void
server_expect(int fd, const char *end)
{
	static char	text[1 << 20];
	size_t		len = 0, want = strlen(end);
	struct pollfd	pfd = { .fd = fd, .events = POLLIN };
	ssize_t		n;

	for (;;) {
		text[len] = '\0';
		if (len >= want && strcmp(text + len - want, end) == 0)
			return;
		if (poll(&pfd, 1, WAIT_MS) != 1 || len == sizeof(text) - 1 ||
		    (n = read(fd, text + len, sizeof(text) - 1 - len)) <= 0)
			break;
		len += (size_t)n;
	}
	fprintf(stderr, "wanted: %s\ngot: %.2000s\n", end, text);
	atf_tc_fail("the server did not get what it waited for");
}

static void
server_read(int fd, size_t len)
{
	char		buf[64];
	struct pollfd	pfd = { .fd = fd, .events = POLLIN };

	ATF_REQUIRE(len <= sizeof(buf));
	ATF_REQUIRE(poll(&pfd, 1, WAIT_MS) == 1);
	ATF_REQUIRE(recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len);
}

static void
server_hangup(int fd)
{
	char		buf[4096];
	struct pollfd	pfd = { .fd = fd, .events = POLLIN };
	ssize_t		n;

	do {
		ATF_REQUIRE_MSG(poll(&pfd, 1, WAIT_MS) == 1,
		    "the connection stays open");
		n = read(fd, buf, sizeof(buf));
	} while (n > 0);
	close(fd);
}

static void
server_hello(int fd)
{
	server_say(fd, "220 mx.example\r\n");
	server_expect(fd, "EHLO us.example\r\n");
	server_say(fd, OFFER);
}

/* The replies to an envelope that goes well. */
static void
server_envelope(int fd)
{
	server_expect(fd, "DATA\r\n");
	server_say(fd, "250 ok\r\n250 ok\r\n354 go\r\n");
}

/*
 * Messages
 */

static int
file_make(const char *text)
{
	char	name[32];
	int	fd;

	(void)snprintf(name, sizeof(name), "message.%u", files++);
	atf_utils_create_file(name, "%s", text);
	ATF_REQUIRE((fd = open(name, O_RDONLY | O_CLOEXEC)) != -1);
	return (fd);
}

static void
message_fd(struct imsgbuf *q, uint64_t run, uint64_t number, int fd)
{
	struct run_message	m;

	m.run = run;
	m.number = number;
	say_fd(q, IMSG_RELAY_MESSAGE, 0, fd, &m, sizeof(m));
}

static void
message(uint64_t run, uint64_t number, const char *text)
{
	message_fd(&queue, run, number, file_make(text));
}

static void
finish(struct imsgbuf *q, uint64_t run)
{
	say(q, IMSG_RELAY_FINISH, &run, sizeof(run));
}

static char	result_text[TEXT_SIZE + 1];

static struct run_result
result_hear(struct imsgbuf *q)
{
	struct run_result	r;
	struct imsg		imsg;
	struct ibuf		text;

	hear(q, IMSG_RUN_RESULT, &imsg);
	ATF_REQUIRE(imsg_get_buf(&imsg, &r, sizeof(r)) == 0);
	ATF_REQUIRE_EQ(imsg_get_len(&imsg), r.text_len);
	ATF_REQUIRE(r.text_len < TEXT_SIZE);
	if (r.text_len > 0) {
		ATF_REQUIRE(imsg_get_ibuf(&imsg, &text) == 0);
		memcpy(result_text, ibuf_data(&text), r.text_len);
	}
	result_text[r.text_len] = '\0';
	imsg_free(&imsg);
	return (r);
}

static void
result(uint64_t run, uint64_t number, int status, const char *text)
{
	struct run_result	r = result_hear(&queue);

	ATF_CHECK_EQ(run, r.run);
	ATF_CHECK_EQ_MSG(number, r.number, "message %llu: %s",
	    (unsigned long long)r.number, result_text);
	ATF_CHECK_EQ_MSG(status, (int)r.status, "%c: %s", (char)r.status,
	    result_text);
	ATF_CHECK_MSG(strstr(result_text, text) != NULL, "%s", result_text);
}

static uint64_t	end_last;		/* of the last run's end */

static void
run_end(struct imsgbuf *q, uint64_t run, int status, const char *text)
{
	struct run_end	e;
	struct imsg	imsg;
	struct ibuf	ibuf;

	hear(q, IMSG_RUN_END, &imsg);
	ATF_REQUIRE(imsg_get_buf(&imsg, &e, sizeof(e)) == 0);
	ATF_REQUIRE_EQ(imsg_get_len(&imsg), e.text_len);
	if (e.text_len > 0) {
		ATF_REQUIRE(imsg_get_ibuf(&imsg, &ibuf) == 0);
		memcpy(result_text, ibuf_data(&ibuf), e.text_len);
	}
	result_text[e.text_len] = '\0';
	imsg_free(&imsg);
	ATF_CHECK_EQ(run, e.run);
	end_last = e.last;
	ATF_CHECK_EQ_MSG(status, (int)e.status, "%c: %s", (char)e.status,
	    result_text);
	ATF_CHECK_MSG(strstr(result_text, text) != NULL, "%s", result_text);
}

/* A whole run with one message, to prove that all is well. */
static void
run_check(uint64_t number)
{
	int	fd = run_start(number);

	server_hello(fd);
	message(number, 1, HEAD "Subject: x\n\nfine\n");
	server_envelope(fd);
	server_expect(fd, "fine\r\n.\r\n");
	server_say(fd, "250 queued\r\n");
	result(number, 1, 'K', "192.0.2.7 said: 250 queued");
	finish(&queue, number);
	server_expect(fd, "QUIT\r\n");
	server_say(fd, "221 bye\r\n");
	run_end(&queue, number, 'K', "");
	server_hangup(fd);
}

/*
 * All is well
 */

ATF_TC_WITHOUT_HEAD(delivers);
ATF_TC_BODY(delivers, tc)
{
	int	fd;

	begin(tc);
	fd = run_start(1);
	server_hello(fd);
	message(1, 10, HEAD "Subject: x\n\n.dot\n");
	message(1, 11, HEAD "Subject: y\n\ntwo\n");
	server_expect(fd, "MAIL FROM:<joe@example.org> SIZE=20\r\n"
	    "RCPT TO:<u@d.example>\r\nDATA\r\n");
	server_say(fd, "250 ok\r\n250 ok\r\n354 go\r\n");
	server_expect(fd, "Subject: x\r\n\r\n..dot\r\n.\r\n"
	    "MAIL FROM:<joe@example.org> SIZE=19\r\n"
	    "RCPT TO:<u@d.example>\r\nDATA\r\n");
	server_say(fd, "250-2.0.0 one\r\n250 line\r\n250 ok\r\n250 ok\r\n"
	    "354 go\r\n");
	result(1, 10, 'K', "192.0.2.7 said: 250-2.0.0 one 250 line");
	server_expect(fd, "two\r\n.\r\n");
	server_say(fd, "250 ok\r\n");
	result(1, 11, 'K', "250 ok");
	finish(&queue, 1);
	server_expect(fd, "QUIT\r\n");
	server_say(fd, "221 bye\r\n");
	run_end(&queue, 1, 'K', "");
	server_hangup(fd);
	process_end();
}

ATF_TC_WITHOUT_HEAD(refusals);
ATF_TC_BODY(refusals, tc)
{
	struct run_result	r;
	int			fd;

	begin(tc);
	fd = run_start(1);
	server_hello(fd);
	message(1, 1, HEAD "\n");
	server_expect(fd, "DATA\r\n");
	server_say(fd, "250 ok\r\n550 5.1.1 who?\r\n503 no\r\n");
	r = result_hear(&queue);
	ATF_CHECK_EQ('D', (int)r.status);
	ATF_CHECK_EQ(550, r.code);
	ATF_CHECK_EQ(1, r.said);
	ATF_CHECK_STREQ("192.0.2.7 said: 550 5.1.1 who?", result_text);
	message(1, 2, HEAD "\n");
	server_expect(fd, "RSET\r\nMAIL FROM:<joe@example.org> SIZE=2\r\n"
	    "RCPT TO:<u@d.example>\r\nDATA\r\n");
	server_say(fd, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	server_expect(fd, "\r\n.\r\n");
	server_say(fd, "452 4.3.1 full\r\n");
	result(1, 2, 'Z', "192.0.2.7 said: 452 4.3.1 full");
	close(fd);
	run_end(&queue, 1, 'Z', "closed the connection");
	process_end();
}

/* What comes after the end is not heard of: the end tells which that was. */
ATF_TC_WITHOUT_HEAD(hangs_up);
ATF_TC_BODY(hangs_up, tc)
{
	begin(tc);
	close(run_start(1));
	run_end(&queue, 1, 'Z', "closed the connection");
	ATF_CHECK_EQ(0, end_last);
	message(1, 1, HEAD "\n");
	run_check(2);
	ATF_CHECK_EQ(1, end_last);
	process_end();
}

ATF_TC_WITHOUT_HEAD(qmtp);
ATF_TC_BODY(qmtp, tc)
{
	int	fd;

	begin(tc);
	fd = run_start_as(SPOOL, 1, PROTOCOL_QMTP);
	run_started(&queue, 1);
	message(1, 1, HEAD "text\n");
	server_expect(fd, "6:\ntext\n,15:joe@example.org,"
	    "15:11:u@d.example,,");
	server_say(fd, "10:Kqueued ok,");
	result(1, 1, 'K', "192.0.2.7 said: queued ok");
	finish(&queue, 1);
	run_end(&queue, 1, 'K', "");
	server_hangup(fd);
	process_end();
}

/* What was sent and is not answered may have arrived. */
ATF_TC_WITHOUT_HEAD(qmtp_lost);
ATF_TC_BODY(qmtp_lost, tc)
{
	int	fd;

	begin(tc);
	fd = run_start_as(SPOOL, 1, PROTOCOL_QMTP);
	run_started(&queue, 1);
	message(1, 1, HEAD "one\n");
	message(1, 2, HEAD "two\n");
	server_expect(fd, "two\n,15:joe@example.org,15:11:u@d.example,,");
	server_say(fd, "3:Kok,");
	result(1, 1, 'K', "ok");
	close(fd);
	run_end(&queue, 1, 'Z', "closed the connection");
	ATF_CHECK_EQ(2, end_last);
	process_end();
}

/* So many at once, each at another place, in several spools. */
ATF_TC_WITHOUT_HEAD(many_runs);
ATF_TC_BODY(many_runs, tc)
{
	enum { RUNS = 60 };
	int		 fd[RUNS], i;

	begin(tc);
	for (i = 0; i < RUNS; i++)
		fd[i] = run_start((uint64_t)i + 1);
	for (i = 0; i < RUNS; i += 2)
		message((uint64_t)i + 1, 5, HEAD "\n");
	for (i = 0; i < RUNS; i++)
		server_hello(fd[i]);
	for (i = 1; i < RUNS; i += 2)
		message((uint64_t)i + 1, 5, HEAD "\n");
	for (i = RUNS - 1; i >= 0; i--)
		server_envelope(fd[i]);
	for (i = 0; i < RUNS; i++) {
		server_expect(fd[i], ".\r\n");
		server_say(fd[i], "250 ok\r\n");
		result((uint64_t)i + 1, 5, 'K', "250");
	}
	for (i = 0; i < RUNS; i++)
		finish(&queue, (uint64_t)i + 1);
	for (i = 0; i < RUNS; i++) {
		server_expect(fd[i], "QUIT\r\n");
		server_say(fd[i], "221 bye\r\n");
		run_end(&queue, (uint64_t)i + 1, 'K', "");
		server_hangup(fd[i]);
	}
	process_end();
}

/* A server that takes a large message slowly, or not at all, delays nobody. */
ATF_TC_WITHOUT_HEAD(slow_server);
ATF_TC_BODY(slow_server, tc)
{
	char	*text;
	size_t	 len = 8 * 1024 * 1024;
	int	 fd;

	begin(tc);
	fd = run_start(1);
	server_hello(fd);
	ATF_REQUIRE((text = malloc(sizeof(HEAD) + len)) != NULL);
	memcpy(text, HEAD "\n", sizeof(HEAD));
	memset(text + sizeof(HEAD), 'x', len - 1);
	text[sizeof(HEAD) + len - 1] = '\0';
	message(1, 1, text);
	free(text);
	server_envelope(fd);
	run_check(2);
	server_read(fd, 3);			/* it has begun */
	run_check(3);
	close(fd);
	result(1, 1, 'Z', "while the message was being sent");
	run_end(&queue, 1, 'Z', "");
	process_end();
}

/*
 * What is wrong with messages
 */

static void
quarantined(int bad, const char *why)
{
	static uint64_t	number = 100;

	message_fd(&queue, 1, ++number, bad);
	result(1, number, RUN_QUARANTINE, why);
}

ATF_TC_WITHOUT_HEAD(quarantine);
ATF_TC_BODY(quarantine, tc)
{
	int	fd, p[2];

	begin(tc);
	fd = run_start(1);
	quarantined(file_make("From: x\n\n"), "no envelope on top");
	quarantined(file_make(""), "no envelope on top");
	quarantined(file_make("Return-Path: <a@b>\n"
	    "Delivered-To: other-u@d\n\n"), "not begin with autoturn-c-");
	ATF_REQUIRE((p[0] = open(".", O_RDONLY | O_CLOEXEC)) != -1);
	quarantined(p[0], "no regular file");
	ATF_REQUIRE(pipe(p) == 0);
	quarantined(p[0], "no regular file");
	close(p[1]);
	ATF_REQUIRE((p[0] = open("w", O_WRONLY | O_CREAT | O_CLOEXEC,
	    0600)) != -1);
	quarantined(p[0], "not open for reading");
	ATF_REQUIRE((p[0] = open("sparse", O_RDWR | O_CREAT | O_CLOEXEC,
	    0600)) != -1);
	ATF_REQUIRE(ftruncate(p[0], (off_t)1 << 40) == 0);
	quarantined(p[0], "larger than a gigabyte");
	/* All that before the server has said anything; and it goes on. */
	server_hello(fd);
	message(1, 1, HEAD "\n");
	server_envelope(fd);
	server_expect(fd, ".\r\n");
	server_say(fd, "250 ok\r\n");
	result(1, 1, 'K', "250 ok");
	close(fd);
	run_end(&queue, 1, 'Z', "");
	process_end();
}

ATF_TC_WITHOUT_HEAD(hops);
ATF_TC_BODY(hops, tc)
{
	struct run_result	r;
	int			fd;

	begin(tc);
	fd = run_start(1);
	message(1, 1, HEAD "Received: 1\nReceived: 2\nreceived: 3\n"
	    "Received: 4\n\n");
	r = result_hear(&queue);
	ATF_CHECK_EQ('D', (int)r.status);
	ATF_CHECK_STREQ("5.4.6", r.enhanced);
	ATF_CHECK_STREQ("too many hops: it has 4 Received lines, 3 are "
	    "allowed (#5.4.6)", result_text);
	message(1, 2, HEAD "Received: 1\nReceived: 2\nreceived: 3\n\n"
	    "Received: 4\n");
	server_hello(fd);
	server_envelope(fd);
	server_expect(fd, ".\r\n");
	close(fd);
	result(1, 2, 'Z', "may arrive twice");
	run_end(&queue, 1, 'Z', "");
	process_end();
}

/* A text that has no room for all names is told of all recipients. */
ATF_TC_WITHOUT_HEAD(many_recipients);
ATF_TC_BODY(many_recipients, tc)
{
	enum { RECIPIENTS = 90, REPLY = 300 };
	char	text[16384] = "Return-path: <joe@example.org>\nEnvelope-to: ";
	char	replies[RECIPIENTS * (REPLY + 8)] = "";
	char	one[REPLY + 1];
	int	fd, i;

	begin(tc);
	fd = run_start(1);
	server_hello(fd);
	memset(one, 'x', REPLY);
	one[REPLY] = '\0';
	for (i = 0; i < RECIPIENTS; i++) {
		size_t	len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len,
		    "%sautoturn-c-%060d@d.example", i == 0 ? "" : ",\n ", i);
		len = strlen(replies);
		(void)snprintf(replies + len, sizeof(replies) - len,
		    i == 0 ? "250 ok\r\n" : "550 %s\r\n", one);
	}
	(void)strlcat(text, "\n\nbody\n", sizeof(text));
	message(1, 1, text);
	server_expect(fd, "89@d.example>\r\n");
	server_say(fd, "250 ok\r\n");
	server_say(fd, replies);
	server_expect(fd, "DATA\r\n");
	server_say(fd, "354 go\r\n");
	server_expect(fd, "body\r\n.\r\n");
	server_say(fd, "250 ok\r\n");
	result(1, 1, 'D', "refused some of the 90 recipients");
	close(fd);
	run_end(&queue, 1, 'Z', "");
	process_end();
}

/* Descriptors run out: messages wait for a better time, nothing breaks. */
ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	struct rlimit	limit, was;
	uint64_t	i, none = 0, some = 0;
	int		fd;

	ATF_REQUIRE(getrlimit(RLIMIT_NOFILE, &was) == 0);
	limit = was;
	limit.rlim_cur = 24;
	ATF_REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	begin(tc);
	ATF_REQUIRE(setrlimit(RLIMIT_NOFILE, &was) == 0);
	fd = run_start(1);
	for (i = 1; i <= 50; i++)
		message(1, i, HEAD "\n");
	/* Those that it has are kept for the server. */
	server_hello(fd);
	for (i = 1; i <= 50; i++) {
		struct run_result	r;

		if (none < 20) {
			r = result_hear(&queue);
			ATF_CHECK_EQ('Z', (int)r.status);
			ATF_CHECK_MSG(strstr(result_text,
			    "out of descriptors") != NULL, "%s", result_text);
			none++;
		} else
			some++;
	}
	ATF_CHECK(some > 0);
	log_check("out of descriptors");
	close(fd);
	process_end();
}

/*
 * What is wrong with servers
 */

ATF_TC_WITHOUT_HEAD(bad_servers);
ATF_TC_BODY(bad_servers, tc)
{
	static const struct {
		const char	*said;
		const char	*end;
	} servers[] = {
		{ "554 go away\r\n", "192.0.2.7 said: 554 go away" },
		{ "421 busy\r\n", "192.0.2.7 said: 421 busy" },
		{ "220 mx\r\n220 mx\r\n", "a reply to nothing" },
		{ "what\r\n", "a reply that makes no sense" },
		{ "220 mx\r\n250 ok\r\n250 ok\r\n", "a reply to nothing" },
		{ "\r\n", "makes no sense" },
		{ "", "closed the connection" }
	};
	struct imsg	imsg;
	uint64_t	i;
	int		fd;

	begin(tc);
	for (i = 0; i < nitems(servers); i++) {
		fd = run_start(i + 1);
		message(i + 1, 1, HEAD "\n");
		server_say(fd, servers[i].said);
		shutdown(fd, SHUT_WR);
		result(i + 1, 1, RUN_UNTRIED, "");
		run_end(&queue, i + 1, 'Z', servers[i].end);
		close(fd);
	}
	ATF_CHECK_EQ(0, hear_within(&queue, &imsg, 0));
	run_check(100);
	process_end();
}

/* Text without end costs the run, and memory only so much. */
ATF_TC_WITHOUT_HEAD(endless_server);
ATF_TC_BODY(endless_server, tc)
{
	char	block[4096];
	size_t	sent = 0;
	ssize_t	n;
	int	fd;

	begin(tc);
	fd = run_start(1);
	memset(block, '2', sizeof(block));
	memcpy(block, "220-", 4);
	do {
		n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	} while (n > 0 && sent < 64 * 1024 * 1024);
	ATF_CHECK_MSG(n == -1, "it took %zu octets", sent);
	run_end(&queue, 1, 'Z', "a reply");
	close(fd);
	run_check(2);
	process_end();
}

/*
 * What is wrong with queues
 */

/*
 * A reply without end, a byte at a time, meets every deadline of SMTP: its
 * place is wanted by others.  The one that is answered is in time.
 */
ATF_TC_WITHOUT_HEAD(dawdles);
ATF_TC_BODY(dawdles, tc)
{
	struct pollfd	pfd = { .fd = -1 };
	int		fd, hung_up = 0;

	ATF_REQUIRE(setenv("STALL_MS", "2000", 1) == 0);
	begin(tc);
	fd = run_start(1);
	server_hello(fd);
	message(1, 1, HEAD "\n");
	server_envelope(fd);
	server_expect(fd, ".\r\n");
	server_say(fd, "250 ok\r\n");
	result(1, 1, 'K', "250 ok");
	message(1, 2, HEAD "\n");
	server_envelope(fd);
	server_expect(fd, ".\r\n");
	server_say(fd, "250-");
	pfd.fd = fd;
	while (!hung_up && poll(&pfd, 1, 100) == 0)
		hung_up = send(fd, "x", 1, MSG_NOSIGNAL) != 1;
	result(1, 2, 'Z', "may arrive twice");
	run_end(&queue, 1, 'Z', "");
	server_hangup(fd);
	run_check(2);
	process_end();
}

ATF_TC_WITHOUT_HEAD(aborted);
ATF_TC_BODY(aborted, tc)
{
	uint64_t	one = 1;
	int		fd;

	begin(tc);
	fd = run_start(1);
	server_hello(fd);
	message(1, 1, HEAD "\n");
	message(1, 2, HEAD "\n");
	server_envelope(fd);
	server_expect(fd, ".\r\nMAIL FROM:<joe@example.org> SIZE=2\r\n"
	    "RCPT TO:<u@d.example>\r\nDATA\r\n");
	say(&queue, IMSG_RELAY_ABORT, &one, sizeof(one));
	result(1, 1, 'Z', "may arrive twice");
	result(1, 2, RUN_UNTRIED, "");
	run_end(&queue, 1, 'Z', "");
	server_hangup(fd);
	/* What comes too late is nobody's mistake. */
	message(1, 3, HEAD "\n");
	say(&queue, IMSG_RELAY_ABORT, &one, sizeof(one));
	finish(&queue, 1);
	run_check(2);
	process_end();
}

/* The end of one queue is no other's. */
ATF_TC_WITHOUT_HEAD(gone);
ATF_TC_BODY(gone, tc)
{
	struct imsgbuf	other;
	int		fd, others;

	begin(tc);
	queue_open(&other, IMSG_RELAY_QUEUE, 8);
	fd = run_start(1);
	others = run_start_as(8, 1, PROTOCOL_SMTP);
	run_started(&other, 1);
	server_hello(fd);
	server_hello(others);
	queue_close(&other);
	server_hangup(others);
	/* A connection that comes for it now is closed. */
	server_hangup(run_start_as(8, 2, PROTOCOL_SMTP));
	server_hangup(run_start_as(9, 2, PROTOCOL_SMTP));
	message(1, 1, HEAD "\n");
	server_envelope(fd);
	close(fd);
	result(1, 1, 'Z', "");
	run_end(&queue, 1, 'Z', "");
	/* A new queue takes an old one's place, even if that lives. */
	fd = run_start(2);
	queue_open(&other, IMSG_RELAY_QUEUE, SPOOL);
	server_hangup(fd);
	hear_hangup(&queue);
	queue_close(&queue);
	queue = other;
	run_check(1);
	process_end();
}

ATF_TC_WITHOUT_HEAD(liars);
ATF_TC_BODY(liars, tc)
{
	struct imsgbuf	liar;
	uint64_t	run = 1, i;
	int		fd, how;

	begin(tc);
	for (how = 0; how < 6; how++) {
		queue_open(&liar, IMSG_RELAY_QUEUE, 8);
		fd = run_start_as(8, 1, PROTOCOL_SMTP);
		run_started(&liar, 1);
		switch (how) {
		case 0:
			say(&liar, IMSG_RELAY_MESSAGE, "short", 5);
			break;
		case 1:
			say(&liar, IMSG_RELAY_FINISH, &run, 3);
			break;
		case 2:
			say(&liar, IMSG_RELAY_QUEUE, NULL, 0);
			break;
		case 3:
			say_fd(&liar, IMSG_RELAY_RUN, 0, file_make(""), &run,
			    sizeof(run));
			break;
		case 4:
			for (i = 0; i <= WINDOW_MAX; i++)
				message_fd(&liar, 1, i, file_make(HEAD "\n"));
			break;
		case 5:
			finish(&liar, 1);
			message_fd(&liar, 1, 1, file_make(HEAD "\n"));
			break;
		}
		hear_hangup(&liar);
		server_hangup(fd);
		queue_close(&liar);
	}
	log_check("makes no sense");
	run_check(1);
	process_end();
}

/* The number of a run is its queue's choice: twice is once too often. */
ATF_TC_WITHOUT_HEAD(same_run);
ATF_TC_BODY(same_run, tc)
{
	int	fd;

	begin(tc);
	fd = run_start(1);
	server_hangup(run_start_as(SPOOL, 1, PROTOCOL_SMTP));
	close(fd);
	run_end(&queue, 1, 'Z', "closed the connection");
	run_check(1);
	process_end();
}

/*
 * A queue that does not read is not served any more: its messages stay with
 * it, its servers are not heard; once it reads all goes on.
 */
ATF_TC_WITHOUT_HEAD(unread);
ATF_TC_BODY(unread, tc)
{
	struct imsgbuf		q;
	struct run_message	m = { .run = 1 };
	uint64_t		sent = 0, got;
	int			fd, file, flags;

	begin(tc);
	queue_open(&q, IMSG_RELAY_QUEUE, 8);
	fd = run_start_as(8, 1, PROTOCOL_SMTP);
	run_started(&q, 1);
	flags = fcntl(q.fd, F_GETFL);
	ATF_REQUIRE(fcntl(q.fd, F_SETFL, flags | O_NONBLOCK) == 0);
	/* No envelope: each is answered at once. */
	while (sent < 200000) {
		m.number = sent;
		file = file_make("x");
		ATF_REQUIRE(imsg_compose(&q, IMSG_RELAY_MESSAGE, 0, 0, file,
		    &m, sizeof(m)) == 1);
		sent++;
		ATF_REQUIRE(imsgbuf_write(&q) != -1);
		if (imsgbuf_queuelen(&q) > 200)
			break;
		files = 0;
	}
	ATF_CHECK_MSG(sent < 200000, "it takes all there is");
	run_check(1);		/* another's goes on */
	for (got = 0; got < sent; got++) {
		ATF_REQUIRE(imsgbuf_write(&q) != -1);
		ATF_REQUIRE_EQ(got, result_hear(&q).number);
	}
	ATF_REQUIRE(fcntl(q.fd, F_SETFL, flags) == 0);
	close(fd);
	run_end(&q, 1, 'Z', "closed the connection");
	queue_close(&q);
	process_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, delivers);
	ATF_TP_ADD_TC(tp, refusals);
	ATF_TP_ADD_TC(tp, hangs_up);
	ATF_TP_ADD_TC(tp, qmtp);
	ATF_TP_ADD_TC(tp, qmtp_lost);
	ATF_TP_ADD_TC(tp, many_runs);
	ATF_TP_ADD_TC(tp, slow_server);
	ATF_TP_ADD_TC(tp, quarantine);
	ATF_TP_ADD_TC(tp, hops);
	ATF_TP_ADD_TC(tp, many_recipients);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, bad_servers);
	ATF_TP_ADD_TC(tp, endless_server);
	ATF_TP_ADD_TC(tp, dawdles);
	ATF_TP_ADD_TC(tp, aborted);
	ATF_TP_ADD_TC(tp, gone);
	ATF_TP_ADD_TC(tp, liars);
	ATF_TP_ADD_TC(tp, same_run);
	ATF_TP_ADD_TC(tp, unread);
	return (atf_no_error());
}
