/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The classic face: ucspi-tcp's tcpserver command line, one service, in the
 * foreground.
 */
#include <sys/socket.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "../../libexec/tcpserverd-resolver/resolver.h"

#define CLASSIC_LETTERS	"46dDvqQhHrR1UXx:t:u:g:l:b:B:c:pPoO"
#define CLASSIC_USAGE	\
	"tcpserver: usage: tcpserver [ -1UXpPhHrRoOdDqQv ] [ -c limit ] " \
	"[ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] " \
	"[ -l localname ] [ -t timeout ] host port program\n"

#define BACKLOG_DEFAULT		20
#define SESSIONS_DEFAULT	40
#define IDENT_TIMEOUT_S		26
#define PORT_TRIES		32	/* for one free in both families */

/* The command line, as it was understood. */
struct classic {
	const char	*host;
	uint16_t	 port;
	char		**program;
	unsigned long	 backlog;
	int		 print_port;
	int		 family;	/* AF_UNSPEC, or as -4 / -6 force */
	int		 set_gid;
	int		 set_uid;
	gid_t		 gid;
	uid_t		 uid;
	const char	*banner;
	const char	*rules;
	const char	*local_name;
	struct service_settings	 set;
};

static uint16_t	listen_port;
static int	print_port;

/* Written as it is: the classic programs don't add to it. */
static __dead void
classic_usage(void)
{
	(void)!write(STDERR_FILENO, CLASSIC_USAGE, sizeof(CLASSIC_USAGE) - 1);
	exit(UCSPI_EXIT_USAGE);
}

static __dead void
classic_quiet_usage(int quiet)
{
	if (quiet)
		exit(UCSPI_EXIT_USAGE);
	classic_usage();
}

/*
 * Users and groups
 */

static int
is_number(const char *s)
{
	return (s[0] != '\0' && s[strspn(s, "0123456789")] == '\0');
}

static __dead void
id_unknown(const char *what, const char *word)
{
	fprintf(stderr, "tcpserver: fatal: unable to find %s %s\n", what,
	    word);
	exit(UCSPI_EXIT_USAGE);
}

/* A number: 0 means "do not switch", as it did.  A name must be known. */
static void
user_option(struct classic *c, const char *word)
{
	struct passwd	*pw;

	if (is_number(word)) {
		c->uid = (uid_t)ucspi_scan_ulong(word);
		c->set_uid = c->uid != 0;
		return;
	}
	if ((pw = getpwnam(word)) == NULL)
		id_unknown("user", word);
	c->uid = pw->pw_uid;
	c->set_uid = c->uid != 0;
	if (!c->set_gid) {
		c->gid = pw->pw_gid;
		c->set_gid = c->gid != 0;
	}
}

static void
group_option(struct classic *c, const char *word)
{
	struct group	*gr;

	if (is_number(word))
		c->gid = (gid_t)ucspi_scan_ulong(word);
	else if ((gr = getgrnam(word)) != NULL)
		c->gid = gr->gr_gid;
	else
		id_unknown("group", word);
	c->set_gid = c->gid != 0;
}

static void
environment_ids(struct classic *c)
{
	const char	*s;

	if ((s = getenv("UID")) != NULL) {
		c->uid = (uid_t)ucspi_scan_ulong(s);
		c->set_uid = c->uid != 0;
	}
	if ((s = getenv("GID")) != NULL) {
		c->gid = (gid_t)ucspi_scan_ulong(s);
		c->set_gid = c->gid != 0;
	}
}

/*
 * Options
 */

static void
flag_set(struct classic *c, uint32_t flag, int on)
{
	if (on)
		c->set.flags |= flag;
	else
		c->set.flags &= ~flag;
}

static void
option_letter(struct classic *c, int letter)
{
	switch (letter) {
	case '1':
		c->print_port = 1;
		break;
	case '4':
		c->family = AF_INET;
		break;
	case '6':
		c->family = AF_INET6;
		break;
	case 'U':
		environment_ids(c);
		break;
	case 'X':
		flag_set(c, SERVICE_RULES_OPTIONAL, 1);
		break;
	case 'p':
	case 'P':
		flag_set(c, SERVICE_PARANOID, letter == 'p');
		break;
	case 'h':
	case 'H':
		flag_set(c, SERVICE_REMOTE_NAME, letter == 'h');
		break;
	case 'r':
	case 'R':
		flag_set(c, SERVICE_IDENT, letter == 'r');
		break;
	case 'o':
	case 'O':
		flag_set(c, SERVICE_IP_OPTIONS, letter == 'o');
		break;
	case 'd':
	case 'D':
		flag_set(c, SERVICE_NODELAY, letter == 'D');
		break;
	case 'q':
		c->set.log_level = LOG_LEVEL_QUIET;
		break;
	case 'Q':
		c->set.log_level = LOG_LEVEL_ERRORS;
		break;
	case 'v':
		c->set.log_level = LOG_LEVEL_VERBOSE;
		break;
	default:
		classic_usage();
	}
}

static void
option_argument(struct classic *c, int letter, const char *arg)
{
	switch (letter) {
	case 'b':
		c->backlog = ucspi_scan_ulong(arg);
		break;
	case 'B':
		c->banner = arg;
		break;
	case 'c':
		c->set.sessions_max = ucspi_scan_ulong(arg);
		break;
	case 'g':
		group_option(c, arg);
		break;
	case 'l':
		c->local_name = arg;
		break;
	case 't':
		c->set.ident_timeout_s = (uint32_t)ucspi_scan_ulong(arg);
		break;
	case 'u':
		user_option(c, arg);
		break;
	case 'x':
		c->rules = arg;
		break;
	default:
		option_letter(c, letter);
	}
}

static void
options_default(struct classic *c)
{
	memset(c, 0, sizeof(*c));
	c->backlog = BACKLOG_DEFAULT;
	c->family = AF_UNSPEC;
	c->banner = "";
	c->set.log_level = LOG_LEVEL_ERRORS;
	c->set.flags = SERVICE_CLASSIC | SERVICE_REMOTE_NAME | SERVICE_IDENT;
	c->set.sessions_max = SESSIONS_DEFAULT;
	c->set.ident_timeout_s = IDENT_TIMEOUT_S;
}

static void
options_parse(struct classic *c, char **argv)
{
	struct ucspi_option	o;
	char			**operand;
	int			letter, quiet;

	options_default(c);
	ucspi_option_init(&o, argv, CLASSIC_LETTERS);
	while ((letter = ucspi_option_next(&o)) != -1)
		option_argument(c, letter, o.arg);
	operand = argv + o.ind;
	quiet = c->set.log_level == LOG_LEVEL_QUIET;
	if (operand[0] == NULL || operand[1] == NULL)
		classic_quiet_usage(quiet);
	log_init("tcpserver", NULL, quiet);
	c->host = operand[0];
	if (ucspi_port_find(operand[1], &c->port) == -1)
		fatalx("unable to figure out port number for %s", operand[1]);
	if (operand[2] == NULL)
		classic_quiet_usage(quiet);
	c->program = operand + 2;
}

/*
 * Host
 */

/* -1: the word is no address and has to be looked up. */
static int
host_literal(const struct classic *c, struct netaddr *addr, int *both)
{
	*both = 0;
	memset(addr, 0, sizeof(*addr));
	addr->family = AF_INET;
	if (c->host[0] == '\0' || strcmp(c->host, "0") == 0) {
		if (c->family == AF_INET6)
			addr->family = AF_INET6;
		return (0);
	}
	if (netaddr_parse(addr, c->host) == -1)
		return (-1);
	if (strcmp(c->host, "::") == 0) {
		*both = c->family == AF_UNSPEC;
		addr->family = c->family == AF_INET ? AF_INET : AF_INET6;
	}
	return (0);
}

static void
host_resolve(const struct classic *c, struct netaddr *addr)
{
	static struct resolver_addresses	found;
	struct resolver_host			ask;

	memset(&ask, 0, sizeof(ask));
	ask.want_v4 = c->family != AF_INET6;
	ask.want_v6 = c->family == AF_INET6;
	if (strlcpy(ask.word, c->host, sizeof(ask.word)) >= sizeof(ask.word)) {
		found.error = EPROTO;
	} else if (parent_resolve(&ask, &found) == -1)
		fatalx("temporarily unable to figure out IP address for %s: "
		    "no resolver", c->host);
	if (found.error != 0) {
		errno = found.error;
		fatal("temporarily unable to figure out IP address for %s",
		    c->host);
	}
	if (found.count == 0)
		fatalx("no IP address for %s", c->host);
	*addr = found.addr[0];
}

/*
 * Listening
 */

static void
listener_add(struct service *sv, int fd, const struct classic *c,
    const struct netaddr *addr, uint16_t port)
{
	int	backlog = c->backlog > INT_MAX ? INT_MAX : (int)c->backlog;

	if (listen(fd, backlog) == -1)
		fatal("unable to listen");
	service_listener_add(sv, fd, backlog, addr, port);
}

/* Both families on one port: two sockets, as all our systems can do. */
static void
listen_both(struct service *sv, const struct classic *c)
{
	struct netaddr	 any;
	const char	*what;
	uint16_t	 port;
	int		 tries, v4, v6;

	memset(&any, 0, sizeof(any));
	for (tries = 0; tries < PORT_TRIES; tries++) {
		port = c->port;
		any.family = AF_INET6;
		if ((v6 = listen_open(&any, &port, 1, &what)) == -1)
			fatal("unable to %s", what);
		any.family = AF_INET;
		if ((v4 = listen_open(&any, &port, 0, &what)) != -1) {
			listener_add(sv, v4, c, &any, port);
			any.family = AF_INET6;
			listener_add(sv, v6, c, &any, port);
			listen_port = port;
			return;
		}
		if (c->port != 0 || errno != EADDRINUSE)
			break;
		close(v6);
	}
	fatal("unable to %s", what);
}

static void
listen_one(struct service *sv, const struct classic *c,
    const struct netaddr *addr)
{
	const char	*what;
	int		 fd;

	listen_port = c->port;
	if ((fd = listen_open(addr, &listen_port, 1, &what)) == -1)
		fatal("unable to %s", what);
	listener_add(sv, fd, c, addr, listen_port);
}

static void
listen_classic(struct service *sv, const struct classic *c)
{
	struct netaddr	addr;
	int		both;

	if (host_literal(c, &addr, &both) == -1)
		host_resolve(c, &addr);
	if (both)
		listen_both(sv, c);
	else
		listen_one(sv, c, &addr);
}

/*
 * The service
 */

/* Who is not root can only stay who he is: the kernel says so now. */
static void
identity_try(const struct classic *c)
{
	gid_t	gid = c->gid;

	if (geteuid() == 0)
		return;
	if (c->set_gid && (setgroups(1, &gid) == -1 || setgid(gid) == -1))
		fatal("unable to set gid");
	if (c->set_uid && setuid(c->uid) == -1)
		fatal("unable to set uid");
}

static void
settings_copy(struct service *sv, const struct classic *c)
{
	char	name[SERVICE_NAME_SIZE];

	strlcpy(name, sv->settings.name, sizeof(name));
	sv->settings = c->set;
	strlcpy(sv->settings.name, name, sizeof(sv->settings.name));
	sv->settings.banner_len = strlen(c->banner);
	sv->banner = c->banner;
	sv->sessions_high = c->set.sessions_max;
	sv->launch.argv = c->program;
	if (c->local_name != NULL) {
		sv->settings.flags |= SERVICE_LOCAL_NAME;
		if (strlcpy(sv->settings.local_name, c->local_name,
		    LOCAL_NAME_SIZE) >= LOCAL_NAME_SIZE)
			fatalx("local name: longer than %d bytes",
			    LOCAL_NAME_SIZE - 1);
	}
	if (c->rules != NULL) {
		sv->settings.flags |= SERVICE_RULES;
		if (strlcpy(sv->settings.rules_path, c->rules, PATH_MAX) >=
		    PATH_MAX)
			fatalx("rules: %s", ucspi_strerror(ENAMETOOLONG));
	}
}

static int
resolver_wanted(const struct service_settings *set)
{
	return (!(set->flags & SERVICE_LOCAL_NAME) ||
	    (set->flags & (SERVICE_REMOTE_NAME | SERVICE_IDENT)));
}

/*
 * Everything is ready: who waits for the port (-1) may read it, and who
 * waits for the end of our output is not kept waiting.
 */
static void
classic_started(void)
{
	struct service	*sv = TAILQ_FIRST(&config.services);

	if (print_port) {
		printf("%u\n", listen_port);
		fflush(stdout);
	}
	if (privsep_fds_nothing() == -1)
		fatal("unable to set up descriptors");
	if (sv->settings.log_level == LOG_LEVEL_VERBOSE)
		fprintf(stderr, "tcpserver: status: 0/%llu\n",
		    (unsigned long long)sv->settings.sessions_max);
}

__dead void
classic_main(int argc, char **argv)
{
	struct classic	 c;
	struct service	*sv;

	if (privsep_fds_open() == -1)
		exit(UCSPI_EXIT_TEMPORARY);
	options_parse(&c, argv);
	print_port = c.print_port;
	process_exe_find(argv[0]);
	config.started = classic_started;
	parent_init();
	if ((sv = service_new("tcpserver")) == NULL)
		fatal("service");
	settings_copy(sv, &c);
	identity_service(sv, c.set_gid, c.gid, c.set_uid, c.uid);
	identity_find(&config.identity, sv);
	listen_classic(sv, &c);
	identity_try(&c);
	if (c.set_uid && !c.set_gid && geteuid() == 0)
		log_warnx("-u without -g: supplementary groups are dropped, "
		    "gid stays %u", (unsigned int)getegid());
	config.resolver_wanted = resolver_wanted(&sv->settings);
	parent_run();
}
