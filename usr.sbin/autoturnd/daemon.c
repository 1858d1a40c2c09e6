/*
 * Copyright (c) 2026 the autoturnd developers.  ISC licence, see LICENSE.
 *
 * The parent's face: options, going into the background, signals, and what
 * the service manager is told.
 */
#include <sys/types.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "background.h"
#include "notify.h"
#include "parent.h"
#include "pidfile.h"

#define PID_PATH	RUNDIR "/autoturnd.pid"
#define EXIT_BAD	1		/* what the caller can mend */

struct options {
	const char	*conf_path;
	const char	*pid_path;	/* NULL: the default, if any */
	char		**defines;
	size_t		 defines_len;
	int		 check;		/* -n */
	int		 foreground;	/* -d */
	int		 verbose;	/* -v */
};

static struct event	hup_ev, int_ev, usr1_ev;
static int		pidfile_ours;	/* we have one */
static int		reload_wanted;	/* before everything ran */

static __dead void
usage(void)
{
	fprintf(stderr, "usage: autoturnd [-dnv] [-D macro=value] [-f file] "
	    "[-p pidfile] [-s socket]\n");
	exit(EXIT_BAD);
}

/*
 * Reports: to whoever is there
 */

static void
report_stderr(const char *line, void *arg)
{
	fprintf(stderr, "%s\n", line);
}

static void
report_log(const char *line, void *arg)
{
	log_warnx("%s", line);
}

/*
 * Options
 */

static void
define_add(struct options *o, char *word)
{
	char	**more;

	more = reallocarray(o->defines, o->defines_len + 2, sizeof(*more));
	if (more == NULL)
		fatal("-D");
	more[o->defines_len++] = word;
	more[o->defines_len] = NULL;
	o->defines = more;
}

static void
options_parse(struct options *o, int argc, char **argv)
{
	static char	*none[] = { NULL };
	int		 letter;

	memset(o, 0, sizeof(*o));
	o->conf_path = CONF_PATH;
	while ((letter = getopt(argc, argv, "dD:f:np:s:v")) != -1)
		switch (letter) {
		case 'd':
			o->foreground = 1;
			break;
		case 'D':
			define_add(o, optarg);
			break;
		case 'f':
			o->conf_path = optarg;
			break;
		case 'n':
			o->check = 1;
			break;
		case 'p':
			o->pid_path = optarg;
			break;
		case 's':
			parent.control_path = optarg;
			break;
		case 'v':
			o->verbose = 1;
			break;
		default:
			usage();
		}
	if (optind != argc)
		usage();
	parent.defines = o->defines != NULL ? o->defines : none;
}

static char *
path_full(const char *path)
{
	char	*full;

	if ((full = background_path(path)) == NULL)
		fatal("%s", path);
	return (full);
}

static void
paths_set(struct options *o)
{
	parent.conf_path = path_full(o->conf_path);
	if (o->pid_path != NULL)
		o->pid_path = path_full(o->pid_path);
	if (parent.control_path != NULL)
		parent.control_path =
		    path_full(parent.control_path);
}

/*
 * -n: nothing is bound, locked or written
 */

/* What its users may do there is tried even so; there may be no books yet. */
static int
spools_check(struct autoturnd_conf *conf)
{
	struct privsep_hello	 hello;
	struct conf_spool	*cs;
	int			 bad = 0;

	TAILQ_FOREACH(cs, &conf->spools, entry) {
		if (spool_user_find(cs, report_stderr, NULL) == -1) {
			bad = -1;
			continue;
		}
		identity_spool(&hello, cs);
		bad |= spool_prove(cs, &hello, NULL, report_stderr, NULL);
	}
	return (bad);
}

static __dead void
conf_check(const struct options *o)
{
	struct autoturnd_conf	*conf;

	conf = autoturnd_conf_load(parent.conf_path, parent.defines,
	    report_stderr, NULL);
	if (conf == NULL || spools_check(conf) != 0)
		exit(EXIT_BAD);
	if (o->verbose) {
		autoturnd_conf_print(stdout, conf);
		if (fflush(stdout) == EOF)
			fatal("standard output");
	}
	fprintf(stderr, "configuration OK\n");
	exit(0);
}

/*
 * The background
 */

/* What has a name by now goes again. */
static __dead void
start_failed(const char *what)
{
	log_warn("%s", what);
	exit(UCSPI_EXIT_TEMPORARY);
}

static void
pidfile_fill(void)
{
	if (pidfile_ours && pidlock_write() == -1)
		log_warn("pid file");
}

static void
pidfile_take(const struct options *o)
{
	const char	*path = o->pid_path;
	pid_t		 other;

	if (path == NULL && o->foreground)
		return;
	if (path == NULL)
		path = PID_PATH;
	pidfile_ours = pidlock_open(path, &other) == 0;
	if (pidfile_ours)
		return;
	if (errno == EEXIST)
		fprintf(stderr, "autoturnd: %s: another one runs, pid %d\n",
		    path, (int)other);
	else
		fprintf(stderr, "autoturnd: %s: %s\n", path,
		    strerror(errno));
	exit(EXIT_BAD);
}

static void
log_begin(const struct options *o)
{
	if (o->foreground)
		return;
	/* 1: nobody listens there yet. */
	if (log_syslog_open(NULL) == -1)
		start_failed("syslog");
	log_syslog(parent.conf->log_facility);
}

/*
 * Reloading
 */

static void
manager_tell_ready(void)
{
	(void)notify_ready("serving");
}

int
daemon_reload(parent_report *report, void *arg)
{
	int	error;

	if (processes_stopping) {
		report("the daemon is about to end", arg);
		return (-1);
	}
	(void)notify_reloading((uint64_t)clock_us());
	error = configure_reload(report, arg);
	if (error == 0)
		log_info("configuration reloaded");
	else
		log_warnx("configuration not reloaded, the old one stays");
	manager_tell_ready();
	return (error);
}

static void
hup_event(int sig, short event, void *arg)
{
	if (!processes_running)
		reload_wanted = 1;
	else
		(void)daemon_reload(report_log, NULL);
}

static void
int_event(int sig, short event, void *arg)
{
	parent_stop(0);
}

/* Other daemons open their logs again at this. Programs don't ignore it. */
static void
usr1_event(int sig, short event, void *arg)
{
}

/*
 * Start and end
 */

static void
daemon_started(void)
{
	background_ready();
	manager_tell_ready();
	if (reload_wanted)
		(void)daemon_reload(report_log, NULL);
}

static void
daemon_end(void)
{
	(void)notify_stopping();
	sockets_end();
	pokes_end();
	pidlock_remove();
}

static void
signals_catch(void)
{
	signal_set(&hup_ev, SIGHUP, hup_event, NULL);
	signal_set(&int_ev, SIGINT, int_event, NULL);
	signal_set(&usr1_ev, SIGUSR1, usr1_event, NULL);
	if (signal_add(&hup_ev, NULL) == -1 ||
	    signal_add(&int_ev, NULL) == -1 ||
	    signal_add(&usr1_ev, NULL) == -1)
		fatalx("signal_add");
}

/* Who asks for a reload before we listen to that must not end us. */
static void
reload_hold(int how)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(how, &set, NULL);
}

static void
configure_first(void)
{
	struct autoturnd_conf	*conf;

	parent.started_at = parent.loaded_at = time(NULL);
	conf = autoturnd_conf_load(parent.conf_path, parent.defines,
	    report_stderr, NULL);
	if (conf == NULL ||
	    configure_apply(conf, report_stderr, NULL) == -1)
		exit(EXIT_BAD);
}

static void
parent_prepare(char *argv0)
{
	static char	exe[PATH_MAX];

	if (privsep_exe_path(argv0, exe, sizeof(exe)) == -1)
		strlcpy(exe, SBINDIR "/autoturnd", sizeof(exe));
	parent.exe_path = exe;
	parent.started = daemon_started;
}

__dead void
daemon_main(int argc, char **argv)
{
	struct options	 o;
	const char	*what;

	if (privsep_fds_open() == -1)
		exit(UCSPI_EXIT_TEMPORARY);
	log_init("autoturnd", NULL, 0);
	if (notify_init() == -1)
		log_warn("NOTIFY_SOCKET");
	options_parse(&o, argc, argv);
	paths_set(&o);
	if (o.check)
		conf_check(&o);
	reload_hold(SIG_BLOCK);
	parent_prepare(argv[0]);
	parent.syslog = !o.foreground;
	parent.verbose = o.verbose;
	pidfile_take(&o);
	if (atexit(daemon_end) == -1)
		fatal("atexit");
	configure_first();
	if (!o.foreground && background_enter("autoturnd", &what) == -1)
		start_failed(what);
	if (chdir("/") == -1)
		start_failed("/");
	if (privsep_fds_nothing() == -1)
		start_failed("descriptors");
	log_begin(&o);
	parent_init();
	signals_catch();
	reload_hold(SIG_UNBLOCK);
	pidfile_fill();
	parent_run();
}
