/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A service in the parent: its sockets and queues, which outlive every
 * child, and what engine and launchers are told of it.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parent.h"

#define CHUNK_MAX	8192		/* bytes in one message */
#define GENERATION_BITS	12
#define QUEUE_BYTES	(START_RECORD_MAX * 4)

static uint32_t	service_number;
static uint32_t	listener_number;

static int
queue_open(int sv[2])
{
	int	bytes = QUEUE_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		return (-1);
	/* Some systems' default is less than our longest record. */
	(void)setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(sv[1], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return (0);
}

static int
queues_open(struct service *sv)
{
	int	report[2], saved;

	if (queue_open(sv->starts) == -1)
		return (-1);
	if (queue_open(report) == -1) {
		saved = errno;
		close(sv->starts[0]);
		close(sv->starts[1]);
		errno = saved;
		return (-1);
	}
	sv->reports[0] = report[1];	/* written by the launchers */
	sv->reports[1] = report[0];
	return (0);
}

struct service *
service_new(const char *name)
{
	struct service	*sv;
	int		 saved;

	if ((sv = calloc(1, sizeof(*sv))) == NULL)
		return (NULL);
	if (queues_open(sv) == -1) {
		saved = errno;
		free(sv);
		errno = saved;
		return (NULL);
	}
	sv->number = service_number++;
	strlcpy(sv->settings.name, name, sizeof(sv->settings.name));
	TAILQ_INIT(&sv->orphans);
	TAILQ_INIT(&sv->listeners);
	sv->rules_fd = -1;
	sv->sync_needed = 1;
	sv->rules_error = -1;
	TAILQ_INSERT_TAIL(&config.services, sv, entry);
	return (sv);
}

struct service *
service_find(uint32_t number)
{
	struct service	*sv;

	TAILQ_FOREACH(sv, &config.services, entry)
		if (sv->number == number)
			return (sv);
	return (NULL);
}

int
service_existed(uint32_t number)
{
	return (number < service_number);
}

void
service_free(struct service *sv)
{
	struct orphan	*o;

	while ((o = TAILQ_FIRST(&sv->orphans)) != NULL) {
		TAILQ_REMOVE(&sv->orphans, o, entry);
		free(o);
	}
	service_listeners_close(sv);
	close(sv->starts[0]);
	close(sv->starts[1]);
	close(sv->reports[0]);
	close(sv->reports[1]);
	if (sv->rules_fd != -1)
		close(sv->rules_fd);
	if (evtimer_initialized(&sv->sync_timer))
		evtimer_del(&sv->sync_timer);
	TAILQ_REMOVE(&config.services, sv, entry);
	free(sv);
}

/*
 * Listeners
 */

/* Takes fd. */
struct listener *
service_listener_add(struct service *sv, int fd, int backlog,
    const struct netaddr *addr, uint16_t port)
{
	struct listener	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("listener of %s", sv->settings.name);
	l->fd = fd;
	l->backlog = backlog;
	l->note.number = listener_number++;
	l->note.addr = *addr;
	l->note.port = l->asked = port;
	TAILQ_INSERT_TAIL(&sv->listeners, l, entry);
	return (l);
}

/* fd -1: it has gone to another service. */
void
service_listener_free(struct service *sv, struct listener *l)
{
	if (l->fd != -1)
		close(l->fd);
	TAILQ_REMOVE(&sv->listeners, l, entry);
	free(l);
}

void
service_listeners_close(struct service *sv)
{
	struct listener	*l;

	while ((l = TAILQ_FIRST(&sv->listeners)) != NULL)
		service_listener_free(sv, l);
}

/*
 * A child that died while it was told shows as the end of its channel:
 * failures to send are of no interest here.
 */
static void
tell(struct channel *ch, uint32_t type, struct service *sv, const void *data,
    size_t len)
{
	(void)channel_send(ch, type, sv->number, -1, data, len);
}

static void
tell_bytes(struct channel *ch, uint32_t type, struct service *sv,
    const char *data, size_t len)
{
	size_t	n;

	for (; len > 0; data += n, len -= n) {
		n = len < CHUNK_MAX ? len : CHUNK_MAX;
		tell(ch, type, sv, data, n);
	}
}

/* Ours stays open: the next child gets it again. */
static void
tell_fd(struct channel *ch, uint32_t type, struct service *sv, int fd,
    const void *data, size_t len)
{
	int	copy;

	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		log_warn("%s: descriptor", sv->settings.name);
		channel_break(ch);
		return;
	}
	if (channel_send(ch, type, sv->number, copy, data, len) == -1)
		close(copy);
}

int
service_starts_open(int fds[2])
{
	return (queue_open(fds));
}

/* Only we and the engine have the writing end. */
void
service_starts_renew(struct service *sv, const int fds[2])
{
	close(sv->starts[0]);
	close(sv->starts[1]);
	sv->starts[0] = fds[0];
	sv->starts[1] = fds[1];
	if (parent_engine() != NULL)
		tell_fd(parent_engine(), IMSG_ENGINE_STARTS, sv,
		    sv->starts[0], NULL, 0);
}

/* To an engine that may know the service already, and its listeners. */
void
service_settings_tell(struct service *sv, struct channel *ch)
{
	struct listener	*l;

	tell(ch, IMSG_ENGINE_SERVICE, sv, &sv->settings, sizeof(sv->settings));
	tell_bytes(ch, IMSG_ENGINE_BANNER, sv, sv->banner,
	    sv->settings.banner_len);
	TAILQ_FOREACH(l, &sv->listeners, entry)
		tell_fd(ch, IMSG_ENGINE_LISTENER, sv, l->fd, &l->note,
		    sizeof(l->note));
}

static int64_t
wall_ms(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1 || ts.tv_sec < 0)
		return (0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/*
 * Where the numbers of an engine's sessions begin: above those of every
 * engine before it, this daemon's and earlier ones', as long as they let in
 * less than 4096 in a millisecond, and exact in a double until 2039.
 */
static uint64_t
generation_of(const struct process *engine)
{
	static uint64_t	generation;
	static int64_t	ahead_ms;	/* wall clock, of the monotonic */
	static uint32_t	number;
	uint64_t	now;

	if (generation != 0 && engine->number == number)
		return (generation);
	if (generation == 0)
		ahead_ms = wall_ms() - clock_ms();
	now = (uint64_t)(ahead_ms + clock_ms() + 1) << GENERATION_BITS;
	if (now < generation + ((uint64_t)1 << GENERATION_BITS))
		now = generation + ((uint64_t)1 << GENERATION_BITS);
	number = engine->number;
	generation = now;
	return (generation);
}

/* To one that does not. */
void
service_tell_engine(struct service *sv, struct channel *ch)
{
	struct orphan	*o;

	sv->settings.generation = generation_of(ch->arg);
	service_settings_tell(sv, ch);
	tell_fd(ch, IMSG_ENGINE_STARTS, sv, sv->starts[0], NULL, 0);
	tell_fd(ch, IMSG_ENGINE_REPORTS, sv, sv->reports[0], NULL, 0);
	TAILQ_FOREACH(o, &sv->orphans, entry)
		tell(ch, IMSG_ENGINE_ORPHAN, sv, &o->note, sizeof(o->note));
}

static void
tell_word(struct channel *ch, uint32_t type, struct service *sv,
    const char *mark, const char *word)
{
	tell_bytes(ch, type, sv, mark, strlen(mark));
	tell_bytes(ch, type, sv, word, strlen(word) + 1);
}

static uint32_t
words_size(char *const *words, size_t mark_len, uint32_t *count)
{
	uint32_t	size = 0;

	for (*count = 0; words != NULL && words[*count] != NULL; (*count)++)
		size += (uint32_t)(mark_len + strlen(words[*count]) + 1);
	return (size);
}

static void
launcher_settings_fill(struct launcher_settings *set,
    const struct service *sv, const struct process *p)
{
	const struct launch	*la = &sv->launch;
	uint32_t		 n;

	memset(set, 0, sizeof(*set));
	set->number = p->number;
	set->log_level = sv->settings.log_level;
	set->classic = (sv->settings.flags & SERVICE_CLASSIC) != 0;
	set->log_facility = sv->settings.log_facility;
	if (config.setup != NULL)
		set->log_json = config.setup->log_json;
	strlcpy(set->name, sv->settings.name, sizeof(set->name));
	set->argv_len = words_size(la->argv, 0, &set->argc);
	set->environment_len = words_size(la->env_set, 1, &n);
	set->environment_len += words_size(la->env_unset, 1, &n);
	if (la->directory != NULL)
		strlcpy(set->directory, la->directory,
		    sizeof(set->directory));
}

void
service_tell_launcher(struct service *sv, struct process *p)
{
	struct launcher_settings	 set;
	const struct launch		*la = &sv->launch;
	struct channel			*ch = &p->ch;
	unsigned int			 i;

	launcher_settings_fill(&set, sv, p);
	tell(ch, IMSG_LAUNCHER_SERVICE, sv, &set, sizeof(set));
	for (i = 0; la->argv[i] != NULL; i++)
		tell_word(ch, IMSG_LAUNCHER_ARGV, sv, "", la->argv[i]);
	for (i = 0; la->env_unset != NULL && la->env_unset[i] != NULL; i++)
		tell_word(ch, IMSG_LAUNCHER_ENVIRONMENT, sv, "-",
		    la->env_unset[i]);
	for (i = 0; la->env_set != NULL && la->env_set[i] != NULL; i++)
		tell_word(ch, IMSG_LAUNCHER_ENVIRONMENT, sv, "=",
		    la->env_set[i]);
	for (i = 0; i < la->rlimits_len; i++)
		tell(ch, IMSG_LAUNCHER_RLIMIT, sv, &la->rlimits[i],
		    sizeof(la->rlimits[i]));
	tell_fd(ch, IMSG_LAUNCHER_STARTS, sv, sv->starts[1], NULL, 0);
	tell_fd(ch, IMSG_LAUNCHER_REPORTS, sv, sv->reports[1], NULL, 0);
	tell(ch, IMSG_LAUNCHER_CONFIGURED, sv, NULL, 0);
}

/*
 * Rules
 */

static int
rules_open_plain(const char *path)
{
	struct stat	st;
	int		fd;

	/* Whatever is there: opening a FIFO must not hang us. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if (fstat(fd, &st) == -1)
		goto bad;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		goto bad;
	}
	return (fd);
bad:
	close(fd);
	return (-1);
}

/*
 * With the identity of the service, as ucspi-tcp did: who may not read the
 * rules must not be judged by them.
 */
static int
rules_open(const struct service *sv)
{
	gid_t	groups[NGROUPS_MAX], egid = getegid();
	int	n = 0, fd, saved;

	if (geteuid() != 0 || (sv->uid == 0 && sv->gid == 0))
		return (rules_open_plain(sv->settings.rules_path));
	if ((n = getgroups(nitems(groups), groups)) == -1 ||
	    (sv->gid != 0 && (setgroups(1, &sv->gid) == -1 ||
	    setegid(sv->gid) == -1)) ||
	    (sv->gid == 0 && setgroups(0, NULL) == -1) ||
	    (sv->uid != 0 && seteuid(sv->uid) == -1))
		fatal("identity to open %s", sv->settings.rules_path);
	fd = rules_open_plain(sv->settings.rules_path);
	saved = errno;
	if ((sv->uid != 0 && seteuid(0) == -1) || setegid(egid) == -1 ||
	    setgroups(n, groups) == -1)
		fatal("identity after %s", sv->settings.rules_path);
	errno = saved;
	return (fd);
}

/*
 * Is a change of what the path names sure to show in the file that was
 * opened?  Not when a link leads there, or the file has a second name.
 */
static int
rules_reached_by_link(const char *path, int fd)
{
	char		 real[PATH_MAX], full[PATH_MAX];
	struct stat	 st;

	if (fstat(fd, &st) == -1 || st.st_nlink != 1 ||
	    realpath(path, real) == NULL)
		return (1);
	if (path[0] == '/')
		return (strcmp(real, path) != 0);
	if (getcwd(full, sizeof(full)) == NULL ||
	    strlcat(full, "/", sizeof(full)) >= sizeof(full) ||
	    strlcat(full, path, sizeof(full)) >= sizeof(full))
		return (1);
	return (strcmp(real, full) != 0);
}

/* fd -1: error is why.  1: the engine was told the same before. */
static int
rules_remember(struct service *sv, int fd, int error)
{
	struct stat	st;
	int		same;

	memset(&st, 0, sizeof(st));
	if (fd != -1 && fstat(fd, &st) == -1)
		return (0);
	same = sv->rules_error == error && sv->rules_dev == st.st_dev &&
	    sv->rules_ino == st.st_ino;
	sv->rules_error = error;
	sv->rules_dev = st.st_dev;
	sv->rules_ino = st.st_ino;
	return (same);
}

/* Takes fd; -1: error is why there is none. */
static void
rules_send(struct service *sv, struct channel *ch, int fd, int error)
{
	struct rules_answer	answer;

	memset(&answer, 0, sizeof(answer));
	answer.error = error;
	if (fd != -1 && !sv->rules_text)
		answer.ask_always =
		    rules_reached_by_link(sv->settings.rules_path, fd);
	if (channel_send(ch, IMSG_ENGINE_RULES, sv->number, fd, &answer,
	    sizeof(answer)) == -1 && fd != -1)
		close(fd);
}

/* Of the file, or of the database that was made of it. */
static int
rules_get(const struct service *sv)
{
	if (sv->rules_text && sv->rules_fd == -1)
		errno = ENOENT;		/* optional, and not there */
	if (sv->rules_text)
		return (sv->rules_fd == -1 ? -1 :
		    fcntl(sv->rules_fd, F_DUPFD_CLOEXEC, 0));
	return (rules_open(sv));
}

void
service_rules_send(struct service *sv, struct channel *ch)
{
	int	fd = rules_get(sv), error = fd == -1 ? errno : 0;

	(void)rules_remember(sv, fd, error);
	rules_send(sv, ch, fd, error);
}

void
service_rules_recheck(struct service *sv, struct channel *ch)
{
	int	fd, error;

	if (!(sv->settings.flags & SERVICE_RULES))
		return;
	if (sv->rules_text) {
		if (rules_text_recheck(sv))
			service_rules_send(sv, ch);
		return;
	}
	fd = rules_open(sv);
	error = fd == -1 ? errno : 0;
	if (!rules_remember(sv, fd, error))
		rules_send(sv, ch, fd, error);
	else if (fd != -1)
		close(fd);
}

/*
 * Orphans
 */

void
service_orphan_add(struct service *sv, const struct session_note *note)
{
	struct orphan	*o;

	TAILQ_FOREACH(o, &sv->orphans, entry)
		if (o->note.id == note->id)
			return;
	if ((o = calloc(1, sizeof(*o))) == NULL) {
		log_warn("%s: program %d", sv->settings.name, note->pid);
		return;
	}
	o->note = *note;
	TAILQ_INSERT_TAIL(&sv->orphans, o, entry);
	sv->orphans_len++;
	reaper_watch(note->pid);
}

void
service_orphan_gone(pid_t pid)
{
	struct service	*sv;
	struct orphan	*o, *next;

	TAILQ_FOREACH(sv, &config.services, entry)
		for (o = TAILQ_FIRST(&sv->orphans); o != NULL; o = next) {
			next = TAILQ_NEXT(o, entry);
			if (o->note.pid != pid)
				continue;
			TAILQ_REMOVE(&sv->orphans, o, entry);
			sv->orphans_len--;
			free(o);
		}
}
