/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Rules as someone may write them, compiled twice: line by line, and from a
 * file into a database.
 *
 * Both must agree.  What is made of a line must be stable: a key, written
 * back as an address, gives the same key again.  A database that was made
 * must open, and judging by it must never meet damage.
 *
 * covers: lib/libaccess/rules.c lib/libaccess/compile.c
 * covers: lib/libaccess/address.c lib/libaccess/network_text.c
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "compat.h"
#include "compile.h"
#include "network.h"
#include "rules.h"

#define FUZZ_INPUT_MAX	16384
#define KEY_MAX		256		/* longer ones are not written back */

struct expectation {
	uint8_t	key[KEY_MAX];
	size_t	key_len;
	int	records;
};

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct access_verdict	verdict;

static void
require(int truth)
{
	if (!truth)
		abort();
}

static int
record_expect(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *data, size_t data_len)
{
	struct expectation	*expected = arg;

	require(key_len == expected->key_len &&
	    memcmp(key, expected->key, key_len) == 0);
	require(data_len == 0);
	expected->records++;
	return (0);
}

/*
 * Some keys can't be written back: 0.88 sees a range or a comment, or "user@"
 * has a colon, which only an IPv6 address behind it makes possible.
 */
static int
key_is_plain(const uint8_t *key, size_t len)
{
	size_t	user_len;

	for (user_len = len; user_len > 0 && key[user_len - 1] != '@'; )
		user_len--;
	return (memchr(key, '-', len) == NULL && (len == 0 || *key != '#') &&
	    memchr(key, ':', user_len) == NULL);
}

static void
key_check(const uint8_t *key, size_t len, int from_network)
{
	struct expectation	expected;
	struct rules		rules;
	char			line[2 * KEY_MAX];

	if (len > KEY_MAX || !key_is_plain(key, len))
		return;
	if (from_network) {
		require(network_key_text(key, len, line, KEY_MAX) == 0);
	} else {
		memcpy(line, key, len);
		line[len] = '\0';
		if (strlen(line) != len)
			return;
	}
	strlcat(line, ":allow", sizeof(line));
	memcpy(expected.key, key, len);
	expected.key_len = len;
	expected.records = 0;
	memset(&rules, 0, sizeof(rules));
	require(rules_line(&rules, (const uint8_t *)line, strlen(line),
	    record_expect, &expected) == RULES_DONE);
	require(expected.records == 1);
	rules_free(&rules);
}

static int
record_check(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *data, size_t data_len)
{
	struct rules	*rules = arg;

	require(data_len == 0 || data[data_len - 1] == '\0');
	if (data_len > 0 && data[0] == 'D')
		require(data_len == 2 || (data[1] == '\0' && data[2] == '+'));
	else
		require(data_len == 0 || data[0] == '+');
	key_check(key, key_len, rules->has_networks);
	return (0);
}

/* What the lines, one after the other, come to. */
static enum compile_result
lines_run(const uint8_t *text, size_t size)
{
	struct rules		 rules;
	const uint8_t		*end, *line;
	enum rules_result	 result;
	size_t			 len;

	memset(&rules, 0, sizeof(rules));
	result = RULES_DONE;
	for (line = text; line < text + size && result == RULES_DONE;
	    line = end) {
		end = memchr(line, '\n', text + size - line);
		end = end == NULL ? text + size : end + 1;
		len = rules_trim(line, end - line);
		rules.has_networks = 0;
		result = rules_line(&rules, line, len, record_check, &rules);
	}
	rules_free(&rules);
	require(result == RULES_DONE || result == RULES_SYNTAX);
	return (result == RULES_DONE ? COMPILE_DONE : COMPILE_SYNTAX);
}

static void
clients_judge(const struct access *rules)
{
	const uint8_t		v4[] = { 10, 2, 3, 4 };
	const uint8_t		v6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	struct access_client	clients[] = {
		{ AF_INET, v4, "10.2.3.4", "h.x.y", "joe" },
		{ AF_INET6, v6, "2001:db8::1", NULL, "" },
		{ AF_UNSPEC, NULL, "", "", NULL },
	};
	size_t			i, pos;

	for (i = 0; i < nitems(clients); i++) {
		require(access_check(rules, &clients[i], &verdict) == 0);
		pos = 0;
		while (access_variable(&verdict, &pos) != NULL)
			;
	}
}

static void
database_check_all(FILE *fp)
{
	struct access	*rules;

	require((rules = access_open(fileno(fp))) != NULL);
	clients_judge(rules);
	require(access_lengths_learn(rules) == 0);
	clients_judge(rules);
	access_close(rules);
}

int
LLVMFuzzerTestOneInput(const uint8_t *text, size_t size)
{
	struct compile_line	 bad;
	enum compile_result	 wanted;
	FILE			*in, *out;

	if (size > FUZZ_INPUT_MAX)
		return (0);
	wanted = lines_run(text, size);
	if ((in = tmpfile()) == NULL || (out = tmpfile()) == NULL)
		abort();
	require(fwrite(text, 1, size, in) == size && fflush(in) == 0);
	rewind(in);
	require(compile_rules(fileno(in), fileno(out), &bad) == wanted);
	if (wanted == COMPILE_DONE)
		database_check_all(out);
	else
		free(bad.bytes);
	fclose(in);
	fclose(out);
	return (0);
}
