/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Rows and events, checked before anything in them is used.
 */
#include <string.h>

#include "link.h"
#include "view.h"

static const struct {
	enum control_row	row;
	size_t			size;
	int			strings;
} rows[] = {
	{ ROW_STATUS, sizeof(struct control_status), 0 },
	{ ROW_SERVICE, sizeof(struct control_service), 0 },
	{ ROW_LISTENER, sizeof(struct control_listener), 0 },
	{ ROW_SESSION, sizeof(struct control_session), 1 },
	{ ROW_RULES, sizeof(struct control_rules), 0 },
	{ ROW_STATS, sizeof(struct control_stats), 0 },
	{ ROW_VERDICT, sizeof(struct control_verdict), 1 }
};

/* lens: those of local name, remote name, info, rule. */
static int
names_take(struct view *v, const char *data, size_t left,
    const uint32_t lens[4])
{
	if (link_string(&v->local_name, &data, &left, lens[0]) == -1 ||
	    link_string(&v->remote_name, &data, &left, lens[1]) == -1 ||
	    link_string(&v->info, &data, &left, lens[2]) == -1 ||
	    link_string(&v->rule, &data, &left, lens[3]) == -1)
		return (-1);
	return (left == 0 ? 0 : -1);
}

static int
session_strings(struct view *v, const char *data, size_t left)
{
	const struct control_session	*s = &v->u.session;
	const uint32_t			 lens[4] = {
		s->local_name_len, s->remote_name_len, s->info_len,
		s->rule_len
	};

	return (names_take(v, data, left, lens));
}

static int
event_strings(struct view *v, const char *data, size_t left)
{
	const struct control_event	*ev = &v->u.event;
	const uint32_t			 lens[4] = {
		ev->local_name_len, ev->remote_name_len, ev->info_len,
		ev->rule_len
	};

	return (names_take(v, data, left, lens));
}

static int
verdict_take(struct view *v, const char *data, size_t left)
{
	const struct control_verdict	*r = &v->u.verdict;

	if (r->result >= RESULT_MAX || r->key_len > left ||
	    r->variables_len != left - r->key_len)
		return (-1);
	v->key = (const uint8_t *)data;
	data += r->key_len;
	return (link_string(&v->variables, &data, &left, r->variables_len));
}

#define END(field)	((field)[sizeof(field) - 1] = '\0')

static void
strings_end(struct view *v)
{
	switch (v->row) {
	case ROW_STATUS:
		END(v->u.status.build);
		END(v->u.status.sandbox);
		END(v->u.status.conf_path);
		break;
	case ROW_SERVICE:
		END(v->u.service.name);
		END(v->u.service.rules_path);
		break;
	case ROW_SESSION:
		END(v->u.session.service);
		break;
	case ROW_RULES:
		END(v->u.rules.service);
		END(v->u.rules.path);
		break;
	case ROW_STATS:
		END(v->u.stats.service);
		break;
	case ROW_VERDICT:
		END(v->u.verdict.rules_path);
		break;
	}
}

static int
row_decode(struct view *v, const char *data, size_t len)
{
	size_t	i, left;

	if (len < sizeof(v->row))
		return (-1);
	memcpy(&v->row, data, sizeof(v->row));
	for (i = 0; i < nitems(rows); i++)
		if (rows[i].row == v->row)
			break;
	if (i == nitems(rows) || len < rows[i].size ||
	    (!rows[i].strings && len != rows[i].size))
		return (-1);
	memcpy(&v->u, data, rows[i].size);
	strings_end(v);
	data += rows[i].size;
	left = len - rows[i].size;
	if (v->row == ROW_SESSION)
		return (session_strings(v, data, left));
	if (v->row == ROW_VERDICT)
		return (verdict_take(v, data, left));
	return (0);
}

static int
event_decode(struct view *v, const char *data, size_t len)
{
	struct control_event	*ev = &v->u.event;

	if (len < sizeof(*ev))
		return (-1);
	memcpy(ev, data, sizeof(*ev));
	END(ev->service);
	if (ev->result >= RESULT_MAX)
		return (-1);
	return (event_strings(v, data + sizeof(*ev), len - sizeof(*ev)));
}

static int
fixed_decode(struct view *v, size_t size, const char *data, size_t len)
{
	if (len != size)
		return (-1);
	memcpy(&v->u, data, size);
	return (0);
}

int
view_decode(struct view *v, uint32_t type, const char *data, size_t len)
{
	memset(v, 0, sizeof(*v));
	v->type = type;
	switch (type) {
	case IMSG_CTL_ROW:
		return (row_decode(v, data, len));
	case IMSG_CTL_EVENT:
		return (event_decode(v, data, len));
	case IMSG_CTL_GAP:
		return (fixed_decode(v, sizeof(v->u.gap), data, len));
	case IMSG_CTL_END:
		return (fixed_decode(v, sizeof(v->u.answer), data, len));
	case IMSG_CTL_TEXT:
	case IMSG_CTL_REFUSED:
		v->text = data;
		v->text_len = len;
		return (0);
	case IMSG_CTL_WELCOME:
		return (0);
	}
	return (-1);
}
