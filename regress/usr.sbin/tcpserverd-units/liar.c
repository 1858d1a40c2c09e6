/*
 * The parent as it is, with children that lie.
 *
 *	SCENARIO="ROLE WORD" MARK=DIR liar
 *
 * The first child of that role behaves until it is ready, then does what
 * WORD says; the one that replaces it behaves.  An engine that behaves ends
 * the parent once the launchers were synced as often as that takes.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "configure.h"

static struct imsgbuf	ibuf;
static const char	*word;		/* of this child; NULL: behaves */

/*
 * In the children
 */

static __dead void
broken(const char *what)
{
	dprintf(STDERR_FILENO, "liar: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void
say_fd(uint32_t type, uint32_t id, int fd, const void *data, size_t len)
{
	if (imsg_compose(&ibuf, type, id, 0, fd, data, len) != 1 ||
	    imsgbuf_flush(&ibuf) == -1)
		broken("say");
}

static void
say(uint32_t type, uint32_t id, const void *data, size_t len)
{
	say_fd(type, id, -1, data, len);
}

static int
is(const char *w)
{
	return (word != NULL && strcmp(word, w) == 0);
}

/* Messages of the parent, until one of that type. */
static void
hear(uint32_t type, struct imsg *imsg)
{
	int	n;

	for (;;) {
		while ((n = imsgbuf_get(&ibuf, imsg)) == 0)
			if (imsgbuf_read(&ibuf) != 1)
				_exit(0);
		if (n == -1)
			broken("hear");
		if (imsg_get_type(imsg) == type)
			return;
		imsg_free(imsg);
	}
}

static void
hear_word(uint32_t type)
{
	struct imsg	imsg;

	hear(type, &imsg);
	imsg_free(&imsg);
}

/* Of the service that is returned. */
static uint32_t
order_hear(struct sync_order *order)
{
	struct imsg	imsg;
	uint32_t	id;

	hear(IMSG_ENGINE_SYNC, &imsg);
	id = imsg_get_id(&imsg);
	if (imsg_get_data(&imsg, order, sizeof(*order)) == -1)
		broken("order");
	imsg_free(&imsg);
	return (id);
}

/* The parent must end us. */
static __dead void
wait_for_the_end(void)
{
	for (;;)
		pause();
}

static long
parent_rss_kb(void)
{
	char	 path[64], line[256];
	FILE	*f;
	long	 kb = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)getppid());
	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	while (kb == -1 && fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "VmRSS: %ld", &kb);
	fclose(f);
	return (kb);
}

/*
 * Asks for signs of life as fast as the parent takes it, for a while after
 * it stopped to take any, and reads none.
 */
static void
flood(void)
{
	long	before = parent_rss_kb();
	int	i, idle = 0, flags;

	if ((flags = fcntl(PRIVSEP_FD, F_GETFL)) == -1 ||
	    fcntl(PRIVSEP_FD, F_SETFL, flags | O_NONBLOCK) == -1)
		broken("fcntl");
	for (i = 0; i < 500000 && idle < 200; i++) {
		if (imsgbuf_queuelen(&ibuf) < 1000 &&
		    imsg_compose(&ibuf, IMSG_PARENT_ALIVE_WANTED, 0, 0, -1,
		    NULL, 0) != 1)
			broken("flood");
		if (imsgbuf_queuelen(&ibuf) < 1000)
			continue;
		if (imsgbuf_write(&ibuf) == -1)
			broken("flood");
		if (imsgbuf_queuelen(&ibuf) >= 1000) {
			idle++;
			usleep(5000);
		} else
			idle = 0;
	}
	dprintf(STDERR_FILENO, "liar: flood: parent took %s, grew by %s\n",
	    idle == 200 ? "some" : "all",
	    parent_rss_kb() - before < 8192 ? "little" : "much");
	_exit(0);
}

/* Hundreds of descriptors nobody asked for. */
static void
descriptors(void)
{
	int	i, fd;

	for (i = 0; i < 500; i++) {
		if ((fd = open("/dev/null", O_RDONLY)) == -1)
			broken("open");
		say_fd(IMSG_PARENT_ALIVE_WANTED, 0, fd, NULL, 0);
		hear_word(IMSG_ENGINE_ALIVE);
	}
	dprintf(STDERR_FILENO, "liar: descriptors: all were answered\n");
	_exit(0);
}

static void
orphans(void)
{
	struct session_note	note;
	int			i;

	memset(&note, 0, sizeof(note));
	for (i = 0; i < 100000; i++) {
		note.id = (uint64_t)i;
		note.pid = getppid();		/* one that lives */
		say(IMSG_PARENT_ORPHAN, 0, &note, sizeof(note));
	}
}

/*
 * Ending sessions that are none
 */

static volatile sig_atomic_t	terminated;

static void
term_note(int sig)
{
	terminated = 1;
}

static void
orphan_say(pid_t pid)
{
	struct session_note	note;

	memset(&note, 0, sizeof(note));
	note.id = (uint64_t)pid;
	note.pid = pid;
	say(IMSG_PARENT_ORPHAN, 0, &note, sizeof(note));
}

/* Orders the end of a session of that number and pid; until it is done. */
static void
kill_say(pid_t pid)
{
	struct control_order	order;

	memset(&order, 0, sizeof(order));
	order.deed = CONTROL_KILL;
	order.session = (uint64_t)pid;
	order.pid = pid;
	say(IMSG_PARENT_CONTROL, 0, &order, sizeof(order));
	hear_word(IMSG_ENGINE_CONTROL_DONE);
}

/* Lives until the pipe is closed, then exits with 7. */
static pid_t
bystander_start(int *end)
{
	int	p[2];
	pid_t	pid;
	char	ch;

	if (pipe(p) == -1 || (pid = fork()) == -1)
		broken("bystander");
	if (pid == 0) {
		close(p[1]);
		(void)!read(p[0], &ch, 1);
		_exit(7);
	}
	close(p[0]);
	*end = p[1];
	return (pid);
}

/* One whose own parent has gone: it is the real parent's to wait for. */
static pid_t
orphan_start(void)
{
	int	p[2];
	pid_t	child, pid;

	if (pipe(p) == -1 || (child = fork()) == -1)
		broken("orphan");
	if (child == 0) {
		if ((pid = fork()) == 0) {
			alarm(60);
			wait_for_the_end();
		}
		(void)!write(p[1], &pid, sizeof(pid));
		_exit(0);
	}
	if (read(p[0], &pid, sizeof(pid)) != sizeof(pid) ||
	    waitpid(child, NULL, 0) == -1)
		broken("orphan");
	return (pid);
}

/* Who is no child of the parent's lives on, told of as an orphan or not. */
static void
kill_bystander(int told)
{
	int	end, status;
	pid_t	pid = bystander_start(&end);

	if (told)
		orphan_say(pid);
	kill_say(pid);
	close(end);
	if (waitpid(pid, &status, 0) != pid)
		broken("bystander");
	dprintf(STDERR_FILENO, "liar: kill: bystander: status %d\n", status);
}

static void
kill_ourselves(void)
{
	signal(SIGTERM, term_note);
	orphan_say(getpid());
	kill_say(getpid());
	signal(SIGTERM, SIG_DFL);
	dprintf(STDERR_FILENO, "liar: kill: engine: %s\n",
	    terminated ? "signalled" : "left alone");
}

static void
kill_orphan(void)
{
	struct session_note	note;
	struct imsg		imsg;
	pid_t			pid = orphan_start();

	orphan_say(pid);
	kill_say(pid);
	hear(IMSG_ENGINE_REAPED, &imsg);
	if (imsg_get_data(&imsg, &note, sizeof(note)) == -1 ||
	    note.pid != pid)
		broken("reaped");
	imsg_free(&imsg);
	dprintf(STDERR_FILENO, "liar: kill: orphan: status %d\n",
	    note.status);
}

/* Those that are started here are to die of it from their first moment. */
static __dead void
kills(void)
{
	signal(SIGTERM, SIG_DFL);
	kill_bystander(0);
	kill_bystander(1);
	kill_ourselves();
	kill_orphan();
	_exit(0);
}

/* Launchers for a service that has no program. */
static __dead void
launchers_want(void)
{
	int	i;

	for (i = 0; i < 3; i++) {
		say(IMSG_PARENT_LAUNCHER_WANTED, 1, NULL, 0);
		say(IMSG_PARENT_ALIVE_WANTED, 0, NULL, 0);
		hear_word(IMSG_ENGINE_ALIVE);
	}
	dprintf(STDERR_FILENO, "liar: launchers: all was answered\n");
	_exit(0);
}

static void
engine_lies(void)
{
	static const char	garbage[] = "220 mail.example ESMTP, hello";
	struct session_note	note;
	struct sync_order	order = { 1, 1 };
	struct imsg_hdr		hdr = { IMSG_PARENT_READY, 0x7fffffff, 0, 0 };

	memset(&note, 0, sizeof(note));
	note.pid = 4711;
	if (is("ready-twice"))
		say(IMSG_PARENT_READY, 0, NULL, 0);
	else if (is("unknown-type"))
		say(4711, 0, NULL, 0);
	else if (is("parents-type"))
		say(IMSG_ENGINE_STOP, 0, NULL, 0);
	else if (is("launchers-type"))
		say(IMSG_PARENT_SYNCED, 0, NULL, 0);
	else if (is("hello-again"))
		say(IMSG_PRIVSEP_HELLO, 0, NULL, 0);
	else if (is("unknown-service"))
		say(IMSG_PARENT_ALIVE_WANTED, 77, NULL, 0);
	else if (is("word-with-bytes"))
		say(IMSG_PARENT_ALIVE_WANTED, 0, "x", 1);
	else if (is("rules-without"))
		say(IMSG_PARENT_RULES_WANTED, 0, NULL, 0);
	else if (is("orphan-short"))
		say(IMSG_PARENT_ORPHAN, 0, &note, sizeof(note) - 1);
	else if (is("orphan-empty"))
		say(IMSG_PARENT_ORPHAN, 0, NULL, 0);
	else if (is("orphan-everybody")) {
		note.pid = -1;
		say(IMSG_PARENT_ORPHAN, 0, &note, sizeof(note));
	} else if (is("orphan-init")) {
		note.pid = 1;
		say(IMSG_PARENT_ORPHAN, 0, &note, sizeof(note));
	} else if (is("orphan-many"))
		orphans();
	else if (is("sync-short"))
		say(IMSG_PARENT_SYNCING, 0, &order, 4);
	else if (is("sync-future")) {
		order.number = 4711;
		say(IMSG_PARENT_SYNCING, 0, &order, sizeof(order));
	} else if (is("sync-twice")) {
		order_hear(&order);
		say(IMSG_PARENT_SYNCING, 0, &order, sizeof(order));
		say(IMSG_PARENT_SYNCING, 0, &order, sizeof(order));
	} else if (is("resolver-short"))
		say(IMSG_PARENT_RESOLVER_WANTED, 0, "x", 1);
	else if (is("garbage")) {
		order_hear(&order);	/* everything is up */
		(void)!write(PRIVSEP_FD, garbage, sizeof(garbage));
	} else if (is("endless")) {
		order_hear(&order);
		(void)!write(PRIVSEP_FD, &hdr, sizeof(hdr));
	} else if (is("hang-up"))
		close(PRIVSEP_FD);
	else if (is("flood"))
		flood();
	else if (is("descriptors"))
		descriptors();
	else if (is("kills"))
		kills();
	else if (is("wants-launchers"))
		launchers_want();
	else
		broken(word);
}

static void
launcher_lies(void)
{
	if (is("ready-twice"))
		say(IMSG_PARENT_READY, 0, NULL, 0);
	else if (is("unknown-type"))
		say(4711, 0, NULL, 0);
	else if (is("engines-type"))
		say(IMSG_PARENT_LAUNCHER_WANTED, 0, NULL, 0);
	else if (is("rules-wanted"))
		say(IMSG_PARENT_RULES_WANTED, 0, NULL, 0);
	else if (is("word-with-bytes"))
		say(IMSG_PARENT_SYNCED, 0, "x", 1);
	else if (is("synced-future"))
		say(IMSG_PARENT_SYNCED, 4711, NULL, 0);
	else if (is("garbage")) {
		hear_word(IMSG_LAUNCHER_SYNC);
		(void)!write(PRIVSEP_FD, "EHLO there\r\nMAIL FROM:<>\r\n", 26);
	} else if (is("hang-up"))
		close(PRIVSEP_FD);
	else
		broken(word);
}

/* Only in the first child that is to lie. */
static void
word_find(const char *role)
{
	const char	*scenario = getenv("SCENARIO");
	char		 mark[PATH_MAX];
	int		 fd;

	if (strncmp(scenario, role, strlen(role)) != 0)
		return;
	snprintf(mark, sizeof(mark), "%s/lied", getenv("MARK"));
	if ((fd = open(mark, O_CREAT | O_EXCL | O_WRONLY, 0600)) == -1)
		return;
	close(fd);
	word = scenario + strlen(role) + 1;
}

/* A wrong build, or no hello at all. */
static void
hello_lie(void)
{
	struct privsep_hello	hello;

	memset(&hello, 0, sizeof(hello));
	strlcpy(hello.build, "0.0-1", sizeof(hello.build));
	if (imsgbuf_init(&ibuf, PRIVSEP_FD) == -1)
		broken("hello");
	if (is("no-hello"))
		say(IMSG_PARENT_READY, 0, NULL, 0);
	else if (is("short-hello"))
		say(IMSG_PRIVSEP_HELLO, 0, &hello, 10);
	else
		say(IMSG_PRIVSEP_HELLO, 0, &hello, sizeof(hello));
	wait_for_the_end();
}

static void
child_begin(const char *role)
{
	struct privsep_hello	hello;

	word_find(role);
	log_init("liar", role, 0);
	if (is("no-hello") || is("short-hello") || is("other-build"))
		hello_lie();
	privsep_hello_receive(&ibuf, &hello);
}

/* Which sync is the last one that has to be seen. */
static __dead void
engine_behave(void)
{
	const char		*scenario = getenv("SCENARIO");
	struct sync_order	 order;
	unsigned int		 want = strncmp(scenario, "launcher", 8) == 0 ?
				    2 : 1;
	uint32_t		 id;

	do {
		id = order_hear(&order);
		say(IMSG_PARENT_SYNCING, id, &order, sizeof(order));
	} while (order.number < want);
	say(IMSG_PARENT_ALIVE_WANTED, 0, NULL, 0);
	hear_word(IMSG_ENGINE_ALIVE);
	dprintf(STDERR_FILENO, "liar: the parent is well\n");
	kill(getppid(), SIGTERM);
	hear_word(IMSG_ENGINE_STOP);
	_exit(0);
}

static __dead void
child(const char *role)
{
	int	engine = strcmp(role, "engine") == 0;

	signal(SIGTERM, SIG_IGN);
	child_begin(role);
	hear_word(engine ? IMSG_ENGINE_CONFIGURED : IMSG_LAUNCHER_CONFIGURED);
	say(IMSG_PARENT_READY, 0, NULL, 0);
	if (word != NULL) {
		if (engine)
			engine_lies();
		else
			launcher_lies();
		wait_for_the_end();
	}
	if (engine)
		engine_behave();
	hear_word(IMSG_LAUNCHER_STOP);
	_exit(0);
}

/*
 * The parent
 */

struct engine_setup	configure_setup;

int
configure_again(configure_report *report, void *arg)
{
	return (-1);
}

int
daemon_reload(configure_report *report, void *arg)
{
	return (-1);
}

static void
started(void)
{
}

static void
identity_fill(struct privsep_hello *h)
{
	memset(h, 0, sizeof(*h));
	strlcpy(h->build, privsep_build, sizeof(h->build));
	strlcpy(h->name, "liar", sizeof(h->name));
}

int
main(int argc, char **argv)
{
	static char	 exe[PATH_MAX], program[] = "true";
	static char	*words[] = { program, NULL };
	struct rlimit	 rl = { 64, 64 };
	struct service	*sv, *closed;

	if (argc == 3 && strcmp(argv[1], "-P") == 0)
		child(argv[2]);
	if (getenv("SCENARIO") == NULL || getenv("MARK") == NULL ||
	    setrlimit(RLIMIT_NOFILE, &rl) == -1 ||
	    privsep_fds_open() == -1 ||
	    privsep_exe_path(argv[0], exe, sizeof(exe)) == -1)
		return (1);
	log_init("liar", NULL, 0);
	config.exe_path = exe;
	config.started = started;
	config.control = order_carry_out;
	parent_init();
	if ((sv = service_new("liar")) == NULL ||
	    (closed = service_new("closed")) == NULL)
		fatal("service");
	sv->launch.argv = words;
	sv->settings.sessions_max = sv->sessions_high = 40;
	sv->settings.log_level = LOG_LEVEL_VERBOSE;
	identity_fill(&sv->launch.identity);
	closed->settings.flags = SERVICE_CLOSE;
	closed->settings.sessions_max = closed->sessions_high = 40;
	identity_fill(&closed->launch.identity);
	identity_fill(&config.identity);
	parent_run();
}
