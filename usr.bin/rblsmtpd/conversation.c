/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Turning a client away, in its own language.  What it sends is read and
 * forgotten: nothing grows with it.
 */
#include <sys/types.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rblsmtpd.h"
#include "sandbox.h"
#include "ucspi_stream.h"

#define READ_SIZE	4096
#define WRITE_SIZE	4096
#define ALARM_S_MAX	100000000UL	/* alarm(3) of the BSDs takes no more */

#define GREETING	"220 rblsmtpd.local\r\n"
#define YES		"250 rblsmtpd.local\r\n"
#define GOODBYE		"221 rblsmtpd.local\r\n"

static char	out[WRITE_SIZE];
static size_t	out_len;

static void
time_over(int sig)
{
	_exit(0);
}

/* Of whole time: neither activity nor a full pipe puts it off. */
static void
time_limit(unsigned long seconds)
{
	struct sigaction	sa;
	sigset_t		set;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = time_over;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGALRM, &sa, NULL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)alarm((unsigned int)(seconds > ALARM_S_MAX ? ALARM_S_MAX :
	    seconds));
}

/* A client that can't be written to is none. */
static void
out_flush(void)
{
	if (stream_write(STDOUT_FILENO, out, out_len) == -1)
		_exit(0);
	out_len = 0;
}

/* Every line is much shorter than the buffer. */
static void
out_line(const char *line)
{
	size_t	len;

	len = strlen(line);
	if (len > sizeof(out) - out_len)
		out_flush();
	memcpy(out + out_len, line, len);
	out_len += len;
}

static __dead void
out_end(void)
{
	out_flush();
	_exit(0);
}

static void
command_answer(enum smtp_command command, const char *refusal)
{
	switch (command) {
	case SMTP_INCOMPLETE:
		break;
	case SMTP_HARMLESS:
		out_line(YES);
		break;
	case SMTP_QUIT:
		out_line(GOODBYE);
		out_end();
	case SMTP_OTHER:
		out_line(refusal);
		break;
	}
}

/*
 * The client is a stranger and this process has nothing left to do but to
 * talk to it.  A host that can't confine it is no reason to let the client
 * in; nor is a descriptor that someone made non-blocking, which takes more
 * to wait for.
 */
static void
conversation_confine(void)
{
	int	flags;

	flags = fcntl(STDIN_FILENO, F_GETFL) | fcntl(STDOUT_FILENO, F_GETFL);
	if ((flags & O_NONBLOCK) == 0)
		(void)sandbox_conversation();
}

__dead void
conversation_hold(const char *refusal, unsigned long seconds)
{
	static char		buf[READ_SIZE];
	struct smtp_line	line;
	ssize_t			i, n;

	time_limit(seconds);
	conversation_confine();
	memset(&line, 0, sizeof(line));
	out_line(GREETING);
	for (;;) {
		out_flush();
		n = stream_read(STDIN_FILENO, buf, sizeof(buf));
		if (n <= 0)
			_exit(0);
		for (i = 0; i < n; i++)
			command_answer(smtp_line_take(&line, (uint8_t)buf[i]),
			    refusal);
	}
}

__dead void
conversation_short(const char *refusal)
{
	out_line(refusal);
	out_end();
}
