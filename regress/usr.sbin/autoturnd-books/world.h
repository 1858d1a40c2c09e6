/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A spool in the test's directory, a queue around the books, and a disk that
 * can fail: fsync(2), fdatasync(2) and unlinkat(2) are the test's own.
 */
#ifndef WORLD_H
#define WORLD_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stdint.h>
#include <unistd.h>

#include <atf-c.h>

#include "queue.h"

#define MAILDIR		"192.0.2.7"
#define PREFIX		"autoturn-192.0.2.7-"
#define CLOCK_PATIENCE_MS	20000

/* What the stand-ins of schedule.c and queue.c saw. */
struct seen {
	int	ended;			/* customer_run_ended() */
	int	failed;
	int	more;
	int	advanced;		/* queue_stop_advance() */
};

/* The disk. */
struct disk {
	int	syncs;			/* fsync, fdatasync */
	int	error;			/* they fail with it; 0: they do not */
	int	unlink_error;		/* the same for unlinkat */
	void	(*synced)(int);		/* told of each that did not */
};

/* The other end of a channel of ours. */
struct peer {
	struct imsgbuf	ibuf;
	int		open;
};

extern struct seen		seen;
extern struct disk		disk;
extern struct customer		customer;
extern struct delivery_settings	delivery;

/*
 * world_begin: a spool with one customer's Maildir, a state directory, an
 * event loop, no peers.
 * world_mail: writes new/NAME of that size with that age; its inode.
 * world_there: is there such a file in the Maildir?  world_count: how many
 * in that directory of it.
 */
void	 world_begin(void);
ino_t	 world_mail(const char *, size_t, time_t);
ino_t	 world_text(const char *, const char *, time_t);
int	 world_there(const char *);
int	 world_count(const char *);
void	 world_stat(const char *, struct stat *);
char	*world_file(int, const char *, size_t *);
void	 world_turn(void);

/*
 * peer_open: the other end of queue.relay, queue.mailer or queue.parent.
 * peer_hear: turns the loop until a message of that type comes; its payload.
 * peer_hears_nothing: a turn or two, and there is nothing.
 * peer_say: sends one.
 */
void	 peer_open(struct peer *, struct channel *,
	    int (*)(struct channel *, struct imsg *),
	    void (*)(struct channel *));
int	 peer_hear(struct peer *, uint32_t, void *, size_t);
int	 peer_hears_nothing(struct peer *);
void	 peer_say(struct peer *, uint32_t, const void *, size_t, const char *);
void	 peer_close(struct peer *);
/* Turns the loop until it is so, or the test fails. */
#define WAIT_FOR(so)	do {						\
	int64_t	until_ = clock_ms() + CLOCK_PATIENCE_MS;		\
	while (!(so)) {							\
		ATF_REQUIRE_MSG(clock_ms() < until_, "never: %s", #so);	\
		world_turn();						\
		(void)usleep(1000);					\
	}								\
} while (0)

#endif
