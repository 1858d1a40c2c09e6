/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The journal: before a message leaves, it stands on disk that it does, so
 * that after any death it is known which messages a customer may have
 * although nobody heard that he took them.
 *
 * All that counts is in memory.  The file is a list of changes, a line each
 * with a checksum, and zeros after the last; a commit is one fdatasync(2),
 * whatever was noted since the last.  The zeros are there from the start:
 * lines that take their place change nothing but data, so a commit does not
 * wait for the file system's own journal, nor do the messages that are removed
 * meanwhile.  When no more are left, and whenever the file could not be
 * written, a new one takes its place by rename(2), which holds what still
 * counts: a message that was answered does until its directory is on disk
 * without it.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "books.h"
#include "queue.h"

#define JOURNAL_NAME	"journal"
#define JOURNAL_NEW	"journal.new"
#define JOURNAL_HEAD	"autoturn-journal 1\n"
#define BUFFER_SIZE	65536
/*
 * So much can be noted before a new file is made, some 1,300 messages; or
 * twice what still counts.
 */
#define ROOM_BYTES	(256 * 1024)
#define READ_BYTES_MAX	(1024 * 1024 * 1024)

/* A line: what happened, inode, mtime, Maildir, name, checksum. */
#define LINE_SENT	'S'
#define LINE_ACCEPTED	'K'
#define LINE_RETURNED	'D'
#define LINE_ANSWERED	'A'
#define LINE_WARNED	'W'
#define LINE_SIZE	BOOKS_LINE_SIZE

#define ENTRY_SENT	0x01
#define ENTRY_WARNED	0x02

struct entry {
	RB_ENTRY(entry)	 entry;
	uint64_t	 ino;
	int64_t		 mtime;
	int		 flags;
	int		 status;
	char		 name[];
};

RB_HEAD(entries, entry);

struct directory {
	RB_ENTRY(directory)	 entry;
	struct entries		 entries;
	char			 maildir[];
};

RB_HEAD(directories, directory);

struct journal {
	struct directories	 directories;
	int			 fd;
	int			 broken;	/* a new file is needed */
	int			 unsynced;
	int			 trouble;	/* errno, told */
	off_t			 at;		/* where the zeros begin */
	off_t			 room;		/* where they end */
	size_t			 used;
	char			 buf[BUFFER_SIZE];
};

static struct journal	journal = {
	.directories = RB_INITIALIZER(&journal.directories),
	.fd = -1
};

static int
entry_order(const struct entry *a, const struct entry *b)
{
	return (strcmp(a->name, b->name));
}

static int
directory_order(const struct directory *a, const struct directory *b)
{
	return (strcmp(a->maildir, b->maildir));
}

RB_PROTOTYPE(entries, entry, entry, entry_order);
RB_PROTOTYPE(directories, directory, entry, directory_order);
RB_GENERATE(entries, entry, entry, entry_order);
RB_GENERATE(directories, directory, entry, directory_order);

/*
 * What is in memory
 */

static struct directory *
directory_find(const char *maildir)
{
	struct directory	*d = RB_ROOT(&journal.directories);
	int			 order;

	while (d != NULL && (order = strcmp(maildir, d->maildir)) != 0)
		d = order < 0 ? RB_LEFT(d, entry) : RB_RIGHT(d, entry);
	return (d);
}

static struct directory *
directory_get(const char *maildir)
{
	struct directory	*d;
	size_t			 len = strlen(maildir) + 1;

	if ((d = directory_find(maildir)) != NULL)
		return (d);
	if ((d = malloc(sizeof(*d) + len)) == NULL)
		return (NULL);
	RB_INIT(&d->entries);
	memcpy(d->maildir, maildir, len);
	RB_INSERT(directories, &journal.directories, d);
	return (d);
}

static struct entry *
entry_find(const char *maildir, const char *name)
{
	struct directory	*d;
	struct entry		*e;
	int			 order;

	if ((d = directory_find(maildir)) == NULL)
		return (NULL);
	e = RB_ROOT(&d->entries);
	while (e != NULL && (order = strcmp(name, e->name)) != 0)
		e = order < 0 ? RB_LEFT(e, entry) : RB_RIGHT(e, entry);
	return (e);
}

static void
entry_free(struct directory *d, struct entry *e)
{
	RB_REMOVE(entries, &d->entries, e);
	free(e);
}

static void
directory_free(struct directory *d)
{
	struct entry	*e;

	while ((e = RB_ROOT(&d->entries)) != NULL)
		entry_free(d, e);
	RB_REMOVE(directories, &journal.directories, d);
	free(d);
}

static void
journal_forget(void)
{
	struct directory	*d;

	while ((d = RB_ROOT(&journal.directories)) != NULL)
		directory_free(d);
}

/* The entry of this very message: of another one with its name, all goes. */
static struct entry *
entry_get(const char *maildir, const char *name, uint64_t ino, int64_t mtime)
{
	struct directory	*d;
	struct entry		*e;
	size_t			 len = strlen(name) + 1;

	if ((e = entry_find(maildir, name)) == NULL) {
		if ((d = directory_get(maildir)) == NULL ||
		    (e = malloc(sizeof(*e) + len)) == NULL)
			return (NULL);
		memcpy(e->name, name, len);
		RB_INSERT(entries, &d->entries, e);
		e->flags = 0;
	} else if (e->ino == ino && e->mtime == mtime)
		return (e);
	e->flags = e->status = 0;
	e->ino = ino;
	e->mtime = mtime;
	return (e);
}

/* What a line says, whether it was read or is to be written. */
static int
entry_apply(int what, const char *maildir, const char *name, uint64_t ino,
    int64_t mtime)
{
	struct entry	*e;

	if ((e = entry_get(maildir, name, ino, mtime)) == NULL)
		return (-1);
	switch (what) {
	case LINE_SENT:
		e->flags |= ENTRY_SENT;
		e->status = 0;
		break;
	case LINE_ACCEPTED:
	case LINE_RETURNED:
		e->flags |= ENTRY_SENT;
		e->status = what;
		break;
	case LINE_WARNED:
		e->flags |= ENTRY_WARNED;
		break;
	default:
		e->flags &= ~ENTRY_SENT;
		e->status = 0;
		break;
	}
	if (e->flags == 0)
		entry_free(directory_find(maildir), e);
	return (0);
}

/*
 * The file
 */

/* 0: names that are that long are nobody's. */
static size_t
line_make(char *out, int what, const char *maildir, const struct entry *e)
{
	struct books_line	line;
	const char		word[2] = { (char)what, '\0' };
	size_t			len;

	books_begin(&line);
	books_word(&line, word);
	books_number(&line, (int64_t)e->ino);
	books_number(&line, e->mtime);
	books_word(&line, maildir);
	books_word(&line, e->name);
	len = books_end(&line);
	memcpy(out, line.text, len);
	return (len);
}

static int
buffer_write(int fd, off_t *at)
{
	size_t	done = 0;
	ssize_t	n;

	while (done < journal.used) {
		n = pwrite(fd, journal.buf + done, journal.used - done, *at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		done += (size_t)n;
		*at += n;
	}
	journal.used = 0;
	return (0);
}

static off_t
room_end(off_t at)
{
	return (at + (at > ROOM_BYTES ? at : ROOM_BYTES));
}

static int
zeros_write(int fd, off_t at)
{
	off_t	end = room_end(at);

	memset(journal.buf, 0, sizeof(journal.buf));
	while (at < end) {
		journal.used = sizeof(journal.buf);
		if ((off_t)journal.used > end - at)
			journal.used = (size_t)(end - at);
		if (buffer_write(fd, &at) == -1)
			return (-1);
	}
	return (0);
}

/* The lines that were not written are in memory as what they say. */
static int
journal_break(void)
{
	journal.broken = 1;
	journal.used = 0;
	return (-1);
}

static int
journal_write(void)
{
	if (journal.used == 0 || journal.broken)
		return (0);
	journal.unsynced = 1;
	return (buffer_write(journal.fd, &journal.at));
}

static void
journal_append(int what, const char *maildir, const struct entry *e)
{
	char	line[LINE_SIZE];
	size_t	len;

	if (journal.broken)
		return;
	len = line_make(line, what, maildir, e);
	if (len > sizeof(journal.buf) - journal.used && journal_write() == -1)
		(void)journal_break();
	if (journal.broken)
		return;
	memcpy(journal.buf + journal.used, line, len);
	journal.used += len;
}

/* Whether this very message is there. */
static int
entry_is_there(int dirfd, const struct entry *e)
{
	struct stat	st;

	if (dirfd == -1 ||
	    fstatat(dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return (0);
	return ((uint64_t)st.st_ino == e->ino &&
	    (int64_t)st.st_mtime == e->mtime);
}

static int
subdirectory_sync(int dirfd, const char *sub)
{
	int	fd, result;

	fd = openat(dirfd, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (errno == ENOENT ? 0 : -1);
	result = fsync(fd);
	close(fd);
	return (result);
}

/* A file system that has none to sync has nothing to come back either. */
static int
directory_sync(int dirfd)
{
	if (dirfd == -1)
		return (0);
	if (subdirectory_sync(dirfd, "new") == 0 &&
	    subdirectory_sync(dirfd, "cur") == 0)
		return (1);
	return (errno == EINVAL || errno == EROFS);
}

/* Forgets who is gone for good. */
static void
directory_prune(struct directory *d)
{
	struct entry	*e, *next;
	int		 dirfd, synced = 0, asked = 0;

	dirfd = openat(queue.spool_fd, d->maildir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Short of descriptors is not gone. */
	if (dirfd == -1 && errno != ENOENT && errno != ENOTDIR)
		return;
	RB_FOREACH_SAFE(e, entries, &d->entries, next) {
		if (entry_is_there(dirfd, e))
			continue;
		if (!asked && e->status != 0) {
			asked = 1;
			synced = dirfd == -1 || directory_sync(dirfd);
		}
		if (e->status == 0 || synced)
			entry_free(d, e);
	}
	if (dirfd != -1)
		close(dirfd);
}

static void
journal_prune(void)
{
	struct directory	*d, *next;

	RB_FOREACH_SAFE(d, directories, &journal.directories, next) {
		directory_prune(d);
		if (RB_EMPTY(&d->entries))
			directory_free(d);
	}
}

static int
entry_write(int fd, const struct directory *d, const struct entry *e,
    off_t *at)
{
	if (journal.used > sizeof(journal.buf) - 2 * LINE_SIZE &&
	    buffer_write(fd, at) == -1)
		return (-1);
	if (e->flags & ENTRY_WARNED)
		journal.used += line_make(journal.buf + journal.used,
		    LINE_WARNED, d->maildir, e);
	if (e->flags & ENTRY_SENT)
		journal.used += line_make(journal.buf + journal.used,
		    e->status == 0 ? LINE_SENT : e->status, d->maildir, e);
	return (0);
}

static int
entries_write(int fd, off_t *at)
{
	struct directory	*d;
	struct entry		*e;

	memcpy(journal.buf, JOURNAL_HEAD, strlen(JOURNAL_HEAD));
	journal.used = strlen(JOURNAL_HEAD);
	RB_FOREACH(d, directories, &journal.directories) {
		RB_FOREACH(e, entries, &d->entries) {
			if (entry_write(fd, d, e, at) == -1)
				return (-1);
		}
	}
	return (buffer_write(fd, at));
}

static int
journal_replace(int fd, off_t *at)
{
	if (entries_write(fd, at) == -1 || zeros_write(fd, *at) == -1 ||
	    fsync(fd) == -1 ||
	    renameat(queue.state_fd, JOURNAL_NEW, queue.state_fd,
	    JOURNAL_NAME) == -1)
		return (-1);
	return (fsync(queue.state_fd));
}

/*
 * A new file with what counts.  An error after the rename leaves a file that
 * is good, but of which it is not known that the next start finds it: so it
 * counts as broken, and the next commit makes another.
 */
static int
journal_rewrite(void)
{
	off_t	at = 0;
	int	error, fd;

	journal_prune();
	journal.used = 0;
	fd = openat(queue.state_fd, JOURNAL_NEW, O_WRONLY | O_CREAT |
	    O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return (journal_break());
	if (journal_replace(fd, &at) == -1) {
		error = errno;
		close(fd);
		(void)unlinkat(queue.state_fd, JOURNAL_NEW, 0);
		errno = error;
		return (journal_break());
	}
	if (journal.fd != -1)
		close(journal.fd);
	journal.fd = fd;
	journal.at = at;
	journal.room = room_end(at);
	journal.broken = journal.unsynced = 0;
	return (0);
}

/* Said once, and when it is over. */
static int
journal_tell(int result)
{
	int	error = result == -1 ? errno : 0;

	if (error != 0 && error != journal.trouble)
		log_warnx("nothing is sent, since the journal %s/%s can't be "
		    "written: %s", queue.spool.state_path, JOURNAL_NAME,
		    ucspi_strerror(error));
	else if (error == 0 && journal.trouble != 0)
		log_info("the journal is written again");
	journal.trouble = error;
	errno = error;
	return (result);
}

static int
journal_sync(void)
{
	if (journal.broken || journal.fd == -1 ||
	    journal.at + (off_t)journal.used > journal.room)
		return (journal_rewrite());
	if (journal_write() == -1)
		return (journal_break());
	if (journal.unsynced && fdatasync(journal.fd) == -1)
		return (journal_break());
	journal.unsynced = 0;
	return (0);
}

int
journal_commit(void)
{
	return (journal_tell(journal_sync()));
}

/*
 * Reading
 */

struct reading {
	char	*text;
	size_t	 len;
	size_t	 bad;		/* lines, or what was to be some */
	size_t	 bad_at;	/* the first */
	int	 tail;		/* it is the end that is missing */
};

static int
line_apply(char *line)
{
	struct books_words	words;
	int64_t			ino, mtime;

	if (books_read(line, &words) == -1 || words.count != 5 ||
	    strlen(words.word[0]) != 1 ||
	    strchr("SKDAW", words.word[0][0]) == NULL ||
	    books_value(words.word[1], &ino) == -1 ||
	    books_value(words.word[2], &mtime) == -1)
		return (-1);
	/* Memory: what is not read is as what was not written. */
	return (entry_apply(words.word[0][0], words.word[3], words.word[4],
	    (uint64_t)ino, mtime));
}

static void
reading_bad(struct reading *r, const char *line, int tail)
{
	if (r->bad++ == 0)
		r->bad_at = (size_t)(line - r->text);
	r->tail = tail;
}

/*
 * Lines that make no sense are passed over, whatever comes after them; zeros
 * are where nothing was written.
 */
static void
journal_parse(struct reading *r)
{
	char	*line, *lf, *end = r->text + r->len;

	if (r->len < strlen(JOURNAL_HEAD) ||
	    memcmp(r->text, JOURNAL_HEAD, strlen(JOURNAL_HEAD)) != 0) {
		if (r->len > 0)
			reading_bad(r, r->text, r->len <
			    strlen(JOURNAL_HEAD));
		line = r->text;
	} else
		line = r->text + strlen(JOURNAL_HEAD);
	for (; line < end; line = lf + 1) {
		while (line < end && *line == '\0')
			line++;
		if (line == end)
			return;
		lf = memchr(line, '\n', (size_t)(end - line));
		if (lf == NULL) {
			reading_bad(r, line, 1);
			return;
		}
		*lf = '\0';
		if (line_apply(line) == -1)
			reading_bad(r, line, lf + 1 == end);
	}
}

static void
reading_tell(const struct reading *r)
{
	if (r->bad == 0)
		return;
	log_warnx("%s/%s: %zu line%s from byte %zu on %s and %s passed over%s",
	    queue.spool.state_path, JOURNAL_NAME, r->bad,
	    r->bad == 1 ? "" : "s", r->bad_at,
	    r->bad == 1 ? "is damaged" : "are damaged",
	    r->bad == 1 ? "is" : "are",
	    r->tail && r->bad == 1 ? ": the end, as a crash leaves it" :
	    ": what they said is not known, so some messages may be sent "
	    "twice");
}

static int
journal_read(void)
{
	struct reading	r;
	int		error;

	memset(&r, 0, sizeof(r));
	if (books_load(queue.state_fd, JOURNAL_NAME, READ_BYTES_MAX, &r.text,
	    &r.len) == -1) {
		error = errno;
		if (error != ENOENT)
			log_warn("unable to read %s/%s: messages that were "
			    "sent before may be sent again",
			    queue.spool.state_path, JOURNAL_NAME);
		return (error == ENOENT ? 0 : -1);
	}
	journal_parse(&r);
	reading_tell(&r);
	free(r.text);
	return (0);
}

static void
entries_walk(struct directory *d, int all,
    void (*visit)(const struct journal_entry *, void *), void *arg)
{
	struct journal_entry	 shown;
	struct entry		*e;

	RB_FOREACH(e, entries, &d->entries) {
		if (!(e->flags & ENTRY_SENT) || (!all && e->status != 0))
			continue;
		shown.maildir = d->maildir;
		shown.name = e->name;
		shown.ino = e->ino;
		shown.mtime = e->mtime;
		shown.status = e->status;
		visit(&shown, arg);
	}
}

int
journal_open(void (*visit)(const struct journal_entry *, void *), void *arg)
{
	struct directory	*d;

	journal_close();
	if (journal_read() == -1) {
		/* It stays for whoever can read it. */
		(void)renameat(queue.state_fd, JOURNAL_NAME, queue.state_fd,
		    JOURNAL_NAME ".unreadable");
	}
	if (visit != NULL) {
		RB_FOREACH(d, directories, &journal.directories)
			entries_walk(d, 1, visit, arg);
	}
	return (journal_tell(journal_rewrite()));
}

void
journal_close(void)
{
	journal_forget();
	if (journal.fd != -1)
		close(journal.fd);
	journal.fd = -1;
	journal.used = 0;
	journal.broken = journal.unsynced = journal.trouble = 0;
}

/*
 * What others note and ask
 */

static int
journal_note(int what, const char *maildir, const char *name,
    const struct stat *st)
{
	if (entry_apply(what, maildir, name, (uint64_t)st->st_ino,
	    (int64_t)st->st_mtime) == -1)
		return (-1);
	journal_append(what, maildir, entry_find(maildir, name));
	return (0);
}

int
journal_sent(const char *maildir, const char *name, const struct stat *st)
{
	return (journal_note(LINE_SENT, maildir, name, st));
}

int
journal_warned(const char *maildir, const char *name, const struct stat *st)
{
	return (journal_note(LINE_WARNED, maildir, name, st));
}

void
journal_answered(const char *maildir, const char *name, int status)
{
	struct entry	*e;
	int		 what;

	if ((e = entry_find(maildir, name)) == NULL)
		return;
	what = status == LINE_ACCEPTED || status == LINE_RETURNED ? status :
	    LINE_ANSWERED;
	journal_append(what, maildir, e);
	(void)entry_apply(what, maildir, name, e->ino, e->mtime);
}

static struct entry *
message_find(const char *maildir, const char *name, const struct stat *st)
{
	struct entry	*e = entry_find(maildir, name);

	if (e == NULL || e->ino != (uint64_t)st->st_ino ||
	    e->mtime != (int64_t)st->st_mtime)
		return (NULL);
	return (e);
}

int
journal_status(const char *maildir, const char *name, const struct stat *st)
{
	const struct entry	*e = message_find(maildir, name, st);

	return (e == NULL || !(e->flags & ENTRY_SENT) ? -1 : e->status);
}

int
journal_is_warned(const char *maildir, const char *name,
    const struct stat *st)
{
	const struct entry	*e = message_find(maildir, name, st);

	return (e != NULL && (e->flags & ENTRY_WARNED) != 0);
}

void
journal_unanswered(const struct customer *c,
    void (*visit)(const struct journal_entry *, void *), void *arg)
{
	struct directory	*d;

	if (c != NULL) {
		if ((d = directory_find(c->maildir)) != NULL)
			entries_walk(d, 0, visit, arg);
		return;
	}
	RB_FOREACH(d, directories, &journal.directories)
		entries_walk(d, 0, visit, arg);
}

const char *
journal_trouble(void)
{
	return (journal.trouble == 0 ? NULL : ucspi_strerror(journal.trouble));
}
