/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#ifndef MAILDIRSERIAL_H
#define MAILDIRSERIAL_H

#include <sys/types.h>

#include <stddef.h>
#include <time.h>

#include "compat.h"
#include "head.h"
#include "report.h"

/* log.c: one line each to standard error, begun with the program's name. */
void		 log_info(const char *, ...)
		    __attribute__((__format__(printf, 1, 2)));
void		 log_warn(const char *, ...)
		    __attribute__((__format__(printf, 1, 2)));
__dead void	 log_fatal(const char *, ...)
		    __attribute__((__format__(printf, 1, 2)));

/* A name or a text as it may stand in the log; valid for some more calls. */
const char	*log_name(const char *);
const char	*log_text(const char *);

/* messages.c: what is known of each message in this run, by its name. */

enum message_state {
	MESSAGE_TOLD,		/* the client was told of it */
	MESSAGE_KEPT,		/* stays where it is: no more in this run */
	MESSAGE_OTHER		/* is for others than the prefix */
};

struct message;

/*
 * messages_find: NULL if nothing is known.
 * messages_set: notes it, or changes it; NULL with errno ENOMEM.
 * messages_forget: removes it.
 */
struct message	*messages_find(const char *);
struct message	*messages_set(const char *, time_t, enum message_state);
void		 messages_forget(struct message *);
const char	*message_name(const struct message *);
time_t		 message_mtime(const struct message *);
enum message_state message_state(const struct message *);

/* site.c: who we are, and what takes bounces. */

enum queue_kind {
	QUEUE_NONE,		/* nothing was found that could */
	QUEUE_QMAIL,		/* mail on 0, envelope on 1 */
	QUEUE_SENDMAIL
};

struct site {
	char			*host;		/* bouncehost */
	char			*from;		/* bouncefrom@bouncehost */
	char			*double_to;	/* for bounces of bounces */
	enum queue_kind		 queue;
	char			*program;
	enum report_form	 form;
};

/* Reads the environment and the control files; ends the program if it can't. */
void		 site_read(struct site *);

/* bounce.c */

struct bounce {
	const char	*name;		/* of the message */
	time_t		 arrival;
	const char	*prefix;
	const char	*text;		/* the client's */
	int		 expired;
};

enum bounce_result {
	BOUNCE_SENT,		/* the queue program has the report */
	BOUNCE_DISCARDED,	/* nobody is to be told */
	BOUNCE_FAILED		/* the message must stay; why is in the log */
};

/*
 * bounce_send: reports a message in the Maildir dirfd to its sender; sets pid,
 * if sent, to that of the queue program.
 */
enum bounce_result bounce_send(const struct site *, int,
		    const struct bounce *, pid_t *);

/* client.c */

struct client_calls {
	const char	*(*next)(void *);	/* name to tell; NULL: none */
	/* a result: name, status byte, text; any of it may be nonsense */
	void		 (*result)(void *, const char *, int, const char *);
	void		*arg;
};

/*
 * client_run: starts argv, tells it the name first and then what next()
 * gives, takes its results, and returns its wait status once its output has
 * ended.  Ends the program when it can't be started.
 */
int		 client_run(char **, const char *,
		    const struct client_calls *);

#endif
