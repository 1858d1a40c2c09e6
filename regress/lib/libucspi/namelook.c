/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Looks up words with the blocking half of the library, for the shell tests:
 *
 *	namelook host WORD ...	addresses, IPv4 only as the classic programs
 *	namelook host46 WORD ...
 *	namelook ptr ADDRESS ...
 *	namelook a NAME ...	addresses of exactly that name
 *	namelook txt NAME ...
 *	namelook config		servers and rules
 *
 * One line per word: "WORD: result result ..." or "WORD: error: TEXT".
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ucspi_name.h"

static struct name_config	 config;
static struct name_waiter	*waiter;

static void
addresses_print(const struct netaddr *addr, int count)
{
	char	buf[NETADDR_TEXT_SIZE];
	int	i;

	if (count == -1) {
		printf(" error: %s", ucspi_strerror(errno));
		return;
	}
	for (i = 0; i < count; i++)
		printf(" %s", netaddr_text(&addr[i], buf));
}

static void
host_print(const char *word, int want)
{
	struct netaddr	addr[NAME_ADDRS_MAX];

	addresses_print(addr, name_wait_host(waiter, word, want, addr,
	    NAME_ADDRS_MAX));
}

static void
query_print(const char *word, uint16_t type)
{
	struct name_answer	answer;

	if (name_wait_query(waiter, word, type, &answer) == -1)
		printf(" error: %s", ucspi_strerror(answer.error));
	else if (type == NAME_TYPE_TXT)
		printf(" %u %zu \"%s\"", answer.count, answer.text_len,
		    answer.text);
	else
		addresses_print(answer.addr, (int)answer.count);
}

static void
ptr_print(const char *word)
{
	struct netaddr	addr;
	char		name[NAME_TEXT_SIZE];

	if (netaddr_parse(&addr, word) == -1)
		errx(100, "not an address: %s", word);
	if (name_wait_ptr(waiter, &addr, name) == -1)
		printf(" error: %s", ucspi_strerror(errno));
	else
		printf(" \"%s\"", name);
}

static void
config_print(void)
{
	char		buf[NETADDR_TEXT_SIZE];
	size_t		at;
	unsigned int	i;

	for (i = 0; i < config.server_count; i++)
		printf("server %s\n", netaddr_text(&config.servers[i], buf));
	if (config.servers_error != 0)
		printf("server error: %s\n",
		    ucspi_strerror(config.servers_error));
	for (at = 0; at < config.rules_len; at += strlen(config.rules + at) +
	    1)
		printf("rule %s\n", config.rules + at);
	if (config.rules_error != 0)
		printf("rule error: %s\n", ucspi_strerror(config.rules_error));
}

static void
word_print(const char *what, const char *word)
{
	printf("%s:", word);
	if (strcmp(what, "host") == 0)
		host_print(word, NAME_WANT_V4);
	else if (strcmp(what, "host46") == 0)
		host_print(word, NAME_WANT_V4 | NAME_WANT_V6);
	else if (strcmp(what, "ptr") == 0)
		ptr_print(word);
	else if (strcmp(what, "a") == 0)
		query_print(word, NAME_TYPE_A);
	else if (strcmp(what, "txt") == 0)
		query_print(word, NAME_TYPE_TXT);
	else
		errx(100, "what is %s?", what);
	printf("\n");
}

int
main(int argc, char **argv)
{
	int	i;

	if (argc < 2)
		errx(100, "usage: namelook what [word ...]");
	if (name_config_load(&config) == -1)
		err(111, "configuration");
	if (strcmp(argv[1], "config") == 0)
		config_print();
	if ((waiter = name_waiter_new(&config)) == NULL)
		err(111, "waiter");
	for (i = 2; i < argc; i++)
		word_print(argv[1], argv[i]);
	name_waiter_free(waiter);
	name_config_free(&config);
	return (0);
}
