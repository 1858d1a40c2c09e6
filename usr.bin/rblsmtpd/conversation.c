/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Turning a client away, in its own language.  What it sends is read and
 * forgotten: nothing grows with it.
 */
#include <sys/types.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rblsmtpd.h"

#define READ_SIZE	4096
#define WRITE_SIZE	4096

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
	(void)alarm(seconds > INT_MAX ? INT_MAX : (unsigned int)seconds);
}

/* A client that can't be written to is none. */
static void
out_flush(void)
{
	size_t	done = 0;
	ssize_t	n;

	while (done < out_len) {
		n = write(STDOUT_FILENO, out + done, out_len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0);
		done += (size_t)n;
	}
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

__dead void
conversation_hold(const char *refusal, unsigned long seconds)
{
	static char		buf[READ_SIZE];
	struct smtp_line	line;
	ssize_t			i, n;

	time_limit(seconds);
	memset(&line, 0, sizeof(line));
	out_line(GREETING);
	for (;;) {
		out_flush();
		n = read(STDIN_FILENO, buf, sizeof(buf));
		if (n == -1 && errno == EINTR)
			continue;
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
