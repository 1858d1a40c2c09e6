/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * From a host word to the names to be looked up.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ucspi_name.h"

#define BRACKETS_AND_DOT	".[]"

/* A byte of the part that a '?' rule keeps, which must not be there. */
static int
head_is_plain(const char *head, size_t len)
{
	return (strcspn(head, BRACKETS_AND_DOT) >= len);
}

/*
 * Applies one rule "K FROM:TO" to name, which has room for TO's length
 * more.  A rule of another shape does nothing.
 */
static void
rule_apply(char *name, const char *rule)
{
	const char	*from, *to;
	size_t		 fromlen, headlen, len;

	from = rule + 1;
	if (strchr("=*?-", *rule) == NULL || (to = strchr(from, ':')) == NULL)
		return;
	fromlen = (size_t)(to - from);
	to++;
	len = strlen(name);
	if (len < fromlen)
		return;
	headlen = len - fromlen;
	if (strncasecmp(name + headlen, from, fromlen) != 0)
		return;
	if (*rule == '=' && headlen > 0)
		return;
	if (*rule == '?' && !head_is_plain(name, headlen))
		return;
	if (*rule == '-')
		headlen = 0;
	memcpy(name + headlen, to, strlen(to) + 1);
}

int
name_qualify(struct name_candidates *c, const struct name_config *config,
    const char *word)
{
	size_t	 at, size;

	memset(c, 0, sizeof(*c));
	if (config->rules_error != 0) {
		errno = config->rules_error;
		return (-1);
	}
	/* Each rule applies once and adds less than its own length. */
	size = strlen(word) + config->rules_len + 1;
	if ((c->name = malloc(size)) == NULL ||
	    (c->text = malloc(size)) == NULL) {
		name_candidates_free(c);
		errno = ENOMEM;
		return (-1);
	}
	memcpy(c->name, word, strlen(word) + 1);
	/* Not by pointer: without rules there is none to add to. */
	for (at = 0; at < config->rules_len;
	    at += strlen(config->rules + at) + 1)
		rule_apply(c->name, config->rules + at);

	c->head_len = strcspn(c->name, "+");
	c->plain = c->name[c->head_len] == '\0';
	c->next = c->plain ? c->name : c->name + c->head_len + 1;
	return (0);
}

const char *
name_candidate_next(struct name_candidates *c)
{
	size_t	len;

	if (c->next == NULL)
		return (NULL);
	if (c->plain) {
		c->next = NULL;
		return (c->name);
	}
	len = strcspn(c->next, "+");
	memcpy(c->text, c->name, c->head_len);
	memcpy(c->text + c->head_len, c->next, len);
	c->text[c->head_len + len] = '\0';
	c->next = c->next[len] == '\0' ? NULL : c->next + len + 1;
	return (c->text);
}

void
name_candidates_free(struct name_candidates *c)
{
	free(c->name);
	free(c->text);
	memset(c, 0, sizeof(*c));
}

/*
 * The classic reading: each stretch between dots is a byte (modulo 256, an
 * empty one is 0), each four bytes an address, left-over bytes are nothing.
 */
static int
literal_quads(const char *name, struct netaddr *addr, unsigned int max)
{
	unsigned int	byte = 0, count = 0, value = 0;

	for (;; name++) {
		if (*name == '.' || *name == '\0') {
			if (byte == 0 && count < max)
				memset(&addr[count], 0, sizeof(addr[count]));
			if (count < max)
				addr[count].bytes[byte] = (uint8_t)value;
			value = 0;
			if (++byte == 4 && count < max)
				addr[count++].family = AF_INET;
			byte %= 4;
			if (*name == '\0')
				return ((int)count);
		} else if (*name >= '0' && *name <= '9')
			value = (value * 10 + (unsigned int)(*name - '0')) &
			    0xff;
	}
}

int
name_literal(const char *name, struct netaddr *addr, unsigned int max)
{
	struct netaddr	one;

	if (name[strspn(name, "0123456789.[]")] == '\0')
		return (literal_quads(name, addr, max));
	if (netaddr_parse(&one, name) == -1)
		return (-1);
	if (max == 0)
		return (0);
	addr[0] = one;
	return (1);
}
