/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Starts a resolver as its parent does, asks it, and prints what it says:
 *
 *	asker [-t seconds] resolver command ...
 *
 * Commands, sent one after the other without waiting:
 *	l,WHAT,LOCAL,PORT,REMOTE,PORT,TIMEOUT	a connection; WHAT: l r p i
 *	h,46,WORD	a host word; families wanted
 *	c,ID		cancel question ID (they count from 1)
 *	n,COUNT,...	the command that follows the comma, COUNT times
 *	bad,TYPE,LEN	a message of that type with LEN bytes of rubbish
 *	wait		until every question so far is answered
 *	new		the following come from another asker
 *	eof		this asker goes away
 *	parent-bad	a message the parent would never send
 *
 * Then waits for the answers left.  Output, in the order of arrival:
 *	ID local="..." remote=- info="..."	(- is "not found")
 *	ID addresses A B C
 *	ID error TEXT
 *	asker lost
 *	resolver ended STATUS
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep.h"
#include "ucspi.h"
#include "../../../libexec/tcpserverd-resolver/resolver.h"

#define ASKERS_MAX	8
#define QUESTIONS_MAX	8192

static struct imsgbuf	 parent, askers[ASKERS_MAX];
static int		 open_askers[ASKERS_MAX];
static int		 asker = -1;
static unsigned int	 asked, outstanding;
static int		 owners[QUESTIONS_MAX];	/* asker + 1, 0: answered */
static pid_t		 pid;
static int		 ended;

static void
found_print(const char *name, const struct resolver_found *f, uint32_t bit,
    const char *text)
{
	if (f->found & bit)
		printf(" %s=\"%s\"", name, text);
	else
		printf(" %s=-", name);
}

static void
question_close(unsigned int id)
{
	if (id >= QUESTIONS_MAX || owners[id] == 0)
		return;
	owners[id] = 0;
	outstanding--;
}

/* All questions of one asker, or of all (-1). */
static void
questions_close(int whose)
{
	unsigned int	id;

	for (id = 1; id <= asked; id++)
		if (whose == -1 || owners[id] == whose + 1)
			question_close(id);
}

static void
answer_print(struct imsg *imsg)
{
	static struct resolver_addresses	a;
	static struct resolver_found		f;
	char					buf[NETADDR_TEXT_SIZE];
	uint32_t				i;

	printf("%u", imsg_get_id(imsg));
	if (imsg_get_type(imsg) == IMSG_RESOLVER_FOUND) {
		if (imsg_get_data(imsg, &f, sizeof(f)) == -1)
			errx(1, "answer has another size");
		found_print("local", &f, RESOLVER_LOCAL_NAME, f.local_name);
		found_print("remote", &f, RESOLVER_REMOTE_NAME,
		    f.remote_name);
		found_print("info", &f, RESOLVER_IDENT, f.info);
	} else {
		if (imsg_get_data(imsg, &a, sizeof(a)) == -1)
			errx(1, "answer has another size");
		if (a.error != 0)
			printf(" error %s", ucspi_strerror(a.error));
		else
			printf(" addresses");
		for (i = 0; i < a.count; i++)
			printf(" %s", netaddr_text(&a.addr[i], buf));
	}
	printf("\n");
	question_close(imsg_get_id(imsg));
}

static void
asker_read(int i)
{
	struct imsg	imsg;
	int		n;

	if (imsgbuf_read(&askers[i]) != 1) {
		printf("asker lost\n");
		close(askers[i].fd);
		open_askers[i] = 0;
		questions_close(i);
		return;
	}
	while ((n = imsgbuf_get(&askers[i], &imsg)) == 1) {
		answer_print(&imsg);
		imsg_free(&imsg);
	}
	if (n == -1)
		errx(1, "answer is no message");
}

static void
parent_read(void)
{
	int	status;

	if (imsgbuf_read(&parent) == 1)
		return;
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	printf("resolver ended %d\n", status);
	ended = 1;
	questions_close(-1);
}

static void
answers_wait(void)
{
	struct pollfd	pfd[ASKERS_MAX + 1];
	int		i, index[ASKERS_MAX + 1], n;

	while (outstanding > 0 && !ended) {
		for (i = n = 0; i < ASKERS_MAX; i++) {
			if (!open_askers[i])
				continue;
			pfd[n].fd = askers[i].fd;
			pfd[n].events = POLLIN;
			index[n++] = i;
		}
		pfd[n].fd = parent.fd;
		pfd[n].events = POLLIN;
		if (poll(pfd, (nfds_t)n + 1, -1) == -1)
			err(1, "poll");
		for (i = 0; i < n; i++)
			if (pfd[i].revents != 0)
				asker_read(index[i]);
		if (pfd[n].revents != 0)
			parent_read();
	}
}

static void
send_message(uint32_t type, const void *data, size_t len)
{
	if (imsg_compose(&askers[asker], type, ++asked, 0, -1, data, len) ==
	    -1 || imsgbuf_flush(&askers[asker]) == -1)
		warn("message to the resolver");
	if (asked >= QUESTIONS_MAX)
		errx(1, "too many questions");
	owners[asked] = asker + 1;
	outstanding++;
}

static uint32_t
what_parse(const char *letters)
{
	uint32_t	what = 0;

	for (; *letters != '\0'; letters++) {
		switch (*letters) {
		case 'l':
			what |= RESOLVER_LOCAL_NAME;
			break;
		case 'r':
			what |= RESOLVER_REMOTE_NAME;
			break;
		case 'p':
			what |= RESOLVER_PARANOID;
			break;
		case 'i':
			what |= RESOLVER_IDENT;
			break;
		default:
			errx(1, "what is %s?", letters);
		}
	}
	return (what);
}

static const char *
field(char **line)
{
	const char	*f;

	if ((f = strsep(line, ",")) == NULL)
		errx(1, "a field is missing");
	return (f);
}

static void
connection_ask(char *line)
{
	struct resolver_lookup	l;

	memset(&l, 0, sizeof(l));
	l.what = what_parse(field(&line));
	if (netaddr_parse(&l.local, field(&line)) == -1)
		errx(1, "local address");
	l.local_port = (uint16_t)ucspi_scan_ulong(field(&line));
	if (netaddr_parse(&l.remote, field(&line)) == -1)
		errx(1, "remote address");
	l.remote_port = (uint16_t)ucspi_scan_ulong(field(&line));
	l.ident_timeout_s = (uint32_t)ucspi_scan_ulong(field(&line));
	send_message(IMSG_RESOLVER_LOOKUP, &l, sizeof(l));
}

static void
host_ask(char *line)
{
	struct resolver_host	h;
	const char		*families;

	memset(&h, 0, sizeof(h));
	families = field(&line);
	h.want_v4 = strchr(families, '4') != NULL;
	h.want_v6 = strchr(families, '6') != NULL;
	strlcpy(h.word, line, sizeof(h.word));
	send_message(IMSG_RESOLVER_HOST, &h, sizeof(h));
}

static void
cancel_send(uint32_t id)
{
	if (imsg_compose(&askers[asker], IMSG_RESOLVER_CANCEL, id, 0, -1,
	    NULL, 0) == -1 || imsgbuf_flush(&askers[asker]) == -1)
		warn("cancel");
	question_close(id);
}

static void
bad_send(char *line)
{
	static char	rubbish[8192];
	uint32_t	type;
	size_t		len;

	memset(rubbish, 0xaa, sizeof(rubbish));
	type = (uint32_t)ucspi_scan_ulong(field(&line));
	len = ucspi_scan_ulong(field(&line));
	send_message(type, rubbish, len);
}

static void
asker_new(void)
{
	int	sv[2];

	if (++asker == ASKERS_MAX)
		errx(1, "too many askers");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		err(1, "socketpair");
	if (imsgbuf_init(&askers[asker], sv[0]) == -1)
		err(1, "imsgbuf_init");
	open_askers[asker] = 1;
	if (imsg_compose(&parent, IMSG_RESOLVER_ASKER, 0, 0, sv[1], NULL,
	    0) == -1 || imsgbuf_flush(&parent) == -1)
		err(1, "asker");
}

static void
command_run(const char *text)
{
	char		*copy, *line;
	const char	*word;
	unsigned long	 n;

	if ((copy = line = strdup(text)) == NULL)
		err(1, "strdup");
	word = field(&line);
	if (strcmp(word, "l") == 0)
		connection_ask(line);
	else if (strcmp(word, "h") == 0)
		host_ask(line);
	else if (strcmp(word, "c") == 0)
		cancel_send((uint32_t)ucspi_scan_ulong(line));
	else if (strcmp(word, "n") == 0) {
		for (n = ucspi_scan_ulong(field(&line)); n > 0; n--)
			command_run(line);
	} else if (strcmp(word, "bad") == 0)
		bad_send(line);
	else if (strcmp(word, "wait") == 0)
		answers_wait();
	else if (strcmp(word, "new") == 0)
		asker_new();
	else if (strcmp(word, "eof") == 0) {
		close(askers[asker].fd);
		open_askers[asker] = 0;
		questions_close(asker);
	} else if (strcmp(word, "parent-bad") == 0) {
		if (imsg_compose(&parent, 4711, 0, 0, -1, NULL, 0) == -1 ||
		    imsgbuf_flush(&parent) == -1)
			err(1, "parent");
		owners[++asked] = asker + 1;
		outstanding++;
	} else
		errx(1, "what is %s?", text);
	free(copy);
}

static void
resolver_start(char *path)
{
	struct privsep_hello	 hello;
	struct imsg		 imsg;
	char			*argv[2], why[256];
	int			 fd;

	argv[0] = path;
	argv[1] = NULL;
	if ((pid = privsep_exec(path, argv, &fd)) == -1)
		err(1, "%s", path);
	if (imsgbuf_init(&parent, fd) == -1)
		err(1, "imsgbuf_init");
	imsgbuf_allow_fdpass(&parent);
	memset(&hello, 0, sizeof(hello));
	strlcpy(hello.build, privsep_build, sizeof(hello.build));
	strlcpy(hello.name, "test", sizeof(hello.name));
	if (getenv("ASKER_CHROOT") != NULL) {
		hello.flags = PRIVSEP_CHROOT | PRIVSEP_SET_GID |
		    PRIVSEP_SET_UID;
		hello.uid = hello.gid = 65534;
		strlcpy(hello.chroot_path, getenv("ASKER_CHROOT"),
		    sizeof(hello.chroot_path));
	}
	if (imsg_compose(&parent, IMSG_PRIVSEP_HELLO, 0, 0, -1, &hello,
	    sizeof(hello)) == -1 || imsgbuf_flush(&parent) == -1)
		err(1, "hello");
	while (imsgbuf_get(&parent, &imsg) == 0) {
		struct pollfd	pfd = { parent.fd, POLLIN, 0 };

		(void)poll(&pfd, 1, -1);
		if (imsgbuf_read(&parent) != 1)
			errx(1, "the resolver did not start");
	}
	if (privsep_hello_check(&imsg, why, sizeof(why)) == -1)
		errx(1, "%s", why);
	imsg_free(&imsg);
}

int
main(int argc, char **argv)
{
	int	i, status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && strcmp(argv[1], "-t") == 0) {
		(void)alarm((unsigned int)ucspi_scan_ulong(argv[2]));
		argc -= 2;
		argv += 2;
	} else
		(void)alarm(60);
	if (argc < 2)
		errx(100, "usage: asker [-t seconds] resolver command ...");
	resolver_start(argv[1]);
	asker_new();
	for (i = 2; i < argc; i++)
		command_run(argv[i]);
	answers_wait();
	close(parent.fd);
	if (!ended && (waitpid(pid, &status, 0) != pid || status != 0))
		errx(1, "the resolver ended with %d", status);
	return (0);
}
