/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Asking lists in the DNS about an address.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rblsmtpd.h"
#include "ucspi_name.h"

#define FAILURE_TEXT	"temporary RBL lookup error"

/* Sixteen bytes, each two digits with a dot behind each. */
#define NIBBLES_SIZE	(16 * 4 + 1)

static struct name_config	 config;
static struct name_waiter	*waiter;

void
lists_done(void)
{
	name_waiter_free(waiter);
	name_config_free(&config);
	waiter = NULL;
}

static char *
nibbles_reverse(const struct netaddr *addr)
{
	static const char	 digits[] = "0123456789abcdef";
	char			*reversed, *p;
	int			 i;

	if ((p = reversed = malloc(NIBBLES_SIZE)) == NULL)
		return (NULL);
	for (i = 15; i >= 0; i--) {
		*p++ = digits[addr->bytes[i] & 0xf];
		*p++ = '.';
		*p++ = digits[addr->bytes[i] >> 4];
		*p++ = '.';
	}
	*p = '\0';
	return (reversed);
}

/* "1.2.3.4" becomes "4.3.2.1.", and likewise whatever else has dots. */
static char *
dots_reverse(const char *ip)
{
	const char	*end, *start;
	char		*reversed, *p;

	if ((p = reversed = malloc(strlen(ip) + 2)) == NULL)
		return (NULL);
	end = ip + strlen(ip);
	while (end > ip) {
		for (start = end; start > ip && start[-1] != '.'; start--)
			continue;
		memcpy(p, start, (size_t)(end - start));
		p += end - start;
		*p++ = '.';
		end = start > ip ? start - 1 : ip;
	}
	*p = '\0';
	return (reversed);
}

/* The client's address as lists have it; NULL when memory is out. */
static char *
address_reverse(void)
{
	struct netaddr	 addr;
	char		 text[NETADDR_TEXT_SIZE];
	const char	*ip;

	if ((ip = getenv("TCPREMOTEIP")) == NULL)
		ip = "";
	if (strchr(ip, ':') == NULL || netaddr_parse(&addr, ip) == -1)
		return (dots_reverse(ip));
	if (addr.family == AF_INET6)
		return (nibbles_reverse(&addr));
	return (dots_reverse(netaddr_text(&addr, text)));
}

static int
list_ask(const char *base, uint16_t type, struct name_answer *answer)
{
	char	*name, *reversed;
	int	 result;

	if (waiter == NULL && (name_config_load(&config) == -1 ||
	    (waiter = name_waiter_new(&config)) == NULL))
		return (-1);
	if ((reversed = address_reverse()) == NULL)
		return (-1);
	result = asprintf(&name, "%s%s", reversed, base);
	free(reversed);
	if (result == -1)
		return (-1);
	result = name_wait_query(waiter, name, type, answer);
	free(name);
	return (result);
}

static void
judgement_refuse(struct judgement *j, enum decision decision,
    const char *text, size_t len)
{
	j->decision = decision;
	smtp_text_clean(j->text, text, len);
}

void
lists_refuse(struct judgement *j, const char *base)
{
	static struct name_answer	answer;

	if (j->decision != UNDECIDED)
		return;
	if (list_ask(base, NAME_TYPE_TXT, &answer) == -1) {
		j->failed = 1;
		if (j->fail_closed)
			judgement_refuse(j, REFUSE_NOW, FAILURE_TEXT,
			    sizeof(FAILURE_TEXT) - 1);
		return;
	}
	/* A list that could not be asked may have excused the client. */
	if (answer.text_len > 0)
		judgement_refuse(j, j->refuse_for_good && !j->failed ?
		    REFUSE : REFUSE_NOW, answer.text, answer.text_len);
}

void
lists_accept(struct judgement *j, const char *base)
{
	static struct name_answer	answer;

	if (j->decision != UNDECIDED)
		return;
	if (list_ask(base, NAME_TYPE_A, &answer) == -1) {
		j->failed = 1;
		if (!j->fail_closed)
			j->decision = ACCEPT;
		return;
	}
	if (answer.count > 0)
		j->decision = ACCEPT;
}
