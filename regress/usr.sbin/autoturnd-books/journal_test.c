/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The journal on a disk that loses what was not synced, that is full, and
 * that gives back a file with holes.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "books.h"
#include "world.h"

#define MESSAGES	8
#define NAME_SIZE	32

/* What a journal that was opened told of. */
struct told {
	size_t	count;
	int	status[MESSAGES];	/* -1: nothing */
	size_t	strange;
};

static void
name_of(char *name, int i)
{
	(void)snprintf(name, NAME_SIZE, "new/%d.message", i);
}

static void
messages_make(int n)
{
	char	name[NAME_SIZE];
	int	i;

	for (i = 0; i < n; i++) {
		name_of(name, i);
		(void)world_mail(name, 200, 60 + i);
	}
}

static void
sent(int i)
{
	struct stat	st;
	char		name[NAME_SIZE];

	name_of(name, i);
	world_stat(name, &st);
	ATF_REQUIRE_EQ(0, journal_sent(MAILDIR, name, &st));
}

static void
answered(int i, int status)
{
	char	name[NAME_SIZE];

	name_of(name, i);
	journal_answered(MAILDIR, name, status);
}

static void
removed(int i)
{
	char	name[NAME_SIZE], path[600];

	name_of(name, i);
	(void)snprintf(path, sizeof(path), "spool/" MAILDIR "/%s", name);
	ATF_REQUIRE_EQ(0, unlink(path));
}

static int
status_of(int i)
{
	struct stat	st;
	char		name[NAME_SIZE];

	name_of(name, i);
	world_stat(name, &st);
	return (journal_status(MAILDIR, name, &st));
}

static void
told_visit(const struct journal_entry *e, void *arg)
{
	struct told	*told = arg;
	struct stat	 st;
	int		 i;

	if (strstr(e->name, ".gone") != NULL)
		return;
	told->count++;
	i = atoi(e->name + 4);
	if (strcmp(e->maildir, MAILDIR) != 0 || i < 0 || i >= MESSAGES ||
	    told->status[i] != -1) {
		told->strange++;
		return;
	}
	told->status[i] = e->status;
	if (!world_there(e->name))
		return;
	world_stat(e->name, &st);
	ATF_REQUIRE_EQ((uint64_t)st.st_ino, e->ino);
	ATF_REQUIRE_EQ((int64_t)st.st_mtime, e->mtime);
}

static void
told_clear(struct told *told)
{
	memset(told, 0, sizeof(*told));
	memset(told->status, -1, sizeof(told->status));
}

static void
reopen(struct told *told)
{
	told_clear(told);
	ATF_REQUIRE_EQ(0, journal_open(told_visit, told));
	ATF_REQUIRE_EQ(0, told->strange);
}

ATF_TC(lives);
ATF_TC_HEAD(lives, tc)
{
	atf_tc_set_md_var(tc, "descr", "one life after another");
}
ATF_TC_BODY(lives, tc)
{
	struct told	told;
	struct stat	st;

	world_begin();
	messages_make(MESSAGES);
	reopen(&told);
	ATF_REQUIRE_EQ(0, told.count);
	ATF_REQUIRE(journal_trouble() == NULL);
	sent(0);
	sent(1);
	sent(2);
	sent(3);
	ATF_REQUIRE_EQ(0, status_of(0));
	ATF_REQUIRE_EQ(-1, status_of(4));
	disk.syncs = 0;
	ATF_REQUIRE_EQ(0, journal_commit());
	ATF_REQUIRE_EQ_MSG(1, disk.syncs, "%d", disk.syncs);
	ATF_REQUIRE_EQ(0, journal_commit());
	ATF_REQUIRE_EQ(1, disk.syncs);
	answered(0, 'K');
	answered(1, 'Z');
	answered(2, 'D');
	answered(7, 'K');		/* of which nothing is known */
	world_stat("new/4.message", &st);
	ATF_REQUIRE_EQ(0, journal_warned(MAILDIR, "new/4.message", &st));
	ATF_REQUIRE_EQ('K', status_of(0));
	ATF_REQUIRE_EQ(-1, status_of(1));
	ATF_REQUIRE_EQ('D', status_of(2));
	ATF_REQUIRE_EQ(0, journal_commit());
	told_clear(&told);
	journal_unanswered(&customer, told_visit, &told);
	ATF_REQUIRE_EQ(1, told.count);
	ATF_REQUIRE_EQ(0, told.status[3]);

	reopen(&told);
	ATF_REQUIRE_EQ(3, told.count);
	ATF_REQUIRE_EQ('K', told.status[0]);
	ATF_REQUIRE_EQ('D', told.status[2]);
	ATF_REQUIRE_EQ(0, told.status[3]);
	ATF_REQUIRE_EQ(1, journal_is_warned(MAILDIR, "new/4.message", &st));
	/* What is gone is forgotten; what is there again is not. */
	removed(0);
	removed(3);
	reopen(&told);
	reopen(&told);
	ATF_REQUIRE_EQ(1, told.count);
	ATF_REQUIRE_EQ('D', told.status[2]);
	ATF_REQUIRE_EQ(1, journal_is_warned(MAILDIR, "new/4.message", &st));
	removed(4);
	reopen(&told);
	ATF_REQUIRE_EQ(0, journal_is_warned(MAILDIR, "new/4.message", &st));
}

ATF_TC(identity);
ATF_TC_HEAD(identity, tc)
{
	atf_tc_set_md_var(tc, "descr", "another message by the same name");
}
ATF_TC_BODY(identity, tc)
{
	struct stat	st;
	struct told	told;

	world_begin();
	messages_make(1);
	reopen(&told);
	sent(0);
	answered(0, 'K');
	world_stat("new/0.message", &st);
	st.st_mtime++;
	ATF_REQUIRE_EQ(-1, journal_status(MAILDIR, "new/0.message", &st));
	st.st_mtime--;
	st.st_ino++;
	ATF_REQUIRE_EQ(-1, journal_status(MAILDIR, "new/0.message", &st));
	/* That one is sent now: the first is forgotten. */
	ATF_REQUIRE_EQ(0, journal_sent(MAILDIR, "new/0.message", &st));
	ATF_REQUIRE_EQ(0, journal_status(MAILDIR, "new/0.message", &st));
	ATF_REQUIRE_EQ(-1, status_of(0));
}

/*
 * The whole story of a run with a window of two, and how much of the file
 * each step leaves.
 */

/* With some zeros after it, as there are where nothing was written. */
static void
file_put(const char *bytes, size_t len, size_t zeros)
{
	static const char	zero[1000];
	int			fd;

	fd = openat(queue.state_fd, "journal", O_WRONLY | O_CREAT | O_TRUNC,
	    0600);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ((ssize_t)len, write(fd, bytes, len));
	ATF_REQUIRE_EQ((ssize_t)zeros, write(fd, zero, zeros));
	close(fd);
}

/* How much of it are lines. */
static size_t
lines_len(const char *bytes, size_t len)
{
	while (len > 0 && bytes[len - 1] == '\0')
		len--;
	return (len);
}

static char *
lines_read(size_t *len)
{
	char	*text = world_file(queue.state_fd, "journal", len);

	*len = lines_len(text, *len);
	return (text);
}

/* What so many bytes of it say, by whole lines: letters and numbers alone. */
static void
told_expect(struct told *expected, const char *bytes, size_t len)
{
	const char	*line, *lf, *name;
	int		 i;

	told_clear(expected);
	for (line = bytes; (lf = memchr(line, '\n', len - (size_t)(line -
	    bytes))) != NULL; line = lf + 1) {
		if (strchr("SKDA", *line) == NULL || line[1] != ' ')
			continue;
		name = strstr(line, "new/");
		i = atoi(name + 4);
		expected->status[i] = *line == 'S' ? 0 : *line == 'A' ? -1 :
		    *line;
	}
	for (i = 0; i < MESSAGES; i++)
		expected->count += expected->status[i] != -1;
}

static char *
story_write(size_t *len)
{
	struct told	told;

	reopen(&told);
	sent(0);
	sent(1);
	answered(0, 'K');
	sent(2);
	answered(1, 'Z');
	sent(3);
	answered(2, 'D');
	sent(1);
	ATF_REQUIRE_EQ(0, journal_commit());
	return (lines_read(len));
}

ATF_TC(truncated);
ATF_TC_HEAD(truncated, tc)
{
	atf_tc_set_md_var(tc, "descr", "the file ends at any byte");
}
ATF_TC_BODY(truncated, tc)
{
	struct told	 told, expected;
	char		*story;
	size_t		 len, cut;

	world_begin();
	messages_make(MESSAGES);
	story = story_write(&len);
	for (cut = 0; cut <= len; cut++) {
		file_put(story, cut, cut % 3 * 200);
		told_expect(&expected, story, cut);
		reopen(&told);
		ATF_REQUIRE_EQ_MSG(0, memcmp(&told, &expected, sizeof(told)),
		    "cut at %zu: %zu told, %zu expected", cut, told.count,
		    expected.count);
		/* It was written anew: the tail is gone, nothing else. */
		reopen(&told);
		ATF_REQUIRE_EQ_MSG(0, memcmp(&told, &expected, sizeof(told)),
		    "cut at %zu, once more", cut);
		/* And it goes on. */
		sent(7);
		ATF_REQUIRE_EQ(0, journal_commit());
		reopen(&told);
		ATF_REQUIRE_EQ(0, told.status[7]);
	}
	free(story);
}

ATF_TC(damaged);
ATF_TC_HEAD(damaged, tc)
{
	atf_tc_set_md_var(tc, "descr", "any byte of the file is wrong");
}
ATF_TC_BODY(damaged, tc)
{
	struct told	 told;
	char		*story;
	size_t		 len, i;
	int		 n;

	world_begin();
	messages_make(MESSAGES);
	story = story_write(&len);
	for (i = 0; i < len; i++) {
		story[i] = (char)(story[i] ^ 0x15);
		file_put(story, len, i % 2 * 300);
		story[i] = (char)(story[i] ^ 0x15);
		reopen(&told);
		/* One line, or two that became one, is what it costs. */
		for (n = 4; n < MESSAGES; n++)
			ATF_REQUIRE_EQ(-1, told.status[n]);
		ATF_REQUIRE_MSG(told.count >= 2 && told.count <= 4,
		    "byte %zu: %zu told", i, told.count);
	}
	file_put("", 0, 0);
	reopen(&told);
	ATF_REQUIRE_EQ(0, told.count);
	file_put("", 0, 1000);
	reopen(&told);
	ATF_REQUIRE_EQ(0, told.count);
	free(story);
}

/*
 * A power cut: of the file there is any beginning that is no shorter than
 * what was synced last; of the messages that were removed since their
 * directory was synced any may be there again.
 */

#define WINDOW		2
#define STEPS_MAX	64

/* What the world outside is like after each step. */
struct step {
	size_t	synced;			/* bytes of the journal */
	size_t	written;
	int	accepted[MESSAGES];	/* the customer has it */
	int	sent[MESSAGES];		/* relay has it */
};

static struct step	steps[STEPS_MAX];
static size_t		nsteps;
static size_t		synced;

static size_t
written(void)
{
	size_t	len;

	free(lines_read(&len));
	return (len);
}

static void
synced_note(int fd)
{
	struct stat	st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    faccessat(queue.state_fd, "journal", F_OK, 0) == 0)
		synced = written();
}

static void
step_note(const struct step *now)
{
	ATF_REQUIRE(nsteps < STEPS_MAX);
	steps[nsteps] = *now;
	steps[nsteps].synced = synced;
	steps[nsteps].written = written();
	nsteps++;
}

/* As a run does it: note, commit, send; answered, note, remove. */
static char *
steps_make(size_t *len)
{
	struct step	now;
	struct told	told;
	int		i;

	memset(&now, 0, sizeof(now));
	disk.synced = synced_note;
	reopen(&told);
	step_note(&now);
	for (i = 0; i < MESSAGES; i += WINDOW / 2) {
		sent(i);
		step_note(&now);
		ATF_REQUIRE_EQ(0, journal_commit());
		step_note(&now);
		now.sent[i] = 1;
		step_note(&now);
		if (i + 1 < WINDOW)
			continue;
		now.accepted[i - WINDOW + 1] = 1;
		step_note(&now);
		answered(i - WINDOW + 1, 'K');
		step_note(&now);
	}
	return (lines_read(len));
}

/* What would be sent a second time, after this cut, if all came back. */
static int
cut_repeats(const struct step *step)
{
	struct told	told;
	int		i, repeats = 0;

	reopen(&told);
	for (i = 0; i < MESSAGES; i++) {
		if (!step->sent[i])
			continue;
		/* Nobody is sent what is not known as sent. */
		ATF_REQUIRE_MSG(told.status[i] != -1, "message %d was sent "
		    "and is not in the journal", i);
		if (step->accepted[i] && told.status[i] == 0)
			repeats++;
	}
	return (repeats);
}

ATF_TC(power_cut);
ATF_TC_HEAD(power_cut, tc)
{
	atf_tc_set_md_var(tc, "descr", "after any power cut what was sent is "
	    "known, and no more than a window may be sent twice");
}
ATF_TC_BODY(power_cut, tc)
{
	char	*story;
	size_t	 cut, len, i;
	int	 repeats, most = 0;

	world_begin();
	messages_make(MESSAGES);
	story = steps_make(&len);
	disk.synced = NULL;
	for (i = 0; i < nsteps; i++) {
		ATF_REQUIRE(steps[i].synced <= steps[i].written);
		for (cut = steps[i].synced; cut <= steps[i].written; cut++) {
			file_put(story, cut, cut % 2 * 500);
			repeats = cut_repeats(&steps[i]);
			most = repeats > most ? repeats : most;
			ATF_REQUIRE_MSG(repeats <= WINDOW, "step %zu, cut "
			    "at %zu: %d messages twice", i, cut, repeats);
		}
	}
	/* Some can't be helped: else nothing was tested. */
	ATF_REQUIRE(most > 0);
	free(story);
}

/*
 * Size
 */

#define MANY	6000

static void
journal_stat(struct stat *st)
{
	ATF_REQUIRE(fstatat(queue.state_fd, "journal", st, 0) == 0);
}

/* So many messages that are gone; how often there was a new file. */
static int
crowd(int n)
{
	struct stat	st, before, after;
	char		name[NAME_SIZE];
	int		i, files = 0;

	world_stat("new/0.message", &st);
	journal_stat(&before);
	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "new/%d.gone", i);
		ATF_REQUIRE_EQ(0, journal_sent(MAILDIR, name, &st));
		if (journal_commit() == -1)
			return (-1);
		journal_answered(MAILDIR, name, i % 2 ? 'K' : 'Z');
		journal_stat(&after);
		files += after.st_ino != before.st_ino;
		before = after;
		ATF_REQUIRE_MSG(after.st_size < 300 * 1024, "%lld bytes",
		    (long long)after.st_size);
	}
	return (files);
}

ATF_TC(bounded);
ATF_TC_HEAD(bounded, tc)
{
	atf_tc_set_md_var(tc, "descr", "the file does not grow for ever");
}
ATF_TC_BODY(bounded, tc)
{
	struct told	told;

	world_begin();
	messages_make(1);
	reopen(&told);
	ATF_REQUIRE(crowd(MANY) >= 2);
	/* One that is there is not forgotten by that. */
	sent(0);
	answered(0, 'K');
	ATF_REQUIRE(crowd(MANY) >= 2);
	reopen(&told);
	ATF_REQUIRE_EQ('K', told.status[0]);
}

/* Of an answered message that may come back nothing is dropped. */
ATF_TC(directory_sync_fails);
ATF_TC_HEAD(directory_sync_fails, tc)
{
	atf_tc_set_md_var(tc, "descr", "answers stay until the directory is "
	    "on disk");
}
ATF_TC_BODY(directory_sync_fails, tc)
{
	struct told	told;

	world_begin();
	messages_make(2);
	reopen(&told);
	sent(0);
	sent(1);
	ATF_REQUIRE_EQ(0, journal_commit());
	answered(0, 'K');
	answered(1, 'K');
	ATF_REQUIRE_EQ(0, journal_commit());
	removed(0);
	/* No sync at all works: the old file stays as it is. */
	disk.error = EIO;
	told_clear(&told);
	ATF_REQUIRE_EQ(-1, journal_open(told_visit, &told));
	ATF_REQUIRE(journal_trouble() != NULL);
	ATF_REQUIRE_EQ(2, told.count);
	disk.error = 0;
	ATF_REQUIRE_EQ(0, journal_commit());
	ATF_REQUIRE(journal_trouble() == NULL);
	reopen(&told);
	ATF_REQUIRE_EQ(1, told.count);
	ATF_REQUIRE_EQ('K', told.status[1]);
}

/*
 * Disks that are full, fail, can't be written
 */

ATF_TC(sync_fails);
ATF_TC_HEAD(sync_fails, tc)
{
	atf_tc_set_md_var(tc, "descr", "nothing is believed that was not "
	    "synced, and it mends itself");
}
ATF_TC_BODY(sync_fails, tc)
{
	struct told	told;

	world_begin();
	messages_make(MESSAGES);
	reopen(&told);
	sent(0);
	ATF_REQUIRE_EQ(0, journal_commit());
	sent(1);
	disk.error = EIO;
	ATF_REQUIRE_ERRNO(EIO, journal_commit() == -1);
	ATF_REQUIRE_STREQ(ucspi_strerror(EIO), journal_trouble());
	answered(0, 'K');
	sent(2);
	ATF_REQUIRE_ERRNO(EIO, journal_commit() == -1);
	disk.error = ENOSPC;
	ATF_REQUIRE_ERRNO(ENOSPC, journal_commit() == -1);
	ATF_REQUIRE_STREQ(ucspi_strerror(ENOSPC), journal_trouble());
	disk.error = 0;
	ATF_REQUIRE_EQ(0, journal_commit());
	ATF_REQUIRE(journal_trouble() == NULL);
	reopen(&told);
	ATF_REQUIRE_EQ(3, told.count);
	ATF_REQUIRE_EQ('K', told.status[0]);
	ATF_REQUIRE_EQ(0, told.status[1]);
	ATF_REQUIRE_EQ(0, told.status[2]);
}

ATF_TC(disk_full);
ATF_TC_HEAD(disk_full, tc)
{
	atf_tc_set_md_var(tc, "descr", "a file that can't grow");
}
ATF_TC_BODY(disk_full, tc)
{
	struct rlimit	rl, small;
	struct told	told;

	world_begin();
	messages_make(MESSAGES);
	reopen(&told);
	sent(0);
	ATF_REQUIRE_EQ(0, journal_commit());
	ATF_REQUIRE(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ATF_REQUIRE_EQ(0, getrlimit(RLIMIT_FSIZE, &rl));
	small = rl;
	small.rlim_cur = 1000;
	ATF_REQUIRE_EQ(0, setrlimit(RLIMIT_FSIZE, &small));
	/* What is there is no loss; there is no room for a new file. */
	ATF_REQUIRE_EQ(-1, crowd(MANY));
	sent(1);
	ATF_REQUIRE_EQ(-1, journal_commit());
	ATF_REQUIRE(journal_trouble() != NULL);
	ATF_REQUIRE_EQ(-1, faccessat(queue.state_fd, "journal.new", F_OK, 0));
	ATF_REQUIRE_EQ(0, setrlimit(RLIMIT_FSIZE, &rl));
	ATF_REQUIRE_EQ(0, journal_commit());
	ATF_REQUIRE(journal_trouble() == NULL);
	reopen(&told);
	ATF_REQUIRE_EQ(2, told.count);
	ATF_REQUIRE_EQ(0, told.status[0]);
	ATF_REQUIRE_EQ(0, told.status[1]);
}

ATF_TC(no_directory);
ATF_TC_HEAD(no_directory, tc)
{
	atf_tc_set_md_var(tc, "descr", "a state directory that is not there");
}
ATF_TC_BODY(no_directory, tc)
{
	struct told	told;

	world_begin();
	messages_make(1);
	ATF_REQUIRE_EQ(0, rename("state", "away"));
	ATF_REQUIRE_EQ(0, mkdir("state", 0700));
	close(queue.state_fd);
	queue.state_fd = open("state", O_RDONLY | O_DIRECTORY);
	ATF_REQUIRE_EQ(0, rmdir("state"));
	told_clear(&told);
	ATF_REQUIRE_ERRNO(ENOENT, journal_open(told_visit, &told) == -1);
	sent(0);
	ATF_REQUIRE_ERRNO(ENOENT, journal_commit() == -1);
	close(queue.state_fd);
	queue.state_fd = open("away", O_RDONLY | O_DIRECTORY);
	ATF_REQUIRE_EQ(0, journal_commit());
	reopen(&told);
	ATF_REQUIRE_EQ(1, told.count);
}

ATF_TC(no_regular_file);
ATF_TC_HEAD(no_regular_file, tc)
{
	atf_tc_set_md_var(tc, "descr", "something else is called journal");
}
ATF_TC_BODY(no_regular_file, tc)
{
	struct told	told;

	world_begin();
	messages_make(1);
	ATF_REQUIRE_EQ(0, mkfifoat(queue.state_fd, "journal", 0600));
	reopen(&told);
	ATF_REQUIRE_EQ(0, told.count);
	sent(0);
	ATF_REQUIRE_EQ(0, journal_commit());
	reopen(&told);
	ATF_REQUIRE_EQ(1, told.count);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, lives);
	ATF_TP_ADD_TC(tp, identity);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, damaged);
	ATF_TP_ADD_TC(tp, power_cut);
	ATF_TP_ADD_TC(tp, bounded);
	ATF_TP_ADD_TC(tp, directory_sync_fails);
	ATF_TP_ADD_TC(tp, sync_fails);
	ATF_TP_ADD_TC(tp, disk_full);
	ATF_TP_ADD_TC(tp, no_directory);
	ATF_TP_ADD_TC(tp, no_regular_file);
	return (atf_no_error());
}
