/*
 * tcprulescheck: shows what tcpserver would do with a client, by the same
 * reader that tcpserver judges with.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "compat.h"
#include "network.h"
#include "ucspi.h"

#define NETWORK_TEXT_SIZE	(NETADDR_TEXT_SIZE + sizeof("/128"))

static __dead void
usage(void)
{
	fputs("tcprulescheck: usage: tcprulescheck rules.cdb\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

static __dead void
die_read(const char *file)
{
	fprintf(stderr, "tcprulescheck: fatal: unable to read %s: %s\n", file,
	    ucspi_strerror(errno));
	exit(UCSPI_EXIT_TEMPORARY);
}

static struct access *
rules_open(const char *file)
{
	struct access	*access;
	int		 fd;

	if ((fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		die_read(file);
	if ((access = access_open(fd)) == NULL)
		die_read(file);
	close(fd);
	return (access);
}

/*
 * The client as the environment describes it.  What is no address is
 * sought as text all the same.
 */
static void
client_init(struct access_client *client, struct netaddr *addr, char *text)
{
	memset(client, 0, sizeof(*client));
	client->family = AF_UNSPEC;
	client->host = getenv("TCPREMOTEHOST");
	client->info = getenv("TCPREMOTEINFO");
	if ((client->ip = getenv("TCPREMOTEIP")) == NULL)
		client->ip = "0.0.0.0";
	if (netaddr_parse(addr, client->ip) == -1)
		return;
	client->family = addr->family;
	client->bytes = addr->bytes;
	client->ip = netaddr_text(addr, text);
}

static void
key_print(const struct access_verdict *verdict)
{
	char	text[NETWORK_TEXT_SIZE];

	fputs("rule ", stdout);
	if (network_key_text(verdict->key, verdict->key_len, text,
	    sizeof(text)) == 0)
		fputs(text, stdout);
	else
		fwrite(verdict->key, 1, verdict->key_len, stdout);
	fputs(":\n", stdout);
}

static void
verdict_print(const struct access_verdict *verdict)
{
	const char	*variable;
	size_t		 pos;

	if (verdict->answer == ACCESS_DEFAULT)
		puts("default:");
	else
		key_print(verdict);
	for (pos = 0; (variable = access_variable(verdict, &pos)) != NULL; )
		printf("set environment variable %s\n", variable);
	puts(verdict->answer == ACCESS_DENY ? "deny connection" :
	    "allow connection");
}

int
main(int argc, char *argv[])
{
	struct access		*access;
	struct access_client	 client;
	struct access_verdict	 verdict;
	struct netaddr		 addr;
	char			 text[NETADDR_TEXT_SIZE];

	if (argc < 2)
		usage();
	access = rules_open(argv[1]);
	client_init(&client, &addr, text);
	if (access_check(access, &client, &verdict) == -1)
		die_read(argv[1]);
	verdict_print(&verdict);
	access_close(access);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fprintf(stderr, "tcprulescheck: fatal: unable to write output: "
		    "%s\n", ucspi_strerror(errno));
		return (UCSPI_EXIT_TEMPORARY);
	}
	return (0);
}
