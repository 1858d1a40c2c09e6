/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

/* Messages that wait for a client before its next request is heard. */
#define PEER_WAITING_MAX	64
#define PEER_PIECES_PER_TURN	64
/* So long it may take to ask, or to read a row of its answer. */
#define PEER_TIMEOUT_S		30

static void
peer_deadline(struct peer *p)
{
	struct timeval	tv = { PEER_TIMEOUT_S, 0 };

	evtimer_del(&p->deadline);
	evtimer_add(&p->deadline, &tv);
}

void
peer_turn(struct peer *p, enum peer_state state)
{
	p->state = state;
	if (state == PEER_ORDER || state == PEER_LISTENS)
		evtimer_del(&p->deadline);
	else
		peer_deadline(p);
}

void
peer_close(struct peer *p)
{
	if (p->calls->closed != NULL)
		p->calls->closed(p);
	evtimer_del(&p->deadline);
	evtimer_del(&p->again);
	channel_close(&p->ch);
	p->state = PEER_FREE;
}

static void
deadline_event(int fd, short event, void *arg)
{
	peer_close(arg);
}

/*
 * Answers
 */

int
peer_send(struct peer *p, uint32_t type, const void *data, size_t len)
{
	return (channel_send(&p->ch, type, 0, -1, data, len));
}

int
peer_row(struct peer *p, const void *row, size_t len)
{
	return (peer_send(p, IMSG_CTL_ROW, row, len));
}

size_t
row_string(char *row, size_t len, uint32_t *string_len, const char *s)
{
	size_t	n = s == NULL ? 0 : strlen(s) + 1;

	*string_len = (uint32_t)n;
	if (n > 0)
		memcpy(row + len, s, n);
	return (len + n);
}

void
peer_say(struct peer *p, const char *fmt, ...)
{
	char	line[1024];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	(void)peer_send(p, IMSG_CTL_TEXT, line, strlen(line));
}

void
peer_end(struct peer *p, int errnum)
{
	struct control_answer	answer;

	answer.error = errnum;
	peer_turn(p, PEER_IDLE);
	(void)peer_send(p, IMSG_CTL_END, &answer, sizeof(answer));
}

/* As much as it takes now, but others have their turn, too. */
static void
rows_send(struct peer *p)
{
	struct timeval	tv = { 0, 0 };
	int		i, n;

	peer_deadline(p);
	for (i = 0; i < PEER_PIECES_PER_TURN; i++) {
		if (imsgbuf_queuelen(&p->ch.ibuf) > 0)
			return;			/* until it has read that */
		if ((n = p->calls->next(p)) != 1) {
			peer_end(p, n == -1 ? errno : 0);
			return;
		}
	}
	evtimer_add(&p->again, &tv);
}

void
peer_rows(struct peer *p)
{
	peer_turn(p, PEER_ROWS);
	rows_send(p);
}

static void
again_event(int fd, short event, void *arg)
{
	struct peer	*p = arg;

	if (p->state == PEER_ROWS)
		rows_send(p);
}

static void
peer_drained(struct channel *ch)
{
	struct peer	*p = ch->arg;

	if (p->state == PEER_LISTENS && p->calls->drained != NULL)
		p->calls->drained(p);
	if (p->state == PEER_ROWS)
		rows_send(p);
}

/*
 * What it says
 */

static void
peer_refuse(struct peer *p, const char *why)
{
	peer_turn(p, PEER_GOODBYE);
	(void)peer_send(p, IMSG_CTL_REFUSED, why, strlen(why));
}

static int
hello_take(struct peer *p, struct imsg *imsg)
{
	uint32_t	theirs, ours[2] = { p->calls->version, p->kind };
	char		why[128];

	if (imsg_get_type(imsg) != IMSG_CTL_HELLO ||
	    imsg_get_buf(imsg, &theirs, sizeof(theirs)) == -1)
		return (-1);
	if (theirs != p->calls->version) {
		snprintf(why, sizeof(why), "you speak version %u of the "
		    "protocol, this daemon speaks version %u", theirs,
		    p->calls->version);
		peer_refuse(p, why);
		return (0);
	}
	peer_turn(p, PEER_IDLE);
	if (peer_send(p, IMSG_CTL_WELCOME, ours, sizeof(ours)) == -1)
		return (-1);
	if (p->calls->welcomed != NULL)
		p->calls->welcomed(p);
	return (0);
}

static int
peer_dispatch(struct channel *ch, struct imsg *imsg)
{
	struct peer	*p = ch->arg;

	switch (p->state) {
	case PEER_HELLO:
		return (hello_take(p, imsg));
	case PEER_IDLE:
		return (p->calls->request(p, imsg));
	case PEER_GOODBYE:
		return (0);
	default:
		return (-1);
	}
}

static void
peer_lost(struct channel *ch)
{
	peer_close(ch->arg);
}

void
peer_begin(struct peer *p, const struct peer_calls *calls,
    enum control_kind kind, uint32_t number, int fd)
{
	memset(p, 0, sizeof(*p));
	p->calls = calls;
	p->kind = kind;
	p->number = number;
	evtimer_set(&p->deadline, deadline_event, p);
	evtimer_set(&p->again, again_event, p);
	if (channel_init(&p->ch, fd, peer_dispatch, peer_lost, p) == -1) {
		close(fd);
		return;
	}
	p->ch.queue_max = PEER_WAITING_MAX;
	p->ch.drained = peer_drained;
	peer_turn(p, PEER_HELLO);
}

void
peer_turn_away(int fd, const char *why)
{
	struct imsgbuf	ibuf;

	if (imsgbuf_init(&ibuf, fd) == 0) {
		if (imsg_compose(&ibuf, IMSG_CTL_REFUSED, 0, 0, -1, why,
		    strlen(why)) == 1)
			(void)imsgbuf_write(&ibuf);
		imsgbuf_clear(&ibuf);
	}
	close(fd);
}
