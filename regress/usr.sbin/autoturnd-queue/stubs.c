/*
 * What the queue's other files would do, for the tests of one of them: all
 * of it can be defined by a test.
 */
#include "stubs.h"

#define WEAK	__attribute__((weak))

WEAK struct queue	queue;
int64_t			test_ms = 1000 * 1000;

int64_t
clock_ms(void)
{
	return (test_ms);
}

int64_t
clock_us(void)
{
	return (test_ms * 1000);
}

WEAK time_t
age_now(void)
{
	return (time(NULL));
}

/* customer.c */

WEAK struct customer *
customer_find(const char *name)
{
	return (NULL);
}

WEAK struct customer *
customer_next(struct customer *c)
{
	return (NULL);
}

WEAK int
customer_came(const struct netaddr *addr)
{
	return (-1);
}

WEAK struct customer *
customer_look_for(const char *name)
{
	return (NULL);
}

WEAK void
customers_look(void)
{
}

WEAK void
customer_forget(struct customer *c)
{
}

/* schedule.c */

WEAK void
customer_trigger(struct customer *c, enum reason reason)
{
}

WEAK void
customer_unschedule(struct customer *c)
{
}

/* look.c */

WEAK void
look_all(enum reason reason)
{
}

WEAK void
look_seen(struct customer *c)
{
}

WEAK void
look_forget(struct customer *c)
{
}

/* the books */

WEAK int
run_begin(struct customer *c)
{
	return (-1);
}

WEAK int
run_expire(struct customer *c)
{
	return (0);
}

WEAK void
run_abort(struct run *run)
{
}

WEAK void
state_apply(struct customer *c)
{
}

WEAK void
state_keep(const struct customer *c)
{
}

WEAK void
state_changed(void)
{
}

WEAK int
return_pending(const struct customer *c, const char *name)
{
	return (0);
}

WEAK const char *
journal_trouble(void)
{
	return (NULL);
}

WEAK int
journal_is_warned(const char *maildir, const char *name,
    const struct stat *st)
{
	return (0);
}

WEAK int
quarantine_walk(struct customer *c,
    void (*fn)(const struct quarantine_entry *, void *), void *arg)
{
	return (0);
}

WEAK void
message_unusable(const char *maildir, const char *name, const char *why)
{
}
