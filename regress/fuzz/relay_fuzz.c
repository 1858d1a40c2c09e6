/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a queue that a stranger has taken over may say to autoturnd's relay,
 * in which order, reading the answers or not, while servers say what they
 * like and time passes.  The input is a row of deeds:
 *
 *	octet 0		the deed
 *	octet 1		which of the runs
 *	octet 2		a type of message, a kind of file, a number
 *	octet 3		how many octets follow that are its payload
 *
 * A message is told of once at most, and only while its run is on; when the
 * queue has left, nothing of it may be left, not one descriptor.
 *
 * headers: usr.sbin/autoturnd
 * includes: usr.sbin/autoturnd/relay.c
 * includes: usr.sbin/autoturnd/relay_run.c
 * functions: queue_free queue_free_later queue_lost queue_crowded
 * functions: queue_stalled queue_told queue_drained message_take number_take
 * functions: queue_dispatch run_find message_free messages_free run_free
 * functions: queue_tell result_tell end_tell message_judge message_result
 * functions: message_untried message_unanswered run_ended events_take
 * functions: descriptor_wrong message_keep message_deliver message_unread
 * functions: message_other message_hopped message_try message_begin
 * functions: messages_give run_watch run_clock run_send run_read
 * functions: run_last_words run_step run_event run_timeout delivery_begin
 * functions: run_new relay_run_begin message_new run_message run_finish
 * functions: relay_run_abort runs_end runs_resume
 */
#include <sys/socket.h>

#include <poll.h>
#include <stdint.h>

#include "../../lib/libprivsep/channel.c"
#include "../../usr.sbin/autoturnd/relay.c"
#include "../../usr.sbin/autoturnd/relay_run.c"

#define RUNS		4
#define DEEDS_MAX	300
#define NUMBERS		4096
#define FD_SCAN		256

enum deed {
	DEED_RUN, DEED_MESSAGE, DEED_RAW, DEED_FINISH, DEED_ABORT,
	DEED_SERVER, DEED_SERVER_END, DEED_READ, DEED_TIME, DEED_STALL,
	DEED_FLOOD, DEED_QUEUE_END, DEEDS
};

/* What the queue knows of a message it gave. */
enum state {
	STATE_NONE,
	STATE_OPEN,
	STATE_TOLD
};

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct event_base	*base;
static int64_t			 now_ms;
static int			 kinds[8];	/* of files */
static size_t			 nkinds;
static struct imsgbuf		 ours;		/* the queue's end */
static int			 ours_open;
static int			 servers[RUNS];
static int			 on[RUNS];	/* started, no end was told */
static unsigned char		 states[RUNS][NUMBERS];
static uint64_t			 next_number;

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* The rest of the frame. */

int64_t
clock_ms(void)
{
	return (now_ms);
}

void
log_init(const char *name, const char *role, int quiet)
{
}

void
log_hello(const struct privsep_hello *hello, const char *role)
{
}

void
log_ask(struct channel *ch, uint32_t type)
{
}

void
log_warnx(const char *fmt, ...)
{
}

void
fatal(const char *fmt, ...)
{
	abort();
}

void
fatalx(const char *fmt, ...)
{
	abort();
}

void
privsep_hello_receive(struct imsgbuf *ibuf, struct privsep_hello *hello)
{
	abort();
}

void
privsep_drop(const struct privsep_hello *hello)
{
	abort();
}

int
sandbox_relay(void)
{
	abort();
}

/*
 * Files and descriptors
 */

static int
fd_count(void)
{
	int	fd, n = 0;

	for (fd = 0; fd < FD_SCAN; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return (n);
}

static void
kind_add(const char *text)
{
	char	path[] = "/tmp/relay_fuzz.XXXXXX";
	int	fd;

	require((fd = mkstemp(path)) != -1 && unlink(path) == 0);
	require(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	kinds[nkinds++] = fd;
}

#define HEAD	"Return-Path: <a@b>\nDelivered-To: p-u@d\n"

static void
kinds_make(void)
{
	char	path[] = "/tmp/relay_fuzz.XXXXXX";
	int	fd;

	kind_add(HEAD "Subject: x\n\nbody\n.\n");
	kind_add(HEAD "Received: 1\nReceived: 2\nReceived: 3\n\n");
	kind_add("Return-Path: <a@b>\nDelivered-To: other@d\n\n");
	kind_add("no envelope\n");
	kind_add("Return-path: <a@b>\nEnvelope-to: p-u@d,\n p-v@d, x@d,\n"
	    " p-w@d\n\nbody \374\n");
	require((fd = mkstemp(path)) != -1);
	require((kinds[nkinds++] = open(path, O_WRONLY)) != -1);
	require(unlink(path) == 0);
	require(ftruncate(fd, RELAY_MESSAGE_BYTES_MAX + 1) == 0);
	kinds[nkinds++] = fd;
	require((kinds[nkinds++] = open("/", O_RDONLY)) != -1);
	require(nkinds == nitems(kinds));
}

/*
 * The queue
 */

static void
result_check(struct imsg *imsg)
{
	struct run_result	r;

	require(imsg_get_buf(imsg, &r, sizeof(r)) == 0);
	require(imsg_get_len(imsg) == r.text_len && r.text_len < TEXT_SIZE);
	require(r.run < RUNS && on[r.run] && r.number < NUMBERS);
	require(states[r.run][r.number] == STATE_OPEN);
	require(r.status != 0 && strchr("KZDQU", (int)r.status) != NULL);
	states[r.run][r.number] = STATE_TOLD;
}

static void
end_check(struct imsg *imsg)
{
	struct run_end	e;

	require(imsg_get_buf(imsg, &e, sizeof(e)) == 0);
	require(imsg_get_len(imsg) == e.text_len && e.text_len < TEXT_SIZE);
	require(e.run < RUNS && on[e.run]);
	require(e.status == 'K' || e.status == 'Z');
	on[e.run] = 0;
	memset(states[e.run], 0, sizeof(states[e.run]));
}

static void
message_check(struct imsg *imsg)
{
	uint64_t	run;

	switch (imsg_get_type(imsg)) {
	case IMSG_RUN_STARTED:
		require(imsg_get_data(imsg, &run, sizeof(run)) == 0);
		require(run < RUNS && on[run]);
		break;
	case IMSG_RUN_RESULT:
		result_check(imsg);
		break;
	case IMSG_RUN_END:
		end_check(imsg);
		break;
	default:
		abort();
	}
}

static void
queue_end(void)
{
	int	i;

	if (!ours_open)
		return;
	close(ours.fd);
	imsgbuf_clear(&ours);
	ours_open = 0;
	for (i = 0; i < RUNS; i++)
		on[i] = 0;
	memset(states, 0, sizeof(states));
}

/* All there is. */
static void
queue_read(void)
{
	struct pollfd	pfd = { .events = POLLIN };
	struct imsg	imsg;
	int		n;

	while (ours_open) {
		if ((n = imsgbuf_get(&ours, &imsg)) == 1) {
			message_check(&imsg);
			imsg_free(&imsg);
			continue;
		}
		require(n == 0);
		pfd.fd = ours.fd;
		if (poll(&pfd, 1, 0) == 0)
			return;
		if (imsgbuf_read(&ours) != 1)
			queue_end();
	}
}

static void
queue_begin(void)
{
	int	sv[2];

	if (ours_open)
		return;
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == 0);
	require(imsgbuf_init(&ours, sv[0]) == 0);
	imsgbuf_allow_fdpass(&ours);
	queue_add(1, sv[1]);
	ours_open = 1;
}

static void
loop(void)
{
	int	i;

	for (i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
queue_say(uint32_t type, int fd, const void *data, size_t len)
{
	if (!ours_open) {
		if (fd != -1)
			close(fd);
		return;
	}
	require(imsg_compose(&ours, type, 0, 0, fd, data, len) == 1);
	/* What is not taken at once is never sent. */
	if (imsgbuf_write(&ours) == -1 || imsgbuf_queuelen(&ours) > 0)
		queue_end();
}

/*
 * Deeds
 */

static void
server_end(unsigned int n)
{
	if (servers[n] != -1)
		close(servers[n]);
	servers[n] = -1;
}

static void
run_order(unsigned int n, unsigned int how)
{
	struct run_order	 order;
	struct relay_queue	*q = queue_find(1);
	int			 sv[2];

	if (q == NULL || !q->ch.open || on[n])
		return;
	memset(&order, 0, sizeof(order));
	order.run = n;
	order.spool = 1;
	order.protocol = how & 1 ? PROTOCOL_QMTP : PROTOCOL_SMTP;
	order.hops_max = 2;
	(void)strlcpy(order.helo, how & 2 ? "" : "us", sizeof(order.helo));
	(void)strlcpy(order.prefix, "p-", sizeof(order.prefix));
	(void)strlcpy(order.peer, "192.0.2.7", sizeof(order.peer));
	server_end(n);
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == 0);
	servers[n] = sv[0];
	on[n] = 1;
	if (how & 4) {
		close(sv[1]);
		sv[1] = -1;
	}
	if (relay_run_begin(q, &order, sv[1]) == -1)
		abort();
}

static void
message_send(unsigned int n, unsigned int kind)
{
	struct run_message	m;
	int			fd = -1;

	m.run = n;
	m.number = next_number++ % NUMBERS;
	if (kind % 16 < nkinds)
		fd = fcntl(kinds[kind % 16], F_DUPFD_CLOEXEC, 3);
	if (n < RUNS && on[n])
		states[n][m.number] = STATE_OPEN;
	queue_say(IMSG_RELAY_MESSAGE, fd, &m, sizeof(m));
}

static void
flood(unsigned int n, unsigned int kind)
{
	int	i;

	for (i = 0; i < 600 && ours_open; i++) {
		message_send(n, kind);
		if (i % 8 == 0)
			loop();
	}
}

/* Any type, with anything but a message of which nobody kept account. */
static void
raw_send(unsigned int type, const uint8_t *data, size_t len)
{
	int	fd = type & 0x80 ? fcntl(kinds[0], F_DUPFD_CLOEXEC, 3) : -1;

	if (len == sizeof(struct run_message))
		len--;
	queue_say(IMSG_RELAY_MESSAGE - 2 + type % 8, fd, data, len);
}

static void
server_deed(unsigned int n, const uint8_t *data, size_t len)
{
	char	buf[65536];

	if (servers[n] == -1)
		return;
	(void)send(servers[n], data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	loop();
	while (recv(servers[n], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		continue;
}

static void
time_pass(unsigned int n)
{
	struct relay_queue	*q = queue_find(1);
	struct relay_run	*run, *next;

	now_ms += (int64_t)n * 60 * 1000;
	if (q == NULL)
		return;
	for (run = RB_MIN(relay_runs, &q->runs); run != NULL; run = next) {
		next = RB_NEXT(relay_runs, &q->runs, run);
		if (evtimer_pending(&run->timer, NULL))
			run_timeout(-1, EV_TIMEOUT, run);
	}
}

static void
stall(void)
{
	struct relay_queue	*q = queue_find(1);

	if (q != NULL && evtimer_pending(&q->stall, NULL) && q->ch.open)
		queue_stalled(-1, EV_TIMEOUT, q);
}

static void
deed_do(unsigned int deed, unsigned int which, unsigned int type,
    const uint8_t *data, size_t len)
{
	uint64_t	run = which % (RUNS + 1);
	unsigned int	n = which % RUNS;

	switch (deed % DEEDS) {
	case DEED_RUN:
		queue_begin();
		run_order(n, type);
		break;
	case DEED_MESSAGE:
		message_send((unsigned int)run, type);
		break;
	case DEED_RAW:
		raw_send(type, data, len);
		break;
	case DEED_FINISH:
		queue_say(IMSG_RELAY_FINISH, -1, &run, sizeof(run));
		break;
	case DEED_ABORT:
		queue_say(IMSG_RELAY_ABORT, -1, &run, sizeof(run));
		break;
	case DEED_SERVER:
		server_deed(n, data, len);
		break;
	case DEED_SERVER_END:
		server_end(n);
		break;
	case DEED_READ:
		queue_read();
		break;
	case DEED_TIME:
		time_pass(type);
		break;
	case DEED_STALL:
		stall();
		break;
	case DEED_FLOOD:
		flood(n, type);
		break;
	case DEED_QUEUE_END:
		queue_end();
		break;
	}
	loop();
}

static void
begin(void)
{
	int	i;

	if (base == NULL) {
		require((base = event_init()) != NULL);
		signal(SIGPIPE, SIG_IGN);
		kinds_make();
	}
	for (i = 0; i < RUNS; i++)
		servers[i] = -1;
	now_ms = 1000;
	next_number = 0;
	queue_begin();
}

static void
end(void)
{
	unsigned int	n;

	queue_read();
	loop();
	queue_read();
	queue_end();
	loop();
	require(TAILQ_EMPTY(&queues));
	for (n = 0; n < RUNS; n++)
		server_end(n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t	len;
	int	before, n;

	if (base == NULL) {
		begin();
		end();
	}
	before = fd_count();
	begin();
	for (n = 0; size >= 4 && n < DEEDS_MAX; n++) {
		len = data[3] < size - 4 ? data[3] : size - 4;
		deed_do(data[0], data[1], data[2], data + 4, len);
		data += 4 + len;
		size -= 4 + len;
	}
	end();
	require(fd_count() == before);
	return (0);
}
