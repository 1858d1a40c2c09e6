/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * tcpclient: makes a connection and becomes a program that uses it.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tcpclient.h"

#define LETTERS	"46hHrRdDqQvi:p:T:l:t:"
#define USAGE	\
	"tcpclient: usage: tcpclient [ -hHrRdDqQv ] [ -i localip ] " \
	"[ -p localport ] [ -T timeoutconn ] [ -l localname ] " \
	"[ -t timeoutinfo ] host port program\n"

/* What the program finds its connection on. */
#define FD_READ		6
#define FD_WRITE	7

#define FIRST_S		2
#define SECOND_S	58
#define IDENT_TIMEOUT_S	26

static enum log_level	log_level = LOG_ERRORS;
static uint16_t		port;

void
log_line(enum log_level level, const char *fmt, ...)
{
	char	*line;
	va_list	 ap;
	int	 len;

	if (level > log_level)
		return;
	va_start(ap, fmt);
	len = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (len == -1)
		return;
	(void)dprintf(STDERR_FILENO, "tcpclient: %s", line);
	free(line);
}

__dead void
die(int error, const char *fmt, ...)
{
	char	*what;
	va_list	 ap;
	int	 len;

	va_start(ap, fmt);
	len = vasprintf(&what, fmt, ap);
	va_end(ap);
	if (len == -1)
		_exit(UCSPI_EXIT_TEMPORARY);
	if (error == 0)
		log_line(LOG_ERRORS, "fatal: %s\n", what);
	else
		log_line(LOG_ERRORS, "fatal: %s: %s\n", what,
		    ucspi_strerror(error));
	exit(UCSPI_EXIT_TEMPORARY);
}

/* -q silences it, too, if it came before what is wrong. */
static __dead void
usage(int quiet)
{
	if (!quiet)
		(void)!write(STDERR_FILENO, USAGE, sizeof(USAGE) - 1);
	exit(UCSPI_EXIT_USAGE);
}

static void
patience_option(struct client *c, const char *arg)
{
	c->first_s = ucspi_scan_ulong(arg);
	while (isdigit((unsigned char)*arg))
		arg++;
	c->second_s = *arg == '+' ? ucspi_scan_ulong(arg + 1) : 0;
}

static void
option_letter(struct client *c, int letter)
{
	switch (letter) {
	case '4':
		c->want |= NAME_WANT_V4;
		break;
	case '6':
		c->want |= NAME_WANT_V6;
		break;
	case 'd':
	case 'D':
		c->nodelay = letter == 'D';
		break;
	case 'h':
	case 'H':
		c->remote_name = letter == 'h';
		break;
	case 'r':
	case 'R':
		c->ident = letter == 'r';
		break;
	case 'q':
		log_level = LOG_QUIET;
		break;
	case 'Q':
		log_level = LOG_ERRORS;
		break;
	case 'v':
		log_level = LOG_VERBOSE;
		break;
	default:
		usage(0);
	}
}

static void
option_argument(struct client *c, int letter, const char *arg)
{
	switch (letter) {
	case 'i':
		if (host_local(&c->local, arg) == -1)
			usage(0);
		break;
	case 'l':
		c->local_name = arg;
		break;
	case 'p':
		c->local_port = (uint16_t)ucspi_scan_ulong(arg);
		break;
	case 't':
		c->ident_timeout_s = ucspi_scan_ulong(arg);
		break;
	case 'T':
		patience_option(c, arg);
		break;
	default:
		option_letter(c, letter);
	}
}

static void
options_parse(struct client *c, char **argv)
{
	struct ucspi_option	  o;
	char			**operand;
	int			  letter;

	memset(c, 0, sizeof(*c));
	c->remote_name = c->ident = 1;
	c->ident_timeout_s = IDENT_TIMEOUT_S;
	c->first_s = FIRST_S;
	c->second_s = SECOND_S;
	ucspi_option_init(&o, argv, LETTERS);
	while ((letter = ucspi_option_next(&o)) != -1)
		option_argument(c, letter, o.arg);
	operand = argv + o.ind;
	if (operand[0] == NULL || operand[1] == NULL || operand[2] == NULL)
		usage(log_level == LOG_QUIET);
	c->host = operand[0];
	c->program = operand + 2;
	if (ucspi_port_find(operand[1], &port) == -1)
		die(0, "unable to figure out port number for %s", operand[1]);
	c->port = port;
}

/*
 * No socket of ours may land on a standard descriptor that is closed, where
 * our messages would then go.  The program finds it closed again.
 */
static void
descriptors_guard(void)
{
	int	fd;

	(void)close(FD_READ);
	(void)close(FD_WRITE);
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= STDIN_FILENO && fd <= STDERR_FILENO);
	if (fd != -1)
		(void)close(fd);
}

/* The socket may already be one of the two. */
static void
descriptors_set(int fd)
{
	int	result;

	if (fd == FD_READ)
		result = fcntl(fd, F_SETFD, 0);
	else {
		result = dup2(fd, FD_READ);
		if (fd != FD_WRITE)
			(void)close(fd);
	}
	if (result == -1 || dup2(FD_READ, FD_WRITE) == -1)
		die(errno, "unable to set up descriptors");
}

static void
connect_failed(const struct netaddr *addr, int error)
{
	char	text[NETADDR_TEXT_SIZE];

	log_line(LOG_ERRORS, "unable to connect to %s port %u: %s\n",
	    netaddr_text(addr, text), port, ucspi_strerror(error));
}

static int
client_connect(const struct client *c, struct netaddr *remote)
{
	static struct netaddr	addr[NAME_ADDRS_MAX];
	struct connect_plan	plan;
	int			fd, on = 1;

	memset(&plan, 0, sizeof(plan));
	plan.addr = addr;
	plan.count = host_addresses(c, addr, NAME_ADDRS_MAX);
	plan.port = c->port;
	plan.local = c->local;
	plan.local_port = c->local_port;
	plan.first_s = c->first_s;
	plan.second_s = c->second_s;
	plan.failed = connect_failed;
	switch (connect_addresses(&plan, &fd, remote)) {
	case CONNECT_DONE:
		break;
	case CONNECT_NONE:
		exit(UCSPI_EXIT_TEMPORARY);
	case CONNECT_SOCKET:
		die(errno, "unable to create socket");
	case CONNECT_BIND:
		die(errno, "unable to bind socket");
	}
	if (c->nodelay)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
	return (fd);
}

static __dead void
client_run(const struct client *c, const struct ucspi_env *env)
{
	char	**candidates;
	int	  error;

	candidates = ucspi_path_candidates(c->program[0], getenv("PATH"));
	if (candidates == NULL)
		die(0, "out of memory");
	(void)signal(SIGPIPE, SIG_DFL);
	error = ucspi_path_exec(candidates, c->program, env->list);
	free(candidates);
	die(error, "unable to run %s", c->program[0]);
}

int
main(int argc, char *argv[])
{
	struct client		client;
	struct description	description;
	struct netaddr		remote;
	struct ucspi_env	env;
	int			fd;

	descriptors_guard();
	(void)signal(SIGPIPE, SIG_IGN);
	options_parse(&client, argv);
	fd = client_connect(&client, &remote);
	describe_connection(&description, &client, fd, &remote);
	host_names_done();
	describe_environment(&env, &description);
	descriptors_set(fd);
	client_run(&client, &env);
}
