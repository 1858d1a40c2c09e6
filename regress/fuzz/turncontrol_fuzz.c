/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What clients of autoturnd's queue may ask and order, in which order,
 * reading the answers or not, while messages come and go and the parent
 * answers.  The input is a row of deeds:
 *
 *	octet 0		the deed
 *	octet 1		which of the clients
 *	octet 2		a type of message, a name, a state
 *	octet 3		how many octets follow that are its payload
 *
 * When all clients have left, the queue must have forgotten all of them.
 *
 * includes: usr.sbin/autoturnd/control.c
 * includes: usr.sbin/autoturnd/control_message.c
 * includes: usr.sbin/autoturnd/control_order.c
 * includes: usr.sbin/autoturnd/control_show.c
 * includes: usr.sbin/autoturnd/listing.c
 * includes: usr.sbin/autoturnd/said.c
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The program has no library that its objects could come from. */
#include "../../usr.sbin/autoturnd/control.c"
#include "../../usr.sbin/autoturnd/control_names.c"
#include "../../usr.sbin/autoturnd/control_message.c"
#include "../../usr.sbin/autoturnd/control_order.c"
#include "../../usr.sbin/autoturnd/control_show.c"
#include "../../usr.sbin/autoturnd/listing.c"
#include "../../usr.sbin/autoturnd/said.c"
#include "../../lib/libcontrol/peer.c"
#include "../../lib/libprivsep/channel.c"

#define LIARS		20
#define DEEDS_MAX	200
#define CUSTOMERS	3
#define MANY		40		/* messages of the first */

enum deed {
	DEED_CONNECT, DEED_HELLO, DEED_MESSAGE, DEED_BYTES, DEED_READ,
	DEED_CLOSE, DEED_PARENT, DEED_REQUEST, DEED_STATE, DEED_MAIL,
	DEED_GO, DEEDS
};

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct queue	queue;
const char	*queue_sandbox = "none";

static struct event_base	*base;
static char			 spool[] = "/tmp/turncontrol.XXXXXX";
static struct delivery_settings	 delivery;
static char			 names[CUSTOMERS][CUSTOMER_NAME_SIZE] = {
	"a", "b", "192.0.2.7"
};
static char			 prefix[] = "autoturn-a-";
static char			 reply[] = "450 later";
static struct customer		 customers[CUSTOMERS];
static int			 gone;		/* so many of the last */
static int			 liars[LIARS];
static uint8_t			 state;		/* of the rest */

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* The rest of the queue. */

struct customer *
customer_next(struct customer *c)
{
	int	i = c == NULL ? 0 : (int)(c - customers) + 1;

	return (i < CUSTOMERS - gone ? &customers[i] : NULL);
}

struct customer *
customer_find(const char *name)
{
	struct customer	*c = NULL;

	while ((c = customer_next(c)) != NULL)
		if (strcmp(c->name, name) == 0)
			return (c);
	return (NULL);
}

struct customer *
customer_look_for(const char *name)
{
	return (customer_find(name));
}

struct customer *
customer_after(const char *name)
{
	struct customer	*c = customer_find(name);

	if (c == NULL && name[0] != '\0')
		return (NULL);
	return (customer_next(c));
}

struct customer *
customer_find_address(const struct netaddr *addr)
{
	return (addr->bytes[0] == 192 ? customer_next(NULL) : NULL);
}

struct customer *
customer_find_domain(const char *name)
{
	return (name[0] == 'd' ? customer_next(NULL) : NULL);
}

void
customers_look(void)
{
}

int
customer_look(struct customer *c)
{
	return (c->waiting > 0);
}

void
customer_trigger(struct customer *c, enum reason reason)
{
	c->reason = reason;
	c->job = JOB_READY;
}

void
customer_hold(struct customer *c, int hold)
{
	c->flags = hold ? c->flags | CUSTOMER_HELD :
	    c->flags & ~(uint32_t)CUSTOMER_HELD;
}

time_t
customer_due(const struct customer *c)
{
	return (1);
}

void
schedule_pause(int pause)
{
	queue.paused = pause;
}

void
schedule_start(void)
{
}

uint32_t
schedule_ready(void)
{
	return (0);
}

int
events_connected(void)
{
	return (state & 1);
}

int
state_save(void)
{
	errno = state & 2 ? ENOSPC : 0;
	return (state & 2 ? -1 : 0);
}

const char *
journal_trouble(void)
{
	return (state & 4 ? "no space" : NULL);
}

int
journal_status(const char *maildir, const char *name, const struct stat *st)
{
	return (state & 8 && name[4] == '1' ? 0 : -1);
}

int
return_pending(const struct customer *c, const char *name)
{
	return (state & 16 && name[4] == '2');
}

void
return_walk(const struct customer *c,
    void (*visit)(const struct return_entry *, void *), void *arg)
{
	struct return_entry	entry = { c->maildir, "new/2", "refused",
				    state & 32 ? "why" : "", 0, 1 };

	visit(&entry, arg);
}

int
quarantine_find(struct customer *c, const char *name,
    void (*visit)(const struct quarantine_entry *, void *), void *arg)
{
	struct quarantine_entry	entry = { name, "a reason", 1, 2 };

	visit(&entry, arg);
	return (0);
}

int
quarantine_release(struct customer *c, const char *name)
{
	errno = state & 32 ? EEXIST : ENOENT;
	return (name[0] == 'q' ? 0 : -1);
}

int
message_expire(struct customer *c, const char *name, time_t mtime)
{
	errno = ENOMEM;
	return (state & 64 ? -1 : 0);
}

struct lock *
lock_take(const char *maildir)
{
	errno = state & 32 ? EAGAIN : EIO;
	return (state & 128 ? NULL : (struct lock *)&state);
}

void
lock_release(struct lock *lock)
{
}

void
run_show(const struct run *run, struct run_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->doing = "sends";
}

int64_t
clock_ms(void)
{
	return (1000000);
}

__dead void
fatal(const char *fmt, ...)
{
	abort();
}

__dead void
fatalx(const char *fmt, ...)
{
	abort();
}

/*
 * The spool
 */

static void
file_make(const char *customer, const char *name, const char *text)
{
	char	path[PATH_MAX];
	int	fd;

	snprintf(path, sizeof(path), "%s/%s", customer, name);
	fd = openat(queue.spool_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	require(fd != -1);
	require(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void
directory_make(const char *customer, const char *name)
{
	char	path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", customer, name);
	require(mkdirat(queue.spool_fd, path, 0700) == 0);
}

static void
spool_make(void)
{
	char	name[32];
	int	i;

	require(mkdtemp(spool) != NULL);
	queue.spool_fd = open(spool, O_RDONLY | O_DIRECTORY);
	require(queue.spool_fd != -1);
	for (i = 0; i < 2; i++) {
		directory_make(names[i], "");
		directory_make(names[i], "new");
		directory_make(names[i], "quarantine");
	}
	directory_make("a", "cur");
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "new/%d", i);
		file_make("a", name, i % 5 == 0 ? "nonsense\n" :
		    "Return-Path: <s@x>\nDelivered-To: autoturn-a-r@y\n\n");
	}
	file_make("a", "cur/c", "Delivered-To: autoturn-a-r@y\n\n");
	file_make("a", "quarantine/q", "nothing\n");
	file_make("a", "quarantine/q.reason", "because\n");
	file_make("b", "new/m", "Return-Path: <>\nDelivered-To: x@y\n\n");
}

static void
spool_remove(void)
{
	char	command[PATH_MAX + 16];

	snprintf(command, sizeof(command), "rm -rf %s", spool);
	(void)!system(command);
}

/*
 * Clients
 */

static void
loop_run(void)
{
	int	i;

	for (i = 0; i < 3; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
liar_begin(int i, int restricted)
{
	int	fds[2], size = 4096;

	if (liars[i] != -1)
		return;
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds) == 0);
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	liars[i] = fds[0];
	control_add(fds[1], restricted);
}

static void
liar_end(int i)
{
	if (liars[i] != -1)
		close(liars[i]);
	liars[i] = -1;
}

static void
liar_send(int i, const void *data, size_t len)
{
	if (liars[i] != -1)
		(void)!send(liars[i], data, len, MSG_NOSIGNAL);
}

static void
liar_read(int i)
{
	char	buf[65536];
	int	n;

	for (n = 0; liars[i] != -1 && n < 60; n++) {
		if (recv(liars[i], buf, sizeof(buf), 0) <= 0)
			break;
		loop_run();
	}
}

static void
liar_message(int i, uint8_t type, const uint8_t *data, size_t len)
{
	struct {
		struct imsg_hdr	hdr;
		char		payload[sizeof(struct control_request)];
	} m;
	size_t	size = type >= 240 ? len : sizeof(m.payload);

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_CTL_HELLO + type % 18;
	if (m.hdr.type == IMSG_CTL_HELLO)
		size = 4;
	m.hdr.len = (uint32_t)(sizeof(m.hdr) + size);
	memcpy(m.payload, data, len < size ? len : size);
	liar_send(i, &m, sizeof(m.hdr) + size);
}

static void
liar_hello(int i, uint32_t version)
{
	struct {
		struct imsg_hdr	hdr;
		uint32_t	version;
	} m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_CTL_HELLO;
	m.hdr.len = sizeof(m);
	m.version = version % 8 == 0 ? version : CONTROL_VERSION;
	liar_send(i, &m, sizeof(m));
}

/* What a person would ask, of a customer and a message that there may be. */
static void
liar_request(int i, uint8_t type, uint8_t who)
{
	static const char *const	whom[] = {
		"", "a", "b", "192.0.2.7", "nobody", "domain", "192.0.2.9",
		"../a"
	};
	static const char *const	what[] = {
		"", "1", "new/2", "c", "q", "none", "new/m", ".", "new/", "5"
	};
	struct {
		struct imsg_hdr		hdr;
		struct control_request	req;
	} m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_CTL_STATUS + type % (IMSG_CTL_REQUESTS_END -
	    IMSG_CTL_STATUS);
	m.hdr.len = (uint32_t)(offsetof(__typeof__(m), req) + sizeof(m.req));
	strlcpy(m.req.customer, whom[who % 8], sizeof(m.req.customer));
	strlcpy(m.req.message, what[who / 8 % 10], sizeof(m.req.message));
	liar_send(i, &m, m.hdr.len);
}

/* The parent's words: to the client of that number, whoever it is. */
static void
parent_say(uint32_t number, uint8_t what)
{
	struct imsgbuf	ibuf[2];
	struct imsg	imsg;
	int32_t		error = what;
	int		fds[2];

	require(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	require(imsgbuf_init(&ibuf[0], fds[0]) == 0);
	require(imsgbuf_init(&ibuf[1], fds[1]) == 0);
	if (what & 1)
		require(imsg_compose(&ibuf[0], IMSG_QUEUE_RELOAD_DONE,
		    number, 0, -1, &error, sizeof(error)) == 1);
	else
		require(imsg_compose(&ibuf[0], IMSG_QUEUE_RELOAD_TEXT,
		    number, 0, -1, "a line", what % 7) == 1);
	require(imsgbuf_flush(&ibuf[0]) == 0);
	require(imsgbuf_read(&ibuf[1]) == 1);
	require(imsgbuf_get(&ibuf[1], &imsg) == 1);
	(void)control_dispatch_parent(&imsg);
	imsg_free(&imsg);
	imsgbuf_clear(&ibuf[0]);
	imsgbuf_clear(&ibuf[1]);
	close(fds[0]);
	close(fds[1]);
}

static void
customer_change(struct customer *c, uint8_t how)
{
	c->job = (enum job_state)(how & 3);
	c->run = c->job == JOB_RUNS ? (struct run *)&state : NULL;
	c->failures = how & 4;
	c->waiting = how & 8;
	c->oldest = how & 8;
	c->started_ms = how & 16 ? 1000000 : 0;
	c->flags = how & 32 ? CUSTOMER_LOCKED : how & 64 ? CUSTOMER_GONE :
	    how & 128 ? CUSTOMER_TROUBLE : CUSTOMER_IMPLICIT;
	c->reply = how & 1 ? reply : NULL;
}

static void
mail_change(uint8_t type, const uint8_t *data, size_t len)
{
	char	name[MESSAGE_NAME_SIZE + 8], text[300];
	int	n;

	n = snprintf(text, sizeof(text), "%.*s", (int)len,
	    (const char *)data);
	require(n >= 0);
	snprintf(name, sizeof(name), "new/%d", type % MANY);
	if (type & 128)
		said_note("a", name, text);
	else if (type & 64)
		said_forget("a", name);
	else
		file_make("a", "new/1", text);
}

static void
deed_do(uint8_t deed, uint8_t which, uint8_t type, const uint8_t *data,
    size_t len)
{
	int	i = which % LIARS;

	switch (deed % DEEDS) {
	case DEED_CONNECT:
		liar_begin(i, type & 1);
		break;
	case DEED_HELLO:
		liar_begin(i, type & 1);
		liar_hello(i, len == 0 ? CONTROL_VERSION : data[0]);
		break;
	case DEED_MESSAGE:
		liar_message(i, type, data, len);
		break;
	case DEED_BYTES:
		liar_send(i, data, len);
		break;
	case DEED_READ:
		liar_read(i);
		break;
	case DEED_CLOSE:
		liar_end(i);
		break;
	case DEED_PARENT:
		parent_say(last_number - which % 4, type);
		break;
	case DEED_REQUEST:
		liar_request(i, type, len == 0 ? which : data[0]);
		break;
	case DEED_STATE:
		state = type;
		customer_change(&customers[which % CUSTOMERS], type);
		queue.relay.open = which & 1;
		queue.stopping = which & 2;
		break;
	case DEED_MAIL:
		mail_change(type, data, len);
		break;
	case DEED_GO:
		gone = type % CUSTOMERS;
		break;
	}
	loop_run();
}

static void
begin(void)
{
	int	i;

	if (base == NULL) {
		require((base = event_init()) != NULL);
		spool_make();
		atexit(spool_remove);
	}
	memset(customers, 0, sizeof(customers));
	delivery.lifetime_s = 10;
	delivery.interval_s = 1;
	for (i = 0; i < CUSTOMERS; i++) {
		customers[i].name = customers[i].maildir = names[i];
		customers[i].prefix = prefix;
		customers[i].delivery = &delivery;
	}
	for (i = 0; i < LIARS; i++)
		liars[i] = -1;
	gone = 0;
	state = 0;
	queue.paused = queue.stopping = queue.relay.open = 0;
	control_init();
}

static void
end(void)
{
	int	i;

	for (i = 0; i < LIARS; i++)
		liar_end(i);
	for (i = 0; i < 50 && control_clients() > 0; i++)
		loop_run();
	require(control_clients() == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t	len;
	int	n;

	begin();
	for (n = 0; size >= 4 && n < DEEDS_MAX; n++) {
		len = data[3] < size - 4 ? data[3] : size - 4;
		deed_do(data[0], data[1], data[2], data + 4, len);
		data += 4 + len;
		size -= 4 + len;
	}
	end();
	return (0);
}
