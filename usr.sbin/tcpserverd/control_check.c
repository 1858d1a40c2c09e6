/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * "check": what would become of a client, judged as rules.c judges one, by
 * the rules that one would meet now.
 */
#include <errno.h>
#include <string.h>

#include "control_engine.h"

/* Of all it would carry; a start with more is refused anyway. */
#define VARIABLES_MAX	8192

struct check_row {
	struct control_verdict	v;
	char			strings[ACCESS_KEY_SIZE + VARIABLES_MAX];
};

static void
variables_add(struct check_row *row, const struct access_verdict *verdict)
{
	char		*at = row->strings + row->v.key_len;
	const char	*var;
	size_t		 pos = 0, len, used = 0;

	while ((var = access_variable(verdict, &pos)) != NULL) {
		len = strlen(var) + 1;
		if (len > VARIABLES_MAX - used) {
			row->v.variables_cut = 1;
			break;
		}
		memcpy(at + used, var, len);
		used += len;
	}
	row->v.variables_len = (uint32_t)used;
}

static enum control_result
check_result(const struct service *sv, const struct access_verdict *verdict)
{
	int	by_rule = verdict->answer != ACCESS_DEFAULT;

	if (verdict->answer == ACCESS_DENY)
		return (RESULT_DENIED_RULE);
	if (sv->settings.flags & SERVICE_CLOSE)
		return (by_rule ? RESULT_CLOSED_RULE : RESULT_CLOSED_DEFAULT);
	return (by_rule ? RESULT_ALLOWED_RULE : RESULT_ALLOWED_DEFAULT);
}

static void
check_judge(struct check_row *row, struct service *sv,
    const struct control_check *chk)
{
	struct access_client	 who;
	struct access_verdict	 verdict;
	char			 ip[NETADDR_TEXT_SIZE];

	memset(&verdict, 0, sizeof(verdict));
	who.family = chk->client.family;
	who.bytes = chk->client.bytes;
	who.ip = netaddr_text(&chk->client, ip);
	who.host = chk->has_host ? chk->host : NULL;
	who.info = chk->has_info ? chk->info : NULL;
	if (sv->access != NULL &&
	    access_check(sv->access, &who, &verdict) == -1) {
		row->v.result = RESULT_DROPPED_RULES;
		row->v.error = errno;
		return;
	}
	row->v.result = check_result(sv, &verdict);
	if (verdict.answer == ACCESS_DEFAULT)
		return;
	row->v.key_len = (uint32_t)verdict.key_len;
	memcpy(row->strings, verdict.key, verdict.key_len);
	variables_add(row, &verdict);
}

void
check_answer(struct control_client *c, struct service *sv, int errnum)
{
	static struct check_row	row;

	if (c->check.client.family != AF_INET &&
	    c->check.client.family != AF_INET6) {
		peer_say(&c->peer, "check: an address of neither IPv4 nor "
		    "IPv6");
		peer_end(&c->peer, EINVAL);
		return;
	}
	memset(&row, 0, sizeof(row));
	row.v.row = ROW_VERDICT;
	row.v.flags = sv->settings.flags;
	row.v.connections = sv->count;
	row.v.sessions_max = sv->settings.sessions_max;
	strlcpy(row.v.rules_path, sv->settings.rules_path,
	    sizeof(row.v.rules_path));
	if (errnum == ENOENT && (sv->settings.flags & SERVICE_RULES_OPTIONAL))
		errnum = 0;
	if (errnum != 0) {
		row.v.result = RESULT_DROPPED_RULES;
		row.v.error = errnum;
	} else
		check_judge(&row, sv, &c->check);
	(void)peer_row(&c->peer, &row, sizeof(row.v) +
	    row.v.key_len + row.v.variables_len);
	peer_end(&c->peer, 0);
}
