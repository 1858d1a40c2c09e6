/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Files of a Maildir: made in tmp/ under a name that nobody else has, on disk
 * before they are in new/, and in new/ before anybody is told so.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailautoturn.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define TRIES_MAX	10
#define NAME_SIZE	256
#define HOST_SIZE	128
#define COPY_SIZE	65536

struct letter {
	int	fd;
	char	name[NAME_SIZE];	/* "tmp/..." */
};

static struct letter		*letters;
static volatile sig_atomic_t	 nletters;	/* that have a file in tmp/ */
static int			 maildir = -1;
static const char		*maildir_name;

void
letters_remove(void)
{
	int	i;

	for (i = 0; i < nletters; i++)
		(void)unlinkat(maildir, letters[i].name, 0);
}

/*
 * Whose files these are decides who can read them: the queue has the
 * Maildir's owner, so must we.
 */
static void
owner_check(const struct stat *st)
{
	if (st->st_uid != geteuid())
		defer("Maildir %s belongs to uid %u, this is uid %u: run as "
		    "its owner", maildir_name, (unsigned int)st->st_uid,
		    (unsigned int)geteuid());
	if ((st->st_mode & S_IWOTH) != 0)
		defer("Maildir %s can be written to by all", maildir_name);
}

void
letters_open(const char *spool, const char *name, size_t count)
{
	struct stat	st;
	int		fd;

	maildir_name = name;
	if ((fd = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		defer_errno("spool %s", spool);
	maildir = openat(fd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (maildir == -1 || fstat(maildir, &st) == -1)
		defer_errno("Maildir %s in %s", name, spool);
	close(fd);
	owner_check(&st);
	if ((letters = calloc(count, sizeof(*letters))) == NULL)
		defer_errno("%zu recipients", count);
}

/* A slash would be a directory, a colon the beginning of flags. */
static void
host_format(char *out, size_t size)
{
	char	host[HOST_SIZE], *p;
	size_t	len = 0;

	if (gethostname(host, sizeof(host)) == -1)
		(void)strlcpy(host, "localhost", sizeof(host));
	host[sizeof(host) - 1] = '\0';
	for (p = host; *p != '\0' && len + 5 < size; p++) {
		if (*p == '/' || *p == ':')
			len += (size_t)snprintf(out + len, size - len,
			    "\\%03o", (unsigned int)*p);
		else
			out[len++] = *p;
	}
	out[len] = '\0';
}

static void
name_format(char *out, size_t size)
{
	static unsigned int	count;
	struct timeval		tv;
	char			host[HOST_SIZE];

	(void)gettimeofday(&tv, NULL);
	host_format(host, sizeof(host));
	(void)snprintf(out, size, "tmp/%lld.M%06ldP%ldQ%u.%s",
	    (long long)tv.tv_sec, (long)tv.tv_usec, (long)getpid(), count++,
	    host);
}

static int
file_create(struct letter *l)
{
	int	i;

	for (i = 0; i < TRIES_MAX; i++) {
		name_format(l->name, sizeof(l->name));
		l->fd = openat(maildir, l->name,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (l->fd != -1 || errno != EEXIST)
			break;
	}
	return (l->fd == -1 ? -1 : 0);
}

size_t
letter_make(const char *head)
{
	size_t		which = (size_t)nletters;
	sigset_t	all, before;

	/* A signal finds the file with its name, or none. */
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	if (file_create(&letters[which]) == -1)
		defer_errno("unable to write to %s/tmp", maildir_name);
	nletters++;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	letter_write(which, head, strlen(head));
	return (which);
}

void
letter_write(size_t which, const char *data, size_t len)
{
	if (stream_write(letters[which].fd, data, len) == -1)
		defer_errno("unable to write to %s/tmp", maildir_name);
}

void
letter_copy(size_t to, size_t from, off_t at)
{
	static char	buf[COPY_SIZE];
	ssize_t		n;

	for (; (n = pread(letters[from].fd, buf, sizeof(buf), at)) > 0;
	    at += n)
		letter_write(to, buf, (size_t)n);
	if (n == -1)
		defer_errno("unable to read %s/%s", maildir_name,
		    letters[from].name);
}

/* NFS and full disks may tell as late as this. */
static void
letter_close(struct letter *l)
{
	if (fsync(l->fd) == -1 || close(l->fd) == -1)
		defer_errno("unable to write to %s/tmp", maildir_name);
}

static void
letter_publish(const struct letter *l)
{
	char	name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "new/%s",
	    l->name + strlen("tmp/"));
	if (renameat(maildir, l->name, maildir, name) == -1)
		defer_errno("unable to write to %s/new", maildir_name);
}

/* Some file systems can't: they have their own ways of being sure. */
static void
new_sync(void)
{
	int	fd;

	fd = openat(maildir, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (fsync(fd) == -1 && errno != EINVAL &&
	    errno != ENOTSUP))
		defer_errno("unable to write to %s/new", maildir_name);
	close(fd);
}

/* Should a later one fail, those before it come again: better than never. */
void
letters_done(void)
{
	sigset_t	all;
	int		i;

	for (i = 0; i < nletters; i++)
		letter_close(&letters[i]);
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	for (i = 0; i < nletters; i++)
		letter_publish(&letters[i]);
	nletters = 0;
	new_sync();
}
