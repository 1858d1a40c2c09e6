/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Rows, checked before anything in them is used.
 */
#include <string.h>

#include "link.h"
#include "view.h"

static const struct {
	enum control_row	row;
	size_t			size;
} rows[] = {
	{ ROW_SPOOL, sizeof(struct control_spool) },
	{ ROW_CUSTOMER, sizeof(struct control_customer) },
	{ ROW_MESSAGE, sizeof(struct control_message) },
	{ ROW_RUN, sizeof(struct control_run) }
};

#define END(field)	((field)[sizeof(field) - 1] = '\0')

static int
customer_check(struct view *v, const char *data, size_t left)
{
	struct control_customer	*c = &v->u.customer;

	END(c->name);
	END(c->maildir);
	if (c->why >= WHY_MAX || c->reason >= CONTROL_REASONS ||
	    link_string(&v->reply, &data, &left, c->reply_len) == -1)
		return (-1);
	return (left == 0 ? 0 : -1);
}

static int
message_check(struct view *v, const char *data, size_t left)
{
	struct control_message	*m = &v->u.message;

	END(m->customer);
	if (m->state >= MESSAGE_STATE_MAX || m->name_len == 0 ||
	    link_string(&v->name, &data, &left, m->name_len) == -1 ||
	    link_string(&v->sender, &data, &left, m->sender_len) == -1 ||
	    link_string(&v->recipients, &data, &left,
	    m->recipients_len) == -1 ||
	    link_string(&v->reply, &data, &left, m->reply_len) == -1)
		return (-1);
	return (left == 0 ? 0 : -1);
}

static int
row_check(struct view *v, const char *data, size_t left)
{
	switch (v->row) {
	case ROW_CUSTOMER:
		return (customer_check(v, data, left));
	case ROW_MESSAGE:
		return (message_check(v, data, left));
	case ROW_RUN:
		END(v->u.run.customer);
		END(v->u.run.doing);
		if (v->u.run.reason >= CONTROL_REASONS)
			return (-1);
		break;
	default:
		END(v->u.spool.sandbox);
		END(v->u.spool.trouble);
		break;
	}
	return (left == 0 ? 0 : -1);
}

static int
row_decode(struct view *v, const char *data, size_t len)
{
	size_t	i;

	if (len < sizeof(v->row))
		return (-1);
	memcpy(&v->row, data, sizeof(v->row));
	for (i = 0; i < nitems(rows); i++)
		if (rows[i].row == v->row)
			break;
	if (i == nitems(rows) || len < rows[i].size)
		return (-1);
	memcpy(&v->u, data, rows[i].size);
	return (row_check(v, data + rows[i].size, len - rows[i].size));
}

int
view_decode(struct view *v, uint32_t type, const char *data, size_t len)
{
	memset(v, 0, sizeof(*v));
	v->type = type;
	switch (type) {
	case IMSG_CTL_ROW:
		return (row_decode(v, data, len));
	case IMSG_CTL_END:
		if (len != sizeof(v->u.answer))
			return (-1);
		memcpy(&v->u.answer, data, sizeof(v->u.answer));
		return (0);
	case IMSG_CTL_TEXT:
		v->text = data;
		v->text_len = len;
		return (0);
	}
	return (-1);
}
