/*
 * Start records: what the launcher makes of a packet, whatever is in it.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "launcher.h"

static const char	local_name[] = "local.example";
static const char	remote_name[] = "client.example";
static const char	info[] = "someone";
static const char	variables[] = "A=1\0B=\0=x\0C";

struct packet {
	char	bytes[START_RECORD_MAX] __attribute__((aligned(8)));
	size_t	len;
};

static struct start_record *
record_of(struct packet *p)
{
	return ((struct start_record *)(void *)p->bytes);
}

static void
packet_add(struct packet *p, const char *s, size_t size)
{
	memcpy(p->bytes + p->len, s, size);
	p->len += size;
}

/* which: bits of the four strings */
static void
packet_make(struct packet *p, int which)
{
	memset(p, 0, sizeof(*p));
	p->len = sizeof(struct start_record);
	record_of(p)->id = 42;
	if (which & 1)
		record_of(p)->local_name_len = sizeof(local_name);
	if (which & 2)
		record_of(p)->remote_name_len = sizeof(remote_name);
	if (which & 4)
		record_of(p)->info_len = sizeof(info);
	if (which & 8)
		record_of(p)->variables_len = sizeof(variables);
	if (which & 1)
		packet_add(p, local_name, sizeof(local_name));
	if (which & 2)
		packet_add(p, remote_name, sizeof(remote_name));
	if (which & 4)
		packet_add(p, info, sizeof(info));
	if (which & 8)
		packet_add(p, variables, sizeof(variables));
}

/* In memory of just that length, so that a sanitizer sees a step beyond. */
static int
parse_copy(const struct packet *p, size_t len)
{
	struct start	s;
	char		*copy;
	int		 rv;

	ATF_REQUIRE((copy = malloc(len == 0 ? 1 : len)) != NULL);
	memcpy(copy, p->bytes, len);
	errno = 0;
	rv = start_parse(&s, copy, len);
	ATF_CHECK(rv == 0 || (rv == -1 && errno == EBADMSG));
	if (rv == 0) {
		/* Everything it points at can be read. */
		if (s.local_name != NULL)
			(void)strlen(s.local_name);
		if (s.remote_name != NULL)
			(void)strlen(s.remote_name);
		if (s.info != NULL)
			(void)strlen(s.info);
		if (s.variables != NULL)
			ATF_CHECK_EQ('\0',
			    s.variables[s.record->variables_len - 1]);
	}
	free(copy);
	return (rv);
}

static void
text_check(int there, const char *expected, const char *got)
{
	if (there)
		ATF_CHECK(got != NULL && strcmp(expected, got) == 0);
	else
		ATF_CHECK(got == NULL);
}

ATF_TC_WITHOUT_HEAD(every_choice_of_strings);
ATF_TC_BODY(every_choice_of_strings, tc)
{
	static struct packet	p;
	struct start		s;
	int			which;

	for (which = 0; which < 16; which++) {
		packet_make(&p, which);
		ATF_REQUIRE_EQ(0, start_parse(&s, p.bytes, p.len));
		ATF_CHECK_EQ(42, s.record->id);
		text_check(which & 1, local_name, s.local_name);
		text_check(which & 2, remote_name, s.remote_name);
		text_check(which & 4, info, s.info);
		if (which & 8)
			ATF_CHECK(memcmp(s.variables, variables,
			    sizeof(variables)) == 0);
		else
			ATF_CHECK(s.variables == NULL);
	}
}

ATF_TC_WITHOUT_HEAD(cut_anywhere);
ATF_TC_BODY(cut_anywhere, tc)
{
	static struct packet	p;
	size_t			len;
	int			which;

	for (which = 0; which < 16; which++) {
		packet_make(&p, which);
		for (len = 0; len < p.len; len++)
			ATF_CHECK_EQ_MSG(-1, parse_copy(&p, len),
			    "%zu of %zu", len, p.len);
		ATF_CHECK_EQ(0, parse_copy(&p, p.len));
		ATF_CHECK_EQ_MSG(-1, parse_copy(&p, p.len + 1),
		    "a byte too many");
	}
}

static uint32_t *
length_field(struct start_record *r, int i)
{
	switch (i) {
	case 0:
		return (&r->local_name_len);
	case 1:
		return (&r->remote_name_len);
	case 2:
		return (&r->info_len);
	default:
		return (&r->variables_len);
	}
}

ATF_TC_WITHOUT_HEAD(lengths_that_lie);
ATF_TC_BODY(lengths_that_lie, tc)
{
	static const uint32_t	lies[] = { 0, 1, 2, 3, 100, 32767, 32768,
				    0x7fffffff, 0x80000000, 0xfffffff0,
				    0xffffffff };
	static struct packet	p;
	uint32_t		right;
	size_t			n;
	int			i, d;

	for (i = 0; i < 4; i++) {
		packet_make(&p, 15);
		right = *length_field(record_of(&p), i);
		for (n = 0; n < nitems(lies); n++) {
			*length_field(record_of(&p), i) = lies[n];
			ATF_CHECK_EQ_MSG(-1, parse_copy(&p, p.len),
			    "length %d as %u", i, lies[n]);
		}
		for (d = -2; d <= 2; d++) {
			*length_field(record_of(&p), i) = right + (uint32_t)d;
			ATF_CHECK_EQ(d == 0 ? 0 : -1, parse_copy(&p, p.len));
		}
	}
	/* Their sum is right modulo 2^32. */
	packet_make(&p, 15);
	record_of(&p)->local_name_len = 0xffffffff;
	record_of(&p)->remote_name_len += sizeof(local_name) + 1;
	ATF_CHECK_EQ(-1, parse_copy(&p, p.len));
	/* One takes another's bytes: the NULs are where they must be. */
	packet_make(&p, 15);
	record_of(&p)->local_name_len += record_of(&p)->remote_name_len;
	record_of(&p)->remote_name_len = 0;
	ATF_CHECK_EQ(0, parse_copy(&p, p.len));
}

ATF_TC_WITHOUT_HEAD(strings_without_end);
ATF_TC_BODY(strings_without_end, tc)
{
	static struct packet	p;
	size_t			at = sizeof(struct start_record);
	static const size_t	sizes[] = { sizeof(local_name),
				    sizeof(remote_name), sizeof(info),
				    sizeof(variables) };
	size_t			i;

	for (i = 0; i < nitems(sizes); i++) {
		at += sizes[i];
		packet_make(&p, 15);
		p.bytes[at - 1] = 'x';
		ATF_CHECK_EQ(-1, parse_copy(&p, p.len));
	}
}

ATF_TC_WITHOUT_HEAD(the_longest);
ATF_TC_BODY(the_longest, tc)
{
	static struct packet	p;
	struct start		s;

	packet_make(&p, 0);
	record_of(&p)->variables_len = START_RECORD_MAX -
	    sizeof(struct start_record);
	p.len = START_RECORD_MAX;
	memset(p.bytes + sizeof(struct start_record), 'v',
	    record_of(&p)->variables_len - 1);
	ATF_REQUIRE_EQ(0, start_parse(&s, p.bytes, p.len));
	ATF_CHECK_EQ(record_of(&p)->variables_len - 1, strlen(s.variables));
	ATF_CHECK_EQ(0, parse_copy(&p, p.len));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_choice_of_strings);
	ATF_TP_ADD_TC(tp, cut_anywhere);
	ATF_TP_ADD_TC(tp, lengths_that_lie);
	ATF_TP_ADD_TC(tp, strings_without_end);
	ATF_TP_ADD_TC(tp, the_longest);
	return (atf_no_error());
}
