/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What a DNS message says (RFC 1035 section 4).  The message is a
 * stranger's: every length is held against its end, every pointer must lead
 * backwards, and the work done is bounded by the message's own size.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "ucspi_name.h"

#define HEADER_BYTES		12
#define RCODE_NXDOMAIN		3
#define CLASS_IN		1
#define POINTERS_MAX		64	/* in one name */
/* Records usually come in the order of the chain: one pass.  */
#define PASSES_MAX		8

struct message {
	const uint8_t	*data;
	size_t		 len;
	size_t		 pos;
};

struct record {
	uint8_t		 owner[NAME_WIRE_SIZE];
	uint16_t	 type;
	uint16_t	 class;
	size_t		 data;		/* where its data begins */
	uint16_t	 data_len;
};

static int
message_u16(struct message *m, uint16_t *value)
{
	if (m->len - m->pos < 2)
		return (-1);
	*value = (uint16_t)(m->data[m->pos] << 8 | m->data[m->pos + 1]);
	m->pos += 2;
	return (0);
}

static int
message_skip(struct message *m, size_t n)
{
	if (m->len - m->pos < n)
		return (-1);
	m->pos += n;
	return (0);
}

/*
 * Expands the name at m->pos, leaving pos behind it.  A pointer must point
 * before the place where this stretch of labels began: so it ends.
 */
static int
message_name(struct message *m, uint8_t *wire)
{
	size_t		at, end = 0, floor, out = 0;
	unsigned int	pointers = 0;
	uint8_t		len;

	at = floor = m->pos;
	for (;;) {
		if (at >= m->len)
			return (-1);
		len = m->data[at++];
		if ((len & 0xc0) == 0xc0) {
			if (at >= m->len || ++pointers > POINTERS_MAX)
				return (-1);
			if (end == 0)
				end = at + 1;
			at = (size_t)(len & 0x3f) << 8 | m->data[at];
			if (at >= floor)
				return (-1);
			floor = at;
			continue;
		}
		if ((len & 0xc0) != 0 || m->len - at < len ||
		    out + 1 + len + (len != 0) >= NAME_WIRE_SIZE)
			return (-1);
		wire[out++] = len;
		memcpy(wire + out, m->data + at, len);
		out += len;
		at += len;
		if (len == 0)
			break;
	}
	m->pos = end != 0 ? end : at;
	return (0);
}

static int
message_record(struct message *m, struct record *r)
{
	if (message_name(m, r->owner) == -1 ||
	    message_u16(m, &r->type) == -1 ||
	    message_u16(m, &r->class) == -1 ||
	    message_skip(m, 4) == -1 ||			/* time to live */
	    message_u16(m, &r->data_len) == -1)
		return (-1);
	r->data = m->pos;
	return (message_skip(m, r->data_len));
}

/* The name in a record's data, which must fill it to the end. */
static int
record_name(const struct message *m, const struct record *r, uint8_t *wire)
{
	struct message	data = *m;

	data.pos = r->data;
	data.len = r->data + r->data_len;
	if (message_name(&data, wire) == -1 || data.pos != data.len)
		return (-1);
	return (0);
}

static void
answer_add_address(struct name_answer *a, const struct message *m,
    const struct record *r)
{
	struct netaddr	*addr;
	size_t		 size;

	size = r->type == NAME_TYPE_A ? 4 : 16;
	if (r->data_len != size || a->count == NAME_ADDRS_MAX)
		return;
	addr = &a->addr[a->count++];
	memset(addr, 0, sizeof(*addr));
	addr->family = r->type == NAME_TYPE_A ? AF_INET : AF_INET6;
	memcpy(addr->bytes, m->data + r->data, size);
}

/* Strings with their lengths before them, which must fill the data. */
static int
answer_add_text(struct name_answer *a, const struct message *m,
    const struct record *r)
{
	const uint8_t	*p, *end;
	size_t		 len, room;

	p = m->data + r->data;
	end = p + r->data_len;
	while (p < end) {
		len = *p++;
		if ((size_t)(end - p) < len)
			return (-1);
		room = sizeof(a->text) - 1 - a->text_len;
		memcpy(a->text + a->text_len, p, len < room ? len : room);
		a->text_len += len < room ? len : room;
		a->count++;
		p += len;
	}
	return (0);
}

/* Takes what a record of the wanted name and type has. */
static int
answer_add(struct name_answer *a, const struct message *m,
    const struct record *r)
{
	uint8_t	wire[NAME_WIRE_SIZE];

	switch (r->type) {
	case NAME_TYPE_A:
	case NAME_TYPE_AAAA:
		answer_add_address(a, m, r);
		return (0);
	case NAME_TYPE_TXT:
		return (answer_add_text(a, m, r));
	case NAME_TYPE_PTR:
		if (a->count > 0)
			return (0);
		if (record_name(m, r, wire) == -1)
			return (-1);
		name_wire_to_text(a->name, wire);
		a->count = 1;
		return (0);
	default:
		return (0);
	}
}

/*
 * One pass over the answer section: takes records of the wanted name, and
 * lets a CNAME change what is wanted.  1 if it did, 0 if not, -1 if the
 * message is broken.
 */
static int
answer_pass(struct name_answer *a, struct message m, uint16_t records,
    uint8_t *wanted, uint16_t type)
{
	struct record	r;
	int		renamed = 0;

	while (records-- > 0) {
		if (message_record(&m, &r) == -1)
			return (-1);
		if (r.class != CLASS_IN || !name_wire_equal(r.owner, wanted))
			continue;
		if (r.type == type) {
			if (answer_add(a, &m, &r) == -1)
				return (-1);
			/* The rest can change nothing. */
			if (type == NAME_TYPE_PTR)
				break;
		} else if (r.type == NAME_TYPE_CNAME && a->count == 0) {
			if (record_name(&m, &r, wanted) == -1)
				return (-1);
			renamed = 1;
		}
	}
	return (renamed);
}

/* The question section must hold our question and nothing else. */
static int
question_check(struct message *m, uint16_t questions, const uint8_t *wire,
    uint16_t type)
{
	uint8_t		name[NAME_WIRE_SIZE];
	uint16_t	class, qtype;

	if (questions != 1 || message_name(m, name) == -1 ||
	    message_u16(m, &qtype) == -1 || message_u16(m, &class) == -1)
		return (-1);
	if (qtype != type || class != CLASS_IN || !name_wire_equal(name, wire))
		return (-1);
	return (0);
}

static int
answer_parse(struct name_answer *a, struct message *m, const uint8_t *wire,
    uint16_t type)
{
	uint8_t		wanted[NAME_WIRE_SIZE];
	uint16_t	flags, questions, records;
	int		passes, renamed = 1;

	if (message_skip(m, 2) == -1 || message_u16(m, &flags) == -1 ||
	    message_u16(m, &questions) == -1 ||
	    message_u16(m, &records) == -1 || message_skip(m, 4) == -1)
		return (EPROTO);
	if ((flags & 0x8000) == 0 || (flags & 0x7800) != 0)
		return (EPROTO);
	if ((flags & 0xf) != 0 && (flags & 0xf) != RCODE_NXDOMAIN)
		return (EAGAIN);
	if (question_check(m, questions, wire, type) == -1)
		return (EPROTO);
	if ((flags & 0xf) == RCODE_NXDOMAIN)
		return (0);

	memcpy(wanted, wire, name_wire_len(wire));
	for (passes = 0; renamed == 1 && a->count == 0 && passes < PASSES_MAX;
	    passes++)
		renamed = answer_pass(a, *m, records, wanted, type);
	return (renamed == -1 ? EPROTO : 0);
}

void
name_answer_read(struct name_answer *a, const uint8_t *data, size_t len,
    const uint8_t *wire, uint16_t type)
{
	struct message	m = { data, len, 0 };

	memset(a, 0, sizeof(*a));
	a->error = answer_parse(a, &m, wire, type);
	if (a->error != 0) {
		a->count = 0;
		a->text_len = 0;
		a->name[0] = '\0';
	}
	a->text[a->text_len] = '\0';
}
