/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who has come, as tcpserverd tells it: the client's side of its event
 * socket, control_wire.h.  The parent has looked who listens there; what is
 * said is checked all the same, and can do no more than a client who
 * connects: the addresses are looked up among our customers.
 *
 * Whatever may have been missed is a gap: then everybody for whom mail waits
 * may have been here.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "control_wire.h"
#include "queue.h"

#define REFUSED_TEXT_MAX	512
#define STRINGS_MAX		8192	/* of one event */
#define WELCOME_MS		10000
#define AGAIN_MIN_MS		100	/* until another connection is asked */
#define AGAIN_MAX_MS		30000
#define GAPS_TOLD_MS		10000
#define STEADY_MS		60000	/* so long it must have been there for
					 * the waiting to begin anew */

static struct channel	events;
static struct event	timer;		/* welcome, or the next connection */
static int		timer_set;
static int		welcome;
static uint64_t		sequence;	/* the last that is known of */
static int64_t		since_ms;	/* the welcome */
static int		again_ms = AGAIN_MIN_MS;

static void
timer_start(int ms)
{
	struct timeval	tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	evtimer_add(&timer, &tv);
}

static void
events_want(void)
{
	(void)channel_send(&queue.parent, IMSG_PARENT_EVENTS_WANTED, 0, -1,
	    NULL, 0);
}

/* A peer that says nonsense each time must not keep us busy. */
static void
events_want_later(void)
{
	if (welcome && clock_ms() - since_ms >= STEADY_MS)
		again_ms = AGAIN_MIN_MS;
	welcome = 0;
	timer_start(again_ms);
	again_ms = again_ms * 2 > AGAIN_MAX_MS ? AGAIN_MAX_MS : again_ms * 2;
}

static void
events_timer(int fd, short event, void *arg)
{
	if (!events.open) {
		events_want();
		return;
	}
	log_warnx("events of tcpserverd: no welcome within %d seconds",
	    WELCOME_MS / 1000);
	channel_close(&events);
	events_want_later();
}

static void
events_lost(struct channel *ch)
{
	if (welcome)
		log_info("events of tcpserverd: connection lost");
	evtimer_del(&timer);
	events_want_later();
}

static int
events_wrong(const char *what)
{
	log_warnx("events of tcpserverd: %s: connection closed", what);
	return (-1);
}

static int
event_refused(struct imsg *imsg)
{
	char	text[REFUSED_TEXT_MAX];
	size_t	len = imsg_get_len(imsg);

	memset(text, 0, sizeof(text));
	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	if (len > 0 && imsg_get_buf(imsg, text, len) == -1)
		text[0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	log_warnx("events of tcpserverd: refused: %s", text);
	return (-1);
}

static int
event_welcome(struct imsg *imsg)
{
	uint32_t	words[2];

	if (welcome || imsg_get_data(imsg, words, sizeof(words)) == -1)
		return (events_wrong("a welcome out of place"));
	if (words[0] != TCPSERVERD_CONTROL_VERSION)
		return (events_wrong("it is of another version"));
	if (words[1] != SOCKET_EVENT)
		return (events_wrong("this is not its event socket"));
	evtimer_del(&timer);
	welcome = 1;
	sequence = 0;
	since_ms = clock_ms();
	log_info("events of tcpserverd: connected");
	look_all(REASON_GAP);
	return (0);
}

/* Told now and then: a storm that we are too slow for needs no other. */
static void
gap_found(uint64_t count)
{
	static uint64_t	untold;
	static int64_t	told_ms = -GAPS_TOLD_MS;
	int64_t		now = clock_ms();

	untold = count > UINT64_MAX - untold ? UINT64_MAX : untold + count;
	if (now - told_ms >= GAPS_TOLD_MS) {
		log_info("events of tcpserverd: %" PRIu64 " lost", untold);
		told_ms = now;
		untold = 0;
	}
	look_all(REASON_GAP);
}

static int
event_lengths_ok(const struct control_event *ev, size_t len)
{
	uint64_t	sum;

	sum = (uint64_t)ev->local_name_len + ev->remote_name_len +
	    ev->info_len + ev->rule_len;
	return (sum == len && sum <= STRINGS_MAX);
}

static int
event_session(struct imsg *imsg)
{
	struct control_event	ev;

	if (imsg_get_buf(imsg, &ev, sizeof(ev)) == -1 ||
	    !event_lengths_ok(&ev, imsg_get_len(imsg)))
		return (events_wrong("an event of a wrong length"));
	if (ev.sequence <= sequence)
		return (events_wrong("an event's number is not new"));
	if (ev.kind != EVENT_CONNECT && ev.kind != EVENT_END)
		return (events_wrong("an event of unknown kind"));
	if (ev.sequence != sequence + 1)
		gap_found(ev.sequence - sequence - 1);
	sequence = ev.sequence;
	if (customer_came(&ev.remote) == -1)
		queue.strangers++;
	return (0);
}

static int
event_gap(struct imsg *imsg)
{
	struct control_gap	gap;

	if (imsg_get_data(imsg, &gap, sizeof(gap)) == -1)
		return (events_wrong("a gap of a wrong length"));
	if (gap.count == 0 || gap.first <= sequence ||
	    gap.count > UINT64_MAX - gap.first)
		return (events_wrong("a gap that can't be"));
	sequence = gap.first + gap.count - 1;
	gap_found(gap.count);
	return (0);
}

static int
events_dispatch(struct channel *ch, struct imsg *imsg)
{
	uint32_t	type = imsg_get_type(imsg);

	if (type == IMSG_CTL_REFUSED)
		return (event_refused(imsg));
	if (type == IMSG_CTL_WELCOME)
		return (event_welcome(imsg));
	if (!welcome)
		return (events_wrong("no welcome"));
	if (type == IMSG_CTL_EVENT)
		return (event_session(imsg));
	if (type == IMSG_CTL_GAP)
		return (event_gap(imsg));
	return (events_wrong("a message of unknown type"));
}

int
events_connected(void)
{
	return (events.open && welcome);
}

void
events_open(int fd)
{
	uint32_t	version = TCPSERVERD_CONTROL_VERSION;

	if (!timer_set)
		evtimer_set(&timer, events_timer, NULL);
	timer_set = 1;
	evtimer_del(&timer);
	channel_close(&events);
	welcome = 0;
	if (fd == -1)
		return;
	if (channel_init(&events, fd, events_dispatch, events_lost,
	    NULL) == -1) {
		log_warn("events of tcpserverd");
		close(fd);
		events_want_later();
		return;
	}
	timer_start(WELCOME_MS);
	(void)channel_send(&events, IMSG_CTL_HELLO, 0, -1, &version,
	    sizeof(version));
}
