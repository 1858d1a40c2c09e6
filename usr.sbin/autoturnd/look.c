/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What waits in the Maildirs.  Each is looked at in its turn, all of them
 * once in scan_s, evenly spread: nothing else is relied on, neither pokes,
 * which get lost, nor watches, which are few, and deaf on NFS.  A look is
 * two calls of fstatat(2); what the directories hold is read when their
 * times have changed, or a message has come of age.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"

#define SETTLED_MS	2000	/* file systems' times are as coarse as that */
#define GRAIN_MAX_MS	1000	/* of the scan */
#define GRAIN_MIN_MS	10
#define TICK_LOOKS_MAX	64
#define ALL_GAP_MS	5000	/* between the beginnings of two look_all() */

struct watched {
	TAILQ_ENTRY(watched)	 entry;
	struct customer		*customer;
};

TAILQ_HEAD(watched_list, watched);

/* What is found in a Maildir. */
struct sum {
	const struct customer	*customer;
	uint64_t		 count;
	uint64_t		 bytes;
	time_t			 oldest;
	time_t			 expiry_at;
};

/* The rotating scan: done of total since began_ms; next is looked at next. */
static struct {
	int64_t		 began_ms;
	uint64_t	 total;
	uint64_t	 done;
	struct customer	*next;
} scan;

/* look_all(): on its way while running, again at again_ms unless 0. */
static struct {
	int		 running;
	enum reason	 reason;
	struct customer	*next;
	int64_t		 began_ms;
	int64_t		 again_ms;
	enum reason	 again;
} all;

static int64_t			ticked_ms;	/* the last look_tick() */
static struct watched_list	watched = TAILQ_HEAD_INITIALIZER(watched);
static int			watched_count;
static int			watched_max;	/* none before look_init() */
static struct event		timer;
static int			timer_set;

static void	look_arm(void);

/*
 * One Maildir
 */

static int
timespec_same(const struct timespec *a, const struct timespec *b)
{
	return (a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec);
}

static int
subdirectory_mtime(const struct customer *c, const char *sub,
    struct timespec *mtime)
{
	struct stat	st;
	char		path[MAILDIR_NAME_SIZE + 8];

	snprintf(path, sizeof(path), "%s/%s", c->maildir, sub);
	memset(mtime, 0, sizeof(*mtime));
	if (fstatat(queue.spool_fd, path, &st, 0) == -1)
		return (-1);
	*mtime = st.st_mtim;
	return (0);
}

static void
trouble_tell(struct customer *c)
{
	if ((c->flags & CUSTOMER_TROUBLE) == 0)
		log_warn("customer %s: Maildir %s/%s", c->name,
		    queue.spool.path, c->maildir);
	c->flags |= CUSTOMER_TROUBLE;
	c->flags &= ~CUSTOMER_SETTLED;
}

static void
expiry_note(struct sum *sum, time_t mtime, uint64_t age_s)
{
	time_t	at;

	if (age_s == 0 || age_s > INT32_MAX)
		return;
	at = mtime + (time_t)age_s;
	if (sum->expiry_at == 0 || at < sum->expiry_at)
		sum->expiry_at = at;
}

static int
sum_file(void *arg, const char *name, const struct stat *st)
{
	struct sum			*sum = arg;
	const struct customer		*c = sum->customer;
	const struct delivery_settings	*d = c->delivery;

	sum->count++;
	sum->bytes += (uint64_t)st->st_size;
	if (sum->oldest == 0 || st->st_mtime < sum->oldest)
		sum->oldest = st->st_mtime;
	if (return_pending(c, name))
		return (0);
	expiry_note(sum, st->st_mtime, d->lifetime_s);
	if (d->warn_s > 0 && !journal_is_warned(c->maildir, name, st))
		expiry_note(sum, st->st_mtime, d->warn_s);
	return (0);
}

static void
sum_unusable(void *arg, const char *name, const char *why)
{
	struct sum	*sum = arg;

	message_unusable(sum->customer->maildir, name, why);
}

static void
quarantine_count(const struct quarantine_entry *entry, void *arg)
{
	uint64_t	*n = arg;

	(*n)++;
}

static int
contents_read(struct customer *c)
{
	struct sum	sum = { .customer = c };
	uint64_t	quarantined = 0;
	int		fd, n;

	fd = openat(queue.spool_fd, c->maildir,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	n = maildir_walk(fd, sum_file, sum_unusable, &sum);
	close(fd);
	if (n == -1)
		return (-1);
	c->waiting = sum.count;
	c->bytes = sum.bytes;
	c->oldest = sum.oldest;
	c->expiry_at = sum.expiry_at;
	if (quarantine_walk(c, quarantine_count, &quarantined) == 0)
		c->quarantined = quarantined;
	return (0);
}

static int
expiry_due(const struct customer *c)
{
	return (c->expiry_at != 0 && age_now() >= c->expiry_at);
}

/*
 * Are the times those of the last reading, and was that long enough after
 * they had become so?  Then nothing can have come since: a second change
 * within the file system's smallest unit of time would have been seen by
 * that reading.  No clock is asked that could jump.
 */
static int
contents_known(struct customer *c, const struct timespec *new_mtime,
    const struct timespec *cur_mtime, int64_t now)
{
	int	same;

	same = timespec_same(new_mtime, &c->new_mtime) &&
	    timespec_same(cur_mtime, &c->cur_mtime);
	if (same && (c->flags & CUSTOMER_SETTLED))
		return (1);
	if (same && now - c->read_ms >= SETTLED_MS)
		c->flags |= CUSTOMER_SETTLED;
	if (!same) {
		c->flags &= ~CUSTOMER_SETTLED;
		c->read_ms = now;
		c->new_mtime = *new_mtime;
		c->cur_mtime = *cur_mtime;
	}
	return (0);
}

int
customer_look(struct customer *c)
{
	struct timespec	new_mtime, cur_mtime;

	if (c->flags & CUSTOMER_GONE)
		return (0);
	if (subdirectory_mtime(c, "new", &new_mtime) == -1) {
		trouble_tell(c);
		return (0);
	}
	(void)subdirectory_mtime(c, "cur", &cur_mtime);
	c->looked_at = time(NULL);
	if (contents_known(c, &new_mtime, &cur_mtime, clock_ms()) &&
	    !expiry_due(c))
		return (c->waiting > 0);
	if (contents_read(c) == -1) {
		trouble_tell(c);
		return (0);
	}
	c->flags &= ~CUSTOMER_TROUBLE;
	if (expiry_due(c))
		(void)run_expire(c);
	return (c->waiting > 0);
}

/*
 * Watches, for those who showed up last
 */

static void
watched_remove(struct watched *w)
{
	TAILQ_REMOVE(&watched, w, entry);
	watched_count--;
	watch_remove(w->customer->name);
	w->customer->watched = NULL;
	free(w);
}

static void
watched_trim(int max)
{
	while (watched_count > max)
		watched_remove(TAILQ_LAST(&watched, watched_list));
}

/* NULL: this one can't be; and none more where the system has no more. */
static struct watched *
watched_new(struct customer *c)
{
	struct watched	*w;

	if ((w = malloc(sizeof(*w))) == NULL)
		return (NULL);
	if (watch_add(c->name, c->maildir) == -1) {
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
			log_warnx("%d Maildirs are watched: the system gives "
			    "no more", watched_count);
			watched_max = watched_count;
		}
		free(w);
		return (NULL);
	}
	w->customer = c;
	c->watched = w;
	watched_count++;
	return (w);
}

void
look_seen(struct customer *c)
{
	struct watched	*w = c->watched;

	if (w != NULL)
		TAILQ_REMOVE(&watched, w, entry);
	else {
		if (watched_max <= 0)
			return;
		watched_trim(watched_max - 1);
		if ((w = watched_new(c)) == NULL)
			return;
	}
	TAILQ_INSERT_HEAD(&watched, w, entry);
}

/*
 * Who was never seen is watched too while there is room; a Maildir that was
 * made anew needs another watch.
 */
static void
watched_fill(struct customer *c)
{
	struct watched	*w;

	if (c->watched != NULL && !watch_holds(c->name))
		watched_remove(c->watched);
	if (c->watched == NULL && watched_count < watched_max &&
	    (w = watched_new(c)) != NULL)
		TAILQ_INSERT_TAIL(&watched, w, entry);
}

void
look_watched(const char *name)
{
	struct customer	*c;

	if ((c = customer_find(name)) != NULL)
		customer_trigger(c, REASON_MAIL);
}

static int
seen_order(const void *one, const void *other)
{
	struct customer *const	*a = one, *const *b = other;

	if ((*a)->seen_at != (*b)->seen_at)
		return ((*a)->seen_at < (*b)->seen_at ? -1 : 1);
	return (strcmp((*a)->name, (*b)->name));
}

static uint64_t
customers_count(void)
{
	struct customer	*c;
	uint64_t	 n = 0;

	for (c = customer_next(NULL); c != NULL; c = customer_next(c))
		n++;
	return (n);
}

/* As the state file remembers: the last come last, so are watched. */
static void
watched_begin(void)
{
	struct customer	*c, **seen;
	size_t		 n = 0, i;

	if ((seen = calloc(customers_count() + 1, sizeof(*seen))) == NULL)
		return;
	for (c = customer_next(NULL); c != NULL; c = customer_next(c))
		if (c->seen_at != 0)
			seen[n++] = c;
	qsort(seen, n, sizeof(*seen), seen_order);
	i = n > (size_t)watched_max ? n - (size_t)watched_max : 0;
	for (; i < n; i++)
		look_seen(seen[i]);
	free(seen);
}

void
look_forget(struct customer *c)
{
	if (c->watched != NULL)
		watched_remove(c->watched);
	if (scan.next == c)
		scan.next = customer_next(c);
	if (all.next == c)
		all.next = customer_next(c);
}

/*
 * All of them, in their turn
 */

static void
look_turn(struct customer *c, enum reason reason)
{
	watched_fill(c);
	if (customer_look(c))
		customer_trigger(c, reason);
}

static int64_t
scan_ms(void)
{
	int64_t	s = (int64_t)queue.spool.scan_s;

	return ((s < 1 ? 1 : s > 86400 ? 86400 : s) * 1000);
}

static void
scan_begin(int64_t now)
{
	customers_look();
	scan.began_ms = now;
	scan.total = customers_count();
	scan.done = 0;
	scan.next = customer_next(NULL);
}

/* How many should have been looked at by now. */
static uint64_t
scan_target(int64_t now)
{
	int64_t	passed = now - scan.began_ms;

	if (passed >= scan_ms())
		return (UINT64_MAX);
	return (scan.total * (uint64_t)passed / (uint64_t)scan_ms());
}

static void
scan_tick(int64_t now)
{
	struct customer	*c;
	int		 n = 0;

	if (scan.next == NULL && now - scan.began_ms >= scan_ms())
		scan_begin(now);
	while ((c = scan.next) != NULL && n++ < TICK_LOOKS_MAX &&
	    scan.done < scan_target(now)) {
		scan.next = customer_next(c);
		scan.done++;
		look_turn(c, REASON_SCAN);
	}
}

static int64_t
scan_grain(void)
{
	int64_t	ms = scan_ms() / 64;

	if (ms > GRAIN_MAX_MS)
		return (GRAIN_MAX_MS);
	return (ms < GRAIN_MIN_MS ? GRAIN_MIN_MS : ms);
}

/*
 * When the next one's turn is, but not for each one alone; by the last tick,
 * since who asks often must not put it off.
 */
static int64_t
scan_next(void)
{
	int64_t	at = scan.began_ms + scan_ms();

	if (scan.next != NULL && scan.total > 0)
		at = scan.began_ms + (int64_t)((scan.done + 1) *
		    (uint64_t)scan_ms() / scan.total) + 1;
	if (at <= ticked_ms)		/* late: no rest until it is done */
		return (ticked_ms + GRAIN_MIN_MS);
	return (at < ticked_ms + scan_grain() ? ticked_ms + scan_grain() : at);
}

static void
all_begin(int64_t now)
{
	all.running = 1;
	all.reason = all.again;
	all.again = REASON_NONE;
	all.again_ms = 0;
	all.began_ms = now;
	customers_look();
	all.next = customer_next(NULL);
}

static void
all_tick(int64_t now)
{
	struct customer	*c;
	int		 n = 0;

	if (!all.running && all.again != REASON_NONE && now >= all.again_ms)
		all_begin(now);
	if (!all.running)
		return;
	while ((c = all.next) != NULL && n++ < TICK_LOOKS_MAX) {
		all.next = customer_next(c);
		look_turn(c, all.reason);
	}
	all.running = all.next != NULL;
}

void
look_all(enum reason reason)
{
	int64_t	now = clock_ms(), at = now;

	if (all.began_ms != 0 && at < all.began_ms + ALL_GAP_MS)
		at = all.began_ms + ALL_GAP_MS;
	if (all.again == REASON_NONE)
		all.again_ms = at;
	if (reason > all.again)
		all.again = reason;
	look_arm();
}

void
look_tick(int64_t now)
{
	ticked_ms = now;
	all_tick(now);
	scan_tick(now);
}

int64_t
look_next(void)
{
	int64_t	at = scan_next(), other = at;

	if (all.running)
		other = ticked_ms + GRAIN_MIN_MS;
	else if (all.again != REASON_NONE)
		other = all.again_ms;
	return (other < at ? other : at);
}

static void
look_arm(void)
{
	struct timeval	tv;
	int64_t		ms;

	if (!timer_set)
		return;
	ms = look_next() - clock_ms();
	if (ms < 0)
		ms = 0;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	evtimer_add(&timer, &tv);
}

static void
look_event(int fd, short event, void *arg)
{
	look_tick(clock_ms());
	look_arm();
}

static int
watches_wanted(void)
{
	return (queue.spool.watches > INT_MAX ? INT_MAX :
	    (int)queue.spool.watches);
}

void
look_settings(void)
{
	watched_max = watch_init(watches_wanted(), look_watched);
	watched_trim(watched_max);
	look_arm();
}

void
look_init(void)
{
	watched_max = watch_init(watches_wanted(), look_watched);
	watched_begin();
	evtimer_set(&timer, look_event, NULL);
	timer_set = 1;
	ticked_ms = clock_ms();
	scan_begin(ticked_ms);
	look_all(REASON_GAP);
}
