/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who we are, and what takes bounces: qmail's control files where there are
 * any, the environment, and what a host without qmail has instead.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildirserial.h"
#include "ucspi.h"

#define QMAIL_HOME	"/var/qmail"
#define HOST_SIZE	256	/* HOST_NAME_MAX is missing, or too small */
#define CONTROL_SIZE	512	/* of a control file's first line */

/* A variable that is set to something. */
static const char *
variable(const char *name)
{
	const char	*value;

	value = getenv(name);
	return (value == NULL || *value == '\0' ? NULL : value);
}

static const char *
qmail_home(void)
{
	const char	*home;

	home = variable("QMAILHOME");
	return (home == NULL ? QMAIL_HOME : home);
}

static char *
join(const char *a, const char *b, const char *c)
{
	char	*s;

	if (asprintf(&s, "%s%s%s", a, b, c) == -1)
		log_fatal("out of memory");
	return (s);
}

/* The first line of a control file without blanks at its end, or other. */
static char *
control_read(const char *name, const char *other)
{
	FILE	*f;
	char	*path, line[CONTROL_SIZE];
	size_t	 len;

	path = join(qmail_home(), "/control/", name);
	if ((f = fopen(path, "re")) == NULL) {
		if (errno != ENOENT && errno != ENOTDIR)
			log_fatal("unable to read %s: %s", path,
			    ucspi_strerror(errno));
		free(path);
		return (join(other, "", ""));
	}
	if (fgets(line, sizeof(line), f) == NULL) {
		if (ferror(f))
			log_fatal("unable to read %s: %s", path,
			    ucspi_strerror(errno));
		line[0] = '\0';
	}
	fclose(f);
	len = strcspn(line, "\n");
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' ||
	    line[len - 1] == '\r'))
		len--;
	line[len] = '\0';
	if (!mailbox_valid(line, len))
		log_fatal("%s: it does not begin with a name", path);
	free(path);
	return (join(line, "", ""));
}

static char *
host_name(void)
{
	char	name[HOST_SIZE];

	if (gethostname(name, sizeof(name)) == -1 || name[0] == '\0')
		(void)strlcpy(name, "localhost", sizeof(name));
	name[sizeof(name) - 1] = '\0';
	return (join(name, "", ""));
}

static void
site_names(struct site *site)
{
	char	*host, *local, *me, *own;

	own = host_name();
	me = control_read("me", own);
	site->host = control_read("bouncehost", me);
	local = control_read("bouncefrom", "MAILER-DAEMON");
	site->from = join(local, "@", site->host);
	free(local);
	host = control_read("doublebouncehost", me);
	local = control_read("doublebounceto", "postmaster");
	site->double_to = join(local, "@", host);
	free(local);
	free(host);
	free(me);
	free(own);
}

static int
queue_try(struct site *site, enum queue_kind kind, char *path)
{
	if (access(path, X_OK) == -1) {
		free(path);
		return (0);
	}
	site->queue = kind;
	site->program = path;
	return (1);
}

static void
site_queue(struct site *site)
{
	const char	*path;

	if ((path = variable("QMAILQUEUE")) != NULL) {
		site->queue = QUEUE_QMAIL;
		site->program = join(path, "", "");
		return;
	}
	if ((path = variable("SENDMAIL")) != NULL) {
		site->queue = QUEUE_SENDMAIL;
		site->program = join(path, "", "");
		return;
	}
	site->queue = QUEUE_NONE;
	site->program = NULL;
	(void)(queue_try(site, QUEUE_QMAIL,
	    join(qmail_home(), "/bin/qmail-queue", "")) ||
	    queue_try(site, QUEUE_SENDMAIL, join("/usr/sbin/sendmail", "",
	    "")) ||
	    queue_try(site, QUEUE_SENDMAIL, join("/usr/lib/sendmail", "",
	    "")));
}

static void
site_form(struct site *site)
{
	const char	*form;

	site->form = REPORT_CLASSIC;
	if ((form = variable("BOUNCEFORM")) == NULL ||
	    strcmp(form, "classic") == 0)
		return;
	if (strcmp(form, "dsn") != 0)
		log_fatal("BOUNCEFORM is neither classic nor dsn: %s",
		    log_name(form));
	site->form = REPORT_DSN;
}

void
site_read(struct site *site)
{
	site_names(site);
	site_queue(site);
	site_form(site);
}
