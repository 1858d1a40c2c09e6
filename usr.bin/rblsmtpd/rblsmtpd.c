/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * rblsmtpd: becomes an SMTP server, or turns the client away in its place.
 */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rblsmtpd.h"

#define LETTERS	"bBcCr:a:t:"
#define USAGE	\
	"rblsmtpd: usage: rblsmtpd [ -b ] [ -R ] [ -t timeout ] " \
	"[ -r base ] [ -a base ] smtpd [ arg ... ]\n"

#define TIMEOUT_S	60
/* A code, a blank, the text, CR and LF. */
#define REFUSAL_SIZE	(SMTP_TEXT_SIZE + 6)

static __dead void
usage(void)
{
	(void)!write(STDERR_FILENO, USAGE, sizeof(USAGE) - 1);
	exit(UCSPI_EXIT_USAGE);
}

/* What the rules of tcpserver have to say comes before any list. */
static void
judgement_init(struct judgement *j)
{
	const char	*said;

	memset(j, 0, sizeof(*j));
	if ((said = getenv("RBLSMTPD")) == NULL)
		return;
	if (*said == '\0') {
		j->decision = ACCEPT;
		return;
	}
	j->decision = *said == '-' ? REFUSE : REFUSE_NOW;
	if (*said == '-')
		said++;
	smtp_text_clean(j->text, said, strlen(said));
}

static void
option_act(struct judgement *j, int letter, const char *arg,
    unsigned long *timeout_s)
{
	switch (letter) {
	case 'b':
	case 'B':
		j->refuse_for_good = letter == 'b';
		break;
	case 'c':
	case 'C':
		j->fail_closed = letter == 'c';
		break;
	case 'a':
		lists_accept(j, arg);
		break;
	case 'r':
		lists_refuse(j, arg);
		break;
	case 't':
		*timeout_s = ucspi_scan_ulong(arg);
		break;
	default:
		usage();
	}
}

static __dead void
client_refuse(const struct judgement *j, unsigned long timeout_s)
{
	char		 refusal[REFUSAL_SIZE];
	const char	*ip;
	int		 code;

	code = j->decision == REFUSE ? 553 : 451;
	if ((ip = getenv("TCPREMOTEIP")) == NULL)
		ip = "";
	(void)dprintf(STDERR_FILENO, "rblsmtpd: %s pid %ld: %d %s\n", ip,
	    (long)getpid(), code, j->text);
	(void)snprintf(refusal, sizeof(refusal), "%d %s\r\n", code, j->text);
	if (timeout_s == 0)
		conversation_short(refusal);
	conversation_hold(refusal, timeout_s);
}

static __dead void
server_run(char **argv)
{
	int	error;

	error = ucspi_path_run(argv[0], argv);
	(void)dprintf(STDERR_FILENO, "rblsmtpd: fatal: unable to run %s: %s\n",
	    argv[0], ucspi_strerror(error));
	exit(UCSPI_EXIT_TEMPORARY);
}

int
main(int argc, char *argv[])
{
	struct judgement	judgement;
	struct ucspi_option	o;
	unsigned long		timeout_s = TIMEOUT_S;
	int			letter;

	judgement_init(&judgement);
	ucspi_option_init(&o, argv, LETTERS);
	while ((letter = ucspi_option_next(&o)) != -1)
		option_act(&judgement, letter, o.arg, &timeout_s);
	lists_done();
	argv += o.ind;
	if (argv[0] == NULL)
		usage();
	if (judgement.decision == REFUSE || judgement.decision == REFUSE_NOW)
		client_refuse(&judgement, timeout_s);
	server_run(argv);
}
