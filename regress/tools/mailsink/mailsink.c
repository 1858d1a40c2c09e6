/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * mailsink FILE: an SMTP server for one client on descriptors 0 and 1, for
 * ./bootstrap demo: takes every message and appends it to the file.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_SIZE	1024	/* longer ones come in pieces */

static void
say(const char *reply)
{
	fputs(reply, stdout);
	fputs("\r\n", stdout);
	if (fflush(stdout) == EOF)
		err(111, "write");
}

static int
line_is(const char *line, const char *word)
{
	return (strncasecmp(line, word, strlen(word)) == 0);
}

/* Ends with a dot alone; CR is left out. */
static void
message_take(FILE *box)
{
	char	line[LINE_SIZE], *end;
	int	begins = 1;

	say("354 go on");
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (begins && strcmp(line, ".\r\n") == 0) {
			if (fflush(box) == EOF)
				err(111, "file");
			say("250 ok");
			return;
		}
		end = line + strlen(line);
		if (end - line >= 2 && strcmp(end - 2, "\r\n") == 0) {
			end[-2] = '\n';
			end[-1] = '\0';
		}
		fputs(line + (begins && line[0] == '.'), box);
		begins = strchr(line, '\n') != NULL;
	}
	errx(111, "the client has gone");
}

static void
command_take(const char *line, FILE *box)
{
	if (line_is(line, "DATA"))
		message_take(box);
	else if (line_is(line, "EHLO"))
		say("250-sink\r\n250 PIPELINING");
	else if (line_is(line, "QUIT")) {
		say("221 bye");
		exit(0);
	} else if (line_is(line, "HELO") || line_is(line, "MAIL") ||
	    line_is(line, "RCPT") || line_is(line, "RSET"))
		say("250 ok");
	else
		say("502 what?");
}

int
main(int argc, char *argv[])
{
	char	line[LINE_SIZE];
	FILE	*box;

	if (argc != 2)
		errx(100, "usage: mailsink file");
	if ((box = fopen(argv[1], "a")) == NULL)
		err(111, "%s", argv[1]);
	say("220 sink");
	while (fgets(line, sizeof(line), stdin) != NULL)
		command_take(line, box);
	return (0);
}
