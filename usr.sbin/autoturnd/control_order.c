/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the operator orders.  When he is told that it was done it is on disk,
 * where it is to survive a restart.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "control_queue.h"
#include "listing.h"
#include "run.h"

/* Reports are made one after the other; more can be ordered later. */
#define EXPIRE_MAX	10000

static int
state_keep_now(struct control_client *c)
{
	if (state_save() == 0)
		return (0);
	peer_say(&c->peer, "it is in force, but can't be written to %s: %s",
	    queue.spool.state_path, strerror(errno));
	return (errno == 0 ? EIO : errno);
}

/*
 * run
 */

static void
notes_say(struct control_client *c)
{
	if (queue.paused)
		peer_say(&c->peer, "spool %s is paused: nothing is sent "
		    "until it is resumed", queue.spool.path);
	else if (journal_trouble() != NULL)
		peer_say(&c->peer, "spool %s: nothing is sent: %s",
		    queue.spool.path, journal_trouble());
}

static int
run_one(struct control_client *c, struct customer *cu)
{
	if (cu->flags & CUSTOMER_HELD) {
		peer_say(&c->peer, "customer %s is held: release him first",
		    cu->name);
		return (EBUSY);
	}
	customer_trigger(cu, REASON_OPERATOR);
	return (0);
}

static int
run_all(struct control_client *c)
{
	struct customer	*cu = NULL;

	customers_look();
	while ((cu = customer_next(cu)) != NULL)
		if ((cu->flags & CUSTOMER_HELD) == 0)
			customer_trigger(cu, REASON_OPERATOR);
	notes_say(c);
	return (0);
}

/*
 * By name, address or domain.  An address can be a customer's and the name
 * of a directory where older mail waits.
 */
static int
run_order(struct control_client *c)
{
	const char	*text = c->request.customer;
	struct customer	*named, *other;
	struct netaddr	 addr;
	int		 errnum;

	if (text[0] == '\0')
		return (run_all(c));
	named = customer_look_for(text);
	if (netaddr_parse(&addr, text) == 0)
		other = customer_find_address(&addr);
	else
		other = customer_find_domain(text);
	if (named == NULL && other == NULL) {
		peer_say(&c->peer, "%s: no customer's name, address or "
		    "domain", text);
		return (ENOENT);
	}
	errnum = named == NULL ? 0 : run_one(c, named);
	if (errnum == 0 && other != NULL && other != named)
		errnum = run_one(c, other);
	if (errnum == 0)
		notes_say(c);
	return (errnum);
}

/*
 * hold, release, pause, resume
 */

static int
hold_order(struct control_client *c, int hold)
{
	struct customer	*cu;

	if ((cu = control_customer_named(c)) == NULL)
		return (errno);
	customer_hold(cu, hold);
	/* What waits for a retry goes on doing so. */
	if (!hold && cu->job == JOB_NONE && customer_look(cu) == 1)
		customer_trigger(cu, REASON_MAIL);
	return (state_keep_now(c));
}

static int
release_order(struct control_client *c)
{
	struct customer	*cu;
	const char	*base = message_base(c->request.message);
	int		 errnum;

	if (c->request.message[0] == '\0')
		return (hold_order(c, 0));
	if ((cu = control_customer_named(c)) == NULL)
		return (errno);
	if (quarantine_release(cu, base) == -1) {
		errnum = errno;
		peer_say(&c->peer, "customer %s, message %s: %s", cu->name,
		    base, errnum == ENOENT ? "not in quarantine" :
		    errnum == EEXIST ? "one of that name waits already" :
		    strerror(errnum));
		return (errnum);
	}
	(void)customer_look(cu);
	customer_trigger(cu, REASON_MAIL);
	return (0);
}

static int
pause_order(struct control_client *c, int pause)
{
	schedule_pause(pause);
	return (state_keep_now(c));
}

/*
 * expire
 */

/* 0, or an errno with why. */
static int
expire_may(struct customer *cu, const char *name, struct stat *st,
    const char **why)
{
	char	path[MAILDIR_NAME_SIZE + MESSAGE_NAME_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", cu->maildir, name);
	if (fstatat(queue.spool_fd, path, st, AT_SYMLINK_NOFOLLOW) == -1) {
		*why = strerror(errno);
		return (errno);
	}
	if (return_pending(cu, name)) {
		*why = "it is being sent back already";
		return (EALREADY);
	}
	if (journal_status(cu->maildir, name, st) > 0) {
		*why = "it was delivered or returned, and only could not be "
		    "removed";
		return (EALREADY);
	}
	if (cu->run != NULL &&
	    journal_status(cu->maildir, name, st) == 0) {
		*why = "it is being sent to the customer just now";
		return (EBUSY);
	}
	return (0);
}

static int
expire_one(struct control_client *c, struct customer *cu)
{
	struct stat	 st;
	char		 name[MESSAGE_NAME_SIZE];
	const char	*why = "there is none of that name";
	int		 where, errnum = ENOENT;

	where = message_find(cu, c->request.message, name);
	if (where == 1) {
		why = "it is in quarantine: release it first";
		errnum = EBUSY;
	} else if (where == 0)
		errnum = expire_may(cu, name, &st, &why);
	if (errnum != 0) {
		peer_say(&c->peer, "customer %s, message %s: %s", cu->name,
		    c->request.message, why);
		return (errnum);
	}
	return (message_expire(cu, name, st.st_mtime) == -1 ? errno : 0);
}

/* 0, or an errno after a word. */
static int
expire_lock(struct control_client *c, struct customer *cu,
    struct lock **lock)
{
	int	errnum;

	if ((*lock = lock_take(cu->maildir)) != NULL)
		return (0);
	errnum = errno;
	peer_say(&c->peer, "customer %s: %s", cu->name, errnum == EAGAIN ?
	    "another program has his lock" : strerror(errnum));
	return (errnum);
}

/* All of his, piece by piece: order_next. */
static void
expire_all(struct control_client *c, struct customer *cu)
{
	(void)strlcpy(c->customer, cu->name, sizeof(c->customer));
	c->listing = listing_new(queue.spool_fd, cu->maildir, 0);
	if (c->listing != NULL) {
		peer_rows(&c->peer);
		return;
	}
	peer_say(&c->peer, "customer %s: Maildir %s: %s", cu->name,
	    cu->maildir, strerror(errno));
	peer_end(&c->peer, errno);
}

static void
expire_order(struct control_client *c)
{
	struct customer	*cu;
	struct lock	*lock;
	int		 errnum = 0;

	if ((cu = control_customer_named(c)) == NULL)
		errnum = errno;
	else if ((errnum = expire_lock(c, cu, &lock)) == 0) {
		if (c->request.message[0] != '\0')
			errnum = expire_one(c, cu);
		lock_release(lock);
	}
	if (errnum == 0 && c->request.message[0] == '\0')
		expire_all(c, cu);
	else
		peer_end(&c->peer, errnum);
}

static int
expire_more(struct control_client *c, struct customer *cu, const char *name)
{
	struct stat	 st;
	const char	*why;

	if (expire_may(cu, name, &st, &why) != 0)
		return (1);
	if (c->found++ == EXPIRE_MAX) {
		peer_say(&c->peer, "customer %s: %d messages are being sent "
		    "back; say it again for the rest", cu->name, EXPIRE_MAX);
		errno = EAGAIN;
		return (-1);
	}
	return (message_expire(cu, name, st.st_mtime) == -1 ? -1 : 1);
}

int
order_next(struct control_client *c)
{
	struct customer	*cu = customer_find(c->customer);
	const char	*name;
	int		 n;

	if (cu == NULL)
		return (0);
	if (!c->listed) {
		if ((n = listing_read(c->listing)) == -1)
			return (-1);
		c->listed = n == 0;
		return (1);
	}
	if ((name = listing_next(c->listing)) == NULL)
		return (0);
	return (expire_more(c, cu, name));
}

/*
 * All of them
 */

static void
reload_order(struct control_client *c)
{
	if (channel_send(&queue.parent, IMSG_PARENT_RELOAD_WANTED,
	    c->peer.number, -1, NULL, 0) == -1)
		peer_end(&c->peer, errno);
	else
		peer_turn(&c->peer, PEER_ORDER);
}

static int
order_do(struct control_client *c)
{
	switch (c->what) {
	case IMSG_CTL_RUN:
		return (run_order(c));
	case IMSG_CTL_HOLD:
		return (hold_order(c, 1));
	case IMSG_CTL_RELEASE:
		return (release_order(c));
	default:
		return (pause_order(c, c->what == IMSG_CTL_PAUSE));
	}
}

void
order_begin(struct control_client *c)
{
	if (c->what == IMSG_CTL_RELOAD)
		reload_order(c);
	else if (c->what == IMSG_CTL_EXPIRE)
		expire_order(c);
	else {
		peer_end(&c->peer, order_do(c));
		schedule_start();
	}
}
