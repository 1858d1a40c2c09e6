/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The client: names of files go to its standard input, results come from its
 * standard output, both at once and neither waiting for the other.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildirserial.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define NAME_SIZE	2048		/* what a result may begin with */
#define TEXT_SIZE	65536		/* the rest of a longer one is lost */
#define READ_SIZE	16384

/* A result: name, NUL, status byte, text, LF. */
struct record {
	enum { IN_NAME, AT_STATUS, IN_TEXT }	 where;
	size_t					 namelen;
	size_t					 textlen;
	int					 status;
	char					 name[NAME_SIZE];
	char					 text[TEXT_SIZE];
};

struct client {
	const struct client_calls	*calls;
	pid_t				 pid;
	int				 to;	/* -1 once it was told all */
	int				 from;
	char				*name;	/* being told, with its NUL */
	size_t				 left;
	char				*told;
	struct record			 record;
};

static __dead void
client_become(char **argv, int in, int out)
{
	if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		log_fatal("unable to set up descriptors: %s",
		    ucspi_strerror(errno));
	(void)signal(SIGPIPE, SIG_DFL);
	log_fatal("unable to run %s: %s", log_name(argv[0]),
	    ucspi_strerror(ucspi_path_run(argv[0], argv)));
}

static void
client_start(struct client *client, char **argv)
{
	int	in[2], out[2];

	if (stream_pipe(in) == -1 || stream_pipe(out) == -1)
		log_fatal("unable to create pipe: %s", ucspi_strerror(errno));
	if ((client->pid = fork()) == -1)
		log_fatal("unable to fork: %s", ucspi_strerror(errno));
	if (client->pid == 0)
		client_become(argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	client->to = in[1];
	client->from = out[0];
	if (fcntl(client->to, F_SETFL, O_NONBLOCK) == -1)
		log_fatal("unable to set up pipe: %s", ucspi_strerror(errno));
}

/* Makes name the one to be told; none: that was all. */
static void
name_begin(struct client *client, const char *name)
{
	size_t	len;

	free(client->told);
	client->told = client->name = NULL;
	client->left = 0;
	if (name == NULL) {
		if (client->to != -1)
			close(client->to);
		client->to = -1;
		return;
	}
	len = strlen(name) + 1;
	if ((client->told = strdup(name)) == NULL)
		log_fatal("out of memory");
	client->name = client->told;
	client->left = len;
}

/* As much as the pipe takes. */
static void
client_tell(struct client *client)
{
	ssize_t	n;

	while (client->to != -1) {
		if (client->left == 0) {
			name_begin(client,
			    client->calls->next(client->calls->arg));
			continue;
		}
		n = write(client->to, client->name, client->left);
		if (n == -1) {
			if (errno != EAGAIN && errno != EINTR)
				name_begin(client, NULL); /* it reads no more */
			return;
		}
		client->name += n;
		client->left -= (size_t)n;
	}
}

/* A name that is too long is nobody's, which its length tells. */
static void
record_end(struct client *client)
{
	struct record	*r = &client->record;

	r->name[r->namelen < NAME_SIZE ? r->namelen : 0] = '\0';
	r->text[r->textlen] = '\0';
	client->calls->result(client->calls->arg, r->name, r->status, r->text);
	r->where = IN_NAME;
	r->namelen = r->textlen = 0;
}

static void
record_byte(struct client *client, char c)
{
	struct record	*r = &client->record;

	switch (r->where) {
	case IN_NAME:
		if (c == '\0')
			r->where = AT_STATUS;
		else if (r->namelen < NAME_SIZE)
			r->name[r->namelen++] = c;
		break;
	case AT_STATUS:
		r->status = c;
		r->where = IN_TEXT;
		if (c == '\n')
			record_end(client);
		break;
	case IN_TEXT:
		if (c == '\n')
			record_end(client);
		else if (c != '\0' && r->textlen < TEXT_SIZE - 1)
			r->text[r->textlen++] = c;
		break;
	}
}

/* Returns 0 when there is no more to come. */
static int
client_hear(struct client *client)
{
	char	buf[READ_SIZE];
	ssize_t	i, n;

	n = read(client->from, buf, sizeof(buf));
	if (n == -1)
		return (errno == EINTR || errno == EAGAIN);
	for (i = 0; i < n; i++)
		record_byte(client, buf[i]);
	return (n > 0);
}

static void
client_talk(struct client *client)
{
	struct pollfd	pfd[2];

	for (;;) {
		client_tell(client);
		pfd[0].fd = client->from;
		pfd[0].events = POLLIN;
		pfd[1].fd = client->to;
		pfd[1].events = POLLOUT;
		pfd[0].revents = pfd[1].revents = 0;
		if (poll(pfd, client->to == -1 ? 1 : 2, -1) == -1) {
			if (errno == EINTR)
				continue;
			log_fatal("unable to poll: %s", ucspi_strerror(errno));
		}
		if (pfd[0].revents != 0 && !client_hear(client))
			return;
	}
}

int
client_run(char **argv, const char *first, const struct client_calls *calls)
{
	struct client	*client;
	int		 status;

	if ((client = calloc(1, sizeof(*client))) == NULL)
		log_fatal("out of memory");
	client->calls = calls;
	client_start(client, argv);
	name_begin(client, first);
	client_talk(client);
	name_begin(client, NULL);
	close(client->from);
	while (waitpid(client->pid, &status, 0) == -1) {
		if (errno != EINTR)
			log_fatal("unable to wait: %s", ucspi_strerror(errno));
	}
	free(client);
	return (status);
}
