/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Who a spool belongs to, where its books are, and the proof, before anything
 * is started, that its user can do there what is to be done.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "spool.h"

#define STATE_MODE	0711
#define OWN_STATE_MODE	0700
#define ERRORS_MAX	20		/* of one spool */

/*
 * The Maildirs of a spool
 */

/* Exactly as netaddr_text() writes it: an address has one directory. */
int
spool_address(const char *name, struct netaddr *addr)
{
	char	text[NETADDR_TEXT_SIZE];

	return (netaddr_parse(addr, name) == 0 &&
	    strcmp(netaddr_text(addr, text), name) == 0);
}

/* One that can't be looked into counts: that is to be said. */
static int
is_maildir(int spool, const char *name, struct stat *st)
{
	char	path[MAILDIR_NAME_SIZE + 8];
	int	n;

	n = snprintf(path, sizeof(path), "%s/new", name);
	if (n < 0 || (size_t)n >= sizeof(path) ||
	    fstatat(spool, name, st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISDIR(st->st_mode))
		return (0);
	if (fstatat(spool, path, st, AT_SYMLINK_NOFOLLOW) == -1)
		return (errno != ENOENT);
	return (S_ISDIR(st->st_mode));
}

typedef int maildir_tell(int, const char *, const struct stat *, void *);

static int
configured_walk(int spool, const struct conf_spool *cs, maildir_tell *tell,
    void *arg)
{
	const struct conf_customer	*cc;
	struct stat			 st;
	int				 ended = 0;

	TAILQ_FOREACH(cc, &cs->customers, entry)
		if (is_maildir(spool, cc->settings.maildir, &st) &&
		    (ended = tell(spool, cc->settings.maildir, &st,
		    arg)) != 0)
			break;
	return (ended);
}

static int
is_address(const char *name)
{
	struct netaddr	addr;

	return (spool_address(name, &addr));
}

static int
is_shown(const char *name)
{
	return (name[0] != '.');
}

/*
 * The Maildirs whose names are wanted: the function ends the walk with
 * anything but 0, which is returned.  -1: errno.
 */
static int
directory_walk(int spool, int (*wanted)(const char *), maildir_tell *tell,
    void *arg)
{
	struct dirent	*entry;
	struct stat	 st;
	DIR		*dir;
	int		 fd, ended = 0;

	if ((fd = openat(spool, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (dir = fdopendir(fd)) == NULL)
		return (-1);
	while (ended == 0 && (entry = readdir(dir)) != NULL)
		if (wanted(entry->d_name) &&
		    is_maildir(spool, entry->d_name, &st))
			ended = tell(spool, entry->d_name, &st, arg);
	closedir(dir);
	return (ended);
}

/* Each that is a customer's, or could be one's; as above. */
static int
customers_walk(int spool, const struct conf_spool *cs, maildir_tell *tell,
    void *arg)
{
	int	ended;

	ended = configured_walk(spool, cs, tell, arg);
	if (ended == 0 && cs->settings.addresses)
		ended = directory_walk(spool, is_address, tell, arg);
	return (ended);
}

static int
spool_open(const struct conf_spool *cs)
{
	return (open(cs->settings.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/*
 * Whose they are
 */

struct owner_search {
	const struct conf_spool	*conf;
	parent_report		*report;
	void			*arg;
	int			 found;
	uid_t			 uid;
	gid_t			 gid;
	char			 first[MAILDIR_NAME_SIZE];
};

static const char *
uid_text(uid_t uid, char *buf, size_t size)
{
	struct passwd	*pw = getpwuid(uid);

	if (pw != NULL)
		snprintf(buf, size, "%s", pw->pw_name);
	else
		snprintf(buf, size, "uid %lu", (unsigned long)uid);
	return (buf);
}

static int
owner_compare(int spool, const char *name, const struct stat *st, void *arg)
{
	struct owner_search	*s = arg;
	char			 one[64], other[64];

	if (!s->found) {
		s->found = 1;
		s->uid = st->st_uid;
		s->gid = st->st_gid;
		strlcpy(s->first, name, sizeof(s->first));
		return (0);
	}
	if (s->uid == st->st_uid)
		return (0);
	configure_tell(s->report, s->arg, "%s:%d: spool \"%s\": its Maildirs "
	    "have several owners: \"%s\" is %s's, \"%s\" is %s's: say user",
	    s->conf->file, s->conf->line, s->conf->settings.path, s->first,
	    uid_text(s->uid, one, sizeof(one)), name,
	    uid_text(st->st_uid, other, sizeof(other)));
	return (1);
}

/* Root is nobody's mail's user. */
static int
owner_take(struct conf_spool *cs, const struct owner_search *s)
{
	struct passwd	*pw;

	if (!s->found || s->uid == 0) {
		configure_tell(s->report, s->arg, s->found ?
		    "%s:%d: spool \"%s\": its Maildirs are root's: say user" :
		    "%s:%d: spool \"%s\": there is no Maildir yet whose owner "
		    "it could belong to: say user", cs->file, cs->line,
		    cs->settings.path);
		return (-1);
	}
	cs->uid = s->uid;
	cs->gid = (pw = getpwuid(s->uid)) != NULL ? pw->pw_gid : s->gid;
	return (0);
}

static int
user_not_ours(const struct conf_spool *cs, parent_report *report, void *arg)
{
	if (cs->user == NULL || cs->uid == geteuid())
		return (0);
	configure_tell(report, arg, "%s:%d: spool \"%s\": user %s: only root "
	    "can start a process as another user", cs->file, cs->line,
	    cs->settings.path, cs->user);
	return (1);
}

int
spool_user_find(struct conf_spool *cs, parent_report *report, void *arg)
{
	struct owner_search	s = { .conf = cs, .report = report,
				    .arg = arg };
	int			fd, n;

	if (geteuid() != 0) {
		if (user_not_ours(cs, report, arg))
			return (-1);
		cs->uid = geteuid();
		cs->gid = getegid();
		return (0);
	}
	if (cs->user != NULL)
		return (0);
	if ((fd = spool_open(cs)) == -1) {
		configure_tell(report, arg, "%s:%d: spool \"%s\": %s",
		    cs->file, cs->line, cs->settings.path, strerror(errno));
		return (-1);
	}
	if ((n = directory_walk(fd, is_shown, owner_compare, &s)) == -1)
		configure_tell(report, arg, "%s:%d: spool \"%s\": %s",
		    cs->file, cs->line, cs->settings.path, strerror(errno));
	close(fd);
	return (n != 0 ? -1 : owner_take(cs, &s));
}

/*
 * The state directory
 */

/*
 * What another user left there becomes this one's: regular files only, that
 * he cannot have linked there from elsewhere.
 */
static void
state_file_give(int dir, const char *name, const struct conf_spool *cs,
    uid_t before)
{
	struct stat	st;
	int		fd;

	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_uid == before)
		(void)!fchown(fd, cs->uid, cs->gid);
	close(fd);
}

static int
state_files_give(int fd, const struct conf_spool *cs, uid_t before)
{
	struct dirent	*entry;
	DIR		*dir;
	int		 copy;

	if ((copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1 || (dir = fdopendir(copy)) == NULL)
		return (-1);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			state_file_give(fd, entry->d_name, cs, before);
	closedir(dir);
	return (0);
}

static int
state_own(int fd, const struct conf_spool *cs)
{
	struct stat	st;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (geteuid() == 0 && st.st_uid != cs->uid &&
	    (fchown(fd, cs->uid, cs->gid) == -1 ||
	    state_files_give(fd, cs, st.st_uid) == -1))
		return (-1);
	if ((st.st_mode & 07777) != OWN_STATE_MODE &&
	    fchmod(fd, OWN_STATE_MODE) == -1)
		return (-1);
	return (0);
}

static int
directory_make(const char *path, mode_t mode)
{
	int	fd;

	if (mkdir(path, mode) == 0) {
		if (chmod(path, mode) == -1)
			return (-1);
	} else if (errno != EEXIST)
		return (-1);
	/* Not what somebody else could have put there. */
	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		return (-1);
	return (fd);
}

int
spool_state_make(const struct conf_spool *cs, const char *state,
    parent_report *report, void *arg)
{
	char	path[PATH_MAX];
	int	error, fd;

	if (spool_state_path(state, cs->settings.path, path,
	    sizeof(path)) == -1) {
		configure_tell(report, arg, "%s:%d: spool \"%s\": no state "
		    "directory can be named after it: %s", cs->file, cs->line,
		    cs->settings.path, strerror(errno));
		return (-1);
	}
	if ((fd = directory_make(state, STATE_MODE)) == -1) {
		configure_tell(report, arg, "state directory \"%s\": %s",
		    state, strerror(errno));
		return (-1);
	}
	close(fd);
	error = -1;
	if ((fd = directory_make(path, OWN_STATE_MODE)) != -1)
		error = state_own(fd, cs);
	if (error == -1)
		configure_tell(report, arg, "state directory \"%s\": %s",
		    path, strerror(errno));
	if (fd != -1)
		close(fd);
	return (error);
}

/*
 * The proof, by a child that then is the queue's user
 */

struct proof {
	const struct conf_spool	*conf;
	int			 fd;		/* where errors go */
	unsigned int		 errors;
};

static void
proof_error(struct proof *pf, const char *dir, const char *below,
    const char *what)
{
	char	who[64], line[PATH_MAX + 512];
	int	error = errno, n;

	if (++pf->errors > ERRORS_MAX)
		return;
	n = snprintf(line, sizeof(line), "%s:%d: %s \"%s%s%s\": %s, as "
	    "%s\n", pf->conf->file, pf->conf->line, what, dir,
	    below[0] == '\0' ? "" : "/", below, strerror(error),
	    uid_text(geteuid(), who, sizeof(who)));
	if (n > 0)
		(void)!write(pf->fd, line, (size_t)n < sizeof(line) ?
		    (size_t)n : sizeof(line) - 1);
}

/* Mail is read and removed there, and moved aside. */
static int
proof_maildir(int spool, const char *name, const struct stat *st, void *arg)
{
	struct proof	*pf = arg;
	char		 path[MAILDIR_NAME_SIZE + 8];
	int		 fd;

	snprintf(path, sizeof(path), "%s/new", name);
	fd = openat(spool, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		proof_error(pf, pf->conf->settings.path, path, "Maildir");
	else if (faccessat(spool, path, W_OK | X_OK, AT_EACCESS) == -1)
		proof_error(pf, pf->conf->settings.path, path,
		    "Maildir, to write");
	else if (faccessat(spool, name, W_OK | X_OK, AT_EACCESS) == -1)
		proof_error(pf, pf->conf->settings.path, name,
		    "Maildir, to write");
	if (fd != -1)
		close(fd);
	return (0);
}

static void
proof_customers(struct proof *pf, int spool)
{
	struct conf_customer	*cc;
	struct stat		 st;

	TAILQ_FOREACH(cc, &pf->conf->customers, entry)
		if (fstatat(spool, cc->settings.maildir, &st, 0) == -1 &&
		    errno != ENOENT)
			proof_error(pf, pf->conf->settings.path,
			    cc->settings.maildir, "Maildir");
}

static void
proof_state(struct proof *pf, const char *path)
{
	char	name[] = "proof";
	int	dir, fd = -1;

	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir != -1)
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW |
		    O_CLOEXEC, 0600);
	if (fd == -1 || unlinkat(dir, name, 0) == -1)
		proof_error(pf, path, "", "state directory, to write");
	if (fd != -1)
		close(fd);
	if (dir != -1)
		close(dir);
}

static __dead void
proof_child(const struct conf_spool *cs, const struct privsep_hello *hello,
    const char *state_path, int fd)
{
	struct proof	pf = { .conf = cs, .fd = fd };
	int		spool;

	privsep_drop(hello);
	if ((spool = spool_open(cs)) == -1)
		proof_error(&pf, cs->settings.path, "", "spool");
	else {
		proof_customers(&pf, spool);
		if (customers_walk(spool, cs, proof_maildir, &pf) == -1)
			proof_error(&pf, cs->settings.path, "", "spool");
	}
	if (state_path != NULL)
		proof_state(&pf, state_path);
	_exit(pf.errors != 0);
}

static void
proof_tell(int fd, parent_report *report, void *arg)
{
	char	*line = NULL;
	size_t	 size = 0;
	ssize_t	 len;
	FILE	*f;

	if ((f = fdopen(fd, "r")) == NULL) {
		close(fd);
		return;
	}
	while ((len = getline(&line, &size, f)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		report(line, arg);
	}
	free(line);
	fclose(f);
}

static int
proof_failed(const struct conf_spool *cs, parent_report *report, void *arg)
{
	configure_tell(report, arg, "%s:%d: spool \"%s\": unable to try it: "
	    "%s", cs->file, cs->line, cs->settings.path, strerror(errno));
	return (-1);
}

int
spool_prove(const struct conf_spool *cs, const struct privsep_hello *hello,
    const char *state_path, parent_report *report, void *arg)
{
	pid_t	pid;
	int	p[2], status;

	if (pipe2(p, O_CLOEXEC) == -1)
		return (proof_failed(cs, report, arg));
	if ((pid = fork()) == -1) {
		close(p[0]);
		close(p[1]);
		return (proof_failed(cs, report, arg));
	}
	if (pid == 0)
		proof_child(cs, hello, state_path, p[1]);
	close(p[1]);
	proof_tell(p[0], report, arg);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return (proof_failed(cs, report, arg));
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1);
}
