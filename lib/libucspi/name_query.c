/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Questions on their way: a pool of c-ares channels.  c-ares moves packets
 * (servers in turn, timeouts, TCP after truncation); the questions are
 * written and the answers read here.  Its sockets are made by us, so that
 * they are close-on-exec on every system and what the network said is known
 * when c-ares only says that no server could be reached.
 */
#define CARES_NO_DEPRECATED	/* the old calls are what 1.18 has, too */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <netinet/in.h>

#include <ares.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ucspi_name.h"
#include "compat.h"

/*
 * A silent server is asked four times, with 3, 6, 12 and 24 s of patience:
 * 45 s, within the 59 s of the classic 3, 11 and 45.
 */
#define QUERY_TIMEOUT_MS	3000
#define QUERY_TRIES		4
/* So many questions on one source port, then the channel comes to rest. */
#define CHANNEL_USES_MAX	64
#define QUESTION_SIZE		(12 + NAME_WIRE_SIZE + 4)
#define RCODE_NXDOMAIN		3

struct name_flight {
	LIST_ENTRY(name_flight)	 entry;
	struct name_query	*query;		/* NULL: nobody waits */
	struct name_channel	*channel;
	uint8_t			 wire[NAME_WIRE_SIZE];
	uint16_t		 type;
	uint16_t		 id;
	int			 declined;	/* by SERVFAIL or its kin */
};

struct name_channel {
	struct name_pool	*pool;
	ares_channel		 ares;
	unsigned int		 index;
	unsigned int		 pending;
	unsigned int		 uses;		/* since it was last idle */
	int			 net_error;	/* last errno of its sockets */
	LIST_HEAD(, name_flight) flights;
};

struct name_pool {
	struct name_driver	 driver;
	struct name_channel	*channels;
	unsigned int		 count;
	unsigned int		 pending;
};

static ares_socket_t
socket_open(int family, int type, int protocol, void *arg)
{
	struct name_channel	*ch = arg;
	int			 fd;

	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd == -1)
		ch->net_error = errno;
	return (fd);
}

static int
socket_close(ares_socket_t fd, void *arg)
{
	return (close(fd));
}

static int
socket_connect(ares_socket_t fd, const struct sockaddr *sa,
    ares_socklen_t len, void *arg)
{
	struct name_channel	*ch = arg;
	int			 result;

	if ((result = connect(fd, sa, len)) == -1 && errno != EINPROGRESS)
		ch->net_error = errno;
	return (result);
}

/* Remembers that the question a packet belongs to was declined. */
static void
packet_note(struct name_channel *ch, const uint8_t *data, size_t len)
{
	struct name_flight	*flight;
	uint16_t		 id;

	if (len < 4 || (data[3] & 0xf) == 0 ||
	    (data[3] & 0xf) == RCODE_NXDOMAIN)
		return;
	id = (uint16_t)(data[0] << 8 | data[1]);
	LIST_FOREACH(flight, &ch->flights, entry) {
		if (flight->id == id)
			flight->declined = 1;
	}
}

static ares_ssize_t
socket_receive(ares_socket_t fd, void *data, size_t size, int flags,
    struct sockaddr *from, ares_socklen_t *fromlen, void *arg)
{
	struct name_channel	*ch = arg;
	ssize_t			 n;

	n = recvfrom(fd, data, size, flags, from, fromlen);
	if (n > 0)
		packet_note(ch, data, (size_t)n);
	else if (n == 0)
		ch->net_error = EIO;
	else if (errno != EAGAIN && errno != EINTR)
		ch->net_error = errno;
	return (n);
}

static ares_ssize_t
socket_send(ares_socket_t fd, const struct iovec *iov, int n, void *arg)
{
	struct name_channel	*ch = arg;
	struct msghdr		 msg;
	ssize_t			 sent;

	/* Not writev(2): a TCP server that left must not raise SIGPIPE. */
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = (struct iovec *)(uintptr_t)iov;
	msg.msg_iovlen = (unsigned int)n;
	sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
	if (sent == -1 && errno != EAGAIN && errno != EINTR)
		ch->net_error = errno;
	return (sent);
}

static const struct ares_socket_functions	socket_functions = {
	socket_open, socket_close, socket_connect, socket_receive, socket_send
};

static void
socket_watch(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct name_channel	*ch = arg;
	struct name_driver	*driver = &ch->pool->driver;

	driver->watch(driver->arg, ch->index, fd, readable, writable);
}

/*
 * To be called after everything that lets c-ares work.  Only then, and not
 * when the last answer arrives, have an idle channel's sockets been closed:
 * whoever asks on from that answer must not take it for one.
 */
static void
channel_settle(struct name_channel *ch)
{
	struct name_driver	*driver = &ch->pool->driver;
	struct timeval		 tv;
	int			 ms = -1;

	if (ch->pending == 0)
		ch->uses = 0;
	if (ares_timeout(ch->ares, NULL, &tv) != NULL) {
		ms = INT_MAX;
		if (tv.tv_sec < INT_MAX / 1000 - 1)
			ms = (int)(tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1);
	}
	driver->timer(driver->arg, ch->index, ms);
}

static int
status_errno(int status, const struct name_flight *flight)
{
	switch (status) {
	case ARES_ETIMEOUT:
		return (ETIMEDOUT);
	case ARES_ENOMEM:
		return (ENOMEM);
	case ARES_ESERVFAIL:
	case ARES_ENOTIMP:
	case ARES_EREFUSED:
		return (EAGAIN);
	case ARES_ECONNREFUSED:
		if (flight->declined)
			return (EAGAIN);
		if (flight->channel->net_error != 0)
			return (flight->channel->net_error);
		return (ECONNREFUSED);
	default:
		return (EPROTO);
	}
}

static void
query_finish(struct name_query *query, const struct name_answer *answer)
{
	query->flight = NULL;
	query->done(query, answer);
}

static void
query_fail(struct name_query *query, int error)
{
	struct name_answer	answer;

	memset(&answer, 0, sizeof(answer));
	answer.error = error;
	query_finish(query, &answer);
}

static void
flight_land(void *arg, int status, int timeouts, unsigned char *data, int len)
{
	struct name_flight	*flight = arg;
	struct name_answer	 answer;
	struct name_query	*query = flight->query;

	if (query != NULL && data != NULL && len > 0)
		name_answer_read(&answer, data, (size_t)len, flight->wire,
		    flight->type);
	else {
		memset(&answer, 0, sizeof(answer));
		answer.error = status_errno(status, flight);
	}
	LIST_REMOVE(flight, entry);
	flight->channel->pool->pending--;
	flight->channel->pending--;
	free(flight);
	if (query != NULL)
		query_finish(query, &answer);
}

/*
 * An idle channel, whose next packet leaves from a new port; else the one
 * least used of those that are not to rest; else the least busy.
 */
static struct name_channel *
channel_pick(struct name_pool *pool)
{
	struct name_channel	*ch, *best = NULL;
	unsigned int		 cost, i, least = UINT_MAX;

	for (i = 0; i < pool->count; i++) {
		ch = &pool->channels[i];
		cost = ch->uses < CHANNEL_USES_MAX ? ch->uses :
		    CHANNEL_USES_MAX + ch->pending;
		if (cost < least) {
			least = cost;
			best = ch;
		}
		if (cost == 0)
			break;
	}
	return (best);
}

/* An id no other question of the channel has. */
static uint16_t
channel_id(const struct name_channel *ch)
{
	struct name_flight	*flight;
	uint16_t		 id;

	do {
		id = (uint16_t)(arc4random() & 0xffff);
		LIST_FOREACH(flight, &ch->flights, entry) {
			if (flight->id == id)
				break;
		}
	} while (flight != NULL);
	return (id);
}

static size_t
question_write(uint8_t *packet, const struct name_flight *flight)
{
	static const uint8_t	 rest[10] = { 1, 0, 0, 1 };
	size_t			 len;
	uint8_t			*p = packet;

	*p++ = (uint8_t)(flight->id >> 8);
	*p++ = (uint8_t)flight->id;
	memcpy(p, rest, sizeof(rest));	/* recursion desired, one question */
	p += sizeof(rest);
	len = name_wire_len(flight->wire);
	memcpy(p, flight->wire, len);
	p += len;
	*p++ = (uint8_t)(flight->type >> 8);
	*p++ = (uint8_t)flight->type;
	*p++ = 0;
	*p++ = 1;			/* class IN */
	return ((size_t)(p - packet));
}

void
name_query_wire(struct name_pool *pool, struct name_query *query,
    const uint8_t *wire, uint16_t type)
{
	struct name_channel	*ch;
	struct name_flight	*flight;
	uint8_t			 packet[QUESTION_SIZE];
	size_t			 len;

	if (pool->count == 0) {
		query_fail(query, ECONNREFUSED);
		return;
	}
	if ((flight = calloc(1, sizeof(*flight))) == NULL) {
		query_fail(query, ENOMEM);
		return;
	}
	ch = channel_pick(pool);
	flight->query = query;
	flight->channel = ch;
	flight->type = type;
	flight->id = channel_id(ch);
	memcpy(flight->wire, wire, name_wire_len(wire));
	query->flight = flight;
	LIST_INSERT_HEAD(&ch->flights, flight, entry);
	if (ch->pending++ == 0)
		ch->net_error = 0;
	ch->uses++;
	pool->pending++;

	len = question_write(packet, flight);
	ares_send(ch->ares, packet, (int)len, flight_land, flight);
	channel_settle(ch);
}

void
name_query_text(struct name_pool *pool, struct name_query *query,
    const char *text, uint16_t type)
{
	uint8_t	wire[NAME_WIRE_SIZE];

	if (name_wire_from_text(wire, text) == -1)
		query_fail(query, errno);
	else
		name_query_wire(pool, query, wire, type);
}

void
name_query_ptr(struct name_pool *pool, struct name_query *query,
    const struct netaddr *addr)
{
	uint8_t	wire[NAME_WIRE_SIZE];

	(void)name_wire_from_addr(wire, addr);
	name_query_wire(pool, query, wire, NAME_TYPE_PTR);
}

void
name_query_cancel(struct name_query *query)
{
	if (query->flight != NULL)
		query->flight->query = NULL;
	query->flight = NULL;
}

void
name_pool_ready(struct name_pool *pool, unsigned int channel, int fd,
    int readable, int writable)
{
	struct name_channel	*ch = &pool->channels[channel];

	ares_process_fd(ch->ares, readable ? fd : ARES_SOCKET_BAD,
	    writable ? fd : ARES_SOCKET_BAD);
	channel_settle(ch);
}

void
name_pool_expired(struct name_pool *pool, unsigned int channel)
{
	name_pool_ready(pool, channel, ARES_SOCKET_BAD, 0, 0);
}

unsigned int
name_pool_pending(const struct name_pool *pool)
{
	return (pool->pending);
}

static int
channel_servers(struct name_channel *ch, const struct name_config *config)
{
	struct ares_addr_node	 node[NAME_SERVERS_MAX];
	unsigned int		 i;

	memset(node, 0, sizeof(node));
	for (i = 0; i < config->server_count; i++) {
		node[i].family = config->servers[i].family;
		memcpy(&node[i].addr, config->servers[i].bytes,
		    node[i].family == AF_INET ? 4 : 16);
		node[i].next = i + 1 < config->server_count ? &node[i + 1] :
		    NULL;
	}
	return (ares_set_servers(ch->ares, node));
}

static int
channel_open(struct name_channel *ch, const struct name_config *config)
{
	struct ares_options	options;
	char			lookups[] = "b";
	int			mask, status;

	memset(&options, 0, sizeof(options));
	options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
	options.timeout = QUERY_TIMEOUT_MS;
	options.tries = QUERY_TRIES;
	options.ndots = 1;
	options.lookups = lookups;
	options.sock_state_cb = socket_watch;
	options.sock_state_cb_data = ch;
	mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
	    ARES_OPT_NDOTS | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS |
	    ARES_OPT_SERVERS | ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB |
	    ARES_OPT_NOROTATE;
	status = ares_init_options(&ch->ares, &options, mask);
	if (status == ARES_SUCCESS) {
		ares_set_socket_functions(ch->ares, &socket_functions, ch);
		status = channel_servers(ch, config);
		if (status != ARES_SUCCESS)
			ares_destroy(ch->ares);
	}
	if (status != ARES_SUCCESS) {
		errno = status == ARES_ENOMEM ? ENOMEM : EIO;
		return (-1);
	}
	return (0);
}

struct name_pool *
name_pool_new(const struct name_config *config, unsigned int channels,
    const struct name_driver *driver)
{
	struct name_channel	*ch;
	struct name_pool	*pool;

	if ((pool = calloc(1, sizeof(*pool))) == NULL)
		return (NULL);
	pool->driver = *driver;
	pool->channels = calloc(channels, sizeof(*pool->channels));
	if (pool->channels == NULL || ares_library_init(ARES_LIB_INIT_NONE) !=
	    ARES_SUCCESS) {
		free(pool->channels);
		free(pool);
		errno = ENOMEM;
		return (NULL);
	}
	/* c-ares would take an empty list for a wish for its own. */
	if (config->server_count == 0)
		return (pool);
	for (; pool->count < channels; pool->count++) {
		ch = &pool->channels[pool->count];
		ch->pool = pool;
		ch->index = pool->count;
		LIST_INIT(&ch->flights);
		if (channel_open(ch, config) == -1) {
			name_pool_free(pool);
			return (NULL);
		}
	}
	return (pool);
}

void
name_pool_free(struct name_pool *pool)
{
	struct name_channel	*ch;
	struct name_flight	*flight;
	unsigned int		 i;
	int			 saved = errno;

	if (pool == NULL)
		return;
	for (i = 0; i < pool->count; i++) {
		ch = &pool->channels[i];
		LIST_FOREACH(flight, &ch->flights, entry) {
			if (flight->query != NULL)
				name_query_cancel(flight->query);
		}
		/* Lands every flight. */
		ares_destroy(ch->ares);
	}
	ares_library_cleanup();
	free(pool->channels);
	free(pool);
	errno = saved;
}
