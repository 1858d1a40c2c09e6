/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What the log says of messages: one line for each thing that becomes of
 * one, with the same keys always.  File names and replies are strangers'.
 */
#include <sys/types.h>

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "books.h"
#include "logrecord.h"
#include "queue.h"

#define NAMED_MAX	4096	/* files named; then all may be again */
#define NAMED_SIZE	1024

void
message_log(const char *customer, const char *maildir, const char *name,
    uint64_t size, time_t mtime, const char *status, const char *text)
{
	struct logrecord	r;
	time_t			now = time(NULL);

	logrecord_begin(&r, (int)queue.spool.log_json, "message");
	logrecord_text(&r, "customer", customer);
	if (customer == NULL || strcmp(customer, maildir) != 0)
		logrecord_text(&r, "maildir", maildir);
	logrecord_text(&r, "message", name);
	logrecord_number(&r, "size", size);
	logrecord_number(&r, "age",
	    mtime != 0 && now > mtime ? (uint64_t)(now - mtime) : 0);
	logrecord_text(&r, "status", status);
	logrecord_text(&r, "reply", text);
	logrecord_end(&r);
	logrecord_log(&r, LOG_INFO);
}

/* 1: for the first time. */
static int
message_is_news(const char *maildir, const char *name, const char *why)
{
	static struct names	named;
	char			what[NAMED_SIZE];

	if (named.count == NAMED_MAX)
		names_clear(&named);
	(void)snprintf(what, sizeof(what), "%s/%s/%s", maildir, name, why);
	return (names_add(&named, what) != 0);
}

void
message_unusable(const char *maildir, const char *name, const char *why)
{
	if (message_is_news(maildir, name, why))
		log_warnx("%s/%s/%s is left alone: %s", queue.spool.path,
		    maildir, name, why);
}
