/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "autoturnctl check": messages that would not be sent.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "head.h"
#include "local_check.h"
#include "maildir.h"

#define SAID_MAX	10	/* messages of a customer that are named */

struct reading {
	struct check		*check;
	const struct suspect	*suspect;
	int			 maildir;
	unsigned int		 bad;
};

static void
message_slip(struct reading *r, const char *name, const char *why)
{
	if (++r->bad <= SAID_MAX)
		check_slip(r->check, "%s/%s/%s: %s", r->check->path,
		    r->suspect->maildir, name, why);
}

static ssize_t
bytes_read(int fd, char *buf, size_t size)
{
	size_t	len = 0;
	ssize_t	n;

	while (len < size) {
		if ((n = read(fd, buf + len, size - len)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return ((ssize_t)len);
}

static void
message_judge(struct reading *r, const char *name, int fd)
{
	static struct head	head;
	static char		bytes[HEAD_BYTES_MAX];
	char			why[PREFIX_SIZE + 64];
	ssize_t			len;

	if ((len = bytes_read(fd, bytes, sizeof(bytes))) == -1) {
		message_slip(r, name, strerror(errno));
		return;
	}
	switch (head_parse(&head, bytes, (size_t)len, r->suspect->prefix)) {
	case HEAD_OK:
		break;
	case HEAD_OTHER:
		snprintf(why, sizeof(why), "its recipient does not begin with "
		    "%s: no rule will send it", r->suspect->prefix);
		message_slip(r, name, why);
		break;
	case HEAD_BAD:
		message_slip(r, name, head.why);
		break;
	}
}

static int
message_visit(void *arg, const char *name, const struct stat *st)
{
	struct reading	*r = arg;
	struct stat	 now;
	int		 fd;

	if (st->st_uid != r->check->uid && (st->st_mode & S_IROTH) == 0)
		message_slip(r, name, "belongs to another user, who alone may "
		    "read it");
	else if (st->st_uid == r->check->uid && (st->st_mode & S_IRUSR) == 0)
		message_slip(r, name, "its owner may not read it");
	else if ((fd = maildir_open(r->maildir, name, &now)) != -1) {
		message_judge(r, name, fd);
		close(fd);
	} else if (errno != ENOENT)
		message_slip(r, name, maildir_why(errno));
	return (0);
}

static void
file_report(void *arg, const char *name, const char *why)
{
	message_slip(arg, name, why);
}

void
check_messages(struct check *c, const struct suspect *s)
{
	struct reading	r;
	char		path[PATH_MAX];

	memset(&r, 0, sizeof(r));
	r.check = c;
	r.suspect = s;
	local_path(path, c->path, s->maildir);
	r.maildir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (r.maildir == -1 || maildir_walk(r.maildir, message_visit,
	    file_report, &r) == -1)
		check_slip(c, "%s: %s", path, strerror(errno));
	if (r.maildir != -1)
		close(r.maildir);
	if (r.bad > SAID_MAX)
		check_slip(c, "%s: %u more such messages", path,
		    r.bad - SAID_MAX);
}
