/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who there is: customers as configured, and where addresses are customers
 * those whom a directory of the spool is named after.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "place.h"
#include "queue.h"

/* As the recipe's users/assign has it. */
#define IMPLICIT_PREFIX	"autoturn-%s-"
/* The spool's mtime is relied on once it is so old. */
#define SPOOL_SETTLED_S	2

/* One for all who have the same. */
struct kept_delivery {
	RB_ENTRY(kept_delivery)	 entry;
	struct delivery_settings settings;
	uint32_t		 users;
};

RB_HEAD(kept_deliveries, kept_delivery);

static struct kept_deliveries	deliveries = RB_INITIALIZER(&deliveries);
/* What the parent has told and not yet confirmed, in reverse order. */
static struct customer_list	told = TAILQ_HEAD_INITIALIZER(told);
static struct timespec		spool_mtime;	/* as of the last look */

static int
delivery_order(struct kept_delivery *a, struct kept_delivery *b)
{
	return (memcmp(&a->settings, &b->settings, sizeof(a->settings)));
}

static int
customer_order(struct customer *a, struct customer *b)
{
	return (strcmp(a->name, b->name));
}

RB_PROTOTYPE(kept_deliveries, kept_delivery, entry, delivery_order)
RB_GENERATE(kept_deliveries, kept_delivery, entry, delivery_order)
RB_PROTOTYPE(customers, customer, by_name, customer_order)
RB_GENERATE(customers, customer, by_name, customer_order)

static const struct delivery_settings *
delivery_keep(const struct delivery_settings *settings)
{
	struct kept_delivery	*kept, key;

	key.settings = *settings;
	kept = RB_FIND(kept_deliveries, &deliveries, &key);
	if (kept == NULL) {
		if ((kept = calloc(1, sizeof(*kept))) == NULL)
			fatal("delivery settings");
		kept->settings = *settings;
		RB_INSERT(kept_deliveries, &deliveries, kept);
	}
	kept->users++;
	return (&kept->settings);
}

static void
delivery_release(const struct delivery_settings *settings)
{
	struct kept_delivery	*kept, key;

	if (settings == NULL)
		return;
	key.settings = *settings;
	kept = RB_FIND(kept_deliveries, &deliveries, &key);
	if (--kept->users > 0)
		return;
	RB_REMOVE(kept_deliveries, &deliveries, kept);
	free(kept);
}

static struct customer *
tree_find(const char *name)
{
	struct customer	key;

	/* Only read: a tree's key is no constant. */
	memcpy(&key.name, &name, sizeof(key.name));
	return (RB_FIND(customers, &queue.customers, &key));
}

struct customer *
customer_find(const char *name)
{
	return (tree_find(name));
}

struct customer *
customer_next(struct customer *c)
{
	if (c == NULL)
		return (RB_MIN(customers, &queue.customers));
	return (RB_NEXT(customers, &queue.customers, c));
}

struct customer *
customer_after(const char *name)
{
	struct customer	*c, key;

	memcpy(&key.name, &name, sizeof(key.name));
	c = RB_NFIND(customers, &queue.customers, &key);
	if (c != NULL && strcmp(c->name, name) == 0)
		c = RB_NEXT(customers, &queue.customers, c);
	return (c);
}

static int
customer_is_implicit(const struct customer *c)
{
	return ((c->flags & (CUSTOMER_IMPLICIT | CUSTOMER_GONE)) ==
	    CUSTOMER_IMPLICIT);
}

static struct customer *
implicit_find(const struct netaddr *addr)
{
	char		 text[NETADDR_TEXT_SIZE];
	struct customer	*c;

	c = customer_find(netaddr_text(addr, text));
	return (c != NULL && customer_is_implicit(c) ? c : NULL);
}

struct customer *
customer_find_address(const struct netaddr *given)
{
	struct netaddr	 addr = *given;
	struct customer	*c, *implicit;
	int		 whole;

	if (place_normalize(&addr) == -1)
		return (NULL);
	if ((c = place_address(&addr, &whole)) != NULL && whole)
		return (c);
	implicit = implicit_find(&addr);
	return (implicit != NULL ? implicit : c);
}

static void
customer_seen(struct customer *c)
{
	c->seen_at = time(NULL);
	state_changed();
	look_seen(c);
	customer_trigger(c, REASON_SESSION);
}

/* His directory may just have been made: that costs one fstatat(2). */
static struct customer *
implicit_look_for(const struct netaddr *addr)
{
	char		 text[NETADDR_TEXT_SIZE];
	struct customer	*c;

	c = customer_look_for(netaddr_text(addr, text));
	return (c != NULL && customer_is_implicit(c) ? c : NULL);
}

int
customer_came(const struct netaddr *given)
{
	struct netaddr	 addr = *given;
	struct customer	*c, *implicit;
	int		 whole;

	if (place_normalize(&addr) == -1)
		return (-1);
	implicit = implicit_look_for(&addr);
	if (implicit != NULL)
		customer_seen(implicit);
	c = place_address(&addr, &whole);
	if (c == NULL || (implicit != NULL && !whole))
		return (implicit == NULL ? -1 : 0);
	customer_seen(c);
	return (0);
}

struct customer *
customer_find_domain(const char *name)
{
	return (place_domain(name));
}

struct customer *
customer_find_maildir(const char *maildir)
{
	struct customer	*c;

	if ((c = place_maildir(maildir)) != NULL)
		return (c);
	c = customer_find(maildir);
	return (c != NULL && customer_is_implicit(c) ? c : NULL);
}

static void
places_free(struct customer_place *p)
{
	struct customer_place	*next;

	for (; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
}

/* Maildir and prefix share the name's memory where they are the same. */
static void
customer_strings_free(struct customer *c)
{
	if (c->maildir != c->name)
		free(c->maildir);
	free(c->prefix);
}

static void
customer_free(struct customer *c)
{
	customer_strings_free(c);
	delivery_release(c->delivery);
	places_free(c->places);
	free(c->reply);
	free(c->name);
	free(c);
}

static struct customer *
customer_new(const char *name, const char *maildir, const char *prefix)
{
	struct customer	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->name = strdup(name)) == NULL ||
	    (c->prefix = strdup(prefix)) == NULL)
		fatal("customer %s", name);
	c->maildir = c->name;
	if (strcmp(maildir, name) != 0 &&
	    (c->maildir = strdup(maildir)) == NULL)
		fatal("customer %s", name);
	return (c);
}

/* Nobody finds him any more; only his run knows him. */
static void
customer_detach(struct customer *c)
{
	if (c->flags & CUSTOMER_DETACHED)
		return;
	c->flags |= CUSTOMER_GONE | CUSTOMER_DETACHED;
	look_forget(c);
	state_keep(c);
	/* A directory of his name may be a customer now. */
	memset(&spool_mtime, 0, sizeof(spool_mtime));
	RB_REMOVE(customers, &queue.customers, c);
}

void
customer_forget(struct customer *c)
{
	customer_detach(c);
	customer_unschedule(c);
	customer_free(c);
}

/* At once, or when what is on its way to him was answered. */
static void
customer_gone(struct customer *c)
{
	c->flags |= CUSTOMER_GONE;
	if (c->run == NULL)
		customer_forget(c);
}

/*
 * What the parent tells
 */

static void
text_check(const char *text, size_t size)
{
	if (memchr(text, '\0', size) == NULL)
		fatalx("a customer's settings: a text without end");
}

static void
told_customer(struct imsg *imsg)
{
	struct customer_settings	 set;
	struct customer			*c;

	if (imsg_get_data(imsg, &set, sizeof(set)) == -1)
		fatalx("customer of %zu bytes", imsg_get_len(imsg));
	text_check(set.name, sizeof(set.name));
	text_check(set.maildir, sizeof(set.maildir));
	text_check(set.prefix, sizeof(set.prefix));
	text_check(set.delivery.helo, sizeof(set.delivery.helo));
	c = customer_new(set.name, set.maildir, set.prefix);
	c->delivery = delivery_keep(&set.delivery);
	TAILQ_INSERT_HEAD(&told, c, ready);
}

static struct customer_place *
told_place(size_t domain_len)
{
	struct customer_place	 *p, **end;
	struct customer		 *c;

	if ((c = TAILQ_FIRST(&told)) == NULL)
		fatalx("an address or domain of nobody");
	if ((p = calloc(1, sizeof(*p) + domain_len + 1)) == NULL)
		fatal("customer %s", c->name);
	for (end = &c->places; *end != NULL; end = &(*end)->next)
		;
	*end = p;
	return (p);
}

static void
told_address(struct imsg *imsg)
{
	struct customer_address	addr;

	if (imsg_get_data(imsg, &addr, sizeof(addr)) == -1)
		fatalx("address of %zu bytes", imsg_get_len(imsg));
	if (place_check(&addr) == -1)
		fatalx("no address: family %u, length %u", addr.addr.family,
		    addr.prefixlen);
	told_place(0)->address = addr;
}

static void
told_domain(struct imsg *imsg)
{
	struct customer_place	*p;
	size_t			 len = imsg_get_len(imsg);

	if (len == 0 || len >= DOMAIN_SIZE)
		fatalx("domain of %zu bytes", len);
	p = told_place(len);
	if (imsg_get_data(imsg, p->domain, len) == -1)
		fatalx("domain of %zu bytes", len);
}

int
customer_dispatch(struct imsg *imsg)
{
	switch (imsg_get_type(imsg)) {
	case IMSG_QUEUE_CUSTOMER:
		told_customer(imsg);
		break;
	case IMSG_QUEUE_ADDRESS:
		told_address(imsg);
		break;
	case IMSG_QUEUE_DOMAIN:
		told_domain(imsg);
		break;
	default:
		return (-1);
	}
	return (0);
}

/* What is known of him stays. */
static void
customer_adopt(struct customer *c, struct customer *settings)
{
	customer_strings_free(c);
	c->maildir = c->name;
	if (settings->maildir != settings->name)
		c->maildir = settings->maildir;
	c->prefix = settings->prefix;
	delivery_release(c->delivery);
	c->delivery = settings->delivery;
	places_free(c->places);
	c->places = settings->places;
	c->flags &= ~(CUSTOMER_IMPLICIT | CUSTOMER_GONE);
	free(settings->name);
	free(settings);
}

/*
 * With another Maildir he is another one, of whom is known what the state
 * file would tell; a run knows his Maildir by the old one's name.
 */
static struct customer *
customer_move(struct customer *old, struct customer *settings)
{
	customer_detach(old);
	if (old->run == NULL)
		customer_forget(old);
	return (settings);
}

static void
told_apply(struct customer *settings)
{
	struct customer	*c;

	c = customer_find(settings->name);
	if (c != NULL && strcmp(c->maildir, settings->maildir) == 0)
		customer_adopt(c, settings);
	else {
		if (c != NULL)
			settings->flags |= c->flags & CUSTOMER_HELD;
		c = c == NULL ? settings : customer_move(c, settings);
		RB_INSERT(customers, &queue.customers, c);
		state_apply(c);
	}
	c->flags |= CUSTOMER_MET;
}

static void
customers_unmeet(void)
{
	struct customer	*c;

	RB_FOREACH(c, customers, &queue.customers)
		c->flags &= ~CUSTOMER_MET;
}

/* Those of this kind who were not met. */
static void
customers_sweep(uint32_t kind)
{
	struct customer	*c, *next;

	for (c = customer_next(NULL); c != NULL; c = next) {
		next = customer_next(c);
		if ((c->flags & (CUSTOMER_MET | CUSTOMER_GONE)) == 0 &&
		    (c->flags & CUSTOMER_IMPLICIT) == kind)
			customer_gone(c);
	}
}

/* The defaults may be others now. */
static void
implicit_settings(void)
{
	struct customer			*c;
	const struct delivery_settings	*old;

	RB_FOREACH(c, customers, &queue.customers) {
		if ((c->flags & CUSTOMER_IMPLICIT) == 0)
			continue;
		old = c->delivery;
		c->delivery = delivery_keep(&queue.spool.defaults);
		delivery_release(old);
	}
}

void
customers_replace(void)
{
	struct customer	*c;

	customers_unmeet();
	while ((c = TAILQ_LAST(&told, customer_list)) != NULL) {
		TAILQ_REMOVE(&told, c, ready);
		told_apply(c);
	}
	customers_sweep(0);
	implicit_settings();
	places_rebuild();
	memset(&spool_mtime, 0, sizeof(spool_mtime));
	customers_look();
}

/*
 * Directories of the spool
 */

/* Names that look like an address and are none, or not as it is written. */
static int
implicit_name(const char *name, int tell)
{
	struct netaddr	addr;
	char		text[NETADDR_TEXT_SIZE];

	if (netaddr_parse(&addr, name) == -1)
		return (0);
	if (strcmp(netaddr_text(&addr, text), name) == 0)
		return (1);
	if (tell)
		log_warnx("%s: %s: is nobody's: this address is written %s",
		    queue.spool.path, name, text);
	return (0);
}

/* A symbolic link would lead out of the spool. */
static int
implicit_directory(const char *name, int tell)
{
	struct stat	st;

	if (fstatat(queue.spool_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT && tell)
			log_warn("%s: %s", queue.spool.path, name);
		return (0);
	}
	if (S_ISDIR(st.st_mode))
		return (1);
	if (tell)
		log_warnx("%s: %s: is nobody's: not a directory",
		    queue.spool.path, name);
	return (0);
}

static struct customer *
implicit_new(const char *name)
{
	struct customer	*c;
	char		 prefix[PREFIX_SIZE];

	snprintf(prefix, sizeof(prefix), IMPLICIT_PREFIX, name);
	c = customer_new(name, name, prefix);
	c->flags = CUSTOMER_IMPLICIT;
	c->delivery = delivery_keep(&queue.spool.defaults);
	RB_INSERT(customers, &queue.customers, c);
	state_apply(c);
	return (c);
}

/* tell: those who can't be are named in the log. */
static struct customer *
implicit_meet(const char *name, int tell)
{
	struct customer	*c;

	if (!implicit_name(name, tell) || place_maildir(name) != NULL)
		return (NULL);
	c = customer_find(name);
	if (c != NULL && (c->flags & CUSTOMER_IMPLICIT) == 0)
		return (NULL);
	if (!implicit_directory(name, tell))
		return (NULL);
	if (c == NULL)
		c = implicit_new(name);
	c->flags &= ~CUSTOMER_GONE;
	c->flags |= CUSTOMER_MET;
	return (c);
}

struct customer *
customer_look_for(const char *name)
{
	struct customer	*c;

	if ((c = customer_find_maildir(name)) != NULL)
		return (c);
	if ((c = customer_find(name)) != NULL)
		return ((c->flags & CUSTOMER_GONE) ? NULL : c);
	if (!queue.spool.addresses || strlen(name) >= NETADDR_TEXT_SIZE)
		return (NULL);
	return (implicit_meet(name, 0));
}

/* What can't be read leaves everybody as he is. */
static int
spool_walk(void)
{
	struct dirent	*entry;
	DIR		*dir;
	int		 fd;

	fd = openat(queue.spool_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	for (;;) {
		errno = 0;
		if ((entry = readdir(dir)) == NULL)
			break;
		if (strlen(entry->d_name) < NETADDR_TEXT_SIZE)
			(void)implicit_meet(entry->d_name, 1);
	}
	fd = errno;
	closedir(dir);
	errno = fd;
	return (fd == 0 ? 0 : -1);
}

static int
timespec_same(const struct timespec *a, const struct timespec *b)
{
	return (a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec);
}

/*
 * Whether entries were made or removed: 0 only if that is sure.  A clock
 * that jumps makes it less sure, never wrong.
 */
static int
spool_changed(void)
{
	static int64_t	since_ms;
	struct stat	st;
	int64_t		now_ms = clock_ms();

	if (fstat(queue.spool_fd, &st) == -1)
		return (1);
	if (timespec_same(&st.st_mtim, &spool_mtime))
		return (now_ms - since_ms <= SPOOL_SETTLED_S * 1000);
	spool_mtime = st.st_mtim;
	since_ms = now_ms;
	return (1);
}

void
customers_look(void)
{
	if (queue.spool.addresses && !spool_changed())
		return;
	customers_unmeet();
	if (queue.spool.addresses && spool_walk() == -1) {
		log_warn("%s", queue.spool.path);
		memset(&spool_mtime, 0, sizeof(spool_mtime));
		return;
	}
	customers_sweep(CUSTOMER_IMPLICIT);
}
