/*
 * Reads one line of rules and makes its records.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "network.h"
#include "rules.h"

#define RANGE_LAST	255UL
#define NUMBER_TEXT	3	/* digits of a number up to RANGE_LAST */

/* Bytes that may give an address a meaning beyond its text. */
#define MARK_HYPHEN	0x1
#define MARK_NAME	0x2	/* '=', '@': no range */
#define MARK_SLASH	0x4
#define MARK_COLON	0x8

static const uint8_t	marks_of[256] = {
	['-'] = MARK_HYPHEN,
	['='] = MARK_NAME,
	['@'] = MARK_NAME,
	['/'] = MARK_SLASH,
	[':'] = MARK_COLON
};

/* One rule while its records are made. */
struct rule {
	const uint8_t	*address;
	size_t		 address_len;
	unsigned int	 marks;		/* what the address holds */
	const uint8_t	*rest;		/* from the instruction to the end */
	size_t		 rest_len;
	rules_sink	*sink;
	void		*arg;
};

size_t
rules_trim(const uint8_t *line, size_t len)
{
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' ||
	    line[len - 1] == '\n'))
		len--;
	return (len);
}

static int
begins_with_instruction(const uint8_t *p, size_t len)
{
	return ((len >= 4 && memcmp(p, "deny", 4) == 0) ||
	    (len >= 5 && memcmp(p, "allow", 5) == 0));
}

/* The first colon that an instruction follows; NULL if there is none. */
static const uint8_t *
colon_find(const uint8_t *line, const uint8_t *end)
{
	const uint8_t	*p;

	for (p = line; (p = memchr(p, ':', end - p)) != NULL; p++)
		if (begins_with_instruction(p + 1, end - p - 1))
			return (p);
	return (NULL);
}

/*
 * Cuts a line into address and the rest.  0.88 cuts at the first colon, and
 * so do we, except where that can't be a rule and an IPv6 address stands
 * before the instruction.  Returns 0 when the line holds no colon.
 */
static int
rule_cut(struct rule *rule, const uint8_t *line, size_t len)
{
	const uint8_t	*colon, *end, *later;

	end = line + len;
	rule->marks = 0;
	for (colon = line; colon < end && *colon != ':'; colon++)
		rule->marks |= marks_of[*colon];
	if (colon == end)
		return (0);
	if (!begins_with_instruction(colon + 1, end - colon - 1)) {
		later = colon_find(colon, end);
		if (later != NULL && address_is_v6(line, later - line)) {
			for (; colon < later; colon++)
				rule->marks |= marks_of[*colon];
		}
	}
	rule->address = line;
	rule->address_len = colon - line;
	rule->rest = colon + 1;
	rule->rest_len = end - rule->rest;
	return (1);
}

/*
 * Appends the data of one ,VAR=qVALUEq at p.  Returns where it ends, or
 * NULL when it is malformed.
 */
static const uint8_t *
variable_read(struct buffer *data, const uint8_t *p, const uint8_t *end)
{
	const uint8_t	*equals, *quote;

	if (*p != ',' || (equals = memchr(p, '=', end - p)) == NULL)
		return (NULL);
	if (end - equals < 2)
		return (NULL);
	quote = memchr(equals + 2, equals[1], end - equals - 2);
	if (quote == NULL)
		return (NULL);
	buffer_add(data, "+", 1);
	buffer_add(data, p + 1, equals - p);
	buffer_add(data, equals + 2, quote - equals - 2);
	buffer_add(data, "", 1);
	return (quote + 1);
}

/* Makes the data bytes of a rule from what follows the address's colon. */
static enum rules_result
data_read(struct buffer *data, const uint8_t *p, size_t len)
{
	const uint8_t	*end;

	data->len = 0;
	if (!begins_with_instruction(p, len))
		return (RULES_SYNTAX);
	/* Data is never longer than its text: "deny" makes room enough. */
	if (buffer_reserve(data, len) == -1)
		return (RULES_MEMORY);
	end = p + len;
	if (*p == 'd') {
		buffer_add(data, "D", 2);
		p += 4;
	} else
		p += 5;
	while (p < end)
		if ((p = variable_read(data, p, end)) == NULL)
			return (RULES_SYNTAX);
	return (RULES_DONE);
}

static enum rules_result
record_put(const struct rules *rules, const struct rule *rule,
    const uint8_t *key, size_t len)
{
	if (rule->sink(rule->arg, key, len, rules->data.base,
	    rules->data.len) == -1)
		return (RULES_SINK);
	return (RULES_DONE);
}

/* "user@" as it stands, then the address as the lookup will spell it. */
static enum rules_result
record_put_info(struct rules *rules, const struct rule *rule, size_t head_len,
    const uint8_t *tail, size_t tail_len)
{
	rules->key.len = 0;
	if (buffer_reserve(&rules->key, head_len + tail_len) == -1)
		return (RULES_MEMORY);
	buffer_add(&rules->key, rule->address, head_len);
	buffer_add(&rules->key, tail, tail_len);
	return (record_put(rules, rule, rules->key.base, rules->key.len));
}

/* Hands on the record of one address, spelt as the lookup will ask. */
static enum rules_result
record_make(struct rules *rules, const struct rule *rule,
    const uint8_t *address, size_t len)
{
	uint8_t	key[ADDRESS_KEY_SIZE];
	size_t	head_len, key_len;

	if ((rule->marks & (MARK_SLASH | MARK_COLON)) == 0)
		return (record_put(rules, rule, address, len));
	switch (address_key(address, len, &head_len, key, &key_len)) {
	case ADDRESS_BAD:
		return (RULES_SYNTAX);
	case ADDRESS_LITERAL:
		return (record_put(rules, rule, address, len));
	case ADDRESS_NORMAL:
		break;
	}
	/* No address has ranges and an info part both. */
	if (head_len > 0)
		return (record_put_info(rules, rule, head_len, key, key_len));
	if (*key == '_' || *key == '^')
		rules->has_networks = 1;
	return (record_put(rules, rule, key, key_len));
}

/*
 * Reads decimal digits up to end or to a NUL.  None at all are 0; too many
 * wrap, as they did in 0.88.  Returns -1 when there is something else.
 */
static int
number_read(const uint8_t *p, const uint8_t *end, unsigned long *number)
{
	*number = 0;
	for (; p < end && *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return (-1);
		*number = *number * 10 + (*p - '0');
	}
	return (0);
}

/* One record for each number of the range around the hyphen. */
static enum rules_result
range_make(struct rules *rules, const struct rule *rule, const uint8_t *hyphen)
{
	const uint8_t		*end, *left, *right;
	unsigned long		 first, last, n;
	enum rules_result	 result;
	char			 text[NUMBER_TEXT + 1];

	end = rule->address + rule->address_len;
	for (left = hyphen; left > rule->address && left[-1] != '.'; left--)
		;
	if ((right = memchr(hyphen, '.', end - hyphen)) == NULL)
		right = end;
	if (number_read(left, hyphen, &first) == -1 ||
	    number_read(hyphen + 1, right, &last) == -1)
		return (RULES_SYNTAX);
	if (last > RANGE_LAST)
		last = RANGE_LAST;
	for (n = first; n <= last; n++) {
		rules->key.len = 0;
		if (buffer_reserve(&rules->key, rule->address_len +
		    sizeof(text)) == -1)
			return (RULES_MEMORY);
		buffer_add(&rules->key, rule->address, left - rule->address);
		buffer_add(&rules->key, text, snprintf(text, sizeof(text),
		    "%lu", n));
		buffer_add(&rules->key, right, end - right);
		result = record_make(rules, rule, rules->key.base,
		    rules->key.len);
		if (result != RULES_DONE)
			return (result);
	}
	return (RULES_DONE);
}

/* The hyphen of a range, or NULL: names with '=' or '@' have no ranges. */
static const uint8_t *
range_find(const struct rule *rule)
{
	if ((rule->marks & (MARK_HYPHEN | MARK_NAME)) != MARK_HYPHEN)
		return (NULL);
	return (memchr(rule->address, '-', rule->address_len));
}

enum rules_result
rules_line(struct rules *rules, const uint8_t *line, size_t len,
    rules_sink *sink, void *arg)
{
	struct rule		 rule;
	const uint8_t		*hyphen;
	enum rules_result	 result;

	if (len == 0 || line[0] == '#')
		return (RULES_DONE);
	if (!rule_cut(&rule, line, len))
		return (RULES_DONE);
	rule.sink = sink;
	rule.arg = arg;
	result = data_read(&rules->data, rule.rest, rule.rest_len);
	if (result != RULES_DONE)
		return (result);
	if ((hyphen = range_find(&rule)) != NULL)
		return (range_make(rules, &rule, hyphen));
	return (record_make(rules, &rule, rule.address, rule.address_len));
}

void
rules_free(struct rules *rules)
{
	free(rules->key.base);
	free(rules->data.base);
	memset(rules, 0, sizeof(*rules));
}
