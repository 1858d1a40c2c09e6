/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What is kept of customers over restarts: when they were seen, what they
 * got, whether the operator holds them.  A text file, written anew some
 * seconds after a change.  It is for the eyes and the back-off: a lost one
 * costs no mail.
 *
 * What the file says of a customer who is not there waits for him: he may be
 * found by the next look at the spool only.
 */
#include <sys/types.h>
#include <sys/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "books.h"
#include "queue.h"

#define STATE_NAME	"state"
#define STATE_NEW	"state.new"
#define STATE_HEAD	"autoturn-state 1\n"
#define STATE_BYTES_MAX	(256 * 1024 * 1024)
#define SAVE_DELAY_S	5
#define SAVE_RETRY_S	60
/* So long who is no customer any more is remembered. */
#define REMEMBER_S	(90 * 86400)

#define LINE_QUEUE	"queue"
#define LINE_CUSTOMER	"customer"

enum number {
	HELD,
	FAILURES,
	SEEN_AT,
	DELIVERED_AT,
	DELIVERED,
	DELIVERED_BYTES,
	RETURNED,
	TRIED_AT,
	NUMBERS
};

struct known {
	RB_ENTRY(known)	 entry;
	int64_t		 numbers[NUMBERS];
	char		*reply;
	char		 name[];
};

RB_HEAD(known_tree, known);

struct output {
	int	fd;
	size_t	used;
	char	buf[65536];
};

static struct known_tree	known = RB_INITIALIZER(&known);
static struct event		timer;
static int			due;
static int			failed;

static int
known_order(const struct known *a, const struct known *b)
{
	return (strcmp(a->name, b->name));
}

RB_PROTOTYPE(known_tree, known, entry, known_order);
RB_GENERATE(known_tree, known, entry, known_order);

static struct known *
known_find(const char *name)
{
	struct known	*k = RB_ROOT(&known);
	int		 order;

	while (k != NULL && (order = strcmp(name, k->name)) != 0)
		k = order < 0 ? RB_LEFT(k, entry) : RB_RIGHT(k, entry);
	return (k);
}

static void
known_free(struct known *k)
{
	RB_REMOVE(known_tree, &known, k);
	free(k->reply);
	free(k);
}

/* Of two by one name the later line counts. */
static void
known_add(const char *name, const int64_t *numbers, const char *reply)
{
	struct known	*k;
	size_t		 len = strlen(name) + 1;

	if ((k = known_find(name)) != NULL)
		known_free(k);
	if ((k = malloc(sizeof(*k) + len)) == NULL)
		return;
	memcpy(k->name, name, len);
	memcpy(k->numbers, numbers, sizeof(k->numbers));
	k->reply = *reply == '\0' ? NULL : strdup(reply);
	RB_INSERT(known_tree, &known, k);
}

/*
 * Writing
 */

static int
output_flush(struct output *out)
{
	size_t	at;
	ssize_t	n;

	for (at = 0; at < out->used; at += (size_t)n) {
		n = write(out->fd, out->buf + at, out->used - at);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			return (-1);
	}
	out->used = 0;
	return (0);
}

static int
output_add(struct output *out, const char *bytes, size_t len)
{
	if (len > sizeof(out->buf) - out->used && output_flush(out) == -1)
		return (-1);
	memcpy(out->buf + out->used, bytes, len);
	out->used += len;
	return (0);
}

static int
customer_line(struct output *out, const char *name, const int64_t *numbers,
    const char *reply)
{
	struct books_line	line;
	size_t			i, len;

	books_begin(&line);
	books_word(&line, LINE_CUSTOMER);
	books_word(&line, name);
	for (i = 0; i < NUMBERS; i++)
		books_number(&line, numbers[i]);
	books_word(&line, reply == NULL ? "" : reply);
	len = books_end(&line);
	return (output_add(out, line.text, len));
}

static void
customer_numbers(const struct customer *c, int64_t *numbers)
{
	numbers[HELD] = (c->flags & CUSTOMER_HELD) != 0;
	numbers[FAILURES] = c->failures;
	numbers[SEEN_AT] = (int64_t)c->seen_at;
	numbers[DELIVERED_AT] = (int64_t)c->delivered_at;
	numbers[DELIVERED] = (int64_t)c->delivered;
	numbers[DELIVERED_BYTES] = (int64_t)c->delivered_bytes;
	numbers[RETURNED] = (int64_t)c->returned;
	numbers[TRIED_AT] = (int64_t)c->tried_at;
}

static int
queue_line(struct output *out)
{
	struct books_line	line;
	size_t			len;

	books_begin(&line);
	books_word(&line, LINE_QUEUE);
	books_number(&line, queue.paused != 0);
	books_number(&line, (int64_t)time(NULL));
	len = books_end(&line);
	return (output_add(out, line.text, len));
}

static int
known_is_stale(const struct known *k, time_t now)
{
	int64_t	last = k->numbers[SEEN_AT];

	if (k->numbers[HELD])
		return (0);
	if (k->numbers[TRIED_AT] > last)
		last = k->numbers[TRIED_AT];
	return (last + REMEMBER_S < (int64_t)now);
}

static int
known_lines(struct output *out, time_t now)
{
	struct known	*k, *next;

	RB_FOREACH_SAFE(k, known_tree, &known, next) {
		if (known_is_stale(k, now))
			known_free(k);
		else if (customer_line(out, k->name, k->numbers,
		    k->reply) == -1)
			return (-1);
	}
	return (0);
}

static int
state_lines(struct output *out)
{
	struct customer	*c = NULL;
	int64_t		 numbers[NUMBERS];

	if (output_add(out, STATE_HEAD, strlen(STATE_HEAD)) == -1 ||
	    queue_line(out) == -1)
		return (-1);
	while ((c = customer_next(c)) != NULL) {
		customer_numbers(c, numbers);
		if (customer_line(out, c->name, numbers, c->reply) == -1)
			return (-1);
	}
	if (known_lines(out, time(NULL)) == -1)
		return (-1);
	return (output_flush(out));
}

static int
state_write(void)
{
	static struct output	out;
	int			error = 0;

	out.used = 0;
	out.fd = openat(queue.state_fd, STATE_NEW, O_WRONLY | O_CREAT |
	    O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out.fd == -1)
		return (-1);
	if (state_lines(&out) == -1 || fsync(out.fd) == -1)
		error = errno;
	if (close(out.fd) == -1 && error == 0)
		error = errno;
	if (error == 0 && renameat(queue.state_fd, STATE_NEW, queue.state_fd,
	    STATE_NAME) == -1)
		error = errno;
	if (error != 0)
		(void)unlinkat(queue.state_fd, STATE_NEW, 0);
	errno = error;
	return (error == 0 ? 0 : -1);
}

static void
state_tick(int fd, short event, void *arg)
{
	due = 0;
	(void)state_save();
}

static void
state_wait(int seconds)
{
	struct timeval	tv = { .tv_sec = seconds };

	if (due)
		return;
	evtimer_set(&timer, state_tick, NULL);
	if (evtimer_add(&timer, &tv) == 0)
		due = 1;
}

void
state_changed(void)
{
	state_wait(SAVE_DELAY_S);
}

int
state_save(void)
{
	if (due)
		evtimer_del(&timer);
	due = 0;
	if (state_write() == -1) {
		if (!failed)
			log_warn("unable to write %s/%s; tried again each %d "
			    "seconds", queue.spool.state_path, STATE_NAME,
			    SAVE_RETRY_S);
		failed = 1;
		state_wait(SAVE_RETRY_S);
		return (-1);
	}
	failed = 0;
	return (0);
}

/*
 * Reading
 */

static int
words_customer(const struct books_words *words)
{
	int64_t	numbers[NUMBERS];
	size_t	i;

	if (words->count != NUMBERS + 3 ||
	    strlen(words->word[1]) >= CUSTOMER_NAME_SIZE)
		return (-1);
	for (i = 0; i < NUMBERS; i++) {
		if (books_value(words->word[i + 2], &numbers[i]) == -1)
			return (-1);
	}
	known_add(words->word[1], numbers, words->word[NUMBERS + 2]);
	return (0);
}

static int
words_queue(const struct books_words *words)
{
	int64_t	paused;

	if (words->count != 3 || books_value(words->word[1], &paused) == -1)
		return (-1);
	queue.paused = paused != 0;
	return (0);
}

static int
line_take(char *line)
{
	struct books_words	words;

	if (books_read(line, &words) == -1 || words.count == 0)
		return (-1);
	if (strcmp(words.word[0], LINE_CUSTOMER) == 0)
		return (words_customer(&words));
	if (strcmp(words.word[0], LINE_QUEUE) == 0)
		return (words_queue(&words));
	return (-1);
}

/* How many lines make no sense. */
static size_t
state_parse(char *text)
{
	char	*line;
	size_t	 bad = 0;

	if (strncmp(text, STATE_HEAD, strlen(STATE_HEAD)) != 0)
		return (1);
	text += strlen(STATE_HEAD);
	while ((line = strsep(&text, "\n")) != NULL)
		if (*line != '\0' && line_take(line) == -1)
			bad++;
	return (bad);
}

int
state_open(void)
{
	struct customer	*c = NULL;
	char		*text;
	size_t		 bad, len;

	if (books_load(queue.state_fd, STATE_NAME, STATE_BYTES_MAX, &text,
	    &len) == -1) {
		if (errno == ENOENT)
			return (0);
		log_warn("unable to read %s/%s: what is known of customers "
		    "begins anew", queue.spool.state_path, STATE_NAME);
		return (-1);
	}
	if ((bad = state_parse(text)) > 0)
		log_warnx("%s/%s: %zu line%s made no sense",
		    queue.spool.state_path, STATE_NAME, bad,
		    bad == 1 ? "" : "s");
	free(text);
	while ((c = customer_next(c)) != NULL)
		state_apply(c);
	return (0);
}

/*
 * Customers
 */

void
state_apply(struct customer *c)
{
	struct known	*k;

	if ((k = known_find(c->name)) == NULL)
		return;
	if (k->numbers[HELD])
		c->flags |= CUSTOMER_HELD;
	c->failures = (uint32_t)k->numbers[FAILURES];
	c->seen_at = (time_t)k->numbers[SEEN_AT];
	c->delivered_at = (time_t)k->numbers[DELIVERED_AT];
	c->delivered = (uint64_t)k->numbers[DELIVERED];
	c->delivered_bytes = (uint64_t)k->numbers[DELIVERED_BYTES];
	c->returned = (uint64_t)k->numbers[RETURNED];
	c->tried_at = (time_t)k->numbers[TRIED_AT];
	free(c->reply);
	c->reply = k->reply;
	k->reply = NULL;
	known_free(k);
}

void
state_keep(const struct customer *c)
{
	int64_t	numbers[NUMBERS];

	customer_numbers(c, numbers);
	known_add(c->name, numbers, c->reply == NULL ? "" : c->reply);
	state_changed();
}
