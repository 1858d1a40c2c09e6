/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The relay's runs: one connection each, a delivery that speaks on it, and
 * the messages that wait for it.
 *
 * Each run has so much of a turn of the loop as RUN_TURN_BYTES tells, then
 * the others have theirs.  A run whose queue does not read what it is told
 * neither reads nor writes until it does.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delivery.h"
#include "message.h"
#include "qmtp.h"
#include "relay.h"
#include "smtp.h"

#define RUN_TURN_BYTES	(256 * 1024)
#define READ_SIZE	16384
#define LAST_READS	4		/* of a connection that takes nothing */

/* A message, as the queue gave it; once it was looked at with its envelope. */
struct relay_message {
	TAILQ_ENTRY(relay_message)	 entry;
	uint64_t			 number;
	int				 fd;
	uint64_t			 size;		/* once it was given */
	char				*text;		/* the addresses */
	const char			*sender;
	const char			**recipients;
	size_t				 nrecipients;
};

TAILQ_HEAD(relay_messages, relay_message);

struct relay_run {
	RB_ENTRY(relay_run)	 entry;
	struct relay_queue	*queue;
	struct run_order	 order;
	struct smtp_config	 smtp;
	struct delivery		*delivery;
	int			 fd;
	struct event		 ev;
	short			 events;	/* that ev waits for */
	struct event		 timer;
	struct relay_messages	 waiting;
	struct relay_messages	 given;		/* to the delivery */
	uint32_t		 open;		/* of both */
	uint64_t		 given_bytes;
	int64_t			 told_ms;	/* the last result */
	uint64_t		 last;		/* number we were given */
	int			 finishing;	/* there are no more */
	int			 finished;	/* the delivery knows */
	int			 write_error;
	int			 ended;
};

int64_t	relay_stall_ms = 30 * 60 * 1000;

/* What is read of a message; only one is looked at at a time. */
static struct message_file	file;

static int
run_compare(struct relay_run *a, struct relay_run *b)
{
	return (a->order.run < b->order.run ? -1 :
	    a->order.run > b->order.run);
}

RB_PROTOTYPE(relay_runs, relay_run, entry, run_compare)
RB_GENERATE(relay_runs, relay_run, entry, run_compare)

static struct relay_run *
run_find(struct relay_queue *q, uint64_t number)
{
	struct relay_run	key;

	key.order.run = number;
	return (RB_FIND(relay_runs, &q->runs, &key));
}

static void
message_free(struct relay_run *run, struct relay_messages *list,
    struct relay_message *m)
{
	TAILQ_REMOVE(list, m, entry);
	run->open--;
	run->given_bytes -= m->size;
	if (m->fd != -1)
		close(m->fd);
	free(m->recipients);
	free(m->text);
	free(m);
}

static void
messages_free(struct relay_run *run, struct relay_messages *list)
{
	struct relay_message	*m;

	while ((m = TAILQ_FIRST(list)) != NULL)
		message_free(run, list, m);
}

static void
run_free(struct relay_run *run)
{
	if (run->events != 0)
		event_del(&run->ev);
	evtimer_del(&run->timer);
	messages_free(run, &run->waiting);
	messages_free(run, &run->given);
	delivery_free(run->delivery);
	if (run->fd != -1)
		close(run->fd);
	RB_REMOVE(relay_runs, &run->queue->runs, run);
	run->queue->running--;
	free(run);
}

/*
 * What the queue is told
 */

static void
queue_tell(struct relay_queue *q, uint32_t type, const void *data, size_t len)
{
	/* No memory: the channel ends, and with it all runs. */
	(void)channel_send(&q->ch, type, 0, -1, data, len);
	queue_told(q);
}

static void
result_tell(struct relay_run *run, const struct relay_message *m,
    const struct delivery_event *event, const char *text)
{
	static char		buf[sizeof(struct run_result) + TEXT_SIZE];
	struct run_result	result;

	memset(&result, 0, sizeof(result));
	result.run = run->order.run;
	result.number = m->number;
	result.code = event->code;
	result.status = (uint32_t)event->status;
	result.said = event->said != 0;
	result.text_len = (uint32_t)strlen(text);
	(void)strlcpy(result.enhanced, event->enhanced,
	    sizeof(result.enhanced));
	memcpy(buf, &result, sizeof(result));
	memcpy(buf + sizeof(result), text, result.text_len);
	run->told_ms = clock_ms();
	queue_tell(run->queue, IMSG_RUN_RESULT, buf,
	    sizeof(result) + result.text_len);
}

static void
end_tell(struct relay_queue *q, const struct run_order *order,
    uint64_t last, const struct delivery_event *event)
{
	static char	buf[sizeof(struct run_end) + TEXT_SIZE];
	struct run_end	end;
	char		text[TEXT_SIZE];

	(void)delivery_event_text(text, sizeof(text), order->peer, event);
	memset(&end, 0, sizeof(end));
	end.run = order->run;
	end.last = last;
	end.status = (uint32_t)event->status;
	end.said = event->said != 0;
	end.code = event->code;
	end.text_len = (uint32_t)strlen(text);
	memcpy(buf, &end, sizeof(end));
	memcpy(buf + sizeof(end), text, end.text_len);
	queue_tell(q, IMSG_RUN_END, buf, sizeof(end) + end.text_len);
}

/* Our own finding about a message, which the delivery never sees. */
static void
message_judge(struct relay_run *run, struct relay_message *m, int status,
    const char *enhanced, const char *why)
{
	struct delivery_event	event;
	char			text[TEXT_SIZE];

	memset(&event, 0, sizeof(event));
	event.status = status;
	event.enhanced = enhanced;
	event.text = why;
	(void)delivery_event_text(text, sizeof(text), "", &event);
	result_tell(run, m, &event, text);
	message_free(run, &run->waiting, m);
}

/*
 * A text about some of the recipients names them: who is not named would not
 * be reported.  Where it is too long it is told of all.
 */
static void
message_result(struct relay_run *run, struct relay_message *m,
    const struct delivery_event *event)
{
	char	text[TEXT_SIZE];

	if (!delivery_event_text(text, sizeof(text), run->order.peer, event) &&
	    m->nrecipients > 1)
		(void)snprintf(text, sizeof(text), "%s refused some of the %zu "
		    "recipients; what it said is too long to be told",
		    run->order.peer, m->nrecipients);
	result_tell(run, m, event, text);
	message_free(run, &run->given, m);
}

/* The queue need not fear that it arrives twice. */
static void
message_untried(struct relay_run *run, struct relay_messages *list,
    struct relay_message *m)
{
	struct delivery_event	event;

	memset(&event, 0, sizeof(event));
	event.status = RUN_UNTRIED;
	event.enhanced = "";
	result_tell(run, m, &event, "");
	message_free(run, list, m);
}

/*
 * A QMTP server may have all of it, SMTP's has not: of that nothing is said,
 * so that the queue takes it for sent and not answered.
 */
static void
message_unanswered(struct relay_run *run, struct relay_message *m)
{
	if (run->order.protocol == PROTOCOL_QMTP)
		message_free(run, &run->given, m);
	else
		message_untried(run, &run->given, m);
}

static void
run_ended(struct relay_run *run, const struct delivery_event *event)
{
	struct relay_message	*m;

	run->ended = 1;
	while ((m = TAILQ_FIRST(&run->waiting)) != NULL)
		message_untried(run, &run->waiting, m);
	end_tell(run->queue, &run->order, run->last, event);
}

static void
events_take(struct relay_run *run)
{
	struct delivery_event	event;

	while (delivery_event(run->delivery, &event)) {
		switch (event.what) {
		case DELIVERY_RESULT:
			message_result(run, event.cookie, &event);
			break;
		case DELIVERY_UNTRIED:
			message_unanswered(run, event.cookie);
			break;
		case DELIVERY_END:
			run_ended(run, &event);
			break;
		}
	}
}

/*
 * Messages
 */

/* The queue opened it, but who knows what it is. */
static const char *
descriptor_wrong(int fd, const struct stat *st)
{
	int	flags;

	if (!S_ISREG(st->st_mode))
		return ("it is no regular file");
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    (flags & O_ACCMODE) == O_WRONLY)
		return ("it is not open for reading");
	if (st->st_size > RELAY_MESSAGE_BYTES_MAX)
		return ("it is larger than a gigabyte");
	return (NULL);
}

/* Addresses live as long as the message; the file's do until the next one. */
static int
message_keep(struct relay_message *m, const struct head *head)
{
	size_t	i, len = strlen(head->sender) + 1;
	char	*p;

	for (i = 0; i < head->nrecipients; i++)
		len += strlen(head->recipients[i]) + 1;
	m->recipients = calloc(head->nrecipients, sizeof(*m->recipients));
	if (m->recipients == NULL || (m->text = malloc(len)) == NULL)
		return (-1);
	m->sender = m->text;
	p = stpcpy(m->text, head->sender) + 1;
	for (i = 0; i < head->nrecipients; i++) {
		m->recipients[i] = p;
		p = stpcpy(p, head->recipients[i]) + 1;
	}
	m->nrecipients = head->nrecipients;
	return (0);
}

static void
message_deliver(struct relay_run *run, struct relay_message *m)
{
	struct delivery_message	message;

	memset(&message, 0, sizeof(message));
	message.sender = m->sender;
	message.recipients = m->recipients;
	message.nrecipients = m->nrecipients;
	message.fd = m->fd;
	message.start = (off_t)file.head.body;
	message.len = file.st.st_size > message.start ?
	    file.st.st_size - message.start : 0;
	message.cookie = m;
	TAILQ_REMOVE(&run->waiting, m, entry);
	TAILQ_INSERT_TAIL(&run->given, m, entry);
	m->size = (uint64_t)message.len;
	run->given_bytes += m->size;
	delivery_give(run->delivery, &message, clock_ms());
}

static void
message_unread(struct relay_run *run, struct relay_message *m,
    const char *why)
{
	char	text[256];

	(void)snprintf(text, sizeof(text), "unable to read the message: %s",
	    why);
	message_judge(run, m, DELIVERY_TEMPORARY, "4.3.0", text);
}

static void
message_other(struct relay_run *run, struct relay_message *m)
{
	char	text[PREFIX_SIZE + 64];

	(void)snprintf(text, sizeof(text), "its recipient does not begin "
	    "with %s", run->order.prefix);
	message_judge(run, m, RUN_QUARANTINE, "", text);
}

static void
message_hopped(struct relay_run *run, struct relay_message *m, int hops)
{
	char	text[96];

	(void)snprintf(text, sizeof(text), "too many hops: it has %d Received "
	    "lines, %u are allowed", hops, run->order.hops_max);
	message_judge(run, m, DELIVERY_PERMANENT, "5.4.6", text);
}

/* Its envelope is fine: is it to be sent? */
static void
message_try(struct relay_run *run, struct relay_message *m)
{
	int	hops;

	if ((hops = message_hops(m->fd, (off_t)file.head.body)) == -1)
		message_unread(run, m, ucspi_strerror(errno));
	else if ((uint32_t)hops > run->order.hops_max)
		message_hopped(run, m, hops);
	else if (message_keep(m, &file.head) == -1)
		message_unread(run, m, ucspi_strerror(ENOMEM));
	else
		message_deliver(run, m);
}

/* The delivery gets it, or it has its answer. */
static void
message_begin(struct relay_run *run, struct relay_message *m)
{
	const char	*wrong;

	if (fstat(m->fd, &file.st) == -1) {
		message_unread(run, m, ucspi_strerror(errno));
		return;
	}
	if ((wrong = descriptor_wrong(m->fd, &file.st)) != NULL) {
		message_judge(run, m, RUN_QUARANTINE, "", wrong);
		return;
	}
	if (message_read(&file, m->fd, run->order.prefix) == -1) {
		message_unread(run, m, file.why);
		return;
	}
	switch (file.verdict) {
	case HEAD_OK:
		message_try(run, m);
		break;
	case HEAD_OTHER:
		message_other(run, m);
		break;
	case HEAD_BAD:
		message_judge(run, m, RUN_QUARANTINE, "", file.head.why);
		break;
	}
}

/* 1 if there was something to give or to tell: there may be output now. */
static int
messages_give(struct relay_run *run)
{
	struct relay_message	*m;
	int			 given = 0;

	while (!run->ended && delivery_wants(run->delivery) &&
	    (m = TAILQ_FIRST(&run->waiting)) != NULL) {
		message_begin(run, m);
		events_take(run);
		given = 1;
	}
	if (!run->ended && run->finishing && !run->finished &&
	    TAILQ_EMPTY(&run->waiting)) {
		run->finished = given = 1;
		delivery_finish(run->delivery, clock_ms());
	}
	return (given);
}

/*
 * The connection
 */

static void	run_event(int, short, void *);

static void
run_watch(struct relay_run *run, short events)
{
	if (run->events == events)
		return;
	if (run->events != 0)
		event_del(&run->ev);
	run->events = events;
	if (events == 0)
		return;
	event_set(&run->ev, run->fd, events | EV_PERSIST, run_event, run);
	if (event_add(&run->ev, NULL) == -1)
		fatalx("event_add");
}

/*
 * A server that takes or says a byte now and then meets each deadline of the
 * protocol for ever, in a place that others wait for.
 */
static int64_t
run_stalls_ms(const struct relay_run *run)
{
	return (run->told_ms + relay_stall_ms +
	    (int64_t)(run->given_bytes / RELAY_RATE_BYTES) * 1000);
}

static void
run_clock(struct relay_run *run)
{
	int64_t		deadline_ms = delivery_deadline(run->delivery);
	int64_t		left_ms, stalls_ms = run_stalls_ms(run);
	struct timeval	tv;

	evtimer_del(&run->timer);
	if (deadline_ms == -1 || deadline_ms > stalls_ms)
		deadline_ms = stalls_ms;
	left_ms = deadline_ms - clock_ms();
	if (left_ms < 0)
		left_ms = 0;
	tv.tv_sec = left_ms / 1000;
	tv.tv_usec = left_ms % 1000 * 1000 + 999;
	evtimer_add(&run->timer, &tv);
}

/*
 * Sends what there is, as much as this turn has; gives messages as they are
 * asked for meanwhile.  Returns 1 if there is more to send.
 */
static int
run_send(struct relay_run *run)
{
	const char	*data;
	size_t		 len, sent = 0;
	ssize_t		 n;

	while (!run->ended && run->write_error == 0) {
		/*
		 * First: a text and the next envelope leave together, or a
		 * server's answers to both wait for each other (RFC 896).
		 */
		(void)messages_give(run);
		len = delivery_output(run->delivery, &data);
		events_take(run);
		if (messages_give(run))
			continue;
		if (len == 0 || run->ended)
			return (0);
		if (sent >= RUN_TURN_BYTES)
			return (1);
		n = send(run->fd, data, len, MSG_NOSIGNAL);
		if (n >= 0) {
			delivery_sent(run->delivery, (size_t)n, clock_ms());
			sent += (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK ||
		    errno == ENOBUFS)
			return (1);
		else if (errno != EINTR)
			run->write_error = errno;
	}
	return (0);
}

/* -1: there is nothing more to be had now, or ever. */
static int
run_read(struct relay_run *run)
{
	char	buf[READ_SIZE];
	ssize_t	n;

	n = read(run->fd, buf, sizeof(buf));
	if (n > 0)
		delivery_receive(run->delivery, buf, (size_t)n, clock_ms());
	else if (n == 0)
		delivery_lost(run->delivery, run->write_error);
	else if (errno == EAGAIN || errno == EWOULDBLOCK)
		return (-1);
	else if (errno != EINTR)
		delivery_lost(run->delivery, errno);
	events_take(run);
	return (n > 0 && !run->ended ? 0 : -1);
}

/* A server that has closed its side may have said why. */
static void
run_last_words(struct relay_run *run)
{
	int	i;

	for (i = 0; i < LAST_READS && run_read(run) == 0; i++)
		continue;
	if (!run->ended) {
		delivery_lost(run->delivery, run->write_error);
		events_take(run);
	}
}

/*
 * Goes on as far as it can.  The run may be gone afterwards.
 */
static void
run_step(struct relay_run *run)
{
	int	more = 0;

	if (!run->ended && queue_crowded(run->queue)) {
		evtimer_del(&run->timer);
		run_watch(run, 0);
		return;
	}
	if (!run->ended)
		more = run_send(run);
	if (!run->ended && run->write_error != 0)
		run_last_words(run);
	if (run->ended) {
		run_free(run);
		return;
	}
	run_watch(run, more ? EV_READ | EV_WRITE : EV_READ);
	run_clock(run);
}

static void
run_event(int fd, short what, void *arg)
{
	struct relay_run	*run = arg;

	if (what & EV_READ)
		(void)run_read(run);
	run_step(run);
}

static void
run_timeout(int fd, short what, void *arg)
{
	struct relay_run	*run = arg;

	if (clock_ms() >= run_stalls_ms(run))
		delivery_lost(run->delivery, ETIMEDOUT);
	else
		delivery_expire(run->delivery, clock_ms());
	events_take(run);
	run_step(run);
}

/*
 * Runs
 */

static struct delivery *
delivery_begin(struct relay_run *run)
{
	if (run->order.protocol == PROTOCOL_QMTP)
		return (qmtp_new(NULL, clock_ms()));
	run->smtp.hello = run->order.helo;
	return (smtp_new(&run->smtp, clock_ms()));
}

/* There is no connection to speak of. */
static void
run_refuse(struct relay_queue *q, const struct run_order *order,
    const char *why)
{
	struct delivery_event	event;

	memset(&event, 0, sizeof(event));
	event.status = DELIVERY_TEMPORARY;
	event.enhanced = "";
	event.text = why;
	end_tell(q, order, 0, &event);
}

static struct relay_run *
run_new(struct relay_queue *q, const struct run_order *order, int fd)
{
	struct relay_run	*run;
	int			 flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    (run = calloc(1, sizeof(*run))) == NULL)
		return (NULL);
	run->order = *order;
	if ((run->delivery = delivery_begin(run)) == NULL) {
		free(run);
		return (NULL);
	}
	run->queue = q;
	run->fd = fd;
	run->told_ms = clock_ms();
	TAILQ_INIT(&run->waiting);
	TAILQ_INIT(&run->given);
	evtimer_set(&run->timer, run_timeout, run);
	RB_INSERT(relay_runs, &q->runs, run);
	q->running++;
	return (run);
}

int
relay_run_begin(struct relay_queue *q, const struct run_order *order, int fd)
{
	struct relay_run	*run;

	if (run_find(q, order->run) != NULL || q->running >= CONCURRENCY_MAX)
		return (-1);
	if (fd == -1) {
		relay_short();
		run_refuse(q, order, "the relay is out of descriptors");
		return (0);
	}
	if ((run = run_new(q, order, fd)) == NULL) {
		run_refuse(q, order, ucspi_strerror(errno));
		close(fd);
		return (0);
	}
	queue_tell(q, IMSG_RUN_STARTED, &order->run, sizeof(order->run));
	run_step(run);
	return (0);
}

static struct relay_message *
message_new(struct relay_run *run, uint64_t number, int fd)
{
	struct relay_message	*m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	m->number = number;
	m->fd = fd;
	if (number > run->last)
		run->last = number;
	TAILQ_INSERT_TAIL(&run->waiting, m, entry);
	run->open++;
	return (m);
}

int
run_message(struct relay_queue *q, const struct run_message *message, int fd)
{
	struct relay_run	*run = run_find(q, message->run);
	struct relay_message	*m;

	if (run == NULL) {
		if (fd != -1)
			close(fd);
		return (0);
	}
	if (run->open >= WINDOW_MAX || run->finishing ||
	    (m = message_new(run, message->number, fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return (-1);
	}
	if (fd == -1) {
		relay_short();
		message_judge(run, m, DELIVERY_TEMPORARY, "4.3.0",
		    "the relay is out of descriptors");
		return (0);
	}
	/* Else the delivery asks for it when it can. */
	if (delivery_wants(run->delivery))
		run_step(run);
	return (0);
}

void
run_finish(struct relay_queue *q, uint64_t number)
{
	struct relay_run	*run;

	if ((run = run_find(q, number)) == NULL)
		return;
	run->finishing = 1;
	run_step(run);
}

void
relay_run_abort(struct relay_queue *q, uint64_t number)
{
	struct relay_run	*run;

	if ((run = run_find(q, number)) == NULL)
		return;
	delivery_lost(run->delivery, ECANCELED);
	events_take(run);
	run_step(run);
}

void
runs_end(struct relay_queue *q)
{
	struct relay_run	*run;

	while ((run = RB_MIN(relay_runs, &q->runs)) != NULL)
		run_free(run);
}

/* Each may fill the queue again. */
void
runs_resume(struct relay_queue *q)
{
	struct relay_run	*run, *next;

	for (run = RB_MIN(relay_runs, &q->runs); run != NULL; run = next) {
		next = RB_NEXT(relay_runs, &q->runs, run);
		if (run->events == 0)
			run_step(run);
	}
}
